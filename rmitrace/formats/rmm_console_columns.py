"""The rows and marks of an RMM console as columns, a few bytes each, however long the log."""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column
from ..capture.records import N_REGS, NO_TIME, Kind, RecordBuilder, Records
from .record_arrays import Total, merged
from .rmm_console_finds import Item

CLOCKS = ("boot", "time-of-day", "no-year", "local", "utc")
"""Kinds of stamps, the least telling first: ns since some start, since midnight, since the start of 1972 for stamps
without a year, since 1970 in an unknown zone (read as UTC), since 1970."""
_DAY = 24 * 3600 * 10**9
_ZEROS = (0,) * N_REGS
_RECORD = struct.Struct(f"<qiiIiB{N_REGS}Q")
_DTYPE = np.dtype(
    [
        ("offset", "<i8"),
        ("length", "<i4"),
        ("cpu", "<i4"),
        ("known", "<u4"),
        ("name", "<i4"),
        ("kind", "u1"),
        ("regs", "<u8", N_REGS),
    ]
)


I64 = npt.NDArray[np.int64]


class Columns:
    """Collects items in any order, and records that were read elsewhere; packs them piece by piece."""

    def __init__(self) -> None:
        self._records = bytearray()
        self._names: dict[str, int] = {}
        self._stamps: dict[str, tuple[array[int], array[int]]] = {}
        """By clock: which of the records stand in front of a stamp, and the stamps."""
        self._times: dict[str, list[tuple[I64, I64]]] = {}
        """The same of all that is packed."""
        self._votes: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._total = Total()
        self._room: dict[str, Any] = {}
        self._last = -1
        self._late = False

    def add(self, items: Iterable[Item]) -> None:
        """Append items: a row is one record or, with its result, two."""
        for item in items:
            row = item.row
            if item.stamps:
                self._stamp(item)
            if row is None:
                self._append(item, Kind.DAMAGED if item.damaged else Kind.MARK, item.mark, (item.value,))
                continue
            self._append(item, Kind.WHOLE_IN, row.name, row.in_regs())
            if row.answered:
                self._append(item, Kind.WHOLE_OUT, row.name, row.out_regs())

    def _stamp(self, item: Item) -> None:
        for clock, ns in item.stamps:
            where, when = self._stamps.setdefault(clock, (array("q"), array("q")))
            where.append(len(self._records) // _RECORD.size)
            when.append(ns)
        self._votes[item.row is None].update({clock for clock, _ in item.stamps})

    def put(self, others: Records | None = None) -> None:
        """Pack what was added since the last time, together with records without a time, which are in order."""
        table = np.frombuffer(bytes(self._records), dtype=_DTYPE)
        part = others if others is not None else RecordBuilder().finish()
        if len(table):
            columns = {k: np.ascontiguousarray(table[k]) for k in ("offset", "length", "cpu", "kind", "name", "known", "regs")}
            none = np.full(len(table), NO_TIME), np.full(len(table), -1, dtype=np.int32)
            mine = Records(**columns, ts=none[0], pid=none[1])  # type: ignore[arg-type]
            order = np.argsort(mine.offset, kind="stable")
            mine.take(order)
            part, at = merged(part, mine, self._room)
            place = np.empty(len(order), dtype=np.int64)
            place[order] = at + len(self._total)
            self._stamped(place, table["kind"])
            self._records.clear()
        if len(part):
            self._late |= int(part.offset[0]) < self._last
            self._last = int(part.offset[-1])
            self._total.add(part)

    def _stamped(self, place: I64, kind: npt.NDArray[np.uint8]) -> None:
        """Keep the stamps of records that are now at these places; the result of a row has that of the row."""
        for clock, (where, when) in self._stamps.items():
            at, ns = np.frombuffer(where, dtype=np.int64), np.frombuffer(when, dtype=np.int64)
            at, ns = at[::-1], ns[::-1]  # of several stamps of one clock the outermost counts: it stands first
            follows = at[kind[np.minimum(at + 1, len(kind) - 1)] == Kind.WHOLE_OUT] + 1
            told = np.full(len(kind), NO_TIME)
            told[at] = ns
            told[follows] = told[follows - 1]
            known = np.flatnonzero(told != NO_TIME)
            self._times.setdefault(clock, []).append((place[known], told[known]))
        self._stamps.clear()

    def name_id(self, name: str) -> int:
        """The number of a name of records, given where new."""
        return self._names.setdefault(name, len(self._names))

    def _append(self, item: Item, kind: int, name: str, regs: Sequence[int | None]) -> None:
        known = sum(1 << i for i, v in enumerate(regs[:18]) if v is not None)
        values = [v or 0 for v in regs[:N_REGS]]
        number = self.name_id(name)
        length = min(item.end - item.start, 2**31 - 1)
        self._records += _RECORD.pack(item.start, length, item.cpu, known, number, kind, *values, *_ZEROS[len(regs) :])

    def clock(self) -> str | None:
        """The clock that most rows (where no row is stamped: most marks) have a stamp of, of equals the more telling one."""
        votes = next((v for v in self._votes if v), None)
        return max(votes, key=lambda c: (votes[c], CLOCKS.index(c))) if votes else None

    def finish(self) -> Records:
        """The records in the order of their offsets."""
        self.put()
        records = self._total.records(list(self._names))
        clock = self.clock()
        if self._late or clock is not None:
            ts = np.full(len(records), NO_TIME)
            for place, ns in self._times.get(clock or "", ()):
                ts[place] = ns
            if self._late:
                order = np.argsort(records.offset, kind="stable")
                records.take(order)
                ts = ts[order]
            if clock == "time-of-day":
                timed = np.flatnonzero(ts != NO_TIME)
                ts[timed] += np.cumsum(np.diff(ts[timed], prepend=ts[timed][:1]) < -_DAY // 2) * _DAY  # past midnight
            records.ts = Column(np.int64, ts)
        return records
