"""The timeline's data: what falls into each cell of the screen.

What is drawn is worked out from counts (see .laneset) at the edges of the cells: it takes as long for a second as for a year,
and a call that failed shows at any zoom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.records import NO_TIME
from ..lifecycle.table import OUTCOMES, SequenceTable
from ..listing import Arrangement
from ..listing.assigning import GRANULES, MAX_LANES, MORE, MORE_CPUS, OTHER, Lane, by_cpu, by_object
from ..listing.laneset import LaneSet
from .axis import Axis, time_axis

__all__ = ["GRANULES", "MAX_LANES", "MORE", "MORE_CPUS", "OTHER", "Cells", "Lane", "Span", "Timeline"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_RANK = np.array([{"ok": 0, "incomplete": 1, "failed": 2}[o] for o in OUTCOMES], dtype=np.int64)
"""How grave an outcome is, by its place in OUTCOMES."""
_SPANS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Span:
    """A sequence as it is drawn: its number in the capture, its first and last cell (both may lie outside the window)."""

    sequence: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Cells:
    """What falls into each cell of the window; arrays of shape (lanes, width).

    calls    how many calls begin in the cell
    failed   whether one of them failed
    noted    whether one of them has a finding that is no note
    """

    calls: Ints
    failed: Flags
    noted: Flags


@dataclass(frozen=True, slots=True)
class Sets:
    """The calls that are drawn: all that pass the filter, and of them those that failed and those with findings."""

    calls: LaneSet
    failed: LaneSet
    noted: LaneSet


class Timeline:
    """Lanes, an axis (time or call order) and a window on it that zooms and pans.

    ``owner``: the sequence of each call, -1 none. ``noted``: calls with a finding that is no note, ascending. ``arranged``: how
    the calls lie in the lanes of their objects, where that is known.
    """

    def __init__(
        self,
        capture: Any,
        owner: Any,
        sequences: SequenceTable,
        *,
        cpus: bool = False,
        ordered: bool = False,
        noted: Ints | None = None,
        arranged: Arrangement | None = None,
    ) -> None:
        self.capture = capture
        self.sequences = sequences
        self.cpus = cpus
        n = len(capture.calls)
        said = None if arranged is None else (arranged.overview.first_ns, arranged.overview.rising)
        times = time_axis(capture.calls.ts, said)
        self.timed = times is not None
        self.ordered = ordered or times is None
        self.axis = Axis(n) if self.ordered or times is None else times
        before = None
        if arranged is None or cpus:
            self.lanes, self.lane_of, of_sequence = by_cpu(capture, sequences) if cpus else by_object(capture, owner, sequences)
        else:
            (lanes, self.lane_of, of_sequence), before = arranged.assigned, arranged.before
            self.lanes = [Lane(lane.label, lane.object) for lane in lanes]
        self._rank = _RANK[sequences.outcome]
        self._place_sequences(of_sequence)
        ends = [float(lane.end.max()) for lane in self.lanes if len(lane.end)]
        self.full = (0.0, max([1.0, self.axis.end, *ends]))
        self.window = self.full
        self._all = LaneSet(self.lane_of, len(self.lanes), before=before)
        self._failed = self.listed(np.flatnonzero(capture.calls.failed))
        self._noted = self.listed(np.zeros(0, dtype=np.int64) if noted is None else noted)
        self._use(self.sets(None))

    def _place_sequences(self, of_sequence: Ints) -> None:
        """Put every sequence into its lane."""
        table, n = self.sequences, len(self.axis)
        if not n or not len(table):
            return
        first, last = np.clip(table.first, 0, n - 1), np.clip(table.last, 0, n - 1)
        begin, end = self.axis[first], self.axis[last]
        if not self.ordered:
            ts, dur = self.capture.calls.ts[last], self.capture.calls.dur[last]
            end = np.where(ts != NO_TIME, np.maximum(end, (ts - self.axis.zero).astype(np.float64) + np.maximum(dur, 0)), end)
        order = np.argsort(of_sequence, kind="stable")
        starts = np.searchsorted(of_sequence[order], np.arange(len(self.lanes) + 1))
        for i, lane in enumerate(self.lanes):
            mine = order[starts[i] : starts[i + 1]]
            lane.sequences, lane.begin, lane.end = mine, begin[mine], end[mine]

    # -- what is drawn

    def sets(self, mask: Flags | None) -> Sets:
        """What there is to draw under a filter."""
        if mask is None:
            return Sets(self._all, self._failed, self._noted)
        calls = LaneSet(self.lane_of, len(self.lanes), mask)
        return Sets(calls, self._failed.of_these(mask), self._noted.of_these(mask))

    def listed(self, calls: Ints) -> LaneSet:
        """Some calls, ascending, by lane."""
        return LaneSet(self.lane_of, len(self.lanes), calls=calls)

    def filter(self, mask: Flags | None, sets: Sets | None = None) -> None:
        """Draw only the calls whose bit is set, all for None; ``sets``: what sets() gave for it."""
        self._use(self.sets(mask) if sets is None else sets)

    def note(self, noted: LaneSet, mask: Flags | None) -> None:
        """Other calls have findings now, which ``listed`` gave; the filter is the same."""
        self._noted = noted
        shown = noted if mask is None else noted.of_these(mask)
        self._use(Sets(self._sets.calls, self._sets.failed, shown))

    def _use(self, sets: Sets) -> None:
        self._sets = sets
        self._cells: tuple[Any, Cells] | None = None
        self._spans: dict[Any, list[Span]] = {}

    # -- the window

    def zoom(self, factor: float, centre: float) -> None:
        """Show a factor more (above 1) or less of the axis, keeping a place of it where it is on the screen."""
        lo, hi = self.window
        centre = min(max(centre, lo), hi)
        width = min(max((hi - lo) / factor, self._least()), self.full[1] - self.full[0])
        share = (centre - lo) / (hi - lo)
        self._set(centre - share * width, width)

    def pan(self, share: float) -> None:
        """Move the window by a share of its width."""
        lo, hi = self.window
        self._set(lo + share * (hi - lo), hi - lo)

    def whole(self) -> None:
        """Show the whole axis."""
        self.window = self.full

    def follow(self, place: float) -> bool:
        """Move the window so that a place is inside; whether it had to move."""
        lo, hi = self.window
        if lo <= place <= hi:
            return False
        self._set(place - (hi - lo) / 2, hi - lo)
        return True

    def _least(self) -> float:
        return min(10.0, self.full[1] - self.full[0])

    def _set(self, lo: float, width: float) -> None:
        lo = min(max(lo, self.full[0]), self.full[1] - width)
        self.window = (lo, lo + width)

    @property
    def magnification(self) -> float:
        """How many times the window is smaller than the axis."""
        return (self.full[1] - self.full[0]) / (self.window[1] - self.window[0])

    # -- the cells

    def cell(self, place: float, width: int) -> int:
        """The cell of a place of the axis in a window ``width`` cells wide; below 0 or from ``width`` on: outside."""
        lo, hi = self.window
        if place == hi:
            return width - 1
        return int(np.floor((place - lo) / (hi - lo) * width))

    def _cuts(self, width: int) -> Ints:
        """The first call of each cell, and the one behind the last."""
        lo, hi = self.window
        edges = lo + (hi - lo) * np.arange(width + 1) / width
        cuts = self.axis.before(edges)
        cuts[-1] = self.axis.before(np.array([hi]), "right")[0]
        return cuts

    def cells(self, width: int) -> Cells:
        """What falls into each cell; kept until the window, the width or the filter changes."""
        key = (self.window, width)
        if self._cells is None or self._cells[0] != key:
            cuts = self._cuts(width)
            sets = self._sets
            self._cells = key, Cells(sets.calls.cells(cuts), sets.failed.cells(cuts) > 0, sets.noted.cells(cuts) > 0)
        return self._cells[1]

    def spans(self, lane: int, width: int) -> list[Span]:
        """The sequences of a lane in the window as they are drawn, failed ones last; of those within one cell the worst."""
        key = (lane, self.window, width)
        if key not in self._spans:
            if len(self._spans) >= _SPANS_KEPT:
                self._spans.clear()
            self._spans[key] = self._spans_of(lane, width)
        return self._spans[key]

    def _spans_of(self, lane: int, width: int) -> list[Span]:
        drawn = self.lanes[lane]
        lo, hi = self.window
        at = np.flatnonzero((drawn.end >= lo) & (drawn.begin <= hi))
        scale = width / (hi - lo)
        first = np.clip(np.floor((drawn.begin[at] - lo) * scale), -1, width - 1).astype(np.int64)
        last = np.clip(np.floor((drawn.end[at] - lo) * scale), -1, width).astype(np.int64)
        last = np.where(drawn.end[at] == hi, width - 1, last)
        sequences = drawn.sequences[at]
        rank = self._rank[sequences]
        narrow = np.flatnonzero(first == last)
        worst = np.full(width + 2, -1, dtype=np.int64)
        np.maximum.at(worst, first[narrow] + 1, rank[narrow] << 40 | narrow)  # the last of the gravest
        small = worst[worst >= 0] & (1 << 40) - 1
        wide = np.flatnonzero(first != last)
        wide = wide[np.lexsort((-first[wide], rank[wide]))][-2 * width :]
        chosen = np.concatenate([wide, small])
        chosen = chosen[np.argsort(rank[chosen], kind="stable")]
        return [Span(int(sequences[i]), int(first[i]), int(last[i])) for i in chosen]

    # -- calls of a lane

    def call_at(self, lane: int, cell: int, width: int) -> int | None:
        """The call that stands for a cell: the first that failed, else the first; None where the cell is empty."""
        cuts = self._cuts(width)
        a, b = int(cuts[cell]), int(cuts[cell + 1])
        bad = self._sets.failed.first(lane, a, b)
        return bad if bad is not None else self._sets.calls.first(lane, a, b)

    def next(self, lane: int, call: int) -> int | None:
        """The next call of a lane behind a call."""
        return self._sets.calls.first(lane, call + 1, len(self.axis))

    def previous(self, lane: int, call: int) -> int | None:
        """The last call of a lane in front of a call."""
        return self._sets.calls.last(lane, 0, call)

    def nearest(self, lane: int, place: float) -> int | None:
        """The call of a lane nearest to a place."""
        at = int(self.axis.before(np.array([place]))[0])
        around = [c for c in (self.previous(lane, at), self.next(lane, at - 1)) if c is not None]
        return min(around, key=lambda c: abs(float(self.axis[c]) - place), default=None)
