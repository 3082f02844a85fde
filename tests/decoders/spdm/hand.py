"""Messages written by hand: hexadecimal with spaces in, a tree of which every byte is covered out."""

from __future__ import annotations

from decoders.spdm import Capabilities, Session, decode_spdm
from decoders.spdm.algorithms import Algorithms
from decoders.tree import Node
from tests.decoders.spdm.corpus import assert_covered

HASH = 48
SIGNATURE = 96
REQ_SIGNATURE = 384
EXCHANGE = 96


def negotiated(flags: int = 0xFFFFFFFF, **more: int) -> Session:
    """SHA-384, P-384, secp384r1, AES-256-GCM; RSA-3072 of the requester; both sides with the same capabilities."""
    chosen = {"base_hash": 2, "base_asym": 0x80, "dhe": 0x10, "aead": 2, "req_base_asym": 8, "other_params": 2}
    session = Session(algorithms=Algorithms(**(chosen | more)))
    session.requester = session.responder = Capabilities(flags)
    session.responder_multi_key = session.requester_multi_key = False
    return session


def decode(text: str | bytes, session: Session | None = None) -> Node:
    data = text if isinstance(text, bytes) else bytes.fromhex(text)
    tree = decode_spdm(data, session=session)
    assert_covered(tree, len(data))
    return tree


def get(tree: Node, path: str) -> Node:
    found = tree.find(path)
    assert found is not None, f"{path} in {[n.name for n in tree.walk()]}"
    return found


def value(tree: Node, path: str) -> int | bytes | str | None:
    return get(tree, path).value


def notes(tree: Node) -> list[tuple[str, str | None, str | None]]:
    """(name, severity, note) of every node that has one."""
    return [(n.name, n.severity, n.note) for n in tree.walk() if n.note]


def fill(byte: int, size: int) -> str:
    """A field that is not looked into."""
    return f"{byte:02x}" * size


def le32(number: int) -> str:
    """A number of four bytes."""
    return number.to_bytes(4, "little").hex()


def capabilities(code: str, version: str, flags: int, transfer: int = 0x1200, largest: int = 0x1200) -> str:
    """GET_CAPABILITIES (e1) or CAPABILITIES (61) of 1.2 or later."""
    return f"{version} {code} 00 00 00 00 0000 {le32(flags)} {le32(transfer)} {le32(largest)}"
