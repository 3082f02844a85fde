"""Arrays that are needed again later: the first ones stay in memory, the others stand in files without a name, mapped."""

from __future__ import annotations

import mmap
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from . import pieces

_SMALLEST = 1 << 16
"""Bytes of an array that is worth a mapping."""


class Shelf:
    """Takes arrays of one type each; what stands in a file is not to be written to."""

    def __init__(self) -> None:
        self._held = 0
        """Bytes that are in memory."""

    def put(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The same values, kept. Where there is no room for a file they stay in memory."""
        if values.nbytes < _SMALLEST or self._held + values.nbytes <= pieces.BUDGET // 4:
            self._held += values.nbytes
            return values
        try:
            with pieces.unnamed() as file:
                np.ascontiguousarray(values).tofile(file)
                mapped = mmap.mmap(file.fileno(), values.nbytes, access=mmap.ACCESS_READ)
        except OSError:
            return values
        return np.frombuffer(mapped, dtype=values.dtype).reshape(values.shape)

    def room(self, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array to be filled in, of zeros: in a file where it is worth that and there is room for one."""
        size = count * np.dtype(dtype).itemsize
        if size < _SMALLEST or self._held + size <= pieces.BUDGET // 4:
            self._held += size
            return np.zeros(count, dtype=dtype)
        try:
            with pieces.unnamed() as file:
                os.posix_fallocate(file.fileno(), 0, size)  # a page that finds no room later would end the process
                mapped = mmap.mmap(file.fileno(), size)
        except OSError:
            return np.zeros(count, dtype=dtype)
        return np.frombuffer(mapped, dtype=dtype)
