"""The rows of the list: sequences that fold, their steps, the calls inside and between them.

No row is an object. The order of the list is cut into segments (see .segments), these into blocks (see .blocks); a prefix sum
over what is visible of the blocks, and within one over its segments, turns a row number into a segment and back. To fold changes
a few blocks. What a filter lets through is kept as a flag a call, with counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..listing.segments import Ints, RowKind
from .blocks import BLOCK, Block, Blocks, Counted
from .kept import Kept

__all__ = ["Counted", "Row", "RowKind", "Rows"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    ref        call, sequence or log line number; for a step its number in the whole capture
    depth      indentation, 0 for what lies in no sequence
    sequence   the sequence it belongs to or heads, -1 none
    step       the step, numbered within its sequence, -1 none
    """

    kind: RowKind
    ref: int
    depth: int
    sequence: int
    step: int


class Rows(Blocks):
    """The visible rows of a capture under a fold state and a filter."""

    # -- reading

    def __len__(self) -> int:
        return int(self._start[-1])

    def place_of(self, call: int) -> int:
        """Where a call stands in the order of the list, folds and filter apart."""
        return call if self.segments.placed is None else int(self.segments.placed[call])

    def places_of(self, calls: Ints) -> Ints:
        """Where calls stand in the order of the list, folds and filter apart."""
        return calls if self.segments.placed is None or not len(calls) else self.segments.placed[calls]

    def call_at_place(self, place: int) -> int:
        """The call at a place of the order of the list, folds and filter apart."""
        return place if self.segments.order is None else int(self.segments.order[place])

    def calls_at(self, start: int, stop: int) -> Ints:
        """The calls at some places of the order of the list that pass the filter, in that order."""
        order = np.arange(start, stop) if self.segments.order is None else self.segments.order[start:stop]
        return order if self._kept is None else order[self._kept.flags[start:stop]]

    def _find(self, row: int) -> tuple[Block, int, int]:
        """The block of a row, the segment within it, and the row within that."""
        number = int(np.searchsorted(self._start, row, "right")) - 1
        block = self.block(number)
        inside = row - int(self._start[number])
        s = int(np.searchsorted(block.rows, inside, "right")) - 1
        return block, s, inside - int(block.rows[s])

    def at(self, row: int) -> Row:
        """What a row shows. Raises IndexError."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        block, s, within = self._find(row)
        kind, sequence, step = RowKind(int(block.kind[s])), int(block.sequence[s]), int(block.step[s])
        ref = int(block.ref[s])
        if kind is RowKind.CALL:
            begin = int(block.begin[s])
            ref = self.call_at_place(begin + within if self._kept is None else self._kept.place(begin, within))
        depth = (sequence >= 0) + (step >= 0) - (kind in (RowKind.SEQUENCE, RowKind.STEP))
        return Row(kind, ref, depth, sequence, step - int(self.sequences.first_step[sequence]) if step >= 0 else -1)

    def row_of_call(self, call: int) -> int:
        """The row that shows a call: its own, or the heading it is folded into; the nearest one where it is filtered out."""
        if not len(self) or not self.calls:
            return 0
        place = self.place_of(call)
        number = int(np.searchsorted(self._first_place, place, "right")) - 1
        block = self.block(number)
        runs = np.flatnonzero(block.kind == RowKind.CALL)
        s = int(runs[np.searchsorted(block.begin[runs], place, "right") - 1])
        first, stop = (int(self._start[number] + block.rows[i]) for i in (s, s + 1))
        if stop > first:
            begin = int(block.begin[s])
            within = place - begin if self._kept is None else self._kept.between(begin, place)
            return min(first + within, stop - 1)
        for heading, of in ((RowKind.STEP, int(block.step[s])), (RowKind.SEQUENCE, int(block.sequence[s]))):
            row = self._heading(heading, of) if of >= 0 else -1
            if row >= 0:
                return row
        return min(first, len(self) - 1)

    def row_of_sequence(self, sequence: int, step: int = -1) -> int:
        """The row of a sequence's heading, or of one of its steps; -1 where it is not shown."""
        if not 0 <= sequence < len(self.sequences):
            return -1
        if step < 0:
            return self._heading(RowKind.SEQUENCE, sequence)
        return self._heading(RowKind.STEP, int(self.sequences.first_step[sequence]) + step)

    def row_of_line(self, line: int) -> int:
        """The row of a log line, -1 where it is not shown."""
        return self._heading(RowKind.LINE, line)

    def _segment(self, kind: RowKind, ref: int) -> int:
        s = self.segments
        index = {RowKind.SEQUENCE: s.of_sequence, RowKind.STEP: s.of_step, RowKind.LINE: s.of_line}[kind]
        return int(index[ref]) if ref < len(index) else -1

    def _heading(self, kind: RowKind, ref: int) -> int:
        at = self._segment(kind, ref)
        if at < 0:
            return -1
        block, s = self.block(at // BLOCK), at % BLOCK
        return int(self._start[at // BLOCK] + block.rows[s]) if block.rows[s + 1] > block.rows[s] else -1

    def next_sequence(self, row: int, step: int) -> int:
        """The row of the next (1) or previous (-1) heading of a sequence, -1 where there is none."""
        if not len(self):
            return -1
        row = min(row, len(self) - 1)
        here = int(np.searchsorted(self._start, row, "right") - 1) * BLOCK + self._find(row)[1]
        heads = self._heads[np.searchsorted(self._heads, 0) :]
        i = int(np.searchsorted(heads, here, "right" if step > 0 else "left"))
        behind = heads[i:] if step > 0 else heads[:i][::-1]
        if self._kept is not None:
            behind = behind[self._kept.sequences[self.segments.ref[behind]]]
        return self._heading(RowKind.SEQUENCE, int(self.segments.ref[int(behind[0])])) if len(behind) else -1

    # -- changing

    def is_folded(self, row: Row) -> bool:
        """Whether a heading is folded."""
        if row.kind is RowKind.SEQUENCE:
            return bool(self.folded_sequence[row.ref])
        return row.kind is RowKind.STEP and bool(self.folded_step[row.ref])

    def fold(self, row: Row, folded: bool) -> None:
        """Fold or unfold a heading; other rows are left alone."""
        if row.kind is RowKind.SEQUENCE:
            self.folded_sequence[row.ref] = folded
        elif row.kind is RowKind.STEP:
            self.folded_step[row.ref] = folded
        self._recount(row.sequence)

    def _recount(self, sequence: int) -> None:
        """Count the segments of a sequence again: from its heading to that of the next one that is not inside it."""
        self._version += 1
        first = self._segment(RowKind.SEQUENCE, sequence)
        behind = int(np.searchsorted(self._heads, first, "right"))
        self._count(first, int(self._heads[behind]) + 1 if behind < len(self._heads) else None)

    def fold_all(self, folded: bool) -> None:
        """Fold or unfold every sequence and step."""
        self.show(self.counted(self._kept, folded=folded))

    def reveal(self, call: int) -> bool:
        """Unfold what hides a call; whether anything did."""
        owner, step = int(self.owner[call]), int(self.segments.owning[call])
        hidden = bool((owner >= 0 and self.folded_sequence[owner]) or (step >= 0 and self.folded_step[step]))
        if hidden:
            self.folded_sequence[owner] = False
            if step >= 0:
                self.folded_step[step] = False
            self._recount(owner)
        return hidden

    def step_of(self, call: int) -> int:
        """The step a call belongs to, numbered within its sequence, -1 none."""
        step = int(self.segments.owning[call])
        return step - int(self.sequences.first_step[self.owner[call]]) if step >= 0 else -1

    def kept(self, mask: npt.NDArray[np.bool_], lines: npt.NDArray[np.bool_] | None = None) -> Kept:
        """What a filter lets through: the calls whose bit is set, and the lines whose bit is set in ``lines``."""
        return Kept(self.segments, mask, len(self.folded_sequence), len(self.folded_step), lines)

    def set_filter(self, mask: npt.NDArray[np.bool_] | None, lines: npt.NDArray[np.bool_] | None = None) -> None:
        """Show only the calls whose bit is set, and the headings above them; None shows all. Of the lines those whose bit
        is set in ``lines``; without it none as long as there is a filter."""
        self.use(None if mask is None else self.kept(mask, lines))

    def use(self, kept: Kept | None) -> None:
        """Show what a filter lets through; None shows all."""
        self._kept = kept
        self._version += 1
        self._count()

    def set_lines(self, shown: bool) -> None:
        """Show or hide the log lines."""
        self.show(self.counted(self._kept, lines=shown))

    @property
    def filter(self) -> Kept | None:
        """What the filter lets through, None where there is none."""
        return self._kept
