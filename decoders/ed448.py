"""Ed448 signatures with a context string (RFC 8032 5.2): the cryptography package verifies them without one only.

Verification has no secrets, so plain integers serve. Takes some milliseconds.
"""

from __future__ import annotations

import hashlib

P = 2**448 - 2**224 - 1
L = 2**446 - 0x8335DC163BB124B65129C96FDE933D8D723A70AADC873D6D54A7BB0D
D = -39081 % P
_Point = tuple[int, int, int]
"""X, Y, Z of (X/Z, Y/Z)."""
KEY_SIZE, SIGNATURE_SIZE = 57, 114
_BASE_Y = 0x693F46716EB6BC248876203756C9C7624BEA73736CA3984087789C1E05A0C2D73AD3FF1CE67C39C4FDBD132C4ED7C8AD9808795BF230FA14


def verify(key: bytes, signature: bytes, message: bytes, context: bytes = b"") -> bool:
    """Whether ``key`` (57 bytes) made that signature (114 bytes) of the message with that context (255 bytes at most)."""
    if len(key) != KEY_SIZE or len(signature) != SIGNATURE_SIZE or len(context) > 255:
        return False
    public, r = _point(key), _point(signature[:KEY_SIZE])
    s = int.from_bytes(signature[KEY_SIZE:], "little")
    if public is None or r is None or s >= L:
        return False
    prefix = b"SigEd448" + bytes((0, len(context))) + context
    digest = hashlib.shake_256(prefix + signature[:KEY_SIZE] + key + message).digest(SIGNATURE_SIZE)
    k = int.from_bytes(digest, "little") % L
    left, right = _times(s, _base()), _add(r, _times(k, public))
    return _same(_times(4, left), _times(4, right))


def _base() -> _Point:
    found = _from_y(_BASE_Y, 0)
    assert found is not None
    return found


def _point(data: bytes) -> _Point | None:
    """A point from its 57 bytes: Y, and the lowest bit of X in the highest bit of the last byte."""
    return None if data[56] & 0x7F else _from_y(int.from_bytes(data[:56], "little"), data[56] >> 7)


def _from_y(y: int, sign: int) -> _Point | None:
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y - 1) % P
    x = pow(u, 3, P) * v * pow(pow(u, 5, P) * pow(v, 3, P), (P - 3) // 4, P) % P
    if v * x * x % P != u or (not x and sign):
        return None
    return (P - x if x & 1 != sign else x), y, 1


def _add(a: _Point, b: _Point) -> _Point:
    c = a[2] * b[2] % P
    square, xs, ys = c * c % P, a[0] * b[0] % P, a[1] * b[1] % P
    e = D * xs * ys % P
    f, g = square - e, square + e
    h = (a[0] + a[1]) * (b[0] + b[1])
    return c * f * (h - xs - ys) % P, c * g * (ys - xs) % P, f * g % P


def _double(a: _Point) -> _Point:
    xs, ys = a[0] * a[0] % P, a[1] * a[1] % P
    both = (a[0] + a[1]) ** 2 % P
    e = xs + ys
    j = (e - 2 * a[2] * a[2]) % P
    return (both - e) * j % P, e * (xs - ys) % P, e * j % P


def _times(n: int, point: _Point) -> _Point:
    out: _Point = (0, 1, 1)
    for bit in bin(n)[2:]:
        out = _double(out)
        if bit == "1":
            out = _add(out, point)
    return out


def _same(a: _Point, b: _Point) -> bool:
    return not (a[0] * b[2] - b[0] * a[2]) % P and not (a[1] * b[2] - b[1] * a[2]) % P
