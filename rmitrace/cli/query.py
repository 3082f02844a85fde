"""``rmitrace query``: SQL over the calls, messages, sequences, states and findings of a capture."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from ..display import safe
from . import common

if TYPE_CHECKING:
    import polars as pl

WIDTHS_OF = 10_000
"""Rows that the columns of the text form are made wide enough for."""
LONGEST_RULE = 60


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "query",
        help="ask SQL over the calls, messages, sequences, states and findings of a capture",
        description="Print the answer to an SQL SELECT over the tables calls, messages, sequences, states and findings, whose "
        "columns stand in docs/query.md. Hexadecimal numbers may be written, and registers are printed so.",
        epilog=common.example_text(
            ("rmitrace query 'SELECT name, count(*) AS n FROM calls GROUP BY name ORDER BY n DESC' trace.txt", "how often"),
            ("rmitrace query \"SELECT * FROM sequences WHERE outcome = 'failed'\" trace.txt", "what failed"),
            (
                "rmitrace query 'SELECT m.name, c.dur_us FROM messages m JOIN calls c ON m.call = c.seq' trace.txt",
                "tables joined",
            ),
            ("rmitrace query -f csv 'SELECT ts, dur_us FROM calls' trace.txt > calls.csv", "for a spreadsheet"),
        ),
    )
    p.add_argument("sql", metavar="SQL", help="one SELECT; SHOW TABLES names the tables")
    common.add_capture_options(p)
    p.add_argument(
        "-f",
        "--format",
        choices=("text", "json", "csv"),
        default="text",
        help="text (default): columns; json: one object a line; csv",
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the answer."""
    if not args.sql.strip():
        raise common.UserError("an empty query")
    capture = common.open_args(args)
    frame = answer(capture, args.sql)
    {"text": _text, "json": _json, "csv": _csv}[args.format](frame, sys.stdout)
    return 3 if capture.damaged else 0


def answer(capture: Any, sql: str) -> pl.DataFrame:
    """The answer to a query. Raises UserError with one line where it cannot be read or worked out."""
    import polars as pl

    from ..query import decimal, reason
    from ..tables import tables

    try:
        context = pl.SQLContext(tables(capture))
        return context.execute(decimal(sql)).collect()
    except ValueError as e:
        raise common.UserError(str(e)) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as e:
        raise common.UserError(f"query: {reason(e)}") from None


def _rows(frame: pl.DataFrame) -> Iterator[list[Any]]:
    """The rows; registers (128-bit numbers, so that they are exact) as hexadecimal text."""
    import polars as pl

    registers = [dtype == pl.Int128 for dtype in frame.dtypes]
    for row in frame.iter_rows():
        yield [hex(v) if is_register and v is not None else v for v, is_register in zip(row, registers, strict=True)]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return safe(f"{value:.10g}" if isinstance(value, float) else str(value))


def _text(frame: pl.DataFrame, out: IO[str]) -> None:
    numeric = [d.is_numeric() for d in frame.dtypes]
    names = [safe(n) for n in frame.columns]
    first = [[_shown(v) for v in row] for row in _rows(frame.head(WIDTHS_OF))]
    widths = [max([len(n), *(len(r[i]) for r in first)]) for i, n in enumerate(names)]

    def line(cells: list[str]) -> None:
        padded = [c.rjust(w) if right else c.ljust(w) for c, w, right in zip(cells, widths, numeric, strict=True)]
        out.write("  ".join(padded).rstrip() + "\n")

    line(names)
    line(["-" * min(w, LONGEST_RULE) for w in widths])
    for cells in first:
        line(cells)
    for row in _rows(frame.slice(WIDTHS_OF)):
        line([_shown(v) for v in row])


def _json(frame: pl.DataFrame, out: IO[str]) -> None:
    for row in _rows(frame):
        out.write(json.dumps(dict(zip(frame.columns, row, strict=True)), default=str, separators=(",", ":")) + "\n")


def _csv(frame: pl.DataFrame, out: IO[str]) -> None:
    from ..export.csv import cell

    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([cell(n) for n in frame.columns])
    for row in _rows(frame):
        rows.writerow(["" if v is None else cell(v) for v in row])
