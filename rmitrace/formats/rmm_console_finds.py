"""What was found in an RMM console so far: rows, marks and findings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..capture.records import Finding
from .rmm_console_cut import Pending
from .rmm_console_rows import Row

MAX_FINDINGS = 500
"""Findings of one rule that are kept one by one."""


@dataclass(slots=True)
class Item:
    """A row, a mark or (``damaged``) something that looks like a row and cannot be read."""

    start: int
    end: int
    stamps: tuple[tuple[str, int], ...]
    row: Row | None = None
    mark: str = ""
    value: int | None = None
    cpu: int = -1
    damaged: bool = False


@dataclass(slots=True)
class Finds:
    """What was found.

    items     what was found, those of a row where it was complete
    findings  what the reader of the log should know; ``counts`` how often each rule fired
    banners   boot banners, see rmm_console_marks.read_banner
    abi       lines that state the RMI or RSI revision
    lines     lines seen or passed over (the caller adds those), ``used`` those that hold something
    """

    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    banners: list[dict[str, Any]] = field(default_factory=list)
    abi: list[str] = field(default_factory=list)
    lines: int = 0
    used: int = 0
    _claimed: int = 0
    _latest: Row | None = None
    _since: int = 0
    """The last row of what was found before so many of the items."""

    def note(self, rule: str, severity: str, message: str, offset: int) -> None:
        """Add a finding; beyond MAX_FINDINGS a rule is only counted."""
        self.counts[rule] += 1
        if self.counts[rule] <= MAX_FINDINGS:
            self.findings.append(Finding(rule, severity, message, -1, offset))

    def spill(self) -> list[Item]:
        """The items so far; they leave the reader. To be called between lines: an item may change up to the end of its line."""
        self._latest, self._since = self.last_row(), 0
        done, self.items = self.items, []
        return done

    def last_row(self) -> Row | None:
        """The row that was found last, None where that was something else."""
        return self.items[-1].row if len(self.items) > self._since else self._latest

    def forget_last(self) -> None:
        """What is found next does not follow what was found last."""
        self._latest, self._since = None, len(self.items)

    def claim(self) -> None:
        """The line holds something."""
        if self._claimed != self.lines:
            self._claimed = self.lines
            self.used += 1

    def ended(self, p: Pending) -> None:
        """A row that will not go on."""
        row = p.row
        if row.state == "cut":
            if not row.args and (not p.alone or row.separated):
                return  # a mention
            if row.glued and row.args and not row.answered:
                row.args[-1] = None  # cut somewhere in its digits
            self.note("ROW-CUT", "warning", f"the row of {row.name} ends before its result", p.start)
        self.emit(row, p.start, p.end, p.stamps)

    def emit(self, row: Row, start: int, end: int, stamps: tuple[tuple[str, int], ...]) -> None:
        """A row is complete."""
        if row.answered and row.status is not None and row.x0 is None:
            self.note("STATUS-UNKNOWN", "warning", f"{row.name} ended with {row.status}, which no revision has", start)
        if row.elided:
            self.note("ROW-ELIDED", "note", f"the row of {row.name} was shortened by hand: its values are not known", start)
        self.items.append(Item(start, end, stamps, row))
