"""How many calls of each lane lie between two calls, for any two of millions: counts at every some thousand calls, and the
calls themselves in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import few
from .passing import lanes_by, lanes_kernel

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EVERY = 4096
"""Calls between two counts."""
_FEW = 1 << 20
"""Calls that are kept by their numbers where no more are in a set."""


class LaneSet:
    """Some of the calls, by lane: all, those with a flag (``mask``), or those of a list of numbers, ascending (``calls``).

    ``of``: the lanes of such a list, where they are known; ``before``: of all, how many calls of each lane lie before each EVERY
    calls and behind the last, where that is known.
    """

    def __init__(
        self,
        lane_of: Any,
        lanes: int,
        mask: Flags | None = None,
        calls: Ints | None = None,
        before: npt.NDArray[np.int32] | None = None,
        of: Any = None,
    ) -> None:
        self._lane_of, self._lanes = lane_of, lanes
        self._mask = mask
        self._calls = calls
        if calls is None and mask is not None and np.count_nonzero(mask) <= _FEW:
            self._calls = np.flatnonzero(mask)
        if self._calls is not None:
            self._mask = None
            self._of = np.asarray(lane_of[self._calls] if of is None else of)
            return
        self.before = self._counted() if before is None else before
        """How many calls of each lane lie before each block."""

    def _counted(self) -> npt.NDArray[np.int32]:
        calls = len(self._lane_of)
        kernel = lanes_kernel(calls)
        if kernel is not None and self._mask is not None:
            return lanes_by(kernel, self._lane_of, self._mask, self._lanes, EVERY)
        blocks = -(-calls // EVERY)
        before = np.zeros((blocks + 1, self._lanes), dtype=np.int32)
        for i in range(blocks):
            a, b = i * EVERY, min((i + 1) * EVERY, calls)
            before[i + 1] = before[i] + self._count(self._lane_of[a:b], a, b)
        return before

    def _count(self, lanes: Any, start: int, stop: int) -> Ints:
        """How many calls of the set each lane has, of those between two calls, whose lanes are these."""
        return np.bincount(lanes if self._mask is None else lanes[self._mask[start:stop]], minlength=self._lanes)

    def cells(self, cuts: Ints) -> Ints:
        """How many calls of each lane lie between each two neighbours of some calls, ascending; shape (lanes, len(cuts) - 1)."""
        if self._calls is not None:
            at = np.searchsorted(self._calls, cuts)
            cell = np.repeat(np.arange(len(cuts) - 1), np.diff(at))
            flat = self._of[at[0] : at[-1]].astype(np.int64) * (len(cuts) - 1) + cell
            return np.bincount(flat, minlength=self._lanes * (len(cuts) - 1)).reshape(self._lanes, -1)
        total = np.zeros((len(cuts), self._lanes), dtype=np.int64)
        for i, cut in enumerate(cuts.tolist()):
            block = (cut + EVERY // 2) // EVERY  # the nearest: less lies in between
            edge = min(block * EVERY, len(self._lane_of))
            total[i] = self.before[block]
            if cut != edge:
                a, b = min(cut, edge), max(cut, edge)
                part = self._count(few(self._lane_of, a, b), a, b)
                total[i] += part if cut > edge else -part
        return np.diff(total, axis=0).T

    def first(self, lane: int, start: int, stop: int) -> int | None:
        """The first call of a lane from one call to in front of another."""
        if start >= stop:
            return None
        if self._calls is not None:
            a, b = np.searchsorted(self._calls, [start, stop])
            found = np.flatnonzero(self._of[a:b] == lane)
            return int(self._calls[a + found[0]]) if len(found) else None
        for block in self._blocks(lane, start, stop):
            a, b = max(start, block * EVERY), min(stop, (block + 1) * EVERY)
            found = np.flatnonzero(self._hits(lane, a, b))
            if len(found):
                return a + int(found[0])
        return None

    def last(self, lane: int, start: int, stop: int) -> int | None:
        """The last call of a lane from one call to in front of another."""
        if start >= stop:
            return None
        if self._calls is not None:
            a, b = np.searchsorted(self._calls, [start, stop])
            found = np.flatnonzero(self._of[a:b] == lane)
            return int(self._calls[a + found[-1]]) if len(found) else None
        for block in self._blocks(lane, start, stop)[::-1]:
            a, b = max(start, block * EVERY), min(stop, (block + 1) * EVERY)
            found = np.flatnonzero(self._hits(lane, a, b))
            if len(found):
                return a + int(found[-1])
        return None

    def _blocks(self, lane: int, start: int, stop: int) -> list[int]:
        """The blocks between two calls that hold calls of a lane."""
        a, b = start // EVERY, -(-stop // EVERY)
        counts = np.diff(self.before[a : b + 1, lane])
        found: list[int] = (np.flatnonzero(counts) + a).tolist()
        return found

    def of_these(self, mask: Flags) -> LaneSet:
        """Those of a list of calls that have a flag."""
        assert self._calls is not None
        mine = mask[self._calls]
        return LaneSet(self._lane_of, self._lanes, calls=self._calls[mine], of=self._of[mine])

    def _hits(self, lane: int, start: int, stop: int) -> Any:
        hits = few(self._lane_of, start, stop) == lane
        return hits if self._mask is None else hits & self._mask[start:stop]
