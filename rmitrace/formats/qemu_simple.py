"""QEMU's simple trace backend: the text of ``simpletrace.py``, and its binary file.

Text: ``NAME DELTA pid=N FIELD=VALUE ...``, where DELTA is microseconds since the event before; numbers are 0x
hexadecimal, strings ``b'..'``.
"""

from __future__ import annotations

import re
from collections import Counter

from ..capture.records import Kind, RecordBuilder, Records
from . import qemu_simple_binary as binary
from .base import ALWAYS, NO_TASK, Data, Detail, Growth, ReadOptions
from .qemu_common import MARK_EVENTS, count_lines, doe_accesses, line_bounds

CUT = "arm_psci_call line cut or garbled"

_EVENT = re.compile(rb"^([a-z]\w{2,80}) (-?\d{1,15})\.(\d{1,9}) pid=(\d{1,10})(?=[ \r\n]|\Z)", re.MULTILINE)
_CALL = re.compile(
    rb" x0=0x([0-9a-f]{1,16}) x1=0x([0-9a-f]{1,16}) x2=0x([0-9a-f]{1,16}) x3=0x([0-9a-f]{1,16})"
    rb" cpuid=0x([0-9a-f]{1,8})(?![0-9a-zA-Z])"
)
_MARK = re.compile(MARK_EVENTS)
_MARK_CPU = re.compile(rb" (?:mp_id|mp_aff|cpu|cpuid)=0x([0-9a-f]{1,8})\b")
_FIELD = re.compile(r" ([a-z]\w{0,60})=(b'[^']{0,2000}'|\S{1,200})")


class QemuSimple:
    """The format; see the module."""

    name = "qemu-simple"
    task_by = NO_TASK
    bare = ALWAYS
    title = "QEMU simple trace backend (text of simpletrace.py, or the binary file)"
    growth = Growth()

    def sniff(self, head: bytes) -> float:
        """How surely: by the magic number of the binary file, else by how many lines are events."""
        if binary.is_header(head):
            return 1.0
        lines = head[: 1 << 16].count(b"\n") + 1
        good = sum(1 for _ in _EVENT.finditer(head[: 1 << 16]))
        return 0.95 * min(1.0, good / lines) if good else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format. Time is ns since the first event (text), or host monotonic ns (binary).
        Facts: ``end_ns`` is the time at the end of a text.

        Raises Unreadable for a binary file of another version.
        """
        if binary.is_header(bytes(data[start : start + 24])):
            return binary.read(data, start, end, options)
        b = RecordBuilder()
        events: Counter[str] = Counter()
        now = used = 0
        for i, m in enumerate(_EVENT.finditer(data, start, end)):
            if options.progress is not None and i & 0xFFFF == 0:
                options.progress(m.start() - start)
            ns = int(m[2].lstrip(b"-")) * 1000 + int(m[3][:3].ljust(3, b"0"))
            now += -ns if m[2][:1] == b"-" else ns
            if not m[1].startswith(b"arm_"):
                continue
            event = m[1].decode()
            if m[1] == b"arm_psci_call":
                first, last = line_bounds(data, m.start(), start, end)
                call = _CALL.match(bytes(data[m.end() : last]))
                if call is None:
                    b.add(Kind.DAMAGED, first, last - first, ts=now, name=CUT)
                else:
                    regs = [int(v, 16) for v in call.groups()[:4]]
                    b.add(Kind.ENTER, first, last - first, ts=now, cpu=int(call[5], 16), name=event, regs=regs)
            elif _MARK.fullmatch(m[1]):
                first, last = line_bounds(data, m.start(), start, end)
                cpu = _MARK_CPU.search(bytes(data[m.end() : last]))
                b.add(Kind.MARK, first, last - first, ts=now, cpu=int(cpu[1], 16) if cpu else -1, name=event)
            else:
                continue
            events[event] += 1
            used += 1
        tail = data.rfind(b"\n", max(start, end - 256), end) + 1 or start
        last_line = bytes(data[tail:end])
        if last_line.startswith(b"arm_psci_call") and _EVENT.match(last_line) is None:
            b.add(Kind.DAMAGED, tail, end - tail, name=CUT)
            used += 1
        lines = count_lines(data, start, end)
        b.facts = {"lines": lines, "ignored": max(0, lines - used), "events": dict(events)}
        b.facts["doe_accesses"] = doe_accesses(data, start, end)
        b.facts["clock"] = "microseconds since the first event"
        b.facts["end_ns"] = now
        return b.finish()

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """See Format. ``fields`` are the arguments of the event and ``pid``, the host process."""
        if raw[:1] in (b"\0", b"\1"):
            return binary.detail(raw)
        text = raw.decode("utf-8", "surrogateescape")
        regs = {i: int(v, 16) for i, v in enumerate(m.groups()[:4])} if (m := _CALL.search(raw)) else {}
        fields = {k: v for k, v in _FIELD.findall(text) if k not in ("x0", "x1", "x2", "x3")}
        return Detail(text, event=text.split(" ", 1)[0], regs=regs, fields=fields)


FORMAT = QemuSimple()
