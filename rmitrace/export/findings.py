"""Findings as text: what was seen, the calls, why it is wrong, and the conditions of the call that failed."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import IO

from .. import checks, diagnose
from ..capture.model import Capture
from ..capture.records import Finding
from ..checks.suppress import Sifted
from ..display import safe
from .conditions import lines as condition_lines
from .text import call_text, write_header

RANK = {"error": 0, "warning": 1, "note": 2}
_CALLS_SHOWN = 3
_HEADER = 160


def write(capture: Capture, found: Sifted, out: IO[str], width: int | None = None, *, suppressed: bool = False) -> None:
    """The findings, gravest first and in the order of the calls; the reasons of a rule with its first one.

    ``width``: columns to wrap to, None for lines as they are; ``suppressed``: those too that were suppressed.
    """
    write_header(capture, out, width or _HEADER)
    told: set[str] = set()
    shown = sorted(found.shown, key=lambda f: RANK.get(f.severity, 3))
    calls = capture.ahead(c for f in shown for c in _known(capture, f)[:_CALLS_SHOWN])
    for f in shown:
        out.write("\n")
        for line in _finding(capture, f, calls, told):
            _put(out, line, width)
    if suppressed and found.suppressed:
        out.write("\nSuppressed\n")
        for f, entry in found.suppressed:
            _put(out, safe(f"  {f.severity} {f.rule}: {f.message} ({entry.reason}; {entry.where})"), width)
    for entry in found.unused:
        _put(out, safe(f"\nunused suppression of {entry.rule}: {entry.where} ({entry.reason})"), width)
    out.write(f"\n{summary(found)}\n")


def summary(found: Sifted) -> str:
    """'1 error, 2 warnings, 3 notes (2 suppressed)'."""
    n = Counter(f.severity for f in found.shown)
    parts = [f"{n[s]} {s}{'' if n[s] == 1 else 's'}" for s in RANK if n[s]]
    said = ", ".join(parts) or "nothing found"
    return said + (f" ({len(found.suppressed)} suppressed)" if found.suppressed else "")


def _known(capture: Capture, f: Finding) -> list[int]:
    """The calls of a finding that are there."""
    return [c for c in f.calls if 0 <= c < len(capture.calls)]


def _finding(capture: Capture, f: Finding, calls: Iterator[int], told: set[str]) -> Iterator[str]:
    """The lines of a finding; ``calls``: goes on with those that are shown of it."""
    rule = checks.RULES.get(f.rule)
    where = f" ({capture.sources[f.source].name} at byte {f.offset})" if f.source >= 0 and f.offset >= 0 and not f.calls else ""
    yield safe(f"{f.severity} {f.rule}: {f.message}{where}")
    known = _known(capture, f)
    several = len(capture.sources) > 1
    for c in islice(calls, min(len(known), _CALLS_SHOWN)):
        yield f"    call {c}  {call_text(capture, c, several).strip()}"
    if len(known) > _CALLS_SHOWN:
        yield f"    and {len(known) - _CALLS_SHOWN} more calls"
    if f.severity != "note" and known and capture.calls.failed[known[0]]:
        d = diagnose.why(capture, known[0])
        for line in condition_lines(d) if d is not None else ():
            yield f"    {line}"
    if rule is not None and f.rule not in told:
        told.add(f.rule)
        yield f"    why: {rule.why}"
        yield f"    next: {rule.next}"
        yield safe(f"    source: {f.spec or rule.spec}")


def _put(out: IO[str], line: str, width: int | None) -> None:
    if width is None or len(line) <= width:
        out.write(line + "\n")
        return
    indent = " " * (len(line) - len(line.lstrip()))
    wrapped = textwrap.wrap(line.strip(), max(width - len(indent), 40), subsequent_indent="    ", break_on_hyphens=False)
    out.write("".join(f"{indent}{part}\n" for part in wrapped))


def write_call(capture: Capture, seq: int, out: IO[str], width: int | None = None) -> None:
    """One call: what it was, why it failed with every condition, and the findings that name it."""
    write_header(capture, out, width or _HEADER)
    out.write("\n")
    _put(out, f"call {seq}  {call_text(capture, seq, len(capture.sources) > 1).strip()}", width)
    d = diagnose.why(capture, seq)
    if d is not None:
        for line in condition_lines(d, full=True):
            _put(out, "  " + line, width)
    elif capture.calls.failed[seq]:
        out.write("  it failed; no conditions of this call are known\n")
    else:
        out.write("  it did not fail\n")
    for f in capture.findings:
        if seq in f.calls:
            _put(out, safe(f"  {f.severity} {f.rule}: {f.message}"), width)
