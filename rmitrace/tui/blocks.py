"""The segments of the list in blocks, and how many rows are visible of each under what is folded and filtered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..lifecycle.members import ranges
from ..lifecycle.table import OUTCOMES, SequenceTable
from ..listing.passing import rows_by, rows_kernel
from ..listing.segments import Ints, RowKind, Segments, cut
from .kept import Kept

BLOCK = 2048
"""Segments in a block."""
_TOGETHER = 128
"""Blocks that are counted together."""
_BLOCKS_KEPT = 8
_FAILED = OUTCOMES.index("failed")


@dataclass(slots=True)
class Block:
    """Some segments: their columns, where the calls of each begin and end, and how many rows stand before each."""

    kind: Any
    ref: Any
    begin: Any
    end: Any
    sequence: Any
    step: Any
    rows: Ints


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows would be visible of each block, worked out before it is shown.

    folded   everything is folded (True) or unfolded; None: what it was in the ``version`` that was counted
    """

    kept: Kept | None
    lines: bool
    folded: bool | None
    totals: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    version: int = -1


class Blocks:
    """The segments of a capture under a fold state and a filter.

    ``lines`` holds, ascending, the call before which each log line stands (``calls`` for the end); ``segments`` are those of
    these sequences and lines, where they are known.
    """

    def __init__(
        self,
        calls: int,
        sequences: SequenceTable,
        lines: Ints | None = None,
        *,
        grouped: bool = True,
        segments: Segments | None = None,
    ) -> None:
        self.calls = calls
        self.sequences = sequences if grouped else SequenceTable()
        at = np.zeros(0, dtype=np.int64) if lines is None else np.clip(lines, 0, calls)
        self.segments = cut(calls, self.sequences, at) if segments is None else segments
        self.owner = self.segments.owner
        self.folded_sequence = np.ones(len(self.sequences), dtype=bool)
        self.folded_step = np.ones(int(self.sequences.first_step[-1]), dtype=bool)
        self._open_failure()
        self.show_lines = True
        self._kept: Kept | None = None
        self._heads = np.sort(self.segments.of_sequence)
        self._first_place = self.segments.place[np.arange(0, len(self.segments), BLOCK)]
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._totals = np.zeros(len(self._first_place), dtype=np.int64)
        self._start = np.zeros(len(self._totals) + 1, dtype=np.int64)
        self._version = 0
        """Of what is folded."""
        self._count()

    def _open_failure(self) -> None:
        """Unfold the first thing that went wrong: the first failed sequence and the first step of it that failed."""
        table = self.sequences
        bad = np.flatnonzero(table.outcome == _FAILED)[:1].tolist()
        for i in bad:
            self.folded_sequence[i] = False
            first = int(table.first_step[i])
            steps = np.flatnonzero(table.step_outcome[first : int(table.first_step[i + 1])] == _FAILED)
            self.folded_step[first + steps[:1]] = False

    def _read(self, a: int, b: int, under: Counted | None = None) -> Block:
        """Segments as they are visible now, or as they would be."""
        s = self.segments
        under = Counted(self._kept, self.show_lines, None) if under is None else under
        kept, folded = under.kept, under.folded
        stop = min(b + 1, len(s))
        place = s.place[a:stop]
        end = place[1:] if stop > b else np.append(place[1:], s.calls)
        kind, sequence, step = s.kind[a:b], s.sequence[a:b], s.step[a:b]
        run = kind == RowKind.CALL
        begin = place[: b - a]
        shown = np.ones(len(kind), dtype=bool)
        inner = np.flatnonzero((sequence >= 0) & (kind != RowKind.SEQUENCE))
        shown[inner] &= ~self.folded_sequence[sequence[inner]] if folded is None else not folded
        deep = np.flatnonzero((step >= 0) & (kind != RowKind.STEP))
        shown[deep] &= ~self.folded_step[step[deep]] if folded is None else not folded
        if kept is not None:
            size = kept.counts(begin, np.where(run, end, begin))
            for which, has in ((RowKind.SEQUENCE, kept.sequences), (RowKind.STEP, kept.steps)):
                heads = np.flatnonzero(kind == which)
                shown[heads] &= has[s.ref[a:b][heads]]
        else:
            size = end - begin
        lines = np.flatnonzero(kind == RowKind.LINE)
        if kept is not None and kept.lines is not None:
            shown[lines] &= kept.lines[s.ref[a:b][lines]]
        elif kept is not None or not under.lines:
            shown[lines] = False
        size = np.where(run, size, 1) * shown
        return Block(kind, s.ref[a:b], begin, end, sequence, step, np.concatenate([[0], np.cumsum(size)]))

    def _count(self, first: int = 0, stop: int | None = None) -> None:
        """Work out how many rows are visible of some segments, and so of all."""
        if first or stop is not None:
            self._count_into(self._totals, first, len(self.segments) if stop is None else stop)
        else:
            self._totals = self._count_all(Counted(self._kept, self.show_lines, None))
        self._counted()

    def _count_all(self, under: Counted) -> Ints:
        """How many rows would be visible of each block."""
        kept, s = under.kept, self.segments
        kernel = rows_kernel(self.calls) if kept is None or kept.lines is None else None
        if kernel is None:
            totals = np.zeros(len(self._first_place), dtype=np.int64)
            self._count_into(totals, 0, len(s), under)
            return totals
        folded = self.folded_sequence, self.folded_step
        if under.folded is not None:
            folded = np.full(len(folded[0]), under.folded), np.full(len(folded[1]), under.folded)
        flags = None if kept is None else kept.flags
        found = rows_by(kernel, s, flags, folded, BLOCK, lines=under.lines and kept is None)
        heads = s.of_sequence if kept is None else s.of_sequence[kept.sequences]
        unfolded = np.flatnonzero(~folded[0])
        first = self.sequences.first_step
        steps = ranges(first[unfolded], first[unfolded + 1] - first[unfolded])
        steps = steps if kept is None else steps[kept.steps[steps]]
        for shown in (heads, s.of_step[steps]):
            found.totals += np.bincount(shown[shown >= 0] // BLOCK, minlength=len(found.totals))
        return found.totals

    def _count_into(self, totals: Ints, first: int, stop: int, under: Counted | None = None) -> None:
        for block in range(first // BLOCK, -(-stop // BLOCK), _TOGETHER):
            to = min(block + _TOGETHER, -(-stop // BLOCK))
            read = self._read(block * BLOCK, min(to * BLOCK, len(self.segments)), under)
            at = np.minimum(np.arange(to - block + 1) * BLOCK, len(read.kind))
            totals[block:to] = np.diff(read.rows[at])

    def _counted(self) -> None:
        self._blocks.clear()
        self._start = np.concatenate([[0], np.cumsum(self._totals)])

    def counted(self, kept: Kept | None, *, lines: bool | None = None, folded: bool | None = None) -> Counted:
        """What there would be to see: under a filter, with log lines or without, all folded or unfolded. It may be asked for in
        a thread of its own."""
        shown = self.show_lines if lines is None else lines
        under = Counted(kept, shown, folded, version=self._version)
        return replace(under, totals=self._count_all(under))

    def show(self, counted: Counted) -> None:
        """Show what was counted."""
        self._kept, self.show_lines = counted.kept, counted.lines
        if counted.folded is not None:
            self.folded_sequence[:] = self.folded_step[:] = counted.folded
            self._version += 1
        elif counted.version != self._version:  # something was folded meanwhile
            self._count()
            return
        self._totals = counted.totals
        self._counted()

    def block(self, number: int) -> Block:
        """A block by its number, as it is visible now."""
        block = self._blocks.get(number)
        if block is None:
            block = self._read(number * BLOCK, min((number + 1) * BLOCK, len(self.segments)))
            self._blocks[number] = block
            if len(self._blocks) > _BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        return block
