"""The report as Markdown to paste into a mail or an issue.

Whatever comes from a capture stands in a code span or a fenced block: in these nothing is read as a tag, a link, a picture, a
mention or a reference. Escaping by backslash would not do: sites look for mentions and addresses in what is left after it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import IO

from .model import Branch, CallItem, Event, Item, Picture, Report, Why
from .words import counted

MAX_SIZE = 60_000
"""Characters; issue trackers take about 65,000."""
_WIDTH = 100
_FINDINGS = 8
_AROUND = (10, 4)
"""Calls listed before and after the one that the report is about."""
_RUN = re.compile("`+")


def write(report: Report, out: IO[str]) -> None:
    """Write the report, cut to MAX_SIZE between two parts."""
    room = MAX_SIZE
    left: list[str] = []
    for name, lines in _parts(report):
        text = "\n".join(lines) + "\n\n"
        if len(text) > room:
            left.append(name)
            continue
        out.write(text)
        room -= len(text)
    if left:
        out.write(f"Left out because of the size: {', '.join(left)}.\n")


def span(text: str) -> str:
    """A code span that no text can leave."""
    text = text.replace("\n", " ").strip() or "-"
    fence = "`" * (max((len(r) for r in _RUN.findall(text)), default=0) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(lines: Iterable[str]) -> list[str]:
    """A block of code that no text can leave."""
    kept = [line.replace("\n", " ") for line in lines]
    longest = max((len(r) for line in kept for r in _RUN.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + "text", *kept, fence]


def _parts(report: Report) -> Iterator[tuple[str, list[str]]]:
    yield "head", _head(report)
    if report.picture is not None:
        yield "picture", ["## The sequence", "", *fenced(picture_lines(report.picture))]
    yield "findings", ["## Findings", "", counted(report.counts) + "."]
    for f in report.items[:_FINDINGS]:
        yield "a finding", _item(f)
    if len(report.items) > _FINDINGS:
        rest = [f"{f.severity} {f.rule}: {_cut(f.message)}" for f in report.items[_FINDINGS:]]
        yield "more findings", ["Also found:", "", *fenced(rest)]
    if report.notes:
        yield "notes", ["Notes:", "", *fenced(f"{f.rule}: {_cut(f.message)}" for f in report.notes)]
    for a in report.answers:
        lines = [f"{a.where}: {a.about}", *(f"  {line}" for line in a.said), *(f"  next: {line}" for line in a.next)]
        yield "an answer", ["What a line of the text means:", "", *fenced(lines)]
    yield "versions", _versions(report)
    yield "calls", _calls(report)
    for c in report.calls:
        if c.main:
            yield f"call {c.seq}", _call(c)
    if report.messages:
        yield "messages", ["## Messages", "", *fenced(report.messages)]
    yield "environment", _environment(report)
    yield "redaction", _redaction(report)


def _head(report: Report) -> list[str]:
    v = report.verdict
    rows = [("call", f"{v.call.seq}: {v.call.line}" if v.call else ""), ("result" if v.good else "what", v.message)]
    rows += [("why", v.cause), *(("log", line) for line in v.said), ("within", v.within), ("look at", v.next)]
    facts = "".join(f", {name} {n}" for name, n in report.numbers)
    return [
        "# rmitrace report",
        "",
        span(v.title),
        "",
        *fenced(line for name, text in rows if text for line in _hung(name, text)),
        "",
        f"{counted(report.counts)}{facts}" + (f"; RMM ABI {span(report.abi)} ({span(report.abi_how)})." if report.calls else "."),
    ]


def _hung(name: str, text: str, width: int = 8) -> list[str]:
    """A name and a text beside it, wrapped."""
    lines = textwrap.wrap(text, _WIDTH - width, break_on_hyphens=False) or [""]
    return [f"{name if i == 0 else '':<{width}}{line}" for i, line in enumerate(lines)]


def picture_lines(p: Picture) -> Iterator[str]:
    """The picture as a table: calls, step, what the host called, what came back, the new state, messages of the device."""
    yield p.title
    rows = [("calls", "step", "host calls", "RMM answers", "state", "device")]
    spans = {s.first: s for s in p.steps}
    marks = [False]
    notes: dict[int, list[str]] = {}
    for column, e in enumerate(p.events):
        step = spans[column].name if column in spans else ""
        if e.logs:
            notes[len(rows)] = list(e.logs)
        rows.append(_row(e, step))
        marks.append(e.main or e.failed)
    widths = [min(40, max(len(r[i]) for r in rows)) for i in range(5)]
    for i, (row, bad) in enumerate(zip(rows, marks, strict=True)):
        for said in notes.get(i, []):
            yield f"    log: {said}"
        text = "  ".join(f"{cell:<{w}}" for cell, w in zip(row, (*widths, 0), strict=True)).rstrip()
        yield f"{'x' if bad else ' '} {text}"


def _row(e: Event, step: str) -> tuple[str, str, str, str, str, str]:
    if e.gap:
        return ("...", step, f"{e.gap} calls left out", "", "", "")
    calls = f"{e.seqs[0]}" if e.seqs[0] == e.seqs[1] else f"{e.seqs[0]}-{e.seqs[1]}"
    name = f"{e.name} x{e.count}" if e.count > 1 else e.name
    talk = ", ".join(f"{'->' if request else '<-'} {said}" for request, said in e.talks)
    return (calls, step, name, e.status or "SUCCESS", e.state, talk)


def _item(f: Item) -> list[str]:
    lines = _hung("what", f.message)
    for c in f.calls:
        lines += _hung("call", f"{c.seq}: {c.line}")
    if f.more_calls:
        lines.append(f"        and {f.more_calls} more calls")
    lines += list(_why(f.why)) if f.why is not None else []
    for name, text in (("why", f.reason), ("look at", f.next), ("source", f.spec), ("place", f.where)):
        lines += _hung(name, text) if text else []
    return [f"**{f.severity}** {span(f.rule)}", "", *fenced(lines)]


def _why(w: Why) -> Iterator[str]:
    yield from textwrap.wrap(f"{w.title}:", _WIDTH)
    for c in w.conditions:
        said = f"{c.when}: {c.text}" if c.text else c.when
        yield from textwrap.wrap(f"{c.mark} {c.word:<8} {c.id}: {said}", _WIDTH, initial_indent="  ", subsequent_indent=" " * 13)
    for r in w.remarks:
        yield from textwrap.wrap(f"# {r}", _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _versions(report: Report) -> list[str]:
    lines = []
    for s in report.speakers:
        lines += textwrap.wrap(f"{s.side}, {s.group}: {s.revision}", _WIDTH)
        for e in s.evidence:
            lines += textwrap.wrap(f"- {e}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
    for text, bites in report.skews:
        lines += textwrap.wrap(f"skew: {text}", _WIDTH)
        for b in bites:
            lines += textwrap.wrap(f"- {b}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
    return ["## Versions and evidence", "", *fenced(lines or ["nothing tells"])]


def _calls(report: Report) -> list[str]:
    if not report.calls:
        return ["## Calls", "", "None."]
    at = next((i for i, c in enumerate(report.calls) if c.main), len(report.calls) - 1)
    lines = []
    for c in report.calls[max(0, at - _AROUND[0]) : at + _AROUND[1] + 1]:
        if c.skipped:
            lines.append(f"    ({c.skipped} calls left out)")
        lines += [f"      {log}" for log in c.logs]
        lines.append(f"{'x' if c.failed or c.main else ' '} {c.seq:>6}  {c.head}  {c.line}  {c.tail}".rstrip())
        lines += [f"            {'->' if t.request else '<-'} {t.title}{'  ! ' + t.notes if t.notes else ''}" for t in c.talks]
    return ["## Calls", "", *fenced(lines)]


def _call(c: CallItem) -> list[str]:
    lines = list(_tree(c.tree))
    for m in c.memory:
        lines += ["", m.title, *_tree(m.tree, 1)]
    lines += ["", f"left out, as it may hold keys or nonces: {'; '.join(c.unseen)}"] if c.unseen else []
    for t in c.talks:
        lines += ["", f"{'->' if t.request else '<-'} {t.title}", *_tree(t.tree, 1)]
    for b in c.raw:
        lines += ["", b.title, *(f"  {line}" for line in b.lines)]
        lines += [f"  {b.left}"] if b.left else []
    return [f"Call {c.seq} in full:", "", *fenced(lines)]


def _tree(branches: tuple[Branch, ...], depth: int = 0) -> Iterator[str]:
    for b in branches:
        at = f"{b.offset:04x} " if b.offset is not None else ""
        note = f"  {'!' if b.bad else '#'} {b.note}" if b.note else ""
        yield f"{'  ' * depth}{at}{b.name}{': ' + b.text if b.text else ''}{note}"
        yield from _tree(b.children, depth + 1)


def _environment(report: Report) -> list[str]:
    lines = []
    for f in report.files:
        unpacked = f" ({f.unpacked} unpacked)" if f.unpacked is not None else ""
        lines += [f"{f.name}: {f.format}, {f.records} records, {f.size} bytes{unpacked}", f"  {f.span}"]
        lines.append(f"  sha256 {f.sha256 or 'cannot be read again'}")
    lines += [f"clocks: {line}" for line in report.clocks]
    lines += [f"{name}: {text}" for name, text in report.environment]
    return ["## Files and environment", "", *fenced(lines)]


def _redaction(report: Report) -> list[str]:
    lines = [f"left out: {text}" for text in report.left]
    for h in report.hidden:
        names = ", ".join(h.names[:8]) + (f" and {len(h.names) - 8} more" if len(h.names) > 8 else "")
        lines.append(f"{h.kind}: {h.values} values in {h.places} places ({names})")
    lines += [f"shown as they are: {', '.join(report.kept)}"] if report.kept else []
    return ["## Left out and redacted", "", *fenced(lines or ["nothing"])]


def _cut(text: str) -> str:
    return text if len(text) <= 400 else text[:399] + "…"
