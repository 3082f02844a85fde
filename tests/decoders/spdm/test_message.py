"""What is common to all messages: header, versions, unknown codes, nesting, pending requests."""

from __future__ import annotations

import pytest

from decoders.spdm import Session, decode_spdm
from tests.decoders.spdm.corpus import assert_covered
from tests.decoders.spdm.hand import decode, get, negotiated, notes, value


def test_header() -> None:
    tree = decode("10 84 00 00")
    assert (tree.name, tree.offset, tree.size) == ("GET_VERSION", 0, 4)
    assert [(n.name, n.value, n.text, n.offset) for n in tree.children] == [
        ("SPDMVersion", 0x10, "1.0", 0),
        ("RequestResponseCode", 0x84, "GET_VERSION (0x84)", 1),
        ("Param1", 0, "0", 2),
        ("Param2", 0, "0", 3),
    ]


def test_reserved_parameters() -> None:
    assert notes(decode("10 84 01 00")) == [("Param1", "warning", "reserved, should be zero")]


@pytest.mark.parametrize("size", range(4))
def test_shorter_than_a_header(size: int) -> None:
    tree = decode_spdm(bytes.fromhex("12810000")[:size])
    assert_covered(tree, size)
    assert tree.severity == "error"
    assert tree.name == ("GET_DIGESTS" if size > 1 else "TRUNCATED")


def test_unknown_code() -> None:
    tree = decode("12 c0 01 02 aabb")
    assert (tree.name, tree.severity) == ("UNKNOWN_0xc0", "warning")
    assert value(tree, "rest") == b"\xaa\xbb"


def test_versions_beyond_those_known() -> None:
    """1.5 is read like 1.4, the last one known; a byte that is no version like 1.0, with a warning."""
    later = decode("15 82 80 00 0000 0000 00040000 00100000")
    assert value(later, "LargeOffset") == 0x400
    assert get(later, "SPDMVersion").severity == "warning"
    assert get(decode("00 81 00 00"), "SPDMVersion").severity == "warning"


def test_code_that_came_later() -> None:
    assert decode("11 e4 00 00").note is None
    assert decode("10 e4 00 00").note == "KEY_EXCHANGE is not defined before SPDM 1.1"


def test_version_against_the_negotiated_one() -> None:
    session = Session(version=0x12)
    assert decode("13 81 00 00", session).note == "SPDM 1.3 on a connection that negotiated 1.2"
    assert decode("12 81 00 00", session).note is None
    assert decode("10 84 00 00", session).note is None  # starts over
    assert decode("10 7f 41 00", session).note is None  # refuses a version


def test_messages_inside_messages_end() -> None:
    nested = bytes.fromhex("12 eb 01 00") * 12 + bytes.fromhex("12 81 00 00")
    tree = decode(nested)
    assert len([n for n in tree.walk() if n.name == "DELIVER_ENCAPSULATED_RESPONSE"]) <= 7
    assert any(n.severity == "error" and "inside one another" in (n.note or "") for n in tree.walk())


def test_trailing_bytes() -> None:
    padded = decode("12 81 00 00 0000")
    assert [(n.name, n.severity) for n in padded.children[4:]] == [("padding", None)]
    zeros = decode("12 81 00 00 00000000")
    assert [(n.name, n.severity) for n in zeros.children[4:]] == [("trailing", "note")]
    other = decode("12 81 00 00 01")
    assert [(n.name, n.severity) for n in other.children[4:]] == [("trailing", "warning")]


def test_memoryview_and_bytearray() -> None:
    data = bytes.fromhex("12 81 00 00")
    assert decode_spdm(memoryview(data)) == decode_spdm(bytearray(data)) == decode_spdm(data)  # type: ignore[arg-type]


def test_requests_that_stay_pending() -> None:
    session = negotiated()
    decode("12 e0 00 00", session)  # GET_MEASUREMENTS, how many
    assert session.channel.request == bytes.fromhex("12e00000")
    for carrier in ("12 86 00 01 0000", "12 85 00 01 0000 0000 04000000 08000000 12810000", "12 ff e0 01"):
        decode(carrier, session)  # CHUNK_GET, CHUNK_SEND, RESPOND_IF_READY
        assert session.channel.request == bytes.fromhex("12e00000")
    decode("12 81 00 00", session)
    assert session.channel.request == bytes.fromhex("12810000")


def test_pending_requests_by_session() -> None:
    session = negotiated()
    decode("12 81 00 00", session)
    with session.within(7):  # not one that was opened: it has no line of its own
        assert session.line is session.channel
