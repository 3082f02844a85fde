"""How the calls are put into the order of the list, and that order cut into segments: headings, runs of calls, log lines.

It is done for a stretch of calls at a time, between places where no sequence is open, and kept in packed columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.distinct import are_among
from ..capture.packed import Column
from ..lifecycle.members import ranges
from ..lifecycle.table import SequenceTable

Ints = npt.NDArray[np.int64]

STRETCH = 1 << 19
"""Calls that are put in order together, at least."""


class RowKind(IntEnum):
    """What a row of the list shows."""

    CALL = 0
    SEQUENCE = 1
    STEP = 2
    LINE = 3  # a line of the source that is no call: banner, kernel or firmware message


def _column() -> Column:
    return Column(np.int64)


@dataclass(slots=True)
class Segments:
    """The segments in the order of the list.

    kind, ref       RowKind, and number of the sequence, step or log line; for a run of calls the place of the first
    place           where it stands in the order of the calls; a run ends where the next segment stands
    sequence, step  what it lies in, -1 none
    owner, owning   the sequence and the step that each call belongs to, -1 none
    order, placed   the call at each place, and the place of each call; None where they stand as they are
    of_sequence, of_step, of_line   the segment that heads or shows each
    """

    calls: int
    kind: Column = field(default_factory=lambda: Column(np.uint8))
    ref: Column = field(default_factory=_column)
    place: Column = field(default_factory=_column)
    sequence: Column = field(default_factory=_column)
    step: Column = field(default_factory=_column)
    owner: Column = field(default_factory=lambda: Column(np.int32))
    owning: Column = field(default_factory=lambda: Column(np.int32))
    order: Column | None = None
    placed: Column | None = None
    of_sequence: Any = None
    of_step: Any = None
    of_line: Any = None

    def __len__(self) -> int:
        return len(self.kind)


def cut(calls: int, table: SequenceTable, lines: Ints) -> Segments:
    """The segments of a capture. ``lines``: ascending, the call before which each log line stands (``calls`` for the end)."""
    out = Segments(calls)
    out.of_sequence, out.of_step, out.of_line = (
        np.full(n, -1, dtype=np.int32) for n in (len(table), int(table.first_step[-1]), len(lines))
    )
    for part in _stretches(calls, table):
        s = _Stretch(table, *part)
        place = _arranged(out, s)
        out.owner.append(s.owner)
        out.owning.append(s.owning)
        a, b = np.searchsorted(lines, [s.begin, calls + 1 if s.end == calls else s.end]).tolist()
        _segments(out, s, place, lines[a:b] - s.begin, a)
    if not calls and len(lines):
        _put(out, *(np.broadcast_to(c, len(lines)) for c in (RowKind.LINE, np.arange(len(lines)), 0, -1, -1)))
    return out


def _arranged(out: Segments, s: _Stretch) -> Ints:
    """Note in which order the calls of a stretch stand; the place of each, from that of the first one on."""
    here = np.arange(s.end - s.begin)
    if s.order is not None and out.order is None:
        out.order, out.placed = Column(np.int64), Column(np.int64)
        for start in range(0, s.begin, STRETCH):
            before = np.arange(start, min(start + STRETCH, s.begin))
            out.order.append(before)
            out.placed.append(before)
    if out.order is None or out.placed is None:
        return here
    place = here
    if s.order is not None:
        place = np.empty(len(here), dtype=np.int64)
        place[s.order] = here
    out.order.append((here if s.order is None else s.order) + s.begin)
    out.placed.append(place + s.begin)
    return place


def _stretches(calls: int, table: SequenceTable) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of calls over whose ends no sequence goes: first call, the one behind the last, and the same of sequences."""
    first, last = table.first, np.minimum(table.last, calls - 1)
    reach = np.maximum.accumulate(last) if len(last) else last
    begin = at = 0
    while begin < calls:
        end = min(begin + STRETCH, calls)
        while end < calls:
            behind = int(np.searchsorted(first, end))
            far = int(reach[behind - 1]) + 1 if behind else 0
            if far <= end:
                break
            end = far
        to = int(np.searchsorted(first, end)) if end < calls else len(table)
        yield begin, end, at, to
        begin, at = end, to


class _Stretch:
    """The calls from ``begin`` to ``end`` in the order of the list; ``order``: None where they stand as they are."""

    def __init__(self, table: SequenceTable, begin: int, end: int, first: int, stop: int) -> None:
        self.table, self.begin, self.end, self.first, self.stop = table, begin, end, first, stop
        n = end - begin
        self.owner = np.full(n, -1, dtype=np.int32)
        self.owning = np.full(n, -1, dtype=np.int32)
        self.order: Ints | None = None
        if first < stop:
            self._own()
            self._arrange()

    def _own(self) -> None:
        """Of sequences that overlap the smallest has a call."""
        t = self.table
        start, low = t.start[self.first : self.stop + 1], int(t.start[self.first])
        size = np.diff(start)
        row = t.member[low : int(start[-1])] - self.begin
        there = (row >= 0) & (row < len(self.owner))
        by_size = np.argsort(-size, kind="stable")
        at = ranges(start[by_size] - low, size[by_size])
        owner = np.repeat(by_size + self.first, size[by_size])
        self.owner[row[at][there[at]]] = owner[there[at]]
        sequence = np.repeat(np.arange(self.first, self.stop), size)
        mine = np.flatnonzero(there)
        mine = mine[self.owner[row[mine]] == sequence[mine]]
        self.owning[row[mine]] = t.member_step[low : int(start[-1])][mine]

    def _arrange(self) -> None:
        """Each sequence, and each step in it, in one piece, where its first call is."""
        step = int(self.table.first_step[self.first])
        steps = int(self.table.first_step[self.stop]) - step
        anchor = _first(self.owner, self.first, self.stop - self.first)
        inner = _first(self.owning, step, steps)
        key = anchor << 32 | inner
        if not bool((key[1:] >= key[:-1]).all()):
            self.order = np.argsort(key, kind="stable")


def _first(group: npt.NDArray[np.int32], base: int, groups: int) -> Ints:
    """For every call the first call of its group (numbered from ``base``), itself where it is in none (-1)."""
    out = np.arange(len(group), dtype=np.int64)
    grouped = np.flatnonzero(group >= 0)
    first = np.zeros(groups, dtype=np.int64)
    first[group[grouped][::-1] - base] = grouped[::-1]
    out[grouped] = first[group[grouped] - base]
    return out


def _segments(out: Segments, s: _Stretch, placed: Ints, lines: Ints, number: int) -> None:
    """Cut a stretch. ``placed``: place of each of its calls; ``lines``: its log lines, ``number`` of the first one."""
    n = s.end - s.begin
    owner = s.owner if s.order is None else s.owner[s.order]
    step = s.owning if s.order is None else s.owning[s.order]
    begins = np.concatenate([[0], np.flatnonzero((owner[1:] != owner[:-1]) | (step[1:] != step[:-1])) + 1])
    at = np.full(len(lines), n, dtype=np.int64)
    inside = lines < n
    at[inside] = placed[lines[inside]]
    runs = np.union1d(begins, at[inside]) if inside.any() else begins
    heads = begins[owner[begins] >= 0]
    before = np.where(heads > 0, owner[np.maximum(heads, 1) - 1], -1)
    seq_heads = heads[before != owner[heads]]
    step_heads = heads[step[heads] >= 0]
    first_of_seq, first_of_step = are_among(at, seq_heads), are_among(at, step_heads)
    within = inside & ~first_of_seq
    safe_at = np.minimum(at, n - 1)
    line_seq = np.where(within, owner[safe_at], -1)
    line_step = np.where(within & ~first_of_step, step[safe_at], -1)
    headed = np.zeros(s.stop - s.first, dtype=bool)
    headed[owner[seq_heads] - s.first] = True
    bare = np.flatnonzero(~headed) + s.first  # all their calls shown elsewhere, or none
    bare_at = placed[np.clip(s.table.first[bare] - s.begin, 0, n - 1)]
    line_rank = np.where(first_of_seq, 0, np.where(first_of_step, 2, 4))
    pieces: list[tuple[Any, ...]] = [  # kind, ref, place, rank, sequence, step
        (RowKind.LINE, np.arange(len(lines)) + number, at, line_rank, line_seq, line_step),
        (RowKind.SEQUENCE, bare, bare_at, 0, bare, -1),
        (RowKind.SEQUENCE, owner[seq_heads], seq_heads, 1, owner[seq_heads], -1),
        (RowKind.STEP, step[step_heads], step_heads, 3, owner[step_heads], step[step_heads]),
        (RowKind.CALL, runs + s.begin, runs, 5, owner[runs], step[runs]),
    ]
    sizes = [len(p[1]) for p in pieces]
    column = [np.concatenate([np.broadcast_to(p[c], k) for p, k in zip(pieces, sizes, strict=True)]) for c in range(6)]
    key = column[2] << 3 | column[3]
    sort = np.argsort(key, kind="stable")  # of parts that are in order already
    key = key[sort]
    if bool((key[1:] == key[:-1]).any()):
        sort = np.lexsort((column[1], column[3], column[2]))
    kind, ref, place, _, sequence, stp = (c[sort] for c in column)
    _put(out, kind, ref, place + s.begin, sequence, stp)


def _put(out: Segments, kind: Any, ref: Any, place: Any, sequence: Any, step: Any) -> None:
    """Append segments."""
    number = np.arange(len(kind)) + len(out)
    for which, index in ((RowKind.SEQUENCE, out.of_sequence), (RowKind.STEP, out.of_step), (RowKind.LINE, out.of_line)):
        mine = kind == which
        index[ref[mine]] = number[mine]
    for column, values in zip(
        (out.kind, out.ref, out.place, out.sequence, out.step), (kind, ref, place, sequence, step), strict=True
    ):
        column.append(values)
