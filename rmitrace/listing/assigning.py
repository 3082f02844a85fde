"""Which lane of the timeline a call is drawn in: that of its object, or of its CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column
from ..lifecycle.objects import KINDS
from ..lifecycle.table import PREFIXES, SequenceTable, object_text

Ints = npt.NDArray[np.int64]

MAX_LANES = 500
"""Lanes of objects; a hostile capture can name a new one in every call."""
GRANULES = "granules"
MORE = "more objects"
MORE_CPUS = "more CPUs"
OTHER = "other calls"
_NO_CPU = "CPU unknown"
_AT_ONCE = 1 << 17
_GRANULE = KINDS.index("granule")


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


Assigned = tuple[list[Lane], Column, Ints]
"""The lanes, the lane of every call, and the lane of every sequence (-1: none of its calls is drawn in it)."""


def by_cpu(capture: Any, sequences: SequenceTable) -> Assigned:
    """One lane a CPU; those beyond MAX_LANES share one."""
    numbers: dict[int, int] = {}

    def lanes_of(start: int, stop: int) -> Any:
        cpus, which = np.unique(capture.calls.cpu[start:stop], return_inverse=True)
        for c in cpus.tolist():
            if c not in numbers and len(numbers) < MAX_LANES:
                numbers[c] = len(numbers)
        return np.array([numbers.get(c, MAX_LANES) for c in cpus.tolist()], dtype=np.int16)[which.reshape(-1)]

    lane_of = _all(len(capture.calls), lanes_of)
    lanes = [Lane(_NO_CPU if c < 0 else f"CPU {c}") for c in numbers]
    lanes += [Lane(MORE_CPUS)] if len(lanes) == MAX_LANES else []
    lanes, lane_of, _ = _compact(lanes, lane_of, len(capture.calls))
    first = np.clip(sequences.first, 0, max(len(lane_of) - 1, 0))
    return lanes, lane_of, lane_of[first].astype(np.int64) if len(lane_of) else np.zeros(0, dtype=np.int64)


def by_object(capture: Any, owner: Any, table: SequenceTable) -> Assigned:
    """One lane an object. A call inside a sequence (``owner``, -1 none) is drawn in the lane of the sequence's object;
    granules share one lane, calls about no object another, and so do the objects beyond MAX_LANES."""
    slots = _Slots()
    of_sequence = slots.of_sequences(table)
    objects = capture.objects() if len(capture.calls) else None

    def lanes_of(start: int, stop: int) -> Any:
        assert objects is not None
        own = owner[start:stop]
        out = slots.of_objects(objects.kind[start:stop], objects.addr[start:stop], own < 0)
        return np.where(own >= 0, of_sequence[own], out) if len(of_sequence) else out

    lane_of = _all(len(capture.calls), lanes_of)
    lanes, lane_of, moved = _compact(slots.lanes(), lane_of, len(capture.calls))
    return lanes, lane_of, moved[of_sequence]


_SHARED = {GRANULES: MAX_LANES, MORE: MAX_LANES + 1, OTHER: MAX_LANES + 2}


class _Slots:
    """Numbers for objects as they come; from MAX_LANES on those of _SHARED."""

    def __init__(self) -> None:
        self._by_kind: dict[int, dict[int, int]] = {}
        """Kind of object (index into KINDS, or below zero of a sequence without one) -> address -> number."""
        self._names: list[str] = []

    def of_sequences(self, table: Any) -> Ints:
        """The number of the object of each sequence."""
        address, which = np.unique(table.address, return_inverse=True)
        pair = which.reshape(-1) * len(PREFIXES) + table.prefix
        pairs, first, back = np.unique(pair, return_index=True, return_inverse=True)
        numbers = np.full(len(pairs), _SHARED[MORE], dtype=np.int64)
        for i in np.argsort(first, kind="stable")[:MAX_LANES].tolist():
            at, prefix = divmod(int(pairs[i]), len(PREFIXES))
            name = PREFIXES[prefix]
            kind = KINDS.index(name) if name in KINDS[1:] else -1 - prefix
            numbers[i] = self._number(kind, int(address[at]), object_text(prefix, int(address[at])))
        return numbers[back.reshape(-1)]

    def _number(self, kind: int, address: int, name: str) -> int:
        known = self._by_kind.setdefault(kind, {})
        if address not in known:
            if len(self._names) >= MAX_LANES:
                return _SHARED[MORE]
            known[address] = len(self._names)
            self._names.append(name)
        return known[address]

    def of_objects(self, kind: Any, address: Any, wanted: Any) -> Any:
        """The number of the object of each call; new ones get one where they are ``wanted``."""
        out = np.full(len(kind), _SHARED[OTHER], dtype=np.int16)
        out[kind == _GRANULE] = _SHARED[GRANULES]
        for k in np.flatnonzero(np.bincount(kind[wanted & (kind != 0) & (kind != _GRANULE)])).tolist():
            at = np.flatnonzero(wanted & (kind == k))
            addresses, first, back = np.unique(address[at], return_index=True, return_inverse=True)
            known = self._by_kind.setdefault(k, {})
            if len(self._names) < MAX_LANES:
                for i in np.argsort(first, kind="stable").tolist():
                    self._number(k, int(addresses[i]), f"{KINDS[k]}:0x{int(addresses[i]):x}")
            numbers = np.full(len(addresses), _SHARED[MORE], dtype=np.int16)
            have = np.array(sorted(known), dtype=np.uint64)
            if len(have):
                place = np.minimum(np.searchsorted(have, addresses), len(have) - 1)
                found = have[place] == addresses
                numbers[found] = np.array([known[int(a)] for a in addresses[found]], dtype=np.int16)
            out[at] = numbers[back.reshape(-1)]
        return out

    def lanes(self) -> list[Lane]:
        """A lane for every number there can be."""
        out = [Lane(n, object=n) for n in self._names] + [Lane("")] * (MAX_LANES - len(self._names))
        return out + [Lane(n) for n in _SHARED]


def _all(count: int, lanes_of: Callable[[int, int], Any]) -> Column:
    out = Column(np.int16)
    for start in range(0, count, _AT_ONCE):
        out.append(lanes_of(start, min(start + _AT_ONCE, count)))
    return out


def _compact(lanes: list[Lane], lane_of: Column, count: int) -> tuple[list[Lane], Column, Ints]:
    """Only the lanes that are used, in order of their first call, the shared ones last; and the new number of each old one."""
    first = np.full(len(lanes) + 1, count, dtype=np.int64)
    for start, part in lane_of.pieces():
        seen = np.full(len(first), count, dtype=np.int64)
        seen[part[::-1]] = np.arange(start + len(part) - 1, start - 1, -1)  # the first one is written last
        np.minimum(first, seen, out=first)
    shared = list(_SHARED)[:-1]
    order = sorted(
        np.flatnonzero(first < count).tolist(), key=lambda i: (lanes[i].label == OTHER, lanes[i].label in shared, int(first[i]))
    )
    moved = np.full(len(lanes), -1, dtype=np.int64)
    moved[order] = np.arange(len(order))
    out = Column(np.int16)
    for _, part in lane_of.pieces():
        out.append(moved[part])
    return [lanes[i] for i in order], out, moved
