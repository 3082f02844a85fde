"""Steps of the kernels: eight bytes of text at a time, as one number.

``buf`` is a source: bytes where a kernel runs as it stands, the address of the first byte where it is compiled. Nothing
checks an offset there, so who calls a kernel sees to it that SLACK bytes can be read behind its end. Unsigned arithmetic
wraps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SLACK = 32
"""Bytes behind its end that a kernel may look at."""
AHEAD = 1024
"""Bytes ahead of a line that memory is asked for: the processor by itself does not look behind the end of a page."""
LOW = np.uint64(0x0101010101010101)
HIGH = np.uint64(0x8080808080808080)
LINE_ENDS = np.uint64(0x0A0A0A0A0A0A0A0A)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_ZEROS = np.uint64(0x3030303030303030)
_SIXES = np.uint64(0x0606060606060606)
_NO_DIGIT = np.uint64(0x7676767676767676)
_LETTERS = np.uint64(0x27)
_ORDER = np.uint64(0x0001020304050607)
_PAIRS = np.uint64(0x00FF00FF00FF00FF)
_FOURS = np.uint64(0x0000FFFF0000FFFF)
_EIGHT = np.uint64(0x00000000FFFFFFFF)
_ONE, _NINE, _TEN, _100, _10000 = (np.uint64(n) for n in (1, 9, 10, 100, 10_000))
_4, _6, _7, _8, _16, _32, _56 = (np.uint64(n) for n in (4, 6, 7, 8, 16, 32, 56))
_POWERS = np.array([10**n for n in range(9)], dtype=np.uint64)


def word(buf: Any, at: Any) -> Any:
    """Eight bytes of text as a number, the first the lowest (see kernel_intrinsics for the compiled form)."""
    return np.uint64(int.from_bytes(buf[at : at + 8], "little"))


def word2(buf: Any, at: Any) -> Any:
    """Two bytes as a number."""
    return np.uint64(int.from_bytes(buf[at : at + 2], "little"))


def word4(buf: Any, at: Any) -> Any:
    """Four bytes as a number."""
    return np.uint64(int.from_bytes(buf[at : at + 4], "little"))


def ahead(buf: Any, at: Any) -> None:
    """The byte will be looked at soon: the compiled form asks memory for it, wherever it is; there need not be one."""


def put2(buf: Any, at: Any, value: Any) -> None:
    """Write the low two bytes of a number."""
    for k in range(2):
        buf[at + k] = int(value) >> 8 * k & 255


def put4(buf: Any, at: Any, value: Any) -> None:
    """Write the low four bytes of a number."""
    for k in range(4):
        buf[at + k] = int(value) >> 8 * k & 255


def put8(buf: Any, at: Any, value: Any) -> None:
    """Write the eight bytes of a number."""
    for k in range(8):
        buf[at + k] = int(value) >> 8 * k & 255


def ones(value: Any) -> Any:
    """How many bits of a number are set."""
    return np.int64(int(value).bit_count())


def lowest(flags: Any) -> Any:
    """Which byte is the lowest of those whose top bit is set (only top bits are); 0 where none is."""
    return np.int64(((flags & (~flags + _ONE)) >> _7) * _ORDER >> _56)


def line_end_from(buf: Any, at: Any, end: Any) -> Any:
    """The offset of the first line end at or behind ``at``, ``end`` where there is none before it."""
    while at < end:
        x = word(buf, at) ^ LINE_ENDS
        found = (x - LOW) & ~x & HIGH
        if found != 0:
            return min(at + lowest(found), end)
        at += 8
    return end


def same(buf: Any, a: Any, b: Any, size: Any) -> Any:
    """Whether so many bytes are equal at two places; of fewer than eight those in front, too."""
    i = 0
    while i < size - 8:
        if word(buf, a + i) != word(buf, b + i):
            return False
        i += 8
    return word(buf, a + size - 8) == word(buf, b + size - 8)


def _hex8(w: Any) -> Any:
    """The number of eight hexadecimal digits, the first of which may be NUL; whether they are such is checked elsewhere."""
    v = (w & _NIBBLES) + (w >> _6 & LOW) * _NINE
    v = (v << _4 | v >> _8) & _PAIRS
    v = (v << _8 | v >> _16) & _FOURS
    return (v << _16 | v >> _32) & _EIGHT


def _are_hex(w: Any) -> Any:
    """Whether eight bytes are lower-case hexadecimal digits: made anew from their values they are the same."""
    v = (w & _NIBBLES) + (w >> _6 & LOW) * _NINE
    return v & ~_NIBBLES == 0 and v + _ZEROS + ((v + _SIXES) >> _4 & LOW) * _LETTERS == w


def hexadecimal(buf: Any, at: Any) -> tuple[Any, Any]:
    """(value, digits) of the lower-case hexadecimal number there, up to the first byte below '0'; digits 0 where there is
    none or where it has more than 16."""
    w = word(buf, at)
    below = (w - _ZEROS) & ~w & HIGH
    n = lowest(below)
    if below != 0:
        w = shifted(w, n)
        return _hex8(w), n if _are_hex(w) else np.int64(0)
    high, good = _hex8(w), _are_hex(w)
    w = word(buf, at + 8)
    below = (w - _ZEROS) & ~w & HIGH
    n = lowest(below)
    if below != 0:
        w = shifted(w, n)
    else:
        n = np.int64(8)
        good &= word(buf, at + 16) & np.uint64(0xFF) < np.uint64(48)
    return high << np.uint64(4 * n) | _hex8(w), n + 8 if good and _are_hex(w) else np.int64(0)


def shifted(w: Any, n: Any) -> Any:
    """The first ``n`` (not all) of eight characters moved to the end, zeros in front of them."""
    if n == 0:
        return _ZEROS
    return w << np.uint64(64 - 8 * n) | _ZEROS >> np.uint64(8 * n)


def decimal(buf: Any, at: Any) -> tuple[Any, Any]:
    """(value, digits) of the decimal number there, up to the first byte that is no digit; digits 0 where there is none or
    where it has more than 15."""
    d = word(buf, at) ^ _ZEROS
    other = ((d + _NO_DIGIT) | d) & HIGH
    if other != 0:
        n = lowest(other)
        return _dec8(d, n), n
    high = _dec8(d, 8)
    d = word(buf, at + 8) ^ _ZEROS
    other = ((d + _NO_DIGIT) | d) & HIGH
    n = lowest(other)
    return high * _POWERS[n] + _dec8(d, n), n + 8 if other != 0 else np.int64(0)


def _dec8(d: Any, n: Any) -> Any:
    """The number of ``n`` decimal digits, each a byte of ``d``."""
    if n == 0:
        return np.uint64(0)
    d = d << np.uint64(64 - 8 * n)
    d = (d * _TEN + (d >> _8)) & _PAIRS
    d = (d * _100 + (d >> _16)) & _FOURS
    return (d * _10000 + (d >> _32)) & _EIGHT


STEPS = (lowest, line_end_from, same, _hex8, _are_hex, hexadecimal, shifted, decimal, _dec8)
"""All of them, as kernels.compiled() wants them."""
