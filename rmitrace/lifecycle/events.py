"""What happened to the devices of a source: its calls, those that poll and change nothing taken together.

A host polls: of the calls of a connect most are RMI_PDEV_COMMUNICATE that succeed and RMI_PDEV_GET_STATE that give what they
gave before. Between two calls that matter, those on one device are one event, so that following a long capture takes a step
for what happened and not for every call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .operations import operations

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

RETRY = ("RMI_BUSY", "RMI_BLOCKED")
GRANULE = ("RMI_GRANULE_DELEGATE", "RMI_GRANULE_RANGE_DELEGATE", "RMI_GRANULE_UNDELEGATE", "RMI_GRANULE_RANGE_UNDELEGATE")
COMMUNICATE = ("RMI_PDEV_COMMUNICATE", "RMI_VDEV_COMMUNICATE")
GET_STATE = ("RMI_PDEV_GET_STATE", "RMI_VDEV_GET_STATE")
_NEAR = 4096
"""Granule calls further from any call on a device are of no device: a realm that is built delegates millions."""


@dataclass(slots=True)
class Event:
    """A call on a device, or several polls of it: command, result and the registers that matter.

    unit        its number; first, last: its first and last call
    name, x     of the first call; r1 as well, None where it is not known
    status      of the whole: of the last OP_* call where there are some
    failed      whether it failed for good: not with a status that asks to try again
    done        False where a stateful operation was started and its end is not in the capture
    reads       how often the state was read behind the first call, always as it was before
    """

    unit: int
    first: int
    last: int
    name: str
    status: str
    failed: bool
    x: tuple[int, ...]
    r1: int | None
    done: bool
    reads: int


@dataclass(slots=True)
class Events:
    """The events of one source in order; ``rows`` are the calls of all of them, those of event i from start[i] on.

    granule     the calls on granules among them, ascending, and the event of each (granule_unit)
    """

    capture: Capture
    first: I64
    last: I64
    end: I64
    reads: I64
    start: I64
    rows: I64
    granule: I64
    granule_unit: I64

    def __len__(self) -> int:
        return len(self.first)

    def __iter__(self) -> Iterator[Event]:
        return self.numbered(0)

    def call(self, unit: int) -> int:
        """The first call of an event."""
        return int(self.first[unit])

    def numbered(self, before: int) -> Iterator[Event]:
        """The events, numbered from ``before`` on."""
        cap = self.capture
        names, statuses = cap.names, [*cap.statuses, ""]  # -1, no status, is the last one
        for begin in range(0, len(self), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            first, end = self.first[part], self.end[part]
            r1, known = cap.regs(first, 1, out=True)
            x = _arguments(cap, first)
            said, over = cap.calls.status[first], cap.calls.status[end]
            columns = zip(
                range(before + begin, before + begin + len(first)),
                first.tolist(),
                self.last[part].tolist(),
                cap.calls.name[first].tolist(),
                said.tolist(),
                over.tolist(),
                cap.calls.failed[end].tolist(),
                x,
                r1.tolist(),
                known.tolist(),
                self.reads[part].tolist(),
                strict=True,
            )
            for unit, at, last, name, began, ended, bad, args, out, has, reads in columns:
                yield Event(
                    unit,
                    at,
                    last,
                    names[name],
                    statuses[ended],
                    bad and statuses[began] not in RETRY,
                    args,
                    out if has else None,
                    statuses[ended] != "RMI_INCOMPLETE",
                    reads,
                )

    def granules_within(self, first: int, last: int) -> list[int]:
        """The events of the granule calls between two calls."""
        a, b = np.searchsorted(self.granule, [first, last])
        found: list[int] = self.granule_unit[a:b].tolist()
        return found


def _arguments(capture: Capture, rows: I64) -> list[tuple[int, ...]]:
    """x1 to x4 of some calls, 0 where they are not known."""
    if len(capture.sources) > 1:
        return list(zip(*(capture.regs(rows, k)[0].tolist() for k in (1, 2, 3, 4)), strict=True))
    records, record = capture.sources[0].records, capture.calls.enter[rows]
    known = np.where(record >= 0, records.known[record], np.uint32(0))
    columns = (np.where(known >> np.uint32(k) & np.uint32(1), records.regs[record, k], np.uint64(0)) for k in (1, 2, 3, 4))
    return list(zip(*(c.tolist() for c in columns), strict=True))


_AT_ONCE = 1 << 16


def events(capture: Capture, source: int, *, together: bool = True) -> Events:
    """The calls on devices and the granule calls near them, of one source and of those that show the same run; OP_* calls
    join the command that they work for.

    ``together``: False makes every call an event of its own.
    """
    device, granule = devices_and_granules(capture, source, slice(0, len(capture)))
    return events_of(capture, device, near(device, granule, *operations(capture).spans(device)), together)


def devices_and_granules(capture: Capture, source: int, part: slice) -> tuple[I64, I64]:
    """Of a part of the calls those on devices, and those on granules."""
    name = capture.calls.name[part]
    mine: Any = True
    if len(capture.sources) > 1:
        mine = np.isin(capture.calls.source[part], capture.together(source))
    tests = ([n.startswith(("RMI_PDEV_", "RMI_VDEV_")) for n in capture.names], [n in GRANULE for n in capture.names])
    device, granule = (np.flatnonzero(mine & np.array(t, dtype=bool)[name]) + part.start for t in tests)
    return device, granule


def events_of(capture: Capture, device: I64, granule: I64, together: bool = True) -> Events:
    """The events of some calls on devices and on granules."""
    rows = np.sort(np.concatenate([device, granule]), kind="stable") if len(granule) else device
    if not len(rows):
        none = np.zeros(0, dtype=np.int64)
        return Events(capture, none, none, none, none, np.zeros(1, dtype=np.int64), none, none, none)
    end = operations(capture).end(rows)
    unit, reads = _units(capture, rows, end, together)
    order = np.argsort(unit, kind="stable")
    first = rows[order[np.searchsorted(unit[order], np.arange(int(unit.max()) + 1))]]
    place = np.searchsorted(rows, first)
    children, parents = operations(capture).children(rows)
    every, owner = np.concatenate([rows, children]), np.concatenate([unit, unit[np.searchsorted(rows, parents)]])
    order = np.lexsort((every, owner))
    every, owner = every[order], owner[order]
    start = np.searchsorted(owner, np.arange(len(first) + 1))
    at = np.searchsorted(rows, granule)
    return Events(capture, first, every[start[1:] - 1], end[place], reads, start, every, granule, unit[at])


def commands(capture: Capture, device: I64) -> I64:
    """Those calls on devices that are no polls: what is before one and what is behind it are events apart."""
    kept: I64 = device[~_is(capture, capture.calls.name[device], (*COMMUNICATE, *GET_STATE))]
    return kept


def near(device: I64, granule: I64, begin: I64, end: I64) -> I64:
    """The granule calls near one of the ``device`` calls, or within an operation (from ``begin`` to ``end``)."""
    if not len(granule) or not len(device):
        return granule[:0]
    edge = np.searchsorted(device, granule)
    after, before = device[np.minimum(edge, len(device) - 1)], device[np.maximum(edge - 1, 0)]
    near = np.minimum(np.abs(after - granule), np.abs(granule - before)) < _NEAR
    if len(begin):
        near |= np.searchsorted(begin, granule) > np.searchsorted(np.sort(end), granule)
    kept: I64 = granule[near]
    return kept


def _units(capture: Capture, rows: I64, end: I64, together: bool) -> tuple[I64, I64]:
    """The event of each call, numbered by the first call of each; and of each event how many reads of the state it ends with."""
    n = len(rows)
    calls = capture.calls
    alone = np.ones(n, dtype=bool)
    if together:
        name = calls.name[rows]
        quiet = ~calls.failed[end]
        talks = _is(capture, name, COMMUNICATE) & quiet
        reads = _is(capture, name, GET_STATE)
        device = _device(capture, rows, name)
        alone = ~talks & ~_as_before(capture, rows, device, reads & quiet, ~talks & ~reads & ~_is(capture, name, GRANULE))
    if alone.all():
        return np.arange(n), np.zeros(n, dtype=np.int64)
    poll = np.flatnonzero(~alone)
    span = np.cumsum(alone)[poll]
    order = np.lexsort((poll, device[poll], span))
    talk = talks[poll[order]].astype(np.int64)
    head = np.concatenate([[True], (np.diff(span[order]) != 0) | (np.diff(device[poll[order]]) != 0)])
    talked = np.cumsum(talk)
    behind = talked - np.maximum.accumulate(np.where(head, talked - talk, 0)) > 0
    head[1:] |= behind[1:] & ~behind[:-1] & ~head[1:]
    leader = np.empty(n, dtype=np.int64)
    leader[alone] = np.flatnonzero(alone)
    leader[poll[order]] = poll[order][np.maximum.accumulate(np.where(head, np.arange(len(head)), 0))]
    first, unit = np.unique(leader, return_inverse=True)
    count = np.bincount(unit[poll[reads[poll]]], minlength=len(first)) - (reads[first] & ~alone[first])
    return unit.reshape(-1), count


def _is(capture: Capture, name: Any, commands: tuple[str, ...]) -> Flags:
    wanted = np.array([n in commands for n in capture.names], dtype=bool)
    found: Flags = wanted[name]
    return found


def _device(capture: Capture, rows: I64, name: Any) -> I64:
    """A number for the device that each of some calls polls; VDEV_COMMUNICATE names it in x3, the others in x1."""
    address, _ = capture.regs(rows, 1)
    third = np.flatnonzero(_is(capture, name, COMMUNICATE[1:]))
    address[third] = capture.regs(rows[third], 3)[0]
    number: I64 = np.unique(address, return_inverse=True)[1].reshape(-1)
    of_vdev: I64 = _is(capture, name, (COMMUNICATE[1], GET_STATE[1])).astype(np.int64)
    return number * 2 + of_vdev


def _as_before(capture: Capture, rows: I64, device: I64, reads: Flags, commands: Flags) -> Flags:
    """Which reads of a state give what the one before gave, with no other command on any device between them."""
    out = np.zeros(len(rows), dtype=bool)
    at = np.flatnonzero(reads)
    state, known = capture.regs(rows[at], 1, out=True)
    good = known & (capture.calls.status[rows[at]] >= 0)
    order = np.lexsort((at, device[at]))
    at, state, good = at[order], state[order], good[order]
    epoch = np.cumsum(commands)[at]
    same = good[1:] & good[:-1] & (device[at[1:]] == device[at[:-1]]) & (state[1:] == state[:-1]) & (epoch[1:] == epoch[:-1])
    out[at[1:][same]] = True
    return out
