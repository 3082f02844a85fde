"""The different ones of some numbers, found by a kernel in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio: multiplication by it spreads neighbours over the top bits."""
TRIES = 8
"""Places that are looked at for a number, on average at most: numbers can be chosen so that they share one."""


def number(values: Any, kinds: Any, count: Any, bits: Any, table: Any, first: Any, which: Any) -> Any:
    """Number the different pairs of ``values`` (uint64) and ``kinds`` (int8) as they come; how many there are, -1 where that
    takes too long.

    table  room for 2^bits numbers, twice as many as values at least; it is -1 everywhere, before and after
    first  takes where each pair stands first; room for ``count``
    which  takes the number of the pair at each place
    """
    shift, mask = np.uint64(64 - bits), (1 << bits) - 1
    found, tries, done = 0, TRIES * count, True
    for i in range(count):
        value, kind = values[i], kinds[i]
        at = np.int64((value + np.uint64(kind)) * _SPREAD >> shift)
        while table[at] >= 0 and (values[first[table[at]]] != value or kinds[first[table[at]]] != kind):
            at = (at + 1) & mask
            tries -= 1
            if tries < 0:
                done = False
                break
        if not done:
            break
        if table[at] < 0:
            table[at], first[found] = found, i
            found += 1
        which[i] = table[at]
    for i in range(mask + 1):
        table[i] = -1
    return found if done else -1


STEPS = ()
