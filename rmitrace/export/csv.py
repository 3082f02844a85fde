"""CSV: one row a call, for spreadsheets and data frames."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import IO

from ..capture.model import Capture
from ..display import safe

COLUMNS = ("seq", "ts_ns", "dur_ns", "cpu", "task", "pid", "source", "offset", "fid", "name", "service", "status", "index",
           "failed", "paired", "inferred", "parent", "object", *(f"x{i}" for i in range(1, 8)),
           *(f"r{i}" for i in range(8)), "args", "results")  # fmt: skip


def write(capture: Capture, seqs: Iterable[int], out: IO[str]) -> None:
    """A header row, then a row a call; unknown values are empty, registers and addresses hexadecimal."""
    write_header(out)
    write_rows(capture, seqs, out)


def write_header(out: IO[str]) -> None:
    """The names of the columns."""
    csv.writer(out, lineterminator="\n").writerow(COLUMNS)


def write_rows(capture: Capture, seqs: Iterable[int], out: IO[str]) -> None:
    """A row a call."""
    rows = csv.writer(out, lineterminator="\n")
    for seq in capture.ahead(seqs):
        c = capture.call(seq)
        x = [f"0x{v:x}" if v is not None else "" for v in (*c.x[1:8], *[None] * 8)][:7]
        r = [f"0x{v:x}" if v is not None else "" for v in (*(c.r or ())[:8], *[None] * 8)][:8]
        parent = capture.number(c.parent) if c.parent is not None else None
        values = (capture.number(seq), c.ts_ns, c.dur_ns, c.cpu, c.task, c.pid, c.source, c.offset,
                  f"0x{c.fid:x}" if c.fid is not None else None,
                  c.name, c.service, c.status, c.index, int(capture.calls.failed[seq]), c.paired, int(c.inferred), parent,
                  capture.object_of(seq), *x, *r, " ".join(f"{a.name}={a.text}" for a in c.args),
                  " ".join(f"{o.name}={o.text}" for o in c.results))  # fmt: skip
        rows.writerow([cell(v) for v in values])


def cell(value: object) -> object:
    """Text made safe; a cell that a spreadsheet would run as a formula gets an apostrophe."""
    if not isinstance(value, str):
        return value
    text = safe(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
