"""How long the device took to answer, and how often it refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .conversations import Conversations
from .model import REQUEST, Exchange, Message


def round_trips(conversations: Conversations) -> dict[int, int]:
    """Number of a response -> time since its request in ns, where the clock is fine enough to tell."""
    coarse = _coarse_sources(conversations)
    out = {}
    for c in conversations.list:
        for x in c.exchanges:
            took = round_trip(x, coarse)
            if took is not None and x.response is not None:
                out[x.response.seq] = took
    return out


def _coarse_sources(conversations: Conversations) -> set[int]:
    """Sources whose times are whole seconds."""
    fine: set[int] = set()
    seen: set[int] = set()
    for m in conversations.all:
        for p in (m.place, *m.also):
            if p.ts_ns is not None:
                seen.add(p.source)
                if p.ts_ns % 10**9:
                    fine.add(p.source)
    return seen - fine


def round_trip(x: Exchange, coarse: set[int]) -> int | None:
    """Time from request to response in ns by the finest source that has both, None where there is none."""
    if x.request is None or x.response is None:
        return None
    for a in (*x.request.also[::-1], x.request.place):
        for b in (*x.response.also[::-1], x.response.place):
            if a.source == b.source and a.source not in coarse and a.ts_ns is not None and b.ts_ns is not None:
                return b.ts_ns - a.ts_ns if b.ts_ns >= a.ts_ns else None
    return None


def is_error(m: Message) -> bool:
    """Whether it is a response that refuses: SPDM ERROR (not that with which a large response begins), TDISP_ERROR, an IDE
    key that was not taken."""
    if m.name == "ERROR":
        return error_code(m) != "LargeResponse"
    return (m.vendor or "").endswith("TDISP_ERROR") or (" KP_ACK" in (m.vendor or "") and not _success(m))


def error_code(m: Message) -> str:
    """The name of an ERROR's code, 'Busy'; empty where its bytes do not have it."""
    code = m.spdm.child("ErrorCode") if m.spdm is not None else None
    return code.text.split(" (")[0] if code is not None else ""


def _success(m: Message) -> bool:
    node = m.spdm
    return node is None or all(n.value == 0 for n in node.walk() if n.name == "Status")


@dataclass(frozen=True, slots=True)
class Row:
    """The messages of one name. Times are ns from request to response, None where no source has them.

    errors  requests that were refused, or refusals
    """

    name: str
    direction: str
    count: int
    errors: int
    unanswered: int
    timed: int
    p50_ns: int | None
    p99_ns: int | None
    max_ns: int | None


def name_of(m: Message) -> str:
    """The name that counts for statistics: that of the object inside a vendor-defined message, where it is known."""
    return m.vendor or m.name


def rows(conversations: Conversations, chosen: Iterable[Message] | None = None) -> list[Row]:
    """A row for each name, requests before responses, the most frequent first."""
    conversations.decode()
    trips = round_trips(conversations)
    groups: dict[tuple[bool, str], list[Message]] = {}
    for m in conversations.all if chosen is None else chosen:
        groups.setdefault((m.direction != REQUEST, name_of(m)), []).append(m)
    out = []
    for (response, name), group in groups.items():
        took = sorted(trips[m.partner.seq] for m in group if not response and m.partner is not None and m.partner.seq in trips)
        errors = sum(is_error(m) if response else m.partner is not None and is_error(m.partner) for m in group)
        waiting = 0 if response else sum(m.partner is None for m in group)
        direction = "response" if response else "request"
        quantiles = (_quantile(took, 50), _quantile(took, 99), took[-1] if took else None)
        out.append(Row(name, direction, len(group), errors, waiting, len(took), *quantiles))
    return sorted(out, key=lambda r: (r.direction == "response", -r.count, r.name))


def _quantile(ordered: list[int], percent: int) -> int | None:
    """Nearest rank."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
