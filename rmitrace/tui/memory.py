"""The memory of the processes of the viewer."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

from ..capture import freeing, pieces

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_LARGE = 1 << 20
"""Bytes of a block from which on it goes back to the system as soon as it is not needed: without being told the C library
changes that to up to 32 MB."""
_SPARE = 4 << 20
"""Bytes at the end of a heap that stay. Without being told it is 128 KB: each part of a column would then come page by page,
which takes several times as long as to unpack it."""
_IN_MEMORY = 16 << 20
"""Bytes of packed columns that are kept in memory together, before each has to do with its own share."""
_SELDOM = 20_000, 20, 50
"""Objects made between two looks for those that nothing refers to, which make a frame late: a key makes some thousand."""


def frugal() -> None:
    """Keep less of the columns in memory, and let threads share two heaps of the C library: each that works behind the screen
    would leave one of its own behind."""
    pieces.BUDGET = _IN_MEMORY
    gc.set_threshold(*_SELDOM)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
        ctypes.CDLL(None).mallopt(_M_TRIM_THRESHOLD, _SPARE)


def give_back() -> None:
    """Give the memory that was needed to work something out back to the system, where the C library can."""
    freeing.give_back()
    gc.freeze()  # what is left stays: looking through it now and then makes a frame late
