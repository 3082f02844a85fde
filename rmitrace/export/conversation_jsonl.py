"""The protocol messages of a capture as JSON lines, with what comes of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from ..capture.messages import Chain, Message
from ..capture.messages.cached import CachedObject, cached_objects
from ..capture.messages.certificates import chain_tree, latest
from ..capture.messages.facts import facts
from ..capture.messages.ide_keys import Link, links, programmings
from ..capture.messages.ide_lines import Programming
from ..capture.messages.statistics import is_error, round_trips
from ..capture.model import Capture
from . import jsonl, jsonl_calls

HIDDEN = "hidden"
"""In the place of an IDE key or IV, unless --show-secrets."""


def write(capture: Capture, chosen: list[Message], out: IO[str], *, all_: bool = True) -> None:
    """One object a line: capture, messages, IDE links, certificate chains, cached objects, findings, summary."""
    for item in objects(capture, chosen, all_):
        out.write(json.dumps(item, separators=(",", ":")) + "\n")


def objects(capture: Capture, chosen: list[Message], all_: bool = True) -> Iterator[dict[str, Any]]:
    """The objects of ``write_json``."""
    conversations = capture.conversations
    conversations.decode()
    trips = round_trips(conversations)
    yield jsonl.capture_object(capture)
    for m in chosen:
        made = jsonl_calls.message_object(m, conversations.reveal)
        made["facts"] = facts(m)
        made["partner"] = m.partner.seq if m.partner is not None else None
        made["round_trip_ns"] = trips.get(m.seq)
        yield made
    if all_:
        yield from (_link_object(k, conversations.reveal) for k in links(programmings(capture, conversations)))
        yield from (_chain_object(c) for c in latest(conversations.chains))
        yield from (_object_object(o) for o in cached_objects(capture))
        yield from (jsonl.finding_object(f) for f in capture.findings)
    names = Counter(m.title.split(" in session")[0] for m in chosen)
    errors = sum(is_error(m) for m in chosen)
    yield {"type": "summary", "messages": len(chosen), "errors": errors, "by_name": dict(names.most_common())}


def _link_object(link: Link, reveal: bool) -> dict[str, Any]:
    return {
        "type": "ide_key",
        "stream": link.stream,
        "sub_stream": link.sub_stream,
        "direction": link.direction,
        "key_set": link.key_set,
        "name": link.name,
        "same_key": link.same,
        "endpoint": [_step_object(p, reveal) for p in link.endpoint],
        "root_port": [_step_object(p, reveal) for p in link.root_port],
    }


def _step_object(p: Programming, reveal: bool) -> dict[str, Any]:
    out: dict[str, Any] = {
        "action": p.action,
        "status": p.status,
        "failed": p.failed,
        "call": p.call,
        "message": p.message,
        "source": p.source,
        "offset": p.offset,
    }
    if p.key is not None:
        out["key"] = p.key.hex() if reveal else HIDDEN
    if p.iv is not None:
        out["iv"] = p.iv.hex() if reveal else HIDDEN
    return out


def _chain_object(c: Chain) -> dict[str, Any]:
    return {
        "type": "certificate_chain",
        "device": c.conversation.device,
        "side": c.side,
        "slot": c.slot,
        "message": c.message.seq,
        "data": c.data.hex(),
        "tree": chain_tree(c).to_json(),
    }


def _object_object(o: CachedObject) -> dict[str, Any]:
    return {
        "type": "cached_object",
        "device": o.device,
        "kind": o.kind,
        "calls": o.calls,
        "data": o.data.hex(),
        "tree": o.tree().to_json(),
    }
