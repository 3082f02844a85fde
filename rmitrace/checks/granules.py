"""Granules that are not given back, ranges that are done in part, pages that are used though they are the RMM's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from .. import diagnose
from ..capture.records import Finding
from .finding import found, some
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture
    from ..diagnose.columns import Columns

NOT_RETURNED = Rule(
    "GRANULE-NOT-RETURNED",
    "note",
    "granules of a device that was destroyed are not undelegated",
    "destroying an object leaves its granules DELEGATED: they are lost to the host until it undelegates them",
    "the end of the host's disconnect; a capture that ends early shows the same",
    "DEN0137 granule state machine",
)
RANGE_NOT_FINISHED = Rule(
    "RANGE-NOT-FINISHED",
    "error",
    "a range was done in part, and nothing goes on from there",
    "out_top says how far the RMM came: TF-RMM does one granule a call",
    "the host's loop over out_top",
    "DEN0137 2.0 GRANULE_RANGE_DELEGATE; TF-RMM granule.c",
)
RANGE_NO_PROGRESS = Rule(
    "RANGE-NO-PROGRESS",
    "error",
    "a range command succeeded with an out_top that is none",
    "out_top at or below base is no progress, above top is more than was asked for",
    "the firmware",
    "DEN0137 2.0 GRANULE_RANGE_DELEGATE",
)
LEAKED_USED = Rule(
    "LEAKED-PAGE-USED",
    "warning",
    "a page whose undelegate failed is used by the host",
    "it is still in the Realm world: the host faults on it, and the RMM refuses it as a parameter page",
    "the host has to leak a page that it does not get back",
    "Linux disconnect path",
)
_RANGES = ("GRANULE_RANGE_DELEGATE", "GRANULE_RANGE_UNDELEGATE")


def returned(capture: Capture) -> Iterable[Finding]:
    """GRANULE-NOT-RETURNED: of PDEVs and VDEVs that were destroyed, in a source that shows undelegates."""
    return some(f for s in diagnose.runs(capture) for f in _returned(capture, s))


def _returned(capture: Capture, source: int) -> Iterator[Finding]:
    world = diagnose.world(capture, source)
    columns = world.columns
    if not columns.sees_all or not columns.seen("GRANULE_UNDELEGATE", "GRANULE_RANGE_UNDELEGATE"):
        return
    for command, name in (("PDEV_DESTROY", "pdev_ptr"), ("VDEV_DESTROY", "vdev_ptr")):
        rows, end = columns.done(command)
        value, known = columns.arg(rows, name)
        for row, last, address, k in zip(rows[:2000].tolist(), end.tolist(), value.tolist(), known.tolist(), strict=False):
            state = world.granules.at(int(address), 1 << 62) if k else None
            if state is not None and state.state == "DELEGATED" and state.call == last:
                text = f"0x{int(address):x} is free since {capture.name_text(row)} (call {row}) and is not undelegated"
                yield found(NOT_RETURNED, capture, text, [row])


def ranges(capture: Capture) -> Iterable[Finding]:
    """RANGE-NOT-FINISHED, RANGE-NO-PROGRESS."""
    return some(f for s in diagnose.runs(capture) for f in _ranges(capture, s))


def _ranges(capture: Capture, source: int) -> Iterator[Finding]:
    columns = diagnose.world(capture, source).columns
    for command in _RANGES:
        rows, end = columns.done(command)
        rows = rows[rows == end]
        if not len(rows):
            continue
        base, k1 = columns.arg(rows, "base")
        top, k2 = columns.arg(rows, "top")
        out, k3 = columns.arg(rows, "out_top", out=True)
        known = k1 & k2 & k3
        for i in np.flatnonzero(known & ((out <= base) | (out > top))).tolist():
            text = (
                f"RMI_{command} (call {int(rows[i])}) of 0x{int(base[i]):x} to 0x{int(top[i]):x} gives out_top 0x{int(out[i]):x}"
            )
            yield found(RANGE_NO_PROGRESS, capture, text, [int(rows[i])])
        part = np.flatnonzero(known & (out > base) & (out < top))
        if not len(part) or not columns.sees_all:
            continue
        goes_on = _follows(columns, command, rows[part], out[part])
        for i in part[~goes_on].tolist():
            if int(rows[i]) == int(columns.rows[-1]):  # the capture ends here
                continue
            text = f"RMI_{command} (call {int(rows[i])}) stops at 0x{int(out[i]):x} of 0x{int(top[i]):x}, and no call goes on"
            yield found(RANGE_NOT_FINISHED, capture, text, [int(rows[i])])


def _follows(columns: Columns, command: str, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Whether a later call of the command begins where each of these stopped, whatever it returned."""
    every = columns.of(command)
    base, _known = columns.arg(every, "base")
    order = np.lexsort((every, base))
    key, seq = base[order], every[order]
    hi = np.searchsorted(key, at, "right")
    last = seq[np.maximum(hi - 1, 0)]
    good: np.ndarray = (hi > 0) & (key[np.maximum(hi - 1, 0)] == at) & (last > rows)
    return good


def leaked(capture: Capture) -> Iterable[Finding]:
    """LEAKED-PAGE-USED: the page of an undelegate that failed is given as a page of the host's."""
    return some(f for s in diagnose.runs(capture) for f in _leaked(capture, s))


_HOST_PAGES = ("params_ptr", "data_ptr", "run_ptr", "src", "list_addr")


def _leaked(capture: Capture, source: int) -> Iterator[Finding]:
    world = diagnose.world(capture, source)
    columns = world.columns
    rows = columns.of("GRANULE_UNDELEGATE", "GRANULE_RANGE_UNDELEGATE")
    bad = rows[capture.calls.failed[rows]]
    if not len(bad):
        return
    page, known = columns.arg(bad, "addr", "base")
    failed = {int(p): int(q) for p, q, k in zip(page.tolist(), bad.tolist(), known.tolist(), strict=True) if k}
    users = [n.removeprefix("RMI_") for n in capture.names if any(columns.register(n, (a,)) for a in _HOST_PAGES)]
    used = columns.of(*users)
    value, known = columns.arg(used, *_HOST_PAGES)
    hit = np.isin(value, np.array(list(failed), dtype=np.uint64)) & known
    told: set[int] = set()
    for i in np.flatnonzero(hit).tolist():
        address, seq = int(value[i]), int(used[i])
        if seq <= failed[address] or address in told:
            continue
        state = world.granules.at(address, seq)
        if state is not None and state.state != "UNDELEGATED":
            told.add(address)
            text = (
                f"0x{address:x} is used in call {seq} {capture.name_text(seq)}; its undelegate failed in call {failed[address]}"
            )
            yield found(LEAKED_USED, capture, text, [seq, failed[address]])


CHECKS = (
    Check(returned, (NOT_RETURNED,)),
    Check(ranges, (RANGE_NO_PROGRESS, RANGE_NOT_FINISHED)),
    Check(leaked, (LEAKED_USED,)),
)
