"""Which headings and log lines hold a text, in the order of the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..lifecycle.table import OUTCOMES, object_text
from .digits import within
from .gaps import GAP, Gap, Register, match
from .rows import RowKind

if TYPE_CHECKING:
    from .view import View

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Target = tuple[RowKind, int, int]
"""What was found: kind; call, line or sequence; step of the sequence, else -1."""
Key = tuple[int, int, int]
"""Where a row stands in the order of the search: place of its call, RANK of its kind, number."""

RANK = {RowKind.LINE: 0, RowKind.SEQUENCE: 1, RowKind.STEP: 2, RowKind.CALL: 5}
_OFTEN = 256
"""Lines between two looks at whether to stop."""
_ADDRESS = Gap(Register(False, 0), "")
_ADDRESSED = object_text(0, 0)[-3:]


class Headings:
    """Log lines, and headings of sequences and steps, that hold a text (in small letters)."""

    def __init__(self, view: View, needle: str, stopped: Callable[[int], bool] = lambda done: False) -> None:
        """``stopped`` is asked now and then whether to give up; not all is found then."""
        self._view, self._needle = view, needle
        self.complete = True
        parts = [self._lines(stopped), self._sequences(), self._steps()]
        columns = [np.concatenate(c) for c in zip(*parts, strict=True)]
        order = np.lexsort((columns[2], columns[0] * 8 + columns[1]))
        self._place, rank, self._ref, self._step = (c[order] for c in columns)
        self._at = self._place * 8 + rank

    def __len__(self) -> int:
        return len(self._at)

    def _in(self, text: str) -> bool:
        return self._needle in text.casefold()

    def before(self, key: Key, *, including: bool) -> int:
        """How many stand in front of a place, or in front of it and at it."""
        at = key[0] * 8 + key[1]
        a, b = np.searchsorted(self._at, [at, at + 1]).tolist()
        return int(a + np.searchsorted(self._ref[a:b], key[2], "right" if including else "left"))

    def __getitem__(self, number: int) -> tuple[Key, Target]:
        """Where one stands, and what it is."""
        place, rank = int(self._place[number]), int(self._at[number] % 8)
        kind = next(k for k, r in RANK.items() if r == rank)
        ref = int(self._ref[number])
        return (place, rank, ref), (kind, ref, int(self._step[number]))

    # -- what holds the text: place, rank, number, step of each

    def _lines(self, stopped: Callable[[int], bool]) -> tuple[Ints, ...]:
        view = self._view
        found: list[int] = []
        if (view.mask is None and view.rows.show_lines) or view.line_mask is not None:
            for i, m in enumerate(view.lines):
                if i % _OFTEN == 0 and i and stopped(0):
                    self.complete = False
                    break
                if self._in(m.text) and (view.line_mask is None or view.line_mask[i]):
                    found.append(i)
        line = np.array(found, dtype=np.int64)
        call = np.asarray(view.lines.places)[line]
        place = np.where(call < view.calls, view.rows.places_of(np.minimum(call, max(view.calls - 1, 0))), view.calls)
        return self._columns(place, RowKind.LINE, line)

    def _sequences(self) -> tuple[Ints, ...]:
        table, kept = self._view.rows.sequences, self._view.rows.filter
        hits = np.zeros(len(table), dtype=bool)
        word = (table.kind.astype(np.int64) * 16 + table.prefix) * 16 + table.outcome
        for value in np.unique(word).tolist():
            kind, prefix, outcome = table.kinds[value // 256], value // 16 % 16, OUTCOMES[value % 16]
            mine = np.flatnonzero(word == value)
            text = object_text(prefix, 0)
            gapped = text.endswith(_ADDRESSED)
            line = f"{kind} {text.removesuffix('0x0') + GAP if gapped else text} {outcome} ".casefold()
            shape = match(line, self._needle, [_ADDRESS] if gapped else [])
            if shape.each:
                hits[mine] = [self._in(self._said(i)) for i in mine.tolist()]
            elif shape.holds:
                hits[mine] = True
            for way in shape.ways:
                hits[mine] |= within(table.address[mine], way[0])
        hits[[i for i, why in table.why.items() if self._in(self._said(i, why))]] = True
        hits &= np.diff(table.start) > 0
        if kept is not None:
            hits &= kept.sequences
        found = np.flatnonzero(hits)
        return self._columns(self._view.rows.places_of(table.first[found]), RowKind.SEQUENCE, found)

    def _said(self, i: int, why: str = "") -> str:
        table = self._view.rows.sequences
        return f"{table.kinds[table.kind[i]]} {table.object(i)} {OUTCOMES[table.outcome[i]]} {why}"

    def _steps(self) -> tuple[Ints, ...]:
        table, kept = self._view.rows.sequences, self._view.rows.filter
        names = np.array([self._in(n) for n in table.names], dtype=bool)
        hits = names[table.step_name] if len(names) else np.zeros(0, dtype=bool)
        hits[[i for i, why in table.step_why.items() if self._in(f"{table.names[table.step_name[i]]} {why}")]] = True
        hits &= np.asarray(table.step_count) > 0
        if kept is not None:
            hits &= kept.steps
        found = np.flatnonzero(hits)
        of = np.searchsorted(table.first_step, found, "right") - 1
        place = self._view.rows.places_of(table.step_first[found])
        return self._columns(place, RowKind.STEP, of, found - table.first_step[of])

    @staticmethod
    def _columns(place: Ints, kind: RowKind, ref: Ints, step: Ints | None = None) -> tuple[Ints, ...]:
        n = len(ref)
        rank, none = np.full(n, RANK[kind], dtype=np.int64), np.full(n, -1, dtype=np.int64)
        return np.asarray(place, dtype=np.int64), rank, ref, none if step is None else step
