"""Trees held against what DMTF's spdm_dump says of the same records: names, and each field that it prints.

Where spdm_dump is not followed, because the bytes say otherwise:

- a message of which it names only the code (``GET_CAPABILITIES`` cut short) has no fields there; here it has those that fit
- ``Attr`` of CHALLENGE_AUTH and CHUNK_*, ``Policy`` and the like are the whole byte there; here its bits have names, and
  the byte is compared
- its names of values are compared with ours by ``WORDS``; '<Unknown>', which it says of a selection of nothing, is not
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from decoders.tree import Node
from tests.decoders.spdm import compare_spdm
from tests.decoders.spdm.compare_carried import CARRIED, carried
from tests.decoders.spdm.corpus import innermost
from tests.decoders.spdm.spdm_dump import Record, Said
from tests.decoders.spdm.takes import at, masked


def differences(said: Said, node: Node) -> list[str]:
    """What spdm_dump says of one message otherwise than its tree."""
    return compare_spdm.differences(said, node) if said.kind == "SPDM" else carried(said, node)


def revealed(node: Node, octets: bytes) -> Node:
    """The tree with what it hides: ``octets`` are the bytes that it covers, the plain text in the place of cipher text."""
    if isinstance(node.value, str) and node.value.endswith("redacted>") and node.offset is not None:
        return replace(node, value=octets[node.offset : node.offset + node.size])
    return replace(node, children=tuple(revealed(c, octets) for c in node.children)) if node.children else node


def parts_of(tree: Node) -> Iterator[tuple[str, Node]]:
    """(kind, tree) of the messages in a record, outer ones first, as ``Record.messages`` has them."""
    for node in tree.walk():
        if node.name.startswith("DISCOVERY_"):
            yield "DOE_DISCOVERY", node
            return
        if node.name == "PLDM":
            yield "PLDM", node
            return
        if node.child("SPDMVersion") is not None and node.child("RequestResponseCode") is not None:
            break
    else:
        return
    messages = innermost(node)
    for one in messages:
        yield "SPDM", one
    payload = messages[-1].child("VendorDefinedReqPayload") or messages[-1].child("VendorDefinedRspPayload")
    protocol = payload.child("ProtocolID") if payload is not None else None
    if payload is None or protocol is None or len(payload.children) < 2:
        return
    inner, *whole = payload.children[payload.children.index(protocol) + 1 :]
    kind = protocol.text.split(" (")[0]
    if kind in CARRIED:
        yield kind, replace(inner, children=(*inner.children, *whole))


def large_vendor(node: Node) -> bool:
    """A vendor-defined message in the large form of 1.4, whose length and payload spdm_dump takes from the wrong place."""
    return node.name.startswith("VENDOR_DEFINED") and node.children[0].value == 0x14 and bool(node.children[2].value)


def record_differences(said: Record, tree: Node, direction: str | None = None) -> list[str]:
    """What spdm_dump says of a record otherwise than its tree (a DOE object, an MCTP packet, or what they carry).

    ``direction`` as the tree's own decryption or its code has it, None where it is not to be compared.
    """
    wrong = []
    if tree.name == "DOE":
        ours: tuple[Any, ...] = ("PCI_DOE", *(at(p)(tree) for p in ("VendorID", "DataObjectType")))
        if said.carrier != ours:
            wrong.append(f"{said.carrier} here {ours}")
    elif tree.name == "MCTP" and said.carrier != (found := ("MCTP", masked("MessageType", 0x7F)(tree))):
        wrong.append(f"{said.carrier} here {found}")
    if said.direction is not None and direction is not None and said.direction != direction:
        wrong.append(f"{said.direction} here {direction}")
    secured = next((n for n in tree.walk() if n.name == "SecuredMessage"), None)
    if said.session is not None or secured is not None:
        ids = None if secured is None else at("SessionID")(secured)
        if said.session != ids or (said.sequence is not None and said.sequence != at("SequenceNumber")(secured)):  # type: ignore[arg-type]
            wrong.append(f"session {said.session}, sequence {said.sequence} here {secured}")
    parts = list(parts_of(tree))
    if parts and parts[-1][0] not in ("SPDM", "PLDM", "DOE_DISCOVERY") and large_vendor(parts[-2][1]):
        parts.pop()
        said.messages = [m for m in said.messages if m.kind == "SPDM"]
        for key in ("vendor_id", "ProtID"):
            said.messages[-1].values.pop(key, None)
    if [m.kind for m in said.messages] != [kind for kind, _ in parts]:
        names = [(m.kind, m.name) for m in said.messages]
        return [*wrong, f"{names} here {[(kind, n.name) for kind, n in parts]}"]
    for one, (_, node) in zip(said.messages, parts, strict=True):
        wrong += differences(one, node)
    return wrong
