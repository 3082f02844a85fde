"""Stateful operations of 2.0: which OP_* call works for which command, and how the command ended.

A command that answers RMI_INCOMPLETE gives a handle in x1; RMI_OP_CONTINUE, RMI_OP_MEM_DONATE, RMI_OP_MEM_RECLAIM and
RMI_OP_CANCEL take it in x1 and are part of that command until one of them answers with another status than
RMI_INCOMPLETE, RMI_BUSY or RMI_BLOCKED (DEN0137 2.0, stateful RMI operations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]

OPERATIONS = ("RMI_OP_CONTINUE", "RMI_OP_MEM_DONATE", "RMI_OP_MEM_RECLAIM", "RMI_OP_CANCEL")
_GOES_ON = ("RMI_INCOMPLETE", "RMI_BUSY", "RMI_BLOCKED")


class Operations:
    """The commands that OP_* calls work for, and those calls, both ascending: read from Calls.parent."""

    def __init__(self, parent: Any) -> None:
        self._child = np.flatnonzero(parent != -1)
        self._parent = parent[self._child]
        order = np.argsort(self._parent, kind="stable")
        self._by_parent = self._child[order]
        self.commands, count = np.unique(self._parent, return_counts=True)
        self._start = np.searchsorted(self._parent[order], self.commands)
        self._last = self._by_parent[self._start + count - 1] if len(count) else self.commands

    def end(self, rows: I64) -> I64:
        """For each call the last OP_* call of it, itself where there is none."""
        at, has = self._find(rows)
        out = rows.copy()
        out[has] = self._last[at[has]]
        return out

    def spans(self, rows: I64) -> tuple[I64, I64]:
        """The commands among some calls (ascending) that have OP_* calls, and the last of each."""
        at, has = self._find(rows)
        return rows[has], self._last[at[has]]

    def children(self, rows: I64) -> tuple[I64, I64]:
        """The OP_* calls of some calls (ascending), and for each the call."""
        mine = np.isin(self._parent, rows)
        return self._child[mine], self._parent[mine]

    def of(self, row: int) -> list[int]:
        """The OP_* calls of one call."""
        at = int(np.searchsorted(self.commands, row))
        if at == len(self.commands) or self.commands[at] != row:
            return []
        stop = self._start[at + 1] if at + 1 < len(self._start) else len(self._by_parent)
        found: list[int] = self._by_parent[self._start[at] : stop].tolist()
        return found

    def _find(self, rows: I64) -> tuple[I64, npt.NDArray[np.bool_]]:
        at = np.searchsorted(self.commands, rows)
        has = at < len(self.commands)
        has[has] = self.commands[at[has]] == rows[has]
        return at, has


def operations(capture: Capture) -> Operations:
    """The operations of a capture."""
    return capture.operations


def join_operations(capture: Capture) -> list[int]:
    """Fill ``Calls.parent``; returns the commands that are unfinished."""
    calls = capture.calls
    ops = {capture.names.index(n) for n in OPERATIONS if n in capture.names}
    incomplete = capture.statuses.index("RMI_INCOMPLETE") if "RMI_INCOMPLETE" in capture.statuses else -2
    is_op = np.isin(calls.name, list(ops))
    rows = np.flatnonzero((calls.status == incomplete) | is_op)
    if not len(rows):
        return []
    given, given_known = (c.tolist() for c in capture.regs(rows, 1, out=True))
    taken, taken_known = (c.tolist() for c in capture.regs(rows, 1))
    goes_on = [i for i, s in enumerate(capture.statuses) if s in _GOES_ON] + [-1]
    status = calls.status[rows]
    # an OP_* call that was itself wrong leaves the operation as it was; RMI_ERROR_INPUT of all but OP_CONTINUE
    wrong = [i for i, s in enumerate(capture.statuses) if s == "RMI_ERROR_INPUT"]
    resumes = [i for i, n in enumerate(capture.names) if n == "RMI_OP_CONTINUE"]
    over = ~np.isin(status, goes_on) & ~(np.isin(status, wrong) & ~np.isin(calls.name[rows], resumes))
    runs = np.array([capture.together(s)[0] for s in range(len(capture.sources))], dtype=np.int64)
    sources = runs[calls.source[rows]].tolist()
    open_by: dict[tuple[int, int | None], list[int]] = {}
    found: tuple[list[int], list[int]] = [], []
    for k, (seq, working, ends) in enumerate(zip(rows.tolist(), is_op[rows].tolist(), over.tolist(), strict=True)):
        source = sources[k]
        if not working:
            open_by.setdefault((source, given[k] if given_known[k] else None), []).append(seq)
            continue
        handle = taken[k] if taken_known[k] else None
        # a row of an older log does not say which handle was given: the latest such command is meant
        key = next((c for c in ((source, handle), (source, None)) if open_by.get(c)), None)
        if key is None:
            continue
        found[0].append(seq)
        found[1].append(open_by[key][-1])
        if ends:
            open_by[key].pop()
    if found[0]:
        calls.parent[np.array(found[0])] = np.array(found[1])
    return [seq for started in open_by.values() for seq in started]
