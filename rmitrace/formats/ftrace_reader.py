"""Reads a whole trace: header lines, events, the function_graph drawing, lost events; keeps what spans lines."""

from __future__ import annotations

import re

from ..capture.records import Finding, Kind, Records
from . import eventmap, ftrace_graph_scan
from .base import Data, ReadOptions, Unreadable
from .ftrace_batch import LineSource, settle
from .ftrace_events import NOWHERE
from .ftrace_graph import Graph, Stacks, parse_graph, parse_graph_event
from .ftrace_line import MAX_LINE, Head, event_name, parse_head
from .ftrace_table import Columns

_ENTRIES = re.compile(rb"# entries-in-buffer/entries-written: (\d{1,18})/(\d{1,18})")
_LATENCY = re.compile(rb"# latency: \d{1,18} us, #(\d{1,18})/(\d{1,18})")
_KERNEL = re.compile(rb"# .{1,64} latency trace v[\d.]{1,16} on (\S{1,128})")
_CLOCK = re.compile(rb"trace_clock:[^\[]{0,160}\[(\w{1,32})\]")
_LOST = re.compile(
    rb"\s*(?:[^\s:]{1,64}: +)?CPU[: ] {0,3}(\d{1,6}):? {0,3}\[?(?:LOST )?(?:(\d{1,18}) )?EVENTS(?: DROPPED)?\]?\s*$"
)
_NUMBERED = re.compile(rb"type: \d{1,10}$")
_RAW_OR_HEX = re.compile(rb"(?:\d{1,10} \d{1,10} \d{1,20}|[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{16}) type: \d{1,10}$")
_RAW_MARKER = re.compile(rb"# ?[0-9a-f]{1,8} buf:")
_FUNCTION = re.compile(
    rb"([A-Za-z_$][\w.$]{0,127})(?:\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8})?(?: \[[\w.-]{1,64}\])?(?: <[0-9a-f]{8,16}>)?"
    rb"(?:\([^<]{0,4096}\))?(?: +<--? ?.{1,256})?$"
)
_WORD = re.compile(rb"([A-Za-z_]\w{0,63}): ")
_REGISTERS = re.compile(rb" (?:a0|x0|fid)=0x")
MAILBOX = b"pci_cfg_write"
"""What a line holds in which QEMU says that a register of configuration space was written, as those of mailboxes are."""
_HOW = "record without the trace options raw, hex and bin (echo 0 > options/raw) or use trace-cmd record"


class Reader(LineSource):
    """One source, read line by line from top to bottom."""

    def __init__(self, data: Data, start: int, end: int, options: ReadOptions) -> None:
        super().__init__(data, start, end, options)
        self.stacks = Stacks()
        self.numbered = self.lost = 0
        self.columns = False  # a line of this file has columns: one without them is no event
        self.after_mark = False
        self._passing: ftrace_graph_scan.Passing | None = None
        self.drawn = False  # the line before was one of the drawing of function_graph
        self.last_tick = -1
        self.tick_repeats = False
        self._mailboxes = False

    def line(self, at: int, stop: int) -> None:
        """Take the line between two offsets (its end not included)."""
        self.lines += 1
        self.drawn = False
        line = bytes(self.data[at : min(stop, at + MAX_LINE)])
        if MAILBOX in line or (stop - at > MAX_LINE and self.data.find(MAILBOX, at, stop) >= 0):
            self._mailboxes = True
        if line[-1:] == b"\r":
            line, stop = line[:-1], stop - 1
        length = min(stop - at, (1 << 31) - 1)
        if line[:1] == b"#" and not _RAW_MARKER.match(line):
            self.ignored += 1
            return self._header(at, line)
        kind = self._event(at, length, line)
        if kind is None:
            self.ignored += 1
        if kind is Kind.MARK:
            self.after_mark = True

    def passed(self, columns: Columns, at: int, count: int) -> int:
        """See LineSource: of the drawing of function_graph most lines are of functions that have no part in an SMC."""
        if at == 0:
            self._passing = None
        if not self.drawn or at == count or columns.gap[at] or self._gap:
            return at
        if self._passing is None:
            kernel = ftrace_graph_scan.compiled() if self.compiled else ftrace_graph_scan.depths
            self._passing = ftrace_graph_scan.Passing(kernel, self.buf, self.last, columns.slow, columns.gap, at, count)
        to = self._passing.behind(at, self.stacks.depths)
        if to > at:
            self.after_mark = False
            self.lines += to - at
            self.ignored += to - at
        return to

    def gap(self) -> None:
        """See LineSource."""
        self.columns, self.after_mark = True, False

    def event_of(self, line: bytes) -> str | None:
        """See LineSource."""
        head = parse_head(line)
        named = event_name(line, head.body) if head is not None else None
        return named[0] if named is not None else None

    # one line

    def _header(self, at: int, line: bytes) -> None:
        if line.startswith(b"# tracer: "):
            self.columns = False
            self.facts["tracer"] = line[10:74].strip().decode("utf-8", "replace")
        elif (found := _ENTRIES.match(line) or _LATENCY.match(line)) is not None:
            kept, written = int(found[1]), int(found[2])
            self.facts["entries_in_buffer"] = self.facts.get("entries_in_buffer", 0) + kept
            self.facts["entries_written"] = self.facts.get("entries_written", 0) + written
            if kept < written:
                message = f"the ring buffer wrapped: {written - kept} of {written} entries, the oldest, are gone"
                self.findings.append(Finding("RING-WRAPPED", "warning", message, offset=at))
        elif (found := _KERNEL.match(line)) is not None:
            self.facts["kernel"] = found[1].decode("utf-8", "replace")
        elif (found := _CLOCK.search(line, 0, 512)) is not None:
            self.facts["clock"] = found[1].decode("ascii")

    def _event(self, at: int, length: int, line: bytes) -> Kind | None:
        head = parse_head(line) if b":" in line else None
        if head is None:
            return self._without_columns(at, length, line)
        self.columns, self.after_mark = True, False
        self.placed += 1
        if head.tick >= 0:
            self.tick_repeats = self.tick_repeats or head.tick == self.last_tick
            self.last_tick = head.tick
        elif head.form == "relative":
            self.facts.setdefault("clock", "relative")
        if head.dash < 16 and head.form == "normal":
            at, length = self._whole_name(at, length, head.dash)
        kind = self._with_columns(at, length, head, line)
        if kind is Kind.DAMAGED:
            self._second(at, line, head.body)
        return kind

    def _whole_name(self, at: int, length: int, dash: int) -> tuple[int, int]:
        """A task's name with a line end in it: the record begins on the line before."""
        start = at - (16 - dash)
        if start < self.start or self.data[start : start + 1] == b"#":
            return at, length
        if start > self.start and self.data[start - 1 : start] != b"\n":
            return at, length
        return start, length + at - start

    def _with_columns(self, at: int, length: int, head: Head, line: bytes) -> Kind | None:
        if length > MAX_LINE:
            return self.probes.bad(at, length, head, f"line longer than {MAX_LINE} bytes")
        named = event_name(line, head.body)
        if named is not None:
            name, rest = named
            if name in ("funcgraph_entry", "funcgraph_exit"):
                graph = parse_graph_event(line[rest:])
                return None if graph is None else self._graph(at, length, graph, head)
            if name == "function":
                return self._function(at, length, head, line[rest:])
            return self.probes.add(at, length, head, name, line[rest:])
        text = line[head.body :]
        if _RAW_MARKER.match(text):
            return self.probes.add(at, length, head, "tracing_mark_write", text)
        if text[:1] != b"<" and self._function(at, length, head, text):
            return Kind.WRAP_ENTER
        if _REGISTERS.search(line, head.body):
            return self.probes.bad(at, length, head, "no event name")
        return None

    def _function(self, at: int, length: int, head: Head, text: bytes) -> Kind | None:
        """A line of the function tracer."""
        found = _FUNCTION.match(text)
        func = found[1].decode("ascii") if found else None
        if func is None or not eventmap.is_wrapper(func):
            return None
        self.builder.add(Kind.WRAP_ENTER, at, length, ts=head.ts, cpu=head.cpu, pid=head.pid, name=func)
        return Kind.WRAP_ENTER

    def _second(self, at: int, line: bytes, after: int) -> None:
        """A line that was cut and run into the next one: read that too."""
        for dash in range(after + 17, len(line)):
            if line[dash : dash + 1] == b"-" and line[dash - 16 : dash - 15] == b" ":
                head = parse_head(line[dash - 16 :])
                if head is not None and head.dash == 16 and event_name(line, dash - 16 + head.body) is not None:
                    start = dash - 16
                    self._with_columns(at + start, len(line) - start, head, line[start:])
                    return

    def _without_columns(self, at: int, length: int, line: bytes) -> Kind | None:
        if not line.strip():
            return None
        graph = parse_graph(line)
        if graph is not None:
            self.after_mark, self.drawn = False, True
            return self._graph(at, length, graph, None)
        lost = _LOST.match(line)
        if lost is not None:
            self.after_mark = False
            cpu, count = int(lost[1]), int(lost[2] or 0)
            self.builder.add(Kind.LOST, at, length, cpu=cpu, name="lost events", regs=[count])
            self.lost += count
            self.stacks.lost(cpu)
            return Kind.LOST
        if line[:4] == b" => " or line[:5] == b"cpus=":
            return None
        if _NUMBERED.search(line[-20:]):
            self.numbered += 1
            if self.columns and _RAW_OR_HEX.match(line):
                return self.probes.bad(at, length, None, "event without arguments, as the options raw and hex print it")
            return None
        if self.after_mark and self.columns:
            return None  # the rest of a marker with a line end in it, whatever it looks like
        if length > MAX_LINE:
            return None
        named = event_name(line)
        if named is not None and not self.columns:
            return self.probes.add(at, length, NOWHERE, named[0], line[named[1] :])
        return self._remains(at, length, line)

    def _remains(self, at: int, length: int, line: bytes) -> Kind | None:
        """A line without columns that still shows an SMC event is a damaged one."""
        for i, found in enumerate(_WORD.finditer(line)):
            name = found[1].decode("ascii")
            known = self.probes.events.get(name)
            if (known is not None and known.kind in ("enter", "exit")) or eventmap.is_smc_event(name):
                return self.probes.bad(at, length, None, f"{name}: no readable columns in front")
            if i > 16:
                break
        if self.columns and _REGISTERS.search(line):
            return self.probes.bad(at, length, None, "no readable columns")
        return None

    def _graph(self, at: int, length: int, graph: Graph, head: Head | None) -> Kind | None:
        if graph.kind == "other":
            return None
        if graph.kind == "switch":
            self.stacks.switch(graph, at)
            return None
        cpu = graph.cpu if head is None else head.cpu
        pid = self.stacks.pid(graph) if head is None else head.pid
        ts = graph.ts if head is None else head.ts
        if graph.event is not None:
            named = event_name(graph.event)
            where = Head(None, pid, cpu, ts, -1, 0, "graph", 0)
            return self.probes.add(at, length, where, named[0], graph.event[named[1] :]) if named else None
        kind = None
        if head is not None:
            graph = graph._replace(ts=ts)
        for step in self.stacks.take(graph, pid, cpu):
            kind = Kind.WRAP_EXIT if step.out else Kind.WRAP_ENTER
            self.builder.add(kind, at, length, ts=step.ts, cpu=cpu, pid=pid, name=step.func, regs=[step.ret])
        return kind

    # the end

    def finish(self, records: Records) -> Records:
        """Everything that needs the whole source: names, order, cut lines, facts. Raises Unreadable."""
        if self.numbered and not self.placed and not len(records):
            raise Unreadable(f"ftrace text without arguments ({self.numbered} lines end in 'type: N'): {_HOW}")
        for cpu, (offset, pid) in self.stacks.first_switch.items():
            before = (records.pid == -1) & (records.cpu == cpu) & (records.offset < offset)
            records.pid[before] = pid
        self._facts(records, settle(records, self.probes, told=self.forms or None))
        return records

    def _facts(self, records: Records, cut: int) -> None:
        facts = self.facts
        told_twice = self.probes.duplicates - len(self.probes.dropped)  # left out at once, so counted as ignored
        facts |= {"lines": self.lines, "ignored": self.ignored - told_twice, "mailboxes": self._mailboxes}
        if self.last_tick >= 0:
            facts.setdefault("clock", "uptime" if self.tick_repeats else "counter")
        for key, value in (
            ("lost", self.lost),
            ("zero_arrays", self.probes.zero_arrays),
            ("duplicates", self.probes.duplicates),
            ("cut_lines", cut),
        ):
            if value:
                facts[key] = value
        ignored = {e.name: e.lines for e in self.probes.events.values() if e.kind in ("ignore", "text", "") and e.lines}
        if ignored:
            facts["ignored_events"] = dict(sorted(ignored.items(), key=lambda p: -p[1])[:64])
        records.facts = facts
        records.findings = self.findings + self.probes.findings()
