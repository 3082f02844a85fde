"""Text in strace's manner: one line a call, marks between them, sequences and findings at the end."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import IO

from ..capture.left_open import Template
from ..capture.marks import Mark
from ..capture.messages import Message
from ..capture.messages.facts import name_and_facts
from ..capture.model import Call, Capture
from ..capture.revision import Revision
from ..capture.rows import CPU, DUR, PID, TASK, TS, Row, Rows
from ..capture.source import Source
from ..correlate import sources_of
from ..correlate.skew import skews
from ..correlate.skew.words import said
from ..correlate.views import differences, told
from ..correlate.words import clock_lines
from ..display import safe

_EVENTS = 5
"""Kinds of other events that are named."""


def write(
    capture: Capture, seqs: Iterable[int], out: IO[str], *, marks: bool = True, summary: bool = True, why: bool = False
) -> None:
    """The calls, one line each, with the lines worth showing between them; then sequences and findings."""
    write_header(capture, out, _HEADER_WIDTH)
    lines = Lines(capture, out, marks=marks, why=why)
    for row in lines.rows.read(seqs):
        lines.row(row, capture.messages_of(row.seq))
    lines.end()
    for m in capture.conversations.decode():
        if m.place.call is None:
            out.write(message_line(m) + "\n")
    if summary:
        write_sequences(capture, out)
        write_findings(capture, out)


class Lines:
    """Writes calls in their order, each with its messages, and between them the lines worth showing where ``marks``;
    below a call that failed, the conditions of its status where ``why``."""

    def __init__(self, capture: Capture, out: IO[str], *, marks: bool, why: bool = False) -> None:
        self._capture, self._out, self._why = capture, out, why
        self._several = len(capture.sources) > 1
        self._marks = iter(capture.marks().in_order() if marks else ())
        self._next = next(self._marks, None)
        self.rows = Rows(capture)

    def row(self, row: Row, messages: Iterable[Message]) -> None:
        """The next call, behind the lines that stand in front of it."""
        seq = row.seq
        self._up_to(seq)
        self._out.write(f"{row_text(self._capture, row, self._several)}\n")
        if self._why and self._capture.calls.failed[seq]:
            write_why(self._capture, seq, self._out)
        for m in messages:
            self._out.write(message_line(m) + "\n")

    def end(self) -> None:
        """The lines behind the last call."""
        self._up_to(len(self._capture))

    def _up_to(self, seq: int) -> None:
        while self._next is not None and self._next.before_call <= seq:
            self._out.write(mark_line(self._next) + "\n")
            self._next = next(self._marks, None)


def write_why(capture: Capture, seq: int, out: IO[str]) -> None:
    """The conditions of a call that failed, set in under it."""
    from .. import diagnose
    from . import conditions

    d = diagnose.why(capture, seq)
    for line in conditions.lines(d) if d is not None else ():
        out.write(f"    {line}\n")


_HEADER_WIDTH = 160


def write_header(capture: Capture, out: IO[str], width: int | None = None) -> None:
    """What was opened, and in which revision it is read, with the evidence (cut to ``width`` columns)."""
    for i, s in enumerate(capture.sources):
        number = f"{i}: " if len(capture.sources) > 1 else ""
        out.write(f"# {number}{safe(s.path)}: {s.format}, {len(s.records)} records{_others(s)}\n")
    for line in clock_lines(capture):
        out.write(f"# clocks: {safe(line)}\n")
    if not len(capture.calls):
        return
    for skew in skews(capture):
        out.write(_cut(f"# skew: {safe(said(capture, skew))}", width) + "\n")
    out.write(abi_line(capture.revision, width) + "\n")


def _others(s: Source) -> str:
    """What trace events a source has that are no SMCs (those of KVM, of interrupts), and how many of each."""
    events: dict[str, int] = s.records.facts.get("ignored_events", {})
    if not events:
        return ""
    shown = [f"{safe(name)} {n:,}" for name, n in list(events.items())[:_EVENTS]]
    more = [f"{len(events) - _EVENTS} more"] if len(events) > _EVENTS else []
    return f"; other events: {', '.join(shown + more)}"


def abi_line(r: Revision, width: int | None = _HEADER_WIDTH) -> str:
    """The revision that is read, and from what it was told."""
    how = "asked for" if r.forced else "assumed, nothing tells it" if r.assumed else "from " + "; ".join(r.evidence[:3])
    return _cut(f"# ABI {r.name} ({safe(how)})", width)


def _cut(line: str, width: int | None) -> str:
    return line if width is None or len(line) <= width else line[: width - 1] + "\u2026"


def seconds(ns: int | None, digits: int = 6) -> str:
    """A time in seconds, '-' where there is none."""
    if ns is None:
        return "-"
    sign, ns = ("-" if ns < 0 else ""), abs(ns)
    return f"{sign}{ns // 10**9}.{ns % 10**9 // 10 ** (9 - digits):0{digits}d}"


def duration(ns: int | None) -> str:
    """'42.1us', '1.3ms', '2.0s'; empty where unknown."""
    if ns is None:
        return ""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if ns >= size:
            return f"{ns / size:.1f}{unit}"
    return f"{ns}ns"


def call_text(capture: Capture, seq: int, several: bool = False) -> str:
    """One call as one line: time, CPU, task, the call and how long it took."""
    c = capture.call(seq)
    head = _head(capture, seq, several, c.ts_ns, c.cpu, c.pid, c.task, c.parent is not None)
    return head + c.line + took(c.dur_ns) + hints(c) + other_sides(capture, seq)


def row_text(capture: Capture, row: Row, several: bool = False) -> str:
    """The same of a row."""
    if row.form is None:
        return call_text(capture, row.seq, several)
    values, made = row.values, row.form.made
    if "text" not in made:
        c = row.form.call
        known = c.ts_ns is not None, c.dur_ns is not None, c.cpu is not None, c.pid is not None, c.parent is not None
        made["text"] = Template.of(c.line, row.form.looked), Template.of(hints(c), row.form.looked), *known
    line, hint, ts, dur, cpu, pid, parent = made["text"]
    head = _head(capture, row.seq, several, values[TS] if ts else None, values[CPU] if cpu else None,
                 values[PID] if pid else None, values[TASK], parent)  # fmt: skip
    end = other_sides(capture, row.seq) if capture.correlation is not None else ""
    return f"{head}{line.fill(values)}{took(values[DUR] if dur else None)}{hint.fill(values)}{end}"


def _head(
    capture: Capture, seq: int, several: bool, ts: int | None, cpu: int | None, pid: int | None, task: str | None, inner: bool
) -> str:
    """What stands in front of a call; ``inner``: it works for another."""
    out = [seconds(ts)] if ts is not None else []
    if cpu is not None:
        out.append(f"[{cpu:03d}]")
    if task is not None or pid is not None:
        out.append(safe(f"{task or '?'}-{pid}" if pid is not None else task or ""))
    head = " ".join(out) + "  " if out else ""
    if several:
        head = f"{seen_by(capture, seq) + ':':<{_seen_width(capture)}} {head}"
    return head + "  " if inner else head


def seen_by(capture: Capture, seq: int) -> str:
    """The sources that show a call: '0+1'."""
    also = capture.correlation
    return str(capture.calls.source[seq]) if also is None else "+".join(map(str, sources_of(int(also.seen[seq]))))


def run(capture: Capture, source: int) -> str:
    """The sources that show the run that a source shows: '0+1'."""
    return "+".join(map(str, sorted(capture.together(source))))


def _seen_width(capture: Capture) -> int:
    """Cells of '0+1:', of the most sources that show one call."""
    also = capture.correlation
    return 2 * (1 + (sum(k.pairs > 0 for k in also.links) if also is not None else 0))


def other_sides(capture: Capture, seq: int) -> str:
    """What other sources show otherwise of a call, or do not show although they should."""
    also = capture.correlation
    said = []
    if also is not None and also.changed[seq]:
        call = capture.call(seq)
        for sight in capture.sights(seq):
            found = differences(capture, call, sight)
            said += [f"{capture.sources[sight.source].name} has {told(found)}"] if found else []
    if also is not None and also.missing[seq]:
        said.append("not in " + ", ".join(capture.sources[s].name for s in sources_of(int(also.missing[seq]))))
    return safe("  ! " + "; ".join(said)) if said else ""


def took(ns: int | None) -> str:
    """'  <42.1us>', empty where the duration is unknown."""
    return f"  <{duration(ns)}>" if ns is not None else ""


def hints(c: Call) -> str:
    """What is odd about a call: told by a wrapper only, half of it missing, notes of the decoder."""
    said = []
    if c.inferred:
        said.append("inferred")
    if c.paired == "exit-only":
        said.append("entry not recorded")
    said += [f"{n.name}: {n.note}" for n in c.tree.walk() if n.note and n.severity != "note"]
    return safe("  ! " + "; ".join(said)) if said else ""


def mark_line(m: Mark) -> str:
    """A line of the capture that is no call, set off by a bar; only the first line of a longer one."""
    lines = m.text.rstrip("\r\n").splitlines() or [""]
    more = f" (+{len(lines) - 1} lines)" if len(lines) > 1 else ""
    return safe(f"| {m.kind}: {lines[0].strip()}") + more


def message_line(m: Message) -> str:
    """A message with what matters in it, set in under its call: '    -> GET_VERSION (4 bytes)'."""
    arrow = "->" if m.direction == "request" else "<-"
    said = name_and_facts(m)
    size = "" if ": " in said else f" ({m.size} bytes)"
    at = f"{seconds(m.place.ts_ns)} " if m.place.call is None and m.place.ts_ns is not None else ""
    return safe(f"    {at}{arrow} {said}{size}{message_notes(m)}")


def message_notes(m: Message) -> str:
    """What is wrong in a message, unescaped: '  ! truncated; and 2 more'; empty where nothing is."""
    found = [n for n in m.tree.walk() if n.note and n.severity in ("warning", "error")] if m.tree is not None else []
    said = [str(n.note) for n in found[:2]]
    if len(found) > 2:
        said.append(f"and {len(found) - 2} more")
    return f"  ! {'; '.join(said)}" if said else ""


SIGN = {"ok": "+", "failed": "x", "incomplete": "~"}


def write_sequences(capture: Capture, out: IO[str]) -> None:
    """The sequences with their steps and outcomes."""
    if not capture.sequences:
        return
    out.write("\nSequences\n")
    for q in capture.sequences:
        side = f"{run(capture, q.source)}: " if len(capture.sources) > 1 else ""
        out.write(f"  {SIGN[q.outcome]} {side}{safe(q.title)}  calls {capture.number(q.first)}..{capture.number(q.last)}\n")
        steps = [f"{s.name} {SIGN[s.outcome]}" for s in q.steps]
        out.write("      " + safe(", ".join(steps)) + "\n")
        if q.why:
            out.write("      " + safe(q.why) + "\n")


_TOLD = ("SEQUENCE-FAILED",)
"""Findings that the sequences above them have told already."""


def write_findings(
    capture: Capture,
    out: IO[str],
    most: int | None = None,
    width: int | None = None,
    leave_out: tuple[str, ...] = _TOLD,
) -> None:
    """The findings, gravest first, ``leave_out`` without the rules that are told elsewhere: by default by the sequences;
    ``most`` of the notes, wrapped to ``width``."""
    rank = {"error": 0, "warning": 1, "note": 2}
    ordered = sorted((f for f in capture.findings if f.rule not in leave_out), key=lambda f: rank.get(f.severity, 3))
    if not ordered:
        return
    grave = sum(f.severity in ("error", "warning") for f in ordered)
    shown = ordered if most is None else ordered[: grave + most]
    out.write("\nFindings\n")
    for f in shown:
        where = f" ({safe(capture.sources[f.source].name)} at byte {f.offset})" if f.source >= 0 and f.offset >= 0 else ""
        line = f"{f.severity} {f.rule}: {safe(f.message)}{where}"
        for i, part in enumerate([line] if width is None else textwrap.wrap(line, max(width - 4, 40))):
            out.write(f"{'    ' if i else '  '}{part}\n")
    if len(ordered) > len(shown):
        out.write(f"  and {len(ordered) - len(shown)} more notes\n")
