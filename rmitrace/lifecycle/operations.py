"""Stateful operations of 2.0: which OP_* call works for which command, and how the command ended.

A command that answers RMI_INCOMPLETE gives a handle in x1; RMI_OP_CONTINUE, RMI_OP_MEM_DONATE, RMI_OP_MEM_RECLAIM and
RMI_OP_CANCEL take it in x1 and are part of that command until one of them answers with another status than
RMI_INCOMPLETE, RMI_BUSY or RMI_BLOCKED (DEN0137 2.0, stateful RMI operations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..capture.model import Capture

OPERATIONS = ("RMI_OP_CONTINUE", "RMI_OP_MEM_DONATE", "RMI_OP_MEM_RECLAIM", "RMI_OP_CANCEL")
_GOES_ON = ("RMI_INCOMPLETE", "RMI_BUSY", "RMI_BLOCKED")


def join_operations(capture: Capture) -> tuple[dict[int, int], list[int]]:
    """Fill ``Calls.parent``; returns command -> the last OP_* call of it, for finished and unfinished ones alike, and the
    commands that are unfinished."""
    calls = capture.calls
    ops = {capture.names.index(n) for n in OPERATIONS if n in capture.names}
    incomplete = capture.statuses.index("RMI_INCOMPLETE") if "RMI_INCOMPLETE" in capture.statuses else -2
    rows = np.flatnonzero((calls.status == incomplete) | np.isin(calls.name, list(ops)))
    if not len(rows):
        return {}, []
    given, given_known = capture.regs(rows, 1, out=True)
    taken, taken_known = capture.regs(rows, 1)
    last: dict[int, int] = {}
    open_by: dict[tuple[int, int | None], list[int]] = {}
    runs = [capture.together(s)[0] for s in range(len(capture.sources))]
    for k, seq in enumerate(rows.tolist()):
        source = runs[int(calls.source[seq])]
        if int(calls.name[seq]) not in ops:
            handle = int(given[k]) if given_known[k] else None
            open_by.setdefault((source, handle), []).append(seq)
            continue
        handle = int(taken[k]) if taken_known[k] else None
        # a row of an older log does not say which handle was given: the latest such command is meant
        key = next((c for c in ((source, handle), (source, None)) if open_by.get(c)), None)
        if key is None:
            continue
        parent = open_by[key][-1]
        calls.parent[seq] = parent
        last[parent] = seq
        if capture.status_text(seq) not in (*_GOES_ON, "") and not _refused(capture, seq):
            open_by[key].pop()
    return last, [seq for started in open_by.values() for seq in started]


def _refused(capture: Capture, seq: int) -> bool:
    """An OP_* call that was itself wrong leaves the operation as it was; RMI_ERROR_INPUT of all but OP_CONTINUE."""
    return capture.status_text(seq) == "RMI_ERROR_INPUT" and capture.name_text(seq) != "RMI_OP_CONTINUE"
