"""One record of a trace.dat in full, from its bytes and what the file says about its event."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..capture.records import NO_TIME, Kind, Records
from .base import Detail
from .eventmap import EventRule
from .ftrace_line import parse_body
from .ftrace_values import detail_of
from .trace_dat_plan import FUNCTION, Plan
from .trace_dat_text import Renderer, line_head

_MAX_SHOWN = 256
_LONG = 8


def payload(raw: bytes) -> bytes:
    """The payload of a ring-buffer event: what stands behind its u32, and behind the length where that is apart."""
    return raw[_LONG:] if raw[:1] and not raw[0] & 31 else raw[4:]


class Details:
    """Reads records again; called with the record's number, its bytes, and whether the results are wanted.

    comms   task names by pid
    places  (offset of an area, name of its instance), in order
    ticks   the times of the records where the clock does not count ns
    """

    def __init__(
        self, records: Records, plan: Callable[[int], Plan | None], rules: Mapping[str, EventRule], render: Renderer,
        comms: Mapping[int, str], places: Sequence[tuple[int, str]], ticks: Any,
    ) -> None:  # fmt: skip
        self.records, self.plan, self.rules, self.render = records, plan, rules, render
        self.comms, self.places, self.ticks = comms, places, ticks
        self.again = ticks is None
        """Whether the columns of the records are all that it needs besides the file."""

    def __call__(self, record: int, raw: bytes, out: bool) -> Detail:
        """See Detail. The text is the line of the tracefs file ``trace``, with ns."""
        r = self.records
        kind, cpu, pid = Kind(int(r.kind[record])), int(r.cpu[record]), int(r.pid[record])
        if kind is Kind.LOST:
            count = int(r.regs[record, 0])
            return Detail(f"CPU:{cpu} [LOST {count} EVENTS]" if count else f"CPU:{cpu} [LOST EVENTS]")
        data = payload(raw)
        plan = self.plan(int.from_bytes(data[:2], "little")) if kind is not Kind.DAMAGED and len(data) >= 8 else None
        if plan is None:
            return Detail(raw[:_MAX_SHOWN].hex(" "))
        name, text = self.render.event(plan.kind, data)
        comm = "<idle>" if pid == 0 else self.comms.get(pid, "<...>")
        head = line_head(comm, pid, cpu, data[2], data[3], self._when(record))
        said = text.decode("utf-8", "surrogateescape")
        line = f"{self._instance(int(r.offset[record]))}{head}{name}{': ' if name else ''}{said}"
        if not name:
            return Detail(line, task=comm)
        if plan.how != FUNCTION:
            return detail_of(parse_body(name, text), self.rules, line, comm)
        value = {0: int(r.regs[record, 0])} if int(r.known[record]) & 1 else {}
        return Detail(line, task=comm, event=r.names[int(r.name[record])], regs=value)

    def _when(self, record: int) -> str:
        ts = int(self.records.ts[record])
        if ts != NO_TIME:
            return f"{ts // 1_000_000_000:5}.{ts % 1_000_000_000:09}"
        return f"{int(self.ticks[record]):12}" if self.ticks is not None else "?"

    def _instance(self, offset: int) -> str:
        i = bisect_right(self.places, offset, key=lambda p: p[0]) - 1
        return f"{self.places[i][1]}: " if i >= 0 and self.places[i][1] else ""
