"""Lines worth showing that are no calls: kept as numbers of records, their text read when it is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from .listed import Listed
from .records import NO_TIME, Kind

if TYPE_CHECKING:
    from .model import Capture

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Mark:
    """A line worth showing that is no call. ``before_call``: the row of the next call of its source, else the count."""

    source: int
    offset: int
    length: int
    ts: int | None
    kind: str
    text: str
    before_call: int


class Marks(Listed[Mark]):
    """The marks of a capture: source and record of each, and the call before which it stands."""

    def __init__(self, capture: Capture, source: I64, record: I64, before_call: I64) -> None:
        self._capture = capture
        self.source, self.record, self.before_call = source, record, before_call

    def __len__(self) -> int:
        return len(self.record)

    @overload
    def __getitem__(self, number: int) -> Mark: ...
    @overload
    def __getitem__(self, number: slice) -> Marks: ...
    def __getitem__(self, number: int | slice) -> Mark | Marks:
        if isinstance(number, slice):
            return self._some(np.arange(len(self))[number])
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        s, i = int(self.source[number]), int(self.record[number])
        source = self._capture.sources[s]
        rec = source.records
        offset, length, ts, name = (int(c[i]) for c in (rec.offset, rec.length, rec.ts, rec.name))
        if "detail" in rec.facts:
            text = self._capture.detail(s, i, False).text
        else:
            text = source.raw(offset, length).decode("utf-8", "surrogateescape")
        kind = rec.names[name] if name >= 0 else ""
        return Mark(s, offset, length, None if ts == NO_TIME else ts, kind, text, int(self.before_call[number]))

    def _some(self, which: I64) -> Marks:
        return Marks(self._capture, self.source[which], self.record[which], self.before_call[which])

    def of(self, kinds: Iterable[str], sources: Iterable[int] | None = None) -> Marks:
        """Those of some kinds, and of some sources where these are told."""
        wanted = set(kinds)
        keep = np.zeros(len(self), dtype=bool)
        for s in np.unique(self.source).tolist() if sources is None else sources:
            rec = self._capture.sources[s].records
            names = np.array([*(n in wanted for n in rec.names), False], dtype=bool)
            mine = np.flatnonzero(self.source == s)
            keep[mine] = names[rec.name[self.record[mine]]]
        return self._some(np.flatnonzero(keep))

    def in_order(self) -> Marks:
        """In the order of the calls before which they stand."""
        return self._some(np.argsort(self.before_call, kind="stable"))

    def first_ns(self) -> int | None:
        """The earliest time, None where there is none."""
        times = [self._capture.sources[s].records.ts[self.record[self.source == s]] for s in np.unique(self.source).tolist()]
        known = [int(t[t != NO_TIME].min()) for t in times if (t != NO_TIME).any()]
        return min(known, default=None)


def marks_of(capture: Capture) -> Marks:
    """The lines of a capture that are marks, in the order of the sources."""
    found = [_of_source(capture, s) for s in range(len(capture.sources))]
    source = np.repeat(np.arange(len(found)), [len(at) for at, _ in found])
    at, place = (np.concatenate([f[i] for f in found]) if found else np.zeros(0, dtype=np.int64) for i in (0, 1))
    return Marks(capture, source, at, place)


def _of_source(capture: Capture, s: int) -> tuple[I64, I64]:
    """The records of a source that are marks, and the call before which each stands."""
    rec = capture.sources[s].records
    at = rec.of_kind(Kind.MARK)
    if not len(at):
        return at, at
    shown = capture.of_source(s)
    if not len(shown.rows):  # a log without calls, a kernel's: by its times
        return at, _places(capture, rec.ts[at])
    return at, np.append(shown.rows, len(capture.calls))[np.searchsorted(shown.first, at)]


def _places(capture: Capture, ts: I64) -> I64:
    """The call before which each of some times comes, the number of calls where that cannot be told."""
    calls = capture.calls
    known = np.flatnonzero(calls.ts != NO_TIME)
    times = np.maximum.accumulate(calls.ts[known]) if len(known) else known
    place = np.searchsorted(times, ts, side="right")
    rows = np.append(known, len(calls))
    out: I64 = np.where(ts == NO_TIME, len(calls), rows[place])
    return out
