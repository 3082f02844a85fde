"""Unpacking as a kernel: the same values as those of .encoding.unpack, and the same pieces refused.

Numbers are unsigned ones of 64 bits, whose arithmetic wraps. What is read of a piece is checked against its length first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.kernel_steps import pointer, put2, put4, word, word2, word4

HEADER = 16
TABLE = 256
"""Different values of a piece of codes at most."""
_SAME, _FEW, _NEAR, _MIXED = range(4)
_CLASSES = 27
"""Bytes of the heads of the three classes of a mixed piece."""
_0, _12, _32 = (np.uint64(n) for n in (0, 12, 32))


def spread(data: Any, at: Any, count: Any, width: Any, scale: Any, base: Any, wide: Any, first: Any) -> None:
    """Put numbers that stand in planes of ``width`` bytes into ``wide``: multiplied, and with the base added."""
    if width == 8:
        for i in range(count):
            wide[first + i] = word(data, at + 8 * i) * scale + base
        return
    shift = _0
    if width & 4:
        for i in range(count):
            wide[first + i] = word4(data, at + 4 * i)
        at += 4 * count
        shift = _32
    if width & 2:
        if shift == _0:
            for i in range(count):
                wide[first + i] = word2(data, at + 2 * i)
        else:
            for i in range(count):
                wide[first + i] |= word2(data, at + 2 * i) << _32
        at += 2 * count
        shift += np.uint64(16)
    if width & 1:
        if shift == _0:
            for i in range(count):
                wide[first + i] = np.uint64(data[at + i])
        else:
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
    down, mask, top = 0, (1 << bits) - 1, 0
    while 1 << down < each:
        down += 1
    for i in range(count):
        code = int(data[codes + (i >> down)]) >> (i & each - 1) * bits & mask
        top = max(top, code)
        wide[first + i] = table[code]
    for i in range(count, (end - codes) * each):
        top = max(top, int(data[codes + (i >> down)]) >> (i & each - 1) * bits & mask)
    return top <= last


def sorted_out(data: Any, at: Any, end: Any, count: Any, wide: Any, first: Any, apart: Any) -> Any:
    """Put the numbers of a mixed piece into ``wide``; whether that can be."""
    tags = at + _CLASSES
    behind = tags + (count + 3) // 4
    if end < behind:
        return False
    pages: Any = 0
    small: Any = 0
    other: Any = 0
    for i in range(count):
        kind = int(data[tags + (i >> 2)]) >> (i & 3) * 2 & 3
        pages += kind == 1
        small += kind == 2
        other += kind == 3
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
    pages, small, other = 1, 1 + pages, 1 + pages + small  # where the next one of each kind stands
    for i in range(count):
        kind = int(data[tags + (i >> 2)]) >> (i & 3) * 2 & 3
        is1, is2, is3 = np.int64(kind == 1), np.int64(kind == 2), np.int64(kind == 3)
        wide[first + i] = apart[is1 * pages + is2 * small + is3 * other]
        pages, small, other = pages + is1, small + is2, other + is3
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


def _pieces(data: Any, sizes: Any, pieces: Any, count: Any, size: Any, wide: Any, table: Any, apart: Any, out: Any) -> Any:
    """See unpack."""
    at = 0
    for k in range(pieces):
        first = k * count if size == 8 else 0
        if not piece(data, at, at + sizes[k], count, wide, first, table, apart):
            return False
        if size < 8:
            narrowed(wide, count, size, out, k * count * max(size, 1))
        at += sizes[k]
    return True


def unpack(data: Any, sizes: Any, pieces: Any, count: Any, size: Any, wide: Any, table: Any, apart: Any, out: Any) -> Any:
    """Take the numbers out of so many pieces of ``count`` each, which stand one behind the other; returns whether they are such.

    sizes  bytes of each
    size   bytes of a number in ``out``, 0 for flags; of eight they are in ``wide`` alone
    wide   room for ``count`` uint64, or for all of them where they have eight bytes
    apart  room for ``count`` uint64 and one
    table  room for TABLE uint64
    out    takes the numbers
    """
    return _pieces(
        pointer(data), pointer(sizes), pieces, count, size, pointer(wide), pointer(table), pointer(apart), pointer(out)
    )


STEPS = (spread, coded, sorted_out, narrowed, piece, _pieces)
