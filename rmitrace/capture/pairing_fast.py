"""Calls of a big source by a kernel, some pieces of its packed columns at a time; what is done with them is packed again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..formats import kernels
from ..formats.kernel_code import Kernel
from . import pairing_kernel as kernel
from .packed import Column
from .pairs import FirstRegisters, Pairs
from .records import NO_TIME, Records

_COLUMNS = ("kind", "name", "offset", "ts", "cpu", "pid", "known")
_BYTES = 40
"""Bytes of a source for each record, as far as kernels go."""
_AT_ONCE = 4
"""Pieces of records that are paired by one call."""
_OPEN = 2
"""Pieces of calls that are kept until they have ended: what ends later costs more."""
_TOGETHER = 6
"""Pieces of calls that are packed together at least."""
_TYPES = {
    "enter": np.int64, "exit": np.int64, "paired": np.uint8, "ts": np.int64, "dur": np.int64, "cpu": np.int32, "pid": np.int32,
    "said": np.int32,
}  # fmt: skip


def repaid(records: Records) -> bool:
    """Whether a source is big enough."""
    return kernels.repaid(len(records) * _BYTES, kernel.pair, kernel.STEPS)


class _Calls:
    """The calls so far: packed, but for those of the window, which there are two of: one is filled while the other is packed."""

    def __init__(self) -> None:
        size = (_AT_ONCE + _OPEN + _TOGETHER) * Column.PIECE
        self._windows = [[np.empty(size, dtype=t) for t in _TYPES.values()] for _ in range(2)]
        self.columns = {name: Column(t) for name, t in _TYPES.items()}
        self.late = np.empty(4 * _AT_ONCE * Column.PIECE, dtype=np.int64)
        self._kept: list[npt.NDArray[np.int64]] = []

    @property
    def window(self) -> list[npt.NDArray[Any]]:
        """Where the kernel puts calls."""
        return self._windows[0]

    def settle(self, state: npt.NDArray[np.int64], pack: Any) -> None:
        """Pack the first calls of the window: in whole pieces, and not the last ones, which may still end."""
        if state[kernel.LATE]:
            self._kept.append(self.late[: 4 * state[kernel.LATE]].reshape(-1, 4).copy())
            state[kernel.LATE] = 0
        have = int(state[kernel.CALLS] - state[kernel.BASE])
        done = (have - _OPEN * Column.PIECE) // Column.PIECE * Column.PIECE
        if done >= _TOGETHER * Column.PIECE:
            pack([c[:done] for c in self.window])
            for old, new in zip(*self._windows, strict=True):
                new[: have - done] = old[done:have]
            self._windows.reverse()
            state[kernel.BASE] += done

    def pack(self, parts: list[npt.NDArray[Any]]) -> None:
        """Put calls behind those that are packed."""
        for column, part in zip(self.columns.values(), parts, strict=True):
            column.append(part)

    def end(self, state: npt.NDArray[np.int64]) -> None:
        """Pack what is left, and the ends of the calls that were packed before."""
        self.pack([c[: state[kernel.CALLS] - state[kernel.BASE]] for c in self.window])
        if self._kept:
            late = np.concatenate(self._kept)
            rows = late[:, 0]
            self.columns["paired"][rows] = 0
            for name, values in zip(("exit", "dur", "said"), late[:, 1:].T, strict=True):
                self.columns[name][rows] = values


class _Tables:
    """What the kernel knows of tasks, function ids and results, in the order in which it takes them."""

    def __init__(self, names: int, around: npt.NDArray[np.bool_]) -> None:
        self.state = np.zeros(12, dtype=np.int64)
        self.state[[kernel.WHOLE, kernel.LAST]] = -1, NO_TIME
        slots, tasks = kernel.SLOTS, kernel.TASKS
        self.tasks = (
            np.zeros(slots, np.int64), np.zeros(slots, np.int32), np.zeros(tasks, np.int64), np.zeros(tasks, np.uint8),
            np.empty(tasks * kernel.DEEP * kernel.FIELDS, np.int64), np.zeros(kernel.CPUS, np.int64),
        )  # fmt: skip
        self.around = np.roll(around, 1).view(np.uint8)
        self.seen = np.zeros(2 * names + 2, dtype=np.uint8)
        self.asks: tuple[Any, ...] = (
            np.zeros(kernel.ASK_SLOTS, np.int32), np.empty(kernel.ASKS, np.uint64), np.empty(kernel.ASKS, np.int32),
            np.empty(kernel.ASKS, np.uint8), np.full(kernel.ASKS, -1, np.int32),
        )  # fmt: skip
        self.said: tuple[Any, ...] = (
            np.zeros(kernel.SAID_SLOTS, np.int32), np.empty(kernel.SAIDS, np.int32), np.empty(kernel.SAIDS, np.uint64),
            np.empty(kernel.SAIDS, np.uint8),
        )  # fmt: skip

    def all(self) -> tuple[npt.NDArray[Any], ...]:
        return (self.state, *self.tasks, self.around, self.seen, *self.asks, *self.said)

    def first(self, which: Column) -> FirstRegisters:
        """The different function ids and results."""
        _, x0, label, has, _ = self.asks
        _, ask, r0, answered = (c[: self.state[kernel.SAID]] for c in self.said)
        return FirstRegisters(x0[ask], has[ask].view(np.bool_), r0.copy(), answered.view(np.bool_).copy(), label[ask], which)


def found(records: Records, one_family: Any, around: npt.NDArray[np.bool_], pair: Kernel | None = None) -> Pairs | None:
    """The calls of a source in its order; None where there are records of functions around an SMC, more than one family of
    events, more tasks than the kernel has room for, and so on.

    one_family  told which entries and exits there are (2 * (name + 1) + whether it is an exit), says whether they are of one
    around      which names are functions around an SMC, and behind them False for those without a name
    pair        a form of pairing_kernel.pair, None: the compiled one
    """
    run = pair or kernels.compiled(kernel.pair, kernel.STEPS)
    tables, calls = _Tables(len(records.names), around), _Calls()
    told = first = 0
    with kernels.behind(calls.pack) as pack:
        for columns in _pieces(records):
            if run(*columns, first, len(columns[0]), *tables.all(), calls.late, *calls.window) != kernel.DONE:
                return None
            first += len(columns[0])
            if tables.seen.sum() != told:
                told = tables.seen.sum()
                if not one_family(tables.seen.reshape(-1, 2)):
                    return None
            calls.settle(tables.state, pack)
    calls.end(tables.state)
    enter, exit_, paired, ts, dur, cpu, pid, said = calls.columns.values()
    in_time = not tables.state[kernel.DESCENDS] or bool(tables.state[kernel.UNTIMED])
    none = Column.filled(np.bool_, 0, len(enter))
    return Pairs(enter, exit_, paired, none, 0, {}, tables.first(said), (ts, dur, cpu, pid), in_time)


def _pieces(records: Records) -> Iterator[list[npt.NDArray[Any]]]:
    """The values of the columns that the kernel takes, so many at a time: in the same arrays, as new memory takes long."""
    regs = records.regs
    x0 = regs.columns[0] if hasattr(regs, "columns") else regs[:, 0]
    columns = [*(getattr(records, c) for c in _COLUMNS), x0]
    size = _AT_ONCE * Column.PIECE
    room = [np.empty(min(size, len(records)), dtype=c.dtype) for c in columns]
    for start in range(0, len(records), size):
        some = [r[: len(records) - start] for r in room]
        for column, out in zip(columns, some, strict=True):
            if isinstance(column, Column):
                column.into(out, start)
            else:
                out[:] = column[start : start + len(out)]
        yield some
