"""IDE_KM: keys that were refused, programmed at one end only or differently, or used before they were programmed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..capture.messages import Conversation, Message, vendor_object
from ..capture.messages.facts import name_and_facts
from ..capture.messages.ide_keys import REFUSED, links, programmings, stream_name
from ..capture.messages.ide_lines import ENDPOINT, GO, PROG, STOP, Programming
from ..capture.records import Finding
from .message_rules import ACKNOWLEDGEMENTS, KEYS
from .rule import Check
from .spdm import at, limited

if TYPE_CHECKING:
    from decoders.tree import Node

    from ..capture.model import Capture

_SPEC = "PCIe r6 6.33.3 IDE_KM"
_ECHOED = ("StreamID", "KeySubStream", "PortIndex")
_EXPECTED = {"QUERY": "QUERY_RESP", PROG: "KP_ACK", GO: "K_GOSTOP_ACK", STOP: "K_GOSTOP_ACK", "GET_KEY": "GET_KEY_ACK"}


def keys(capture: Capture) -> Iterable[Finding]:
    """IDE-KEY-REFUSED, IDE-KEY-MISMATCH, IDE-ORDER: the programming of keys at both ends."""
    steps = programmings(capture, capture.conversations)
    yield from limited(_steps(capture, steps))
    for link in links(steps):
        if link.same is False:
            p = link.endpoint[0]
            text = f"stream {link.stream}, {link.name}: the key at the root port is not the endpoint's"
            yield Finding("IDE-KEY-MISMATCH", "error", text, p.source, p.offset, spec=_SPEC)


def _steps(capture: Capture, steps: list[Programming]) -> Iterator[Finding]:
    ready: dict[tuple[object, ...], str] = {}
    whole = {id(c) for c in capture.conversations.list if any(m.name == "KEY_EXCHANGE_RSP" for m in c.messages)}
    for p in steps:
        calls = (p.call,) if p.call is not None else ()
        stream = p.stream if p.stream is not None else "?"
        name = f"{p.action} of stream {stream}, {stream_name(p.sub_stream, p.direction, p.key_set)}, at the {p.end}"
        if p.failed and not p.status.startswith(REFUSED):  # that is a finding already
            text = f"{name} failed: {p.status}"
            yield Finding("IDE-KEY-REFUSED", "error", text, p.source, p.offset, None, calls, _SPEC)
        if p.end != ENDPOINT or p.message is None or p.conversation is None or id(p.conversation) not in whole:
            continue
        key = (id(p.conversation), p.stream, p.sub_stream, p.direction, p.key_set)
        state = ready.get(key, "")
        if p.action == GO and not state:
            yield Finding("IDE-ORDER", "warning", f"{name} without KEY_PROG before it", p.source, p.offset, None, calls, _SPEC)
        elif p.action == STOP and state != GO:
            yield Finding("IDE-ORDER", "note", f"{name}, which had not been started", p.source, p.offset, None, calls, _SPEC)
        if not p.failed:
            ready[key] = "" if p.action == STOP else p.action


def acknowledgements(capture: Capture) -> Iterable[Finding]:
    """IDE-ACK: an answer that is not the acknowledgement of what was asked, or has other fields than the request."""
    capture.conversations.decode()
    yield from limited(f for c in capture.conversations.list for f in _acknowledged(c))


def _acknowledged(c: Conversation) -> Iterator[Finding]:
    for x in c.exchanges:
        if x.request is None or x.response is None:
            continue
        asked, said = _object(x.request), _object(x.response)
        if asked is None or asked.name not in _EXPECTED or x.response.name != "VENDOR_DEFINED_RESPONSE":
            continue
        wanted = _EXPECTED[asked.name]
        if said is None or said.name != wanted:
            got = "an empty VENDOR_DEFINED_RESPONSE" if said is None else said.name
            text = f"{name_and_facts(x.request)} was answered with {got}, {wanted} was due"
            yield at("IDE-ACK", "error", text, x.response, _SPEC)
            continue
        other = [n for n in _ECHOED if _value(asked, n) is not None and _value(asked, n) != _value(said, n)]
        if other and wanted != "QUERY_RESP":
            text = f"{name_and_facts(x.request)} was acknowledged with another {' and '.join(other)}"
            yield at("IDE-ACK", "error", text, x.response, _SPEC)


def _object(m: Message) -> Node | None:
    found = vendor_object(m.spdm) if m.spdm is not None else None
    return found[1] if found is not None and found[0].endswith("IDE_KM") else None


def _value(node: Node, name: str) -> object:
    child = node.child(name)
    return None if child is None else child.value


CHECKS = (Check(acknowledgements, ACKNOWLEDGEMENTS), Check(keys, KEYS))
