"""Pieces unpacked, many at once, by compiled code where that is repaid: see .encoding for what they are."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from ..formats.kernel_code import Kernel
from . import unpacking_kernel
from .encoding import unpack
from .encoding_fast import Repaid


class Unpacker:
    """Unpacks pieces; by any thread."""

    def __init__(self) -> None:
        self.repaid = Repaid(unpacking_kernel.unpack, unpacking_kernel.STEPS)
        self._room = threading.local()

    def into(self, data: bytes, sizes: list[int], out: npt.NDArray[Any]) -> None:
        """Take the values out of pieces of so many bytes that stand one behind the other: each is to have as many, and all of
        them as many as there is room for. Raises ValueError where they are no such pieces."""
        kernel = self.repaid.kernel(len(out))
        count = len(out) // len(sizes)
        if kernel is not None:
            self.by(kernel, data, sizes, count, out)
            return
        at = 0
        for k, size in enumerate(sizes):
            values = unpack(data[at : at + size])
            if len(values) != count:
                raise ValueError("a piece of another length")
            out[k * count : (k + 1) * count] = values.view(np.uint64) if out.dtype == np.uint64 else values.astype(out.dtype)
            at += size

    def by(self, kernel: Kernel, data: bytes, sizes: list[int], count: int, out: npt.NDArray[Any]) -> None:
        """The same by a form of unpacking_kernel.unpack."""
        room = self._room
        if getattr(room, "size", 0) < count:
            room.size = count
            room.wide, room.apart = (np.empty(count + 1, dtype=np.uint64) for _ in range(2))
            room.table = np.empty(unpacking_kernel.TABLE, dtype=np.uint64)
        size = 0 if out.dtype == np.bool_ else out.itemsize
        wide, raw = out.view(np.uint64) if size == 8 else room.wide, np.frombuffer(data, dtype=np.uint8)
        many = np.array(sizes, dtype=np.int64)
        if not kernel(raw, many, len(sizes), count, size, wide, room.table, room.apart, out.view(np.uint8)):
            raise ValueError("no packed piece")


_UNPACKER = Unpacker()


def unpack_into(data: bytes, sizes: list[int], out: npt.NDArray[Any]) -> None:
    """Unpack pieces, see Unpacker.into."""
    _UNPACKER.into(data, sizes, out)
