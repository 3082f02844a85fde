"""Packed pieces looked through without unpacking them, by compiled code where that is repaid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import checking_kernel
from .encoding import bounds, header, pack
from .encoding_fast import Repaid
from .pieces import Pieces

_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
_REPAID = Repaid(checking_kernel.check, checking_kernel.STEPS)


def doubtful(data: npt.NDArray[np.uint8] | None, pieces: Pieces, count: int, limits: tuple[int, int] | None) -> list[int]:
    """The numbers of the pieces of ``count`` values of which only unpacking them shows whether all values are from one limit to
    below another. Raises ValueError where one is no such piece. ``data``: all pieces, where they are at hand as one."""
    kernel = None if data is None else _REPAID.kernel(len(pieces) * count)
    if kernel is None or data is None:
        return [k for k in range(len(pieces)) if not _fits(pieces.read(k), count, limits)]
    return by(kernel, data, pieces.sizes, count, limits)


def prepare(count: int) -> None:
    """See that compiled code is there when so many values are looked through, which may be by a process that is in a hurry."""
    kernel = _REPAID.kernel(count)
    if kernel is not None:
        one = pack(np.zeros(1, dtype=np.int64))
        by(kernel, np.frombuffer(one, dtype=np.uint8), [len(one)], 1, (0, 1))


def by(kernel: Any, data: npt.NDArray[np.uint8], sizes: list[int], count: int, limits: tuple[int, int] | None) -> list[int]:
    """The same by a form of checking_kernel.check."""
    low, high = (0, 0) if limits is None else (max(limits[0], _LEAST), min(limits[1] - 1, _MOST))
    found = np.empty(len(sizes), dtype=np.uint8)
    kernel(data, np.array(sizes, dtype=np.int64), len(sizes), count, low, high, int(limits is not None), found)
    if bool((found == checking_kernel.NONE).any()):
        raise ValueError("no packed piece")
    out: list[int] = np.flatnonzero(found == checking_kernel.CLOSER).tolist()
    return out


def _fits(piece: bytes, count: int, limits: tuple[int, int] | None) -> bool:
    if header(piece)[3] != count:
        raise ValueError("a piece of another length")
    found = bounds(piece)
    return limits is None or (found is not None and limits[0] <= found[0] and found[1] < limits[1])
