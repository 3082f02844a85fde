"""Captures that grow: what is new is read, paired and named part by part, and the whole can be had at any time.

A Part is a capture of its own, made of what is new and of a few calls before it, which say to what it belongs. Calls are
numbered in the order in which they are given out, which is that of their ends.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...formats.base import ReadOptions
from ...lifecycle.operations import join_operations
from ..errors import CaptureError
from ..model import Capture
from ..opening import OpenOptions, assemble, check, complete, decide, gather_signs, pair_up
from ..pairing import Pairs
from ..records import Finding, Records
from ..revision import Revision, Signs
from ..source import Source
from .feed import Feed, nothing
from .holding import Holding, joined, rows
from .messages import Talk
from .tail import Tail

CONTEXT = 32
"""Calls of each source that a part begins with."""
LOOK_S = 0.1
"""Time between two looks at a file."""

I64 = npt.NDArray[np.int64]


@dataclass(slots=True)
class Part:
    """What is new.

    capture  those calls, behind some that were given out before
    new      which of its calls are new, in their order
    events   what happened to the sources, findings about what comes behind it
    revised  the revision is another one than before
    """

    capture: Capture
    new: I64
    events: list[Finding]
    revised: bool


@dataclass(slots=True)
class _Calls:
    """Calls of one source: numbers of their records (-1 none), how they were paired, and the numbers of the calls."""

    enter: I64
    exit: I64
    paired: npt.NDArray[np.uint8]
    inferred: npt.NDArray[np.bool_]
    number: I64

    @classmethod
    def none(cls) -> _Calls:
        """No calls."""
        z = np.zeros(0, dtype=np.int64)
        return cls(z, z, np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.bool_), z)

    @classmethod
    def all(cls, parts: list[_Calls]) -> _Calls:
        """Those of all parts."""
        names = ("enter", "exit", "paired", "inferred", "number")
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in names)) if parts else cls.none()

    def at(self, which: npt.NDArray[Any]) -> _Calls:
        """Some of them."""
        return _Calls(self.enter[which], self.exit[which], self.paired[which], self.inferred[which], self.number[which])

    def moved(self, place: I64) -> _Calls:
        """The same, of records that stand elsewhere: ``place`` is where each is now."""
        enter, exit_ = (np.where(r >= 0, place[r], -1) if len(place) else r for r in (self.enter, self.exit))
        return _Calls(enter, exit_, self.paired, self.inferred, self.number)

    @property
    def first(self) -> I64:
        """The record that each begins with."""
        return np.where(self.enter >= 0, self.enter, self.exit)

    def in_order(self) -> _Calls:
        """In the order of the source."""
        return self.at(np.argsort(self.first, kind="stable"))

    def pairs(self) -> Pairs:
        """As pairing gives them."""
        of = self.in_order()
        return Pairs(of.enter, of.exit, of.paired, of.inferred, 0, {})


@dataclass(slots=True)
class _Growing:
    """One source. ``given``: all records that became calls, or tell something else, by parts; ``calls``: the calls of each
    part, by numbers of those. ``context``: the records of the calls that the next part begins with, ``before`` these calls
    by numbers into them, ``place`` where each of the records is among all."""

    tail: Tail
    feed: Feed
    holding: Holding
    given: list[Records] = field(default_factory=list)
    count: int = 0
    calls: list[_Calls] = field(default_factory=list)
    context: Records = field(default_factory=nothing)
    before: _Calls = field(default_factory=_Calls.none)
    place: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    duplicates: int = 0
    text: int = 0
    """Byte offset up to which messages were looked for."""

    def source(self) -> Source:
        """The source as it is now, without records."""
        format_ = self.feed.format
        return Source(self.tail.path, self.tail.spool.data(), format=format_.name if format_ else "", reader=format_)


class Live:
    """Files, FIFOs and pipes that are read while they grow. Raises CaptureError where one cannot be opened or read."""

    def __init__(self, paths: list[str], options: OpenOptions | None = None) -> None:
        self.options = options or OpenOptions()
        check(paths, self.options)
        self.read_options = ReadOptions(self.options.maps, keys=self.options.keys, show_secrets=self.options.show_secrets)
        self.sources: list[_Growing] = []
        for p in paths:
            tail = Tail(p)
            self.sources.append(_Growing(tail, Feed(tail, self.read_options, self.options.source_format), Holding(nothing())))
        self.events: list[Finding] = []
        self.calls = 0
        self.revision: Revision | None = None
        self.talk = Talk(self.read_options)
        self._signs = [Signs() for _ in paths]
        self._told = [0] * len(paths)

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more, and all that came is read."""
        return all(g.tail.ended and not g.feed.behind for g in self.sources)

    def close(self) -> None:
        """Let go of the sources."""
        for g in self.sources:
            g.tail.close()

    def wait(self, seconds: float = LOOK_S, also: int | None = None) -> bool:
        """Wait for more, at most so long. ``also``: a descriptor that others read from; False where they are gone."""
        poll = select.poll()
        for g in self.sources:
            if (fd := g.tail.waits_on) is not None:
                poll.register(fd, select.POLLIN)
        if also is not None:
            poll.register(also, 0)
        began = time.monotonic()
        for fd, event in poll.poll(seconds * 1000):
            if fd == also and event & (select.POLLERR | select.POLLHUP):
                return False
            if event & select.POLLHUP and not event & select.POLLIN:  # a FIFO without a writer tells so at once, every time
                time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        return True

    def step(self, *, end: bool = False) -> Part | None:
        """Read what is new, some way on; None where there is nothing to tell. ``end``: give out what waits, too."""
        before = len(self.events)
        ready = []
        for i, g in enumerate(self.sources):
            if g.tail.take():
                g.feed.grown()
            for e in g.tail.events[self._told[i] :]:
                self.events.append(Finding(e.rule, "warning", e.message, i, e.at))
            self._told[i] = len(g.tail.events)
            new = g.feed.take(end=end)
            ready.append(g.holding.add(new, end=end or (g.tail.ended and not g.feed.behind)))
        events = self.events[before:]
        if not any(len(r) for r in ready) and not events and not any(g.text < g.feed.read_to for g in self.sources):
            return None
        return self._part(ready, events)

    # -- parts

    def _part(self, ready: list[Records], events: list[Finding]) -> Part:
        made = []
        for g, new, signs in zip(self.sources, ready, self._signs, strict=True):
            source = g.source()
            start = max(g.text - _TEXT_BEFORE, 0)
            source.talk = (source.data.rfind(b"\n", 0, start) + 1 if start else 0, g.feed.read_to)
            g.text = g.feed.read_to
            found = pair_up(new)
            g.duplicates += found.duplicates
            source.records = new
            gather_signs(signs, source, found)
            made.append(_Made.of(g, source, new, found))
        was, self.revision = self.revision, decide(self._signs, self.options.abi)
        capture = assemble([m.source for m in made], [m.calls.pairs() for m in made], self.revision, self.read_options)
        new_calls = self._number(capture, made)
        unfinished = join_operations(capture)
        self.talk.add(capture, new_calls)
        for g, new, m in zip(self.sources, ready, made, strict=True):
            m.remember(g, new, {int(capture.numbers[c]) for c in unfinished} if capture.numbers is not None else set())
        return Part(capture, new_calls, events, was is None or was.name != self.revision.name)

    def _number(self, capture: Capture, made: list[_Made]) -> I64:
        """Number the calls of a part; those that are new, in their order."""
        c = capture.calls
        first = np.where(c.enter >= 0, c.enter, c.exit)
        number = _numbers_of(capture, [m.calls.pairs() for m in made], [m.calls.in_order().number for m in made])
        new = np.flatnonzero(number < 0)
        number[new] = self.calls + np.arange(len(new))
        self.calls += len(new)
        for s, m in enumerate(made):
            of_record = np.full(len(m.source.records), -1, dtype=np.int64)
            mine = np.flatnonzero(c.source == s)
            of_record[first[mine]] = number[mine]
            m.calls.number = of_record[m.calls.first]
        capture.numbers = number
        return new

    # -- the whole

    def finish(self, *, stopped: bool) -> Capture:
        """All that came, when no more is to be read. ``stopped``: before the sources ended.

        Raises CaptureError where nothing of them was recognised.
        """
        if all(g.feed.format is None and g.tail.spool.size for g in self.sources):
            names = ", ".join(g.tail.path for g in self.sources)
            raise CaptureError(f"{names}: no SMC traffic recognised in {sum(g.tail.spool.size for g in self.sources)} bytes")
        for i, g in enumerate(self.sources):
            g.feed.recount()
            left = g.tail.left() + g.tail.spool.size - g.feed.read_to
            if stopped and (g.tail.left() or g.feed.behind):
                text = f"stopped at byte {g.feed.read_to}: {left} bytes more were there to be read"
                self.events.append(Finding("INTERRUPTED", "warning", text, i, g.feed.read_to))
        return self.whole()

    def whole(self, *, waiting: bool = False) -> Capture:
        """All that came so far as one capture, its calls with the numbers that they were given out with.

        ``waiting``: also the calls that have not returned yet.
        """
        sources, pairs, numbers = [], [], []
        for i, g in enumerate(self.sources):
            source = g.source()
            calls = _Calls.all(g.calls)
            parts = list(g.given)
            if waiting and len(g.holding.waiting):
                found = pair_up(g.holding.waiting)
                at = np.arange(len(g.holding.waiting), dtype=np.int64) + g.count
                none = np.full(len(found.enter), -1, dtype=np.int64)
                more = _Calls(found.enter, found.exit, found.paired, found.inferred, none).moved(at)
                calls = _Calls.all([calls, more])
                parts.append(g.holding.waiting)
            source.records, calls = _in_order(joined(parts) if parts else nothing(), calls)
            source.records.facts = {"lines": g.feed.lines, "ignored": max(g.feed.lines - g.feed.used, 0), **g.feed.facts}
            source.findings = [replace(f, source=i) for f in g.feed.findings]
            of_source = calls.pairs()
            of_source.duplicates = g.duplicates
            numbers.append(calls.in_order().number)
            sources.append(source)
            pairs.append(of_source)
        each = [Signs() for _ in sources]
        for signs, source, of_source in zip(each, sources, pairs, strict=True):
            gather_signs(signs, source, of_source)
        capture = assemble(sources, pairs, decide(each, self.options.abi), self.read_options)
        complete(capture)
        capture.numbers = _numbers_of(capture, pairs, numbers)
        capture.reading += self.events
        return capture


_TEXT_BEFORE = 1 << 16
"""Bytes of text before what is new in which messages are looked for again: one may have begun there."""


@dataclass(slots=True)
class _Made:
    """What a part has of one source: its records, those of the context and the new ones; its calls by numbers into them;
    where each record is among all that were given out."""

    source: Source
    calls: _Calls
    place: I64

    @classmethod
    def of(cls, g: _Growing, source: Source, new: Records, found: Pairs) -> _Made:
        """The calls of the context and the new ones, in the order of the source."""
        both = joined([g.context, new])
        order = np.argsort(both.offset, kind="stable")
        to = np.empty(len(order), dtype=np.int64)
        to[order] = np.arange(len(order))
        fresh = _Calls(found.enter, found.exit, found.paired, found.inferred, np.full(len(found.enter), -1, dtype=np.int64))
        calls = _Calls.all([g.before.moved(to), fresh.moved(to[len(g.context) :])])
        place = np.concatenate([g.place, g.count + np.arange(len(new), dtype=np.int64)])[order]
        source.records = rows(both, order)
        return cls(source, calls, place)

    def remember(self, g: _Growing, new: Records, unfinished: set[int]) -> None:
        """Add the new records and calls to those that were given out; keep the last ones for the next part."""
        fresh = self.place[self.calls.first] >= g.count
        if len(new):
            g.given.append(new)
        if fresh.any():
            g.calls.append(self.calls.at(np.flatnonzero(fresh)).moved(self.place))
        g.count += len(new)
        by_number = np.argsort(self.calls.number, kind="stable")
        last = by_number[-CONTEXT:]
        older = [i for i in by_number[:-CONTEXT].tolist() if int(self.calls.number[i]) in unfinished][-CONTEXT:]
        kept = self.calls.at(np.concatenate([np.array(older, dtype=np.int64), last]))
        used = np.unique(np.concatenate([kept.enter, kept.exit]))
        used = used[used >= 0]
        to = np.full(len(self.source.records), -1, dtype=np.int64)
        to[used] = np.arange(len(used))
        g.context, g.before, g.place = rows(self.source.records, used), kept.moved(to), self.place[used]


def _numbers_of(capture: Capture, pairs: list[Pairs], numbers: list[I64]) -> I64:
    """The numbers of the calls of a capture, given those of each source in its order."""
    c = capture.calls
    first = np.where(c.enter >= 0, c.enter, c.exit)
    out = np.full(len(c), -1, dtype=np.int64)
    for s, (p, number) in enumerate(zip(pairs, numbers, strict=True)):
        of_record = np.full(len(capture.sources[s].records), -1, dtype=np.int64)
        of_record[np.where(p.enter >= 0, p.enter, p.exit)] = number
        mine = np.flatnonzero(c.source == s)
        out[mine] = of_record[first[mine]]
    return out


def _in_order(records: Records, calls: _Calls) -> tuple[Records, _Calls]:
    """Records in the order in which they stand in the source: what waited was given out later."""
    order = np.argsort(records.offset, kind="stable")
    to = np.empty(len(order), dtype=np.int64)
    to[order] = np.arange(len(order))
    return rows(records, order), calls.moved(to)
