"""The different values of a long column without sorting it: of one that has few of them, or by compiled code; and which values
are among others."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from ..formats.kernel_code import Kernel
from . import distinct_kernel
from .encoding_fast import Repaid

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


def are_among(values: Any, ascending: Any) -> npt.NDArray[np.bool_]:
    """Which of some values are among others that are in order."""
    if not len(ascending):
        return np.zeros(len(values), dtype=bool)
    found: npt.NDArray[np.bool_] = ascending[np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)] == values
    return found


_REPAID = Repaid(distinct_kernel.number, distinct_kernel.STEPS, waits=False)
_ROOM = threading.local()


def numbered(values: U64, kinds: npt.NDArray[np.int8]) -> tuple[I64, Any]:
    """Where each different pair of two columns stands first, and for each pair which of them it is."""
    kernel = _REPAID.kernel(len(values))
    found = None if kernel is None else by(kernel, values, kinds)
    return _sorted(values, kinds) if found is None else found


def by(kernel: Kernel, values: U64, kinds: npt.NDArray[np.int8]) -> tuple[I64, Any] | None:
    """The same by a form of distinct_kernel.number; None where the values are too much alike for it."""
    count = len(values)
    bits = max(2 * count - 1, 1).bit_length()
    room = _ROOM
    if getattr(room, "bits", -1) != bits:
        room.bits, room.table = bits, np.full(1 << bits, -1, dtype=np.int32)
    first, which = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int32)
    found = kernel(values, kinds, count, bits, room.table, first, which)
    return None if found < 0 else (first[:found].copy(), which)


def _sorted(values: U64, kinds: npt.NDArray[np.int8]) -> tuple[I64, Any]:
    order = np.lexsort((kinds, values))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (values[order[1:]] != values[order[:-1]]) | (kinds[order[1:]] != kinds[order[:-1]])
    which = np.empty(len(order), dtype=np.int64)
    which[order] = np.cumsum(new) - 1
    return order[new], which


def prepare(count: int) -> None:
    """Have compiled code made where it will be repaid by so many values: in a process that nobody waits for."""
    if (kernel := _REPAID.compiled(count)) is not None:
        by(kernel, np.zeros(1, dtype=np.uint64), np.zeros(1, dtype=np.int8))
