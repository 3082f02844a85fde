"""One source that grows: what was given out of it, and what the next part begins with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..pairs import Pairs
from ..records import Records
from ..source import Source
from .calls import I64, Calls
from .feed import Feed, nothing
from .holding import Holding, joined, rows
from .tail import Tail

CONTEXT = 32
"""Calls of each source that a part begins with."""


@dataclass(slots=True)
class Growing:
    """One source. ``given``: all records that became calls, or tell something else, by parts; ``calls``: the calls of each
    part, by numbers of those. ``context``: the records of the calls that the next part begins with, ``before`` these calls
    by numbers into them, ``place`` where each of the records is among all."""

    tail: Tail
    feed: Feed
    holding: Holding
    given: list[Records] = field(default_factory=list)
    count: int = 0
    calls: list[Calls] = field(default_factory=list)
    context: Records = field(default_factory=nothing)
    before: Calls = field(default_factory=Calls.none)
    place: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    duplicates: int = 0
    text: int = 0
    """Byte offset up to which messages were looked for."""

    def source(self) -> Source:
        """The source as it is now, without records."""
        format_ = self.feed.format
        return Source(self.tail.path, self.tail.spool.data(), format=format_.name if format_ else "", reader=format_)


@dataclass(slots=True)
class Made:
    """What a part has of one source: its records, those of the context and the new ones; its calls by numbers into them;
    where each record is among all that were given out."""

    source: Source
    calls: Calls
    place: I64

    @classmethod
    def of(cls, g: Growing, source: Source, new: Records, found: Pairs) -> Made:
        """The calls of the context and the new ones, in the order of the source."""
        both = joined([g.context, new])
        order = np.argsort(both.offset, kind="stable")
        to = np.empty(len(order), dtype=np.int64)
        to[order] = np.arange(len(order))
        fresh = Calls(found.enter, found.exit, found.paired, found.inferred, np.full(len(found.enter), -1, dtype=np.int64))
        calls = Calls.all([g.before.moved(to), fresh.moved(to[len(g.context) :])])
        place = np.concatenate([g.place, g.count + np.arange(len(new), dtype=np.int64)])[order]
        source.records = rows(both, order)
        return cls(source, calls, place)

    def remember(self, g: Growing, new: Records, unfinished: set[int]) -> None:
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
