"""Findings as text: what was seen, the calls, why it is wrong, and the conditions of the call that failed."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import IO

from .. import checks, diagnose
from ..capture.model import Capture
from ..capture.records import Finding
from ..capture.texts import Texts
from ..checks.suppress import Sifted
from ..display import safe
from .conditions import lines as condition_lines
from .text import call_text, write_header

RANK = {"error": 0, "warning": 1, "note": 2}
_CALLS_SHOWN = 3
_HEADER = 160
_MOST = 32 << 20
"""Bytes of lines that are kept."""
_NONE = Texts.given({}), Texts.given({})


def write(capture: Capture, found: Sifted, out: IO[str], width: int | None = None, *, suppressed: bool = False) -> None:
    """The findings, gravest first and in the order of the calls; the reasons of a rule with its first one.

    ``width``: columns to wrap to, None for lines as they are; ``suppressed``: those too that were suppressed.
    """
    write_header(capture, out, width or _HEADER)
    told: set[str] = set()
    shown = sorted(found.shown, key=lambda f: RANK.get(f.severity, 3))
    lines = _Lines(capture, shown)
    for f in shown:
        out.write("\n")
        for line in _finding(capture, f, lines, told):
            _put(out, line, width)
    if len(shown) == len(capture.findings):
        lines.keep()
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


class _Lines:
    """The lines of calls that findings show: kept from before, or made."""

    def __init__(self, capture: Capture, shown: list[Finding]) -> None:
        """``shown``: of whose calls lines are asked for in this order."""
        self._capture = capture
        self._several = len(capture.sources) > 1
        self._calls, self._conditions = capture.told if capture.worked_out("told") and capture.told else _NONE
        self._made: tuple[dict[int, str], dict[int, str]] = {}, {}
        wanted = (c for f in shown for c in _known(capture, f)[:_CALLS_SHOWN] if self._calls.bytes_of(c) is None)
        self._ahead = capture.ahead(wanted)

    def call(self, seq: int) -> str:
        """A call."""
        found = self._calls.lines_of(seq)
        if self._calls.bytes_of(seq) is None:
            next(self._ahead)
        if found is None:
            found = [call_text(self._capture, seq, self._several).strip()]
            self._made[0][seq] = found[0]
        return found[0]

    def conditions(self, seq: int) -> list[str]:
        """The conditions of a call that failed; none of another."""
        found = self._conditions.lines_of(seq)
        if found is None:
            d = diagnose.why(self._capture, seq)
            found = list(condition_lines(d)) if d is not None else []
            self._made[1][seq] = "\n".join(found)
        return found

    def keep(self) -> None:
        """Let them be kept, where they were made and are not too many."""
        if self._capture.told is None and sum(map(len, self._made[0].values())) + sum(map(len, self._made[1].values())) < _MOST:
            calls, conditions = ({c: t.encode("utf-8", "surrogatepass") for c, t in made.items()} for made in self._made)
            self._capture.told = Texts.given(calls), Texts.given(conditions)


def _finding(capture: Capture, f: Finding, lines: _Lines, told: set[str]) -> Iterator[str]:
    """The lines of a finding."""
    rule = checks.RULES.get(f.rule)
    where = f" ({capture.sources[f.source].name} at byte {f.offset})" if f.source >= 0 and f.offset >= 0 and not f.calls else ""
    yield safe(f"{f.severity} {f.rule}: {f.message}{where}")
    known = _known(capture, f)
    for c in known[:_CALLS_SHOWN]:
        yield f"    call {c}  {lines.call(c)}"
    if len(known) > _CALLS_SHOWN:
        yield f"    and {len(known) - _CALLS_SHOWN} more calls"
    if f.severity != "note" and known:
        for line in lines.conditions(known[0]):
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
