"""Findings, and which calls each is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.records import Finding

Ints = npt.NDArray[np.int64]

RANK = {"note": 1, "warning": 2, "error": 3}
Placed = list[tuple[int, int, Finding, list[int]]]
"""Call to go to, number, finding, calls it is about."""


def placed(findings: Iterable[Finding], count: int, call_at: Callable[[tuple[int, int]], int | None]) -> Placed:
    """The findings of a capture of ``count`` calls, in the order of the calls. ``call_at``: the call at a source and offset."""
    out: Placed = []
    for i, f in enumerate(findings):
        calls = [c for c in f.calls if 0 <= c < count]
        at = min(calls, default=-1)
        if not calls and f.source >= 0 and f.offset >= 0:
            near = call_at((f.source, f.offset))
            at = count - 1 if near is None else near
        out.append((at, i, f, calls))
    out.sort(key=lambda p: p[:2])
    return out


class Noted:
    """The findings of a view, in the order of the calls.

    findings   all of them; calls: the call to go to for each, -1 where it is about no place
    worst      how grave the gravest is: 1 note, 2 warning, 3 error, 0 none
    """

    def __init__(self, placed: Placed) -> None:
        self.findings = [f for _, _, f, _ in placed]
        self.calls = [at for at, _, _, _ in placed]
        rank = np.array([RANK.get(f.severity, 1) for f in self.findings], dtype=np.int8)
        self.worst = int(rank.max(initial=0))
        number = np.repeat(np.arange(len(placed)), [len(calls) for _, _, _, calls in placed])
        call = np.array([c for _, _, _, calls in placed for c in calls], dtype=np.int64)
        order = np.lexsort((number, call))
        self._call, self._number = call[order], number[order]
        self._rank = rank[self._number] if len(placed) else np.zeros(0, dtype=np.int8)

    def _part(self, call: int) -> slice:
        a, b = np.searchsorted(self._call, [call, call + 1])
        return slice(int(a), int(b))

    def severity(self, call: int) -> int:
        """The gravest finding of a call: 1 note, 2 warning, 3 error, 0 none."""
        return int(self._rank[self._part(call)].max(initial=0))

    def of(self, call: int) -> list[Finding]:
        """The findings that name a call."""
        return [self.findings[i] for i in self._number[self._part(call)].tolist()]

    def among(self, calls: Any) -> list[Finding]:
        """The findings that name one of some calls (ascending)."""
        rows = np.asarray(calls)
        if not len(rows):
            return []
        a, b = np.searchsorted(self._call, [rows[0], rows[-1] + 1])
        mine = np.isin(self._call[a:b], rows, assume_unique=False)
        return [self.findings[i] for i in np.unique(self._number[a:b][mine]).tolist()]

    @property
    def grave(self) -> Any:
        """The calls with a finding that is no note, ascending."""
        return np.unique(self._call[self._rank >= RANK["warning"]])

    def next(self, here: tuple[int, int], by: int) -> int | None:
        """The number of the next (1) or previous (-1) finding about a call, behind a call and a finding of it."""
        places = [(c, i) for i, c in enumerate(self.calls) if c >= 0]
        after = (p for p in places if p > here) if by > 0 else (p for p in reversed(places) if p < here)
        return next((i for _, i in after), None)
