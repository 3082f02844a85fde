"""Packing as a kernel: the same bytes as those of .encoding, many pieces in one call.

Numbers are unsigned ones of 64 bits, whose arithmetic wraps. The loops are plain, so that the compiler does several numbers
at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.kernel_steps import pointer, put2, put4, put8, word, word2, word4

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


def load(data: Any, at: Any, stride: Any, size: Any, negative: Any, count: Any, wide: Any) -> None:
    """Put integers of so many bytes, one every ``stride`` bytes, into ``wide``; ``negative``: they have a sign."""
    if size == 8:
        for i in range(count):
            wide[i] = word(data, at + i * stride)
    elif size == 4:
        sign = _SIGN4 if negative else _0
        for i in range(count):
            wide[i] = (word4(data, at + i * stride) ^ sign) - sign
    elif size == 2:
        sign = _SIGN2 if negative else _0
        for i in range(count):
            wide[i] = (word2(data, at + i * stride) ^ sign) - sign
    else:
        sign = _SIGN1 if negative else _0
        for i in range(count):
            wide[i] = (np.uint64(data[at + i * stride]) ^ sign) - sign


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


def classes(wide: Any, count: Any, kinds: Any, many: Any, some: Any, apart: Any) -> Any:
    """Put the numbers of each class together; returns how many bytes they take as a mixed piece.

    kinds  takes the class of each number: 0 zero, 1 a page, 2 small, 3 anything else
    many   takes how many there are of each class
    some   takes the base of each class, and behind four the distance of its greatest number
    apart  takes the numbers of the classes 1, 2, 3, pages by their number
    """
    for kind in range(8):
        many[kind] = 0
        some[kind] = _0
    pages = small = other = 0
    for i in range(count):
        v = wide[i]
        page, low = (v & _LOW) == _0, v <= _LOW
        kinds[i] = 3 - 2 * page - low
        pages += page and not low
        small += low and not page
        other += not (low or page)
    many[1], many[2], many[3] = pages, small, other
    at1, at2, at3 = 0, pages, pages + small
    for i in range(count):  # a zero is written where the next other one goes: there is room, as none is left then
        kind = kinds[i]
        is1, is2 = kind == 1, kind == 2
        apart[at1 if is1 else at2 if is2 else at3] = wide[i] >> (_12 if is1 else _0)
        at1, at2, at3 = at1 + is1, at2 + is2, at3 + (kind == 3)
    size, first = HEADER + _CLASSES + (count + 3) // 4, 0
    for kind in range(1, 4):
        if many[kind]:
            least = top = apart[first] ^ _TOP  # in the order of signed numbers
            for i in range(first, first + many[kind]):
                v = apart[i] ^ _TOP
                least, top = min(least, v), max(top, v)
            some[kind], some[4 + kind] = least ^ _TOP, top - least
        size += many[kind] * width_of(some[4 + kind])
        first += many[kind]
    return size


def mixed(count: Any, kinds: Any, many: Any, some: Any, apart: Any, out: Any, at: Any) -> Any:
    """Write what classes() found; returns the offset behind it."""
    at = head(out, at, MIXED, 0, 0, count, _0)
    for kind in range(1, 4):
        out[at] = width_of(some[4 + kind])
        put8(out, at + 1, some[kind])
        at += 9
    i = 0
    while i + 4 <= count:
        out[at] = kinds[i] | kinds[i + 1] << 2 | kinds[i + 2] << 4 | kinds[i + 3] << 6
        at += 1
        i += 4
    if i < count:
        value = 0
        for k in range(count - i):
            value |= int(kinds[i + k]) << 2 * k
        out[at] = value
        at += 1
    first = 0
    for kind in range(1, 4):
        for i in range(first, first + many[kind]):
            apart[i] -= some[kind]
        at = planes(out, at, apart, first, many[kind], width_of(some[4 + kind]))
        first += many[kind]
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
    scale = 1
    if span >= _SPAN:
        scale = 1000
        for i in range(count):
            if wide[i] % _US != _0:
                scale = 1
                break
    if scale == 1000:
        span = span // _US
        for i in range(count):
            wide[i] = wide[i] // _US
    width = width_of(span)
    return planes(out, head(out, at, NEAR, width, scale, count, base), wide, 0, count, width)


def _pieces(
    data: Any, stride: Any, size: Any, negative: Any, register: Any, pieces: Any, step: Any, count: Any, wide: Any, kinds: Any,
    many: Any, some: Any, apart: Any, out: Any, sizes: Any,
) -> Any:  # fmt: skip
    """See pack."""
    end = 0
    for k in range(pieces):
        load(data, k * step, stride, size, negative, count, wide)
        begin = end
        end = piece(wide, count, register, kinds, many, some, apart, out, begin)
        sizes[k] = end - begin
    return end


def pack(
    data: Any, stride: Any, size: Any, negative: Any, register: Any, pieces: Any, step: Any, count: Any, wide: Any, kinds: Any,
    many: Any, some: Any, apart: Any, out: Any, sizes: Any,
) -> Any:  # fmt: skip
    """Write so many pieces of ``count`` integers, which stand in ``data``: of ``size`` bytes each, one every ``stride`` bytes,
    those of a piece ``step`` bytes behind those of the one before. Returns how many bytes the pieces are.

    negative     they have a sign
    register     they are uint64
    wide, apart  room for ``count`` uint64
    kinds        room for TABLE bytes, and for ``count``
    many, some   room for 8 int64, and for 8 uint64
    out          room for ROOM bytes and 8 a number for every piece
    sizes        takes the bytes of each piece
    """
    return _pieces(
        pointer(data), stride, size, negative, register, pieces, step, count, pointer(wide), pointer(kinds), pointer(many),
        pointer(some), pointer(apart), pointer(out), pointer(sizes),
    )  # fmt: skip


STEPS = (load, width_of, head, planes, few, classes, mixed, piece, _pieces)
