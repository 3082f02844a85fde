"""The columns that a condition over calls may name (docs/query.md), some rows at a time.

Registers above x7 are read again from the raw records one by one, and so are the beginnings of records for the tasks, where no
index has them: naming them costs a pass over the capture.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import decoders

from .capture.call_registers import CallRegisters
from .capture.naming import FID_MASK
from .capture.pairs import PAIRED
from .capture.records import NO_TIME
from .query_objects import different

if TYPE_CHECKING:
    import polars as pl

    from .capture import Capture
    from .capture.tasks import Tasks
    from .lifecycle import SequenceTable

REGISTERS = tuple(f"{side}{i}" for side in "xr" for i in range(18))
"""x0..x17 what went in, r0..r17 what came out."""
NUMBERS = ("seq", "ts_ns", "ts", "dur_ns", "dur_us", "cpu", "pid", "source", "byte_offset", "parent", "fid", "index")
TEXTS = ("task", "name", "service", "status", "object", "sequence", "paired", "format", "messages")
FLAGS = ("failed", "inferred")
COLUMNS = (*NUMBERS, *TEXTS, *FLAGS, *REGISTERS)
"""Every column that a condition over calls may name."""

COMPARED = frozenset((*REGISTERS, *(n for n in NUMBERS if n != "byte_offset")))
"""Columns of numbers that are compared as they are."""


class Coded(NamedTuple):
    """A column that has few values: ``codes`` are places in ``values``; one below zero means the last of these."""

    codes: Any
    values: pl.Series


class Some:
    """Some rows of the columns, read when they are asked for."""

    def __init__(self, capture: Capture, rows: slice) -> None:
        self.capture, self.rows = capture, rows
        self._registers: CallRegisters | None = None

    @property
    def registers(self) -> CallRegisters:
        """The registers of these calls."""
        if self._registers is None:
            self._registers = CallRegisters(self.capture, self.rows)
        return self._registers

    def compare(self, name: str, by: Callable[[Any, Any], Any], number: int) -> Any:
        """In which rows a column of COMPARED is known and compares with a number in a way."""
        if name in REGISTERS:
            wanted = np.uint64(number)
            return self.registers.those(int(name[1:]), lambda values: by(values, wanted), out=name[0] == "r")
        values, known, divisor = numbers(self.capture, name, self.rows)
        return by(values if divisor == 1 else values / divisor, number) & known


def prepare(capture: Capture, names: list[str]) -> None:
    """Work out what some columns need, before several threads ask for it."""
    if "object" in names:
        capture.objects()
    if "sequence" in names:
        _ = capture.sequences
    if "messages" in names:
        capture.conversations.decode()
    if "task" in names:
        _ = capture.tasks


def coded(capture: Capture, names: Collection[str]) -> dict[str, Coded]:
    """Those of some columns that have few values."""
    out = {n: _CODED[n](capture) for n in names if n in _CODED}
    if "task" in names and capture.tasks.numbers is not None:
        out["task"] = _tasks_coded(capture.tasks, capture.tasks.numbers)
    return out


def coded_here(capture: Capture, names: Iterable[str], rows: slice) -> dict[str, Coded] | None:
    """Some rows of some columns, where each has few values in them; None where one may have many."""
    out: dict[str, Coded] = {}
    for name in names:
        if name in _CODED:
            codes, values = _CODED[name](capture)
            out[name] = Coded(codes[rows], values)
        elif name in _CODED_HERE:
            out[name] = _CODED_HERE[name](capture, rows)
        else:
            return None
    return out


def columns(capture: Capture, names: Iterable[str], rows: slice, registers: CallRegisters | None = None) -> dict[str, pl.Series]:
    """Some rows of some columns. ``registers``: those of the rows, where they are at hand."""
    if registers is None and any(n in REGISTERS for n in names):
        registers = CallRegisters(capture, rows)
    return {n: column(capture, n, rows, registers) for n in names}


def column(capture: Capture, name: str, rows: slice | None = None, registers: CallRegisters | None = None) -> pl.Series:
    """Some rows of a column, all where none are told. Unknown values are null. ``registers``: those of the rows."""
    rows = slice(0, len(capture.calls)) if rows is None else rows
    if name in REGISTERS:
        known = CallRegisters(capture, rows) if registers is None else registers
        return _unsigned(*known.of(int(name[1:]), out=name[0] == "r"))
    if name in COMPARED:
        return _number(*numbers(capture, name, rows))
    if name in _CODED:
        codes, values = _CODED[name](capture)
        return gather(values, codes[rows])
    if name in _CODED_HERE:
        codes, values = _CODED_HERE[name](capture, rows)
        return gather(values, codes)
    return _OTHERS[name](capture, rows)


def numbers(capture: Capture, name: str, rows: slice) -> tuple[Any, Any, int]:
    """Some rows of a column of COMPARED that is no register: numbers, which of them are known, and what they are to be divided
    by."""
    calls = capture.calls
    if name in ("ts_ns", "ts"):
        ts = calls.ts[rows]
        return ts, ts != NO_TIME, 10**9 if name == "ts" else 1
    if name in ("dur_ns", "dur_us"):
        dur = calls.dur[rows]
        return dur, dur >= 0, 1000 if name == "dur_us" else 1
    if name in ("seq", "parent"):
        values = np.arange(rows.start, rows.stop) if name == "seq" else calls.parent[rows]
        values = values if capture.numbers is None else capture.numbers[values]
    elif name == "fid":
        fid = calls.fid[rows]
        return fid & np.uint64(FID_MASK), fid != 0, 1
    elif name == "index":
        values = _index(capture, rows)
    else:
        values = getattr(calls, name)[rows]
    return values, values >= 0, 1


def gather(values: pl.Series, codes: Any) -> pl.Series:
    """The values of a column whose codes these are, see Coded."""
    return values.gather(np.where(codes >= 0, codes, len(values) - 1).astype(np.uint32))


def _texts(texts: Iterable[str | None]) -> pl.Series:
    """Texts, and NULL behind them."""
    import polars as pl

    return pl.Series([*texts, None], dtype=pl.String)


def _flags(codes: Any) -> Coded:
    import polars as pl

    return Coded(codes, pl.Series([False, True]))


def _number(values: Any, known: Any, divisor: int = 1) -> pl.Series:
    import polars as pl

    if values.dtype == np.uint64:
        return _unsigned(values, known)
    series = pl.Series(values.astype(np.int64) if divisor == 1 else values / divisor)
    return series if bool(known.all()) else series.set(pl.Series(~known), None)


def _unsigned(values: Any, known: Any) -> pl.Series:
    """64-bit registers as 128-bit numbers: comparisons and sums with signed literals are then exact."""
    import polars as pl

    series = pl.Series(values, dtype=pl.UInt64).cast(pl.Int128)
    return series if bool(known.all()) else series.set(pl.Series(~known), None)


def _tasks_coded(tasks: Tasks, codes: Any) -> Coded:
    return Coded(codes, _texts(None if t is None else t.encode("utf-8", "backslashreplace").decode() for t in tasks.names))


def _tasks_here(capture: Capture, rows: slice) -> Coded:
    tasks = capture.tasks
    return _tasks_coded(tasks, tasks.of(rows.start, rows.stop))


def _objects_here(capture: Capture, rows: slice) -> Coded:
    objects = capture.objects()
    return Coded(*different(objects.kind[rows], objects.addr[rows]))


class _SequenceKinds:
    """The kind of the sequence that each call belongs to; of nested ones the innermost, which starts last."""

    def __init__(self, table: SequenceTable) -> None:
        self._table = table

    def __getitem__(self, rows: slice) -> Any:
        return self._table.kinds_of(rows.start, rows.stop)[1]


def _offset(capture: Capture, rows: slice) -> pl.Series:
    import polars as pl

    calls = capture.calls
    enter, exit_, source = calls.enter[rows], calls.exit[rows], calls.source[rows]
    first = np.where(enter >= 0, enter, exit_)
    offsets = np.zeros(len(first), dtype=np.int64)
    for i in np.unique(source).tolist():
        mine = source == i
        offsets[mine] = capture.sources[i].records.offset[first[mine]]
    return pl.Series(offsets)


def _index(capture: Capture, rows: slice) -> Any:
    """The second part of x0 (level, index) where the status carries one, else -1; decoded once a distinct result."""
    calls = capture.calls
    indexed = np.array([*(s in decoders.INDEXED for s in capture.statuses), False])
    some = np.flatnonzero(indexed[calls.status[rows]])
    r0, known = capture.regs(some + rows.start, 0, out=True)
    some, r0 = some[known], r0[known]
    fid, name = calls.fid[some + rows.start], calls.name[some + rows.start].astype(np.int64)
    _, value = np.unique(r0, return_inverse=True)
    _, first, back = np.unique(value.reshape(-1) * len(capture.names) + name, return_index=True, return_inverse=True)
    found = [decoders.status_of(int(fid[i]), int(r0[i]), capture.revision.of(capture.names[name[i]]))[1] for i in first.tolist()]
    out = np.full(rows.stop - rows.start, -1, dtype=np.int64)
    out[some] = np.array([-1 if i is None else i for i in found], dtype=np.int64)[back.reshape(-1)]
    return out


def _messages(capture: Capture, rows: slice) -> pl.Series:
    """The names of the protocol messages of a call, in order: 'GET_VERSION VERSION'; null where it has none."""
    import polars as pl

    capture.conversations.decode()
    out: list[str | None] = [None] * (rows.stop - rows.start)
    for call, messages in capture.conversations.by_call.items():
        if rows.start <= call < rows.stop:
            out[call - rows.start] = ", ".join(m.vendor or m.name for m in messages)
    return pl.Series(out, dtype=pl.String)


_CODED = {
    "name": lambda c: Coded(c.calls.name, _texts(None if t.startswith("unknown") else t for t in c.names)),
    "service": lambda c: Coded(c.calls.service, _texts(c.services)),
    "status": lambda c: Coded(c.calls.status, _texts(c.statuses)),
    "paired": lambda c: Coded(c.calls.paired, _texts(PAIRED)),
    "format": lambda c: Coded(c.calls.source, _texts(s.format for s in c.sources)),
    "sequence": lambda c: Coded(_SequenceKinds(c.sequences), _texts(c.sequences.kinds)),
    "failed": lambda c: _flags(c.calls.failed),
    "inferred": lambda c: _flags(c.calls.inferred),
}
_CODED_HERE = {
    "task": _tasks_here,
    "object": _objects_here,
}
"""Columns that have few values in some thousand rows."""
FEW = frozenset((*_CODED, *_CODED_HERE))
"""Columns whose different values are looked at once."""
_OTHERS = {
    "byte_offset": _offset,
    "messages": _messages,
}
