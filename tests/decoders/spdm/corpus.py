"""The SPDM captures of tests/data/spdm, walked with as little as possible, and what every tree has to satisfy."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from decoders.doe import decode_doe
from decoders.spdm import Session, decode_spdm
from decoders.tree import Node

DATA = Path(__file__).parents[2] / "data" / "spdm"
MCTP, PCI_DOE = 291, 292
_MCTP_HEADER = 5


def runs() -> list[str]:
    """Names of the captures of the emulators' link types."""
    return sorted(p.stem for p in DATA.glob("*.pcap") if link_type(p.stem) in (MCTP, PCI_DOE))


def link_type(run: str) -> int:
    return int.from_bytes((DATA / f"{run}.pcap").read_bytes()[20:24], "little")


def records(run: str) -> Iterator[bytes]:
    """The packets of a classic little-endian pcap; a cut one at the end is left out."""
    data = (DATA / f"{run}.pcap").read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1"
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        at += 16
        if at + size <= len(data):
            yield data[at : at + size]
        at += size


def clear(run: str) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of what is not a secured message, without an MCTP header."""
    mctp = link_type(run) == MCTP
    for number, packet in enumerate(records(run), 1):
        if mctp and packet[4] & 0x7F == 5:
            yield number, packet[_MCTP_HEADER:]
        elif not mctp and packet[2] != 2:
            yield number, packet


def trees(run: str, session: Session | None = None) -> Iterator[tuple[int, Node, int]]:
    """Number, tree and size of what is not a secured message: the data object, over MCTP the message."""
    state = Session() if session is None else session
    mctp = link_type(run) == MCTP
    for number, data in clear(run):
        yield number, decode_spdm(data, session=state) if mctp else decode_doe(data, session=state), len(data)


def message(tree: Node) -> Node | None:
    """The SPDM message of a tree, None where it is a discovery or not SPDM."""
    if tree.name != "DOE":
        return tree
    return next((c for c in tree.children if c.child("SPDMVersion") is not None), None)


def innermost(node: Node) -> list[Node]:
    """A message and those inside of it, the outer ones first."""
    found = [node]
    for child in node.children:
        if child.name == "LargeMessage":
            return [node, *innermost(child.children[0])]
        if child.child("SPDMVersion") is not None and child.child("RequestResponseCode") is not None:
            return [node, *innermost(child)]
    return found


def assert_covered(tree: Node, size: int) -> None:
    """Every byte lies in exactly one leaf. Bit fields share the bytes of their word, so a word counts as one leaf; what
    was put together from several messages lies in none."""
    at = 0
    for leaf in leaves(tree):
        assert leaf.offset == at, f"{leaf.name} at {leaf.offset}, {at} expected"
        at += leaf.size
    assert at == size, f"{at} of {size} bytes"


def leaves(node: Node) -> Iterator[Node]:
    """The leaves that cover the bytes of a node, in order."""
    if node.offset is None:
        return
    parts = [c for c in node.children if c.offset is not None]
    if not parts or all(not c.children and (c.offset, c.size) == (node.offset, node.size) for c in parts):
        yield node
        return
    for part in parts:
        yield from leaves(part)
