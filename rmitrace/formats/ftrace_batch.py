"""Line by line through a text of any size: the scanner takes the common lines, a reader the rest, columns come out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..capture.packed import Column, Registers
from ..capture.records import COLUMNS, Finding, Kind, RecordBuilder, Records
from . import eventmap
from .base import Data, ReadOptions
from .ftrace_events import MAX_EVENTS, Probes
from .ftrace_scan import COMPILE_FROM, NEW_EVENT, compiled, scan
from .ftrace_table import EXIT, HIT_EXIT, Columns, Table

_COLUMNS = (*COLUMNS, "regs")
BATCH = 1 << 17
"""Records that a scanner reads before they are put with the others."""


class LineSource:
    """One source, read from top to bottom. A kind of text says what a line is in line() and what is left to do at the
    end in finish()."""

    perf = False
    """Lines have perf's columns, not those of ftrace."""

    def __init__(self, data: Data, start: int, end: int, options: ReadOptions) -> None:
        self.data, self.start, self.end, self.options = data, start, end, options
        self.builder = RecordBuilder()
        self.probes = Probes(self.builder, eventmap.parse_maps(options.maps))
        self.facts: dict[str, Any] = {}
        self.findings: list[Finding] = []
        self.lines = self.ignored = self.placed = 0

    def line(self, at: int, stop: int) -> None:
        """Take the line between two offsets (its end not included)."""
        raise NotImplementedError

    def finish(self, records: Records) -> Records:
        """Everything that needs the whole source. Raises Unreadable."""
        raise NotImplementedError

    def gap(self, last: int, start: int) -> None:
        """The scanner read the lines between these offsets; called before line() where there are any."""

    def flush(self) -> None:
        """The last line was read: add what waits for more."""

    def event_of(self, line: bytes) -> str | None:
        """The event of a line, as the scanner would name it."""
        raise NotImplementedError

    def read(self, scanner: Callable[..., Any] | None = None) -> Records:
        """The records of the whole source; ``scanner`` is the form of ftrace_scan.scan to use (by size where None)."""
        if scanner is None and self.end - self.start >= COMPILE_FROM:
            scanner = compiled()
        if scanner is not None and self.start < self.end:
            return self.finish(self._scan(scanner))
        at, step = self.start, 0
        while at < self.end:
            at = self._next(at)
            step += 1
            if self.options.progress is not None and step % 8192 == 0:
                self.options.progress(at)
        self.flush()
        return self.finish(self.builder.finish())

    def _next(self, at: int) -> int:
        stop = self.data.find(b"\n", at, self.end)
        stop = self.end if stop < 0 else stop
        self.line(at, stop)
        return stop + 1

    def _scan(self, scanner: Callable[..., Any]) -> Records:
        """Read with a scanner; its records and those of the lines it leaves come together batch by batch."""
        buf: Any = self.data if scanner is scan else np.frombuffer(self.data, dtype=np.uint8)
        table, columns = Table(MAX_EVENTS), Columns(BATCH, BATCH // 4)
        names: dict[str, int] = {}
        self.builder.names = names
        total = Total()
        at, n, slow, last = self.start, 0, 0, self.start
        while at < self.end:
            done, before = slow, n
            at, n, slow, lines, status = scanner(buf, at, self.end, int(self.perf), *table.arrays(), *columns.arrays(), n, slow)
            self.lines += lines - (slow - done)
            self.ignored += lines - (slow - done) - (n - before)
            self.placed += n - before
            for start in columns.slow[done:slow].tolist():
                if last < start:
                    self.gap(last, start)
                last = self._next(start)
            if status == NEW_EVENT and slow:
                at_line = int(columns.slow[slow - 1])
                name = self.event_of(bytes(self.data[at_line : min(at_line + 512, self.end)]).partition(b"\n")[0])
                if name is not None:
                    table.add(name)
            self.learn(table)
            if at >= self.end:
                self.flush()
            if n >= BATCH // 2 or slow >= BATCH // 8 or at >= self.end:
                total.add(self._batch(columns, n, table))
                self.builder = RecordBuilder()
                self.builder.names = names
                self.probes.builder = self.builder
                n = slow = 0
                if self.options.progress is not None:
                    self.options.progress(min(at, self.end))
        for event, i in table.index.items():
            if event in self.probes.events:
                self.probes.events[event].lines += int(table.seen[i])
        return total.records(list(names))

    def name_of(self, event: str) -> str:
        """The record name of an event of the scanner's table."""
        return event

    def learn(self, table: Table) -> None:
        """Tell the scanner what line() found out about events."""
        for event in self.probes.learned:
            if event.kind == "ignore":
                table.ignore(event.name)
            elif event.layout and table.add(event.name) >= 0:
                table.layout(event.name, event.kind == "exit", event.ret, event.layout)
        self.probes.learned.clear()

    def _batch(self, columns: Columns, n: int, table: Table) -> Records:
        """What the scanner read and what line() read since the last batch, by offset."""
        kinds = np.where(np.isin(table.cls, (EXIT, HIT_EXIT)), int(Kind.EXIT), int(Kind.ENTER)).astype(np.uint8)
        ids = np.zeros(len(table.cls), dtype=np.int32)
        event = columns.event[:n]
        events = list(table.index)
        for i in np.unique(event).tolist():
            ids[i] = self.builder.name_id(self.name_of(events[i]))
        mine = self.builder.finish()
        fast = Records(
            offset=columns.offset[:n].copy(), length=columns.length[:n].copy(), ts=columns.ts[:n].copy(),
            cpu=columns.cpu[:n].copy(), pid=columns.pid[:n].copy(), kind=kinds[event], name=ids[event],
            known=table.known[event], regs=columns.regs[:n].copy(),
        )  # fmt: skip
        if not len(mine):
            return fast
        both = joined([fast, mine], [])
        both.take(np.argsort(both.offset, kind="stable"))
        return both


class Total:
    """The records of all batches so far, packed."""

    def __init__(self) -> None:
        self.columns: dict[str, Any] = {name: Column(dtype) for name, dtype in COLUMNS.items()} | {"regs": Registers()}

    def add(self, part: Records) -> None:
        """Put a batch behind the others."""
        for name, column in self.columns.items():
            column.append(getattr(part, name))

    def records(self, names: list[str]) -> Records:
        """All of them."""
        return Records(**self.columns, names=names)


def joined(parts: list[Records], names: list[str]) -> Records:
    """The rows of several in one."""
    arrays: dict[str, Any] = {c: np.concatenate([getattr(p, c) for p in parts]) for c in _COLUMNS}
    return Records(**arrays, names=names)


def settle(records: Records, probes: Probes, *, whole_lines: bool = True) -> int:
    """Put in order what could only be known at the end; returns how many lines turned out to be cut short.

    Drops buffers that another probe showed better and synthetic events beside the calls they are made of, sorts in what
    was understood late, and gives events that belong together names that show it.
    whole_lines  lines of one event have the same fields, so that a shorter one was cut
    """
    drop = np.zeros(len(records), dtype=bool)
    if probes.dropped:
        drop |= np.isin(records.offset, np.array(probes.dropped)) & (records.kind == Kind.BUFFER)
    if (records.kind == Kind.ENTER).any():
        drop |= (records.kind == Kind.WHOLE_IN) | (records.kind == Kind.WHOLE_OUT)
    if drop.any():
        records.take(~drop)
    if probes.late and (records.offset[1:] < records.offset[:-1]).any():
        records.take(np.argsort(records.offset, kind="stable"))
    cut = mark_cut(records) if whole_lines else 0
    aliases = probes.aliases()
    records.names = [aliases.get(n, n) for n in records.names]
    return cut


def mark_cut(records: Records) -> int:
    """Make damaged what was cut short: an SMC event with fewer registers at its end than both its neighbours of the
    same event, or than the only neighbour it has. Returns how many."""
    total = 0
    smc = (records.kind == Kind.ENTER) | (records.kind == Kind.EXIT)
    reason: dict[str, int] = {}
    for name in np.unique(records.name[smc]).tolist():
        rows = np.flatnonzero(smc & (records.name == name))
        if len(rows) < 2:
            continue
        known = records.known[rows].astype(np.int64)
        before, after = np.insert(known[:-1], 0, known[1]), np.append(known[1:], known[-2])
        least = before & after  # registers that both neighbours have
        cut = ((known & (known + 1)) == 0) & ((known & least) == known) & (known != least)
        if cut.any():
            text = f"{records.names[name]}: the line is cut short"
            at = reason.setdefault(text, len(records.names))
            records.names.append(text)
            records.kind[rows[cut]] = Kind.DAMAGED
            records.name[rows[cut]] = at
            total += int(cut.sum())
    return total
