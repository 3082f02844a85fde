"""TDISP: requests that the interface refused, that came in the wrong state, and nonces that do not match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from decoders.tree import Node

from ..capture.messages import Conversation, Exchange, Message, vendor_object
from ..capture.messages.facts import name_and_facts
from ..capture.records import Finding
from .message_rules import INTERFACES
from .rule import Check
from .spdm import at, limited

if TYPE_CHECKING:
    from ..capture.model import Capture

_SPEC = "PCIe r6 11.3 TDISP"
_ALLOWED = {
    "LOCK_INTERFACE_REQUEST": ("CONFIG_UNLOCKED",),
    "START_INTERFACE_REQUEST": ("CONFIG_LOCKED",),
    "GET_DEVICE_INTERFACE_REPORT": ("CONFIG_LOCKED", "RUN"),
}
_BECOMES = {
    "LOCK_INTERFACE_RESPONSE": "CONFIG_LOCKED",
    "START_INTERFACE_RESPONSE": "RUN",
    "STOP_INTERFACE_RESPONSE": "CONFIG_UNLOCKED",
}


@dataclass(slots=True)
class _Interface:
    """What is known of one TDI: its state, and the nonce that LOCK_INTERFACE_RESPONSE gave."""

    state: str | None = None
    nonce: bytes | None = None


def interfaces(capture: Capture) -> Iterable[Finding]:
    """TDISP-ERROR, TDISP-ORDER, TDISP-NONCE, TDISP-STATE, TDISP-ANSWER."""
    capture.conversations.decode()
    yield from limited(f for c in capture.conversations.list for f in _conversation(c))


def _conversation(c: Conversation) -> Iterator[Finding]:
    known: dict[int, _Interface] = {}
    for x in c.exchanges:
        asked = _object(x.request) if x.request is not None else None
        if x.request is None or asked is None:
            continue
        tdi = known.setdefault(_number(asked, "FUNCTION_ID"), _Interface())
        yield from _asked(x.request, asked, tdi)
        if x.response is not None:
            yield from _said(x, asked, tdi)


def _asked(m: Message, asked: Node, tdi: _Interface) -> Iterator[Finding]:
    allowed = _ALLOWED.get(asked.name)
    if allowed is not None and tdi.state is not None and tdi.state not in allowed:
        text = f"{name_and_facts(m)} in {tdi.state}; it needs {' or '.join(allowed)}"
        yield at("TDISP-ORDER", "warning", text, m, _SPEC)
    nonce = asked.child("START_INTERFACE_NONCE")
    if nonce is not None and tdi.nonce is not None and nonce.value != tdi.nonce:
        text = f"{name_and_facts(m)}: not the nonce of LOCK_INTERFACE_RESPONSE"
        yield at("TDISP-NONCE", "error", text, m, _SPEC)


def _said(x: Exchange, asked: Node, tdi: _Interface) -> Iterator[Finding]:
    assert x.request is not None
    assert x.response is not None
    said = _object(x.response)
    if said is None:
        return
    code, wanted = _number(said, "MessageType"), _number(asked, "MessageType") & 0x7F
    if code == 0x7F:
        node = said.child("ERROR_CODE")
        what = node.text if node is not None else "?"
        severity = "note" if what.startswith("BUSY") else "error"
        yield at("TDISP-ERROR", severity, f"{name_and_facts(x.request)} was refused: {what}", x.response, _SPEC)
        return
    if code != wanted:
        yield at("TDISP-ANSWER", "warning", f"{name_and_facts(x.request)} was answered with {said.name}", x.response, _SPEC)
        return
    if said.name == "DEVICE_INTERFACE_STATE":
        node = said.child("TDI_STATE")
        state = node.text.split(" (")[0] if node is not None else None
        if tdi.state is not None and state is not None and state != tdi.state:
            severity = "error" if state == "ERROR" else "warning"
            yield at("TDISP-STATE", severity, f"the interface is in {state}, and was in {tdi.state} before", x.response, _SPEC)
        tdi.state = state
    elif said.name in _BECOMES:
        tdi.state = _BECOMES[said.name]
        nonce = said.child("START_INTERFACE_NONCE")
        tdi.nonce = nonce.value if nonce is not None and isinstance(nonce.value, bytes) else None


def _object(m: Message) -> Node | None:
    found = vendor_object(m.spdm) if m.spdm is not None else None
    return found[1] if found is not None and found[0] == "TDISP" else None


def _number(node: Node, name: str) -> int:
    return next((n.value for n in node.walk() if n.name == name and isinstance(n.value, int)), 0)


CHECKS = (Check(interfaces, INTERFACES),)
