"""RMM console logs: TF-RMM's and Islet's rows, alone or among what TF-A, kernels and VMMs print, and pasted reports of them."""

from __future__ import annotations

import re

from ..capture.records import Finding, Kind, Records
from .base import NO_TASK, Data, Detail, Growth, ReadOptions, Unreadable
from .rmm_console_columns import Columns
from .rmm_console_finds import MAX_FINDINGS
from .rmm_console_marks import KERNEL_TIME
from .rmm_console_reader import Reader
from .rmm_console_rows import STATUS_WITH_DATA
from .rmm_console_scan import scan

_ROWISH = re.compile(
    rb"(?:SMC_(?:R[MS][IM]_[A-Z0-9_]{3,47}|RSI_<unsupported>|[0-9a-f]{8})|PSCI_[0-9a-f]{8})"
    rb"[ \t]{1,40}[0-9a-f][ 0-9a-f\t]{0,400}(?:>|&gt;|\\u003e|\r|\n)"
)
_JSON_CALL = re.compile(rb'\A\s*\{"(?:seq|type|t)"\s*:')
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


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
    task_by = NO_TASK
    bare = frozenset(("RMI_SUCCESS",))  # with others a row may say less than x0 (STATUS_WITH_DATA)
    title = "RMM console (TF-RMM, Islet), shared UART, pasted report"
    growth = Growth(context=1 << 16, ahead=16)

    def sniff(self, head: bytes) -> float:
        """How surely this is one: by rows, else by banners, crash dumps, and kernel or VMM lines about Realms."""
        if head[:2] in _UTF16 and b"S\0M\0C\0_\0" in head:
            return 0.9
        if _JSON_CALL.match(head):
            return 0.1 if _ROWISH.search(head) else 0.0
        rows = 0
        for _ in _ROWISH.finditer(head):
            rows += 1
            if rows == 3:
                return 0.95
        marks: set[str] = set()
        for size in (1 << 15, 1 << 18):
            records = self.read(head[:size], 0, min(size, len(head)), ReadOptions())
            if rows or Kind.WHOLE_IN in records.kind:
                return 0.85
            marks |= {records.names[i] for i in records.name if i >= 0}
            if len(head) <= size:
                break
        if marks & {"banner", "crash", "unknown-fid", "invalid-state", "spdm", "rmm"}:
            return 0.6
        return 0.3 if marks else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """Rows and marks between two offsets.

        Facts: 'lines', 'ignored', 'banner' (a dict a boot), 'rmi_abi' (lines that state a revision), 'clock' (see
        rmm_console_columns.CLOCKS), 'kernel_first_ns' and 'kernel_last_ns'. Raises Unreadable for UTF-16.
        """
        if start == 0 and bytes(data[:2]) in _UTF16:
            raise Unreadable("the text is UTF-16: convert it with iconv -f UTF-16 -t UTF-8 first")
        reader = Reader()
        columns = Columns()
        scan(data, start, end, reader, columns, options)
        reader.finish()
        columns.add(reader.items)
        records = columns.finish()
        records.findings = reader.findings
        for rule, n in reader.counts.items():
            if n > MAX_FINDINGS:
                records.findings.append(Finding(rule, "warning", f"{n - MAX_FINDINGS} more of these"))
        records.facts |= {"lines": reader.lines, "ignored": max(reader.lines - reader.used, 0)}
        for key, value in (("clock", columns.clock()), ("banner", reader.banners), ("rmi_abi", reader.abi)):
            if value:
                records.facts[key] = value
        records.facts |= _kernel_times(data, start, end)
        return records

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """A row or mark read again.

        Fields: 'status' and 'index' as printed; 'x0_bits' is '7:0' where the row tells the status and not the data above it.
        """
        text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        reader = Reader()
        at = 0
        for line in re.split(rb"(?<=\n)", raw):
            reader.feed(line, at)
            at += len(line)
        reader.finish()
        row = next((i.row for i in sorted(reader.items, key=lambda i: i.start) if i.row is not None), None)
        if row is None:
            return Detail(text)
        values = row.out_regs() if out else row.in_regs()
        fields = {"status": row.status} if row.status is not None else {}
        if row.index is not None:
            fields["index"] = str(row.index)
        elif row.status in STATUS_WITH_DATA:
            fields["x0_bits"] = "7:0"
        return Detail(text, event=row.name, regs={i: v for i, v in enumerate(values[:18]) if v is not None}, fields=fields)


FORMAT = RmmConsole()
