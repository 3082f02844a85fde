"""The rows and marks of an RMM console as columns, a few bytes each, however long the log."""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ..capture.records import N_REGS, NO_TIME, Kind, Records
from .rmm_console_reader import Item

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


class Columns:
    """Collects items in any order."""

    def __init__(self) -> None:
        self._records = bytearray()
        self._names: dict[str, int] = {}
        self._stamps: dict[str, tuple[array[int], array[int]]] = {}
        self._votes: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

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

    def put(self, start: int, length: int, name: str, x: Sequence[int], r: Sequence[int]) -> None:
        """Append a row of which every register is known, and nothing else."""
        number = self._names.setdefault(name, len(self._names))
        for kind, regs in ((Kind.WHOLE_IN, x), (Kind.WHOLE_OUT, r)):
            known = (1 << len(regs)) - 1
            self._records += _RECORD.pack(start, length, -1, known, number, kind, *regs[:N_REGS], *_ZEROS[len(regs) :])

    def _append(self, item: Item, kind: int, name: str, regs: Sequence[int | None]) -> None:
        known = sum(1 << i for i, v in enumerate(regs[:18]) if v is not None)
        values = [v or 0 for v in regs[:N_REGS]]
        number = self._names.setdefault(name, len(self._names))
        length = min(item.end - item.start, 2**31 - 1)
        self._records += _RECORD.pack(item.start, length, item.cpu, known, number, kind, *values, *_ZEROS[len(regs) :])

    def clock(self) -> str | None:
        """The clock that most rows (where no row is stamped: most marks) have a stamp of, of equals the more telling one."""
        votes = next((v for v in self._votes if v), None)
        return max(votes, key=lambda c: (votes[c], CLOCKS.index(c))) if votes else None

    def _times(self, follows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        ts = np.full(len(follows), NO_TIME, dtype=np.int64)
        clock = self.clock()
        if clock is not None:
            where, when = (np.frombuffer(a, dtype=np.int64) for a in self._stamps[clock])
            ts[where[::-1]] = when[::-1]  # of several stamps of one clock the outermost counts: it stands first
            ts[follows] = ts[np.flatnonzero(follows) - 1]
        return ts

    def finish(self) -> Records:
        """The records in the order of their offsets."""
        table = np.frombuffer(self._records, dtype=_DTYPE)
        order = np.argsort(table["offset"], kind="stable")
        ts = self._times(table["kind"] == Kind.WHOLE_OUT)[order]
        if self.clock() == "time-of-day":
            timed = np.flatnonzero(ts != NO_TIME)
            ts[timed] += np.cumsum(np.diff(ts[timed], prepend=ts[timed][:1]) < -_DAY // 2) * _DAY  # past midnight
        columns = {k: np.ascontiguousarray(table[k][order]) for k in ("offset", "length", "cpu", "kind", "name", "known", "regs")}
        pid = np.full(len(order), -1, dtype=np.int32)
        return Records(**columns, ts=ts, pid=pid, names=list(self._names))  # type: ignore[arg-type]
