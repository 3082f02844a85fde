"""Arrays that are needed again later: the first ones stay in memory, the others stand in files without a name, mapped."""

from __future__ import annotations

import mmap
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
