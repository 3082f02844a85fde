"""Many calls alike, and long times: probing that is normal, calls that are repeated, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..capture.records import NO_TIME, Finding
from ..lifecycle.members import SEQUENCES_AT_ONCE
from .finding import MOST_CALLS, found, parts, some
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

RTT_PROBING = Rule(
    "RTT-PROBING",
    "note",
    "RMI_ERROR_RTT while tables are walked",
    "normal: KVM asks for an entry, and where the walk ends above it makes or skips the table; the level is in x0",
    "nothing, unless the same call is repeated (CALL-REPEATED) or a Realm fails to build",
    "DEN0137 RTT walk; KVM",
)
REPEATED = Rule(
    "CALL-REPEATED",
    "warning",
    "the same call fails in the same way again and again",
    "nothing changes between the calls, so nothing will",
    "the loop that makes them: what it waits for",
    "DEN0137",
)
LONG_GAP = Rule(
    "LONG-GAP",
    "note",
    "nothing happens for a long time in the middle of a sequence",
    "a time-out, a device that is slow, or a host that waits for something else",
    "the calls before and behind it, and the messages to the device in between",
    "DEN0137; PCIe r6 DOE time-outs (1 s)",
    "times",
)
SLOW_CALL = Rule(
    "SLOW-CALL",
    "note",
    "a call that takes long",
    "the RMM runs with interrupts of the host off or yields to it: seconds in one call look like a hang (RCU stalls)",
    "what the RMM does in it: cryptography without acceleration, a UART that prints",
    "Linux RCU stall warnings",
    "times",
)
I64 = npt.NDArray[np.int64]

_SAME = 100
READ_ENTRY = "RMI_RTT_READ_ENTRY"
_GAP_NS = 1_000_000_000
_SLOW_NS = 5_000_000_000


def probing(capture: Capture) -> Iterable[Finding]:
    """RTT-PROBING: one finding for each command."""
    c = capture.calls
    wanted = [i for i, s in enumerate(capture.statuses) if s in ("RMI_ERROR_RTT", "RMI_ERROR_RTT_AUX")]
    every = np.zeros(len(capture.names), dtype=np.int64)
    found_: list[I64] = [np.zeros(0, dtype=np.int64)]
    for part in parts(capture) if wanted else ():
        found_.append(np.flatnonzero(np.isin(c.status[part], wanted)) + part.start)
        every += np.bincount(c.name[part], minlength=len(every))
    rows = np.concatenate(found_)
    name = c.name[rows]
    for i in np.unique(name).tolist():
        if capture.names[i] == READ_ENTRY:  # which succeeds wherever the walk ends
            continue
        mine = rows[name == i]
        text = f"{capture.names[i]}: {len(mine)} of {every[i]} calls returned RMI_ERROR_RTT, as walks over tables do"
        yield found(RTT_PROBING, capture, text, mine[:MOST_CALLS].tolist(), object="")


def repeated(capture: Capture) -> Iterable[Finding]:
    """CALL-REPEATED: _SAME failed calls of one command in a row with the same arguments and status."""
    return some(_repeated(capture))


def _repeated(capture: Capture) -> Iterator[Finding]:
    alike = list(_alike(capture))
    every = np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *(rows for rows, _ in alike)]))
    args = [capture.regs(every, n)[0] for n in range(1, 5)]
    for rows, together in alike:
        at = np.searchsorted(every, rows)
        same = np.logical_and.reduce([together, *(a[at[1:]] == a[at[:-1]] for a in args)])
        for start, stop in _long_runs(same):
            run = rows[start : stop + 1]
            text = f"{capture.call(int(run[0])).line} {len(run)} times in a row"
            yield found(REPEATED, capture, text, run[:MOST_CALLS].tolist())


def _alike(capture: Capture) -> Iterator[tuple[I64, npt.NDArray[np.bool_]]]:
    """Of each RMI command the calls that failed with one status _SAME times in a row or more, and whether each but the first
    goes on with the row of the one before it."""
    c = capture.calls
    busy = [i for i, s in enumerate(capture.statuses) if s in ("RMI_BUSY", "RMI_BLOCKED")]
    bad, name, place = _failed(capture)
    status = c.status[bad]
    often, first, counts = np.unique(name, return_index=True, return_counts=True)
    for i, begin, n in zip(often.tolist(), first.tolist(), counts.tolist(), strict=True):
        if n < _SAME or not capture.names[i].startswith("RMI_"):
            continue
        some_of = slice(begin, begin + n)
        mine, status_of, nth = bad[some_of], status[some_of], place[some_of]
        good = ~np.isin(status_of, busy)
        same = good[1:] & good[:-1] & (status_of[1:] == status_of[:-1]) & (nth[1:] == nth[:-1] + 1)
        long = np.zeros(len(mine), dtype=bool)
        for start, stop in _long_runs(same):
            long[start : stop + 1] = True
        at = np.flatnonzero(long)
        if len(at):
            yield mine[at], same[at[1:] - 1] & (at[1:] == at[:-1] + 1)


def _failed(capture: Capture) -> tuple[I64, I64, I64]:
    """The calls that failed, one command after the other: their names, and the how many-th call of the command each is."""
    c = capture.calls
    seen = np.zeros(len(capture.names) + 1, dtype=np.int64)
    found: list[tuple[I64, I64, I64]] = []
    for part in parts(capture):
        name = c.name[part].astype(np.int16 if len(seen) < 1 << 15 else np.int32)
        order = np.argsort(name, kind="stable")
        count = np.bincount(name, minlength=len(seen))
        nth = np.empty(len(name), dtype=np.int64)
        nth[order] = np.arange(len(name)) - np.repeat(np.cumsum(count) - count - seen, count)
        seen += count
        bad = np.flatnonzero(c.failed[part])
        found.append((bad + part.start, name[bad].astype(np.int64), nth[bad]))
    bad, name, nth = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(name, kind="stable")
    return bad[order], name[order], nth[order]


def _long_runs(same: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last of each _SAME or more in a row that are the same; ``same``: whether each but the first is as the one
    before it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], same.astype(np.int8), [0]])))
    long = edges[1::2] - edges[::2] >= _SAME - 1
    yield from zip(edges[::2][long].tolist(), edges[1::2][long].tolist(), strict=True)


def gaps(capture: Capture) -> Iterable[Finding]:
    """LONG-GAP: a second or more between two calls of a step of a sequence on a device."""
    return some(_gaps(capture), 10)


def _gaps(capture: Capture) -> Iterator[Finding]:
    q = capture.sequences
    for step, a, b, between in _long_waits(capture):
        number = int(np.searchsorted(q.first_step, step, "right")) - 1
        object_ = q.object(number)
        text = f"{q.kinds[q.kind[number]]} of {object_}: nothing for {between / 1e9:.1f} s between "
        text += f"{capture.name_text(a)} (call {a}) and {capture.name_text(b)} (call {b})"
        yield found(LONG_GAP, capture, text, [a, b], object=object_)


def _long_waits(capture: Capture) -> Iterator[tuple[int, int, int, int]]:
    """Where two calls of one step of a sequence on a device lie far apart: the step, both calls, ns between them."""
    q, c = capture.sequences, capture.calls
    wanted = _long_steps(capture)
    for begin in range(0, len(q), SEQUENCES_AT_ONCE):
        steps = slice(*q.first_step[[begin, min(begin + SEQUENCES_AT_ONCE, len(q))]].tolist())
        if not wanted[steps].any():
            continue
        part = slice(*q.start[[begin, min(begin + SEQUENCES_AT_ONCE, len(q))]].tolist())
        of, rows = q.member_step[part], q.member[part]
        mine = np.flatnonzero((of >= 0) & wanted[np.maximum(of, 0)])
        mine = mine[np.argsort(of[mine], kind="stable")]
        of, rows = of[mine], rows[mine]
        ts, dur = c.ts[rows], np.maximum(c.dur[rows], 0)
        known = (of[1:] == of[:-1]) & (ts[1:] != NO_TIME) & (ts[:-1] != NO_TIME)
        between = np.where(known, ts[1:] - ts[:-1] - dur[:-1], 0)
        for k in np.flatnonzero(between >= _GAP_NS).tolist():
            yield int(of[k]), int(rows[k]), int(rows[k + 1]), int(between[k])


def _long_steps(capture: Capture) -> npt.NDArray[np.bool_]:
    """Which steps are of a sequence on a device and last long enough for a gap."""
    q, ts = capture.sequences, capture.calls.ts
    on_device = ~np.isin(q.kind, [i for i, k in enumerate(q.kinds) if k.startswith("realm")])
    wanted = np.zeros(len(q.step_name), dtype=bool)
    for begin in range(0, len(q), SEQUENCES_AT_ONCE):
        start = q.first_step[begin : begin + SEQUENCES_AT_ONCE + 1]
        steps = slice(int(start[0]), int(start[-1]))
        of = np.repeat(on_device[begin : begin + SEQUENCES_AT_ONCE], np.diff(start))
        first, last = ts[q.step_first[steps]], ts[q.step_last[steps]]
        unsure = (first == NO_TIME) | (last == NO_TIME)
        wanted[steps] = (q.step_count[steps] > 1) & of & (unsure | (last - first >= _GAP_NS))
    return wanted


def slow(capture: Capture) -> Iterable[Finding]:
    """SLOW-CALL: an RMI call that takes seconds; RMI_REC_ENTER runs the Realm and may take any time."""
    c = capture.calls
    runs = [i for i, n in enumerate(capture.names) if n == "RMI_REC_ENTER" or not n.startswith("RMI_")]
    rows = [np.flatnonzero(c.dur[part] >= _SLOW_NS) + part.start for part in parts(capture)]
    slow = (q for r in rows for q in r[~np.isin(c.name[r], runs)].tolist())
    return some((found(SLOW_CALL, capture, f"{capture.name_text(q)} took {int(c.dur[q]) / 1e9:.1f} s", [q]) for q in slow), 10)


CHECKS = (
    Check(probing, (RTT_PROBING,)),
    Check(repeated, (REPEATED,)),
    Check(gaps, (LONG_GAP,)),
    Check(slow, (SLOW_CALL,)),
)
