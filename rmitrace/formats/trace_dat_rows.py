"""All ring buffers of a trace.dat as rows: walked in batches of pages, so that memory holds rows and not pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.records import N_REGS, Kind
from . import eventmap, trace_dat_fast
from .base import Data
from .trace_dat_batches import BATCH, batches, times
from .trace_dat_fast import Fast
from .trace_dat_merge import Unordered, in_order
from .trace_dat_names import Symbols
from .trace_dat_options import Shift
from .trace_dat_pages import HEADER, Events, Heads, everywhere, heads, step
from .trace_dat_parts import Area, Ring, TraceFile
from .trace_dat_plan import FUNCTION, IGNORE, Plan, load

COLUMNS: dict[str, Any] = {
    "at": np.int64, "length": np.int32, "ts": np.uint64, "cpu": np.int32, "pid": np.int32,
    "ident": np.uint16, "ring": np.int16, "kind": np.uint8, "name": np.int32, "known": np.uint32,
}  # fmt: skip

_LEAST_WINDOW = 256 << 10
"""Bytes of pages of a CPU that are taken at a time where many CPUs are merged."""
_FEW = 16
"""Kinds of events that are looked for one by one."""

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]


class Rows:
    """Events that are worth a look, events lost, and damage, in the order of the file: arrays with room to spare.

    columns  COLUMNS: ``at`` and ``length`` are bytes as in TraceFile.unpacked; ``ident`` is the event's id; where ``kind`` is
             not 0, it, ``name`` (index into a table of names) and ``known`` say already what the row is; ``ts`` ns or ticks
    regs     (n, N_REGS) x0..x7
    """

    def __init__(self) -> None:
        self.used = self.room = 0
        self.columns: dict[str, Any] = {k: np.zeros(0, dtype=t) for k, t in COLUMNS.items()}
        self.regs: U64 = np.zeros((0, N_REGS), dtype=np.uint64)

    def add(self, count: int, done: float, **values: Any) -> slice:
        """Append rows; a column is an array or one value for all of them, 0 without one. Registers are 0.

        ``done`` is the share of the file that was read with them. Returns where they are.
        """
        self.reserve(count, done)
        where = slice(self.used, self.used + count)
        for k, column in self.columns.items():
            column[where] = values.get(k, 0)
        self.regs[where] = 0
        self.used += count
        return where

    def reserve(self, count: int, done: float) -> None:
        """See to it that there is room for so many more."""
        need = self.used + count
        if need > self.room:
            self.room = max(int(need / max(done, 0.001) * 1.02), self.room * 5 // 4, 64)
            for k, old in self.columns.items():
                self.columns[k] = _larger(old[: self.used], self.room)
            self.regs = _larger(self.regs[: self.used], self.room)

    def fill(self, start: int, **values: Any) -> None:
        """Set columns of the rows from ``start`` on."""
        for k, v in values.items():
            self.columns[k][start : self.used] = v

    def clear(self) -> None:
        """Forget the rows, keep the room."""
        self.used = 0

    def finish(self) -> None:
        """Cut off what was not used and sort by time."""
        done = self.sorted()
        self.columns, self.regs, self.room = done.columns, done.regs, done.room

    def sorted(self) -> Rows:
        """What was used, sorted by time; rows of one time stay in the order of the file. Where they are sorted it is the same
        memory."""
        ts = self.columns["ts"][: self.used]
        order: Any = slice(self.used)
        if (ts[1:] < ts[:-1]).any():
            order = np.argsort(ts, kind="stable")
        return self.some(order)

    def some(self, which: Any) -> Rows:
        """Some of the rows."""
        out = Rows()
        out.columns = {k: c[which] for k, c in self.columns.items()}
        out.regs = self.regs[which]
        out.used = out.room = len(out.regs)
        return out

    @staticmethod
    def joined(parts: list[Rows]) -> Rows:
        """The rows of several, all of which are used, one behind the other."""
        out = Rows()
        out.columns = {k: np.concatenate([p.columns[k] for p in parts]) for k in COLUMNS}
        out.regs = np.concatenate([p.regs for p in parts])
        out.used = out.room = len(out.regs)
        return out


def _larger(old: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    new = np.zeros((room, *old.shape[1:]), dtype=old.dtype)
    new[: len(old)] = old
    return new


def groups(ident: npt.NDArray[np.uint16]) -> Iterator[tuple[int, I64]]:
    """Each number there is, and where it stands."""
    several = np.flatnonzero(np.bincount(ident))
    if len(several) <= _FEW:
        for number in several.tolist():
            yield number, np.flatnonzero(ident == number)
        return
    order = np.argsort(ident, kind="stable")
    starts = np.flatnonzero(np.diff(ident[order].astype(np.int32), prepend=-1)).tolist()
    for start, stop in pairwise([*starts, len(order)]):
        yield int(ident[order[start]]), order[start:stop]


class Collector:
    """Fills rows from the areas of a file.

    plan      event id -> Plan, None where the file has no such format
    name_id   name -> index in the table of names
    ignored   records that are no rows, by event name; unknown: by event id without a format
    """

    def __init__(
        self, file: TraceFile, data: Data, plan: Callable[[int], Plan | None], symbols: Symbols, name_id: Callable[[str], int],
        progress: Callable[[int], None] | None,
    ) -> None:  # fmt: skip
        self.file, self.data, self.plan, self.symbols = file, data, plan, symbols
        self.name_id, self.progress = name_id, progress
        self.rows = Rows()
        self.events = self.lost = 0
        self.ignored: Counter[str] = Counter()
        self.unknown: Counter[int] = Counter()
        self._function: dict[int, int] = {}
        self._total = max(1, sum(a.size for r in file.rings for a in r.areas))
        self._done = 0
        self._in_windows = False
        self.fast = Fast(plan) if trace_dat_fast.repaid(self._total) else None

    def collect(self) -> Rows:
        """The rows of every instance and CPU."""
        for p in self.file.problems:
            self.damage(p.offset, p.length, -1, p.reason)
        rows = self.rows
        for number, ring in enumerate(self.file.rings):
            for area in ring.areas:
                for _ in self._batches(number, ring, area, lambda: rows):
                    pass
        self.rows.finish()
        return self.rows

    def windows(self) -> Iterator[Rows]:
        """The same rows, in the order of time, so many at a time: good until the next ones but one are asked for.

        Raises Unordered where they cannot be had in this order; damage stands in front of everything.
        """
        areas = [(n, ring, area) for n, ring in enumerate(self.file.rings) for area in ring.areas]
        size = max(BATCH // max(len(areas), 1), _LEAST_WINDOW)
        self._in_windows = True
        return in_order([self._window(*where, size) for where in areas])

    def _window(self, number: int, ring: Ring, area: Area, size: int) -> Iterator[Rows]:
        turns = cycle((Rows(), Rows()))  # the rows of a window are still packed while the next ones are read

        def empty() -> Rows:
            rows = next(turns)
            rows.clear()
            return rows

        for rows in self._batches(number, ring, area, empty, size):
            yield rows.sorted()

    def _batches(self, number: int, ring: Ring, area: Area, rows: Callable[[], Rows], size: int | None = None) -> Iterator[Rows]:
        """The events of an area, batch by batch, each behind the rows that ``rows`` gives for it."""
        shift = self.file.options.shifts[area.cpu] if 0 <= area.cpu < len(self.file.options.shifts) else None
        progress = None if self._in_windows else self.progress
        for at, pages, valid in batches(self.file, self.data, ring, area, self.damage, progress, size):
            self._done += valid
            self.rows = rows()
            filled = self.rows
            self._take(number, ring.page_size, area.cpu, shift, at, pages, valid)
            yield filled
            if self._in_windows and self.progress is not None:
                self.progress(int(len(self.data) * (self._done / self._total)))

    def damage(self, at: int, size: int, cpu: int, reason: str) -> None:
        """A place that cannot be read becomes a row, in front of all that have a time."""
        if self._in_windows:
            raise Unordered
        self.rows.add(1, 0.1, at=at, length=size, cpu=cpu, pid=-1, kind=Kind.DAMAGED, name=self.name_id(reason))

    def _damaged(self, found: Heads, at: int, cpu: int) -> None:
        for d in found.damage:
            self.damage(at + d.at, d.size, cpu, d.reason)

    def _take(self, ring: int, page_size: int, cpu: int, shift: Shift | None, at: int, pages: Bytes, valid: int) -> None:
        """The pages of a batch."""
        found = heads(pages, page_size, valid)
        options, done = self.file.options, 1.0 if self._in_windows else self._done / self._total
        lost = found.lost
        if len(lost.at):
            self.lost += int(np.minimum(lost.count, np.uint64(1 << 48)).sum())
            where = self.rows.add(
                len(lost.at), done, at=at + lost.at, length=HEADER, ts=times(options, shift, lost.ts), cpu=cpu, pid=-1,
                kind=Kind.LOST, name=self.name_id("lost events"), known=1, ring=ring,
            )  # fmt: skip
            self.rows.regs[where, 0] = lost.count
        start = self.rows.used
        if self.fast is not None and self.fast.take(self.rows, pages, found, at, done):
            ts = self.rows.columns["ts"][start : self.rows.used]
            self.rows.fill(start, cpu=cpu, ring=ring, ts=times(options, shift, ts), kind=0, name=0, known=0)
            self.events += self.fast.count(self.ignored, self.unknown)
            return self._damaged(found, at, cpu)
        events = step(pages, found)
        self._damaged(found, at, cpu)
        self.events += len(events.at)
        if not len(events.at):
            return
        ident = everywhere(pages, "<u2")[events.body]
        pid = everywhere(pages, "<i4")[events.body + 4]
        where = self.rows.add(
            len(ident), done, at=at + events.at, length=events.body - events.at + events.size, cpu=cpu, pid=pid, ident=ident,
            ts=times(options, shift, events.ts), ring=ring,
        )  # fmt: skip
        keep = self._plan(ident, events, pages, where)
        if not keep.all():
            self.rows.used = where.start
            rest = {k: c[where][keep] for k, c in self.rows.columns.items()}
            regs = self.rows.regs[where][keep]
            self.rows.regs[self.rows.add(len(regs), done, **rest)] = regs

    def _plan(self, ident: npt.NDArray[np.uint16], events: Events, pages: Bytes, where: slice) -> npt.NDArray[np.bool_]:
        """Load the registers of new rows, event by event; returns which rows are worth keeping."""
        keep = np.ones(len(ident), dtype=bool)
        rows = self.rows
        for event, which in groups(ident):
            plan = self.plan(event)
            if plan is None or plan.how == IGNORE:
                self.ignored[plan.kind.name if plan else "(no format)"] += len(which)
                if plan is None:
                    self.unknown[event] += len(which)
                keep[which] = False
                continue
            size = events.size[which]
            for wrong, what in ((size < plan.need, "shorter"), (size > plan.most, "longer")):
                if wrong.any():
                    at = where.start + which[wrong]
                    rows.columns["kind"][at] = Kind.DAMAGED
                    rows.columns["name"][at] = self.name_id(f"{plan.kind.name}: a record {what} than its format says")
            which = which[(size >= plan.need) & (size <= plan.most)]
            if plan.how == FUNCTION:
                which = self._wrappers(plan, events.body, which, keep, pages, where.start)
            if plan.loads and len(which):
                load(pages, plan, events.body[which], rows.regs, where.start + which)
        return keep

    def _wrappers(self, plan: Plan, body: I64, which: I64, keep: npt.NDArray[np.bool_], pages: Bytes, start: int) -> I64:
        """Which of the records are of functions around an SMC; they are told by name at once."""
        place = plan.kind.field("ip") or plan.kind.field("func")
        assert place is not None
        unique, inverse = np.unique(everywhere(pages, "<u8")[body[which] + place.offset], return_inverse=True)
        names = np.array([self._wrapper(a) for a in unique.tolist()], dtype=np.int32)[inverse]
        keep[which[names < 0]] = False
        self.ignored[plan.kind.name] += int((names < 0).sum())
        which, names = which[names >= 0], names[names >= 0]
        columns = self.rows.columns
        columns["kind"][start + which] = Kind.WRAP_EXIT if plan.out else Kind.WRAP_ENTER
        columns["name"][start + which] = names
        columns["known"][start + which] = plan.known
        return which

    def _wrapper(self, address: int) -> int:
        if address not in self._function:
            if len(self._function) > 1 << 16:
                self._function.clear()
            name = self.symbols.name(address)
            self._function[address] = self.name_id(name) if name is not None and eventmap.is_wrapper(name) else -1
        return self._function[address]
