"""The events of a long capture, some calls at a time: of those that are over only what their sequences are made of is kept."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .events import I64, Event, Events, commands, devices_and_granules, events_of, near
from .operations import operations

if TYPE_CHECKING:
    from ..capture.model import Capture

_AT_ONCE = 1 << 18
"""Calls that are looked at together, at least."""


class Course:
    """The events of one source and of those that show the same run, in order and numbered through: see events.events."""

    def __init__(self, capture: Capture, source: int) -> None:
        self._capture, self._source = capture, source
        self._first, self._size = array("q"), array("q")
        self._rows: list[I64] = []
        self._now: Events | None = None
        self._before = 0
        """Events of the parts that are over."""

    def __iter__(self) -> Iterator[Event]:
        for part in self._parts():
            self._now, self._before = part, len(self._first)
            self._first.frombytes(part.first.astype(np.int64).tobytes())
            self._size.frombytes(np.diff(part.start).astype(np.int64).tobytes())
            self._rows.append(part.rows if len(self._capture) >> 31 else part.rows.astype(np.int32))
            yield from part.numbered(self._before)

    def _parts(self) -> Iterator[Events]:
        """Cut in front of a command on a device while no operation is open: nothing behind it belongs to what is before."""
        capture, last = self._capture, -1 << 40
        none = np.zeros(0, dtype=np.int64)
        device, granule = none, none
        for start in range(0, len(capture), _AT_ONCE):
            stop = min(start + _AT_ONCE, len(capture))
            more_devices, more_granules = devices_and_granules(capture, self._source, slice(start, stop))
            device, granule = np.concatenate([device, more_devices]), np.concatenate([granule, more_granules])
            cut = _cut(capture, device) if stop < len(capture) else len(capture)
            if cut is None:
                continue
            a, b = np.searchsorted(device, [cut, cut + 1])
            c = np.searchsorted(granule, cut)
            spans = operations(capture).spans(device[:a])
            around = np.concatenate([[last], device[:b]]) if last >= 0 else device[:b]
            yield events_of(capture, device[:a], near(around, granule[:c], *spans))
            last = int(device[a - 1]) if a else last
            device, granule = device[a:], granule[c:]

    def call(self, unit: int) -> int:
        """The first call of an event."""
        return self._first[unit]

    def granules_within(self, first: int, last: int) -> list[int]:
        """The events of the granule calls between two calls, of an operation on a device that is looked at."""
        if self._now is None:
            return []
        return [unit + self._before for unit in self._now.granules_within(first, last)]

    @property
    def start(self) -> I64:
        """Where the calls of each event begin in ``rows``; one more than there are events."""
        return (
            np.concatenate([[0], np.cumsum(np.frombuffer(self._size, dtype=np.int64))]) if self._size else np.zeros(1, np.int64)
        )

    @property
    def rows(self) -> I64:
        """The calls of all events, one event behind the other."""
        return np.concatenate(self._rows) if self._rows else np.zeros(0, dtype=np.int64)


def _cut(capture: Capture, device: I64) -> int | None:
    """The last of some calls on devices in front of which the others can be taken by themselves; None where there is none."""
    found = commands(capture, device)
    begin, end = operations(capture).spans(device)
    if len(begin):
        until = np.maximum.accumulate(end)
        at = np.searchsorted(begin, found) - 1  # the last operation begun before
        found = found[(at < 0) | (until[np.maximum(at, 0)] < found)]
    return int(found[-1]) if len(found) and found[-1] > device[0] else None
