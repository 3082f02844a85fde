"""Records of a big source on their way into packed columns: a kernel packs a piece of every column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture import encoding_kernel
from ..capture.encoding_fast import Repaid
from ..capture.packed import Column
from ..capture.records import COLUMNS, N_REGS, Records
from ..capture.registers import Registers
from . import record_pack_kernel as kernel
from .kernel_code import Kernel

Array = npt.NDArray[Any]
_EVENT = 5
"""Where among the columns of records their events stand, which are no bytes."""
_NO_EVENTS = np.zeros(0, dtype=np.int32)
_REPAID = Repaid(kernel.take, kernel.STEPS)


class RecordPacker:
    """Puts records behind those in packed columns. Fewer than a piece wait here, and go into the columns with flush()."""

    def __init__(self, columns: dict[str, Column], regs: Registers, take: Kernel | None = None) -> None:
        self._columns, self._regs = columns, regs
        self._take: Any = take
        self.waiting = 0
        self._rest = np.zeros((0, 0), dtype=np.uint64)
        """The values of each column that wait."""
        self._room: tuple[Array, ...] = ()

    def ready(self, count: int) -> bool:
        """Whether so many more records, after those before, are to be put here; else they go into the columns by themselves."""
        if self._room:
            return True
        take = self._take or _REPAID.kernel(count * kernel.COLUMNS)
        if take is not None:
            self._begin(take)
        return take is not None

    def _begin(self, take: Kernel) -> None:
        self._take, full = take, Column.PIECE
        self._rest = np.empty((kernel.COLUMNS, full), dtype=np.uint64)
        self._sizes = np.zeros(kernel.COLUMNS, dtype=np.int64)
        self._out = np.empty(kernel.COLUMNS * (8 * full + encoding_kernel.ROOM), dtype=np.uint8)
        self._room = (
            np.empty(full, dtype=np.uint64), np.empty(max(full, encoding_kernel.TABLE), dtype=np.uint8),
            np.empty(8, dtype=np.int64), np.empty(8, dtype=np.uint64), np.empty(3 * full, dtype=np.uint64), self._out,
            self._sizes,
        )  # fmt: skip
        rows = self._regs.unrest()
        self.waiting = len(rows)
        for room, values in zip(self._rest, [*(c.unrest() for c in self._columns.values()), *rows.T], strict=True):
            room[: len(values)] = values.astype(np.uint64)

    def add(self, part: Records) -> None:
        """Put records behind the others."""
        columns = [np.ascontiguousarray(getattr(part, name)) for name in COLUMNS]
        regs = np.ascontiguousarray(part.regs).reshape(-1)
        self._add(len(part), *columns[:5], _NO_EVENTS, *columns[5:], regs, N_REGS, 1, False)

    def add_by_event(self, count: int, columns: tuple[Array, ...], tables: tuple[Array, ...], regs: Array) -> None:
        """The same of records by their events.

        columns  offset, length, ts, cpu, pid and the number of the event of at least so many
        tables   kind, name and known of each event
        regs     their registers, one record behind the other
        """
        self._add(count, *columns, *tables, regs, N_REGS, 1, True)

    def _add(self, count: int, *given: Any) -> None:
        at, full = 0, Column.PIECE
        data = [v if i == _EVENT or not isinstance(v, np.ndarray) else v.view(np.uint8) for i, v in enumerate(given)]
        while at < count:
            done = self._take(self.waiting, self._rest.reshape(-1), *data, at, count - at, full, *self._room)
            if self.waiting + count - at < full:
                self.waiting += done
            else:
                self._put()
                self.waiting = 0
            at += done

    def _put(self) -> None:
        sizes = self._sizes.tolist()
        begin = 0
        for column, size in zip((*self._columns.values(), *self._regs.columns), sizes, strict=True):
            column.put(self._out[begin : begin + size].tobytes())
            begin += size

    def flush(self) -> None:
        """Put those that wait into the columns. No more records may come then."""
        if self.waiting:
            for column, values in zip(self._columns.values(), self._rest, strict=False):
                column.append(values[: self.waiting])
            self._regs.append(self._rest[kernel.REGS :, : self.waiting].T)
        self.waiting, self._room = 0, ()
