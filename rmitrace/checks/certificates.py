"""Certificate chains: whether they hold, are the ones that were announced, and whether the RMM was given their key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from decoders.tree import Node
from decoders.x509 import decode_chain

from ..capture.messages import Chain, Conversation, Message
from ..capture.messages.certificates import chain_tree, given_keys, latest
from ..capture.records import Finding
from .message_rules import CHAINS, PUBLIC_KEYS
from .rule import Check
from .spdm import at, limited

if TYPE_CHECKING:
    from ..capture.model import Capture


_SPEC = "DSP0274 DIGESTS"
_CHAIN_SPEC = "DSP0274 certificates and certificate chains"
_WITH_DIGESTS = ("DIGESTS", "DELIVER_ENCAPSULATED_RESPONSE", "CHUNK_RESPONSE", "CHUNK_SEND", "CHUNK_SEND_ACK")
_WITH_CHAIN = ("SET_CERTIFICATE", "SLOT_MANAGEMENT", "CHUNK_SEND")
_PROVISIONING = ("SET_CERTIFICATE_RSP", "SLOT_MANAGEMENT_RESP", "VERSION")
_REQUESTS = ("DELIVER_ENCAPSULATED_RESPONSE", "CHUNK_SEND")
"""Those of them that the requester sends."""
_Slot = tuple[str, int]
"""Side ('responder', 'requester') and slot."""


def chains(capture: Capture) -> Iterable[Finding]:
    """CERT-CHAIN: a chain in which something does not verify; SPDM-DIGEST: one that is not what DIGESTS says of it."""
    capture.conversations.decode()
    found = latest(capture.conversations.chains)
    for chain in found:
        tree = chain_tree(chain)
        for n in tree.walk():
            if n.note and n.severity in ("error", "warning"):
                text = f"certificate chain of slot {chain.slot}: {n.name}: {n.note}"
                yield at("CERT-CHAIN", n.severity, text, chain.message, _CHAIN_SPEC)
    yield from limited(f for m in capture.conversations.all if m.name in _WITH_CHAIN for f in _installed(m))
    completed = {id(c.message): c for c in capture.conversations.chains}
    for conversation in capture.conversations.list:
        yield from limited(_digests(conversation, completed))


def _installed(m: Message) -> Iterator[Finding]:
    """What does not hold in a chain that the requester puts into a slot."""
    for node in m.spdm.walk() if m.spdm is not None else ():
        if node.name == "CertChain" and node.child("Certificate[0]") is not None:
            for n in decode_chain(_bytes(node)).walk():
                if n.note and n.severity in ("error", "warning"):
                    text = f"certificate chain of {m.title}: {n.name}: {n.note}"
                    yield at("CERT-CHAIN", n.severity, text, m, _CHAIN_SPEC)


def _bytes(node: Node) -> bytes:
    """The bytes of a node's leaves."""
    values = ((n.value, n.size) for n in node.leaves())
    return b"".join(
        v if isinstance(v, bytes) else v.to_bytes(size, "little") for v, size in values if not isinstance(v, str | None)
    )


def _digests(c: Conversation, completed: dict[int, Chain]) -> Iterator[Finding]:
    """Chains against the DIGESTS before them, and DIGESTS against the chains read before."""
    said: dict[_Slot, bytes] = {}
    read: dict[_Slot, bytes] = {}
    for m in c.messages:
        if m.name in _PROVISIONING:
            read.clear()
            if m.name == "VERSION":
                said.clear()
        elif m.name in _WITH_DIGESTS and m.spdm is not None:
            for slot, digest in _announced(m.spdm, "requester" if m.name in _REQUESTS else "responder"):
                said[slot] = digest
                if read.get(slot, digest) != digest:
                    text = f"DIGESTS gives another digest for the {slot[0]}'s slot {slot[1]} than the chain read from it has"
                    yield at("SPDM-DIGEST", "warning", text, m, _SPEC)
        chain = completed.get(id(m))
        if chain is not None and chain.hash_name is not None and chain.hash_name in hashlib.algorithms_available:
            slot = chain.side, chain.slot
            digest = read[slot] = hashlib.new(chain.hash_name, chain.data).digest()
            if said.get(slot, digest) != digest:
                text = f"the chain of the {chain.side}'s slot {chain.slot} does not have the digest that DIGESTS gave for it"
                yield at("SPDM-DIGEST", "error", text, m, _SPEC)


def _announced(tree: Node, side: str) -> Iterator[tuple[_Slot, bytes]]:
    """The digests of a DIGESTS in that tree, by slot."""
    for node in tree.walk():
        if node.name == "DIGESTS":
            mask = next((c.value for c in node.children if c.name in ("SlotMask", "ProvisionedSlotMask")), 0)
            held = [i for i in range(8) if isinstance(mask, int) and mask >> i & 1]
            digests = [c.value for c in node.children if c.name.startswith("Digest[")]
            yield from (((side, i), d) for i, d in zip(held, digests, strict=False) if isinstance(d, bytes))


def public_keys(capture: Capture) -> Iterable[Finding]:
    """PUBKEY-MISMATCH: RMI_PDEV_SET_PUBKEY with another key than that of the chain's last certificate."""
    for k in given_keys(capture):
        if k.result.severity == "error":
            call = capture.call(k.call)
            text = f"the key of {k.device} is not that of its last certificate: {k.result.note}"
            spec = "DEN0137 RmiPublicKeyParams"
            yield Finding("PUBKEY-MISMATCH", "error", text, call.source, call.offset, k.device, (k.call,), spec)


CHECKS = (Check(chains, CHAINS), Check(public_keys, PUBLIC_KEYS))
