"""How a piece of a column of integers is packed into bytes, and read again.

A piece is a header and what its form needs:

  SAME    one value; nothing
  FEW     up to 256 values within a span of 65536: the values (u16 above the base), then codes of 1, 2, 4 or 8 bits
  NEAR    the distance of each value from the base, divided by ``scale``, in 1 to 8 bytes
  MIXED   registers: 2 bits a value say whether it is zero, a page (a multiple of 4096), small (below that) or anything
          else; then base and width of pages, small and other values, then each kind as in NEAR, pages by their number

A distance of 3, 5, 6 or 7 bytes stands in two or three arrays, the low bytes first. All numbers are little endian; arithmetic
is modulo 2^64, so that signed and unsigned columns are packed alike. Pieces may come from a file that was changed meanwhile:
unpacking checks every size and raises ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

SAME, FEW, NEAR, MIXED = range(4)
HEADER = struct.Struct("<BBHIq")
"""Form; bits or bytes of a value; values in the table less one, or scale; number of values; base."""
MOST = 1 << 20
"""Values in a piece at most."""
_CLASS = struct.Struct("<Bq")
_ALL = (1 << 64) - 1
_FEW = 1 << 16
_PAGE = 12
_ZERO, _PAGES, _SMALL, _OTHER = range(4)
_US = 1000
"""Times of text traces are whole microseconds."""
_PLANES = {1: (1,), 2: (2,), 3: (2, 1), 4: (4,), 5: (4, 1), 6: (4, 2), 7: (4, 2, 1), 8: (8,)}
"""Bytes of the arrays that a distance stands in, by its bytes."""
_CODES = {bits: (np.arange(256)[:, None] >> np.arange(0, 8, bits) & ((1 << bits) - 1)).astype(np.uint8) for bits in (1, 2, 4, 8)}
"""What each byte holds, by the bits of a code."""
_TAGS = np.array([np.bincount(codes, minlength=4) for codes in _CODES[2]])
"""How many of each kind of register a byte of tags holds."""


def pack(values: npt.NDArray[Any]) -> bytes:
    """At least one integer, of any integer type or bool, as bytes."""
    least, most = values.min(), values.max()
    if least == most:
        return HEADER.pack(SAME, 0, 0, len(values), _signed(int(least)))
    base, top = int(least), int(most)
    if values.dtype == np.uint64:
        signed = values.view(np.int64)
        base, top = int(signed.min()), int(signed.max())
    span = top - base
    if span < _FEW and (few := _few(_near(values, base), base, span)) is not None:
        return few
    wide = values if values.dtype == np.uint64 else values.astype(np.int64, copy=False).view(np.uint64)
    if span >= 1 << 24 and values.dtype == np.uint64:
        mixed = _mixed(wide)
        if len(mixed) < len(wide) * _width(span):
            return mixed
    far = wide - np.uint64(base & _ALL)
    scale = 1
    if span >= _FEW and (in_us := _in_us(far)) is not None:
        far, scale = in_us, _US
    width = _width(span // scale)
    return HEADER.pack(NEAR, width, scale, len(wide), base) + _cut(far, width)


def unpack(piece: bytes) -> npt.NDArray[np.int64]:
    """The integers of a piece. Raises ValueError where it is none."""
    form, size, extra, count, base = header(piece)
    rest = np.frombuffer(piece, dtype=np.uint8, offset=HEADER.size)
    if form == SAME:
        return np.full(count, base, dtype=np.int64)
    start = np.uint64(base & _ALL)
    if form == FEW:
        table, codes = _table(rest, size, extra, count)
        wrong = np.any(_CODES[size] > extra, axis=1)
        if extra + 1 < 1 << size and bool(np.any(wrong[codes])):
            raise ValueError("a code without a value")
        values = np.zeros(1 << size, dtype=np.uint64)
        values[: extra + 1] = table.astype(np.uint64) + start
        return values[_CODES[size]][codes].reshape(-1)[:count].view(np.int64)  # all the values of a byte at a time
    if form == NEAR:
        far = _spread(rest, count, size)
        return ((far * np.uint64(extra) if extra > 1 else far) + start).view(np.int64)
    return _unmix(rest, count).view(np.int64)


Head = tuple[int, int, int, int, int]
"""What a piece begins with: see HEADER."""


def one(head: Head, read: Callable[[int, int], bytes], place: int) -> int | None:
    """The integer at a place of a piece, of which ``read`` gives the bytes between two offsets; None where all of the piece
    has to be unpacked for it. Raises ValueError."""
    form, size, extra, count, base = head
    if place >= count:
        raise ValueError("a piece that ends early")
    if form == SAME:
        return base
    if form == FEW:
        code = _int(read, HEADER.size + 2 * (extra + 1) + place * size // 8, 1) >> place * size % 8 & (1 << size) - 1
        return base + _int(read, HEADER.size + 2 * min(code, extra), 2)
    if form == NEAR:
        at, shift, far = HEADER.size, 0, 0
        for plane in _PLANES[size]:
            far |= _int(read, at + place * plane, plane) << shift
            at, shift = at + count * plane, shift + 8 * plane
        return _signed(base + far * extra)
    return None


def some(head: Head, read: Callable[[int, int], bytes], start: int, stop: int) -> npt.NDArray[np.int64] | None:
    """The integers of a piece from one place to in front of another, as ``one`` gives one of them. Raises ValueError."""
    form, size, extra, count, base = head
    if not 0 <= start <= stop <= count:
        raise ValueError("a piece that ends early")
    if form == SAME:
        return np.full(stop - start, base, dtype=np.int64)
    low = np.uint64(base & _ALL)
    if form == FEW:
        at, a_byte = HEADER.size + 2 * (extra + 1), 8 // size
        table = np.frombuffer(read(HEADER.size, at), dtype="<u2")
        first, last = start // a_byte, -(-stop // a_byte)
        data = np.frombuffer(read(at + first, at + last), dtype=np.uint8)
        codes = _CODES[size][data].reshape(-1)[start - first * a_byte : stop - first * a_byte]
        if len(table) != extra + 1 or len(codes) != stop - start or (len(codes) and int(codes.max()) > extra):
            raise ValueError("a code without a value")
        return (table.astype(np.uint64) + low)[codes].view(np.int64)
    if form == NEAR:
        at, parts = HEADER.size, []
        for plane in _PLANES[size]:
            parts.append(read(at + start * plane, at + stop * plane))
            at += count * plane
        far = _spread(np.frombuffer(b"".join(parts), dtype=np.uint8), stop - start, size)
        return ((far * np.uint64(extra) if extra > 1 else far) + low).view(np.int64)
    return None


def _int(read: Callable[[int, int], bytes], at: int, size: int) -> int:
    data = read(at, at + size)
    if len(data) != size:
        raise ValueError("a piece that ends early")
    return int.from_bytes(data, "little")


def _signed(value: int) -> int:
    value &= _ALL
    return value - (1 << 64) if value >> 63 else value


def header(piece: bytes) -> Head:
    """What a piece begins with. Raises ValueError where it is none."""
    if len(piece) < HEADER.size:
        raise ValueError("no header")
    form, size, extra, count, base = HEADER.unpack_from(piece)
    if form == NEAR:
        fits = 1 <= size <= 8 and extra > 0
    else:
        fits = size in _CODES and extra < 256 if form == FEW else form in (SAME, MIXED)
    if not fits or count > MOST:
        raise ValueError("no packed piece")
    return form, size, extra, count, base


def bounds(piece: bytes) -> tuple[int, int] | None:
    """A number that no integer of a piece is below, and one that none is above, without unpacking it; None for MIXED, which
    has none. Raises ValueError where it is no piece: where ``unpack`` would, too."""
    form, size, extra, count, base = header(piece)
    rest = np.frombuffer(piece, dtype=np.uint8, offset=HEADER.size)
    if form == SAME:
        return base, base
    if form == FEW:
        table, codes = _table(rest, size, extra, count)
        if extra + 1 < 1 << size and bool(np.any(np.any(_CODES[size] > extra, axis=1)[codes])):
            raise ValueError("a code without a value")
        return base + int(table.min()), base + int(table.max())
    if form == NEAR:
        if len(rest) != count * size or not count:
            raise ValueError("a piece of the wrong length")
        at, shift, far = 0, 0, 0  # of several planes: at least the greatest
        for plane in _PLANES[size]:
            far |= int(rest[at : at + count * plane].view(f"<u{plane}").max()) << shift
            at, shift = at + count * plane, shift + 8 * plane
        return base, base + far * extra
    heads, tags = 3 * _CLASS.size, -(-count // 4)
    if len(rest) < heads + tags:
        raise ValueError("a piece of the wrong length")
    each = np.bincount(rest[heads : heads + tags], minlength=256) @ _TAGS
    if count % 4:
        each -= np.bincount(_CODES[2][rest[heads + tags - 1]][count % 4 :], minlength=4)
    at = heads + tags
    for which, (width, _) in zip((_PAGES, _SMALL, _OTHER), _CLASS.iter_unpack(rest[:heads].tobytes()), strict=True):
        if not 1 <= width <= 8:
            raise ValueError("no packed piece")
        at += int(each[which]) * width
    if at != len(rest):
        raise ValueError("a piece of the wrong length")
    return None


def may_hold(piece: bytes, value: int) -> bool:
    """Whether an integer may be in a piece, without unpacking it. Raises ValueError where it is no piece."""
    form, _, extra, _, base = header(piece)
    if form == FEW:
        return value - base in np.frombuffer(piece, dtype="<u2", count=extra + 1, offset=HEADER.size).tolist()
    found = bounds(piece)
    return found is None or found[0] <= value <= found[1]


def _near(values: npt.NDArray[Any], base: int) -> npt.NDArray[np.uint16]:
    """The distances from the base, which are below 65536: of them the low bits are enough."""
    narrow = values.view(f"u{values.dtype.itemsize}")
    least = narrow.dtype.type(base & (1 << 8 * values.dtype.itemsize) - 1)
    near: npt.NDArray[np.uint16] = (narrow - least).astype(np.uint16)
    return near


def _in_us(far: U64) -> U64 | None:
    """The distances divided by _US, None where that leaves a rest."""
    us = np.uint64(_US)
    if (far[:32] % us).any():
        return None
    out = far // us
    return out if (out * us == far).all() else None


def _width(span: int) -> int:
    return max((span.bit_length() + 7) // 8, 1)


def _cut(values: U64, width: int) -> bytes:
    """The low bytes of each value, in its planes."""
    out, shift = [], 0
    for plane in _PLANES[width]:
        out.append((values >> np.uint64(shift) if shift else values).astype(f"<u{plane}").tobytes())
        shift += 8 * plane
    return b"".join(out)


def _spread(data: Bytes, count: int, width: int) -> U64:
    """What _cut made; ``data`` has to be that long."""
    if len(data) != count * width:
        raise ValueError("a piece of the wrong length")
    out, at, shift = np.zeros(0, dtype=np.uint64), 0, 0
    for plane in _PLANES[width]:
        part = data[at : at + count * plane].view(f"<u{plane}").astype(np.uint64)
        out = part if not shift else out | part << np.uint64(shift)
        at, shift = at + count * plane, shift + 8 * plane
    return out


def _few(far: npt.NDArray[np.uint16], base: int, span: int) -> bytes | None:
    """Codes for the values, None where there are too many."""
    seen = np.zeros(span + 1, dtype=bool)
    seen[far] = True
    table = np.flatnonzero(seen)
    if len(table) > 256 or (len(table) > 16 and span < 256):  # those take a byte either way
        return None
    bits = next(b for b in (1, 2, 4, 8) if len(table) <= 1 << b)
    code = np.zeros(span + 1, dtype=np.uint8)
    code[table] = np.arange(len(table))
    head = HEADER.pack(FEW, bits, len(table) - 1, len(far), base)
    return head + table.astype("<u2").tobytes() + _codes(code[far], bits).tobytes()


def _codes(codes: Bytes, bits: int) -> Bytes:
    """Codes put together into bytes, the first in the lowest bits."""
    if bits == 8:
        return codes
    if bits == 1:
        return np.packbits(codes, bitorder="little")
    a_byte = 8 // bits
    padded = np.zeros(-(-len(codes) // a_byte) * a_byte, dtype=np.uint8)
    padded[: len(codes)] = codes
    rows = padded.reshape(-1, a_byte)
    out = rows[:, 0].copy()
    for i in range(1, a_byte):
        out |= rows[:, i] << np.uint8(i * bits)
    return out


def _table(rest: Bytes, bits: int, last: int, count: int) -> tuple[npt.NDArray[np.uint16], Bytes]:
    size = 2 * (last + 1)
    if len(rest) != size + -(-count * bits // 8):
        raise ValueError("a piece of the wrong length")
    return rest[:size].view("<u2"), rest[size:]


def _mixed(values: U64) -> bytes:
    page = (values & np.uint64((1 << _PAGE) - 1)) == 0
    small = values < np.uint64(1 << _PAGE)
    kind = np.uint8(_OTHER) - (page.view(np.uint8) << np.uint8(1)) - small.view(np.uint8)  # zero is both
    heads = [HEADER.pack(MIXED, 0, 0, len(values), 0)]
    parts = []
    for which in (_PAGES, _SMALL, _OTHER):
        some = values[kind == which]
        some = some >> np.uint64(_PAGE) if which == _PAGES else some
        signed = some.view(np.int64)
        base, top = (int(signed.min()), int(signed.max())) if len(some) else (0, 0)
        heads.append(_CLASS.pack(_width(top - base), base))
        parts.append(_cut(some - np.uint64(base & _ALL), _width(top - base)))
    return b"".join([*heads, _codes(kind, 2).tobytes(), *parts])


def _unmix(rest: Bytes, count: int) -> U64:
    heads, tags = 3 * _CLASS.size, -(-count // 4)
    if len(rest) < heads + tags:
        raise ValueError("a piece of the wrong length")
    kind = _CODES[2][rest[heads : heads + tags]].reshape(-1)[:count]
    out = np.zeros(count, dtype=np.uint64)
    at = heads + tags
    classes = _CLASS.iter_unpack(rest[:heads].tobytes())
    for which, (width, base) in zip((_PAGES, _SMALL, _OTHER), classes, strict=True):
        here = kind == which
        many = int(np.count_nonzero(here))
        if not 1 <= width <= 8:
            raise ValueError("no packed piece")
        some = _spread(rest[at : at + many * width], many, width) + np.uint64(base & _ALL)
        out[here] = some << np.uint64(_PAGE) if which == _PAGES else some
        at += many * width
    if at != len(rest):
        raise ValueError("a piece of the wrong length")
    return out
