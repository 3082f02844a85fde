"""The timeline's data: which lane a call is drawn in, and what falls into each cell of the screen.

Cells are filled by event: the arrays are as long as the calls in the window and as the screen is wide, never as the time is long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.records import NO_TIME
from ..lifecycle.objects import KINDS

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MAX_LANES = 500
"""Lanes of objects; a hostile capture can name a new one in every call."""
GRANULES = "granules"
MORE = "more objects"
MORE_CPUS = "more CPUs"
OTHER = "other calls"
_NO_CPU = "CPU unknown"


_RANK = {"ok": 0, "incomplete": 1, "failed": 2}


@dataclass(slots=True)
class Lane:
    """One line of the timeline: the calls about one object, or on one CPU.

    sequences, begin, end   the sequences drawn in it: numbers in the capture, and places on the axis
    """

    label: str
    object: str | None = None
    sequences: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    begin: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    end: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


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


def time_axis(ts: Ints) -> npt.NDArray[np.float64] | None:
    """The place of every call on a time axis, ns from the first one, never falling; None where there are no two times.

    A call without a time stands where the last one with a time does.
    """
    known = ts != NO_TIME
    if not known.any():
        return None
    first = ts[known].min()
    axis = np.maximum.accumulate(np.where(known, ts, first)) - first
    return axis.astype(np.float64) if axis[-1] > 0 else None


def by_cpu(capture: Any, owner: npt.NDArray[np.int32]) -> tuple[list[Lane], npt.NDArray[np.int32]]:
    """One lane a CPU, in their order, and the lane of every call."""
    cpus, lane_of = np.unique(capture.calls.cpu, return_inverse=True)
    lanes = [Lane(_NO_CPU if c < 0 else f"CPU {c}") for c in cpus[:MAX_LANES]]
    if len(cpus) > MAX_LANES:
        lanes.append(Lane(MORE_CPUS))
    return lanes, np.minimum(lane_of, MAX_LANES).astype(np.int32)


def by_object(capture: Any, owner: npt.NDArray[np.int32]) -> tuple[list[Lane], npt.NDArray[np.int32]]:
    """One lane an object in the order in which they appear, and the lane of every call (-1: about no object).

    A call inside a sequence is drawn in the lane of the sequence's object; granules share one lane, and so do the
    objects beyond MAX_LANES.
    """
    index: dict[str, int] = {}
    of_sequence = np.array([_slot(index, s.object) for s in capture.sequences], dtype=np.int32)
    objects = capture.objects()
    lane_of = np.full(len(capture.calls), -1, dtype=np.int32)
    for kind in np.unique(objects.kind[objects.kind != 0]).tolist():
        at = np.flatnonzero(objects.kind == kind)
        if KINDS[kind] == "granule":
            lane_of[at] = _slot(index, GRANULES)
            continue
        addresses, first, which = np.unique(objects.addr[at], return_index=True, return_inverse=True)
        slots = np.zeros(len(addresses), dtype=np.int32)
        for i in np.argsort(first, kind="stable").tolist():
            slots[i] = _slot(index, f"{KINDS[kind]}:0x{int(addresses[i]):x}")
        lane_of[at] = slots[which]
    if len(of_sequence):
        lane_of = np.where(owner >= 0, of_sequence[np.maximum(owner, 0)], lane_of)
    return [Lane(n, object=None if n in (GRANULES, MORE) else n) for n in index], lane_of


def _slot(index: dict[str, int], name: str) -> int:
    if name not in index and len(index) >= MAX_LANES:
        name = MORE
    return index.setdefault(name, len(index))


class Timeline:
    """Lanes, an axis (time or call order) and a window on it that zooms and pans."""

    def __init__(self, capture: Any, owner: npt.NDArray[np.int32], *, cpus: bool = False, ordered: bool = False) -> None:
        self.capture = capture
        self.cpus = cpus
        n = len(capture.calls)
        times = time_axis(capture.calls.ts)
        self.timed = times is not None
        self.ordered = ordered or times is None
        self.axis = np.arange(n, dtype=np.float64) if self.ordered or times is None else times
        lanes, lane_of = by_cpu(capture, owner) if cpus else by_object(capture, owner)
        self.lanes, self.lane_of = _compact(lanes, lane_of)
        self._rank = np.array([_RANK.get(s.outcome, 1) for s in capture.sequences], dtype=np.int8)
        self._place_sequences()
        ends = [float(lane.end.max()) for lane in self.lanes if len(lane.end)]
        self.full = (0.0, max([1.0, float(self.axis[-1]) if n else 0.0, *ends]))
        self.window = self.full
        self._cells: tuple[Any, Cells] | None = None

    def _place_sequences(self) -> None:
        """Put every sequence into its lane."""
        ts, n = self.capture.calls.ts, len(self.axis)
        if not n or not self.capture.sequences:
            return
        known = ts[ts != NO_TIME]
        zero = int(known.min()) if len(known) else 0
        sequences = self.capture.sequences
        first = np.clip([s.first for s in sequences], 0, n - 1)
        last = np.clip([s.last for s in sequences], 0, n - 1)
        begin, end = self.axis[first], self.axis[last]
        if not self.ordered:
            over = (ts[last] - zero).astype(np.float64) + np.maximum(self.capture.calls.dur[last], 0)
            end = np.where(ts[last] != NO_TIME, np.maximum(end, over), end)
        if self.cpus:
            lane_of = self.lane_of[first]
        else:
            index = {lane.object: i for i, lane in enumerate(self.lanes) if lane.object is not None}
            more = next((i for i, lane in enumerate(self.lanes) if lane.label == MORE), -1)
            lane_of = np.array([index.get(s.object, more) for s in sequences])
        order = np.argsort(lane_of, kind="stable")
        starts = np.searchsorted(lane_of[order], np.arange(len(self.lanes) + 1))
        for i, lane in enumerate(self.lanes):
            mine = order[starts[i] : starts[i + 1]]
            lane.sequences, lane.begin, lane.end = mine, begin[mine], end[mine]

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

    def inside(self) -> slice:
        """The calls in the window."""
        lo, hi = self.window
        return slice(int(np.searchsorted(self.axis, lo, "left")), int(np.searchsorted(self.axis, hi, "right")))

    def cells(self, width: int, mask: Flags | None, noted: Flags) -> Cells:
        """What falls into each cell; kept until the window, the width or the filter changes."""
        key = (self.window, width, id(mask))
        if self._cells is not None and self._cells[0] == key:
            return self._cells[1]
        part = self.inside()
        lo, hi = self.window
        x = np.minimum(((self.axis[part] - lo) / (hi - lo) * width).astype(np.int64), width - 1)
        flat = self.lane_of[part].astype(np.int64) * width + x
        size = len(self.lanes) * width
        failed, seen = self.capture.calls.failed[part], noted[part]
        if mask is not None:
            keep = mask[part]
            flat, failed, seen = flat[keep], failed[keep], seen[keep]
        shape = (len(self.lanes), width)
        cells = Cells(
            np.bincount(flat, minlength=size).reshape(shape),
            (np.bincount(flat[failed], minlength=size) > 0).reshape(shape),
            (np.bincount(flat[seen], minlength=size) > 0).reshape(shape),
        )
        self._cells = (key, cells)
        return cells

    def spans(self, lane: int, width: int) -> list[Span]:
        """The sequences of a lane in the window as they are drawn, failed ones last; of those within one cell the worst."""
        drawn = self.lanes[lane]
        lo, hi = self.window
        at = np.flatnonzero((drawn.end >= lo) & (drawn.begin <= hi))
        scale = width / (hi - lo)
        first = np.clip(np.floor((drawn.begin[at] - lo) * scale), -1, width - 1).astype(np.int64)
        last = np.clip(np.floor((drawn.end[at] - lo) * scale), -1, width).astype(np.int64)
        last = np.where(drawn.end[at] == hi, width - 1, last)
        sequences = drawn.sequences[at]
        order = np.lexsort((-first, self._rank[sequences]))
        narrow = first == last
        _, keep = np.unique(first[order[narrow[order]]][::-1], return_index=True)
        small = order[narrow[order]][::-1][keep]
        chosen = np.concatenate([order[~narrow[order]][-2 * width :], small])
        chosen = chosen[np.argsort(self._rank[sequences[chosen]], kind="stable")]
        return [Span(int(sequences[i]), int(first[i]), int(last[i])) for i in chosen]

    def forget(self) -> None:
        """Fill the cells anew: what is noted changed."""
        self._cells = None

    def call_at(self, lane: int, cell: int, width: int, mask: Flags | None) -> int | None:
        """The call that stands for a cell: the first that failed, else the first; None where the cell is empty."""
        part = self.inside()
        lo, hi = self.window
        a, b = lo + (hi - lo) * cell / width, lo + (hi - lo) * (cell + 1) / width
        i = int(np.searchsorted(self.axis, a, "left"))
        j = int(np.searchsorted(self.axis, b, "right" if cell == width - 1 else "left"))
        i, j = max(i, part.start), min(j, part.stop)
        here = self.lane_of[i:j] == lane
        if mask is not None:
            here &= mask[i:j]
        found = np.flatnonzero(here)
        if not len(found):
            return None
        bad = found[self.capture.calls.failed[i:j][found]]
        return int(i + (bad[0] if len(bad) else found[0]))


def _compact(lanes: list[Lane], lane_of: npt.NDArray[np.int32]) -> tuple[list[Lane], npt.NDArray[np.int32]]:
    """Only the lanes that are used, in order of their first call, with one for calls about no object at the end."""
    used, first = np.unique(lane_of, return_index=True)
    shared = {GRANULES, MORE}
    real = sorted((lanes[u].label in shared, int(f), int(u)) for u, f in zip(used, first, strict=True) if u >= 0)
    table = np.full(len(lanes) + 1, -1, dtype=np.int32)
    for new, (_, _, old) in enumerate(real):
        table[old] = new
    out = [lanes[old] for _, _, old in real]
    if len(used) and used[0] < 0:
        table[-1] = len(out)
        out.append(Lane(OTHER))
    return out, table[lane_of]
