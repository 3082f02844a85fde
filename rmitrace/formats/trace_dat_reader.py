"""A trace.dat becomes records: what an event is, is learned as from trace text; from then on its records go all at once."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column
from ..capture.records import N_REGS, NO_TIME, Finding, Kind, RecordBuilder, Records
from . import eventmap
from .base import Data, ReadOptions, Unreadable
from .ftrace_batch import settle
from .ftrace_events import MARKERS, Probes
from .ftrace_line import Head, parse_body
from .kernels import behind
from .record_arrays import Total, joined
from .trace_dat_detail import Details, payload
from .trace_dat_formats import find_formats, parse_format
from .trace_dat_merge import Unordered
from .trace_dat_names import Symbols, comms, strings
from .trace_dat_parts import TraceFile
from .trace_dat_plan import Plan, plan_of
from .trace_dat_rows import Collector, Rows
from .trace_dat_settled import Settled
from .trace_dat_text import Renderer

I64 = npt.NDArray[np.int64]

MANY = 16 << 20
"""Bytes of pages from which rows are taken a window at a time."""
_MARKER = "tracing_mark_write"
NS_CLOCKS = frozenset({"local", "global", "perf", "mono", "mono_raw", "boot", "tai", "tsc2nsec"})
"""Clocks that count ns (trace_clocks of kernel/trace/trace.c); times of others are ticks and become NO_TIME."""


class Reader:
    """One file."""

    def __init__(self, data: Data, file: TraceFile, options: ReadOptions) -> None:
        self.data, self.file, self.options = data, file, options
        self.rules = eventmap.parse_maps(options.maps)
        self.texts = find_formats(self.file.formats)
        self.file.formats.clear()
        self.plans: dict[int, Plan | None] = {}
        self.symbols = Symbols(self.file.kallsyms)
        self.render = Renderer(self.symbols, strings(self.file.printk))
        self.builder = RecordBuilder()
        self.probes = Probes(self.builder, self.rules)
        self.clock = next((r.clock for r in self.file.rings if not r.name and r.clock), self.file.options.clock)
        self.settled: set[int] = set()
        """Ids of events whose records are all taken at once."""
        self.timed = self.clock in NS_CLOCKS or self.file.options.tsc is not None

    def plan(self, ident: int) -> Plan | None:
        """What to do with an event's records; None where the file has no format of that id."""
        if ident not in self.plans:
            kind = parse_format(self.texts[ident]) if ident in self.texts else None
            self.plans[ident] = None if kind is None else plan_of(kind, self.rules)
        return self.plans[ident]

    def read(self) -> Records:
        """The records, in the order of time. Raises Unreadable where the trace is kept as text only."""
        if self.file.latency and not self.file.rings:
            raise Unreadable("trace.dat that holds a latency trace as text; take it out with trace-cmd report")
        size = sum(a.size for r in self.file.rings for a in r.areas)
        if size >= MANY and self.timed and len(self.file.rings) == 1 and not self.file.problems:
            try:
                return self._in_windows()
            except Unordered:  # from the start, with all of it in memory
                self.builder = RecordBuilder()
                self.probes = Probes(self.builder, self.rules)
                self.settled.clear()
        collector = self._collector()
        rows = collector.collect()
        ticks = None if self.timed else rows.columns["ts"].copy()
        self._learn(rows, 0)
        records = self._records(rows, 0)
        settle(records, self.probes, whole_lines=False)
        self._tell_instances(records, rows)
        ticks = None if ticks is None else ticks[records.offset]
        at = rows.columns["at"]
        return self._told(collector, records, at, at[records.offset], ticks)

    def _in_windows(self) -> Records:
        """The same, so many rows at a time. Raises Unordered."""
        collector = self._collector()
        total, at = Total(), Column(np.int64)
        names, given = self.builder.names, 0

        def pack(records: Records, places: I64) -> None:
            total.add(records)
            at.append(places)

        with behind(pack) as pack_behind:
            for rows in collector.windows():
                self._learn(rows, given)
                pack_behind(self._records(rows, given), rows.columns["at"])
                given += rows.used
                self.probes.builder = self.builder = RecordBuilder()
                self.builder.names = names
        records = total.records(list(names))
        settle(records, self.probes, whole_lines=False)
        every = len(records) == len(at) and not self.probes.late
        return self._told(collector, records, at, at if every else Column(np.int64, at[np.asarray(records.offset)]), None)

    def _collector(self) -> Collector:
        return Collector(
            self.file, self.data, self.plan, self.symbols, lambda name: self.builder.name_id(name), self.options.progress
        )

    def _told(self, collector: Collector, records: Records, at: Any, places: Any, ticks: Any) -> Records:
        """The records with what else is known. ``at``: the place of each row; places: those of the records."""
        records.findings = [
            Finding(f.rule, f.severity, f.message, offset=int(at[f.offset]) if f.offset >= 0 else -1)
            for f in self.probes.findings()
        ] + self._findings(collector)
        records.offset = places
        records.facts = self._facts(collector)
        self._tell(records, ticks)
        return records

    def _tell(self, records: Records, ticks: Any) -> None:
        """Put into the facts what reads a record in full, and what stands in for the bytes of the file."""
        places = sorted((a.offset, r.name) for r in self.file.rings for a in r.areas)
        self.file.kallsyms = b""
        records.facts["detail"] = Details(records, self.plan, self.rules, self.render, comms(self.file.cmdlines), places, ticks)
        if self.file.unpacked.chunks:
            records.facts["data"] = self.file.unpacked

    def again(self, records: Records) -> None:
        """The same for records that this file was read into before."""
        self._tell(records, None)

    # what an event is

    def _learn(self, rows: Rows, before: int) -> None:
        """Take records one by one, in the order of time, until it is clear what their event is; settle the rest at once.
        ``before``: rows that were given before."""
        column = rows.columns["ident"]
        told = np.flatnonzero(rows.columns["kind"])
        counts = np.bincount(column)
        counts -= np.bincount(column[told], minlength=len(counts))
        settled = Settled(rows, told)
        queue: list[tuple[int, int, Iterator[int]]] = []
        for event in np.flatnonzero(counts).tolist():
            plan = self.plan(event) if event in self.settled else None
            if plan is None or not self._rest(plan, settled, int(counts[event])):
                found = settled.places(event)
                queue.append((next(found), event, found))
        heapq.heapify(queue)
        while queue:
            row, event, found = heapq.heappop(queue)
            plan = self.plan(event)
            assert plan is not None
            self._one(plan, rows, row, before)
            settled.single.append(row)
            counts[event] -= 1
            if self._rest(plan, settled, int(counts[event])):
                self.settled.add(event)
            elif counts[event]:
                heapq.heappush(queue, (next(found), event, found))
        settled.apply()

    def _head(self, rows: Rows, row: int) -> Head:
        c = rows.columns
        return Head(None, int(c["pid"][row]), int(c["cpu"][row]), self._ns(int(c["ts"][row])), -1, 0, "normal", 0)

    def _ns(self, ts: int) -> int:
        return ts if self.timed and ts < 1 << 63 else NO_TIME

    def _one(self, plan: Plan, rows: Rows, row: int, before: int) -> None:
        c = rows.columns
        at, length = int(c["at"][row]), int(c["length"][row])
        name, text = self.render.event(plan.kind, payload(self.file.unpacked[at : at + length]))
        head = self._head(rows, row)
        if name in MARKERS or name != plan.kind.name or not plan.loads:
            self.probes.add(before + row, length, head, name or _MARKER, text)
            return
        body = parse_body(name, text)
        if body.place is not None and body.place.bare and b"{" in text:
            # no symbol: but an array of zeros is one here, other than in text that libtraceevent printed
            self.probes.take(before + row, length, head, name, body._replace(place=body.place._replace(bare=False)))
        else:
            self.probes.add(before + row, length, head, name, text)

    def _rest(self, plan: Plan, settled: Settled, count: int) -> bool:
        """Settle the ``count`` records that are left of an event where it is clear by now what it is."""
        event = self.probes.events.get(plan.kind.name)
        if event is None or plan.kind.name in MARKERS:
            return False
        match event.kind:
            case "ignore":
                pass
            case "enter" | "exit" if plan.loads and plan.out == (event.kind == "exit"):
                settled.as_(plan, Kind.EXIT if plan.out else Kind.ENTER, plan.known, self.builder.name_id(event.name), N_REGS)
            case "wrap" if eventmap.is_wrapper(event.func) and (not event.ret or plan.ret or not self._returns(plan)):
                value = 1 if event.ret and plan.ret else 0
                kind = Kind.WRAP_EXIT if event.ret else Kind.WRAP_ENTER
                settled.as_(plan, kind, value, self.builder.name_id(event.func), value)
            case _:
                return False
        event.lines += count
        return True

    @staticmethod
    def _returns(plan: Plan) -> bool:
        return any(f.name in ("ret", "retval") for f in plan.kind.fields)

    def _records(self, rows: Rows, before: int) -> Records:
        """The rows that are records, and what was understood late of earlier ones; their offset is the row, so that all know
        the order of time."""
        c = rows.columns
        slow = self.builder.finish()
        first = np.zeros(0, dtype=np.int64)
        if len(slow):  # a row is one record, but for a synthetic event that holds a call's entry and exit
            order = np.argsort(slow.offset, kind="stable")
            first = order[np.flatnonzero(np.diff(slow.offset[order], prepend=-1))]
            first = first[slow.offset[first] >= before]
            at = slow.offset[first] - before
            for column in ("kind", "name", "known"):
                c[column][at] = getattr(slow, column)[first]
            rows.regs[at] = slow.regs[first]
        ts = c["ts"].view(np.int64)
        if not self.timed or (len(ts) and ts.min() <= 0):
            ts[(ts < 0) | ((ts == 0) & (c["kind"] == Kind.DAMAGED)) | (not self.timed)] = NO_TIME
        records = Records(
            offset=np.arange(before, before + len(ts), dtype=np.int64), length=c["length"], ts=ts, cpu=c["cpu"], pid=c["pid"],
            kind=c["kind"], name=c["name"], known=c["known"], regs=rows.regs, names=list(self.builder.names),
        )  # fmt: skip
        if len(slow) > len(first):
            more = np.ones(len(slow), dtype=bool)
            more[first] = False
            slow.take(np.flatnonzero(more))
            records = joined([records, slow], records.names)
            records.take(np.argsort(records.offset, kind="stable"))
        if not records.kind.all():
            records.take(np.flatnonzero(records.kind))
        return records

    def _tell_instances(self, records: Records, rows: Rows) -> None:
        """Give an event that several tracing instances recorded another name in each, so that one SMC is no two calls."""
        if len(self.file.rings) < 2:
            return
        smc = np.flatnonzero((records.kind == Kind.ENTER) | (records.kind == Kind.EXIT))
        ring = rows.columns["ring"][records.offset[smc]]
        first = {n: r for r in sorted(set(ring.tolist()), reverse=True) for n in np.unique(records.name[smc][ring == r]).tolist()}
        for r in np.unique(ring).tolist():
            mine = smc[ring == r]
            for n in np.unique(records.name[mine]).tolist():
                if first[n] != r:
                    name = records.names[n]
                    records.names.append(f"{name}@{self.file.rings[r].name}.{eventmap.family(name)}")
                    records.name[mine[records.name[mine] == n]] = len(records.names) - 1

    # about the whole file

    def _findings(self, collector: Collector) -> list[Finding]:
        out = []
        gone = [s for s in self.file.options.stats if s.overrun]
        if gone:
            total = sum(s.overrun for s in gone)
            where = ", ".join(str(s.cpu) for s in gone[:16])
            message = f"the ring buffer wrapped: {total} entries, the oldest, are gone (CPU {where})"
            out.append(Finding("RING-WRAPPED", "warning", message))
        dropped = sum(s.dropped for s in self.file.options.stats)
        if dropped:
            out.append(Finding("EVENTS-DROPPED", "warning", f"{dropped} event(s) found no room in the ring buffer"))
        if collector.unknown:
            count = collector.unknown.total()
            message = f"{count} record(s) of {len(collector.unknown)} event(s) that the file has no format of were left out"
            out.append(Finding("UNKNOWN-EVENT", "warning", message))
        clocks = sorted({r.clock for r in self.file.rings if r.clock and r.areas})
        if len(clocks) > 1:
            message = f"instances were recorded with different clocks ({', '.join(clocks)}): their times do not compare"
            out.append(Finding("CLOCKS-DIFFER", "warning", message))
        if self.file.latency and self.file.rings:
            out.append(Finding("TEXT-BUFFER", "note", "a buffer kept as text was left out; trace-cmd report shows it"))
        return out

    def _facts(self, collector: Collector) -> dict[str, Any]:
        options = self.file.options
        ignored = collector.ignored.copy()
        ignored.update({e.name: e.lines for e in self.probes.events.values() if e.kind in ("ignore", "text", "") and e.lines})
        facts: dict[str, Any] = {"lines": collector.events, "ignored": ignored.total(), "clock": self.clock}
        if collector.lost:
            facts["lost"] = collector.lost
        if self.probes.duplicates:
            facts["duplicates"] = self.probes.duplicates
        if ignored:
            facts["ignored_events"] = dict(ignored.most_common(64))
        for key, value in (
            ("version", self.file.version), ("kernel", options.uname),
            ("recorder", options.version and f"trace-cmd {options.version}"), ("trace_id", options.trace_id),
            ("peer_trace_id", options.peer), ("guests", options.guests[:64]),
            ("ts_offset", options.ts_offset), ("instances", [r.name for r in self.file.rings if r.name][:64]),
        ):  # fmt: skip
            if value:
                facts[key] = value
        return facts
