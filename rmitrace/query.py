"""SQL conditions over the calls of a capture: what ``--where`` and the filter of ``view`` take.

The columns are described in docs/query.md and made in .query_columns, some thousand rows at a time and only those that a
condition names.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from .query_columns import COLUMNS, FLAGS, NUMBERS, REGISTERS, TEXTS, Some, column, prepare
from .query_rows import flags, reason, worked

if TYPE_CHECKING:
    import polars as pl

    from .capture import Capture

__all__ = [
    "CALLS",
    "COLUMNS",
    "FLAGS",
    "NUMBERS",
    "REGISTERS",
    "TEXTS",
    "Columns",
    "check",
    "column",
    "holding",
    "parse",
    "reason",
    "rows_where",
    "select",
]

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

AT_ONCE = 1 << 16
"""Calls that a condition is worked out for at a time."""


class Columns(NamedTuple):
    """The columns that a condition may name, and how they are listed to somebody who named another."""

    names: tuple[str, ...]
    listed: str


CALLS = Columns(COLUMNS, f"{', '.join((*NUMBERS, *TEXTS, *FLAGS))}, x0..x17, r0..r17")

_UNSIGNED = 64
# a string, a quoted identifier, or a hexadecimal number; the alternatives start with different characters
_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|(?<![\w.])0[xX]([0-9a-fA-F_]*)(\w*)""")
_WORD = re.compile(r"""'[^']*'|"[^"]*"|([A-Za-z_]\w*)(\s*\()?""")
# what is written like a function and looks at one row; any other (AVG, MAX, ...) may look at all of them
_OF_A_ROW = frozenset((
    "abs", "and", "between", "bit_and", "bit_count", "bit_not", "bit_or", "bit_xor", "case", "cast", "ceil", "coalesce", "concat",
    "div", "else", "ends_with", "floor", "ilike", "in", "is", "left", "length", "like", "lower", "ltrim", "mod", "not", "nullif",
    "or", "pow", "power", "regexp_like", "replace", "right", "round", "rtrim", "sign", "starts_with", "strpos", "substr", "then",
    "trim", "upper", "when",
))  # fmt: skip


def select(capture: Capture, where: str, progress: Callable[[int], None] | None = None) -> Rows:
    """The numbers (seq) of the calls for which a condition holds, in order; see holding()."""
    return np.flatnonzero(holding(capture, where, progress)).astype(np.int64, copy=False)


def holding(capture: Capture, where: str, progress: Callable[[int], None] | None = None) -> Flags:
    """For which calls a condition holds.

    Registers are unsigned and hexadecimal numbers may be written (``x1 = 0x88001000``); a register or time
    that is not known is NULL and fits no comparison. Raises ValueError with one line where the condition
    cannot be read or names no column. ``progress`` is called with the number of calls looked at; it may raise to stop.
    """
    count = len(capture.calls)
    expression, names = parse(where)
    prepare(capture, names)
    if count <= AT_ONCE or not row_by_row(where):
        return flags(expression, where, {n: column(capture, n) for n in names}, count)
    check(capture, where)
    working = worked(capture, expression, where)
    out = np.zeros(count, dtype=bool)

    def part(start: int) -> None:
        rows = slice(start, min(start + AT_ONCE, count))
        out[rows] = working(Some(capture, rows))

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        waiting = [pool.submit(part, start) for start in range(0, count, AT_ONCE)]
        try:
            for i, work in enumerate(waiting):
                work.result()
                if progress is not None:
                    progress(min((i + 1) * AT_ONCE, count))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return out


def check(capture: Capture, where: str) -> None:
    """Raise ValueError with one line where a condition cannot be worked out."""
    expression, names = parse(where)
    few = slice(0, min(len(capture.calls), 1))
    flags(expression, where, {n: column(capture, n, few) for n in names}, few.stop)


def rows_where(where: str, columns: Columns, make: Callable[[str], pl.Series], count: int) -> Rows:
    """The rows of a table of ``count`` rows for which a condition holds, in order; ``make`` gives a column by its name.
    Raises ValueError."""
    expression, names = parse(where, columns)
    return np.flatnonzero(flags(expression, where, {name: make(name) for name in names}, count))


def row_by_row(where: str) -> bool:
    """Whether a condition can be worked out for some rows without looking at the others."""
    words = [(m[1].lower(), bool(m[2])) for m in _WORD.finditer(where) if m[1] is not None]
    return all(word in _OF_A_ROW if called else word not in ("over", "select") for word, called in words)


def parse(where: str, columns: Columns = CALLS) -> tuple[pl.Expr, list[str]]:
    """The condition as a Polars expression, and the columns it names. Raises ValueError."""
    import polars as pl

    if not where.strip():
        raise ValueError("an empty condition")
    try:
        expression = pl.sql_expr(decimal(where))
        names = sorted(set(expression.meta.root_names()))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as e:
        raise ValueError(reason(e)) from None
    for name in names:
        if name not in columns.names:
            raise ValueError(_unknown(name, columns))
    return expression, names


def decimal(sql: str) -> str:
    """SQL with its hexadecimal numbers as decimal ones, which is what Polars reads. Raises ValueError."""
    return _TOKEN.sub(_decimal, sql)


def _decimal(match: re.Match[str]) -> str:
    """A hexadecimal number as a decimal one (Polars reads 0x.. as bytes); anything else as it stands."""
    digits, rest = match.group(1), match.group(2)
    if digits is None:
        return match.group()
    digits = digits.replace("_", "")
    if rest or not digits:
        raise ValueError(f"not a number: {match.group()}")
    value = int(digits, 16) if len(digits) <= 32 else 1 << _UNSIGNED
    if value >= 1 << _UNSIGNED:
        raise ValueError(f"more than 64 bits: {match.group()}")
    return str(value)


def _unknown(name: str, columns: Columns) -> str:
    close = difflib.get_close_matches(name.lower(), columns.names, 1)
    if close:
        return f"no column {name}; did you mean {close[0]}?"
    if name.isupper():
        return f"no column {name}; text stands in single quotes: '{name}'"
    return f"no column {name}; there are {columns.listed}"
