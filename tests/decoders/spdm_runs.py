"""The emulator runs in tests/data/spdm: records, secrets and what DMTF's spdm_dump printed for them."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from decoders.secured import Opened, open_secured, use_secrets
from decoders.spdm import Session, decode_spdm
from decoders.tree import Node

DATA = Path(__file__).parents[1] / "data" / "spdm"
RUNS = sorted(p.stem for p in DATA.glob("*.pcap"))


class Record(NamedTuple):
    """One record of a run that carries SPDM: its number (from 1), binding, whether it is secured, the bytes behind the
    transport's header, its tree, and what was decrypted."""

    number: int
    binding: str
    secured: bool
    data: bytes
    tree: Node
    opened: Opened | None


def settings(run: str) -> dict[str, Any]:
    return json.loads((DATA / f"{run}.json").read_text())


def given(run: str) -> dict[str, list[str]]:
    """The secrets of a run, and certificate chains that never are on the wire."""
    found = settings(run)
    return {k: found[k] for k in ("dhe_secret", "kem_secret", "psk", "chains") if k in found}


def packets(run: str) -> Iterator[tuple[int, str, bool, bytes]]:
    """(number, binding, secured, bytes) of each SPDM record; a walk of its own, little-endian classic pcap only."""
    data = (DATA / f"{run}.pcap").read_bytes()
    mctp, at, number = struct.unpack_from("<I", data, 20)[0] == 291, 24, 0
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        packet, number, at = data[at + 16 : at + 16 + size], number + 1, at + 16 + size
        if mctp and packet[4] in (5, 6):
            yield number, "MCTP", packet[4] == 6, packet[5:]
        elif not mctp and packet[:2] == b"\x01\0" and packet[2] in (1, 2):
            yield number, "DOE", packet[2] == 2, packet[8:]


def decoded(run: str, secrets: object = None, session: Session | None = None) -> Iterator[Record]:
    """Every record decoded in order. ``secrets`` are the run's own unless told."""
    session = Session() if session is None else session
    use_secrets(session, given(run) if secrets is None else secrets)
    for number, binding, secured, data in packets(run):
        if secured:
            tree, opened = open_secured(data, session=session, binding=binding)
        else:
            tree, opened = decode_spdm(data, session=session), None
        yield Record(number, binding, secured, data, tree, opened)


def dumped(run: str) -> list[str]:
    """The lines that spdm_dump printed with all fields."""
    with gzip.open(DATA / f"{run}.spdm_dump.a.txt.gz", "rt", errors="replace") as f:
        return f.read().splitlines()


def assert_covered(tree: Node, size: int) -> None:
    """Every byte lies in exactly one leaf, in order. Bit fields have the bytes of their parent, and count once; what is
    put together from several messages has no offset."""
    at = 0
    for node in _leaves(tree):
        if node.size and node.offset is not None:
            assert node.offset == at, (node.name, node.offset, at)
            at += node.size
    assert at == size, (tree.name, at, size)


def _leaves(node: Node) -> Iterator[Node]:
    inside = [c for c in node.children if c.offset is not None]
    if all((c.offset, c.size) == (node.offset, node.size) and not c.children for c in inside):
        yield node
    else:
        for c in inside:
            yield from _leaves(c)
