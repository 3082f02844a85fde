"""CSV: one row a call, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import IO

from ..capture.left_open import Open, Template
from ..capture.model import Call, Capture
from ..capture.rows import TASK, Rows
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
    rows = Rows(capture, objects=True)
    tasks: dict[str | None, str] = {}
    for row in rows.read(seqs):
        if row.form is None:
            c = capture.call(row.seq)
            about = capture.object_of(row.seq)
            out.write(line(cells(c, bool(capture.calls.failed[row.seq]), about, capture.number)))
            continue
        template = row.form.made.get("csv")
        if template is None:
            looked = row.form.looked
            told = cells(row.form.call, bool(capture.calls.failed[row.seq]), row.form.object)
            told = [looked.mark(v.bits, "") if isinstance(v, Open) else v for v in told]
            template = row.form.made["csv"] = Template.of(line(told), looked)
        task = row.values[TASK]
        row.values[TASK] = tasks.get(task) or tasks.setdefault(task, line([cell(task), None])[:-2])
        out.write(template.fill(row.values))


def line(cells: list[object]) -> str:
    """Cells as a row."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def cells(c: Call, failed: bool, about: str | None, number: Callable[[int], int] = lambda seq: seq) -> list[object]:
    """The cells of a call. ``number``: see Capture.number."""
    x = [f"0x{v:x}" if v is not None else "" for v in (*c.x[1:8], *[None] * 8)][:7]
    r = [f"0x{v:x}" if v is not None else "" for v in (*(c.r or ())[:8], *[None] * 8)][:8]
    parent = number(c.parent) if c.parent is not None else None
    values = (number(c.seq), c.ts_ns, c.dur_ns, c.cpu, c.task, c.pid, c.source, c.offset,
              f"0x{c.fid:x}" if c.fid is not None else None,
              c.name, c.service, c.status, c.index, int(failed), c.paired, int(c.inferred), parent,
              about, *x, *r, " ".join(f"{a.name}={a.text}" for a in c.args),
              " ".join(f"{o.name}={o.text}" for o in c.results))  # fmt: skip
    return [cell(v) for v in values]


def cell(value: object) -> object:
    """Text made safe; a cell that a spreadsheet would run as a formula gets an apostrophe."""
    if not isinstance(value, str):
        return value
    text = safe(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
