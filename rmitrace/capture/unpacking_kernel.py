"""Unpacking as a kernel: the same numbers as those of .encoding out of one piece of codes or of mixed registers. The other
forms are as fast without.

Nothing is read outside of the piece whatever it holds: the sizes that its header gives are compared with its bytes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.kernel_steps import pointer, word, word2, word4

FEW, MIXED = 1, 3
HEADER = 16
_CLASSES = 27
"""Bytes of the heads of the three classes of a mixed piece."""
_0, _12 = np.uint64(0), np.uint64(12)


def spread(data: Any, at: Any, count: Any, width: Any, base: Any, out: Any, begin: Any) -> None:
    """Put numbers that stand in their planes into ``out`` from ``begin`` on, plus ``base``."""
    shift = _0
    if width == 8:
        for i in range(count):
            out[begin + i] = word(data, at + 8 * i)
    elif width & 4:
        for i in range(count):
            out[begin + i] = word4(data, at + 4 * i)
        at += 4 * count
        shift = np.uint64(32)
    else:
        for i in range(count):
            out[begin + i] = _0
    if width & 2:
        for i in range(count):
            out[begin + i] |= word2(data, at + 2 * i) << shift
        at += 2 * count
        shift += np.uint64(16)
    if width & 1:
        for i in range(count):
            out[begin + i] |= np.uint64(data[at + i]) << shift
    for i in range(count):
        out[begin + i] += base


def coded(data: Any, size: Any, bits: Any, last: Any, count: Any, base: Any, out: Any) -> Any:
    """The numbers of a piece of codes; whether it is one."""
    codes = HEADER + 2 * (last + 1)
    if (bits != 1 and bits != 2 and bits != 4 and bits != 8) or size != codes + (count * bits + 7) // 8:
        return False
    each, mask, i = 8 // bits, (1 << bits) - 1, 0
    for at in range(codes, size):
        value = np.int64(data[at])
        for _ in range(each):
            code = value & mask
            if code > last:
                return False
            if i < count:
                out[i] = base + word2(data, HEADER + 2 * code)
            value >>= bits
            i += 1
    return True


def ones(flags: Any) -> Any:
    """How many of the bits 0, 2, 4 and 6 are set, of no others."""
    pairs = (flags & 0x11) + (flags >> 2 & 0x11)
    return (pairs & 15) + (pairs >> 4)


def mixed(data: Any, size: Any, count: Any, apart: Any, out: Any) -> Any:
    """The numbers of a mixed piece; whether it is one."""
    tags = HEADER + _CLASSES
    at = tags + (count + 3) // 4
    if size < at:
        return False
    one: Any = 0
    two: Any = 0
    three: Any = 0
    for i in range(tags, at):
        low, high = np.int64(data[i]) & 0x55, np.int64(data[i]) >> 1 & 0x55
        both = low & high
        one += ones(low ^ both)
        two += ones(high ^ both)
        three += ones(both)
    for k in range(count, 4 * (at - tags)):  # what the last byte has too much
        over = np.int64(data[at - 1]) >> 2 * (k & 3) & 3
        one, two, three = one - (over == 1), two - (over == 2), three - (over == 3)
    whole = at
    for kind in range(3):
        width, many = np.int64(data[HEADER + 9 * kind]), one if kind == 0 else two if kind == 1 else three
        if width < 1 or width > 8:
            return False
        whole += many * width
    if whole != size:
        return False
    apart[0] = _0  # what all zeros are taken from
    first = 1
    for kind in range(3):
        width, many = np.int64(data[HEADER + 9 * kind]), one if kind == 0 else two if kind == 1 else three
        spread(data, at, many, width, word(data, HEADER + 9 * kind + 1), apart, first)
        if kind == 0:
            for i in range(first, first + many):
                apart[i] <<= _12
        at += many * width
        first += many
    one, two, three = 1, 1 + one, 1 + one + two
    for i in range(0, count, 4):
        four = np.int64(data[tags + i // 4])
        for k in range(min(4, count - i)):
            tag = four & 3
            four >>= 2
            is1, is2, is3 = np.int64(tag == 1), np.int64(tag == 2), np.int64(tag == 3)
            out[i + k] = apart[is1 * one + is2 * two + is3 * three]
            one, two, three = one + is1, two + is2, three + is3
    return True


def _piece(data: Any, size: Any, count: Any, apart: Any, out: Any) -> Any:
    """See unpack."""
    if size < HEADER or word4(data, 4) != np.uint64(count):
        return False
    form, bits, extra, base = data[0], np.int64(data[1]), np.int64(word2(data, 2)), word(data, 8)
    if form == FEW:
        return extra < 256 and coded(data, size, bits, extra, count, base, out)
    return form == MIXED and mixed(data, size, count, apart, out)


def unpack(data: Any, count: Any, apart: Any, out: Any) -> Any:
    """Put the integers of a piece, all of ``data``, into ``out``; False where it is no piece of ``count`` of them in
    one of the two forms.

    apart   room for one uint64 more
    """
    return _piece(pointer(data), len(data), count, pointer(apart), pointer(out))


STEPS = (spread, coded, ones, mixed, _piece)
