"""What carries a message, by bytes written down from the layouts in PCIe r6 6.30, DSP0236 and DSP0275."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.formats.carriers import MAX_MESSAGE, MAX_OPEN, Fragments, Message, carrier_of, messages

GET_VERSION = bytes.fromhex("10840000")
VERSION = bytes.fromhex("1004000000010012")
SECURED = bytes.fromhex("ffffffff1200") + bytes(18)
DOE, MCTP = 292, 291


def doe(kind: int, payload: bytes, dwords: int | None = None, vendor: int = 1) -> bytes:
    payload += bytes(-len(payload) % 4)
    return struct.pack("<HBBI", vendor, kind, 0, 2 + len(payload) // 4 if dwords is None else dwords) + payload


def mctp(kind: int, payload: bytes, flags: int = 0xC0) -> bytes:
    return bytes([1, 0x1D, 8, flags, kind]) + payload


@pytest.mark.parametrize("linktype", [290, 291, 292, 147, 162])
def test_doe_whatever_the_link_type_says(linktype: int) -> None:
    assert messages(doe(1, GET_VERSION), linktype) == [Message(("DOE", "SPDM"), 8, 4, "request", 0)]
    assert messages(doe(1, VERSION), linktype) == [Message(("DOE", "SPDM"), 8, 8, "response", 0)]
    assert messages(doe(2, SECURED), linktype) == [Message(("DOE", "SECURED"), 8, 24, "", 0)]
    assert messages(doe(0, b"\0\0\0\0"), linktype) == [Message(("DOE", "DISCOVERY"), 8, 4, "", 0)]


@pytest.mark.parametrize("linktype", [290, 291, 292, 147, 162])
def test_mctp_whatever_the_link_type_says(linktype: int) -> None:
    assert messages(mctp(5, GET_VERSION), linktype) == [Message(("MCTP", "SPDM"), 5, 4, "request", 0)]
    assert messages(mctp(6, SECURED), linktype) == [Message(("MCTP", "SECURED"), 5, 24, "", 0)]


def test_the_header_that_the_emulators_write() -> None:
    assert messages(bytes.fromhex("000000c00510840000"), MCTP) == [Message(("MCTP", "SPDM"), 5, 4, "request", 0)]


def test_other_mctp_types_where_the_link_type_says_mctp() -> None:
    assert messages(mctp(1, b"\x80\0\2"), MCTP)[0].layers == ("MCTP", "PLDM")
    assert messages(mctp(0x55, b"abc"), MCTP)[0].layers == ("MCTP",)


def test_spdm_alone() -> None:
    assert messages(GET_VERSION, 147) == [Message(("SPDM",), 0, 4, "request", 0)]


def test_foreign_vendor_and_unknown_type_stay_doe_objects() -> None:
    assert messages(doe(1, GET_VERSION, vendor=0x1234), DOE) == [Message(("DOE",), 8, 4, "", 0)]
    assert messages(doe(9, GET_VERSION), DOE) == [Message(("DOE",), 8, 4, "", 0)]


@pytest.mark.parametrize("dwords", [0, 1, 2, 99, 0x3FFFF])
def test_a_wrong_doe_length_does_not_lose_the_payload(dwords: int) -> None:
    assert messages(doe(1, VERSION, dwords), DOE) == [Message(("DOE", "SPDM"), 8, 8, "response", 0)]


def test_two_objects_in_one_packet() -> None:
    packet = doe(1, GET_VERSION) + doe(2, SECURED)
    assert [(m.start, m.offset, m.length) for m in messages(packet, DOE)] == [(0, 8, 4), (12, 20, 24)]


def test_linux_cooked_captures_of_mctp() -> None:
    v1 = struct.pack(">HHH8sH", 4, 0x122, 0, b"", 0x00FA) + mctp(5, GET_VERSION)
    v2 = struct.pack(">HHIHBB8s", 0x00FA, 0, 5, 0x122, 4, 0, b"") + mctp(5, GET_VERSION)
    assert messages(v1, 113) == [Message(("MCTP", "SPDM"), 21, 4, "request", 16)]
    assert messages(v2, 276) == [Message(("MCTP", "SPDM"), 25, 4, "request", 20)]
    assert messages(struct.pack(">HHH8sH", 4, 1, 0, b"", 0x0800) + GET_VERSION, 113) == []


@pytest.mark.parametrize("linktype", [1, 101, 220, -1])
def test_link_types_of_others(linktype: int) -> None:
    assert messages(doe(1, GET_VERSION), linktype) == []


def test_the_user_settles_it() -> None:
    assert carrier_of(b"\x77" * 12) is None
    assert messages(b"\x77" * 12, 150) == []
    assert messages(b"\x77" * 12, 150, "DOE") == [Message(("DOE",), 8, 4, "", 0)]


def test_fragments() -> None:
    f = Fragments()
    body = bytes([5]) + VERSION + bytes(100)
    pieces = [body[i : i + 40] for i in range(0, len(body), 40)]
    flags = [0x80, 0x10, 0x60]  # SOM, sequence 1, sequence 2 with EOM
    got = [f.add(bytes([1, 9, 8, x]) + p) for x, p in zip(flags, pieces, strict=True)]
    assert got == [(None, None), (None, None), (body, None)]
    assert messages(bytes([1, 9, 8, 0x80]) + pieces[0], MCTP)[0].layers == ("MCTP", "FRAGMENT")


def test_fragments_interleaved_and_missing() -> None:
    f = Fragments()
    assert f.add(bytes([1, 9, 8, 0x80]) + b"\x05a") == (None, None)
    assert f.add(bytes([1, 9, 7, 0x80]) + b"\x05b") == (None, None)
    assert f.add(bytes([1, 9, 7, 0x50]) + b"B") == (b"\x05bB", None)
    body, why = f.add(bytes([1, 9, 8, 0x70]) + b"?")  # sequence 3, 1 was due
    assert body is None
    assert why is not None
    assert "packet sequence 3, expected 1" in why
    assert "beginning" in str(f.add(bytes([1, 9, 8, 0x50]) + b"?")[1])


def test_fragments_are_bounded() -> None:
    f = Fragments()
    for source in range(200):
        f.add(bytes([1, 9, source, 0x80]) + b"\x05")
    assert len(f._open) <= MAX_OPEN
    f = Fragments()
    f.add(bytes([1, 9, 8, 0x80]) + b"\x05")
    said = [f.add(bytes([1, 9, 8, (i + 1 & 3) << 4]) + bytes(1 << 16))[1] for i in range((MAX_MESSAGE >> 16) + 1)]
    assert any(s and "more than" in s for s in said)


@given(st.binary(max_size=80), st.sampled_from([113, 147, 276, 290, 291, 292]), st.sampled_from([None, "DOE", "MCTP", "SPDM"]))
def test_any_bytes(packet: bytes, linktype: int, carrier: str | None) -> None:
    for m in messages(packet, linktype, carrier):
        assert 0 <= m.start <= m.offset <= m.offset + m.length <= len(packet)
    Fragments().add(packet)
