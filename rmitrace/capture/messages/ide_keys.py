"""IDE keys at both ends of a link: what was programmed into the endpoint (IDE_KM in the SPDM session) beside what was
programmed into the root port (calls to EL3, or what a console says of them).

An endpoint's KEY_PROG, K_SET_GO and K_SET_STOP are messages. The root port's end is RMM_IDE_KEY_PROG and
FIRME_IDE_KEYSET_PROG with their _GO and _STOP (rmm-el3-comms-spec, TF-RMM include/firme.h), or lines
of a log, see ide_lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from decoders.tree import Node

from .decoding import secret_bytes
from .ide_lines import ENDPOINT, GO, PROG, ROOT_PORT, SEEN, STOP, SUB_STREAMS, Programming, from_lines
from .logs import BINARY, only_events
from .model import Conversation, vendor_object

if TYPE_CHECKING:
    from ..model import Capture
    from .conversations import Conversations

_CALLS = {
    "RMM_IDE_KEY_PROG": PROG,
    "RMM_IDE_KEY_SET_GO": GO,
    "RMM_IDE_KEY_SET_STOP": STOP,
    "FIRME_IDE_KEYSET_PROG": PROG,
    "FIRME_IDE_KEYSET_GO": GO,
    "FIRME_IDE_KEYSET_STOP": STOP,
}
_KEY_REGISTERS = range(4, 8)
NO_OBJECT = "no IDE_KM object in the answer"
REFUSED = ("ERROR ", NO_OBJECT)
"""How a status begins that is told by the response as a whole, not by a KP_ACK."""


@dataclass(slots=True)
class Link:
    """What was done for one direction of a sub-stream with one key, at both ends; each in order, PROG first."""

    stream: int | None
    sub_stream: int
    direction: str
    key_set: int | None
    endpoint: list[Programming] = field(default_factory=list)
    root_port: list[Programming] = field(default_factory=list)
    same: bool | None = None
    """Whether both ends got the same key; None where one of the keys is not known."""

    @property
    def name(self) -> str:
        """'PR RX K0'."""
        return stream_name(self.sub_stream, self.direction, self.key_set)


def stream_name(sub_stream: int, direction: str, key_set: int | None) -> str:
    """'PR RX K0'."""
    sub = {**dict(enumerate(SUB_STREAMS)), 8: "CXL"}.get(sub_stream, f"sub-stream {sub_stream:#x}")
    return f"{sub} {direction}" + (f" K{key_set}" if key_set is not None else "")


def programmings(capture: Capture, conversations: Conversations) -> list[Programming]:
    """Every step at either end, those of each source in its order; looked for once."""
    if conversations.programmed is None:
        conversations.programmed = _programmings(capture, conversations)
    return conversations.programmed


def _programmings(capture: Capture, conversations: Conversations) -> list[Programming]:
    conversations.decode()
    found = [p for c in conversations.list for p in _from_messages(c)]
    told = {(p.action, p.sub_stream, p.direction, k) for p in found for k in (p.key_set, None)}
    found += _from_calls(capture)
    for s, source in enumerate(capture.sources):
        if source.format not in BINARY and not only_events(source):
            lines = list(from_lines(source.data, s))
            exact = any(p.end == ROOT_PORT and p.status == SEEN for p in lines)
            for p in lines:
                known = p.end == ENDPOINT and (p.action, p.sub_stream, p.direction, p.key_set) in told
                if not known and not (exact and p.end == ROOT_PORT and p.status != SEEN and not p.failed):
                    found.append(p)
    return found


def links(steps: list[Programming]) -> list[Link]:
    """The steps of both ends side by side, in the order in which the endpoint's keys, else the root port's, came."""
    streams = {p.stream for p in steps if p.stream is not None}
    only = next(iter(streams)) if len(streams) == 1 else None
    out: list[Link] = []
    same: dict[tuple[int | None, int, str, int | None], list[Link]] = {}
    for end in (ENDPOINT, ROOT_PORT):
        begun: dict[tuple[int | None, int, str, int | None], int] = {}
        for p in (p for p in steps if p.end == end):
            stream = p.stream if p.stream is not None else only
            key = (stream, p.sub_stream, p.direction, p.key_set)
            count = begun.setdefault(key, 0) + (p.action == PROG)
            begun[key] = count
            mine = same.setdefault(key, [])
            if len(mine) < max(count, 1):
                mine.append(Link(*key))
                out.append(mine[-1])
            link = mine[max(count, 1) - 1]
            (link.endpoint if end == ENDPOINT else link.root_port).append(p)
    at_root: dict[tuple[int | None, int, int | None], set[bytes]] = {}
    for link in out:
        keys = at_root.setdefault((link.stream, link.sub_stream, link.key_set), set())
        keys.update(p.key for p in link.root_port if p.key is not None)
    for link in out:
        link.same = _same(link, at_root[link.stream, link.sub_stream, link.key_set])
    return out


def _same(link: Link, there: set[bytes]) -> bool | None:
    """Whether the endpoint's key is at the root port, ``there``: under this direction's name or the other's."""
    key = next((p.key for p in link.endpoint if p.key is not None), None)
    if key is None or not any(p.key is not None for p in link.root_port):
        return None
    return key in there


# the endpoint's messages


def _from_messages(c: Conversation) -> Iterator[Programming]:
    for x in c.exchanges:
        m = x.request
        node = m.spdm if m is not None else None
        found = vendor_object(node) if node is not None else None
        if m is None or found is None or not found[0].endswith("IDE_KM") or found[1] is None:
            continue
        inner = found[1]
        if inner.name not in (PROG, GO, STOP):
            continue
        sub = _value(inner, "KeySubStream")
        status, failed = _answer(x.response.spdm if x.response is not None else None)
        p = Programming(
            ENDPOINT,
            inner.name,
            _value(inner, "StreamID"),
            sub >> 4,
            "TX" if sub & 2 else "RX",
            sub & 1,
            status,
            failed,
            m.place.source,
            m.place.offset,
            m.place.call,
            m.seq,
            conversation=c,
        )
        for name in ("Key", "IFV", "IV"):
            secret = inner.child(name)
            if secret is not None:
                value = secret.value if isinstance(secret.value, bytes) else secret_bytes(m, secret)
                if name == "Key":
                    p.key = value
                else:
                    p.iv = value
        yield p


def _answer(response: Node | None) -> tuple[str, bool]:
    if response is None:
        return "", False
    found = vendor_object(response)
    if response.name == "ERROR":
        return f"ERROR {response.text}", True
    if found is None or found[1] is None:
        return NO_OBJECT, True
    status = found[1].child("Status")
    if status is None:
        return "", False
    return status.text.split(" (")[0], bool(status.value)


def _value(node: Node, name: str) -> int:
    child = node.child(name)
    return child.value if child is not None and isinstance(child.value, int) else 0


# the root port's calls


def _from_calls(capture: Capture) -> Iterator[Programming]:
    names = {i: n for i, n in enumerate(capture.names) if n in _CALLS}
    c = capture.calls
    for seq in np.flatnonzero(np.isin(c.name, list(names))).tolist() if names else ():
        name = names[int(c.name[seq])]
        call = capture.call(seq)
        x = call.x
        info = x[3] if len(x) > 3 and x[3] is not None else 0
        if name.startswith("FIRME"):
            where = (info >> 6 & 0xFF, info >> 2 & 0xF, info >> 1 & 1, info & 1)
        else:
            where = (info & 0xFF, info >> 8 & 7, info >> 11 & 1, info >> 12 & 1)
        words = [x[i] for i in _KEY_REGISTERS if i < len(x)]
        key = b"".join(w.to_bytes(8, "little") for w in words if w is not None)
        yield Programming(
            ROOT_PORT,
            _CALLS[name],
            where[0],
            where[1],
            "RX" if where[2] else "TX",
            where[3],
            call.status or "",
            bool(c.failed[seq]),
            call.source,
            call.offset,
            seq,
            key=key if _CALLS[name] == PROG and len(key) == 32 else None,
        )
