"""Put the calls of several sources on one axis: that of the source with the most to say, the reference."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..capture.records import NO_TIME
from .clocks import Clock, fit
from .keys import Comparison
from .matching import Seen, match
from .model import I64, MAX_SOURCES, Bits, Correlation, Link

if TYPE_CHECKING:
    from ..capture.model import Calls, Capture

_FIRMWARE = ("rmm-console",)
_MACHINE = ("qemu-int", "qemu-log", "qemu-simple", "qemu-execlog")
_RECORDER = ("calls-jsonl",)
_LAST = 2**62


def side(format: str) -> str:
    """Where a source looks from: 'firmware', 'machine' (an emulator), 'recorder' (whole calls from anywhere), 'host'."""
    for name, formats in (("firmware", _FIRMWARE), ("machine", _MACHINE), ("recorder", _RECORDER)):
        if format in formats:
            return name
    return "host"


def arrange(capture: Capture) -> Correlation | None:
    """Find the calls that sources of different sides share; order the calls of the capture by them, and keep each once.

    Sources of one side (traces of two CPUs) complete each other and are not compared. None where nothing is compared.
    """
    source = np.asarray(capture.calls.source)
    counts = np.bincount(source, minlength=len(capture.sources))
    talking = [s for s in np.flatnonzero(counts).tolist() if s < MAX_SOURCES]
    sides = {s: side(capture.sources[s].format) for s in talking}
    if len(set(sides.values())) < 2:
        return None
    draft = _Draft.of(capture)
    reference = min(talking, key=lambda s: _rank(draft, s, sides[s], int(counts[s])))
    for s in talking:
        if sides[s] != sides[reference]:
            _compare(capture, draft, reference, s, sides)
    _convert_times(draft)
    return _split(capture, draft, _order(draft, reference))


@dataclass(slots=True)
class _Draft:
    """The columns of all calls as they were read, and what is found about them. ``main``: the call that each is a sight of,
    itself where it is none."""

    source: npt.NDArray[np.int16]
    ts: I64
    dur: I64
    main: I64
    seen: Bits
    missing: Bits
    unclear: Bits
    changed: npt.NDArray[np.bool_]
    links: list[Link]
    own_ts: I64 | None = None

    @classmethod
    def of(cls, capture: Capture) -> _Draft:
        c, n = capture.calls, len(capture.calls)
        source = np.asarray(c.source)
        return cls(
            source,
            np.array(c.ts),
            np.asarray(c.dur),
            np.arange(n),
            seen=np.uint32(1) << source.astype(np.uint32),
            missing=np.zeros(n, dtype=np.uint32),
            unclear=np.zeros(n, dtype=np.uint32),
            changed=np.zeros(n, dtype=bool),
            links=[],
        )


def _rank(draft: _Draft, source: int, side: str, calls: int) -> tuple[bool, int, int]:
    """What a source is worth as the one that orders the others, best first: times, then memory, then the host's sight."""
    timed = bool((draft.ts[draft.source == source] != NO_TIME).any())
    return not timed, ("recorder", "host", "machine", "firmware").index(side), -calls


def _compare(capture: Capture, draft: _Draft, reference: int, source: int, sides: dict[int, str]) -> None:
    firmware = "firmware" in (sides[reference], sides[source])
    pair = Comparison(capture, reference, source, ("RMI",) if firmware else tuple(capture.services))
    m = match(pair.side_a, pair.side_b, pair.alike)
    if not len(m.a) or not pair.one_run(m.a):
        draft.links.append(Link(source, reference, 0, 0, 0, 0, 0))
        return
    ours, theirs = pair.a.call[m.a], pair.b.call[m.b]
    draft.main[theirs] = ours
    draft.seen[ours] |= np.uint32(1 << source)
    draft.changed[ours[m.changed]] = True
    for state, rows, other in ((m.state_a, pair.a.call, source), (m.state_b, pair.b.call, reference)):
        draft.missing[rows[state == Seen.ONLY]] |= np.uint32(1 << other)
        draft.unclear[rows[state == Seen.UNCLEAR]] |= np.uint32(1 << other)
    only, reference_only = (int((state == Seen.ONLY).sum()) for state in (m.state_b, m.state_a))
    unclear = int((m.state_a == Seen.UNCLEAR).sum() + (m.state_b == Seen.UNCLEAR).sum())
    clock = _clock(draft, ours, theirs, late=sides[source] == "firmware")
    draft.links.append(Link(source, reference, len(ours), int(m.changed.sum()), only, reference_only, unclear, clock))


def _clock(draft: _Draft, ours: I64, theirs: I64, late: bool) -> Clock | None:
    """``late``: a row of a console is printed when the call returns; everything else has the time of the entry."""
    here, there, took = draft.ts[ours], draft.ts[theirs], draft.dur[ours]
    both = (here != NO_TIME) & (there != NO_TIME)
    return fit(there[both], here[both] + (np.maximum(took[both], 0) if late else 0))


def _convert_times(draft: _Draft) -> None:
    """Give the calls of a source with a clock of its own the times of the reference."""
    for link in draft.links:
        if link.clock is None or link.clock.same:
            continue
        if draft.own_ts is None:
            draft.own_ts = draft.ts.copy()
        rows = np.flatnonzero((draft.source == link.source) & (draft.ts != NO_TIME))
        draft.ts[rows] = link.clock.to_reference(draft.ts[rows])


def _order(draft: _Draft, reference: int) -> I64:
    """The calls in order: those of the reference as they are, the others at or behind the calls that they share with it."""
    axis = np.flatnonzero(draft.source == reference)
    place = np.full(len(draft.source), _LAST, dtype=np.int64)
    place[axis] = 2 * np.arange(len(axis))
    linked = {link.source for link in draft.links if link.pairs}
    times = draft.ts[axis]
    timed = bool((times != NO_TIME).all()) and bool((np.diff(times) >= 0).all())
    for s in np.unique(draft.source).tolist():
        rows = np.flatnonzero(draft.source == s)
        if s in linked:
            place[rows] = _beside(draft, place, rows)
        elif s != reference and timed and bool((draft.ts[rows] != NO_TIME).all()):
            place[rows] = 2 * np.searchsorted(times, draft.ts[rows], side="right") - 1
    return np.lexsort((np.arange(len(place)), draft.source, place))


def _beside(draft: _Draft, place: I64, rows: I64) -> I64:
    """Places of the calls of one source, ``rows`` in its order: right behind the shared call, the others behind the last
    shared one before them, those before the first one in front of it."""
    shared = np.flatnonzero(draft.main[rows] != rows)
    at = place[draft.main[rows[shared]]] + 1
    last = np.searchsorted(shared, np.arange(len(rows)), side="right") - 1
    out: I64 = np.maximum.accumulate(np.where(last >= 0, at[np.maximum(last, 0)], at[0] - 2))
    return out


def _split(capture: Capture, draft: _Draft, order: I64) -> Correlation:
    """Put the calls in order, and the further sights aside."""
    calls = replace(capture.calls, ts=draft.ts)
    first = draft.main[order] == order
    kept, aside = order[first], order[~first]
    number = np.zeros(len(order), dtype=np.int64)
    number[kept] = np.arange(len(kept))
    of = number[draft.main[aside]]
    aside, of = aside[np.argsort(of, kind="stable")], np.sort(of)
    capture.calls = _taken(calls, kept)
    return Correlation(
        _taken(calls, aside),
        of,
        draft.seen[kept],
        draft.missing[kept],
        draft.unclear[kept],
        draft.changed[kept],
        draft.links,
        None if draft.own_ts is None else draft.own_ts[kept],
    )


def _taken(calls: Calls, rows: I64) -> Calls:
    columns: dict[str, Any] = {f.name: np.asarray(getattr(calls, f.name))[rows] for f in fields(calls)}
    out = replace(calls, **columns)
    out.pack()
    return out
