"""Memory that is not used any longer, given back to the system."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress


def give_back() -> None:
    """Give the memory that was needed to work something out back to the system, where the C library can."""
    gc.collect()  # what follows objects refers to itself
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
