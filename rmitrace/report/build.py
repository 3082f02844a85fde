"""From a capture to what a report says of it, bounded whatever the capture's size."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__
from ..capture.records import NO_TIME, Finding
from ..correlate.words import clock_lines
from ..export.conversation import message_text
from ..export.text import duration, seconds
from . import calls, choose, evidence, findings
from .model import CallItem, Report, Row, Shown
from .picture import picture
from .redact import KINDS, Redactor

if TYPE_CHECKING:
    from ..capture.marks import Mark
    from ..capture.model import Capture

_SEQUENCES = 40
_MESSAGES = 80
_LOGS = 6
"""Lines of logs in front of one call."""
_BUDGET = 3 << 20
"""Characters of decoded calls, as far as they are counted; the page takes about three times as much."""


def build(capture: Capture, redactor: Redactor) -> Report:
    """The whole report."""
    found = choose.ordered(capture.findings)
    grave = [f for f in found if f.severity in ("error", "warning")]
    first = choose.headline(found)
    main = choose.main_call(capture, first)
    q = choose.sequence(capture, first, main)
    shown = choose.calls(capture, grave[: choose.MAX_FINDINGS], q, main)
    calls.introduce(capture, shown, redactor)
    there = set(shown)
    left: list[str] = []
    counts = Counter(f.severity for f in found)
    asked = findings.answers(capture)
    report = Report(
        __version__,
        findings.verdict(capture, first, main, q, redactor, there, asked),
        {s: counts.get(s, 0) for s in ("error", "warning", "note")},
        _numbers(capture),
        redactor.text(capture.revision.name),
        _how(capture, redactor),
    )
    report.picture = picture(capture, q, main, redactor)
    report.answers = findings.told(capture, asked, redactor)
    _left(left, len(asked), findings.MAX_ANSWERS, "answers to lines of the text", "explain")
    told: set[int | str] = set()
    report.items = [findings.item(capture, f, redactor, there, told) for f in grave[: choose.MAX_FINDINGS]]
    notes = [f for f in found if f.severity == "note"]
    report.notes = [findings.item(capture, f, redactor, there, told) for f in notes[: choose.MAX_NOTES]]
    _left(left, len(grave), choose.MAX_FINDINGS, "errors and warnings")
    _left(left, len(notes), choose.MAX_NOTES, "notes")
    evidence.speak(capture, report, redactor)
    report.sequences = _rows(capture, redactor, left)
    _calls(capture, report, shown, main, redactor, left)
    if not len(capture.calls):
        _messages(capture, report, first, redactor, left)
    report.files = [evidence.file(s, redactor) for s in capture.sources]
    report.clocks = [redactor.text(line) for line in clock_lines(capture)]
    report.environment = evidence.environment(capture, redactor)
    report.left = left
    report.hidden = redactor.hidden()
    report.kept = [k for k in KINDS if not redactor.hides(k)]
    return report


def _left(left: list[str], have: int, most: int, what: str, command: str = "check") -> None:
    if have > most:
        left.append(f"{have - most} of {have} {what}; `rmitrace {command}` lists them all")


def _numbers(capture: Capture) -> list[tuple[str, str]]:
    c = capture.calls
    out = [("calls", str(len(c))), ("failed", str(int(c.failed.sum())))] if len(c) else []
    messages = len(capture.conversations.all)
    if messages:
        out.append(("messages", str(messages)))
    if len(capture.sequences):
        out.append(("sequences", str(len(capture.sequences))))
    known = np.asarray(c.ts)[np.asarray(c.ts) != NO_TIME] if len(c) else np.zeros(0)
    if len(known) > 1:
        out.append(("span", duration(int(known.max() - known.min()))))
    return out


def _how(capture: Capture, redactor: Redactor) -> Shown:
    r = capture.revision
    if not len(capture.calls):
        return Shown("no calls: nothing to tell it from")
    return redactor.text("asked for" if r.forced else "assumed: nothing tells it" if r.assumed else "from evidence")


def _rows(capture: Capture, redactor: Redactor, left: list[str]) -> list[Row]:
    """The sequences, those that failed before the others where there are too many."""
    table = capture.sequences
    numbers = list(range(len(table)))
    if len(numbers) > _SEQUENCES:
        bad = [i for i in numbers if table.outcome[i] == 1]
        numbers = sorted((bad + [i for i in numbers[:_SEQUENCES] if table.outcome[i] != 1])[:_SEQUENCES])
        left.append(f"{len(table) - len(numbers)} of {len(table)} sequences; `rmitrace view --text` lists them all")
    out = []
    for q in (table[i] for i in numbers):
        took = duration(q.end_ns - q.start_ns) if q.start_ns is not None and q.end_ns is not None else ""
        title = redactor.text(f"{q.kind} {q.object}")
        start = Shown(seconds(q.start_ns, 3) if q.start_ns is not None else "")
        out.append(Row(q.outcome, title, start, Shown(took), len(q.calls), q.first, q.last, redactor.text(q.why)))
    return out


def _calls(capture: Capture, report: Report, shown: list[int], main: int | None, redactor: Redactor, left: list[str]) -> None:
    logs = _logs(capture, shown)
    room = _BUDGET
    last = shown[0] - 1 if shown else 0
    plain = 0
    for seq in shown:
        full = room > 0 or seq == main
        plain += not full
        made = calls.item(capture, seq, redactor, main=seq == main, logs=logs.get(seq, []), skipped=seq - last - 1, full=full)
        last = seq
        room -= _size(made)
        report.calls.append(made)
    if len(shown) < len(capture.calls):
        left.append(f"{len(capture.calls) - len(shown)} of {len(capture.calls)} calls; `rmitrace decode` lists them all")
    if plain:
        left.append(f"memory, messages and raw records of {plain} of the calls that are shown")


def _size(item: CallItem) -> int:
    """About how many characters of memory, messages and records a call has."""
    n = sum(len(line) for b in item.raw for line in b.lines)
    n += sum(400 + 90 * len(m.block.lines) + 60 * len(m.tree) for m in item.memory)
    return n + sum(400 + 90 * (len(t.block.lines) if t.block else 0) + 60 * len(t.tree) for t in item.talks)


def _logs(capture: Capture, shown: list[int]) -> dict[int, list[Mark]]:
    """The lines of logs right in front of the calls that are shown."""
    marks = capture.marks().in_order()
    out: dict[int, list[Mark]] = {}
    for seq in shown:
        start, end = np.searchsorted(marks.before_call, [seq, seq + 1]).tolist()
        if end > start:
            out[seq] = list(marks[max(start, end - _LOGS) : end])
    return out


def _messages(capture: Capture, report: Report, first: Finding | None, redactor: Redactor, left: list[str]) -> None:
    """The messages of a capture without calls: those before what went wrong."""
    found = capture.conversations.decode()
    end = len(found)
    if first is not None and first.offset >= 0:
        at = next((i for i, m in enumerate(found) if m.place.source == first.source and m.place.offset >= first.offset), end)
        end = min(end, at + 20)
    start = max(0, end - _MESSAGES)
    report.messages = [redactor.text(message_text(capture, m), strict=True) for m in found[start:end]]
    if start or end < len(found):
        left.append(f"{len(found) - (end - start)} of {len(found)} messages; `rmitrace messages` lists them all")
