"""SPDM as it was spoken: what was not answered or refused, messages that are damaged or cannot be decrypted, and choices
that are weaker than they had to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from decoders.tree import Node

from ..capture.messages import Conversation, Message
from ..capture.messages.facts import name_and_facts
from ..capture.messages.model import RESPONSE, answers
from ..capture.messages.statistics import error_code
from ..capture.records import Finding
from .message_rules import DAMAGE, EXCHANGES, NEGOTIATION
from .rule import Check

if TYPE_CHECKING:
    from ..capture.model import Capture

MOST = 50
"""Findings of one rule; how many more there are is said."""
_TRANSIENT = ("Busy", "ResponseNotReady", "RequestInFlight", "NoPendingRequests")
_NOT_OPENED = ("not decrypted: ", "not authenticated: ")


def at(rule: str, severity: str, text: str, m: Message, spec: str = "") -> Finding:
    """A finding about a message."""
    calls = (m.place.call,) if m.place.call is not None else ()
    return Finding(rule, severity, text, m.place.source, m.place.offset, m.place.device, calls, spec)


def limited(findings: Iterable[Finding]) -> Iterator[Finding]:
    """At most MOST findings of each rule, and one that says how many more there are."""
    counts: dict[str, int] = {}
    for f in findings:
        counts[f.rule] = counts.get(f.rule, 0) + 1
        if counts[f.rule] <= MOST:
            yield f
    for rule, n in counts.items():
        if n > MOST:
            yield Finding(rule, "note", f"{n - MOST} more of these")


def problems(capture: Capture) -> Iterable[Finding]:
    """What finding the messages itself has to say: packets and dumps that are none, sources that could not be joined."""
    capture.conversations.decode()
    yield from limited(capture.conversations.problems)


def exchanges(capture: Capture) -> Iterable[Finding]:
    """SPDM-ERROR, SPDM-ANSWER, SPDM-UNANSWERED, SPDM-NO-REQUEST: requests and responses that do not go together;
    SPDM-STOPPED: an odd response that nothing follows."""
    capture.conversations.decode()
    yield from limited(f for c in capture.conversations.list for f in _exchanges(c))


_INDEXES = 16
"""Indexes that are refused from which somebody tries them all."""


def _exchanges(c: Conversation) -> Iterator[Finding]:
    heard = any(x.response is not None for x in c.exchanges)
    spoken = any(x.request is not None for x in c.exchanges)
    if not heard or not spoken:
        side = "responses" if spoken else "requests"
        yield at("SPDM-UNANSWERED", "note", f"the capture has no {side} of this conversation", c.messages[0])
        return
    refused: dict[tuple[str, str], list[tuple[Message, Message]]] = {}
    for i, x in enumerate(c.exchanges):
        request, response = x.request, x.response
        if request is None:
            if response is not None and response.data:
                text = f"{name_and_facts(response)} without a request, or its request is not in the capture"
                yield at("SPDM-NO-REQUEST", "warning", text, response)
        elif response is None:
            if request.data:
                last = i == len(c.exchanges) - 1
                text = f"{name_and_facts(request)} was not answered" + (" before the end of the capture" if last else "")
                yield at("SPDM-UNANSWERED", "note" if last else "warning", text, request)
        elif response.name == "ERROR":
            code = error_code(response)
            if code != "LargeResponse":  # that only says that the response comes in chunks
                refused.setdefault((request.vendor or request.name, code), []).append((request, response))
        elif not answers(request.code, response.code):
            text = f"{name_and_facts(request)} was answered with {response.name}"
            yield at("SPDM-ANSWER", "warning", text, response, "DSP0274")
    for (_, code), pairs in refused.items():
        yield _refused(code, pairs)
    yield from _stopped(c)


def _stopped(c: Conversation) -> Iterator[Finding]:
    """The last response of a conversation where it has something odd: the requester may not have accepted it."""
    last = c.messages[-1]
    if last.tree is None or last.name in ("ERROR", "END_SESSION_ACK") or last.direction != RESPONSE:
        return
    odd = [f"{n.name}: {n.note}" for n in last.tree.walk() if n.note and n.severity == "warning"]
    if odd and not any(p in odd[0] for p in _NOT_OPENED):
        more = f"; and {len(odd) - 2} more" if len(odd) > 2 else ""
        text = f"nothing follows {last.title}, in which is odd: {'; '.join(odd[:2])}{more}"
        yield at("SPDM-STOPPED", "warning", text, last, "DSP0274")


def _refused(code: str, pairs: list[tuple[Message, Message]]) -> Finding:
    request, response = pairs[0]
    times = f", and {len(pairs) - 1} more so" if len(pairs) > 1 else ""
    details = response.spdm.text if response.spdm is not None else ""
    text = f"{name_and_facts(request)} was answered with ERROR {details or code}{times}"
    calls = tuple(m.place.call for _, m in pairs if m.place.call is not None)
    harmless = code in _TRANSIENT or _asks_for_indexes(code, pairs)
    found = at("SPDM-ERROR", "note" if harmless else "error", text, response, "DSP0274 ERROR")
    return replace(found, calls=calls[:1000])


def _asks_for_indexes(code: str, pairs: list[tuple[Message, Message]]) -> bool:
    """Whether a requester went through the indexes of measurements, most of which no device has (libspdm's sample does)."""
    if pairs[0][0].name != "GET_MEASUREMENTS" or code != "InvalidRequest":
        return False
    nodes = (m.spdm.child("MeasurementOperation") for m, _ in pairs if m.spdm is not None)
    asked = {n.value for n in nodes if n is not None}
    return len(asked) >= _INDEXES and not {0, 0xFF} & asked  # these ask for their number, and for all of them


def damage(capture: Capture) -> Iterable[Finding]:
    """SPDM-DAMAGED: messages whose bytes do not fit; SPDM-NOT-DECRYPTED: secured ones that the secrets given do
    not open, or whose MAC is not right, once a session."""
    capture.conversations.decode()
    yield from limited(_damaged(capture))
    yield from limited(_closed(capture))


def _damaged(capture: Capture) -> Iterator[Finding]:
    for m in capture.conversations.all:
        if m.tree is None or m.declared is not None:
            continue
        proven = {name for name, _ in m.proven}  # what does not hold is a finding of checks.proofs
        for n in m.tree.walk():
            if n.severity == "error" and n.note and n.name not in proven and not n.note.startswith(_NOT_OPENED):
                yield at("SPDM-DAMAGED", "error", f"{m.title}: {n.name}: {n.note}", m)
                break


def _closed(capture: Capture) -> Iterator[Finding]:
    for c in capture.conversations.list:
        found: dict[tuple[int | None, str], tuple[Message, Node, int]] = {}
        for m in c.messages:
            if not m.secured or m.tree is None:
                continue
            around = (m.tree, *m.tree.children, *(n for c in m.tree.children for n in c.children))
            node = next((n for n in around if n.note and any(p in n.note for p in _NOT_OPENED)), None)
            if node is not None and capture.conversations.keys:
                first, why, count = found.get((m.session_id, str(node.note)), (m, node, 0))
                found[m.session_id, str(node.note)] = (first, why, count + 1)
        for (session, note), (m, node, count) in found.items():
            text = f"session 0x{session or 0:08x}: {note} ({count} message{'s' if count > 1 else ''})"
            # a session of which the capture has not the beginning is nobody's fault
            severity = "note" if "without negotiation" in note else node.severity or "note"
            yield at("SPDM-NOT-DECRYPTED", severity, text, m)


# what was negotiated


def negotiation(capture: Capture) -> Iterable[Finding]:
    """SPDM-DOWNGRADE: a version below what both have said, or below the one before; SPDM-VERSION: nothing comes after
    VERSION, and it is not behind the end of a session; SPDM-ALGORITHM: an algorithm that was not offered, or none."""
    capture.conversations.decode()
    for c in capture.conversations.list:
        yield from _versions(c)
        for x in c.exchanges:
            if x.request is not None and x.response is not None and x.response.name == "ALGORITHMS":
                asked, said = x.request.spdm, x.response.spdm
                if asked is not None and said is not None and asked.name == "NEGOTIATE_ALGORITHMS":
                    yield from _algorithms(asked, said, x.response)


def _versions(c: Conversation) -> Iterator[Finding]:
    offered: list[int] = []
    before: int | None = None
    for m in c.messages:
        node = m.spdm
        if node is None or m.session_id is not None:
            continue
        if node.name == "VERSION":
            entries = [n.value for n in node.children if n.name.startswith("VersionNumberEntry[")]
            offered = [v >> 8 for v in entries if isinstance(v, int)]
        elif node.name == "CAPABILITIES":
            chosen = _number(node, "SPDMVersion")
            if offered and chosen < max(offered):
                text = f"the device offers SPDM {_dotted(max(offered))}, the connection goes on with {_dotted(chosen)}"
                yield at("SPDM-DOWNGRADE", "note", text, m, "DSP0274 GET_VERSION")
            if before is not None and chosen < before:
                text = f"SPDM {_dotted(chosen)} after {_dotted(before)} with the same device"
                yield at("SPDM-DOWNGRADE", "warning", text, m, "DSP0274 GET_VERSION")
            before = chosen
    # TF-RMM ends a session and asks for the versions, so that the device forgets the connection: they had one in common
    forgets = before in offered and len(c.messages) > 2 and c.messages[-3].session_id is not None
    if offered and c.messages[-1].name == "VERSION" and not forgets:
        text = f"nothing follows VERSION ({', '.join(map(_dotted, offered))}): no version in common, or it was stopped there"
        yield at("SPDM-VERSION", "note", text, c.messages[-1], "DSP0274 GET_VERSION")


_PAIRS = (("BaseAsymAlgo", "BaseAsymSel"), ("BaseHashAlgo", "BaseHashSel"), ("PqcAsymAlgo", "PqcAsymSel"))


def _algorithms(asked: Node, said: Node, m: Message) -> Iterator[Finding]:
    pairs = [(name, asked.child(a), said.child(b)) for a, b in _PAIRS for name in (b,)]
    offered = {_number(n, "AlgType"): n for n in asked.children if n.name.startswith("ReqAlgStruct[")}
    chosen = {_number(n, "AlgType"): n for n in said.children if n.name.startswith("RespAlgStruct[")}
    for kind, node in offered.items():
        answer = chosen.get(kind)
        name = node.text.split(":")[0]
        pairs.append((name, node.child("AlgSupported"), answer.child("AlgSupported") if answer is not None else None))
    pqc = any(n == "PqcAsymSel" and b is not None and b.value for n, _, b in pairs)
    for name, a, b in pairs:
        have, got = _int(a), _int(b)
        if have is None or got is None:
            continue
        if got & ~have:
            text = f"{name}: the device chose {b.text if b is not None else got}, which was not offered"
            yield at("SPDM-ALGORITHM", "error", text, m, "DSP0274 ALGORITHMS")
        elif got & (got - 1):
            text = f"{name}: the device chose more than one: {b.text if b is not None else got}"
            yield at("SPDM-ALGORITHM", "error", text, m, "DSP0274 ALGORITHMS")
        elif have and not got and name in ("BaseAsymSel", "BaseHashSel") and not (pqc and name == "BaseAsymSel"):
            text = f"{name}: nothing chosen of {a.text if a is not None else have}"
            yield at("SPDM-ALGORITHM", "note", text, m, "DSP0274 ALGORITHMS")


def _number(node: Node, name: str) -> int:
    return _int(node.child(name)) or 0


def _int(node: Node | None) -> int | None:
    return node.value if node is not None and isinstance(node.value, int) else None


def _dotted(version: int) -> str:
    return f"{version >> 4}.{version & 15}"


CHECKS = (Check(exchanges, EXCHANGES), Check(negotiation, NEGOTIATION), Check(damage, DAMAGE))
