"""Packing as a kernel: the same bytes as those of .encoding, many pieces in one call.

Numbers are unsigned ones of 64 bits, whose arithmetic wraps. The loops are plain, so that the compiler does several numbers
at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.kernel_steps import put2, put4, put8, word, word2, word4

FEW, NEAR, MIXED = 1, 2, 3
HEADER = 16
ROOM = 1 << 10
"""Bytes that a piece may have besides those of its numbers."""
TABLE = 1 << 16
"""Numbers that may be distances from the base of a piece of codes."""
_ALL_FEW = 256
_CLASSES = 27
"""Bytes of the heads of the three classes of a mixed piece."""
_MIXED_FROM = np.uint64(1 << 24)
_SPAN, _US, _BYTE, _LOW = (np.uint64(n) for n in (1 << 16, 1000, 255, 4095))
_TOP = np.uint64(1 << 63)
_SIGN1, _SIGN2, _SIGN4 = (np.uint64(1 << n) for n in (7, 15, 31))
_0, _12 = np.uint64(0), np.uint64(12)


def load(data: Any, at: Any, stride: Any, size: Any, negative: Any, count: Any, wide: Any, to: Any) -> None:
    """Put integers of so many bytes, one every ``stride`` bytes, into ``wide`` from ``to`` on; ``negative``: they have a sign."""
    if size == 8:
        for i in range(count):
            wide[to + i] = word(data, at + i * stride)
    elif size == 4:
        sign = _SIGN4 if negative else _0
        for i in range(count):
            wide[to + i] = (word4(data, at + i * stride) ^ sign) - sign
    elif size == 2:
        sign = _SIGN2 if negative else _0
        for i in range(count):
            wide[to + i] = (word2(data, at + i * stride) ^ sign) - sign
    else:
        sign = _SIGN1 if negative else _0
        for i in range(count):
            wide[to + i] = (np.uint64(data[at + i * stride]) ^ sign) - sign


def width_of(span: Any) -> Any:
    """Bytes that a distance needs."""
    width = 1
    while width < 8 and span >> np.uint64(8 * width) != _0:
        width += 1
    return width


def head(out: Any, at: Any, form: Any, size: Any, extra: Any, count: Any, base: Any) -> Any:
    """Write a header; returns the offset behind it."""
    out[at], out[at + 1] = form, size
    put2(out, at + 2, np.uint64(extra))
    put4(out, at + 4, np.uint64(count))
    put8(out, at + 8, base)
    return at + HEADER


def planes(out: Any, at: Any, wide: Any, begin: Any, count: Any, width: Any) -> Any:
    """Write the low bytes of the numbers from ``begin`` on in their planes; returns the offset behind them."""
    if width == 8:
        for i in range(count):
            put8(out, at + 8 * i, wide[begin + i])
        return at + 8 * count
    shift = _0
    if width & 4:
        for i in range(count):
            put4(out, at + 4 * i, wide[begin + i])
        at += 4 * count
        shift += np.uint64(32)
    if width & 2:
        for i in range(count):
            put2(out, at + 2 * i, wide[begin + i] >> shift)
        at += 2 * count
        shift += np.uint64(16)
    if width & 1:
        for i in range(count):
            out[at + i] = wide[begin + i] >> shift & _BYTE
        at += count
    return at


def few(wide: Any, count: Any, base: Any, span: Any, codes: Any, out: Any, at: Any) -> Any:
    """Write the numbers as codes; returns the offset behind them, -1 where there are too many different ones."""
    last = np.int64(span)
    for i in range(last + 1):
        codes[i] = 0
    for i in range(count):
        codes[np.int64(wide[i] - base)] = 1
    different = 0
    for i in range(last + 1):
        different += int(codes[i])
    if different > _ALL_FEW or (different > 16 and last < 256):
        return -1
    bits = 1 if different <= 2 else 2 if different <= 4 else 4 if different <= 16 else 8
    at = head(out, at, FEW, bits, different - 1, count, base)
    code = 0
    for i in range(last + 1):
        if codes[i]:
            codes[i] = code
            put2(out, at, np.uint64(i))
            at += 2
            code += 1
    if bits == 8:
        for i in range(count):
            out[at + i] = codes[np.int64(wide[i] - base)]
        return at + count
    each, i = 8 // bits, 0
    while i < count:
        value = 0
        for k in range(min(each, count - i)):
            value |= int(codes[np.int64(wide[i + k] - base)]) << k * bits
        out[at] = value
        at += 1
        i += each
    return at


def classes(wide: Any, count: Any, tags: Any, many: Any, some: Any, apart: Any) -> Any:
    """Put the numbers of each class together; returns how many bytes they take as a mixed piece.

    tags   takes the class of each number, two bits each: 0 zero, 1 a page, 2 small, 3 anything else
    many   takes how many there are of each class
    some   takes the base of each class, and behind four the distance of its greatest number
    apart  takes the numbers of the classes 1, 2, 3, each behind ``count`` numbers more; pages by their number
    """
    for kind in range(8):
        many[kind] = 0
        some[kind] = _0
    pages: Any = np.int64(0)
    small: Any = np.int64(count)
    other: Any = np.int64(2 * count)
    i = 0
    while i + 4 <= count:
        if wide[i] | wide[i + 1] | wide[i + 2] | wide[i + 3] == _0:
            tags[i >> 2] = 0
            i += 4
            continue
        tag = np.int64(0)
        for k in range(4):  # it is written where the next one of each class goes, and stays in one of them
            v = wide[i + k]
            page, low = np.int64((v & _LOW) == _0), np.int64(v <= _LOW)
            apart[pages], apart[small], apart[other] = v >> _12, v, v
            tag |= (3 - 2 * page - low) << 2 * k
            pages, small, other = pages + (page & ~low), small + (low & ~page), other + 1 - (page | low)
        tags[i >> 2] = tag
        i += 4
    if i < count:
        tag = np.int64(0)
        for k in range(count - i):
            v = wide[i + k]
            page, low = np.int64((v & _LOW) == _0), np.int64(v <= _LOW)
            apart[pages], apart[small], apart[other] = v >> _12, v, v
            tag |= (3 - 2 * page - low) << 2 * k
            pages, small, other = pages + (page & ~low), small + (low & ~page), other + 1 - (page | low)
        tags[i >> 2] = tag
    many[1], many[2], many[3] = pages, small - count, other - 2 * count
    size = HEADER + _CLASSES + (count + 3) // 4
    for kind in range(1, 4):
        if many[kind]:
            first = (kind - 1) * count
            least = top = apart[first] ^ _TOP  # in the order of signed numbers
            for i in range(first, first + many[kind]):
                v = apart[i] ^ _TOP
                least, top = min(least, v), max(top, v)
            some[kind], some[4 + kind] = least ^ _TOP, top - least
        size += many[kind] * width_of(some[4 + kind])
    return size


def mixed(count: Any, tags: Any, many: Any, some: Any, apart: Any, out: Any, at: Any) -> Any:
    """Write what classes() found; returns the offset behind it."""
    at = head(out, at, MIXED, 0, 0, count, _0)
    for kind in range(1, 4):
        out[at] = width_of(some[4 + kind])
        put8(out, at + 1, some[kind])
        at += 9
    for i in range((count + 3) // 4):
        out[at + i] = tags[i]
    at += (count + 3) // 4
    for kind in range(1, 4):
        first = (kind - 1) * count
        for i in range(first, first + many[kind]):
            apart[i] -= some[kind]
        at = planes(out, at, apart, first, many[kind], width_of(some[4 + kind]))
    return at


def piece(wide: Any, count: Any, register: Any, kinds: Any, many: Any, some: Any, apart: Any, out: Any, at: Any) -> Any:
    """Write one piece of numbers that are not all the same; returns the offset behind it. ``wide`` is changed."""
    least = top = wide[0] ^ _TOP  # in the order of signed numbers
    for i in range(count):
        v = wide[i] ^ _TOP
        least, top = min(least, v), max(top, v)
    base, span = least ^ _TOP, top - least
    if span == _0:
        return head(out, at, 0, 0, 0, count, base)
    if span < _SPAN:
        end = few(wide, count, base, span, kinds, out, at)
        if end >= 0:
            return end
    if register and span >= _MIXED_FROM and classes(wide, count, kinds, many, some, apart) < count * width_of(span):
        return mixed(count, kinds, many, some, apart, out, at)
    for i in range(count):
        wide[i] -= base
    if span >= _SPAN and in_us(wide, count, apart):
        width = width_of(span // _US)
        return planes(out, head(out, at, NEAR, width, 1000, count, base), apart, 0, count, width)
    width = width_of(span)
    return planes(out, head(out, at, NEAR, width, 1, count, base), wide, 0, count, width)


def in_us(wide: Any, count: Any, apart: Any) -> Any:
    """Put the numbers divided by _US into ``apart``; whether that leaves no rest."""
    for i in range(min(count, 32)):
        if wide[i] % _US != _0:
            return False
    rest = _0
    for i in range(count):
        v = wide[i] // _US
        rest |= v * _US ^ wide[i]
        apart[i] = v
    return rest == _0


def pack(
    data: Any, stride: Any, size: Any, negative: Any, register: Any, pieces: Any, step: Any, count: Any, wide: Any, kinds: Any,
    many: Any, some: Any, apart: Any, out: Any, sizes: Any,
) -> Any:  # fmt: skip
    """Write so many pieces of ``count`` integers, which stand in ``data``: of ``size`` bytes each, one every ``stride`` bytes,
    those of a piece ``step`` bytes behind those of the one before. Returns how many bytes the pieces are.

    negative     they have a sign
    register     they are uint64
    wide, apart  room for ``count`` uint64, and for three times as many
    kinds        room for TABLE bytes, and for ``count``
    many, some   room for 8 int64, and for 8 uint64
    out          room for ROOM bytes and 8 a number for every piece
    sizes        takes the bytes of each piece
    """
    end = 0
    for k in range(pieces):
        load(data, k * step, stride, size, negative, count, wide, 0)
        begin = end
        end = piece(wide, count, register, kinds, many, some, apart, out, begin)
        sizes[k] = end - begin
    return end


PIECE = (width_of, head, planes, few, classes, mixed, in_us, piece)
STEPS = (load, *PIECE)
KINDS = "*B q q q q q q q *L *B *l *L *L *B *l"
"""What it is called with, see kernel_code."""
