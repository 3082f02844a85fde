"""The calls that following devices looks at, some at a time: those on devices, and those on granules near them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .codes import ACTS, UNDELEGATE
from .operations import operations

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]

GRANULE = tuple(name for name, act in ACTS.items() if act <= UNDELEGATE)
_POLLS = ("RMI_PDEV_COMMUNICATE", "RMI_VDEV_COMMUNICATE", "RMI_PDEV_GET_STATE", "RMI_VDEV_GET_STATE")
_GRANULE, _DEVICE, _POLL = 1, 2, 4
_NEAR = 4096
"""Granule calls further from any call on a device are of no device: a realm that is built delegates millions."""
_AT_ONCE = 1 << 17
"""Calls that are looked at together, at least."""


def course(capture: Capture, source: int) -> Iterator[tuple[I64, I64]]:
    """The calls on devices, and those on granules near them, of one source and of those that show the same run, part by part.

    Cut in front of a command on a device while no operation is open: nothing behind it belongs to what is before.
    """
    last = -1 << 40
    device = granule = command = np.zeros(0, dtype=np.int64)
    kinds = np.array([_kind(n) for n in capture.names], dtype=np.uint8)
    together = capture.together(source) if len(capture.sources) > 1 else None
    for start in range(0, len(capture), _AT_ONCE):
        stop = min(start + _AT_ONCE, len(capture))
        kind = kinds[capture.calls.name[start:stop]]
        if together is not None:
            kind[~np.isin(capture.calls.source[start:stop], together)] = 0
        device = np.concatenate([device, np.flatnonzero(kind & _DEVICE) + start])
        command = np.concatenate([command, np.flatnonzero(kind == _DEVICE) + start])
        granule = np.concatenate([granule, np.flatnonzero(kind == _GRANULE) + start])
        cut = _cut(capture, device, command) if stop < len(capture) else len(capture)
        if cut is None:
            continue
        a, b = np.searchsorted(device, [cut, cut + 1])
        c = np.searchsorted(granule, cut)
        spans = operations(capture).spans(device[:a])
        around = np.concatenate([[last], device[:b]]) if last >= 0 else device[:b]
        yield device[:a], _near(around, granule[:c], *spans)
        last = int(device[a - 1]) if a else last
        device, granule, command = device[a:], granule[c:], command[command >= cut]


def followed(capture: Capture) -> int:
    """How many calls of a capture are on devices or granules."""
    count = np.zeros(len(capture.names), dtype=np.int64)
    for start in range(0, len(capture), _AT_ONCE):
        count += np.bincount(capture.calls.name[start : start + _AT_ONCE], minlength=len(count))
    return sum(n for n, name in zip(count.tolist(), capture.names, strict=True) if _kind(name))


def _kind(name: str) -> int:
    """What a call is, 0 where it is neither on a device nor on granules."""
    if name in GRANULE:
        return _GRANULE
    return _DEVICE * name.startswith(("RMI_PDEV_", "RMI_VDEV_")) + _POLL * (name in _POLLS)


def _cut(capture: Capture, device: I64, command: I64) -> int | None:
    """The last of some calls on devices in front of which the others can be taken by themselves; None where there is none.
    ``command``: those that are no polls."""
    found = command
    begin, end = operations(capture).spans(device)
    if len(begin):
        until = np.maximum.accumulate(end)
        at = np.searchsorted(begin, found) - 1  # the last operation begun before
        found = found[(at < 0) | (until[np.maximum(at, 0)] < found)]
    return int(found[-1]) if len(found) and found[-1] > device[0] else None


def _near(device: I64, granule: I64, begin: I64, end: I64) -> I64:
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
