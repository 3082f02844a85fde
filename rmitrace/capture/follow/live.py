"""Captures that grow: what is new is read, paired and named part by part, and the whole can be had at any time.

A Part is a capture of its own, made of what is new and of a few calls before it, which say to what it belongs. Calls are
numbered in the order in which they are given out, which is that of their ends.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass, replace

import numpy as np

from ...formats.base import ReadOptions
from ...lifecycle.operations import join_operations
from ..errors import CaptureError
from ..model import Capture
from ..opening import OpenOptions, assemble, check, complete, decide, gather_signs, pair_up
from ..records import Finding, Records
from ..revision import Revision, Signs
from .calls import I64, Calls, in_order, numbers_of
from .feed import Feed, nothing
from .growing import Growing, Made
from .holding import Holding, joined
from .messages import Talk
from .tail import Tail

_TEXT_BEFORE = 1 << 16
"""Bytes of text before what is new in which messages are looked for again: one may have begun there."""
LOOK_S = 0.1
"""Time between two looks at a file."""


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


class Live:
    """Files, FIFOs and pipes that are read while they grow. Raises CaptureError where one cannot be opened or read."""

    def __init__(self, paths: list[str], options: OpenOptions | None = None) -> None:
        self.options = options or OpenOptions()
        check(paths, self.options)
        self.read_options = ReadOptions(self.options.maps, keys=self.options.keys, show_secrets=self.options.show_secrets)
        self.sources: list[Growing] = []
        for p in paths:
            tail = Tail(p)
            self.sources.append(Growing(tail, Feed(tail, self.read_options, self.options.source_format), Holding(nothing())))
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
            made.append(Made.of(g, source, new, found))
        was, self.revision = self.revision, decide(self._signs, self.options.abi)
        capture = assemble([m.source for m in made], [m.calls.pairs() for m in made], self.revision, self.read_options)
        new_calls = self._number(capture, made)
        unfinished = join_operations(capture)
        self.talk.add(capture, new_calls)
        for g, new, m in zip(self.sources, ready, made, strict=True):
            m.remember(g, new, {int(capture.numbers[c]) for c in unfinished} if capture.numbers is not None else set())
        return Part(capture, new_calls, events, was is None or was.name != self.revision.name)

    def _number(self, capture: Capture, made: list[Made]) -> I64:
        """Number the calls of a part; those that are new, in their order."""
        c = capture.calls
        first = np.where(c.enter >= 0, c.enter, c.exit)
        number = numbers_of(capture, [m.calls.pairs() for m in made], [m.calls.in_order().number for m in made])
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
            calls = Calls.all(g.calls)
            parts = list(g.given)
            if waiting and len(g.holding.waiting):
                found = pair_up(g.holding.waiting)
                at = np.arange(len(g.holding.waiting), dtype=np.int64) + g.count
                none = np.full(len(found.enter), -1, dtype=np.int64)
                more = Calls(found.enter, found.exit, found.paired, found.inferred, none).moved(at)
                calls = Calls.all([calls, more])
                parts.append(g.holding.waiting)
            source.records, calls = in_order(joined(parts) if parts else nothing(), calls)
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
        capture.numbers = numbers_of(capture, pairs, numbers)
        capture.reading += self.events
        return capture
