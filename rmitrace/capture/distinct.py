"""The different values of a long column that has few of them, without sorting it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_BITS = 16
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, odd: multiplication by it spreads neighbours over the top bits."""

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


def distinct(values: U64) -> tuple[U64, I64]:
    """The different values in ascending order, and for each value which of them it is."""
    if not len(values):
        return values, np.zeros(0, dtype=np.int64)
    slot = (values * _SPREAD >> np.uint64(64 - _BITS)).astype(np.int64)
    held = np.zeros(1 << _BITS, dtype=np.uint64)
    held[slot] = values
    if (held[slot] != values).any():  # two in one slot
        several, which = np.unique(values, return_inverse=True)
        return several, which
    taken = np.zeros(1 << _BITS, dtype=bool)
    taken[slot] = True
    used = np.flatnonzero(taken)
    used = used[np.argsort(held[used])]
    number = np.zeros(1 << _BITS, dtype=np.int64)
    number[used] = np.arange(len(used))
    return held[used], number[slot]
