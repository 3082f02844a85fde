"""Putting findings together: place, calls and object from the calls that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..capture.records import Finding
from ..lifecycle.objects import object_text
from .rule import Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

MOST_CALLS = 1000
"""Calls that one finding names."""
MOST_FINDINGS = 50
"""Findings of a rule that are told; the others are counted."""
_AT_ONCE = 1 << 17


def found(
    rule: Rule, capture: Capture, text: str, calls: Sequence[int], *, object: str | None = None, severity: str | None = None
) -> Finding:
    """A finding about calls; the first of them is the one to look at, and gives the place and, unless told, the object."""
    first = int(calls[0])
    source, offset = place(capture, first)
    named = object if object is not None else object_text(capture, first)
    kept = tuple(int(c) for c in calls[:MOST_CALLS])
    return Finding(rule.id, severity or rule.severity, text, source, offset, named, kept, rule.spec)


def place(capture: Capture, seq: int) -> tuple[int, int]:
    """Source and byte offset of a call's first record."""
    c = capture.calls
    source = int(c.source[seq])
    record = int(c.enter[seq]) if c.enter[seq] >= 0 else int(c.exit[seq])
    return source, int(capture.sources[source].records.offset[record])


def parts(capture: Capture) -> Iterator[slice]:
    """The calls of a capture, some at a time, at least once: what is worked out for each of them takes no more memory in a
    longer capture."""
    for start in range(0, max(len(capture), 1), _AT_ONCE):
        yield slice(start, min(start + _AT_ONCE, len(capture)))


def failures(capture: Capture) -> tuple[Any, Any, Any]:
    """The calls that failed, ascending: their numbers, and those of their names and statuses."""
    c = capture.calls
    found = []
    for part in parts(capture):
        bad = np.flatnonzero(c.failed[part])
        found.append((bad + part.start, c.name[part][bad], c.status[part][bad]))
    rows, name, status = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, name, status


def call(capture: Capture, seq: int) -> str:
    """'call 12 RMI_PDEV_STOP'."""
    return f"call {seq} {capture.name_text(seq)}"


def times(n: int) -> str:
    """'once', '3 times'."""
    return "once" if n == 1 else f"{n} times"


def more(n: int) -> str:
    """', and 3 more calls so', empty for one."""
    return "" if n < 2 else f", and {n - 1} more call{'s' if n > 2 else ''} so"


def some(findings: Iterable[Finding], most: int = MOST_FINDINGS) -> list[Finding]:
    """At most so many findings of a rule, and one that says how many more there are."""
    kept: list[Finding] = []
    counts: dict[str, list[Finding]] = {}
    for f in findings:
        counts.setdefault(f.rule, []).append(f)
        if len(counts[f.rule]) <= most:
            kept.append(f)
    for rule, all_of in counts.items():
        if len(all_of) > most:
            calls = tuple(c for f in all_of[most:] for c in f.calls[:1])[:MOST_CALLS]
            kept.append(Finding(rule, all_of[most].severity, f"{len(all_of) - most} more of these", calls=calls))
    return kept
