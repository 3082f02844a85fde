"""From a capture to what a report says of it, bounded whatever the capture's size."""

from __future__ import annotations

import hashlib
import os
import platform
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__, checks, diagnose
from ..capture.records import NO_TIME, Finding
from ..correlate.skew import bites, opinions, skews
from ..correlate.skew.words import group_text, said
from ..correlate.words import clock_lines
from ..export.conversation import message_text
from ..export.text import duration, seconds
from . import calls, choose
from .model import CallItem, FileItem, Item, Report, Row, Shown, Speaker, Verdict
from .picture import picture, telling
from .redact import KINDS, Redactor

if TYPE_CHECKING:
    from ..capture.marks import Mark
    from ..capture.model import Capture
    from ..capture.source import Source
    from ..lifecycle.model import Sequence

_EVIDENCE = 8
_BITES = 30
_SEQUENCES = 40
_MESSAGES = 80
_LOGS = 6
"""Lines of logs in front of one call."""
_BUDGET = 3 << 20
"""Characters of decoded calls, as far as they are counted; the page takes about three times as much."""
_LIBRARIES = ("construct", "numpy", "polars", "cryptography")


def build(capture: Capture, redactor: Redactor) -> Report:
    """The whole report."""
    findings = choose.ordered(capture.findings)
    grave = [f for f in findings if f.severity in ("error", "warning")]
    first = choose.headline(findings)
    main = choose.main_call(capture, first)
    q = choose.sequence(capture, first, main)
    shown = choose.calls(capture, grave[: choose.MAX_FINDINGS], q, main)
    calls.introduce(capture, shown, redactor)
    there = set(shown)
    left: list[str] = []
    counts = Counter(f.severity for f in findings)
    report = Report(
        __version__,
        _verdict(capture, first, main, q, redactor, there),
        {s: counts.get(s, 0) for s in ("error", "warning", "note")},
        _numbers(capture),
        redactor.text(capture.revision.name),
        _how(capture, redactor),
    )
    report.picture = picture(capture, q, main, redactor)
    told: set[int] = set()
    report.items = [_item(capture, f, redactor, there, told) for f in grave[: choose.MAX_FINDINGS]]
    notes = [f for f in findings if f.severity == "note"]
    report.notes = [_item(capture, f, redactor, there, told) for f in notes[: choose.MAX_NOTES]]
    _left(left, len(grave), choose.MAX_FINDINGS, "errors and warnings")
    _left(left, len(notes), choose.MAX_NOTES, "notes")
    _speak(capture, report, redactor)
    report.sequences = _rows(capture, redactor, left)
    _calls(capture, report, shown, main, redactor, left)
    if not len(capture.calls):
        _messages(capture, report, first, redactor, left)
    report.files = [_file(s, redactor) for s in capture.sources]
    report.clocks = [redactor.text(line) for line in clock_lines(capture)]
    report.environment = _environment(capture, redactor)
    report.left = left
    report.hidden = redactor.hidden()
    report.kept = [k for k in KINDS if not redactor.hides(k)]
    return report


def _left(left: list[str], have: int, most: int, what: str) -> None:
    if have > most:
        left.append(f"{have - most} of {have} {what}; `rmitrace check` lists them all")


def _verdict(
    capture: Capture, first: Finding | None, main: int | None, q: Sequence | None, redactor: Redactor, there: set[int]
) -> Verdict:
    none = Shown("")
    if first is None:
        n = sum(f.severity == "note" for f in capture.findings)
        told = "no rule found an error or a warning in "
        if len(capture.calls):
            told += _count(len(capture.calls), "call")
        else:
            told += _count(len(capture.conversations.all), "message")
        told += f"; {_count(n, 'note')} below" if n else ""
        return Verdict(True, Shown("Nothing wrong found"), None, Shown(told), none, (), none, none)
    rule = checks.RULES.get(first.rule)
    what = rule.title if rule is not None else first.rule
    title = what[:1].upper() + what[1:]
    if main is not None:
        about = capture.object_of(main)
        name = capture.name_text(main)
        title = (what if what.startswith(name) else f"{name}: {what}") + (f" ({about})" if about else "")
    within = ""
    if q is not None:
        step = next((s for s in q.steps if s.outcome == "failed"), None)
        within = f"{q.kind} of {q.object}, {q.outcome}" + (f" at step {step.name}" if step is not None else "")
    return Verdict(
        False,
        redactor.text(title),
        calls.reference(capture, main, redactor, main in there) if main is not None else None,
        redactor.text(first.message),
        redactor.text(_cause(capture, main)),
        tuple(redactor.text(f"{capture.sources[m.source].name}: {m.text.strip()[:300]}") for m in _said(capture, main)),
        redactor.text(rule.next if rule is not None else ""),
        redactor.text(within),
    )


def _cause(capture: Capture, main: int | None) -> str:
    d = diagnose.why(capture, main) if main is not None and capture.calls.failed[main] else None
    if d is None or not d.verdicts:
        return ""
    struck = sum(v.holds is False for v in d.verdicts)
    counts = f"{_count(len(d.verdicts), 'condition')} of {d.status}: {len(d.held)} held, {struck} struck, {len(d.open)} possible"
    if d.cause is None:
        return counts
    c = d.cause
    return f"{c.condition.when}" + (f" ({c.text})" if c.text else "") + f"; {counts}"


def _said(capture: Capture, main: int | None) -> list[Mark]:
    """The lines of logs that tell of an error, right in front of the main call or in front of the two behind it."""
    if main is None:
        return []
    before = int(capture.calls.source[main])
    return sorted(telling(capture, main, main + 2), key=lambda m: (m.before_call != main, m.source != before))[:3]


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


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


def _item(capture: Capture, f: Finding, redactor: Redactor, there: set[int], told: set[int]) -> Item:
    """``told``: the calls whose conditions an earlier finding has listed."""
    rule = checks.RULES.get(f.rule)
    known = [c for c in f.calls if 0 <= c < len(capture.calls)]
    where = f"{capture.sources[f.source].name}, byte {f.offset}" if f.source >= 0 and f.offset >= 0 else ""
    explained = f.severity != "note" and bool(known) and bool(capture.calls.failed[known[0]]) and known[0] not in told
    told.update(known[:1] if explained else ())
    return Item(
        redactor.text(f.rule),
        f.severity if f.severity in choose.RANK else "note",
        redactor.text(f.message),
        redactor.text(f.object or ""),
        redactor.text(where),
        tuple(calls.reference(capture, c, redactor, c in there) for c in known[:4]),
        max(0, len(known) - 4),
        calls.why(capture, known[0], redactor) if explained else None,
        Shown(rule.title if rule is not None else ""),
        Shown(rule.why if rule is not None else ""),
        Shown(rule.next if rule is not None else ""),
        redactor.text(f.spec or (rule.spec if rule is not None else "")),
    )


def _speak(capture: Capture, report: Report, redactor: Redactor) -> None:
    """What each side speaks, and where they do not agree."""
    if not len(capture.calls):
        return
    names = [s.name for s in capture.sources]
    known = opinions(capture)
    for o in known:
        where = f" ({' and '.join(names[s] for s in o.sources)})" if len({k.sources for k in known}) > 1 else ""
        evidence = [redactor.text(e.text) for e in o.evidence[:_EVIDENCE]]
        if len(o.evidence) > _EVIDENCE:
            evidence.append(Shown(f"and {len(o.evidence) - _EVIDENCE} more signs"))
        group = redactor.text(group_text(o.group))
        report.speakers.append(Speaker(redactor.text(o.side + where), group, redactor.text(o.text), tuple(evidence)))
    if not report.speakers:
        evidence = [redactor.text(e) for e in capture.revision.evidence[:_EVIDENCE]]
        report.speakers.append(Speaker(Shown("both"), Shown("all"), report.abi, tuple(evidence)))
    for s in skews(capture):
        found: list[Shown] = []
        for b in bites(capture, s):
            if len(found) == _BITES:
                found.append(Shown("and more: see rmitrace abi of"))
                break
            found.append(redactor.text(b.text + ("" if b.count == 1 else f" ({b.count} calls)")))
        report.skews.append((redactor.text(said(capture, s)), tuple(found)))


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


def _file(s: Source, redactor: Redactor) -> FileItem:
    size, digest = len(s.data), ""
    try:
        if s.path == "-" or not os.path.isfile(s.path):
            digest = hashlib.sha256(s.data).hexdigest()
        else:
            with open(s.path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
    except OSError:
        digest = ""
    start, end = s.first_ns, s.last_ns
    span = f"{seconds(start)} to {seconds(end)} s" if start is not None else "no times"
    return FileItem(
        redactor.text(s.name if redactor.hides("paths") else s.path),
        redactor.text(s.format),
        len(s.records),
        size,
        len(s.data) if len(s.data) != size else None,
        digest,
        Shown(span),
    )


def _environment(capture: Capture, redactor: Redactor) -> list[tuple[str, Shown]]:
    libraries = []
    for name in _LIBRARIES:
        try:
            libraries.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    out = [
        ("rmitrace", Shown(__version__)),
        ("Python", redactor.text(f"{platform.python_version()}, {platform.system()} {platform.machine()}")),
        ("libraries", redactor.text(", ".join(libraries))),
    ]
    options = [f"--map {m}" for m in capture.options.maps]
    options += ["--abi"] if capture.revision.forced else []
    options += ["secrets of sessions were given"] if capture.options.keys else []
    options += ["--show-secrets"] if capture.options.show_secrets else []
    if options:
        out.append(("options", redactor.text(", ".join(options))))
    for s in capture.sources:
        for fact in ("clock", "kernel", "machine"):
            if isinstance(s.records.facts.get(fact), str):
                out.append((f"{fact} of the trace", redactor.text(f"{s.records.facts[fact]} ({s.name})")))
    return out
