"""The axis of the timeline: the place of every call, and the calls that lie between two places."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column, few
from ..listing.overview import parts, times

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_EVERY = 1 << 10
"""Times between two that are at hand."""


class Axis:
    """Places of calls, never falling: their times in ns from the first one, or their numbers where ``times`` is None."""

    def __init__(self, count: int, times: Any = None) -> None:
        self.count = count
        self._times = times
        self.zero = int(times[0]) if times is not None and count else 0
        """The time of place 0."""
        self._heads = np.zeros(0, dtype=np.int64) if times is None else np.asarray(times[np.arange(0, count, _EVERY)])
        """Every so many times."""

    def __len__(self) -> int:
        return self.count

    @property
    def timed(self) -> bool:
        """Whether places are times."""
        return self._times is not None

    def __getitem__(self, calls: Any) -> Any:
        """The places of calls."""
        if self._times is None:
            return np.float64(calls) if np.ndim(calls) == 0 else np.asarray(calls, dtype=np.float64)
        found = self._times[calls] - self.zero
        return np.float64(found) if np.ndim(found) == 0 else found.astype(np.float64)

    @property
    def end(self) -> float:
        """The place of the last call."""
        return float(self[self.count - 1]) if self.count else 0.0

    def before(self, places: Floats, side: str = "left") -> Ints:
        """How many calls lie before each of some places, ascending ('right': those at it as well)."""
        # places of calls are whole numbers; those of large floats are exact as integers only
        whole = np.clip(np.ceil(places) if side == "left" else np.floor(places), -1.0, 2.0**62).astype(np.int64)
        if self._times is None:
            return np.clip(whole + (side == "right"), 0, self.count)
        wanted = whole + self.zero
        part = np.searchsorted(self._heads, wanted, side) - 1  # type: ignore[call-overload]
        out = np.zeros(len(wanted), dtype=np.int64)
        for number in np.unique(part[part >= 0]).tolist():
            mine = np.flatnonzero(part == number)
            times = few(self._times, number * _EVERY, min((number + 1) * _EVERY, self.count))
            out[mine] = number * _EVERY + np.searchsorted(times, wanted[mine], side)  # type: ignore[call-overload]
        return out


def time_axis(ts: Any, known: tuple[int | None, bool] | None = None) -> Axis | None:
    """The axis of some times; None where there are no two of them. ``known``: what overview.times says of them, where it did.

    A call without a time, or with an earlier one than a call before it, stands where that one does.
    """
    first, rising = times(ts) if known is None else known
    if first is None:
        return None
    axis_times: Any = ts
    if not rising:
        axis_times, reached = Column(np.int64), first
        for part in parts(ts):
            part = np.maximum.accumulate(np.maximum(part, reached))
            reached = int(part[-1])
            axis_times.append(part)
    axis = Axis(len(ts), axis_times)
    return axis if axis.end > 0 else None
