"""Calls of a source that grows, by the numbers of their records and those that they were given out with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..model import Capture
from ..pairs import Pairs
from ..records import Records
from .holding import rows

I64 = npt.NDArray[np.int64]


@dataclass(slots=True)
class Calls:
    """Calls of one source: numbers of their records (-1 none), how they were paired, and the numbers of the calls."""

    enter: I64
    exit: I64
    paired: npt.NDArray[np.uint8]
    inferred: npt.NDArray[np.bool_]
    number: I64

    @classmethod
    def none(cls) -> Calls:
        """No calls."""
        z = np.zeros(0, dtype=np.int64)
        return cls(z, z, np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.bool_), z)

    @classmethod
    def all(cls, parts: list[Calls]) -> Calls:
        """Those of all parts."""
        names = ("enter", "exit", "paired", "inferred", "number")
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in names)) if parts else cls.none()

    def at(self, which: npt.NDArray[Any]) -> Calls:
        """Some of them."""
        return Calls(self.enter[which], self.exit[which], self.paired[which], self.inferred[which], self.number[which])

    def moved(self, place: I64) -> Calls:
        """The same, of records that stand elsewhere: ``place`` is where each is now."""
        enter, exit_ = (np.where(r >= 0, place[r], -1) if len(place) else r for r in (self.enter, self.exit))
        return Calls(enter, exit_, self.paired, self.inferred, self.number)

    @property
    def first(self) -> I64:
        """The record that each begins with."""
        return np.where(self.enter >= 0, self.enter, self.exit)

    def in_order(self) -> Calls:
        """In the order of the source."""
        return self.at(np.argsort(self.first, kind="stable"))

    def pairs(self) -> Pairs:
        """As pairing gives them."""
        of = self.in_order()
        return Pairs(of.enter, of.exit, of.paired, of.inferred, 0, {})


def numbers_of(capture: Capture, pairs: list[Pairs], numbers: list[I64]) -> I64:
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


def in_order(records: Records, calls: Calls) -> tuple[Records, Calls]:
    """Records in the order in which they stand in the source: what waited was given out later."""
    order = np.argsort(records.offset, kind="stable")
    to = np.empty(len(order), dtype=np.int64)
    to[order] = np.arange(len(order))
    return rows(records, order), calls.moved(to)
