"""What of a capture goes into a report: the findings, the sequence in which it failed, and the calls around it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..capture.model import Capture
from ..capture.records import Finding
from ..lifecycle.model import Sequence

RANK = {"error": 0, "warning": 1, "note": 2}
MAX_FINDINGS = 40
"""Errors and warnings in full."""
MAX_NOTES = 40
MAX_CALLS = 160
_NAMED = 3
"""Calls that a finding names that are shown."""
_BEFORE, _AFTER = 14, 6
"""Calls around the main one; around others that an error names _NEAR."""
_NEAR = 2
_OF_SEQUENCE = 60


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Gravest first, each once: what two files say of one thing is one finding."""
    found: dict[tuple[str, str, str, tuple[int, ...]], Finding] = {}
    for f in sorted(findings, key=lambda f: RANK.get(f.severity, 3)):
        found.setdefault((f.rule, f.severity, f.message, f.calls), f)
    return list(found.values())


def headline(findings: list[Finding]) -> Finding | None:
    """The finding to begin with: the first error that names a call, else the first error, else the first warning."""
    grave = [f for f in findings if f.severity == "error"]
    return (
        next((f for f in grave if f.calls), None)
        or next(iter(grave), None)
        or next((f for f in findings if f.severity == "warning"), None)
    )


def main_call(capture: Capture, first: Finding | None) -> int | None:
    """The call that the report is about."""
    if first is None:
        return None
    return next((c for c in first.calls if 0 <= c < len(capture.calls)), None)


def sequence(capture: Capture, first: Finding | None, main: int | None) -> Sequence | None:
    """The sequence to draw: the one that the main call is in, best one that failed; where nothing failed, a connect, or
    whatever there is."""
    all_ = capture.sequences
    if not len(all_):
        return None
    if main is not None:
        around = [i for i in range(len(all_)) if all_.first[i] <= main <= all_.last[i]][:200]
        inside = [q for q in all_of(capture, around) if main in np.asarray(q.calls)]
        same = [q for q in inside if first is not None and q.object == first.object] or inside
        return next((q for q in same if q.outcome == "failed"), None) or next(iter(same), None)
    failed = next(all_.failed(), None)
    if failed is not None or first is not None:
        return failed
    kinds = [i for i in range(min(len(all_), 1000)) if all_.kinds[all_.kind[i]] == "connect"]
    best = max(kinds or range(min(len(all_), 1000)), key=lambda i: len(all_.calls(i)))
    return all_[best]


def all_of(capture: Capture, numbers: list[int]) -> list[Sequence]:
    """Some sequences by number."""
    return [capture.sequences[i] for i in numbers]


def calls(capture: Capture, shown: list[Finding], q: Sequence | None, main: int | None) -> list[int]:
    """The calls to show in full, ascending, the most important ones where there are too many."""
    n = len(capture.calls)
    wanted: dict[int, None] = {}

    def take(rows: Iterable[int]) -> None:
        for r in rows:
            if 0 <= r < n and len(wanted) < MAX_CALLS:
                wanted[int(r)] = None

    grave = [f for f in shown if f.severity in ("error", "warning")]
    if main is not None:
        take([main])
        take(range(main - _BEFORE, main + _AFTER + 1))
    take(c for f in grave for c in f.calls[:_NAMED])
    if q is not None:
        rows = np.asarray(q.calls)
        at = int(np.searchsorted(rows, main)) if main is not None else len(rows) - 1
        take(reversed(rows[max(0, at - _OF_SEQUENCE) : at + 1].tolist()))
        take(rows[at : at + _AFTER].tolist())
    for f in grave:
        take(r for c in f.calls[:1] for r in range(c - _NEAR, c + _NEAR + 1))
    if main is None:
        take(np.flatnonzero(capture.calls.failed)[:20].tolist())
    return sorted(wanted)
