"""RMM console logs: TF-RMM's and Islet's rows, alone or among what TF-A, kernels and VMMs print, and pasted reports of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ..capture.records import NO_TIME, Finding, Kind, RecordBuilder, Records
from .base import Data, Detail, ReadOptions, Unreadable
from .rmm_console_lines import MAX_LINE
from .rmm_console_marks import KERNEL_TIME, TRIGGER
from .rmm_console_reader import MAX_FINDINGS, Item, Reader

_CHUNK = 4 << 20
_ROWISH = re.compile(
    rb"(?:SMC_(?:R[MS][IM]_[A-Z0-9_]{3,47}|RSI_<unsupported>|[0-9a-f]{8})|PSCI_[0-9a-f]{8})"
    rb"[ \t]{1,40}[0-9a-f][ 0-9a-f\t]{0,400}(?:>|&gt;|\\u003e|\r|\n)"
)
_JSON_CALL = re.compile(rb'\A\s*\{"(?:seq|type|t)"\s*:')
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CLOCKS = ("boot", "time-of-day", "no-year", "local", "utc")
_DAY = 24 * 3600 * 10**9


def _clock_of(items: list[Item]) -> str | None:
    """The clock that most rows (where no row is stamped: most marks) have a stamp of, of equals the one with a date."""
    for rows in (True, False):
        votes: Counter[str] = Counter()
        for item in items:
            if (item.row is not None) == rows:
                votes.update({clock for clock, _ in item.stamps})
        if votes:
            return max(votes, key=lambda c: (votes[c], _CLOCKS.index(c)))
    return None


def _times(items: list[Item], clock: str | None) -> Iterator[int]:
    """The time of each item in that clock, NO_TIME where it has none; a time of day goes on past midnight."""
    day, last = 0, None
    for item in items:
        ts = next((ns for c, ns in item.stamps if c == clock), NO_TIME)
        if clock == "time-of-day" and ts != NO_TIME:
            if last is not None and ts + day < last - _DAY // 2:
                day += _DAY
            ts += day
            last = ts
        yield ts


def _columns(reader: Reader) -> Records:
    builder = RecordBuilder()
    clock = _clock_of(reader.items)
    for item, ts in zip(reader.items, _times(reader.items, clock), strict=True):
        length = item.end - item.start
        row = item.row
        if row is not None:
            builder.add(Kind.WHOLE_IN, item.start, length, ts=ts, name=row.name, regs=row.in_regs())
            if row.answered:
                builder.add(Kind.WHOLE_OUT, item.start, length, ts=ts, name=row.name, regs=row.out_regs())
        else:
            kind = Kind.DAMAGED if item.damaged else Kind.MARK
            builder.add(kind, item.start, length, ts=ts, cpu=item.cpu, name=item.mark, regs=(item.value,))
    builder.findings = reader.findings
    for rule, n in reader.counts.items():
        if n > MAX_FINDINGS:
            builder.findings.append(Finding(rule, "warning", f"{n - MAX_FINDINGS} more of these"))
    builder.facts |= {"lines": reader.lines, "ignored": max(reader.lines - reader.used, 0)}
    for key, value in (("clock", clock), ("banner", reader.banners), ("rmi_abi", reader.abi)):
        if value:
            builder.facts[key] = value
    return builder.finish()


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
        reader.lines += chunk.count(b"\n", at) + (stop == end and at < len(chunk) and not chunk.endswith(b"\n"))
        pos = stop
        if options.progress is not None:
            options.progress(pos - start)


def _kernel_times(data: Data, start: int, end: int) -> dict[str, int]:
    """First and last kernel stamp of a shared console, in ns: what its rows lie between."""
    head = KERNEL_TIME.search(bytes(data[start : min(end, start + (1 << 20))]))
    if head is None:
        return {}
    tail = KERNEL_TIME.findall(bytes(data[max(start, end - (1 << 18)) : end])) or [head.groups()]
    first, last = (int(s) * 10**9 + int(us) * 1000 for s, us in (head.groups(), tail[-1]))
    return {"kernel_first_ns": first, "kernel_last_ns": last}


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
        if rows or Kind.WHOLE_IN in records.kind:
            return 0.85
        marks = {records.names[i] for i in records.name if i >= 0}
        if marks & {"banner", "crash", "unknown-fid", "invalid-state", "spdm", "rmm"}:
            return 0.6
        return 0.3 if marks else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """Rows and marks between two offsets.

        Facts: 'lines', 'ignored', 'banner' (a dict a boot), 'rmi_abi' (lines that state a revision), 'clock' ('utc';
        'local', a date without a zone, read as UTC; 'no-year', from the start of 1972; 'time-of-day'; 'boot', from some
        start), 'kernel_first_ns' and 'kernel_last_ns'. Raises Unreadable for UTF-16.
        """
        if start == 0 and bytes(data[:2]) in _UTF16:
            raise Unreadable("the text is UTF-16: convert it with iconv -f UTF-16 -t UTF-8 first")
        reader = Reader()
        for raw, at in _lines(data, start, end, reader, options):
            reader.feed(raw, at)
        reader.finish()
        records = _columns(reader)
        records.facts |= _kernel_times(data, start, end)
        return records

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """A row or mark read again; fields: 'status' and 'index' as printed."""
        text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        reader = Reader()
        at = 0
        for line in re.split(rb"(?<=\n)", raw):
            reader.feed(line, at)
            at += len(line)
        reader.finish()
        row = next((i.row for i in reader.items if i.row is not None), None)
        if row is None:
            return Detail(text)
        values = row.out_regs() if out else row.in_regs()
        fields = {"status": row.status} if row.status is not None else {}
        if row.index is not None:
            fields["index"] = str(row.index)
        return Detail(text, event=row.name, regs={i: v for i, v in enumerate(values[:18]) if v is not None}, fields=fields)


FORMAT = RmmConsole()
