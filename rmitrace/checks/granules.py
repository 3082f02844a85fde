"""Granules that are not given back, ranges that are done in part, pages that are used though they are the RMM's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from .. import diagnose
from ..capture.records import Finding
from ..capture.shelf import Shelf
from ..diagnose.gathered import AT_ONCE
from .finding import found, some
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture
    from ..diagnose.columns import I64, U64, Columns
    from ..diagnose.table import Flags

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
        rows, end, value, known = columns.done_with((command,), name)
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
        rows, base, top, out = _not_whole(columns, command)
        for i in np.flatnonzero((out <= base) | (out > top)).tolist():
            text = (
                f"RMI_{command} (call {int(rows[i])}) of 0x{int(base[i]):x} to 0x{int(top[i]):x} gives out_top 0x{int(out[i]):x}"
            )
            yield found(RANGE_NO_PROGRESS, capture, text, [int(rows[i])])
        part = np.flatnonzero((out > base) & (out < top))
        if not len(part) or not columns.sees_all:
            continue
        for i in _not_followed(columns, command, rows, part, out):
            if int(rows[i]) == int(columns.rows[-1]):  # the capture ends here
                continue
            text = f"RMI_{command} (call {int(rows[i])}) stops at 0x{int(out[i]):x} of 0x{int(top[i]):x}, and no call goes on"
            yield found(RANGE_NOT_FINISHED, capture, text, [int(rows[i])])


def _not_whole(columns: Columns, command: str) -> tuple[I64, U64, U64, U64]:
    """The calls of a range command that were through at once and gave another out_top than top, with base, top and out_top."""
    kept: list[tuple[I64, U64, U64, U64]] = [(np.zeros(0, dtype=np.int64), *(np.zeros(0, dtype=np.uint64),) * 3)]
    asked = (columns.parts((command,), name, out=name == "out_top") for name in ("base", "top", "out_top"))
    for base, top, out in zip(*asked, strict=True):
        known = base.known & top.known & out.known & base.ok & (base.rows == base.end)
        at = known & ((out.value <= base.value) | (out.value != top.value))
        kept.append((base.rows[at], base.value[at], top.value[at], out.value[at]))
    shelf = Shelf()
    rows, first, last, reached = (shelf.put(np.concatenate(column)) for column in zip(*kept, strict=True))
    return rows, first, last, reached


def _not_followed(columns: Columns, command: str, rows: I64, part: I64, out: U64) -> Iterator[int]:
    """Those of ``part`` behind which no call goes on where they stopped; looked for some at a time."""
    for start in range(0, len(part), AT_ONCE):
        some = part[start : start + AT_ONCE]
        yield from some[~_follows(columns, command, rows[some], out[some])].tolist()


def _follows(columns: Columns, command: str, rows: I64, at: U64) -> Flags:
    """Whether a later call of the command begins where each of these stopped, whatever it returned."""
    places = np.unique(at)
    last = np.full(len(places), -1, dtype=np.int64)
    for part in columns.parts((command,), "base"):
        place = np.searchsorted(places, part.value)
        hit = np.flatnonzero(places[np.minimum(place, len(places) - 1)] == part.value)
        last[place[hit]] = part.rows[hit]  # ascending: of several the last stays
    good: Flags = last[np.searchsorted(places, at)] > rows
    return good


def leaked(capture: Capture) -> Iterable[Finding]:
    """LEAKED-PAGE-USED: the page of an undelegate that failed is given as a page of the host's."""
    return some(f for s in diagnose.runs(capture) for f in _leaked(capture, s))


_HOST_PAGES = ("params_ptr", "data_ptr", "run_ptr", "src", "list_addr")


def _leaked(capture: Capture, source: int) -> Iterator[Finding]:
    world = diagnose.world(capture, source)
    columns = world.columns
    bad, _end, page, known = columns.with_arg(("GRANULE_UNDELEGATE", "GRANULE_RANGE_UNDELEGATE"), "addr", "base")
    known &= capture.calls.failed[bad]
    failed = dict(zip(page[known].tolist(), bad[known].tolist(), strict=True))
    told: set[int] = set()
    for address, seq in zip(*(column.tolist() for column in _uses(capture, columns, failed)), strict=True):
        if address in told:
            continue
        state = world.granules.at(address, seq)
        if state is not None and state.state != "UNDELEGATED":
            told.add(address)
            text = (
                f"0x{address:x} is used in call {seq} {capture.name_text(seq)}; its undelegate failed in call {failed[address]}"
            )
            yield found(LEAKED_USED, capture, text, [seq, failed[address]])


def _uses(capture: Capture, columns: Columns, failed: dict[int, int]) -> tuple[U64, I64]:
    """The calls that are given a page behind the last undelegate of it that failed: pages and calls, in order of the calls."""
    pages = np.array(sorted(failed), dtype=np.uint64)
    found = [(pages[:0], np.zeros(0, dtype=np.int64))]
    since = np.array([failed[p] for p in pages.tolist()], dtype=np.int64)
    users = [n.removeprefix("RMI_") for n in capture.names if any(columns.register(n, (a,)) for a in _HOST_PAGES)]
    for part in columns.parts(tuple(users), *_HOST_PAGES) if failed else ():
        place = np.minimum(np.searchsorted(pages, part.value), len(pages) - 1)
        hit = part.known & (pages[place] == part.value) & (part.rows > since[place])
        found.append((part.value[hit], part.rows[hit]))
    page, seq = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(seq, kind="stable")
    return page[order], seq[order]


CHECKS = (
    Check(returned, (NOT_RETURNED,)),
    Check(ranges, (RANGE_NO_PROGRESS, RANGE_NOT_FINISHED)),
    Check(leaked, (LEAKED_USED,)),
)
