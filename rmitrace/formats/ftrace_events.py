"""Probe events become records: what an event of a trace says about an SMC.

What an event is, is learned from its own lines (see ftrace_kinds): by name, by the function it sits on, or
by a first register that looks like a function id. Lines met before that is clear are kept and read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..capture.records import NO_TIME, Finding, Kind, RecordBuilder
from . import eventmap
from .ftrace_buffers import buffer_of
from .ftrace_kinds import Event, kind_of
from .ftrace_line import Body, Head, number, parse_body
from .ftrace_values import layout, registers

MAX_EVENTS = 4096
"""Distinct event names that are told apart; lines of further ones are counted and ignored."""
_MAX_PENDING = 64
MARKERS = frozenset({"tracing_mark_write", "print", "bprint", "bputs", "raw_data"})
_DOMAIN = re.compile(rb"(?i)(?<![a-z])(?:r[ms]i|rmm|spdm|doe|tdisp|[pv]dev|realm|smccc?|tsm|cca|ide)(?![a-z])")
_HEX_BYTES = re.compile(rb"(?:[0-9a-f]{2}[ :]){7}[0-9a-f]{2}")
_KEYED = re.compile(rb"\w+=")


@dataclass(slots=True)
class _LastBuffer:
    event: str
    func: str
    ret: bool
    length: int
    data: bytes
    offset: int


class Probes:
    """The probe events of one source.

    add() is given one event at a time and appends to ``builder`` (replaced by the caller between batches).
    """

    def __init__(self, builder: RecordBuilder, rules: Mapping[str, eventmap.EventRule]) -> None:
        self.builder = builder
        self.rules = rules
        self.events: dict[str, Event] = {}
        self.others = Event("(other events)", "ignore")
        self.functions: dict[str, list[Event]] = {}
        self.zero_arrays = 0
        self.zero_offset = -1
        self.duplicates = 0
        self.damaged = 0
        self.damaged_offset = -1
        self.cut_buffers = 0
        self.cut_offset = -1
        self.late = False
        self.learned: list[Event] = []
        self.kept = 0
        self.dropped: list[int] = []
        self._last_buffer: dict[int, _LastBuffer] = {}

    def state(self, name: str) -> Event:
        """What is known of an event."""
        event = self.events.get(name)
        if event is None:
            if len(self.events) >= MAX_EVENTS:
                return self.others
            event = self.events[name] = Event(name)
            rule = self.rules.get(name)
            if rule is not None:
                event.kind = rule.kind
                if rule.kind == "ignore":
                    self.learned.append(event)
            elif name in MARKERS:
                event.kind = "mark"
            elif eventmap.is_smc_event(name):
                event.kind = eventmap.direction(name) or ""
        return event

    def add(self, offset: int, length: int, head: Head, name: str, text: bytes, *, tail: bool = False) -> Kind | None:
        """Take one event; returns what it became.

        text  what stands after ``name: ``
        tail  something that is no field may follow the values (perf prints address and symbol there)
        """
        event = self.state(name)
        if event.kind in ("", "enter", "exit", "whole", "wrap", "buffer"):
            event.lines += 1
            return self._body(event, offset, length, head, parse_body(name, text), text, tail)
        return self._plain(event, offset, length, head, text)

    def take(self, offset: int, length: int, head: Head, name: str, body: Body) -> Kind | None:
        """Take one event whose values are known already; returns what it became."""
        event = self.state(name)
        text = b" ".join(n.encode("ascii", "replace") + b"=" + v for n, v in body.fields)
        if event.kind in ("mark", "text", "ignore"):
            return self._plain(event, offset, length, head, text)
        event.lines += 1
        return self._body(event, offset, length, head, body, text, False)

    def _plain(self, event: Event, offset: int, length: int, head: Head, text: bytes) -> Kind | None:
        """An event whose values do not matter."""
        event.lines += 1
        if event.kind == "mark":
            return self._put(Kind.MARK, offset, length, head, "marker")
        if event.kind == "text":
            if not _KEYED.match(text) and (_DOMAIN.search(text[:4096]) or _HEX_BYTES.search(text[:4096])):
                event.lines = 0  # worth reading on
                return self._put(Kind.MARK, offset, length, head, "marker")
            if event.lines > _MAX_PENDING:
                event.kind = "ignore"
                self.learned.append(event)
        return None

    def _body(self, event: Event, offset: int, length: int, head: Head, body: Body, text: bytes, tail: bool) -> Kind | None:
        if not event.func and body.place is not None and body.place.func:
            self._place(event, body)
        if not event.kind:
            event.kind = kind_of(event, body, self.events, self.functions)
            if event.kind:
                if event.kind == "ignore":
                    self.learned.append(event)
                self._replay(event, tail)
            elif event.lines <= _MAX_PENDING and self.kept < MAX_EVENTS and len(text) < 4096:
                self.kept += 1
                event.pending.append((offset, length, head, text))
                return None
            else:
                event.kind = "ignore"
                self.learned.append(event)
                return None
        return self._emit(event, offset, length, head, body, text, tail)

    # deciding

    def _place(self, event: Event, body: Body) -> None:
        assert body.place is not None
        event.func, event.ret = body.place.func or "", body.place.ret
        if len(self.functions) < MAX_EVENTS:
            here = self.functions.setdefault(event.func, [])
            if len(here) < _MAX_PENDING:
                here.append(event)

    def _replay(self, event: Event, tail: bool) -> None:
        """Read again what came before an event's kind was known, then the returns from the same function."""
        waiting, event.pending = event.pending, []
        for offset, length, head, text in waiting:
            self.late = True
            self._emit(event, offset, length, head, parse_body(event.name, text), text, tail)
        if event.kind == "enter":
            for other in self.functions.get(event.func, ()):
                if not other.kind and other.ret:
                    other.kind = "exit"
                    self._replay(other, tail)

    # emitting

    def _put(self, kind: Kind, offset: int, length: int, head: Head, name: str, regs: list[int | None] | None = None) -> Kind:
        self.builder.add(kind, offset, length, ts=head.ts, cpu=head.cpu, pid=head.pid, name=name, regs=regs or ())
        return kind

    def bad(self, offset: int, length: int, head: Head | None, reason: str) -> Kind:
        """Append a damaged record; the reason must not hold text of the capture beyond an event's name."""
        self.damaged += 1
        if self.damaged == 1:
            self.damaged_offset = offset
        return self._put(Kind.DAMAGED, offset, length, head or NOWHERE, reason)

    def _emit(self, event: Event, offset: int, length: int, head: Head, body: Body, text: bytes, tail: bool) -> Kind | None:
        match event.kind:
            case "enter" | "exit":
                return self._smc(event, offset, length, head, body, tail)
            case "whole":
                regs = dict(body.fields)
                fid, ret = number(regs.get("fid", b"")), number(regs.get("ret", b""))
                if fid is None or ret is None:
                    return self.bad(offset, length, head, f"{event.name}: fid or ret is not a number")
                self._put(Kind.WHOLE_IN, offset, length, head, event.name, [fid])
                return self._put(Kind.WHOLE_OUT, offset, length, head, event.name, [ret])
            case "wrap":
                return self._wrap(event, offset, length, head, body)
            case "buffer":
                return self._buffer(event, offset, length, head, body)
            case "text":
                event.lines -= 1
                return self._plain(event, offset, length, head, text)
        return None

    def _smc(self, event: Event, offset: int, length: int, head: Head, body: Body, tail: bool) -> Kind | None:
        out = event.kind == "exit"
        rule = self.rules.get(event.name)
        regs, problem = registers(body, out, tuple(rule.fields.items()) if rule else ())
        if problem is None and body.junk is not None and not tail and len(regs) < eventmap.MAX_REGS:
            problem = "bytes that are no field"
        if problem is None and (not regs or regs[0] is None):
            problem = "no result x0" if out else "no function id x0"
        if problem is not None:
            return self.bad(offset, length, head, f"{event.name}: {problem}")
        if body.place is not None and body.place.bare and not any(regs) and any(v[:1] == b"{" for _, v in body.fields):
            self.zero_arrays += 1
            if self.zero_arrays == 1:
                self.zero_offset = offset
            return None
        if event.layout is None and body.place is not None:
            event.layout = layout(body, out, tuple(rule.fields.items()) if rule else ())
            self.learned.append(event)
        return self._put(Kind.EXIT if out else Kind.ENTER, offset, length, head, event.name, regs)

    def _wrap(self, event: Event, offset: int, length: int, head: Head, body: Body) -> Kind:
        bare = body.place is None or body.place.bare
        func = eventmap.WRAPPER_EVENTS.get(event.name, event.name) if bare else event.func
        ret = body.place.ret if body.place is not None else eventmap.direction(event.name) == "exit"
        value = next((number(v) for n, v in body.fields if n in ("ret", "retval")), None) if ret else None
        return self._put(Kind.WRAP_EXIT if ret else Kind.WRAP_ENTER, offset, length, head, func, [value])

    def _buffer(self, event: Event, offset: int, length: int, head: Head, body: Body) -> Kind | None:
        found = buffer_of(body)
        if found is None:
            return self.bad(offset, length, head, f"{event.name}: no bytes or no length")
        data, declared, _ = found
        if declared < 0:
            return self._put(Kind.MARK, offset, length, head, "marker")
        place = body.place
        if place is not None and place.bare and not any(data) and data:
            self.zero_arrays += 1
            if self.zero_arrays == 1:
                self.zero_offset = offset
            return None
        if len(data) < declared:
            self.cut_buffers += 1
            if self.cut_buffers == 1:
                self.cut_offset = offset
        task = head.pid if head.pid > 0 else -1 - head.cpu
        last = self._last_buffer.get(task)
        if (
            last is not None
            and (last.func, last.ret, last.length) == (event.func, event.ret, declared)
            and last.event != event.name
            and data[: len(last.data)] == last.data[: len(data)]
        ):
            self.duplicates += 1
            if len(data) <= len(last.data):
                return None
            self.dropped.append(last.offset)
        if last is None and len(self._last_buffer) >= MAX_EVENTS:
            self._last_buffer.clear()
        self._last_buffer[task] = _LastBuffer(event.name, event.func, event.ret, declared, data, offset)
        return self._put(Kind.BUFFER, offset, length, head, event.name)

    # the end

    def aliases(self) -> dict[str, str]:
        """New names for enter and exit events that sit on one function but whose names do not show it."""
        out: dict[str, str] = {}
        for func, events in self.functions.items():
            enters = [e for e in events if e.kind == "enter"]
            exits = [e for e in events if e.kind == "exit"]
            taken = {eventmap.family(e.name) for e in enters} & {eventmap.family(e.name) for e in exits}
            alone = [e for e in enters if eventmap.family(e.name) not in taken]
            for last in exits:
                if eventmap.family(last.name) not in taken and alone:
                    first = alone.pop(0)
                    out[first.name], out[last.name] = f"{first.name}@{func}", f"{last.name}@{func}"
                    break
        return out

    def findings(self) -> list[Finding]:
        """What the reader of the capture should know about its events."""
        out = []
        if self.damaged:
            message = f"{self.damaged} line(s) of SMC events could not be read"
            out.append(Finding("DAMAGED-LINES", "warning", message, offset=self.damaged_offset))
        if self.zero_arrays:
            message = (
                f"{self.zero_arrays} event(s) with all-zero arrays are no calls: libtraceevent (trace-cmd report, perf script) "
                "prints probe arrays as zeros; record scalars (a0=+0(%x0):x64 a1=...) or read the tracefs file trace"
            )
            out.append(Finding("ZERO-ARRAYS", "note", message, offset=self.zero_offset))
        if self.cut_buffers:
            message = f"{self.cut_buffers} buffer(s) are longer than what the probe dumped of them"
            out.append(Finding("BUFFER-CUT", "note", message, offset=self.cut_offset))
        for event in self.events.values():
            explicit = any(eventmap.may_hold_registers([n for n, _ in parse_body("", p[3]).fields]) for p in event.pending[:1])
            if explicit or event.hint:
                what = event.hint or "fields named like registers"
                message = f"event {event.name} ({what}) may carry SMC registers but was not taken for an SMC: use --map"
                out.append(Finding("UNMAPPED-EVENT", "note", message, offset=event.pending[0][0] if event.pending else -1))
        return out


NOWHERE = Head(None, -1, -1, NO_TIME, -1, 0, "none", 0)
"""The columns of a line that has none."""
