"""QEMU's log (``-D``): trace events of the log backend, and the lines of the execlog plugin.

``arm_psci_call`` (QEMU 11) fires for every SMC while the built-in PSCI owns the conduit, RMI ones too: x0 to x3 and
the CPU, never a result. The execlog plugin tells the registers an instruction changed: of an SMC these are results.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..capture.records import Kind, RecordBuilder, Records
from . import qemu_log_kernel
from .base import ALWAYS, NO_TASK, Data, Detail, Growth, ReadOptions
from .qemu_common import MARK_EVENTS, count_lines, doe_accesses, doe_accesses_in, line_bounds, log_time
from .qemu_execlog import LINE as EXECLOG
from .qemu_execlog import Execlog, is_smc
from .qemu_execlog import detail as execlog_detail
from .qemu_log_scan import Scanned
from .record_arrays import nothing, with_last

CUT = "arm_psci_call line cut or garbled"

_EVENT = re.compile(rb"arm_(?:psci_call|powerctl_\w{1,40}|cpu_reset)(?= )")
_NAME = b"arm_psci_call"
_HEAD = b"arm_psci_call PSCI Call x0="
_CALL = re.compile(
    rb"arm_psci_call PSCI Call x0=0x([0-9a-f]{1,16}) x1=0x([0-9a-f]{1,16}) x2=0x([0-9a-f]{1,16}) x3=0x([0-9a-f]{1,16})"
    rb" cpuid=0x([0-9a-f]{1,8})(?![0-9a-zA-Z])"
)
_MARK = re.compile(rb"(?:" + MARK_EVENTS + rb") (?:mp_id |cpu )?(\d{1,9})\b")
_PREFIX = re.compile(rb"(?:\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-][\d:]{4,5}) |\d{1,10}@\d{1,12}\.\d{6}:)?")
_KNOWN = re.compile(
    rb"(?:^|\n)(?:\d{4}-\d\d-\d\dT[\d:.]{8,18}\S{1,6} |\d{1,10}@\d{1,12}\.\d{6}:)?"
    rb"(?:pci_cfg_(?:read|write) [\w.,-]{1,64} [0-9a-f]{2}:|arm_gt_\w{1,30} gt_|smmuv3_\w{1,60} |pci_nvme_\w{1,60} |"
    + MARK_EVENTS
    + rb" cpu )"
)


class QemuLog:
    """The format; see the module."""

    name = "qemu-log"
    task_by = NO_TASK
    bare = ALWAYS
    title = "QEMU trace events (log backend) and execlog plugin"
    growth = Growth(context=1 << 16, ahead=2)

    def sniff(self, head: bytes) -> float:
        """How surely: by ``arm_psci_call`` or SMC lines of execlog, else by how many lines are QEMU trace events."""
        if b"tracing_mark_write:" in head or b"Taking exception " in head:
            return 0.0
        if _CALL.search(head) or any(is_smc(int(m[3], 16)) for m in EXECLOG.finditer(head)):
            return 0.95
        known = sum(1 for _ in _KNOWN.finditer(head))
        return 0.8 * min(1.0, known / max(1, head.count(b"\n"))) if known >= 2 else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format. Facts: ``events`` counts trace events by name, ``doe_accesses`` accesses to DOE mailboxes."""
        if qemu_log_kernel.repaid(end - start):
            return read_with(qemu_log_kernel.compiled(), data, start, end, options)
        return read_with(None, data, start, end, options)

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """See Format. ``fields``: ``cpuid`` is the MPIDR affinity of the CPU."""
        text = raw.decode("utf-8", "surrogateescape")
        if m := EXECLOG.match(raw):
            return execlog_detail(m, text)
        if m := _CALL.search(raw):
            regs = {i: int(v, 16) for i, v in enumerate(m.groups()[:4])}
            return Detail(text, event="arm_psci_call", regs=regs, fields={"cpuid": f"0x{m[5].decode()}"})
        m = _EVENT.search(raw)
        return Detail(text, event=m[0].decode() if m else None)


def read_with(
    kernel: Callable[..., Any] | None, data: Data, start: int, end: int, options: ReadOptions, threads: int | None = None
) -> Records:
    """The records of a log. ``kernel`` is a form of qemu_log_kernel.scan, None to find everything by regular expressions."""
    b = RecordBuilder()
    events: Counter[str] = Counter()
    execlog = Execlog(b)
    if kernel is None:
        found = heapq.merge(_found(_EVENT, data, start, end), _found(EXECLOG, data, start, end), key=lambda p: p[0])
        for n, (pos, match) in enumerate(found):
            if options.progress is not None and n & 0xFFF == 0:
                options.progress(pos - start)
            if match.re is EXECLOG:
                execlog.add(match)
            else:
                _event(b, data, pos, match[0], start, end, events)
        execlog.finish()
        lines, accesses, gathered = count_lines(data, start, end), doe_accesses(data, start, end), _Gathered(b)
    else:
        b.name_id(_NAME.decode())  # number 0
        gathered = _Gathered(b, execlog)
        scanned = Scanned(kernel, data, start, end, options, threads, gathered.taken)
        for at, stop in scanned.lines_left():
            if (line := EXECLOG.match(data, at, stop)) is not None:
                execlog.add(line)
            for match in _EVENT.finditer(data, at, stop):
                _event(b, data, match.start(), match[0], start, end, events)
        execlog.finish()
        lines, accesses = scanned.lines, doe_accesses_in(data, scanned.pci)
    tail = data.rfind(b"\n", max(start, end - 256), end) + 1 or start
    text = bytes(data[tail + _prefix_length(bytes(data[tail:end])) : end])
    if 4 <= len(text) <= len(_NAME) and _NAME.startswith(text):
        b.add(Kind.DAMAGED, tail, end - tail, name=CUT)
    last, used, timed = gathered.rest(), gathered.used, gathered.timed
    if kernel is None:
        records = last
    else:
        records = scanned.records(list(b.names))
        calls = len(records) - gathered.given
        events[_NAME.decode()] += calls
        used += calls
        timed |= calls > 0 and bool(records.ts.max() >= 0)
        records = with_last(records, last)
    records.facts = {"lines": lines, "ignored": lines - used, "events": dict(+events), "doe_accesses": accesses}
    records.facts["clock"] = "host wall clock" if timed else "none"
    return records


class _Gathered:
    """Gives away what a builder gathered, as long as nothing of it can change.

    used   lines that hold something; ``timed``: whether one has a time; ``given``: records that were given away before
    """

    def __init__(self, b: RecordBuilder, execlog: Execlog | None = None) -> None:
        self.b, self._execlog = b, execlog
        self.used = self.given = 0
        self.timed = False

    def taken(self) -> Records:
        """What there is so far, in order; nothing where execlog may change it."""
        if not self.b.rows or self._execlog is None or self._execlog.began:
            return nothing()
        records = self.rest()
        self.b.rows.clear()
        self.b.regs.clear()
        self.given += len(records)
        records.take(np.argsort(records.offset, kind="stable"))
        return records

    def rest(self) -> Records:
        """What there is at the end."""
        self.used += len({r[0] for r in self.b.rows})
        self.timed |= any(r[2] >= 0 for r in self.b.rows)
        return self.b.finish()


def _event(b: RecordBuilder, data: Data, pos: int, name: bytes, start: int, end: int, events: Counter[str]) -> None:
    """One line with the name of an event in it; other text that only speaks of the event is no record."""
    first, last = line_bounds(data, pos, start, end)
    line = bytes(data[pos:last])
    event = name.decode()
    ts = log_time(bytes(data[max(first, pos - 64) : pos]))
    if name == b"arm_psci_call":
        if m := _CALL.match(line):
            regs = [int(v, 16) for v in m.groups()[:4]]
            b.add(Kind.ENTER, first, last - first, ts=ts, cpu=int(m[5], 16), name=event, regs=regs)
        elif line.startswith(_HEAD) or _HEAD.startswith(line.rstrip()):
            b.add(Kind.DAMAGED, first, last - first, ts=ts, name=CUT)
        else:
            return
    else:
        m = _MARK.match(line)
        if m is None:
            return
        b.add(Kind.MARK, first, last - first, ts=ts, cpu=int(m[1]), name=event)
    events[event] += 1


def _found(pattern: re.Pattern[bytes], data: Data, start: int, end: int) -> Iterator[tuple[int, re.Match[bytes]]]:
    return ((m.start(), m) for m in pattern.finditer(data, start, end))


def _prefix_length(line: bytes) -> int:
    m = _PREFIX.match(line)
    return m.end() if m else 0


FORMAT = QemuLog()
