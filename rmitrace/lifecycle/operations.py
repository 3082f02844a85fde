"""Stateful operations of 2.0: which OP_* call works for which command, and how the command ended.

A command that answers RMI_INCOMPLETE gives a handle in x1; RMI_OP_CONTINUE, RMI_OP_MEM_DONATE, RMI_OP_MEM_RECLAIM and
RMI_OP_CANCEL take it in x1 and are part of that command until one of them answers with another status than
RMI_INCOMPLETE, RMI_BUSY or RMI_BLOCKED (DEN0137 2.0, stateful RMI operations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..capture.shelf import Shelf
from ..formats import kernels
from ..formats.kernel_code import Kernel
from . import operations_kernel
from .members import ranges

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

OPERATIONS = ("RMI_OP_CONTINUE", "RMI_OP_MEM_DONATE", "RMI_OP_MEM_RECLAIM", "RMI_OP_CANCEL")
_BYTES = 400
"""Bytes of a source for each call that is joined, as far as kernels go."""
_AT_ONCE = 1 << 16
"""Calls that are looked at at a time."""
_GOES_ON = ("RMI_INCOMPLETE", "RMI_BUSY", "RMI_BLOCKED")


class Operations:
    """The commands that OP_* calls work for, and those calls, both ascending: read from Calls.parent."""

    def __init__(self, capture: Capture) -> None:
        parent, shelf = capture.calls.parent, Shelf()
        self._child = shelf.put(np.flatnonzero(parent != -1))
        self._parent = shelf.put(parent[self._child])
        order = np.argsort(self._parent, kind="stable")
        self._by_parent = shelf.put(self._child[order])
        self.commands, count = np.unique(self._parent, return_counts=True)
        self._start = shelf.put(np.searchsorted(self._parent[order], self.commands))
        self._stop = shelf.put(np.append(self._start[1:], len(order)))
        group = np.repeat(np.arange(len(count)), count)
        counts = np.where(_refused(capture, self._by_parent, group, self.commands), -1, np.arange(len(group)))
        best = np.maximum.reduceat(counts, self._start) if len(count) else counts
        self._last = shelf.put(np.where(best >= 0, self._by_parent[np.maximum(best, 0)], self.commands))
        self.none = not len(self.commands)

    def end(self, rows: I64) -> I64:
        """For each call the last OP_* call of it that was not refused as a wrong one, itself where there is none."""
        if self.none:
            return rows
        at, has = self._find(rows)
        out = rows.copy()
        out[has] = self._last[at[has]]
        return out

    def last(self, rows: I64) -> I64:
        """For each call the last OP_* call of it, itself where there is none."""
        if self.none:
            return rows
        at, has = self._find(rows)
        out = rows.copy()
        out[has] = self._by_parent[self._stop[at[has]] - 1]
        return out

    def children_of(self, rows: I64) -> tuple[I64, I64]:
        """The OP_* calls of some calls in any order, and for each the place of the call among those."""
        at, has = self._find(rows)
        place = np.flatnonzero(has)
        start = self._start[at[place]]
        size = self._stop[at[place]] - start
        return self._by_parent[ranges(start, size)], np.repeat(place, size)

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


def _refused(capture: Capture, rows: I64, group: I64, commands: I64) -> npt.NDArray[np.bool_]:
    """Which OP_* calls (of one command after the other; ``group``: index into the commands) were wrong themselves, and left
    the operation as it was: RMI_ERROR_INPUT is the command's own status only from RMI_OP_CONTINUE, and from that only where
    the operation waits for it, by x0[9:8] of the RMI_INCOMPLETE before it."""
    c = capture.calls
    wrong: npt.NDArray[np.bool_] = np.isin(c.status[rows], _index(capture.statuses, ("RMI_ERROR_INPUT",)))
    asks = np.flatnonzero(wrong & np.isin(c.name[rows], _index(capture.names, ("RMI_OP_CONTINUE",))))
    if len(asks):
        incomplete = np.isin(c.status[rows], _index(capture.statuses, ("RMI_INCOMPLETE",)))
        before = np.maximum.accumulate(np.where(incomplete, np.arange(len(rows)), -1))[asks]
        inside = (before >= 0) & (group[np.maximum(before, 0)] == group[asks])
        wrong[asks] = _wants(capture, np.where(inside, rows[before], commands[group[asks]])) > 0
    return wrong


def _wants(capture: Capture, rows: I64) -> I64:
    """RmiOpMemReq of each RMI_INCOMPLETE: 0 nothing, 1 memory, 2 to take memory back; 0 where x0 is not shown in full."""
    x0, known = capture.regs(rows, 0, out=True)
    return np.where(known, x0 >> np.uint64(8) & np.uint64(3), 0).astype(np.int64)


def _index(names: list[str], wanted: tuple[str, ...]) -> list[int]:
    return [i for i, n in enumerate(names) if n in wanted]


def operations(capture: Capture) -> Operations:
    """The operations of a capture."""
    return capture.operations


def join_operations(capture: Capture) -> list[int]:
    """Fill ``Calls.parent``; returns the commands that are unfinished."""
    calls = capture.calls
    ops = {capture.names.index(n) for n in OPERATIONS if n in capture.names}
    incomplete = capture.statuses.index("RMI_INCOMPLETE") if "RMI_INCOMPLETE" in capture.statuses else -2
    named = np.isin(np.arange(len(capture.names)), list(ops))
    found = [np.zeros(0, dtype=np.int64)]
    for start in range(0, len(calls) if ops or incomplete >= 0 else 0, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        found.append(start + np.flatnonzero(named[calls.name[some]] | (calls.status[some] == incomplete)))
    rows = np.concatenate(found)
    if not len(rows):
        return []
    goes_on = [i for i, s in enumerate(capture.statuses) if s in _GOES_ON] + [-1]
    status = calls.status[rows]
    # an OP_* call that was itself wrong leaves the operation as it was, see _refused
    wrong = np.isin(status, _index(capture.statuses, ("RMI_ERROR_INPUT",)))
    resumes = np.isin(calls.name[rows], _index(capture.names, ("RMI_OP_CONTINUE",)))
    over = ~np.isin(status, goes_on) & ~(wrong & ~resumes)
    runs = np.array([capture.together(s)[0] for s in range(len(capture.sources))], dtype=np.int64)
    working = named[calls.name[rows]]
    handles, unsaid = _handles(capture, rows, working, runs[calls.source[rows]])
    wants = np.where(status == incomplete, _wants(capture, rows), -1)
    of, left = _joined(working, over, wrong, wants, handles, unsaid)
    has = np.flatnonzero(of >= 0)
    if len(has):
        calls.parent[rows[has]] = rows[of[has]]
    return rows[left].tolist()  # type: ignore[no-any-return]


def _joined(
    working: Flags, over: Flags, wrong: Flags, wants: I64, handles: I64, unsaid: I64, kernel: Kernel | None = None
) -> tuple[I64, I64]:
    """For each call the command that it works for, -1 none; and the commands that are unfinished. See operations_kernel.join,
    of which ``kernel`` is a form."""
    count, size = len(working), int(max(handles.max(), unsaid.max())) + 1
    if kernel is None and kernels.repaid(count * _BYTES, operations_kernel.join, operations_kernel.STEPS):
        kernel = kernels.compiled(operations_kernel.join, operations_kernel.STEPS)
    below, parent, top = (np.full(n, -1, dtype=np.int64) for n in (count, count, size))
    given: list[Any] = [*(c.view(np.uint8) for c in (working, over, wrong)), wants.copy(), handles, unsaid, top, below, parent]
    if kernel is not None:
        kernel(count, *given)
    else:  # lists are faster where it is not compiled
        given = [c.tolist() for c in given]
        operations_kernel.join(count, *given)
        below, parent = (np.array(c, dtype=np.int64) for c in given[-2:])
    return parent, np.flatnonzero(~working & (below != operations_kernel.ENDED))


def _handles(capture: Capture, rows: I64, working: npt.NDArray[np.bool_], run: I64) -> tuple[I64, I64]:
    """A number for the run and the handle of each call, that it gave or (``working``) took, and the number where the handle is
    not said."""
    handle, known = capture.regs(rows, 1, out=~working)
    values, which = np.unique(handle, return_inverse=True)
    unsaid = run * (len(values) + 1)
    return unsaid + np.where(known, which + 1, 0), unsaid
