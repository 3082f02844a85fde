"""The cursor: bounds, parts, and sizes found from the length of a message."""

from __future__ import annotations

import pytest

from decoders.spdm import Session
from decoders.spdm._reader import MAX_ITEMS, Cut, Reader
from decoders.spdm.algorithms import Algorithms
from tests.decoders.spdm.hand import HASH, SIGNATURE, negotiated


def reader(data: bytes, session: Session | None = None, pad: int = 0) -> Reader:
    return Reader(data, 0, len(data), session or Session(), base=100, pad=pad)


def spans(r: Reader) -> list[tuple[str, int | None, int]]:
    return [(n.name, n.offset, n.size) for n in r.nodes]


def test_reads_are_bounded() -> None:
    r = reader(bytes(5))
    assert r.uint("n", 2) == 0
    with pytest.raises(Cut):
        r.bytes("key", 4)
    assert spans(r) == [("n", 100, 2), ("key", 102, 0), ("rest", 102, 3)]
    assert r.nodes[1].note == "4 bytes expected at 0x66, 3 there"
    assert r.nodes[1].severity == "error"


def test_a_region_keeps_its_errors() -> None:
    r = reader(bytes(range(8)))

    def parse(inner: Reader) -> str:
        inner.uint("a", 1)
        inner.bytes("b", 9)
        return "never"

    value = r.region("part", 4, parse)
    assert value == bytes(range(4))
    assert [n.name for n in r.nodes[0].children] == ["a", "b", "rest"]
    assert r.uint("after", 4) == 0x07060504
    assert spans(r) == [("part", 100, 4), ("after", 104, 4)]


def test_what_a_region_does_not_read_is_a_leaf() -> None:
    r = reader(bytes(4))
    r.region("part", 4, lambda inner: str(inner.uint("a", 1)))
    assert [(n.name, n.size) for n in r.nodes[0].children] == [("a", 1), ("trailing", 3)]


def test_a_group_ends_with_its_parts() -> None:
    r = reader(bytes(3))

    def parse(inner: Reader) -> str:
        inner.uint("a", 1)
        inner.uint("b", 4)
        return ""

    with pytest.raises(Cut):
        r.group("part", parse)
    assert spans(r) == [("part", 100, 3)]
    assert [n.name for n in r.nodes[0].children] == ["a", "b", "rest"]


def test_lists_have_an_end() -> None:
    r = reader(bytes(MAX_ITEMS + 500))
    r.items("x", MAX_ITEMS + 500, lambda inner: str(inner.uint("n", 1)))
    assert len(r.nodes) == MAX_ITEMS + 1
    assert (r.nodes[-1].name, r.nodes[-1].size, r.nodes[-1].severity) == ("rest", 500, "note")
    short = reader(bytes(2))
    with pytest.raises(Cut):
        short.items("x", 3, lambda inner: str(inner.uint("n", 1)))
    assert [n.name for n in short.nodes] == ["x[0]", "x[1]", "x[2]"]
    assert short.nodes[2].severity == "error"


def test_negotiated_sizes_are_taken_as_they_are() -> None:
    r = reader(bytes(HASH + 2 + SIGNATURE), negotiated())
    assert r.sizes(["H", "opaque", "S"]) == {"H": HASH, "S": SIGNATURE}
    assert r.note is None


def test_sizes_found_from_the_length() -> None:
    r = reader(bytes(2 * 32))
    assert r.sizes(["H", "H"]) == {"H": 32}
    assert r.note == "the negotiation is not in this capture; from the length: H 32"
    assert r.session.inferred == {"H": 32}
    # what was found once is known for the next message
    assert reader(bytes(32), r.session).sizes(["H"]) == {"H": 32}


def test_padding_of_the_transport_is_left_over() -> None:
    assert reader(bytes(48 + 3), pad=3).sizes(["H"]) == {"H": 48}
    with pytest.raises(Cut):
        reader(bytes(48) + b"\0\0\1", pad=3).sizes(["H"])
    with pytest.raises(Cut):
        reader(bytes(48 + 3), pad=0).sizes(["H"])


def test_sizes_that_cannot_be_told() -> None:
    r = reader(bytes(128))  # 32 + 96 or 64 + 64
    with pytest.raises(Cut):
        r.sizes(["H", "S"])
    assert r.nodes[0].note == "the negotiation is not in this capture, and 2 combinations of sizes fit the length"
    none = reader(bytes(7))
    with pytest.raises(Cut):
        none.sizes(["H"])
    assert none.nodes[0].note == "the negotiation is not in this capture, and no sizes fit the length"
    assert (none.nodes[1].name, none.nodes[1].size) == ("rest", 7)


def test_a_hash_that_may_be_there() -> None:
    session = Session(algorithms=Algorithms(base_hash=1))
    assert reader(bytes(32), session).sizes(["?summary"]) == {"?summary": 1, "H": 32}
    assert reader(b"", session).sizes(["?summary"]) == {"?summary": 0, "H": 32}
    # of no known size: three sizes of nothing are one answer
    assert reader(b"").sizes(["?summary"])["?summary"] == 0
    assert reader(bytes(64)).sizes(["?summary"]) == {"?summary": 1, "H": 64}


def test_the_length_against_the_rule() -> None:
    """A request asked for no summary, but there are 48 bytes more: the bytes are believed, and it is said."""
    r = reader(bytes(HASH + SIGNATURE), negotiated())
    assert r.sizes(["?summary", "S"], {"?summary": (0,)}) == {"?summary": 1, "S": SIGNATURE, "H": HASH}
    assert r.severity == "warning"
    # nothing fits: the rule is kept, and the errors show where
    assert reader(bytes(11), negotiated()).sizes(["H"]) == {"H": HASH}


def test_opaque_data_may_say_anything() -> None:
    r = reader(b"\xff\xff" + bytes(10), negotiated())
    assert r.sizes(["opaque", "S"]) == {"S": SIGNATURE}
    assert reader(b"\x01", negotiated()).sizes(["opaque", "S"]) == {"S": SIGNATURE}
