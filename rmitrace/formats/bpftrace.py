"""What a bpftrace script prints, if it prints one line an event: ``NSECS COMM-TID [CPU] smc_enter fid=0x.. a1=0x..``.

The registers may also be a dump: ``regs %r``, ``regs %rx`` or ``regs %rh`` of ``buf(args, 144)``. With ``-f json`` the
same lines are looked for in the objects of type printf.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from ..capture.records import NO_TIME, Kind, Records
from . import eventmap
from .base import ALWAYS, HEAD, Data, Detail, Growth, ReadOptions, Unreadable
from .eventmap import parse_maps
from .ftrace_batch import LineSource, settle
from .ftrace_line import MAX_LINE, Body, Head, number, parse_body
from .ftrace_values import detail_of

_START = re.compile(rb"(\d{1,19}) ")
_TASK = re.compile(rb"[- ](\d{1,9}) \[(\d{1,6})\] ([A-Za-z_]\w{0,63}):?(?: +|$)")
_ATTACHED = re.compile(rb"(?m)^Attach(?:ed|ing) \d{1,9} probes?")
_LOST = re.compile(rb"Lost (\d{1,18}) events")
_DUMP = re.compile(rb"\\x[0-9a-f]{2}")
_PLAIN_HEX = re.compile(rb"(?:[0-9a-f]{2} ){7,143}[0-9a-f]{2}$")
_BARE = re.compile(rb"[0-9a-f]{1,16}$")
_COMM = 15
_HOW = (
    "bpftrace text without lines of the form NSECS COMM-TID [CPU] EVENT FIELDS: print with "
    'printf("%llu %s-%d [%03d] smc_enter fid=0x%llx a1=0x%llx\\n", nsecs, comm, tid, cpu, ...) and smc_exit x0=0x%llx ...'
)


def parse_line(line: bytes) -> tuple[Head, str, bytes] | None:
    """(columns, event, what follows) of a line, None where it is none."""
    start = _START.match(line)
    if start is None:
        return None
    best: re.Match[bytes] | None = None
    for found in _TASK.finditer(line, start.end() - 1, 160):
        if best is None or found.start() - start.end() <= _COMM:
            best = found
    if best is None:
        return None
    ns = int(start[1])
    comm = line[start.end() : best.start()]
    head = Head(comm, int(best[1]), int(best[2]), ns if ns < 1 << 62 else NO_TIME, -1, best.end(), "bpftrace", best.start())
    return head, best[3].decode("ascii"), line[best.end() :]


def dumped_registers(text: bytes) -> list[int] | None:
    """The registers of a dump of memory (``%r``, ``%rx``, ``%rh``), little-endian; None where it is no dump."""
    text = text.rstrip(b" ")
    if _PLAIN_HEX.match(text):
        data = bytes.fromhex(text.decode("ascii"))
    elif _DUMP.search(text[:64]) is not None and len(text) <= 4 * 8 * 64:
        data = _DUMP.sub(lambda m: bytes([int(m[0][2:], 16)]), text)
    else:
        return None
    if len(data) % 8 or not data:
        return None
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)][: eventmap.MAX_REGS]


def with_prefix(body: Body) -> Body:
    """The values of an event that prints hex numbers without 0x."""
    fields = tuple((n, b"0x" + v if _BARE.match(v) else v) for n, v in body.fields)
    return body._replace(fields=fields)


def printed(line: bytes) -> Iterator[bytes]:
    """The lines that an object of ``bpftrace -f json`` printed; nothing where it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict) and found.get("type") == "printf" and isinstance(found.get("data"), str):
        for part in found["data"].split("\n"):
            yield part.encode("utf-8", "surrogateescape")
    elif isinstance(found, dict) and found.get("type") == "lost_events" and isinstance(found.get("data"), dict):
        count = found["data"].get("events")
        yield b"Lost %d events" % (count if isinstance(count, int) and 0 <= count < 1 << 63 else 0)


class Reader(LineSource):
    """One source of bpftrace output."""

    def __init__(self, data: Data, start: int, end: int, options: ReadOptions) -> None:
        super().__init__(data, start, end, options)
        self.bare_hex = False
        self.lost = 0

    def event_of(self, line: bytes) -> str | None:
        """See LineSource."""
        return None

    def read(self, scanner: object = None, threads: int | None = None) -> Records:
        """See LineSource; such output is small, there is no scanner for it."""
        at = self.start
        while at < self.end:
            stop = self.data.find(b"\n", at, self.end)
            stop = self.end if stop < 0 else stop
            self.line(at, stop)
            at = stop + 1
            if self.options.progress is not None and self.lines % 8192 == 0:
                self.options.progress(at)
        return self.finish(self.builder.finish())

    def line(self, at: int, stop: int) -> None:
        """See LineSource."""
        self.lines += 1
        line = bytes(self.data[at : min(stop, at + MAX_LINE)]).rstrip(b"\r")
        length = min(stop - at, (1 << 31) - 1)
        if line[:1] == b"{":
            kinds = [self._printed(at, length, part) for part in printed(line)]
        else:
            kinds = [self._printed(at, length, line)]
        if not any(kinds):
            self.ignored += 1

    def _printed(self, at: int, length: int, line: bytes) -> Kind | None:
        lost = _LOST.match(line)
        if lost is not None:
            self.lost += int(lost[1])
            self.builder.add(Kind.LOST, at, length, name="lost events", regs=[int(lost[1])])
            return Kind.LOST
        found = parse_line(line)
        if found is None:
            return None
        self.placed += 1
        head, name, text = found
        regs: list[int | None]
        dump = dumped_registers(text)
        if dump is not None:
            out = eventmap.direction(name) == "exit" or (eventmap.direction(name) is None and not eventmap.plausible_fid(dump[0]))
            kind, regs = (Kind.EXIT if out else Kind.ENTER), list(dump)
        else:
            body = self._body(name, text)
            if not eventmap.is_wrapper(name):
                return self.probes.take(at, length, head, name, body)
            ret = dict(body.fields).get("ret")
            kind, regs = (Kind.WRAP_ENTER, []) if ret is None else (Kind.WRAP_EXIT, [number(ret)])
        self.builder.add(kind, at, length, ts=head.ts, cpu=head.cpu, pid=head.pid, name=name, regs=regs)
        return kind

    def _body(self, name: str, text: bytes) -> Body:
        body = parse_body(name, text)
        fid = next((v for n, v in body.fields if n in ("fid", "a0", "x0")), b"")
        if not self.bare_hex and _BARE.match(fid) and eventmap.plausible_fid(int(fid, 16)):
            decimal = number(fid)
            self.bare_hex = decimal is None or not eventmap.plausible_fid(decimal)
        return with_prefix(body) if self.bare_hex else body

    def finish(self, records: Records) -> Records:
        """See LineSource."""
        if not (records.kind != Kind.LOST).any():
            raise Unreadable(_HOW)
        cut = settle(records, self.probes)
        self.facts |= {"lines": self.lines, "ignored": self.ignored}
        for key, value in (("lost", self.lost), ("cut_lines", cut)):
            if value:
                self.facts[key] = value
        records.facts = self.facts
        records.findings = self.findings + self.probes.findings()
        return records


class Bpftrace:
    """The format; see the module."""

    name = "bpftrace"
    task_by = HEAD
    bare = ALWAYS
    title = "bpftrace output, one line an event"
    growth = Growth(context=1 << 15, late=True)

    def sniff(self, head: bytes) -> float:
        """How surely this is bpftrace output: by its first line, else by how many lines have the form."""
        seen = good = 0
        for line in head[: 1 << 16].split(b"\n")[:400]:
            line = line[:MAX_LINE].rstrip(b"\r")
            if not line.strip():
                continue
            seen += 1
            if line[:10] == b'{"type": "' or line[:9] == b'{"type":"':
                good += any(parse_line(p) is not None for p in printed(line)) or b'"attached_probes"' in line[:40]
            else:
                good += parse_line(line) is not None
        if _ATTACHED.search(head[: 1 << 16]) or head[:26] == b'{"type": "attached_probes"':
            return 0.95 if good else 0.6
        return 0.85 * good / seen if seen else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format. Raises Unreadable for output of any other form."""
        return Reader(data, start, end, options).read()

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """See Format."""
        text = raw.decode("utf-8", "surrogateescape")
        lines = list(printed(raw)) if raw[:1] == b"{" else [raw]
        for line in lines:
            found = parse_line(line[:MAX_LINE])
            if found is None:
                continue
            head, name, rest = found
            task = (head.comm or b"").decode("utf-8", "surrogateescape")
            dump = dumped_registers(rest)
            if dump is not None:
                return Detail(text=text, task=task, event=name, regs=dict(enumerate(dump)))
            body = parse_body(name, rest)
            fid = next((v for n, v in body.fields if n in ("fid", "a0", "x0")), b"")
            decimal = number(fid)
            if _BARE.match(fid) and not (decimal is not None and eventmap.plausible_fid(decimal)):
                hexed = detail_of(with_prefix(body), parse_maps(options.maps), text, task)
                # without 0x in a line of results, only the whole file tells the base
                return hexed if eventmap.plausible_fid(hexed.regs.get(0, 0)) else replace(hexed, regs={})
            return detail_of(body, parse_maps(options.maps), text, task)
        return Detail(text=text)


FORMAT = Bpftrace()
