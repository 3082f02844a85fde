"""Batches of pages read by a kernel into rows: the tables that it goes by, and when it is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import kernels, trace_dat_kernel
from .kernel_code import Kernel
from .trace_dat_kernel import DONE, FULL, GIVE_UP, IDENT, NEW, ROW, ROWS, SKIP
from .trace_dat_pages import Heads
from .trace_dat_plan import FUNCTION, IGNORE, Plan, runs

if TYPE_CHECKING:
    from .trace_dat_rows import Rows

_LEAST = 64
"""Bytes of pages a row for which there is room at first."""


def repaid(size: int) -> bool:
    """Whether so many bytes of pages repay a kernel."""
    return kernels.repaid(size, trace_dat_kernel.scan, trace_dat_kernel.STEPS)


class Fast:
    """Fills rows from batches of pages, where they hold nothing out of the ordinary.

    plan  event id -> Plan, None where the file has no such format
    scan  a form of trace_dat_kernel.scan, None: the compiled one
    """

    def __init__(self, plan: Callable[[int], Plan | None], scan: Kernel | None = None) -> None:
        self.plan = plan
        self._scan = scan or kernels.compiled(trace_dat_kernel.scan, trace_dat_kernel.STEPS, behind=True)
        self._numbers = np.full(1 << 16, -1, dtype=np.int32)
        self._plans: list[tuple[int, Plan | None]] = []
        self._runs: list[tuple[int, int, int, bool, int]] = []
        self._table = [np.zeros(0, dtype=np.int64) for _ in range(10)]
        self._seen = np.zeros(0, dtype=np.int64)

    def take(self, rows: Rows, pages: npt.NDArray[np.uint8], found: Heads, base: int, done: float) -> bool:
        """Put the events of pages behind the rows there are; False, and nothing, where they are not what the kernel knows.

        base  what is added to a place to make it one of the file; done: the share of the file that was read with them
        """
        state, time = np.zeros(4, dtype=np.int64), np.zeros(1, dtype=np.uint64)
        self._seen[:] = 0
        begin = state[ROWS] = rows.used
        while True:
            columns = _columns(rows)
            status = self._scan(
                pages, len(found.begin), found.begin, found.stop, found.stamp, state, time, self._numbers, *self._table,
                self._seen, *columns, len(columns[0]), base,
            )  # fmt: skip
            if status == NEW:
                self._add(int(state[IDENT]))
            elif status == FULL:
                rows.used = int(state[ROWS])
                rows.reserve(len(pages) // _LEAST + 1, done)
                rows.used = int(begin)
            else:
                break
        if status != DONE:
            return False
        rows.used = int(state[ROWS])
        return True

    def count(self, ignored: Counter[str], unknown: Counter[int]) -> int:
        """Count the events of the last batch that are no rows; returns how many events it had."""
        for (ident, plan), seen in zip(self._plans, self._seen.tolist(), strict=True):
            if seen and plan is None:
                ignored["(no format)"] += seen
                unknown[ident] += seen
            elif seen and plan is not None and plan.how == IGNORE:
                ignored[plan.kind.name] += seen
        return int(self._seen.sum())

    def _add(self, ident: int) -> None:
        """Put an event into the tables."""
        plan = self.plan(ident)
        self._numbers[ident] = len(self._plans)
        self._plans.append((ident, plan))
        first = len(self._runs)
        cls, need, most = SKIP, 0, 0
        if plan is not None and plan.how != IGNORE:
            cls, need, most = GIVE_UP if plan.how == FUNCTION else ROW, plan.need, plan.most
            self._runs += runs(plan)
        each = [(cls,), (need,), (most,), (first,), (len(self._runs),)]
        events = [np.append(t, np.array(v, dtype=np.int64)) for t, v in zip(self._table[:5], each, strict=True)]
        self._table = [*events, *(np.array([r[k] for r in self._runs], dtype=np.int64) for k in range(5))]
        self._seen = np.append(self._seen, np.int64(0))


def _columns(rows: Rows) -> tuple[npt.NDArray[Any], ...]:
    c = rows.columns
    return c["at"], c["length"], c["ts"], c["pid"].view(np.uint32), c["ident"], rows.regs.reshape(-1)
