"""Reads perf text: samples, call chains and registers below them, losses; drops what the kernel recorded twice."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..capture.records import Finding, Kind, Records
from . import eventmap
from .base import Data, ReadOptions, Unreadable
from .ftrace_batch import LineSource, settle
from .ftrace_line import MAX_LINE, Head, event_name
from .ftrace_table import Table
from .perf_line import (
    BREAKPOINT,
    BREAKPOINTS,
    CHUNKS,
    GROUP,
    INTERRUPTED,
    LOST,
    breakpoint_roles,
    interrupt_registers,
    parse_head,
    parse_trace,
)

_MAX_ADDRESSES = 64
_HOW = (
    "hardware breakpoint samples without registers: record with perf record --intr-regs=x0,x1,...,x17 and print with "
    "perf script -F comm,pid,tid,cpu,time,event,ip,sym,iregs"
)


@dataclass(slots=True)
class _Hit:
    """A hardware breakpoint sample whose registers stand further down, after its call chain."""

    at: int
    length: int
    head: Head
    address: int


class Reader(LineSource):
    """One source of perf text."""

    perf = True

    def __init__(self, data: Data, start: int, end: int, options: ReadOptions) -> None:
        super().__init__(data, start, end, options)
        self.roles = breakpoint_roles(self._addresses())
        self.hit: _Hit | None = None
        self.without_registers = self.duplicates = self.lost = 0
        self.traced = False
        self.columns = False  # samples have tasks: one without was cut
        self._hits: dict[str, tuple[bool, int, str]] = {}
        self._new_hits: list[str] = []

    def _addresses(self) -> list[int]:
        found: set[int] = set()
        for m in BREAKPOINTS.finditer(self.data, self.start, self.end):
            found.add(int(m[1], 16))
            if len(found) >= _MAX_ADDRESSES:
                break
        return sorted(found)

    def event_of(self, line: bytes) -> str | None:
        """See LineSource."""
        head = parse_head(line)
        if head is not None and BREAKPOINT.match(line, head.body) is not None:
            return line[head.body :].partition(b": ")[0].decode("ascii")
        group = GROUP.match(line, head.body) if head is not None else None
        named = event_name(line, group.end()) if group is not None else None
        return named[0] if named is not None else None

    def gap(self) -> None:
        """See LineSource: another sample began."""
        if self.hit is not None:
            self._no_registers()
            self.probes.late = True

    def flush(self) -> None:
        """See LineSource."""
        self.gap()

    def line(self, at: int, stop: int) -> None:
        """See LineSource."""
        self.lines += 1
        line = bytes(self.data[at : min(stop, at + MAX_LINE)])
        if line[-1:] == b"\r":
            line, stop = line[:-1], stop - 1
        if self._sample(at, min(stop - at, (1 << 31) - 1), line) is None:
            self.ignored += 1

    def _sample(self, at: int, length: int, line: bytes) -> Kind | None:
        if not line.strip():
            self._no_registers()
            return None
        if line[:1] == b"\t" or (self.hit is not None and line[:1] == b" " and INTERRUPTED.search(line, 0, 64)):
            if self.hit is not None and (found := INTERRUPTED.search(line)) is not None:
                hit, self.hit = self.hit, None
                return self._breakpoint(hit.at, at + length - hit.at, hit.head, hit.address, "", line[found.end() :])
            return None
        self._no_registers()
        head = parse_head(line)
        if head is None or (head.form == "bare" and self.columns):
            return self._other(at, length, line)
        self.columns = self.columns or head.form == "normal"
        self.placed += 1
        hardware = BREAKPOINT.match(line, head.body)
        if hardware is not None:
            address = int(hardware[1], 16)
            found = INTERRUPTED.search(line, hardware.end())
            if found is not None:
                event = hardware[0].rstrip()[:-1].decode("ascii")
                return self._breakpoint(at, length, head, address, event, line[found.end() :])
            self.hit = _Hit(at, length, head, address)
            return None
        group = GROUP.match(line, head.body)
        named = event_name(line, group.end()) if group is not None else None
        if named is not None and length <= MAX_LINE:
            return self.probes.add(at, length, head, named[0], line[named[1] :], tail=True)
        return self._lost(at, length, line, head)

    def _other(self, at: int, length: int, line: bytes) -> Kind | None:
        traced = parse_trace(line)
        if traced is not None:
            self.traced = True
            self.placed += 1
            return self.probes.take(at, length, *traced)
        for found in re.finditer(rb"[\w.-]{1,64}:([A-Za-z_]\w{0,127}): ", line[:1024]):
            name = found[1].decode("ascii")
            known = self.probes.events.get(name)
            if eventmap.is_smc_event(name) or (known is not None and known.kind in ("enter", "exit")):
                return self.probes.bad(at, length, None, f"{name}: no readable columns in front")
        return self._lost(at, length, line, None)

    def _lost(self, at: int, length: int, line: bytes, head: Head | None) -> Kind | None:
        found = LOST.search(line[:1024]) or CHUNKS.search(line[:1024])
        if found is None:
            return None
        cpu = head.cpu if head is not None else -1
        self.lost += int(found[1])
        self.builder.add(Kind.LOST, at, length, cpu=cpu, name="lost events", regs=[int(found[1])])
        return Kind.LOST

    def _no_registers(self) -> None:
        if self.hit is not None:
            self.without_registers += 1
            self.probes.bad(self.hit.at, self.hit.length, self.hit.head, "hardware breakpoint sample without registers")
            self.hit = None

    def _breakpoint(self, at: int, length: int, head: Head, address: int, event: str, text: bytes) -> Kind | None:
        """A sample with registers; ``event`` as printed, '' where the registers stand on another line."""
        regs = interrupt_registers(text)
        if not regs or regs[0] is None:
            return self.probes.bad(at, length, head, "hardware breakpoint sample without x0")
        out, first = self.roles.get(address, (None, address))
        sure = out is not None
        if out is None:
            out = not eventmap.plausible_fid(regs[0])
        name = f"{'exit' if out else 'enter'}@0x{first:x}"
        kind = Kind.EXIT if out else Kind.ENTER
        self.builder.add(kind, at, length, ts=head.ts, cpu=head.cpu, pid=head.pid, name=name, regs=regs)
        if sure and event and event not in self._hits:
            self._hits[event] = (out, sum(1 << i for i, v in enumerate(regs) if v is not None), name)
            self._new_hits.append(event)
        return kind

    def learn(self, table: Table) -> None:
        """See LineSource."""
        super().learn(table)
        for event in self._new_hits:
            out, known, _ = self._hits[event]
            table.breakpoint(event, out, known)
        self._new_hits.clear()

    def name_of(self, event: str) -> str:
        """See LineSource."""
        return self._hits[event][2] if event in self._hits else event

    def finish(self, records: Records) -> Records:
        """See LineSource."""
        if self.without_registers and not ((records.kind == Kind.ENTER) | (records.kind == Kind.EXIT)).any():
            raise Unreadable(_HOW)
        self.duplicates = drop_doubles(records, {first for out, first in self.roles.values() if out})
        cut = settle(records, self.probes, whole_lines=not self.traced, told=self.forms or None)
        if self.traced:
            fill_zeros(records)
        told_twice = self.probes.duplicates - len(self.probes.dropped)  # left out at once, so counted as ignored
        self.facts |= {"lines": self.lines, "ignored": self.ignored - told_twice}
        for key, value in (
            ("lost", self.lost),
            ("zero_arrays", self.probes.zero_arrays),
            ("duplicates", self.duplicates + self.probes.duplicates),
            ("cut_lines", cut),
        ):
            if value:
                self.facts[key] = value
        if self.traced:
            self.facts["clock"] = "relative"
        records.facts = self.facts
        records.findings = self.findings + [f for f in self.probes.findings() if not (self.traced and f.rule == "UNMAPPED-EVENT")]
        if self.duplicates:
            message = f"{self.duplicates} hardware breakpoint sample(s) recorded twice by the kernel were dropped"
            records.findings.append(Finding("DUPLICATE-SAMPLES", "note", message))
        return records


def drop_doubles(records: Records, paired: set[int]) -> int:
    """Drop samples that repeat the one before them in the same task at the same pair of breakpoints; returns how many.

    The kernel records the first hit of a run twice, and later ones where an interrupt comes between hit and single step.
    With only one of the two addresses recorded, equal samples may be equal calls and stay.
    """
    keep = np.ones(len(records), dtype=bool)
    for first in paired:
        names = [i for i, n in enumerate(records.names) if n in (f"enter@0x{first:x}", f"exit@0x{first:x}")]
        rows = np.flatnonzero(np.isin(records.name, names))
        rows = rows[np.argsort(records.pid[rows], kind="stable")]
        a, b = rows[:-1], rows[1:]
        same = (records.pid[a] == records.pid[b]) & (records.kind[a] == records.kind[b]) & (records.known[a] == records.known[b])
        same &= (records.regs[a] == records.regs[b]).all(axis=1)
        keep[b[same]] = False
    dropped = int((~keep).sum())
    if dropped:
        records.take(np.flatnonzero(keep))
    return dropped


def fill_zeros(records: Records) -> None:
    """``perf trace`` prints no zeros: what one sample of an event has, the others have too."""
    smc = (records.kind == Kind.ENTER) | (records.kind == Kind.EXIT)
    for name in set(records.name[smc].tolist()):
        rows = smc & (records.name == name)
        mask = 0
        for known in set(records.known[rows].tolist()):
            mask |= known
        records.known[rows] = mask
