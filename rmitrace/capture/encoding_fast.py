"""Many pieces at once, packed by compiled code where that is repaid.

How much that will be is known only from what was: the first values of a process go by .encoding alone.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from ..formats import kernels
from ..formats.kernel_code import Kernel
from . import encoding_kernel
from .encoding import pack

_AT_ONCE = 16
"""Pieces that are packed by one call."""
_BYTES = 8
"""Bytes of a source for each value that is packed or unpacked, as far as kernels go."""


class Repaid:
    """A kernel that is used from when on it is repaid; where its code is there, if nobody ``waits`` for that to be made."""

    def __init__(self, function: Kernel, steps: tuple[Kernel, ...], *, waits: bool = True) -> None:
        self.function, self.steps = function, steps
        self._most = sys.maxsize if waits else kernels.COMPILE_FROM - 1
        self.ready: Any = None
        self._seen = 0
        self._ask_from = kernels.LOAD_FROM

    def kernel(self, count: int) -> Any:
        """It, where it is repaid by all the values so far, these among them; else None."""
        if self.ready is not None:
            return self.ready
        self._seen += count
        size = self._seen * _BYTES
        if size >= self._ask_from:
            self._ask_from = 2 * size
            if kernels.repaid(min(size, self._most), self.function, self.steps):
                self.ready = kernels.compiled(self.function, self.steps)
        return self.ready

    def compiled(self, count: int) -> Any:
        """It, where so many values repay that it is made; else None."""
        return kernels.compiled(self.function, self.steps) if count * _BYTES >= kernels.COMPILE_FROM else None


class _Room(threading.local):
    """What the kernel works in, of every thread its own."""

    def __init__(self, length: int) -> None:
        self.wide, self.apart = (np.empty(n * length, dtype=np.uint64) for n in (1, 3))
        self.kinds = np.empty(max(length, encoding_kernel.TABLE), dtype=np.uint8)
        self.many, self.some = np.empty(8, dtype=np.int64), np.empty(8, dtype=np.uint64)
        self.out = np.empty(_AT_ONCE * (8 * length + encoding_kernel.ROOM), dtype=np.uint8)
        self.sizes = np.empty(_AT_ONCE, dtype=np.int64)


class Packer:
    """Packs pieces of ``length`` values; by any thread."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.repaid = Repaid(encoding_kernel.pack, encoding_kernel.STEPS)
        self._room = _Room(length)

    def pieces(self, values: npt.NDArray[Any]) -> Iterator[bytes]:
        """The pieces of values that are as many as some pieces hold."""
        kernel, n = self.repaid.kernel(len(values)), self.length
        if values.strides[0] == 0:  # one value, many times
            yield from [pack(values[:n])] * (len(values) // n)
            return
        if kernel is None:
            for at in range(0, len(values), n):
                yield pack(np.ascontiguousarray(values[at : at + n]))
            return
        for at in range(0, len(values), n * _AT_ONCE):
            data, stride = _bytes(values[at : at + n * _AT_ONCE])
            yield from self.some(kernel, values.dtype, data, stride, n * stride, min(_AT_ONCE, (len(values) - at) // n))

    def rows(self, values: npt.NDArray[np.uint64]) -> Iterator[list[bytes]]:
        """A piece of each column of rows that are as many as some pieces hold; one after the other, as memory is slow."""
        kernel, n = self.repaid.kernel(values.size), self.length
        values = np.ascontiguousarray(values)
        columns, size = values.shape[1], values.itemsize
        for at in range(0, len(values), n):
            some = values[at : at + n]
            if kernel is None:
                yield [pack(np.ascontiguousarray(some[:, k])) for k in range(columns)]
            else:
                yield self.some(kernel, values.dtype, some.reshape(-1).view(np.uint8), columns * size, size, columns)

    def some(
        self, kernel: Any, dtype: np.dtype[Any], data: npt.NDArray[np.uint8], stride: int, step: int, pieces: int
    ) -> list[bytes]:
        """Up to _AT_ONCE pieces, by a form of encoding_kernel.pack."""
        room = self._room
        kernel(
            data, stride, dtype.itemsize, dtype.kind == "i", dtype == np.uint64, pieces, step, self.length, room.wide,
            room.kinds, room.many, room.some, room.apart, room.out, room.sizes,
        )  # fmt: skip
        found, begin = [], 0
        for size in room.sizes[:pieces].tolist():
            found.append(room.out[begin : begin + size].tobytes())
            begin += size
        return found


def _bytes(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], int]:
    """The memory of some values, from the first on, and how many bytes one is behind the other."""
    stride = values.strides[0]
    if stride < 0:
        values, stride = np.ascontiguousarray(values), values.itemsize
    first = values[:1].view(np.uint8)
    return as_strided(first, ((len(values) - 1) * stride + values.itemsize,), (1,)), stride


@cache
def packer(length: int) -> Packer:
    """The packer of pieces of so many values."""
    return Packer(length)
