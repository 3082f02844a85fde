"""Certificate chains of a capture, and the public key that the host gave to the RMM for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from decoders.tree import Node
from decoders.x509 import compare_pubkey, decode_chain

from .cached import cached_objects
from .conversations import Chain

if TYPE_CHECKING:
    from ..model import Capture


def chain_tree(chain: Chain) -> Node:
    """A chain decoded, its signatures checked one by the other."""
    return decode_chain(chain.data, hash_name=chain.hash_name, version=chain.version)


def latest(chains: Iterable[Chain]) -> list[Chain]:
    """The chains that differ, the last of those that came more than once."""
    found: dict[tuple[int, str, int, bytes], Chain] = {}
    for c in chains:
        found[id(c.conversation), c.side, c.slot, c.data] = c
    return list(found.values())


def latest_chain(capture: Capture, device: str, before: int) -> bytes | None:
    """The certificates of a device as they were known when a call was made: from its messages, else from what the RMM had
    the host cache; None where neither is in the capture."""
    known = [c for c in capture.conversations.chains if c.conversation.device == device and c.side == "responder"]
    known = [c for c in known if c.message.place.call is None or c.message.place.call < before]
    if known:
        return known[-1].data
    kept = [o for o in cached_objects(capture) if o.device == device and o.kind == "CERTIFICATE" and not o.cut]
    kept = [o for o in kept if o.calls and o.calls[-1] < before]
    return kept[-1].data if kept else None


@dataclass(frozen=True, slots=True)
class GivenKey:
    """The key of an RMI_PDEV_SET_PUBKEY beside the chain's. ``result``: of decoders.x509.compare_pubkey."""

    call: int
    device: str
    params: Node
    result: Node


def given_keys(capture: Capture) -> list[GivenKey]:
    """The keys that the host gave to the RMM, where the capture has the structure and the device's certificates."""
    capture.conversations.decode()
    wanted = [i for i, n in enumerate(capture.names) if n == "RMI_PDEV_SET_PUBKEY"]
    out: list[GivenKey] = []
    if not capture.conversations.chains and not cached_objects(capture):
        return out
    for seq in np.flatnonzero(np.isin(capture.calls.name, wanted)).tolist() if wanted else ():
        device = capture.object_of(seq)
        call = capture.call(seq)
        params = next((t for b, t in call.buffers if b.struct == "RmiPublicKeyParams" and t is not None), None)
        chain = latest_chain(capture, device, seq) if device is not None and params is not None else None
        if device is not None and params is not None and chain is not None:
            out.append(GivenKey(seq, device, params, compare_pubkey(chain, params)))
    return out
