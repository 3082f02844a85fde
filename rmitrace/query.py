"""SQL conditions over the calls of a capture: what ``--where`` and the filter of ``view`` take.

The columns are described in docs/query.md. Only those that a condition names are made: registers above x7 and
the task are read again from the raw records, so naming them costs a pass over the capture.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .capture.naming import FID_MASK

if TYPE_CHECKING:
    import polars as pl

    from .capture import Capture

REGISTERS = tuple(f"{side}{i}" for side in "xr" for i in range(18))
"""x0..x17 what went in, r0..r17 what came out."""
NUMBERS = ("seq", "ts_ns", "ts", "dur_ns", "dur_us", "cpu", "pid", "source", "byte_offset", "parent", "fid", "index")
TEXTS = ("task", "name", "service", "status", "object", "sequence", "paired", "format", "messages")
FLAGS = ("failed", "inferred")
COLUMNS = (*NUMBERS, *TEXTS, *FLAGS, *REGISTERS)
"""Every column that a condition over calls may name."""


class Columns(NamedTuple):
    """The columns that a condition may name, and how they are listed to somebody who named another."""

    names: tuple[str, ...]
    listed: str


CALLS = Columns(COLUMNS, f"{', '.join((*NUMBERS, *TEXTS, *FLAGS))}, x0..x17, r0..r17")

PAIRED = ("both", "enter-only", "exit-only", "whole")
_UNSIGNED = 64
# a string, a quoted identifier, or a hexadecimal number; the alternatives start with different characters
_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|(?<![\w.])0[xX]([0-9a-fA-F_]*)(\w*)""")


def select(capture: Capture, where: str) -> npt.NDArray[np.int64]:
    """The numbers (seq) of the calls for which a condition holds, in order.

    Registers are unsigned and hexadecimal numbers may be written (``x1 = 0x88001000``); a register or time
    that is not known is NULL and fits no comparison. Raises ValueError with one line where the condition
    cannot be read or names no column.
    """
    return rows_where(where, CALLS, lambda name: column(capture, name), len(capture.calls))


def rows_where(where: str, columns: Columns, make: Callable[[str], pl.Series], count: int) -> npt.NDArray[np.int64]:
    """The rows of a table of ``count`` rows for which a condition holds, in order; ``make`` gives a column by its name.
    Raises ValueError."""
    expression, names = parse(where, columns)
    import polars as pl

    frame = pl.DataFrame({name: make(name) for name in names} or {"row": np.arange(count)})
    try:
        hit = frame.lazy().select(expression.alias("hit")).collect()["hit"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as e:
        raise ValueError(_reason(e)) from None
    if hit.dtype != pl.Boolean:
        raise ValueError(f"a condition is wanted, this is a value: {_one_line(where)}")
    if len(hit) != count:
        hit = hit.new_from_index(0, count)  # a constant: TRUE
    return np.flatnonzero(hit.fill_null(False).to_numpy()).astype(np.int64)


def parse(where: str, columns: Columns = CALLS) -> tuple[pl.Expr, list[str]]:
    """The condition as a Polars expression, and the columns it names. Raises ValueError."""
    import polars as pl

    if not where.strip():
        raise ValueError("an empty condition")
    try:
        expression = pl.sql_expr(_TOKEN.sub(_decimal, where))
        names = sorted(set(expression.meta.root_names()))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as e:
        raise ValueError(_reason(e)) from None
    for name in names:
        if name not in columns.names:
            raise ValueError(_unknown(name, columns))
    return expression, names


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


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _reason(error: BaseException) -> str:
    first = str(error).strip().split("\n", 1)[0]
    return _one_line(first) or type(error).__name__


def _unknown(name: str, columns: Columns) -> str:
    close = difflib.get_close_matches(name.lower(), columns.names, 1)
    if close:
        return f"no column {name}; did you mean {close[0]}?"
    if name.isupper():
        return f"no column {name}; text stands in single quotes: '{name}'"
    return f"no column {name}; there are {columns.listed}"


def column(capture: Capture, name: str) -> pl.Series:
    """One column over all calls. Unknown values are null."""
    import polars as pl

    calls = capture.calls
    n = len(calls)
    if name in REGISTERS:
        values, known = capture.regs(np.arange(n, dtype=np.int64), int(name[1:]), out=name[0] == "r")
        return _unsigned(values, known)
    if name in ("ts_ns", "ts"):
        return _number(calls.ts, calls.ts != _NO_TIME, 10**9 if name == "ts" else 1)
    if name in ("dur_ns", "dur_us"):
        return _number(calls.dur, calls.dur >= 0, 1000 if name == "dur_us" else 1)
    if name in ("cpu", "pid"):
        values = getattr(calls, name)
        return _number(values, values >= 0)
    if name in ("seq", "parent"):
        rows = np.arange(n, dtype=np.int64) if name == "seq" else np.asarray(calls.parent)
        return _number(rows if capture.numbers is None else capture.numbers[rows], rows >= 0)
    if name == "fid":
        return _unsigned(calls.fid & np.uint64(FID_MASK), calls.fid != 0)
    if name in FLAGS:
        return pl.Series(np.asarray(getattr(calls, name)))
    if name == "source":
        return pl.Series(calls.source.astype(np.int64))
    if name in _INDEXED:
        return _lookup(getattr(capture, _INDEXED[name]), getattr(calls, name))
    if name == "paired":
        return _lookup(PAIRED, calls.paired)
    if name == "format":
        return _lookup([s.format for s in capture.sources], calls.source)
    return _SLOW[name](capture)


_NO_TIME = -(2**63)
_INDEXED = {"name": "names", "service": "services", "status": "statuses"}


def _number(values: Any, known: Any, divisor: int = 1) -> pl.Series:
    import polars as pl

    series = pl.Series(values.astype(np.int64) if divisor == 1 else values / divisor)
    return series if bool(known.all()) else series.set(pl.Series(~known), None)


def _unsigned(values: Any, known: Any) -> pl.Series:
    """64-bit registers as 128-bit numbers: comparisons and sums with signed literals are then exact."""
    import polars as pl

    series = pl.Series(np.asarray(values), dtype=pl.UInt64).cast(pl.Int128)
    return series if bool(known.all()) else series.set(pl.Series(~known), None)


def _lookup(texts: Any, index: Any) -> pl.Series:
    """Texts by index; a negative index is null, and so is the name of a call that has none."""
    import polars as pl

    table = pl.Series([None if t is None or t.startswith("unknown") else t for t in texts] + [None], dtype=pl.String)
    at = np.where(index >= 0, index, len(texts)).astype(np.uint32)
    return table.gather(pl.Series(at))


def _task(capture: Capture) -> pl.Series:
    import polars as pl

    found = (capture.task(i) for i in range(len(capture.calls)))
    return pl.Series([None if t is None else t.encode("utf-8", "backslashreplace").decode() for t in found], dtype=pl.String)


def _object(capture: Capture) -> pl.Series:
    objects = capture.objects()
    _, first, back = np.unique(
        np.stack([objects.kind.astype(np.uint64), objects.addr]), axis=1, return_index=True, return_inverse=True
    )
    return _lookup([objects.text(i) for i in first.tolist()], back.reshape(-1))


def _sequence(capture: Capture) -> pl.Series:
    """The kind of the sequence that a call belongs to; of nested ones the innermost, which starts last."""
    index = np.full(len(capture.calls), -1, dtype=np.int64)
    kinds: list[str] = []
    for s in sorted(capture.sequences, key=lambda s: s.first):
        index[s.calls] = len(kinds)
        kinds.append(s.kind)
    return _lookup(kinds, index)


def _offset(capture: Capture) -> pl.Series:
    import polars as pl

    calls = capture.calls
    offsets = np.zeros(len(calls), dtype=np.int64)
    first = np.where(calls.enter >= 0, calls.enter, calls.exit)
    for i, s in enumerate(capture.sources):
        mine = calls.source == i
        offsets[mine] = s.records.offset[first[mine]]
    return pl.Series(offsets)


def _index(capture: Capture) -> pl.Series:
    """The second part of x0 (level, index) where the status carries one; decoded once a distinct result."""
    import polars as pl

    import decoders

    calls = capture.calls
    r0, known = capture.regs(np.arange(len(calls), dtype=np.int64), 0, out=True)
    rows = np.flatnonzero(known & (calls.fid != 0))
    results = np.stack([calls.fid[rows], calls.name[rows].astype(np.uint64), r0[rows]])
    distinct, back = np.unique(results, axis=1, return_inverse=True)
    found = [decoders.status_of(fid, x0, capture.revision.of(capture.names[name]))[1] for fid, name, x0 in distinct.T.tolist()]
    out = np.full(len(calls), -1, dtype=np.int64)
    out[rows] = np.array([-1 if i is None else i for i in found], dtype=np.int64)[back.reshape(-1)]
    return pl.Series(out).set(pl.Series(out < 0), None)


def _messages(capture: Capture) -> pl.Series:
    """The names of the protocol messages of a call, in order: 'GET_VERSION VERSION'; null where it has none."""
    import polars as pl

    capture.conversations.decode()
    out: list[str | None] = [None] * len(capture.calls)
    for call, messages in capture.conversations.by_call.items():
        out[call] = ", ".join(m.vendor or m.name for m in messages)
    return pl.Series(out, dtype=pl.String)


_SLOW = {"task": _task, "object": _object, "sequence": _sequence, "byte_offset": _offset, "index": _index, "messages": _messages}
