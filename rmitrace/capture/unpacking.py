"""Pieces unpacked, by compiled code where that is repaid: see .encoding for what they are."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..formats import kernels
from . import unpacking_kernel
from .encoding import FEW, MIXED, unpack

_BY_KERNEL = (bytes([FEW]), bytes([MIXED]))
"""How pieces begin that the kernel knows."""
_BYTES = 2
"""Bytes of a source for each value that is unpacked, as far as kernels go."""


class _Room(threading.local):
    """What the kernel works in, of every thread its own."""

    def __init__(self, length: int) -> None:
        self.apart = np.empty(length + 1, dtype=np.uint64)


class Unpacker:
    """Unpacks pieces of ``length`` values; by any thread."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._seen = 0
        self._ask_from = kernels.LOAD_FROM
        self._kernel: Any = None
        self._room = _Room(length)

    def piece(self, data: bytes) -> npt.NDArray[np.int64]:
        """The integers of a piece. Raises ValueError where it is none, or has another length."""
        kernel = self._compiled() if data[:1] in _BY_KERNEL else None
        if kernel is not None:
            out = np.empty(self.length, dtype=np.int64)
            if kernel(np.frombuffer(data, dtype=np.uint8), self.length, self._room.apart, out.view(np.uint64)):
                return out
        values = unpack(data)  # which says what is wrong with it
        if len(values) != self.length:
            raise ValueError("a piece of another length")
        return values

    def _compiled(self) -> Any:
        """The kernel where it is repaid by all that was unpacked; else None."""
        self._seen += self.length
        if self._kernel is None and self._seen * _BYTES >= self._ask_from:
            self._ask_from = 2 * self._seen * _BYTES
            if kernels.repaid(self._seen * _BYTES, unpacking_kernel.unpack, unpacking_kernel.STEPS):
                self._kernel = kernels.compiled(unpacking_kernel.unpack, unpacking_kernel.STEPS)
        return self._kernel


@cache
def unpacker(length: int) -> Unpacker:
    """The unpacker of pieces of so many values."""
    return Unpacker(length)
