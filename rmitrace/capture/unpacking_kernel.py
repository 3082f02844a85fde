"""Unpacking as a kernel: the same values as those of .encoding.unpack, and the same pieces refused.

Numbers are unsigned ones of 64 bits, whose arithmetic wraps. What is read of a piece is checked against its length first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.kernel_steps import ones, put2, put4, word, word2, word4

HEADER = 16
TABLE = 256
"""Different values of a piece of codes at most."""
_SAME, _FEW, _NEAR, _MIXED = range(4)
_CLASSES = 27
"""Bytes of the heads of the three classes of a mixed piece."""
_LOW = np.uint64(0x5555555555555555)
_0, _1, _12, _32 = (np.uint64(n) for n in (0, 1, 12, 32))


def spread(data: Any, at: Any, count: Any, width: Any, scale: Any, base: Any, wide: Any, first: Any) -> None:
    """Put numbers that stand in planes of ``width`` bytes into ``wide``: multiplied, and with the base added."""
    if width == 8:
        for i in range(count):
            wide[first + i] = word(data, at + 8 * i) * scale + base
        return
    if width == 4:
        for i in range(count):
            wide[first + i] = word4(data, at + 4 * i) * scale + base
        return
    if width < 4:
        low = at + 2 * count
        if width == 1:
            for i in range(count):
                wide[first + i] = np.uint64(data[at + i]) * scale + base
        elif width == 2:
            for i in range(count):
                wide[first + i] = word2(data, at + 2 * i) * scale + base
        else:
            for i in range(count):
                wide[first + i] = (word2(data, at + 2 * i) | np.uint64(data[low + i]) << np.uint64(16)) * scale + base
        return
    for i in range(count):
        wide[first + i] = word4(data, at + 4 * i)
    at += 4 * count
    shift = _32
    if width & 2:
        for i in range(count):
            wide[first + i] |= word2(data, at + 2 * i) << _32
        at += 2 * count
        shift += np.uint64(16)
    if width & 1:
        for i in range(count):
            wide[first + i] |= np.uint64(data[at + i]) << shift
    for i in range(count):
        wide[first + i] = wide[first + i] * scale + base


def coded(data: Any, at: Any, end: Any, bits: Any, last: Any, count: Any, base: Any, wide: Any, first: Any, table: Any) -> Any:
    """Put numbers that stand as codes into ``wide``; whether that can be."""
    codes = at + 2 * (last + 1)
    each = 8 // bits
    if end != codes + (count + each - 1) // each:
        return False
    for i in range(TABLE):
        table[i] = _0
    for i in range(last + 1):
        table[i] = word2(data, at + 2 * i) + base
    whole = count // each
    if bits == 1:
        low, step = table[0], table[1] - table[0]
        for i in range(whole):
            flags = np.uint64(data[codes + i])
            for k in range(8):
                wide[first + 8 * i + k] = low + (flags >> np.uint64(k) & np.uint64(1)) * step
    elif bits == 2:
        for i in range(whole):
            byte = int(data[codes + i])
            for k in range(4):
                wide[first + 4 * i + k] = table[byte >> 2 * k & 3]
    elif bits == 4:
        for i in range(whole):
            byte = int(data[codes + i])
            wide[first + 2 * i], wide[first + 2 * i + 1] = table[byte & 15], table[byte >> 4]
    else:
        for i in range(count):
            wide[first + i] = table[data[codes + i]]
    mask = (1 << bits) - 1
    for i in range(whole * each, count):
        wide[first + i] = table[int(data[end - 1]) >> (i - whole * each) * bits & mask]
    return last == mask or are_below(data, codes, end, bits, last + 1)


def are_below(data: Any, at: Any, end: Any, bits: Any, limit: Any) -> Any:
    """Whether all codes of so many bits between two offsets are below a limit."""
    mask, top = (1 << bits) - 1, 0
    for i in range(at, end):
        byte = int(data[i])
        for k in range(8 // bits):
            top = max(top, byte >> k * bits & mask)
    return top < limit


def kinds_in(tags: Any) -> tuple[Any, Any, Any]:
    """How many pages, small and other values 32 tags are of."""
    low, high = tags & _LOW, tags >> _1 & _LOW
    both = low & high
    return ones(low ^ both), ones(high ^ both), ones(both)


def tags_at(data: Any, at: Any, end: Any) -> Any:
    """Eight bytes of tags; those behind the end are zero."""
    if at + 8 <= end:
        return word(data, at)
    tags = _0
    for i in range(at, end):
        tags |= np.uint64(data[i]) << np.uint64(8 * (i - at))
    return tags


def kinds_of(data: Any, tags: Any, behind: Any, count: Any) -> tuple[Any, Any, Any]:
    """How many of so many values of a mixed piece are pages, small and others, by the tags between two offsets."""
    pages: Any = np.int64(0)
    small: Any = np.int64(0)
    other: Any = np.int64(0)
    i = tags
    while i < behind:
        w = word(data, i) if i + 8 <= behind else tags_at(data, i, behind)
        if i + 8 >= behind and count % 4:  # what stands behind the last value counts for nothing
            w &= (np.uint64(1) << np.uint64(8 * (behind - 1 - i) + 2 * (count % 4))) - np.uint64(1)
        a, b, c = kinds_in(w)
        pages, small, other = pages + a, small + b, other + c
        i += 8
    return pages, small, other


def sorted_out(data: Any, at: Any, end: Any, count: Any, wide: Any, first: Any, apart: Any) -> Any:
    """Put the numbers of a mixed piece into ``wide``; whether that can be."""
    tags = at + _CLASSES
    behind = behind_tags = tags + (count + 3) // 4
    if end < behind:
        return False
    pages, small, other = kinds_of(data, tags, behind, count)
    apart[0] = _0  # what all zeros are taken from
    place = 1
    for kind in range(1, 4):
        many = pages if kind == 1 else small if kind == 2 else other
        head = at + 9 * (kind - 1)
        width = int(data[head])
        if not 1 <= width <= 8 or end < behind + many * width:
            return False
        spread(data, behind, many, width, np.uint64(1), word(data, head + 1), apart, place)
        behind += many * width
        place += many
    if end != behind:
        return False
    for i in range(pages):
        apart[1 + i] <<= _12
    pages, small, other = np.int64(1), 1 + pages, 1 + pages + small  # where the next one of each kind stands
    for j in range(count // 4):
        byte = int(data[tags + j])
        at = first + 4 * j
        if byte == 0:
            wide[at], wide[at + 1], wide[at + 2], wide[at + 3] = _0, _0, _0, _0
            continue
        for k in range(4):
            kind = byte >> 2 * k & 3
            wide[at + k] = apart[pages if kind == 1 else small if kind == 2 else other if kind == 3 else 0]
            pages, small, other = pages + np.int64(kind == 1), small + np.int64(kind == 2), other + np.int64(kind == 3)
    for i in range(count // 4 * 4, count):
        kind = int(data[behind_tags - 1]) >> (i & 3) * 2 & 3
        wide[first + i] = apart[pages if kind == 1 else small if kind == 2 else other if kind == 3 else 0]
        pages, small, other = pages + np.int64(kind == 1), small + np.int64(kind == 2), other + np.int64(kind == 3)
    return True


def narrowed(wide: Any, count: Any, size: Any, out: Any, at: Any) -> None:
    """Put the low bytes of the numbers into ``out`` from offset ``at`` on; of size 0: whether they are other than zero, a byte
    each."""
    if size == 4:
        for i in range(count):
            put4(out, at + 4 * i, wide[i])
    elif size == 2:
        for i in range(count):
            put2(out, at + 2 * i, wide[i])
    elif size == 1:
        for i in range(count):
            out[at + i] = wide[i] & np.uint64(255)
    else:
        for i in range(count):
            out[at + i] = wide[i] != _0


def piece(data: Any, at: Any, end: Any, count: Any, wide: Any, first: Any, table: Any, apart: Any) -> Any:
    """Put the numbers of the piece between two offsets into ``wide``, from place ``first`` on; whether it is one."""
    if end - at < HEADER or word4(data, at + 4) != np.uint64(count):
        return False
    form, bits, extra = int(data[at]), int(data[at + 1]), np.int64(word2(data, at + 2))
    base = word(data, at + 8)
    at += HEADER
    if form == _SAME:
        for i in range(count):
            wide[first + i] = base
        return True
    if form == _FEW:
        if bits not in (1, 2, 4, 8) or extra >= TABLE:
            return False
        return coded(data, at, end, bits, extra, count, base, wide, first, table)
    if form == _NEAR:
        if not 1 <= bits <= 8 or extra == 0 or end - at != count * bits:
            return False
        spread(data, at, count, bits, np.uint64(extra), base, wide, first)
        return True
    return form == _MIXED and sorted_out(data, at, end, count, wide, first, apart)


def unpack(data: Any, sizes: Any, pieces: Any, count: Any, size: Any, wide: Any, table: Any, apart: Any, out: Any) -> Any:
    """Take the numbers out of so many pieces of ``count`` each, which stand one behind the other; returns whether they are such.

    sizes  bytes of each
    size   bytes of a number in ``out``, 0 for flags; of eight they are in ``wide`` alone
    wide   room for ``count`` uint64, or for all of them where they have eight bytes
    apart  room for ``count`` uint64 and one
    table  room for TABLE uint64
    out    takes the numbers
    """
    at = 0
    for k in range(pieces):
        first = k * count if size == 8 else 0
        if not piece(data, at, at + sizes[k], count, wide, first, table, apart):
            return False
        if size < 8:
            narrowed(wide, count, size, out, k * count * max(size, 1))
        at += sizes[k]
    return True


STEPS = (kinds_in, tags_at, kinds_of, spread, coded, are_below, sorted_out, narrowed, piece)
KINDS = "*B *l q q q *L *L *L *B"
"""What it is called with, see kernel_code."""
