"""Packed pieces looked through without unpacking them, as a kernel: see .encoding for what they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.kernel_steps import word, word2, word4
from .unpacking_kernel import HEADER, TABLE, are_below, kinds_in, kinds_of, tags_at

FINE, CLOSER, NONE = range(3)
"""A piece whose numbers are all within the bounds; one that has to be unpacked to know; what is no piece."""
_SAME, _FEW, _NEAR, _MIXED = range(4)
_CLASSES = 27
_1 = np.uint64(1)


def greatest(data: Any, at: Any, count: Any, width: Any) -> Any:
    """What no distance is above of those that stand in planes of so many bytes; see .encoding."""
    top = np.uint64(0)
    if width == 8:
        for i in range(count):
            top = max(top, word(data, at + 8 * i))
        return top
    shift = np.uint64(0)
    if width >= 4:
        for i in range(count):
            top = max(top, word4(data, at + 4 * i))
        at += 4 * count
        shift = np.uint64(32)
    if width & 2:
        part = np.uint64(0)
        for i in range(count):
            part = max(part, word2(data, at + 2 * i))
        at += 2 * count
        top |= part << shift
        shift += np.uint64(16)
    if width & 1:
        part = np.uint64(0)
        for i in range(count):
            part = max(part, np.uint64(data[at + i]))
        top |= part << shift
    return top


def are_mixed(data: Any, at: Any, end: Any, count: Any) -> Any:
    """Whether a mixed piece is as long as its tags say."""
    tags = at + _CLASSES
    behind = tags + (count + 3) // 4
    if end < behind:
        return False
    pages, small, other = kinds_of(data, tags, behind, count)
    for kind in range(3):
        width = int(data[at + 9 * kind])
        if not 1 <= width <= 8:
            return False
        behind += width * (pages if kind == 0 else small if kind == 1 else other)
    return end == behind


def judged(data: Any, at: Any, end: Any, count: Any, low: Any, high: Any, bounded: Any) -> Any:
    """FINE, CLOSER or NONE: the piece between two offsets."""
    if end - at < HEADER or word4(data, at + 4) != np.uint64(count):
        return NONE
    form, bits, extra, base = int(data[at]), int(data[at + 1]), np.int64(word2(data, at + 2)), np.int64(word(data, at + 8))
    at += HEADER
    far, scale = np.uint64(0), _1
    if form == _FEW:
        codes = at + 2 * (extra + 1)
        if bits not in (1, 2, 4, 8) or extra >= TABLE or end != codes + (count * bits + 7) // 8:
            return NONE
        if extra + 1 < 1 << bits and not are_below(data, codes, end, bits, extra + 1):
            return NONE
        for i in range(extra + 1):
            far = max(far, word2(data, at + 2 * i))
    elif form == _NEAR:
        if not 1 <= bits <= 8 or extra == 0 or end - at != count * bits:
            return NONE
        if bounded:
            far, scale = greatest(data, at, count, bits), np.uint64(extra)
    elif form == _MIXED:
        if not are_mixed(data, at, end, count):
            return NONE
        return CLOSER if bounded else FINE
    elif form != _SAME:
        return NONE
    if not bounded:
        return FINE
    if base < low or base > high or far > np.uint64(high - base) // scale:
        return CLOSER
    return FINE


def check(data: Any, sizes: Any, pieces: Any, count: Any, low: Any, high: Any, bounded: Any, out: Any) -> None:
    """Say of so many pieces of ``count`` values, which stand one behind the other, whether they are such.

    sizes      bytes of each
    low, high  the least and the greatest number that may be, of numbers with a sign; ``bounded``: whether there are bounds
    out        takes FINE, CLOSER or NONE of each
    """
    at = 0
    for k in range(pieces):
        out[k] = judged(data, at, at + sizes[k], count, low, high, bounded)
        at += sizes[k]


STEPS = (kinds_in, tags_at, kinds_of, are_below, greatest, are_mixed, judged)
