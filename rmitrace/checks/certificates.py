"""Certificate chains: whether they hold, are the ones that were announced, and whether the RMM was given their key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..capture.messages import Chain
from ..capture.messages.certificates import chain_tree, given_keys, latest
from ..capture.records import Finding
from .message_rules import CHAINS, PUBLIC_KEYS
from .rule import Check
from .spdm import at

if TYPE_CHECKING:
    from ..capture.model import Capture


def chains(capture: Capture) -> Iterable[Finding]:
    """CERT-CHAIN: a chain in which something does not verify; SPDM-DIGEST: one that is not what DIGESTS announced."""
    capture.conversations.decode()
    found = latest(capture.conversations.chains)
    for chain in found:
        tree = chain_tree(chain)
        for n in tree.walk():
            if n.note and n.severity in ("error", "warning"):
                text = f"certificate chain of slot {chain.slot}: {n.name}: {n.note}"
                yield at("CERT-CHAIN", n.severity, text, chain.message, "DSP0274 certificates and certificate chains")
    for chain in found:
        yield from _digest(chain)


def _digest(chain: Chain) -> Iterator[Finding]:
    if chain.hash_name is None or chain.hash_name not in hashlib.algorithms_available or chain.side != "responder":
        return
    expected = hashlib.new(chain.hash_name, chain.data).digest()
    announced: bytes | None = None
    for m in chain.conversation.messages:
        if m is chain.message:
            break
        node = m.spdm
        if node is not None and node.name == "VERSION":
            announced = None
        elif node is not None and node.name == "DIGESTS":
            mask = next((c.value for c in node.children if c.name in ("SlotMask", "ProvisionedSlotMask")), 0)
            held = [i for i in range(8) if isinstance(mask, int) and mask >> i & 1]
            digests = [c.value for c in node.children if c.name.startswith("Digest[")]
            if chain.slot in held and len(digests) > held.index(chain.slot):
                value = digests[held.index(chain.slot)]
                announced = value if isinstance(value, bytes) else None
    if announced is not None and announced != expected:
        text = f"the chain of slot {chain.slot} does not have the digest that DIGESTS gave for it"
        yield at("SPDM-DIGEST", "error", text, chain.message, "DSP0274 DIGESTS")


def public_keys(capture: Capture) -> Iterable[Finding]:
    """PUBKEY-MISMATCH: RMI_PDEV_SET_PUBKEY with another key than that of the chain's last certificate."""
    for k in given_keys(capture):
        if k.result.severity == "error":
            call = capture.call(k.call)
            text = f"the key of {k.device} is not that of its last certificate: {k.result.note}"
            spec = "DEN0137 RmiPublicKeyParams"
            yield Finding("PUBKEY-MISMATCH", "error", text, call.source, call.offset, k.device, (k.call,), spec)


CHECKS = (Check(chains, CHAINS), Check(public_keys, PUBLIC_KEYS))
