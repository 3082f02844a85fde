"""Stateful operations of 2.0 that were left, lost their memory, or hold the RMM's contexts; storms of BUSY and BLOCKED."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from .. import diagnose
from ..capture.records import NO_TIME, Finding
from ..diagnose.events import NEVER, Events
from .finding import found, some
from .rule import Check, Rule
from .unfinished import behind

if TYPE_CHECKING:
    from ..capture.model import Capture

_SPEC = "DEN0137 2.0 stateful RMI operations"
NEVER_CONTINUED = Rule(
    "OP-NEVER-CONTINUED",
    "error",
    "a command answered RMI_INCOMPLETE and the host left it there",
    "the operation and its memory are lost, and its context stays taken: later commands get RMI_BLOCKED",
    "a kernel of 1.x takes 13 for an unknown error; else the host's loop over RMI_OP_*",
    _SPEC,
)
RECLAIM_LOST = Rule(
    "OP-RECLAIM-LOST",
    "note",
    "granules were reclaimed and not undelegated",
    "they stay in the Realm world and are lost to the host, unless it uses them again for the RMM",
    "what the host does with the list of RMI_OP_MEM_RECLAIM",
    _SPEC,
)
DONATED_FREED = Rule(
    "OP-DONATED-FREED",
    "error",
    "a command failed after memory was donated, and nothing was reclaimed",
    "the pages are still the RMM's: the host must not free them",
    "the host's error path: RMI_OP_MEM_RECLAIM before the last RMI_OP_CONTINUE",
    _SPEC,
)
BLOCKED = Rule(
    "RMI-BLOCKED",
    "error",
    "RMI_BLOCKED: every context of the RMM is held by an unfinished operation",
    "to try again does not help until one of them is finished",
    "the handle without a final status",
    f"{_SPEC}; TF-RMM sro_context.c",
)
BUSY_STORM = Rule(
    "RMI-BUSY-STORM",
    "warning",
    "RMI_BUSY again and again",
    "another CPU holds a context or the device; Linux tries again without limit",
    "what the other CPUs do; an operation that was left",
    f"{_SPEC}; Linux RFC v4",
)
_STORM = 100
_LONG_NS = 1_000_000_000


def left(capture: Capture) -> Iterable[Finding]:
    """OP-NEVER-CONTINUED: no RMI_OP_* call takes up what answered RMI_INCOMPLETE, or the last of them answered so too."""
    return some(f for s in diagnose.runs(capture) for f in _left(capture, s))


def _left(capture: Capture, source: int) -> Iterator[Finding]:
    c = capture.calls
    incomplete = capture.statuses.index("RMI_INCOMPLETE") if "RMI_INCOMPLETE" in capture.statuses else -2
    ops = [i for i, n in enumerate(capture.names) if n.startswith("RMI_OP_")]
    begun = diagnose.world(capture, source).columns.with_status("RMI_INCOMPLETE")
    begun = begun[~np.isin(c.name[begun], ops)]
    given, known = capture.regs(begun, 1, out=True)
    anew = Events((given[known], begun[known], 0)).behind(given, begun)
    ends = capture.operations.end(begun)
    for k in np.flatnonzero(c.status[ends] == incomplete).tolist():
        seq, last = int(begun[k]), int(ends[k])
        # the same handle given out anew is the end of it, whoever ended it
        again = bool(known[k]) and int(anew[k]) != NEVER
        if again or not behind(capture, source, last):
            continue
        handle = f" with handle 0x{int(given[k]):x}" if known[k] else ""
        end = f", up to call {last} {capture.name_text(last)}" if last != seq else ""
        text = f"{capture.name_text(seq)} (call {seq}) answered RMI_INCOMPLETE{handle} and was not finished{end}"
        yield found(NEVER_CONTINUED, capture, text, [seq, last] if last != seq else [seq])


def memory(capture: Capture) -> Iterable[Finding]:
    """OP-DONATED-FREED, OP-RECLAIM-LOST."""
    return some(f for s in diagnose.runs(capture) for f in (*_donated(capture, s), *_reclaimed(capture, s)))


def _donated(capture: Capture, source: int) -> Iterator[Finding]:
    c = capture.calls
    columns = diagnose.world(capture, source).columns
    donate, _end, took, known = columns.with_arg(("OP_MEM_DONATE",), "donated_count", out=True)
    gave, back = c.parent[donate[known & (took != 0)]], c.parent[columns.of("OP_MEM_RECLAIM")]
    commands = np.setdiff1d(gave[gave >= 0], back)
    ends = capture.operations.end(commands)
    bad = c.failed[ends]
    for command, last in zip(commands[bad].tolist(), ends[bad].tolist(), strict=True):
        if capture.status_text(last) not in ("RMI_BUSY", "RMI_BLOCKED", "RMI_INCOMPLETE"):
            text = f"{capture.name_text(command)} (call {command}) ended with {capture.status_text(last)} (call {last}) "
            text += "after memory was donated, and none of it was reclaimed"
            yield found(DONATED_FREED, capture, text, [last, command])


def _reclaimed(capture: Capture, source: int) -> Iterator[Finding]:
    columns = diagnose.world(capture, source).columns
    rows, _end, count, known = columns.with_arg(("OP_MEM_RECLAIM",), "reclaim_count", out=True)
    given_back, _end = columns.done("GRANULE_RANGE_UNDELEGATE")
    if not columns.sees_all or not len(rows):
        return
    entries = int(count[known].sum())
    behind_first = int((given_back > rows[0]).sum())
    if entries > behind_first:
        text = f"{entries} ranges were reclaimed, {behind_first} calls of RMI_GRANULE_RANGE_UNDELEGATE come behind the first"
        yield found(RECLAIM_LOST, capture, text, rows.tolist(), object="")


def blocked(capture: Capture) -> Iterable[Finding]:
    """RMI-BLOCKED, with the operations that are open."""
    return some(f for s in diagnose.runs(capture) for f in _blocked(capture, s))


def _blocked(capture: Capture, source: int) -> Iterator[Finding]:
    rows = diagnose.world(capture, source).columns.with_status("RMI_BLOCKED")
    if not len(rows):
        return
    seq = int(rows[0])
    living = diagnose.world(capture, source).operations.open_at(seq)
    text = f"{capture.name_text(seq)} (call {seq}) got RMI_BLOCKED" + (
        f", and {len(rows) - 1} more calls" if len(rows) > 1 else ""
    )
    if living:
        text += "; not finished: " + ", ".join(f"{capture.name_text(o.command)} (call {o.command})" for o in living[:4])
    yield found(BLOCKED, capture, text, [seq, *(o.command for o in living[:4]), *rows[1:].tolist()])


def busy(capture: Capture) -> Iterable[Finding]:
    """RMI-BUSY-STORM: so many in a row, or for longer than a second; those of communicate calls are COMM-BUSY."""
    return some(f for s in diagnose.runs(capture) for f in _busy(capture, s))


def _busy(capture: Capture, source: int) -> Iterator[Finding]:
    rows = diagnose.world(capture, source).columns.with_status("RMI_BUSY")
    if len(rows) < 2:
        return
    name = capture.calls.name[rows]
    for i in np.unique(name).tolist():
        mine = rows[name == i]
        same = diagnose.world(capture, source).columns.of(capture.names[i].removeprefix("RMI_"))
        place = np.searchsorted(same, mine)
        for run in np.split(mine, np.flatnonzero(np.diff(place) != 1) + 1):  # calls of this command that follow each other
            ts = capture.calls.ts[run]
            took = int(ts[-1] - ts[0]) if (ts != NO_TIME).all() else 0
            if len(run) >= _STORM or (len(run) > 2 and took >= _LONG_NS):
                text = f"{capture.names[i]} got RMI_BUSY {len(run)} times in a row" + (
                    f", for {took / 1e9:.1f} s" if took else ""
                )
                yield found(BUSY_STORM, capture, text, run.tolist())


CHECKS = (
    Check(left, (NEVER_CONTINUED,)),
    Check(memory, (DONATED_FREED, RECLAIM_LOST)),
    Check(blocked, (BLOCKED,)),
    Check(busy, (BUSY_STORM,)),
)
