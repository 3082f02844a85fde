"""Delegated granules that belong to nothing yet: some are for the PDEV or VDEV that is made next."""

from __future__ import annotations

import numpy as np

from .events import Event

_REMEMBERED = 512
_COUNTS = 16


class Loose:
    """The last calls that delegated granules, and those that told how many auxiliary granules an object needs (AUX_COUNT)."""

    def __init__(self) -> None:
        self._base = np.zeros(_REMEMBERED, dtype=np.uint64)
        self._top = np.zeros(_REMEMBERED, dtype=np.uint64)
        """Behind the last byte that was delegated; 0 for AUX_COUNT."""
        self._unit = np.full(_REMEMBERED, -1, dtype=np.int64)
        """Event of each, -1 for none."""
        self._counts: list[tuple[str, int]] = []
        """AUX_COUNTs with their events."""
        self._next = 0
        self._new: list[tuple[int, int, int]] = []
        """What was added last, to be put into the columns."""

    def _put(self) -> None:
        """Put what was added into the columns."""
        new = self._new[-_REMEMBERED:]
        at = (self._next + len(self._new) - len(new) + np.arange(len(new))) % _REMEMBERED
        self._next = (self._next + len(self._new)) % _REMEMBERED
        if new:
            base, top, unit = zip(*new, strict=True)
            self._base[at], self._top[at], self._unit[at] = np.array(base, np.uint64), np.array(top, np.uint64), unit
        self._new = []

    def add(self, e: Event) -> None:
        """Remember a call, and forget the oldest one where there are too many."""
        counts = e.name.endswith("AUX_COUNT")
        top = 0 if counts else e.x[1] if "RANGE" in e.name else e.x[0] + 1
        self._new.append((e.x[0], min(top, (1 << 64) - 1), e.unit))
        if len(self._new) > 8 * _REMEMBERED:
            self._put()
        if counts:
            self._counts = [*self._counts[-_COUNTS:], (e.name, e.unit)]

    def forget(self, address: int) -> None:
        """The granule was given back."""
        self._put()
        self._unit[(self._base == np.uint64(address)) & (self._top != 0)] = -1

    def take(self, address: int, count: str) -> tuple[list[int], list[int]]:
        """What was delegated for an object: its own page, and all that came behind the call that told how many auxiliary
        granules it needs (``count``)."""
        self._put()
        here = np.uint64(address)
        unit = self._unit
        from_ = next((u for name, u in reversed(self._counts) if name == count), 1 << 62)
        behind = unit >= from_
        own = (self._base <= here) & (here < self._top) & (unit >= 0) & ~behind
        own |= (self._base == here) & (self._top != 0) & (unit >= 0) & ~behind  # also where the range is empty
        found: tuple[list[int], list[int]] = (np.sort(unit[own]).tolist(), np.sort(unit[behind]).tolist())
        unit[own | behind] = -1
        self._counts = [c for c in self._counts if c[1] < from_]
        return found
