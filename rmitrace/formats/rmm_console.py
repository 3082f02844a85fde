"""RMM console logs: TF-RMM's and Islet's rows, alone or among what TF-A, kernels and VMMs print, and pasted reports of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..capture.records import NO_TIME, Finding, Kind, RecordBuilder, Records
from .base import Data, Detail, ReadOptions, Unreadable
from .rmm_console_cut import Pending, go_on
from .rmm_console_lines import MAX_LINE, Line, clean, sublines, unwrap
from .rmm_console_marks import KERNEL_TIME, TRIGGER, crash_cpu, is_abort_dump, is_dump, mark_of, read_banner
from .rmm_console_rows import HEAD, Row, clean_row, other_rows, parse

_CHUNK = 4 << 20
_MAX_FINDINGS = 500
_MAX_PENDING = 8
_MAX_DUMP_LINES = 128
_ROWISH = re.compile(
    rb"(?:SMC_(?:R[MS][IM]_[A-Z0-9_]{3,47}|RSI_<unsupported>|[0-9a-f]{8})|PSCI_[0-9a-f]{8})[ \t]{1,40}[0-9a-f][ 0-9a-f\t]{0,400}(?:>|&gt;|\\u003e|\r|\n)"
)
_JSON_CALL = re.compile(rb'\A\s*\{"(?:seq|type|t)"\s*:')
_ORPHAN = re.compile(rb"[ \t]*[0-9a-f]{1,16}[ 0-9a-f\t]{0,300}> R[MS]I_[A-Z_]{3,32}")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class _Item:
    """A row or mark that was found."""

    start: int
    end: int
    stamps: tuple[tuple[str, int], ...]
    row: Row | None = None
    mark: str = ""
    value: int | None = None
    cpu: int = -1


@dataclass(slots=True)
class _Crash:
    item: _Item
    named: bool
    lines: int = 0
    misses: int = 0
    members: int = 0
    abort: bool = False


@dataclass(slots=True)
class Reader:
    """Reads lines one after another; ``items`` are what it found, ``rules`` what the reader of the log should know."""

    items: list[_Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    banners: list[dict[str, Any]] = field(default_factory=list)
    abi: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    pending: list[Pending] = field(default_factory=list)
    crash: _Crash | None = None
    used: int = 0
    lines: int = 0
    soft: Line | None = None

    @property
    def waiting(self) -> bool:
        """Whether the next line matters whatever it holds."""
        return bool(self.pending) or self.crash is not None or self.soft is not None

    def note(self, rule: str, severity: str, message: str, offset: int) -> None:
        """Add a finding; beyond a number of them a rule is only counted."""
        self.counts[rule] += 1
        if self.counts[rule] <= _MAX_FINDINGS:
            self.findings.append(Finding(rule, severity, message, -1, offset))

    def feed(self, raw: bytes, start: int) -> None:
        """One line, line end included or not."""
        self.lines += 1
        before = len(self.items)
        joined = self.counts["joined"]
        if len(raw) > MAX_LINE:
            self.note("LINE-TOO-LONG", "warning", f"a line of {len(raw)} bytes: only the first {MAX_LINE} are looked at", start)
            raw = raw[:MAX_LINE]
        if not self.pending and self.crash is None and self.soft is None and (row := clean_row(raw.rstrip(b"\r\n"))) is not None:
            self._row(row, raw, Line(start, start + len(raw.rstrip(b"\r\n")), b""), start, alone=True)
        else:
            for at, part in sublines(raw, start):
                self._line(part, at)
        if (
            len(self.items) > before
            or self.counts["joined"] > joined
            or (self.pending and self.pending[-1].line_number == self.lines)
        ):
            self.used += 1

    def _line(self, part: bytes, start: int) -> None:
        text, soft = clean(part)
        line = Line(start, start + len(part), text, soft=soft)
        if self.soft is not None:
            first, self.soft = self.soft, None
            line = Line(first.start, line.end, first.full + text, soft=soft)
        if soft and HEAD.search(line.full) and len(line.full) < 4096:
            self.soft = line
            return
        heads = list(HEAD.finditer(line.full))[:64]
        begin = line.start
        numbered = not self.pending or any(p.line.number is not None for p in self.pending)
        unwrap(line, heads[0].start() if heads else None, numbered)
        lead_end = heads[0].start() if heads else len(line.full)
        if self.pending:
            self._expire(start)
            used = self._go_on(line, lead_end)
            if used:
                begin = start + used
                if not heads:
                    return
        if self.crash is not None:
            self._crash_line(line)
        alone = line.at >= lead_end and begin == line.start
        rows = False
        for i, m in enumerate(heads):
            stop = heads[i + 1].start() if i + 1 < len(heads) else len(line.full)
            row = parse(line.full, m, stop)
            if row is None:
                continue
            rows = True
            name = line.full[m.start() : m.end()]
            at = begin if i == 0 else max(start + max(part.find(name, begin - start + 1), 0), begin)
            if self.items and self.items[-1].start < line.start + 1 and i and self.items[-1].end > at > self.items[-1].start:
                self.items[-1].end = at
            for p in self.pending:
                if p.line is line and p.end > at > p.start:
                    p.end = at
            self._row(row, line.full[m.start() : row.end], line, at, alone=alone and i == 0)
            begin = at
            if row.foreign and row.end < stop:
                self._mark(line, line.full[row.end : stop], begin)
        if rows:
            return
        for at, row in other_rows(line.full):
            rows = True
            if self._again(row, line):
                continue
            self._emit(
                row, line.start if at <= line.at else start + max(part.find(line.full[at : at + 8]), 0), line.end, line.stamps
            )
        if not rows and not self._mark(line, line.full, line.start) and _ORPHAN.match(line.text):
            self._orphan(line)

    def _row(self, row: Row, text: bytes, line: Line, start: int, alone: bool) -> None:
        if row.state == "whole":
            self._emit(row, start, line.end, line.stamps)
            return
        if len(self.pending) >= _MAX_PENDING:
            self._flush(self.pending.pop(0))
        if not line.full:
            line.full = text
        self.pending.append(Pending(row, bytes(text.rstrip(b"\r\n")), start, line.end, line, self.lines, alone))

    def _go_on(self, line: Line, lead_end: int) -> int:
        """Give the line to the rows that wait, the latest first; returns how much of it one of them took, 0 for none."""
        for p in reversed(self.pending):
            if line.at >= lead_end and not (line.depth and line.at == lead_end):
                break
            hit = go_on(p, line, lead_end, self.lines)
            if hit is None:
                continue
            row, text, used = hit
            self.counts["joined"] += 1
            p.row, p.text, p.end = row, text, line.start + max(used, 1)
            if lead_end == len(line.full):
                p.end = line.end
            p.pieces, p.line, p.line_number = p.pieces + 1, line, self.lines
            if row.state == "whole":
                self.pending.remove(p)
                self._emit(row, p.start, p.end, p.line.stamps if not self._stamps(p) else self._stamps(p))
            if row.foreign and row.end:
                self._mark(line, line.full[used:lead_end], line.start)
            return max(used, 1)
        return 0

    @staticmethod
    def _stamps(p: Pending) -> tuple[tuple[str, int], ...]:
        return p.line.stamps

    def _expire(self, offset: int) -> None:
        for p in [p for p in self.pending if p.expired(self.lines, offset)]:
            self.pending.remove(p)
            self._flush(p)

    def _flush(self, p: Pending) -> None:
        """A row that will not go on."""
        row = p.row
        if row.state == "open":
            self._emit(row, p.start, p.end, p.line.stamps)
            return
        if not row.args and not (p.alone and not row.separated):
            return
        if row.glued and row.args and not row.answered:
            row.args[-1] = None  # cut somewhere in its digits
        self._emit(row, p.start, p.end, p.line.stamps)
        self.note("ROW-CUT", "warning", f"the row of {row.name} ends before its result", p.start)

    def _emit(self, row: Row, start: int, end: int, stamps: tuple[tuple[str, int], ...]) -> None:
        if row.answered and row.status is not None and row.x0 is None:
            self.note("STATUS-UNKNOWN", "warning", f"{row.name} ended with {row.status}, a status of no known revision", start)
        if row.elided:
            self.note("ROW-ELIDED", "note", f"the row of {row.name} was shortened by hand: its values are not known", start)
        self.items.append(_Item(start, end, stamps, row))

    def _again(self, row: Row, line: Line) -> bool:
        """Islet prints a failed call twice, as TRACE and as WARN."""
        last = self.items[-1].row if self.items else None
        return (
            b"[WARN" in line.full
            and last is not None
            and (last.name, last.args, last.x0, last.outs)
            == (
                row.name,
                row.args,
                row.x0,
                row.outs,
            )
        )

    def _orphan(self, line: Line) -> None:
        self.note("ROW-CUT", "warning", "the end of a row whose beginning is missing", line.start)
        self.items.append(_Item(line.start, line.end, line.stamps, mark="the end of a row whose beginning is missing", cpu=-2))

    def _mark(self, line: Line, text: bytes, start: int) -> bool:
        found = mark_of(text)
        if found is None:
            return False
        kind, value = found
        item = _Item(start, line.end, line.stamps, mark=kind, value=value)
        if kind == "crash":
            self._end_crash()
            cpu = crash_cpu(text)
            item.cpu = -1 if cpu is None else min(cpu, 2**31 - 1)
            self.crash = _Crash(item, cpu is not None)
            return True
        if kind == "banner":
            read_banner(text, start, self.banners)
        if kind == "rmm" and b"Unhandled instruction abort" in text:
            self.crash = _Crash(item, True, abort=True)
            return True
        if kind in ("kernel", "banner") and b"ABI" in text and len(self.abi) < 64:
            self.abi.append(text.strip().decode("utf-8", "surrogateescape"))
        self.items.append(item)
        return True

    def _crash_line(self, line: Line) -> None:
        c = self.crash
        assert c is not None
        c.lines += 1
        if is_abort_dump(line.text) if c.abort else is_dump(line.text):
            c.item.end, c.misses, c.members = line.end, 0, c.members + 1
        elif line.text.strip():
            c.misses += 1
        if c.misses > (0 if c.abort else 3) or c.lines > _MAX_DUMP_LINES or c.members >= (3 if c.abort else _MAX_DUMP_LINES):
            self._end_crash()

    def _end_crash(self) -> None:
        if self.crash is not None:
            if self.crash.named or self.crash.members:  # other programs have unexpected exceptions, too
                self.items.append(self.crash.item)
            self.crash = None

    def finish(self) -> None:
        """No more lines come."""
        if self.soft is not None:
            line, self.soft = self.soft, None
            self._line(line.full + b" ", line.start)
        for p in self.pending:
            self._flush(p)
        self.pending.clear()
        self._end_crash()
        self.items.sort(key=lambda i: i.start)


def _clock_of(items: list[_Item]) -> str | None:
    """The clock that most rows (without stamped rows: most marks) have a stamp of."""
    for only_rows in (True, False):
        votes: Counter[str] = Counter()
        for item in items:
            if (item.row is not None) == only_rows:
                votes.update({clock for clock, _ in item.stamps})
        if votes:
            # of equals the one with a date
            return max(votes, key=lambda c: (votes[c], ("boot", "time-of-day", "no-year", "local", "utc").index(c)))
    return None


def _columns(reader: Reader, builder: RecordBuilder) -> None:
    clock = _clock_of(reader.items)
    day, last = 0, None
    for item in reader.items:
        ts = next((ns for c, ns in item.stamps if c == clock), NO_TIME)
        if clock == "time-of-day" and ts != NO_TIME:
            if last is not None and ts + day < last - 12 * 3600 * 10**9:  # past midnight
                day += 24 * 3600 * 10**9
            ts += day
            last = ts
        length = item.end - item.start
        row = item.row
        if row is None:
            kind = Kind.DAMAGED if item.cpu == -2 else Kind.MARK
            regs = () if item.value is None else (item.value,)
            builder.add(kind, item.start, length, ts=ts, cpu=max(item.cpu, -1), name=item.mark, regs=regs)
            continue
        builder.add(Kind.WHOLE_IN, item.start, length, ts=ts, name=row.name, regs=row.in_regs())
        if row.answered:
            builder.add(Kind.WHOLE_OUT, item.start, length, ts=ts, name=row.name, regs=row.out_regs())
    if clock is not None:
        builder.facts["clock"] = clock


def _lines(data: Data, start: int, end: int, reader: Reader, options: ReadOptions) -> Iterator[tuple[bytes, int]]:
    """The lines that may matter; the others are counted. In chunks, so that a big file is never copied whole."""
    pos = start
    while pos < end:
        stop = min(pos + _CHUNK, end)
        if stop < end:
            cut = data.rfind(b"\n", pos, stop) + 1
            if cut <= pos:  # one line longer than a chunk
                nxt = data.find(b"\n", stop, end)
                stop = end if nxt < 0 else nxt + 1
                reader.note(
                    "LINE-TOO-LONG", "warning", f"a line of {stop - pos} bytes: only the first {MAX_LINE} are looked at", pos
                )
                yield bytes(data[pos : pos + MAX_LINE]), pos
                pos = stop
                continue
            stop = cut
        chunk = bytes(data[pos:stop])
        at = 0
        while at < len(chunk):
            if not reader.waiting:
                m = TRIGGER.search(chunk, at)
                if m is None:
                    break
                line = chunk.rfind(b"\n", at, m.start()) + 1 or at
                reader.lines += chunk.count(b"\n", at, line)
                at = line
            nxt = chunk.find(b"\n", at)
            nxt = len(chunk) if nxt < 0 else nxt + 1
            yield chunk[at:nxt], pos + at
            at = nxt
        reader.lines += chunk.count(b"\n", at)
        pos = stop
        if options.progress is not None:
            options.progress(pos - start)


def _kernel_times(data: Data, start: int, end: int) -> dict[str, int]:
    """First and last kernel stamp of a shared console, in ns: what its rows lie between."""
    head = KERNEL_TIME.search(bytes(data[start : min(end, start + (1 << 20))]))
    out = {}
    if head is not None:
        out["kernel_first_ns"] = int(head[1]) * 10**9 + int(head[2]) * 1000
        tail = KERNEL_TIME.findall(bytes(data[max(start, end - (1 << 18)) : end]))
        if tail:
            out["kernel_last_ns"] = int(tail[-1][0]) * 10**9 + int(tail[-1][1]) * 1000
    return out


class RmmConsole:
    """The format."""

    name = "rmm-console"
    title = "RMM console (TF-RMM, Islet), shared UART, pasted report"

    def sniff(self, head: bytes) -> float:
        """How surely rows of an RMM, or lines about one, are in the head."""
        if head[:2] in _UTF16 and b"S\0M\0C\0_\0" in head:
            return 0.9
        if _JSON_CALL.match(head):
            return 0.1 if _ROWISH.search(head) else 0.0
        rows = 0
        for _ in _ROWISH.finditer(head):
            rows += 1
            if rows == 3:
                return 0.95
        records = self.read(head, 0, len(head), ReadOptions())
        kinds = {int(k) for k in records.kind}
        if rows or Kind.WHOLE_IN in kinds:
            return 0.85
        marks = {records.names[i] for i in records.name if i >= 0}
        if marks & {"banner", "crash", "unknown-fid", "invalid-state", "spdm", "rmm"}:
            return 0.6
        return 0.3 if marks else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """Rows and marks between two offsets; facts: lines, ignored, banner, rmi_abi, clock, kernel_first_ns, kernel_last_ns."""
        if data[start : start + 2] in _UTF16 and start == 0:
            raise Unreadable("the text is UTF-16: convert it with iconv -f UTF-16 -t UTF-8 first")
        reader = Reader()
        for raw, at in _lines(data, start, end, reader, options):
            reader.feed(raw, at)
        reader.finish()
        builder = RecordBuilder()
        _columns(reader, builder)
        builder.findings = reader.findings
        for rule, n in reader.counts.items():
            if n > _MAX_FINDINGS and rule.isupper():
                builder.findings.append(Finding(rule, "warning", f"{n - _MAX_FINDINGS} more of these"))
        builder.facts["lines"] = reader.lines
        builder.facts["ignored"] = max(reader.lines - reader.used, 0)
        if reader.banners:
            builder.facts["banner"] = reader.banners
        if reader.abi:
            builder.facts["rmi_abi"] = reader.abi
        builder.facts |= _kernel_times(data, start, end)
        return builder.finish()

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """A row or mark read again; fields: status, index, tag."""
        text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        reader = Reader()
        at = 0
        while at < len(raw):
            nxt = raw.find(b"\n", at)
            nxt = len(raw) if nxt < 0 else nxt + 1
            reader.feed(raw[at:nxt], at)
            at = nxt
        reader.finish()
        item = next((i for i in reader.items if i.row is not None), None)
        if item is None or item.row is None:
            return Detail(text)
        row = item.row
        values = row.out_regs() if out else row.in_regs()
        fields = {"status": row.status} if row.status is not None else {}
        if row.index is not None:
            fields["index"] = str(row.index)
        return Detail(text, event=row.name, regs={i: v for i, v in enumerate(values[:18]) if v is not None}, fields=fields)


FORMAT = RmmConsole()
