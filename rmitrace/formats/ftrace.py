"""ftrace text: the tracefs files trace, trace_pipe and per_cpu/cpuN/trace, ``trace-cmd report``, ``perf ftrace``."""

from __future__ import annotations

import re

from ..capture.records import Records
from .base import ALWAYS, HEAD, Data, Detail, Growth, ReadOptions
from .eventmap import parse_maps
from .ftrace_graph import graph_detail, parse_graph
from .ftrace_line import MAX_LINE, event_name, parse_body, parse_head
from .ftrace_reader import Reader
from .ftrace_values import detail_of

_HEADER = re.compile(rb"# tracer: \w|# entries-in-buffer/entries-written: \d|#\s+TASK-PID\s+|# .{0,64} latency trace v1\.")
_GRAPH_HEADER = re.compile(rb"#.{0,80}FUNCTION CALLS")
_LOST = re.compile(rb"CPU:\d+ \[LOST (?:\d+ )?EVENTS\]$|CPU:\d+ \[(?:\d+ )?EVENTS DROPPED\]$")


class Ftrace:
    """The format; see the module."""

    name = "ftrace"
    task_by = HEAD
    bare = ALWAYS
    title = "ftrace text (trace, trace_pipe, trace-cmd report, perf ftrace)"
    growth = Growth(context=1 << 15, late=True)

    def sniff(self, head: bytes) -> float:
        """How surely this is trace text: by its header, else by how many lines have the columns."""
        if head[:8] == b"PERFILE2" or head[:3] == b"\x17\x08\x44":
            return 0.0
        seen = good = 0
        for line in head[: 1 << 16].split(b"\n")[:600]:
            line = line[:2048].rstrip(b"\r")
            if not line.strip():
                continue
            if line[:1] == b"#":
                if _HEADER.match(line) or _GRAPH_HEADER.match(line):
                    return 0.98
                continue
            if line.startswith((b" => ", b"cpus=")):
                continue
            seen += 1
            found = parse_head(line)
            if found is not None:
                good += event_name(line, found.body) is not None or b" <-" in line[found.body :]
            elif _LOST.match(line) or parse_graph(line) is not None:
                good += 1
            elif (named := event_name(line)) is not None:
                good += parse_body(named[0], line[named[1] :]).place is not None
        return 0.9 * good / seen if seen else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format. Raises Unreadable for captures made with the trace options raw, hex or bin."""
        return Reader(data, start, end, options).read()

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """See Format."""
        text = raw.decode("utf-8", "surrogateescape")
        line = raw[:MAX_LINE]
        head = parse_head(line if b"\n" not in line[:17] else line.replace(b"\n", b" ", 16))
        task = None
        if head is not None and head.comm is not None:
            task = raw[: head.dash].lstrip(b" ").decode("utf-8", "surrogateescape")
        rest = line[head.body :] if head is not None else line
        graph = parse_graph(line) if head is None else None
        if graph is not None:
            if graph.event is None:
                return graph_detail(graph, text)
            rest, task = graph.event, graph.comm
        named = event_name(rest)
        if named is None:
            return Detail(text=text, task=task)
        body = parse_body(named[0], rest[named[1] :])
        return detail_of(body, parse_maps(options.maps), text, task, results=out)


FORMAT = Ftrace()
