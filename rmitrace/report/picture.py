"""The sequence in which it failed as columns of a picture: calls, answers, states and messages beside each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..capture.marks import Mark
from ..capture.messages.statistics import is_error
from ..capture.model import Capture
from ..capture.records import NO_TIME
from ..export.text import duration, seconds
from ..lifecycle.model import Sequence, Step
from .model import Event, Picture, Shown, Span
from .redact import Redactor

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_EVENTS = 56
"""Columns of a picture."""
_BEFORE, _AFTER = 3000, 200
"""Calls of the sequence before and after the one that the report is about that are looked at."""
_FIRST, _TAIL = 6, 10
"""Columns that are kept at the beginning, and behind the main call, where there are too many."""
_AROUND = (16, 6)
"""Calls before and after one that is in no sequence."""
_FEWEST = 2
"""Columns of which a picture is made."""
_SHORT = 5
"""Calls of a sequence that is drawn with those around it."""
_LINES = 2000
"""Lines of logs that are looked at."""
_TELLING = ("rmm", "spdm", "crash", "assert", "kernel", "vmm", "tf-a", "el3")
_WORDS = ("fail", "error", "assert", "exception", "panic", "abort", "invalid", "unable", "unsupported", "timeout", "mismatch")


def picture(capture: Capture, q: Sequence | None, main: int | None, redactor: Redactor) -> Picture | None:
    """The picture of a sequence, or of the calls around one that is in none; None where there is neither."""
    if q is not None and main is not None and len(q.calls) < _SHORT:  # alone it shows nothing
        rows = _around(capture, main)
        object_, steps = q.object, q.steps
        title, outcome, why = q.title, q.outcome, q.why
    elif q is not None:
        rows, object_, steps = np.asarray(q.calls), q.object, q.steps
        title, outcome, why = q.title, q.outcome, q.why
    elif main is not None:
        rows = _around(capture, main)
        object_, steps = capture.object_of(main) or "", ()
        title, outcome, why = f"calls around call {main}", "failed" if capture.calls.failed[main] else "ok", ""
    else:
        return None
    if not len(rows):
        return None
    place = int(np.searchsorted(rows, main)) if main is not None else len(rows) - 1
    rows, before = rows[max(0, place - _BEFORE) : place + _AFTER], max(0, place - _BEFORE)
    events = _events(capture, rows, object_, steps, main, redactor)
    if before:
        events.insert(0, Event((int(rows[0]), int(rows[0])), 0, gap=before))
    if len(events) < _FEWEST:
        return None
    events = _fewer(events)
    return Picture(
        redactor.text(title),
        redactor.text(object_),
        outcome,
        redactor.text(why),
        tuple(events),
        tuple(_steps(capture, events, steps, redactor)),
        tuple(_states(capture, events, object_, redactor)),
    )


def _around(capture: Capture, main: int) -> npt.NDArray[np.int64]:
    return np.arange(max(0, main - _AROUND[0]), min(len(capture), main + _AROUND[1] + 1))


def _events(
    capture: Capture,
    rows: npt.NDArray[np.int64],
    object_: str,
    steps: tuple[Step, ...],
    main: int | None,
    redactor: Redactor,
) -> list[Event]:
    c = capture.calls
    changes = _changes(capture, object_, rows)
    step_of = {int(r): i for i, s in enumerate(steps) for r in np.asarray(s.calls).tolist()}
    said = _lines(capture, rows)
    out: list[Event] = []
    for row in rows.tolist():
        name, failed = capture.name_text(row).removeprefix("RMI_"), bool(c.failed[row])
        status = capture.status_text(row)
        state, logs = changes.get(row, ""), said.get(row, [])
        quiet = not (failed or state or logs or row == main)
        if quiet and name.endswith("_GET_STATE"):
            continue
        messages = capture.messages_of(row) if row in capture.conversations.by_call else []
        event = Event(
            (row, row),
            1,
            redactor.text(name),
            Shown("" if status in ("RMI_SUCCESS", "") else redactor.text(status.removeprefix("RMI_"))),
            failed,
            redactor.text(state),
            tuple((m.direction == "request", redactor.text(m.vendor or m.name)) for m in messages[:4]),
            any(is_error(m) or any(v.outcome in ("wrong", "unproven") for _, v in m.proven) for m in messages),
            tuple(redactor.text(m.text.strip().splitlines()[0][:160] if m.text.strip() else "") for m in logs[:3]),
            row == main,
            step=step_of.get(row, -1),
            when=Shown(seconds(int(c.ts[row])) if c.ts[row] != NO_TIME else ""),
        )
        last = out[-1] if out else None
        if last is not None and quiet and not messages and not last.talks and _alike(last, event):
            out[-1] = replace(last, seqs=(last.seqs[0], row), count=last.count + 1)
        else:
            out.append(event)
    return out


def _alike(a: Event, b: Event) -> bool:
    plain = not (a.failed or a.state or a.logs or a.main or a.gap)
    return plain and (a.name, a.status, a.step) == (b.name, b.status, b.step)


def _changes(capture: Capture, object_: str, rows: npt.NDArray[np.int64]) -> dict[int, str]:
    """The new state of the object, by the call that showed it; of the kinds of objects that have states."""
    states = capture.states
    if not len(rows) or object_.partition(":")[0] not in ("pdev", "vdev", "realm"):
        return {}
    found = states.of(object_)
    inside = found[(states.call[found] >= rows[0]) & (states.call[found] <= rows[-1])]
    return {states[int(i)].call: _short(states[int(i)].to) for i in inside.tolist()}


def _short(state: str) -> str:
    for prefix in ("RMI_", "PDEV_", "VDEV_", "REALM_"):
        state = state.removeprefix(prefix)
    return state


def _lines(capture: Capture, rows: npt.NDArray[np.int64]) -> dict[int, list[Mark]]:
    """Lines of logs that tell of an error, by the call of the picture that they stand in front of."""
    out: dict[int, list[Mark]] = {}
    for m in telling(capture, int(rows[0]), int(rows[-1])) if len(rows) else ():
        out.setdefault(int(rows[np.searchsorted(rows, m.before_call)]), []).append(m)
    return out


def telling(capture: Capture, first: int, last: int) -> list[Mark]:
    """The lines of logs that tell of an error, in front of some calls; of very many the last."""
    near = capture.marks().of(_TELLING)
    at = np.flatnonzero((near.before_call >= first) & (near.before_call <= last))[-_LINES:]
    return [m for m in (near[int(i)] for i in at) if any(w in m.text[:400].lower() for w in _WORDS)]


def _fewer(events: list[Event]) -> list[Event]:
    """At most MAX_EVENTS: the beginning, and what leads to the main call."""
    if len(events) <= MAX_EVENTS:
        return events
    main = next((i for i, e in enumerate(events) if e.main), len(events) - 1)
    end = min(len(events), main + _TAIL)
    start = max(_FIRST, end - (MAX_EVENTS - _FIRST - 2))
    left = events[_FIRST:start]
    kept = events[:_FIRST]
    if left:
        kept.append(Event((left[0].seqs[0], left[-1].seqs[1]), 0, gap=sum(e.count or e.gap for e in left), step=left[-1].step))
    kept += events[start:end]
    if events[end:]:
        rest = events[end:]
        kept.append(Event((rest[0].seqs[0], rest[-1].seqs[1]), 0, gap=sum(e.count for e in rest), step=rest[-1].step))
    return kept


def _steps(capture: Capture, events: list[Event], steps: tuple[Step, ...], redactor: Redactor) -> list[Span]:
    out: list[Span] = []
    c = capture.calls
    for column, e in enumerate(events):
        if e.step < 0 or e.step >= len(steps):
            continue
        s = steps[e.step]
        if out and out[-1].name == s.name and out[-1].last == column - 1:
            out[-1] = replace(out[-1], last=column)
            continue
        start, end, dur = int(c.ts[s.first]), int(c.ts[s.last]), int(c.dur[s.last])
        took = "" if NO_TIME in (start, end) else duration(max(end - start + max(dur, 0), 0))
        out.append(Span(redactor.text(s.name), column, column, s.outcome, Shown(took)))
    return out


def _states(capture: Capture, events: list[Event], object_: str, redactor: Redactor) -> list[Span]:
    """The states of the object: over the columns from the call that showed each to the next one."""
    if object_.partition(":")[0] not in ("pdev", "vdev", "realm") or not events:
        return []
    states = capture.states
    found = states.of(object_)
    out: list[Span] = []
    first = events[0].seqs[0]
    earlier = [int(i) for i in found.tolist() if states.call[i] < first]
    if earlier:
        out.append(Span(redactor.text(_short(states[earlier[-1]].to)), 0, 0))
    inferred = {states[int(i)].call: states[int(i)].inferred for i in found.tolist()} if len(found) < 10_000 else {}
    for column, e in enumerate(events):
        if e.state:
            if out and out[-1].name == e.state:
                out[-1] = replace(out[-1], last=column)
                continue
            out.append(Span(e.state, column, column, inferred=inferred.get(e.seqs[0], False)))
        elif out:
            out[-1] = replace(out[-1], last=column)
    return out
