"""The calls of one source: which records are a call, and what is known of it from its first registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .packed import Column
from .records import NO_TIME, Records, Values, first_register

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BOTH, ENTER_ONLY, EXIT_ONLY, WHOLE = 0, 1, 2, 3
PAIRED = ("both", "enter-only", "exit-only", "whole")
AT_ONCE = 1 << 16
"""Calls that are unpacked at a time."""
ALONE = -2
"""See FirstRegisters.label."""


@dataclass(frozen=True, slots=True)
class FirstRegisters:
    """x0 of calls: before (the function id) and after them (the result), 0 where not known; and where they are known. As a
    table of the different ones, or of every call.

    label  where the function id is not known: the number of the entry's name, -1 it has none, ALONE there is no entry
    which  for every call its row in the table; None: the calls are the rows
    """

    x0: npt.NDArray[np.uint64]
    asked: Flags
    r0: npt.NDArray[np.uint64]
    answered: Flags
    label: npt.NDArray[np.int32]
    which: Values = None

    @classmethod
    def of(cls, records: Records, enter: I64, exit_: I64) -> FirstRegisters:
        """Of calls of a source, by the numbers of their records."""
        x0, asked = first_register(records, enter)
        label = np.full(len(enter), -1, dtype=np.int32)
        at = np.flatnonzero(~asked)
        label[at] = np.where(enter[at] >= 0, records.name[enter[at]], ALONE)
        return cls(x0, asked, *first_register(records, exit_), label)

    def of_some(self, some: Flags) -> FirstRegisters:
        """Of some of the calls, where they are the rows."""
        return FirstRegisters(self.x0[some], self.asked[some], self.r0[some], self.answered[some], self.label[some])

    def calls(self, *rows: Flags) -> list[I64]:
        """The calls that have one of some rows of the table, for each of several sets of rows."""
        if self.which is None:
            return [np.flatnonzero(some) for some in rows]
        any_of = np.logical_or.reduce(rows)
        found: list[list[I64]] = [[np.zeros(0, dtype=np.int64)] for _ in rows]
        for start in range(0, len(self.which) if any_of.any() else 0, AT_ONCE):
            piece = self.which[start : start + AT_ONCE].astype(np.intp)
            at = np.flatnonzero(any_of[piece])
            row = piece[at]
            for calls, some in zip(found, rows, strict=True):
                mine = at[some[row]] if some.any() else at[:0]
                calls.append(start + mine)
        return [np.concatenate(calls) for calls in found]


@dataclass(slots=True)
class Pairs:
    """The calls of one source in its order. The columns are arrays, or packed.

    enter, exit   record numbers, -1 where there is none
    paired        BOTH, ENTER_ONLY, EXIT_ONLY or WHOLE
    inferred      the call is told from the function around the SMC, not from the SMC itself
    duplicates    records that show an SMC a second time, through another probe
    """

    enter: Values
    exit: Values
    paired: Values
    inferred: Values
    duplicates: int
    duplicate_of: dict[int, tuple[int, int]]
    """Call number -> the (enter, exit) records of the other probe."""
    _first: FirstRegisters | None = None
    _places: tuple[Values, Values, Values, Values] | None = None
    _in_time: bool | None = None

    def __len__(self) -> int:
        return len(self.enter)

    def first(self, records: Records) -> FirstRegisters:
        """x0 of the calls, taken out of the records when first asked for."""
        if self._first is None:
            self._first = FirstRegisters.of(records, self.enter, self.exit)
        return self._first

    def places(self, records: Records) -> tuple[Values, Values, Values, Values]:
        """Time, duration, CPU and pid of the calls (see model.Calls), by the first record of each."""
        if self._places is None:
            first = np.where(self.enter >= 0, self.enter, self.exit)
            times = np.asarray(records.ts)
            ts = times[first]
            self._places = ts, self._durations(times, ts), records.cpu[first], records.pid[first]
        return self._places

    def in_time(self, records: Records) -> bool:
        """Whether the calls are in the order of their times, or a time is not known."""
        if self._in_time is None:
            ts = self.places(records)[0]
            self._in_time = not bool((ts[1:] < ts[:-1]).any() and ts.min() != NO_TIME)
        return self._in_time

    def arrays(self) -> Pairs:
        """The same with columns that are no longer packed."""
        if isinstance(self.enter, Column):
            enter, exit_, paired, inferred = map(np.asarray, (self.enter, self.exit, self.paired, self.inferred))
            return Pairs(enter, exit_, paired, inferred, self.duplicates, {})
        return self

    def _durations(self, times: I64, ts: I64) -> I64:
        """ns from entry to exit, -1 where not known, by the times of the records. A row has one time for both."""
        has = (self.exit >= 0) & (self.enter >= 0)
        end = times[self.exit]
        has &= (ts != NO_TIME) & (end != NO_TIME) & (end >= ts) & ((self.paired == BOTH) | (end > ts))
        out: Any = np.where(has, end - np.where(has, ts, 0), -1)
        return out  # type: ignore[no-any-return]
