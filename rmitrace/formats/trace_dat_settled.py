"""Records of a trace.dat whose event is known become what it says, all of them at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..capture.records import N_REGS, Kind
from .trace_dat_plan import Plan
from .trace_dat_rows import Rows

_WINDOW = 1 << 12

I64 = npt.NDArray[np.int64]


class Settled:
    """What is found out about the events of some rows.

    told    rows of which it was clear from the start what they are
    single  rows that were taken one by one
    """

    def __init__(self, rows: Rows, told: I64) -> None:
        self.rows, self.told = rows, told
        self.single: list[int] = []
        self._tables = {c: np.zeros(1 << 16, dtype=rows.columns[c].dtype) for c in ("kind", "known", "name")}
        self._short: list[tuple[int, int]] = []

    def places(self, event: int) -> Iterator[int]:
        """The rows of an event, in order, of those that are not told."""
        ident, kind = self.rows.columns["ident"], self.rows.columns["kind"]
        for start in range(0, len(ident), _WINDOW):
            stop = start + _WINDOW
            yield from (start + np.flatnonzero((ident[start:stop] == event) & (kind[start:stop] == 0))).tolist()

    def as_(self, plan: Plan, kind: Kind, known: int, name: int, registers: int) -> None:
        """The other rows of an event are this; of its registers the first so many count."""
        event = plan.kind.ident
        for column, value in (("kind", kind), ("known", known), ("name", name)):
            self._tables[column][event] = value
        if registers < N_REGS:
            self._short.append((event, registers))

    def apply(self) -> None:
        """Fill the columns."""
        ident = self.rows.columns["ident"]
        index = ident.astype(np.intp)
        for name, table in self._tables.items():
            column = self.rows.columns[name]
            kept = column[self.told]
            np.take(table, index, out=column, mode="clip")
            if self.single:
                column[self.single] = 0
            column[self.told] = kept
        for event, registers in self._short:
            mine = ident == event
            mine[self.single] = mine[self.told] = False
            self.rows.regs[mine, registers:] = 0
