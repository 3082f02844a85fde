"""SQL conditions over the protocol messages of a capture: what ``--where`` of ``messages`` takes.

The columns are described in docs/query.md. Conditions are read as those over calls are (rmitrace.query).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .query import Columns, rows_where

if TYPE_CHECKING:
    import polars as pl

    from .capture import Capture
    from .capture.messages import Message

NUMBERS = ("seq", "call", "ts", "ts_ns", "rtt_ns", "rtt_us", "source", "byte_offset", "size", "code", "session")
TEXTS = ("name", "vendor", "facts", "direction", "device", "layers", "format", "error", "note")
FLAGS = ("secured", "decrypted", "answered", "refused")
MESSAGES = Columns((*NUMBERS, *TEXTS, *FLAGS), ", ".join((*NUMBERS, *TEXTS, *FLAGS)))
"""Every column that a condition over messages may name."""


def select(capture: Capture, where: str, chosen: Sequence[Message]) -> list[Message]:
    """Those of the messages for which a condition holds, in order.

    What is not known is NULL and fits no comparison. Raises ValueError with one line where the condition cannot be
    read or names no column.
    """
    rows = rows_where(where, MESSAGES, lambda name: column(capture, name, chosen), len(chosen))
    return [chosen[i] for i in rows.tolist()]


def column(capture: Capture, name: str, messages: Sequence[Message]) -> pl.Series:
    """One column over messages. Unknown values are null."""
    import polars as pl

    from .capture.messages.facts import shown_time
    from .capture.messages.statistics import round_trips

    if name in ("rtt_ns", "rtt_us"):
        trips = round_trips(capture.conversations)
        of = [_trip(m, trips) for m in messages]
        return pl.Series(of, dtype=pl.Int64) if name == "rtt_ns" else pl.Series(of, dtype=pl.Int64) / 1000
    if name in ("ts", "ts_ns"):
        ns = [shown_time(capture, m) for m in messages]
        return pl.Series(ns, dtype=pl.Int64) if name == "ts_ns" else pl.Series(ns, dtype=pl.Int64) / 10**9
    if name == "format":
        return pl.Series([capture.sources[m.place.source].format for m in messages], dtype=pl.String)
    kind: Any = pl.String if name in TEXTS else pl.Boolean if name in FLAGS else pl.Int64
    return pl.Series([_VALUES[name](m) for m in messages], dtype=kind)


def _trip(m: Message, trips: dict[int, int]) -> int | None:
    """The round-trip time of the exchange that a message belongs to."""
    found = trips.get(m.seq)
    return found if found is not None or m.partner is None else trips.get(m.partner.seq)


def _facts(m: Message) -> str:
    from .capture.messages.facts import facts

    return facts(m)


def _error(m: Message) -> str | None:
    from .capture.messages.statistics import error_code, is_error

    return (error_code(m) or m.vendor) if m.name == "ERROR" or is_error(m) else None


def _refused(m: Message) -> bool:
    from .capture.messages.statistics import is_error

    return is_error(m) or (m.partner is not None and is_error(m.partner))


def _note(m: Message) -> str | None:
    if m.tree is None:
        return None
    return "; ".join(str(n.note) for n in m.tree.walk() if n.note and n.severity in ("warning", "error")) or None


_VALUES: dict[str, Callable[[Message], Any]] = {
    "seq": lambda m: m.seq,
    "call": lambda m: m.place.call,
    "source": lambda m: m.place.source,
    "byte_offset": lambda m: m.place.offset,
    "size": lambda m: m.size,
    "code": lambda m: m.code,
    "session": lambda m: m.session_id,
    "name": lambda m: m.name,
    "vendor": lambda m: m.vendor,
    "facts": _facts,
    "direction": lambda m: m.direction,
    "device": lambda m: m.place.device,
    "layers": lambda m: " ".join(m.layers),
    "error": _error,
    "note": _note,
    "secured": lambda m: m.secured,
    "decrypted": lambda m: m.inside is not None,
    "answered": lambda m: m.partner is not None,
    "refused": _refused,
}
