"""The timeline as text: sequences in order, their steps, and the calls where something failed."""

from __future__ import annotations

import textwrap
from typing import IO

import numpy as np

from ..capture.model import Capture
from ..capture.records import NO_TIME
from ..display import count, safe
from ..lifecycle.model import Step
from .text import SIGN, duration, mark_line, message_line, run, seconds, write_findings, write_header

_FAILED_SHOWN = 6
_MESSAGES_SHOWN = 200


def write(capture: Capture, out: IO[str], width: int = 100) -> None:
    """What `rmitrace view` shows, for a place that is no terminal; lines are cut to ``width`` columns."""
    write_header(capture, out, width)
    c = capture.calls
    failed = int(c.failed.sum())
    messages = len(capture.conversations.all)
    counts = [count(len(c), "call"), f"{failed:,} failed", count(len(capture.sequences), "sequence")]
    counts += [count(messages, "message")] if messages else []
    out.write(f"# {', '.join([*counts, count(len(capture.findings), 'finding')])}\n\n")
    bar_width = max(width - 60, 16)
    inside = np.zeros(len(c), dtype=bool)
    inside[np.asarray(capture.sequences.member)] = True
    shown = 0
    for q in capture.sequences:
        lone = shown, q.first
        if lone[1] > lone[0]:
            _outside(capture, lone[0], inside[lone[0] : lone[1]], out)
        shown = max(shown, q.last + 1)
        took = duration(q.end_ns - q.start_ns) if q.start_ns is not None and q.end_ns is not None else ""
        side = f"{run(capture, q.source)}: " if len(capture.sources) > 1 else ""
        head = f"{seconds(q.start_ns, 3):>12}  {SIGN[q.outcome]} {side}{safe(q.title)}"
        out.write(_cut(f"{head}  {took}".rstrip(), width) + "\n")
        out.write(_cut(" " * 16 + _bar(q.steps, bar_width), width) + "\n")
        for s in q.steps:
            n = len(s.calls)
            span = _span(capture, s)
            text = f"{SIGN[s.outcome]} {s.name:<18} {n:>5} call{'s' if n != 1 else ' '}  {span:>8}  {_summary(capture, s.calls)}"
            out.write(_cut(" " * 16 + text.rstrip(), width) + "\n")
            if s.why:
                for line in textwrap.wrap(safe(s.why), max(width - 20, 40)):
                    out.write(" " * 20 + line + "\n")
        out.write("\n")
    _outside(capture, shown, inside[shown:], out)
    if not len(c):
        _conversation(capture, out, width)
    _marks(capture, out, width)
    write_findings(capture, out, most=8, width=width)


def _conversation(capture: Capture, out: IO[str], width: int) -> None:
    """The messages of a capture without calls."""
    messages = capture.conversations.decode()
    for m in messages[:_MESSAGES_SHOWN]:
        out.write(_cut(message_line(m), width) + "\n")
    if len(messages) > _MESSAGES_SHOWN:
        out.write(f"    and {len(messages) - _MESSAGES_SHOWN} more messages\n")


def _span(capture: Capture, s: Step) -> str:
    """From the first call's entry to the last one's exit; empty where the source has no times."""
    c = capture.calls
    start, end, dur = int(c.ts[s.first]), int(c.ts[s.last]), int(c.dur[s.last])
    return "" if NO_TIME in (start, end) else duration(max(end - start + max(dur, 0), 0))


def _bar(steps: tuple[Step, ...], width: int) -> str:
    """One cell a step at least, more for more calls; a failed step is drawn in x, one left open in ~."""
    total = sum(len(s.calls) for s in steps) or 1
    cells = []
    for s in steps:
        n = max(1, round(width * len(s.calls) / total))
        cells.append({"ok": "=", "failed": "x", "incomplete": "~"}[s.outcome] * n)
    return "[" + "|".join(cells) + "]"


def _summary(capture: Capture, calls: np.ndarray) -> str:
    """The commands of a step with their counts: 'PDEV_COMMUNICATE x11, PDEV_GET_STATE x6'."""
    names, counts = np.unique(capture.calls.name[calls], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    parts = []
    for i in order[:3].tolist():
        name = capture.names[names[i]].removeprefix("RMI_")
        parts.append(name if counts[i] == 1 else f"{name} x{counts[i]}")
    if len(order) > 3:
        parts.append(f"{len(order) - 3} more")
    return safe(", ".join(parts))


def _outside(capture: Capture, first: int, inside: np.ndarray, out: IO[str]) -> None:
    """Calls from ``first`` on that belong to no sequence (``inside``: those that do): counted, and those that failed named."""
    c = capture.calls
    rows = np.flatnonzero(~inside) + first
    if not len(rows):
        return
    ts = int(c.ts[rows[0]])
    out.write(f"{seconds(ts if ts != NO_TIME else None, 3):>12}    {len(rows)} other calls: {_summary(capture, rows)}\n")
    bad = rows[c.failed[rows]]
    for seq in bad[:_FAILED_SHOWN].tolist():
        out.write(" " * 16 + "x " + capture.call(int(seq)).line + "\n")
    if len(bad) > _FAILED_SHOWN:
        out.write(" " * 16 + f"x and {len(bad) - _FAILED_SHOWN} more that failed\n")
    out.write("\n")


def _marks(capture: Capture, out: IO[str], width: int) -> None:
    said = capture.marks().of(("crash", "assert", "unknown-fid", "invalid-state", "banner"))
    for m in said[:12]:
        out.write(_cut(mark_line(m), width) + "\n")
    if len(said) > 12:
        out.write(f"| and {len(said) - 12} more lines\n")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "\u2026"
