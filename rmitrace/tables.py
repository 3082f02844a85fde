"""The tables that ``rmitrace query`` asks: calls, messages, states, sequences and findings of a capture, as Polars frames.

Their columns are described in docs/query.md. A table is made when a query reads it, of the columns that it names; calls some
thousand rows at a time. Sentences are as they are shown: what they quote of a capture need not be UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import query_columns, query_messages
from .display import safe

if TYPE_CHECKING:
    import polars as pl

    from .capture import Capture

AT_ONCE = 1 << 16
"""Calls that are made at a time."""

Schema = dict[str, type[Any]]
TIMES = {"start_ns": int, "end_ns": int, "dur_ns": int}
SEQUENCES: Schema = {"number": int, "kind": str, "object": str, "outcome": str, "failed_step": str, **TIMES, "first_call": int,
                     "last_call": int, "calls": int, "why": str}  # fmt: skip
STATES: Schema = {"object": str, "call": int, "ts_ns": int, "from_state": str, "to_state": str, "inferred": bool}
FINDINGS: Schema = {"rule": str, "severity": str, "object": str, "call": int, "calls": int, "source": int, "byte_offset": int,
                    "spec": str, "message": str}  # fmt: skip


def calls_schema() -> Mapping[str, Any]:
    """Columns and types of ``calls``."""
    import polars as pl

    numbers = {n: pl.Float64 if n in ("ts", "dur_us") else pl.Int128 if n == "fid" else pl.Int64 for n in query_columns.NUMBERS}
    return (
        numbers
        | dict.fromkeys(query_columns.TEXTS, pl.String)
        | dict.fromkeys(query_columns.FLAGS, pl.Boolean)
        | dict.fromkeys(query_columns.REGISTERS, pl.Int128)
    )


def messages_schema() -> Mapping[str, Any]:
    """Columns and types of ``messages``."""
    import polars as pl

    numbers = {n: pl.Float64 if n in ("ts", "rtt_us") else pl.Int64 for n in query_messages.NUMBERS}
    return numbers | dict.fromkeys(query_messages.TEXTS, pl.String) | dict.fromkeys(query_messages.FLAGS, pl.Boolean)


def tables(capture: Capture) -> dict[str, pl.LazyFrame]:
    """Every table by its name."""
    return {
        "calls": lazy(calls_schema(), lambda names: _calls(capture, names)),
        "messages": lazy(messages_schema(), lambda names: _messages(capture, names)),
        "sequences": _rows(SEQUENCES, lambda: _sequences(capture)),
        "states": _rows(STATES, lambda: _states(capture)),
        "findings": _rows(FINDINGS, lambda: _findings(capture)),
    }


def lazy(schema: Mapping[str, Any], make: Callable[[list[str]], Iterator[pl.DataFrame]]) -> pl.LazyFrame:
    """A table whose columns are made by ``make`` when they are read, in parts."""
    from polars.io.plugins import register_io_source

    def read(
        names: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        # a query that counts rows names no column: one is made, to have rows
        for part in make(names or list(schema)[:1] if names is not None else list(schema)):
            rows = part if predicate is None else part.filter(predicate)
            if left is not None:
                rows = rows.head(left)
                left -= len(rows)
            yield rows.select(names) if names is not None else rows
            if left == 0:
                return

    return register_io_source(read, schema=schema, is_pure=True)


def _rows(schema: Schema, make: Callable[[], Iterator[tuple[Any, ...]]]) -> pl.LazyFrame:
    """A table made of rows."""
    import polars as pl

    types = {int: pl.Int64, str: pl.String, bool: pl.Boolean}
    columns = {name: types[kind] for name, kind in schema.items()}

    def parts(names: list[str]) -> Iterator[pl.DataFrame]:
        rows, first = make(), True
        while (some := list(islice(rows, AT_ONCE))) or first:
            first = False
            yield pl.DataFrame(some, schema=columns, orient="row").select(names)

    return lazy(columns, parts)


def _calls(capture: Capture, names: list[str]) -> Iterator[pl.DataFrame]:
    import polars as pl

    query_columns.prepare(capture, names)
    count = len(capture.calls)
    for start in range(0, max(count, 1), AT_ONCE):
        rows = slice(start, min(start + AT_ONCE, count))
        yield pl.DataFrame(query_columns.columns(capture, names, rows), schema_overrides=calls_schema())


def _messages(capture: Capture, names: list[str]) -> Iterator[pl.DataFrame]:
    import polars as pl

    capture.conversations.decode()
    every = capture.conversations.all
    yield pl.DataFrame({n: query_messages.column(capture, n, every) for n in names}, schema_overrides=messages_schema())


def _sequences(capture: Capture) -> Iterator[tuple[Any, ...]]:
    for i, s in enumerate(capture.sequences):
        dur = s.end_ns - s.start_ns if s.start_ns is not None and s.end_ns is not None else None
        failed = next((step.name for step in s.steps if step.outcome == "failed"), None)
        first, last = capture.number(s.first), capture.number(s.last)
        yield i, s.kind, s.object, s.outcome, failed, s.start_ns, s.end_ns, dur, first, last, len(s.calls), safe(s.why) or None


def _states(capture: Capture) -> Iterator[tuple[Any, ...]]:
    for s in capture.states:
        yield s.object, capture.number(s.call), s.ts_ns, s.frm, s.to, s.inferred


def _findings(capture: Capture) -> Iterator[tuple[Any, ...]]:
    for f in capture.findings:
        call = capture.number(f.calls[0]) if f.calls else None
        source, offset = (v if v >= 0 else None for v in (f.source, f.offset))
        yield f.rule, f.severity, f.object, call, len(f.calls), source, offset, f.spec or None, safe(f.message)
