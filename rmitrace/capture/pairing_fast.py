"""Calls of a big source by a kernel, piece by piece of its packed columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..formats import kernels
from ..formats.kernel_code import Kernel
from . import pairing_kernel as kernel
from .packed import Column
from .records import Kind, Records

_COLUMNS = ("kind", "name", "offset", "ts", "cpu", "pid", "known")
_BYTES = 40
"""Bytes of a source for each record, as far as kernels go."""


class Found(NamedTuple):
    """The calls: columns of pairing.Pairs, of model.Calls, and of pairing.FirstRegisters."""

    enter: npt.NDArray[np.int64]
    exit: npt.NDArray[np.int64]
    paired: npt.NDArray[np.uint8]
    ts: npt.NDArray[np.int64]
    dur: npt.NDArray[np.int64]
    cpu: npt.NDArray[np.int32]
    pid: npt.NDArray[np.int32]
    x0: npt.NDArray[np.uint64]
    asked: npt.NDArray[np.bool_]
    r0: npt.NDArray[np.uint64]
    answered: npt.NDArray[np.bool_]


_TYPES = (np.int64, np.int64, np.uint8, np.int64, np.int64, np.int32, np.int32, np.uint64, np.bool_, np.uint64, np.bool_)


def repaid(records: Records) -> bool:
    """Whether a source is big enough."""
    return kernels.repaid(len(records) * _BYTES, kernel.pair, kernel.STEPS)


def found(records: Records, one_family: Any, around: npt.NDArray[np.bool_], pair: Kernel | None = None) -> Found | None:
    """The calls of a source in its order; None where there are records of functions around an SMC, more than one family of
    events, more tasks than the kernel has room for, and so on.

    one_family  told which entries and exits there are (2 * (name + 1) + whether it is an exit), says whether they are of one
    around      which names are functions around an SMC, and behind them False for those without a name
    pair        a form of pairing_kernel.pair, None: the compiled one
    """
    run = pair or kernels.compiled(kernel.pair, kernel.STEPS)
    most = sum(int(np.count_nonzero(kind <= Kind.WHOLE_IN)) for (kind,) in _pieces([records.kind]))
    out: Any = [np.empty(most, dtype=t) for t in _TYPES]
    filled = [c.view(np.uint8) if c.dtype == np.bool_ else c for c in out]
    state = np.array([0, 0, -1, 0, 0], dtype=np.int64)
    table = (
        *(np.zeros(kernel.SLOTS, dtype=t) for t in (np.int64, np.uint8)),
        np.full(kernel.SLOTS, -1, dtype=np.int64),
        np.zeros(kernel.SLOTS, dtype=np.uint8),
    )
    more = (np.zeros(kernel.CPUS, np.int64), np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.uint8))
    seen = np.zeros(2 * len(records.names) + 2, dtype=np.uint8)
    wraps = np.roll(around, 1).view(np.uint8)
    told = -1
    first = 0
    regs = records.regs
    x0 = regs.columns[0] if hasattr(regs, "columns") else regs[:, 0]
    for columns in _pieces([*(getattr(records, c) for c in _COLUMNS), x0]):
        if run(*columns, first, state, *table, *more, wraps, seen, *filled) != kernel.DONE:
            return None
        first += len(columns[0])
        if seen.sum() != told:
            told = seen.sum()
            if not one_family(seen.reshape(-1, 2)):
                return None
    return Found(*(c[: state[kernel.CALLS]] for c in out))


def _pieces(columns: list[Any]) -> Iterator[list[npt.NDArray[Any]]]:
    """The values of several columns, so many at a time."""
    each = [c.pieces() if isinstance(c, Column) else _cut(c) for c in columns]
    for pieces in zip(*each, strict=True):
        yield [np.ascontiguousarray(values) for _, values in pieces]


def _cut(values: npt.NDArray[Any]) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    for start in range(0, len(values), Column.PIECE):
        yield start, values[start : start + Column.PIECE]
