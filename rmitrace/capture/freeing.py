"""Memory that is not used any longer, given back to the system; and whether there is enough for what comes."""

from __future__ import annotations

import ctypes
import gc
import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def keeping_all() -> Iterator[None]:
    """Do not look for garbage meanwhile: of work whose results stay, where looking again and again takes a tenth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def give_back() -> None:
    """Give the memory that was needed to work something out back to the system, where the C library can."""
    gc.collect()  # what follows objects refers to itself
    trim()


def trim() -> None:
    """The same of what is free without looking for it."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def need(size: int, what: str) -> None:
    """Raise MemoryError where ``size`` bytes are not left: to the process (RLIMIT_DATA, RLIMIT_AS) or in the machine.

    To be asked before code that ends the process where memory cannot be had, or that would have the system end it.
    """
    free = _available()
    try:
        if free is not None and size > free:
            raise OSError
        mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, OverflowError, ValueError):
        raise MemoryError(f"{what} may need {size >> 20:,} MiB, and they are not left") from None


def _available() -> int | None:
    """Bytes that the machine has left (proc(5), MemAvailable); None where that is not known."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), None)
    except (OSError, ValueError, IndexError):
        return None
