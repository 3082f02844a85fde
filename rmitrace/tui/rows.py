"""The rows of the list: sequences that fold, their steps, the calls inside and between them, as columns.

No row is an object. The calls are put into an order in which every sequence is contiguous; that order is cut into
segments (a heading, a run of calls, a log line) and a prefix sum over the visible size of the segments turns a row number
into a segment and back. Memory and time go with the number of calls once, and with the number of segments for a fold.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class RowKind(IntEnum):
    """What a row of the list shows."""

    CALL = 0
    SEQUENCE = 1
    STEP = 2
    LINE = 3  # a line of the source that is no call: banner, kernel or firmware message


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


class Rows:
    """The visible rows of a capture under a fold state and a filter.

    ``sequences`` are those of rmitrace.lifecycle (read: first, calls, outcome, steps and of each step calls, outcome).
    ``lines`` holds, ascending, the call before which each log line stands (``calls`` for the end).
    """

    def __init__(self, calls: int, sequences: Seq[Any], lines: Ints | None = None, *, grouped: bool = True) -> None:
        self.calls = calls
        self.sequences: Seq[Any] = sequences if grouped else []
        self.first_step = np.cumsum([0, *(len(s.steps) for s in self.sequences)])
        self.owner = np.full(calls, -1, dtype=np.int32)
        self._step_of = np.full(calls, -1, dtype=np.int32)
        self._order, self._place = self._arrange()
        self._cut(np.zeros(0, dtype=np.int64) if lines is None else np.clip(lines, 0, calls))
        self.folded_sequence = np.ones(len(self.sequences), dtype=bool)
        self.folded_step = np.ones(int(self.first_step[-1]), dtype=bool)
        self._open_failure()
        self.show_lines = True
        self._mask: npt.NDArray[np.bool_] | None = None
        self._lines_kept: npt.NDArray[np.bool_] | None = None
        self._kept: Ints | None = None
        self._count()

    # -- building

    def _arrange(self) -> tuple[Ints | None, Ints | None]:
        """The calls in display order (each sequence and step in one piece) and the place of each; None: as they are."""
        if not self.sequences:
            return None, None
        by_size = sorted(range(len(self.sequences)), key=lambda i: -len(self.sequences[i].calls))
        calls, owners = _flat([self.sequences[i].calls for i in by_size], by_size, self.calls)
        self.owner[calls] = owners  # of two sequences that overlap the smaller one, written last, has the call
        steps = [t for s in self.sequences for t in s.steps]
        calls, numbers = _flat([t.calls for t in steps], range(len(steps)), self.calls)
        of = np.repeat(np.arange(len(self.sequences)), np.diff(self.first_step))
        mine = self.owner[calls] == of[numbers] if len(steps) else np.zeros(0, dtype=bool)
        self._step_of[calls[mine][::-1]] = numbers[mine][::-1]  # the first step that names a call has it
        anchor = _first(self.owner, len(self.sequences))
        inner = _first(self._step_of, len(steps))
        key = anchor.astype(np.int64) << 32 | inner
        if bool((key[1:] >= key[:-1]).all()):
            return None, None
        order = np.argsort(key, kind="stable")
        place = np.empty(self.calls, dtype=np.int64)
        place[order] = np.arange(self.calls)
        return order, place

    def _cut(self, lines: Ints) -> None:
        """Cut the display order into segments, in display order: headings, runs of calls, log lines."""
        n = self.calls
        owner = self.owner if self._order is None else self.owner[self._order]
        step = self._step_of if self._order is None else self._step_of[self._order]
        new = np.flatnonzero((owner[1:] != owner[:-1]) | (step[1:] != step[:-1])) + 1 if n else np.zeros(0, dtype=np.int64)
        begins = np.concatenate([[0], new]) if n else np.zeros(0, dtype=np.int64)
        at = np.full(len(lines), n, dtype=np.int64)
        inside = lines < n
        at[inside] = lines[inside] if self._place is None else self._place[lines[inside]]
        runs = np.unique(np.concatenate([begins, at[inside]])).astype(np.int64)
        heads = begins[owner[begins] >= 0] if n else begins
        before = np.where(heads > 0, owner[np.maximum(heads, 1) - 1], -1) if n else heads
        seq_heads = heads[before != owner[heads]] if n else heads
        step_heads = heads[step[heads] >= 0] if n else heads
        first_of_seq, first_of_step = np.isin(at, seq_heads), np.isin(at, step_heads)
        within = inside & ~first_of_seq
        safe_at = np.minimum(at, max(n - 1, 0))
        line_seq = np.where(within, owner[safe_at], -1) if n else np.full(len(lines), -1)
        line_step = np.where(within & ~first_of_step, step[safe_at], -1) if n else np.full(len(lines), -1)
        seen = set(owner[seq_heads].tolist()) if n else set()
        bare = [i for i in range(len(self.sequences)) if i not in seen]  # all their calls shown elsewhere, or none
        bare_at = np.array([self.place_of(min(max(self.sequences[i].first, 0), n - 1)) if n else 0 for i in bare], dtype=np.int64)
        pieces: list[tuple[Any, ...]] = [  # kind, ref, place, rank, sequence, step
            (
                RowKind.LINE,
                np.arange(len(lines)),
                at,
                np.where(first_of_seq, 0, np.where(first_of_step, 2, 4)),
                line_seq,
                line_step,
            ),
            (RowKind.SEQUENCE, np.array(bare, dtype=np.int64), bare_at, 0, np.array(bare, dtype=np.int64), -1),
            (RowKind.SEQUENCE, owner[seq_heads], seq_heads, 1, owner[seq_heads], -1),
            (RowKind.STEP, step[step_heads], step_heads, 3, owner[step_heads], step[step_heads]),
            (RowKind.CALL, runs, runs, 5, owner[runs], step[runs]),
        ]
        sizes = [len(p[1]) for p in pieces]
        column = [np.concatenate([np.broadcast_to(p[c], k) for p, k in zip(pieces, sizes, strict=True)]) for c in range(6)]
        sort = np.lexsort((column[1], column[3], column[2]))
        kind, ref, place, _, seq, stp = (c[sort].astype(np.int64) for c in column)
        self._kind, self._ref, self._begin, self._seq, self._step = kind.astype(np.uint8), ref, place, seq, stp
        self._is_run = self._kind == RowKind.CALL
        self._run_at = np.flatnonzero(self._is_run)
        self._end = self._begin.copy()
        self._end[self._run_at] = np.append(self._begin[self._run_at][1:], n)
        self._depth = (self._seq >= 0).astype(np.uint8) + (self._step >= 0)
        self._depth[(self._kind == RowKind.SEQUENCE) | (self._kind == RowKind.STEP)] -= 1

    def _open_failure(self) -> None:
        """Unfold the first thing that went wrong: the first failed sequence and the first step of it that failed."""
        bad = next((i for i, s in enumerate(self.sequences) if s.outcome == "failed"), None)
        if bad is None:
            return
        self.folded_sequence[bad] = False
        for j, t in enumerate(self.sequences[bad].steps):
            if t.outcome == "failed":
                self.folded_step[self.first_step[bad] + j] = False
                break

    def _count(self) -> None:
        """Work out the visible size of every segment and their prefix sum."""
        head_s, head_t = self._kind == RowKind.SEQUENCE, self._kind == RowKind.STEP
        shown = np.ones(len(self._kind), dtype=bool)
        if len(self.sequences):
            inner = (self._seq >= 0) & ~head_s
            shown[inner] &= ~self.folded_sequence[self._seq[inner]]
            deep = (self._step >= 0) & ~head_t
            shown[deep] &= ~self.folded_step[self._step[deep]]
        size = self._end - self._begin
        if self._mask is not None:
            kept = self._mask if self._order is None else self._mask[self._order]
            self._sum = np.concatenate([[0], np.cumsum(kept, dtype=np.int32)])
            size = (self._sum[self._end] - self._sum[self._begin]).astype(np.int64)
            for of, heads in ((self._seq, head_s), (self._step, head_t)):
                has = self._is_run & (of >= 0)
                total = np.bincount(of[has], weights=size[has], minlength=int(of.max(initial=-1)) + 1)
                shown[heads] &= total[of[heads]] > 0 if len(total) else False
        elif not self.show_lines:
            shown &= self._kind != RowKind.LINE
        if self._lines_kept is not None:
            lines = np.flatnonzero(self._kind == RowKind.LINE)
            shown[lines] &= self._lines_kept[self._ref[lines]]
        elif self._mask is not None:
            shown &= self._kind != RowKind.LINE
        size[~self._is_run] = 1
        self._start = np.concatenate([[0], np.cumsum(size * shown)])

    # -- reading

    def __len__(self) -> int:
        return int(self._start[-1])

    def place_of(self, call: int) -> int:
        """Where a call stands in the order of the list, folds and filter apart."""
        return call if self._place is None else int(self._place[call])

    def call_at_place(self, place: int) -> int:
        """The call at a place of the order of the list, folds and filter apart."""
        return place if self._order is None else int(self._order[place])

    def at(self, row: int) -> Row:
        """What a row shows. Raises IndexError."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        s = int(np.searchsorted(self._start, row, "right")) - 1
        kind, seq, step = RowKind(int(self._kind[s])), int(self._seq[s]), int(self._step[s])
        ref = int(self._ref[s])
        if kind is RowKind.CALL:
            k = int(self._begin[s]) + row - int(self._start[s])
            if self._mask is not None:
                k = int(self._sum[self._begin[s]]) + row - int(self._start[s])
                ref = int(self._kept[k]) if self._kept is not None else k
            else:
                ref = k if self._order is None else int(self._order[k])
        return Row(kind, ref, int(self._depth[s]), seq, step - int(self.first_step[seq]) if step >= 0 else -1)

    def row_of_call(self, call: int) -> int:
        """The row that shows a call: its own, or the heading it is folded into; the nearest one where it is filtered out."""
        if not len(self):
            return 0
        place = self.place_of(call)
        s = int(self._run_at[np.searchsorted(self._begin[self._run_at], place, "right") - 1])
        if self._start[s + 1] > self._start[s]:
            within = place - int(self._begin[s]) if self._mask is None else int(self._sum[place] - self._sum[self._begin[s]])
            return min(int(self._start[s]) + within, int(self._start[s + 1]) - 1)
        for of, heading in ((self._step, RowKind.STEP), (self._seq, RowKind.SEQUENCE)):
            if of[s] >= 0:
                row = self._heading(heading, int(of[s]))
                if row >= 0:
                    return row
        return min(int(self._start[s]), len(self) - 1)

    def row_of_sequence(self, sequence: int, step: int = -1) -> int:
        """The row of a sequence's heading, or of one of its steps; -1 where it is not shown."""
        if not 0 <= sequence < len(self.sequences):
            return -1
        return (
            self._heading(RowKind.SEQUENCE, sequence)
            if step < 0
            else self._heading(RowKind.STEP, int(self.first_step[sequence]) + step)
        )

    def row_of_line(self, line: int) -> int:
        """The row of a log line, -1 where it is not shown."""
        return self._heading(RowKind.LINE, line)

    def _heading(self, kind: RowKind, ref: int) -> int:
        found = np.flatnonzero((self._kind == kind) & (self._ref == ref))
        if not len(found) or self._start[found[0]] == self._start[found[0] + 1]:
            return -1
        return int(self._start[found[0]])

    def next_sequence(self, row: int, step: int) -> int:
        """The row of the next (1) or previous (-1) heading of a sequence, -1 where there is none."""
        heads = np.flatnonzero((self._kind == RowKind.SEQUENCE) & (self._start[1:] > self._start[:-1]))
        rows = self._start[heads]
        i = int(np.searchsorted(rows, row, "right")) if step > 0 else int(np.searchsorted(rows, row, "left")) - 1
        return int(rows[i]) if 0 <= i < len(rows) else -1

    def order(self) -> Ints:
        """All calls that pass the filter, in the order of the list."""
        if self._kept is not None:
            return self._kept
        return np.arange(self.calls) if self._order is None else self._order

    def places(self) -> Ints:
        """The place of every call of ``order``, ascending."""
        if self._mask is None:
            return np.arange(self.calls)
        return self.order() if self._place is None else self._place[self.order()]

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
        self._count()

    def fold_all(self, folded: bool) -> None:
        """Fold or unfold every sequence and step."""
        self.folded_sequence[:] = folded
        self.folded_step[:] = folded
        self._count()

    def reveal(self, call: int) -> None:
        """Unfold what hides a call."""
        if self.owner[call] >= 0 and self.folded_sequence[self.owner[call]]:
            self.folded_sequence[self.owner[call]] = False
        if self._step_of[call] >= 0:
            self.folded_step[self._step_of[call]] = False
        self._count()

    def step_of(self, call: int) -> int:
        """The step a call belongs to, numbered within its sequence, -1 none."""
        step = int(self._step_of[call])
        return step - int(self.first_step[self.owner[call]]) if step >= 0 else -1

    def set_filter(self, mask: npt.NDArray[np.bool_] | None, lines: npt.NDArray[np.bool_] | None = None) -> None:
        """Show only the calls whose bit is set, and the headings above them; None shows all. Of the lines those whose bit
        is set in ``lines``; without it none as long as there is a filter."""
        self._mask, self._lines_kept = mask, lines
        self._kept = None
        if mask is not None:
            self._kept = np.flatnonzero(mask) if self._order is None else self._order[mask[self._order]]
        self._count()

    def set_lines(self, shown: bool) -> None:
        """Show or hide the log lines."""
        self.show_lines = shown
        self._count()


def _flat(parts: Seq[Any], labels: Seq[int], calls: int) -> tuple[Ints, Ints]:
    """The call numbers of all parts in one array, those outside the capture left out, and the label of the part of each."""
    if not len(parts):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    numbers = np.concatenate(parts).astype(np.int64)
    label = np.repeat(np.asarray(labels, dtype=np.int64), [len(p) for p in parts])
    inside = (numbers >= 0) & (numbers < calls)
    return numbers[inside], label[inside]


def _first(group: npt.NDArray[np.int32], groups: int) -> npt.NDArray[np.int32]:
    """For every call the first call of its group, itself where it is in none (-1)."""
    out = np.arange(len(group), dtype=np.int32)
    grouped = np.flatnonzero(group >= 0)
    first = np.zeros(groups, dtype=np.int32)
    first[group[grouped][::-1]] = grouped[::-1]
    out[grouped] = first[group[grouped]]
    return out
