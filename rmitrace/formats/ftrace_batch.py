"""Line by line through a text of any size: the scanner takes the common lines, a reader the rest, columns come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..capture.distinct import distinct
from ..capture.records import N_REGS, Finding, Kind, RecordBuilder, Records
from . import eventmap, ftrace_scan, kernels
from .base import Data, ReadOptions
from .ftrace_events import MAX_EVENTS, Probes
from .ftrace_scan import NEW_EVENT
from .ftrace_table import ENTER, EXIT, HIT_EXIT, Columns, Table
from .kernel_steps import SLACK
from .record_arrays import Total, joined

LEARN = 1 << 18
"""Bytes at the start that are read before other threads read ahead: most events are known then."""
MANY = 16 << 20
"""Bytes from which several cores are used."""
_SHORTEST, _SHORTEST_SLOW = 64, 128
"""Bytes a line for which there is room in the columns of a piece; of shorter ones it takes several turns."""


class _Found(NamedTuple):
    """What scan() returned, and the columns it filled."""

    at: int
    records: int
    slow: int
    lines: int
    gap: bool
    status: int
    columns: Columns


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
        self.table = Table(MAX_EVENTS)
        self.buf: Any = data
        self.compiled = False
        """Whether the scanner is; ``buf`` is the source as it takes it."""
        self.last = start
        """Where the scanner ends."""
        self._gap = False
        self._names: dict[str, int] = {}
        self._seen = np.zeros(MAX_EVENTS, dtype=np.int64)
        self._free: list[Columns] = []
        self._total = Total()
        self.forms: set[tuple[int, int]] = set()
        """What the scanner and line() gave together, see forms()."""

    def line(self, at: int, stop: int) -> None:
        """Take the line between two offsets (its end not included)."""
        raise NotImplementedError

    def finish(self, records: Records) -> Records:
        """Everything that needs the whole source. Raises Unreadable."""
        raise NotImplementedError

    def gap(self) -> None:
        """The scanner took lines with columns since the last line(); called before the next one."""

    def passed(self, columns: Columns, at: int, count: int) -> int:
        """The first of the lines ``columns.slow`` from ``at`` up to ``count`` that line() has to take; those in front of it are
        of no effect, and counted here."""
        return at

    def flush(self) -> None:
        """The last line was read: add what waits for more."""

    def event_of(self, line: bytes) -> str | None:
        """The event of a line, as the scanner would name it."""
        raise NotImplementedError

    def read(self, scanner: Callable[..., Any] | None = None, threads: int | None = None) -> Records:
        """The records of the whole source. None for what is not told: by size, the ``scanner`` (a form of ftrace_scan.scan) that
        reads ahead of line(), and in how many ``threads``."""
        size = self.end - self.start
        if scanner is None and ftrace_scan.repaid(size):
            scanner = ftrace_scan.compiled()
        if scanner is not None and size > 0:
            self._scan(scanner, threads or (kernels.cores() if size >= MANY else 1))
            return self.finish(self._total.records(list(self._names)))
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

    def _scan(self, scanner: Callable[..., Any], threads: int) -> None:
        """Read with a scanner; its records and those of the lines it leaves come together piece by piece."""
        self.compiled = scanner is not ftrace_scan.scan
        self.buf = buf = np.frombuffer(self.data, dtype=np.uint8) if self.compiled else self.data
        self.builder.names = self._names

        def one(at: int, end: int) -> _Found:
            columns = self._free.pop() if self._free else Columns(piece // _SHORTEST, piece // _SHORTEST_SLOW, MAX_EVENTS)
            at, n, slow, lines, gap, status = scanner(buf, at, end, int(self.perf), *self.known, *columns.arrays())
            return _Found(at, n, slow, lines, gap, status, columns)

        piece = max(kernels.PIECE, 2 * _SHORTEST_SLOW)
        self.known = self.table.arrays()
        self.last = last = kernels.line_start(self.data, self.start, max(self.end - SLACK, self.start))
        head = kernels.line_end(self.data, min(self.start + LEARN, last) - 1, last) if last > self.start else last
        at = self.start
        while at < head:
            at = self._take(one(at, head))
        for _, end, found in kernels.in_order(one, kernels.pieces(self.data, head, last), threads):
            while self._take(found) < end:
                found = one(found.at, end)
        at = last  # the scanner looks at bytes behind the end it is given
        while at < self.end:
            self._before_line(False)
            at = self._next(at)
        self.flush()
        rest = self.builder.finish()
        self.forms |= forms(rest)
        self._total.add(rest)
        for event, i in self.table.index.items():
            if event in self.probes.events:
                self.probes.events[event].lines += int(self._seen[i])

    def _before_line(self, gap: bool) -> None:
        if gap or self._gap:
            self.gap()
            self._gap = False

    def _take(self, found: _Found) -> int:
        """Read the lines that the scanner left, learn from them, and put all records with the others; how far that is."""
        columns, slow = found.columns, found.slow
        starts, gaps, i = columns.slow[:slow].tolist(), columns.gap[:slow].tolist(), 0
        while (i := self.passed(columns, i, slow)) < slow:
            self._before_line(gaps[i])
            self._next(starts[i])
            i += 1
        self._gap |= found.gap
        self.lines += found.lines - slow
        self.ignored += found.lines - slow - found.records
        self.placed += found.records
        if found.status == NEW_EVENT:
            start = int(columns.slow[slow - 1])
            name = self.event_of(bytes(self.data[start : min(start + 512, self.end)]).partition(b"\n")[0])
            if name is not None:
                self.table.add(name)
        self.learn(self.table)
        self.known = self.table.arrays()
        self._add(columns, found.records)
        self.builder = RecordBuilder()
        self.builder.names = self._names
        self.probes.builder = self.builder
        known = len(self.table.index)
        self._seen[:known] += columns.seen[:known]
        columns.clear(known)
        self._free.append(columns)
        if self.options.progress is not None:
            self.options.progress(min(found.at, self.end))
        return found.at

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

    def _add(self, columns: Columns, n: int) -> None:
        """Put what the scanner read and what line() read since the last batch with the others, by offset."""
        table, events = self.table, list(self.table.index)
        cls, known = table.cls[: len(events)], table.known[: len(events)]
        kinds = np.where((cls == EXIT) | (cls == HIT_EXIT), np.uint8(Kind.EXIT), np.uint8(Kind.ENTER))
        ids = np.zeros(len(events), dtype=np.int32)
        for i in np.flatnonzero((columns.seen[: len(events)] > 0) & (cls >= ENTER)).tolist():
            ids[i] = self.builder.name_id(self.name_of(events[i]))
            self.forms.add((int(ids[i]), int(known[i])))
        mine = self.builder.finish() if self.builder.rows else None
        c = columns
        if mine is None and self._total.packer.ready(n):
            by_event = (c.offset, c.length, c.ts, c.cpu, c.pid, c.event)
            self._total.packer.add_by_event(n, by_event, (kinds, ids, known), c.regs)
            return
        event, regs = c.event[:n], c.regs[: n * N_REGS].reshape(n, N_REGS)
        kind, name, known = (np.take(table, event) for table in (kinds, ids, known))
        fast = Records(c.offset[:n], c.length[:n], c.ts[:n], c.cpu[:n], c.pid[:n], kind, name, known, regs)
        if mine is not None:
            self.forms |= forms(mine)
            fast = joined([fast, mine], [])
            fast.take(np.argsort(fast.offset, kind="stable"))
        self._total.add(fast)


Forms = set[tuple[int, int]]
"""The names of SMC events, each with the registers that some of its records have."""


def settle(records: Records, probes: Probes, *, whole_lines: bool = True, told: Forms | None = None) -> int:
    """Put in order what could only be known at the end; returns how many lines turned out to be cut short.

    Drops buffers that another probe showed better and synthetic events beside the calls they are made of, sorts in what
    was understood late, and gives events that belong together names that show it.
    whole_lines  lines of one event have the same fields, so that a shorter one was cut
    told         their forms() where those are known
    """
    drop = np.zeros(0, dtype=np.int64)
    if len(whole := np.concatenate([records.of_kind(k) for k in (Kind.WHOLE_IN, Kind.WHOLE_OUT)])):
        drop = whole if len(records.of_kind(Kind.ENTER)) else drop
    if probes.dropped:
        buffers = records.of_kind(Kind.BUFFER)
        drop = np.append(drop, buffers[np.isin(records.offset[buffers], np.array(probes.dropped))])
    if len(drop):
        keep = np.ones(len(records), dtype=bool)
        keep[drop] = False
        records.take(keep)
    if probes.late and (records.offset[1:] < records.offset[:-1]).any():
        records.take(np.argsort(records.offset, kind="stable"))
    cut = mark_cut(records, told) if whole_lines else 0
    aliases = probes.aliases()
    records.names = [aliases.get(n, n) for n in records.names]
    return cut


_AT_ONCE = 1 << 17
"""Records that are looked at at a time."""


def mark_cut(records: Records, told: Forms | None = None) -> int:
    """Make damaged what was cut short: an SMC event with fewer registers at its end than both its neighbours of the
    same event, or than the only neighbour it has. Returns how many."""
    total = 0
    several = Counter(name for name, _ in told or forms(records))
    if all(count < 2 for count in several.values()):
        return 0
    smc = np.asarray(records.kind) <= Kind.EXIT
    names = np.asarray(records.name)[smc]
    reason: dict[str, int] = {}
    for name in sorted(n for n, count in several.items() if count > 1):
        rows = np.flatnonzero(smc)[names == name]
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


def forms(records: Records) -> Forms:
    """See Forms."""
    found: set[int] = set()
    for start in range(0, len(records), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        smc = records.kind[some] <= Kind.EXIT
        form = records.name[some][smc].astype(np.uint64) << np.uint64(32) | records.known[some][smc]
        found.update(distinct(form)[0].tolist())
    return {(n >> 32, n & 0xFFFFFFFF) for n in found}
