"""Sequences that failed, and the statuses that calls failed with."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from .. import diagnose
from ..capture.records import Finding
from ..lifecycle.model import FAILED
from ..lifecycle.table import OUTCOMES
from .finding import failures
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

_SHOWN = 1000
MOST = 1000
"""Sequences that failed of which each is told with its cause."""
_NORMAL = {
    "RMI_ERROR_RTT": "usual while tables are walked and unmapped",
    "RMI_ERROR_RTT_AUX": "usual while tables are walked and unmapped",
    "SMC_NOT_SUPPORTED": "the function id is not implemented",
}


SEQUENCE_FAILED = Rule(
    "SEQUENCE-FAILED",
    "error",
    "a sequence did not reach its aim",
    "a connect, attach, Realm build ... stopped at a step; what comes after it on the same object often follows from it",
    "the call that is named, and the errors before it on the same object",
    "docs/guide.md sequences; DEN0137 state machines",
)
ERROR_STATUS = Rule(
    "ERROR-STATUS",
    "note",
    "a command failed, counted by status",
    "not every status is a fault: tables are probed, versions are asked for",
    "`rmitrace decode --status NAME` for the calls; `rmitrace check --call SEQ` for why one failed",
    "DEN0137 RmiStatusCode",
)


def failed_sequences(capture: Capture) -> Iterable[Finding]:
    """SEQUENCE-FAILED: a connect, disconnect, attach, realm build, ... that did not reach its aim; the first MOST of them."""
    table = capture.sequences
    for q in islice(table.failed(), MOST):
        failed = [s for s in q.steps if s.outcome == "failed"] or q.steps[-1:]
        bad = next((s for s in failed if s.why and q.why.startswith(s.why)), failed[0])  # the one that it failed with
        calls = bad.calls[-_SHOWN:].tolist()
        first = next((c for c in calls if capture.calls.failed[c]), calls[-1])  # the one to look at goes in front
        capture_offset = _offset(capture, first)
        message = f"{q.kind} of {q.object} failed at {bad.name}: {q.why}{_cause(capture, first, q.why)}" if q.why else q.title
        yield Finding("SEQUENCE-FAILED", "error", message, *capture_offset, q.object, (first, *(c for c in calls if c != first)))
    rest = np.flatnonzero(table.outcome == OUTCOMES.index(FAILED))[MOST:]
    if len(rest):
        firsts = tuple(table.first[rest[:_SHOWN]].tolist())
        yield Finding("SEQUENCE-FAILED", "error", f"{len(rest)} more of these", *_offset(capture, firsts[0]), calls=firsts)


def _cause(capture: Capture, seq: int, said: str) -> str:
    """Why the call was refused that a sequence failed with, where the sequence does not know."""
    d = diagnose.brief(capture, seq) if ":" not in said else None
    return f": {d.reason}" if d is not None and f"{d.command} returned" in said else ""


def statuses(capture: Capture) -> Iterable[Finding]:
    """ERROR-STATUS: a command that failed, once for each status it failed with."""
    at, name, status = failures(capture)
    if not len(at):
        return
    pair = name.astype(np.int64) * (len(capture.statuses) + 1) + status + 1
    for value in np.unique(pair).tolist():
        rows = at[pair == value]
        seq = int(rows[0])
        said = capture.status_text(seq) or "an error"
        times = "once" if len(rows) == 1 else f"{len(rows)} times"
        hint = f" ({_NORMAL[said]})" if said in _NORMAL and capture.name_text(seq) != "RMI_RTT_READ_ENTRY" else ""
        text = f"{capture.name_text(seq)} returned {said} {times}{hint}"
        yield Finding("ERROR-STATUS", "note", text, *_offset(capture, seq), None, tuple(rows[:_SHOWN].tolist()))


def _offset(capture: Capture, seq: int) -> tuple[int, int]:
    """Source and byte offset of a call's first record."""
    source = int(capture.calls.source[seq])
    rec = int(capture.calls.enter[seq]) if capture.calls.enter[seq] >= 0 else int(capture.calls.exit[seq])
    return source, int(capture.sources[source].records.offset[rec])


CHECKS = (Check(failed_sequences, (SEQUENCE_FAILED,)), Check(statuses, (ERROR_STATUS,)))
