"""``perf script`` and ``perf trace`` text: samples of kprobe events, and of hardware breakpoints with registers."""

from __future__ import annotations

from ..capture.records import Records
from .base import ALWAYS, HEAD, Data, Detail, Growth, ReadOptions
from .eventmap import parse_maps
from .ftrace_line import MAX_LINE, event_name, parse_body
from .ftrace_values import detail_of
from .perf_line import BREAKPOINT, GROUP, INTERRUPTED, interrupt_registers, parse_head, parse_trace
from .perf_reader import Reader


class PerfScript:
    """The format; see the module."""

    name = "perf-script"
    task_by = HEAD
    bare = ALWAYS
    title = "perf script text (kprobe samples, hardware breakpoints with --intr-regs), perf trace"
    growth = Growth(context=1 << 16, ahead=64, late=True)

    def sniff(self, head: bytes) -> float:
        """How surely this is perf text: by how many lines are samples."""
        if head[:8] == b"PERFILE2":
            return 0.0
        seen = good = 0
        for line in head[: 1 << 16].split(b"\n")[:600]:
            line = line[:2048].rstrip(b"\r")
            if not line.strip() or line[:1] in (b"\t", b"#") or line.startswith(b"'trace' not valid"):
                continue
            seen += 1
            found = parse_head(line)
            if found is not None:
                group = GROUP.match(line, found.body)
                good += BREAKPOINT.match(line, found.body) is not None or (
                    group is not None and event_name(line, group.end()) is not None
                )
            elif parse_trace(line) is not None:
                good += 1
        return 0.95 * good / seen if seen else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format. Raises Unreadable for hardware breakpoint samples without registers."""
        return Reader(data, start, end, options).read()

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """See Format."""
        text = raw.decode("utf-8", "surrogateescape")
        line = raw[:MAX_LINE]
        head = parse_head(line.partition(b"\n")[0])
        rules = parse_maps(options.maps)
        if head is None:
            traced = parse_trace(line)
            if traced is None:
                return Detail(text=text)
            return detail_of(traced[2], rules, text, (traced[0].comm or b"").decode("utf-8", "surrogateescape"))
        task = None if head.comm is None else head.comm.decode("utf-8", "surrogateescape")
        hardware = BREAKPOINT.match(line, head.body)
        if hardware is not None:
            found = INTERRUPTED.search(line, hardware.end())
            regs = interrupt_registers(line[found.end() :]) if found else []
            return Detail(
                text=text,
                task=task,
                event=f"mem:0x{hardware[1].decode()}:x",
                regs={i: v for i, v in enumerate(regs) if v is not None},
            )
        group = GROUP.match(line, head.body)
        named = event_name(line, group.end()) if group is not None else None
        if named is None:
            return Detail(text=text, task=task)
        return detail_of(parse_body(named[0], line[named[1] :].partition(b"\n")[0]), rules, text, task)


FORMAT = PerfScript()
