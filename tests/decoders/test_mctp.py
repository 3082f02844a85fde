"""MCTP packets: bytes written by hand from DSP0236's transport header, and those of DMTF's emulators."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.mctp import decode_control, decode_mctp, decode_message
from decoders.spdm import Session
from tests.decoders.spdm.corpus import assert_covered, records

RUN = "mctp_v12_measall"


def test_a_packet_with_a_whole_message() -> None:
    # header version 1, to 0x0a, from 0x08; SOM, EOM, sequence 2, owner, tag 5: 0x80+0x40+0x20+0x08+0x05 = 0xed
    data = bytes.fromhex("01 0a 08 ed 05 10840000")
    session = Session()
    tree = decode_mctp(data, session=session)
    assert_covered(tree, len(data))
    assert tree.text == "0x8 to 0xa: SPDM: GET_VERSION"
    flags = {n.name: n.value for n in tree.children[3].children}
    assert flags == {"MessageTag": 5, "TagOwner": 1, "PacketSequence": 2, "EOM": 1, "SOM": 1}
    assert [(n.name, n.offset, n.size) for n in tree.children[4:]] == [("MessageType", 4, 1), ("GET_VERSION", 5, 4)]
    assert session.channel.request == b"\x10\x84\0\0"


@pytest.mark.parametrize(
    ("flags", "text"), [("80", "part 0 (first)"), ("10", "part 1"), ("60", "part 2 (last)"), ("00", "part 0")]
)
def test_a_part_of_a_message_is_not_read_as_one(flags: str, text: str) -> None:
    data = bytes.fromhex(f"01 0a 08 {flags} 05 10840000")
    tree = decode_mctp(data)
    assert_covered(tree, len(data))
    assert tree.text == f"0x8 to 0xa, {text}"
    assert tree.children[-1].value == data[4:]


def test_every_packet_of_a_run() -> None:
    session = Session()
    names = []
    for packet in records(RUN):
        tree = decode_mctp(packet, session=session)
        assert_covered(tree, len(packet))
        names.append(tree.children[5].name)
    assert names[:6] == ["GET_VERSION", "VERSION", "GET_CAPABILITIES", "CAPABILITIES", "NEGOTIATE_ALGORITHMS", "ALGORITHMS"]
    assert names.count("SecuredMessage") == sum(p[4] == 6 for p in records(RUN))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("81 02", "Get Endpoint ID request"),
        ("01 02 00 08 00 00", "Get Endpoint ID response: SUCCESS"),
        ("81 01 00 0a", "Set Endpoint ID request"),
        ("01 55 05", "0x55 response: ERROR_UNSUPPORTED_CMD"),
    ],
)
def test_control_messages(data: str, text: str) -> None:
    octets = bytes.fromhex(data)
    tree = decode_control(octets)
    assert_covered(tree, len(octets))
    assert (tree.name, tree.text) == ("MCTPControl", text)
    whole = decode_message(b"\0" + octets)
    assert_covered(whole, len(octets) + 1)
    assert whole.text == f"Control: MCTPControl: {text}"


def test_types() -> None:
    assert decode_message(bytes.fromhex("01 80 00 02")).text == "PLDM: PLDM: ControlDiscovery GetTID request"
    assert decode_message(bytes.fromhex("84 00")).children[0].text == "NVMe-MI (0x4), with integrity check"
    assert decode_message(bytes.fromhex("55 00")).children[1].value == b"\0"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.sampled_from((b"", b"\1\0\0\xc0", b"\1\0\0\xc0\5", b"\1\0\0\xc0\6\xff\xff\xff\xff")))
def test_any_bytes(data: bytes, start: bytes) -> None:
    assert_covered(decode_mctp(start + data, session=Session()), len(start + data))
    assert_covered(decode_message(data), len(data))
