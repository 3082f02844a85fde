"""What is said of a message in half a line."""

from __future__ import annotations

import pytest

from decoders.spdm import Session, decode_spdm
from rmitrace.capture.messages import Message, Place
from rmitrace.capture.messages.facts import facts, forget, name_and_facts
from rmitrace.capture.messages.model import Told
from tests.rmitrace.capture.messages.runs import CAPTURES, opened
from tests.rmitrace.capture.messages.test_decoding import PCAP, secret


def message(data: str, layers: list[str] | None = None, **more: object) -> Message:
    raw = bytes.fromhex(data)
    m = Message(Place(0, 0, 0, None, None, None), "request", layers or ["SPDM"], raw, **more)  # type: ignore[arg-type]
    if m.layers == ["SPDM"] and raw:
        m.tree = decode_spdm(raw, session=Session())
    return m


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ("10840000", "GET_VERSION"),
        ("1004000000020011 0012", "VERSION: 1.1, 1.2"),  # two entries of 16 bits, major in bits 15:12, minor in 11:8
        ("127f0300", "ERROR: Busy (0x3)"),
    ],
)
def test_short_messages(data: str, wanted: str) -> None:
    said = name_and_facts(message(data))
    assert said.split(" (0x")[0] == wanted.split(" (0x")[0]


def test_capabilities_are_named() -> None:
    """Flags 0x82c2: CERT_CAP, ENCRYPT_CAP, MAC_CAP, KEY_EX_CAP, HANDSHAKE_IN_THE_CLEAR_CAP are bits 1, 6, 7, 9 and 15 (DSP0274
    1.2 table of GET_CAPABILITIES flags); DataTransferSize 0x1000."""
    said = name_and_facts(message("12e10000 00140000 c2820000 00100000 00100000"))
    assert said == ("GET_CAPABILITIES: SPDM 1.2, CERT ENCRYPT MAC KEY_EX HANDSHAKE_IN_THE_CLEAR, DataTransferSize 4096")


def test_a_message_that_a_log_only_names() -> None:
    m = message("", told=Told(0x82, 8))
    assert name_and_facts(m) == "GET_CERTIFICATE: 8 bytes, named by the log only"


def test_secured_messages_have_session_and_size() -> None:
    m = message("ffffffff 1200" + "00" * 18, ["SECURED_SPDM"])
    assert name_and_facts(m) == "SECURED in 0xffffffff: 24 bytes"


def test_in_a_session() -> None:
    """KeySubStream 0 is PR, RX, key set 0."""
    found = opened(PCAP, keys=secret()).conversations.decode()
    first = next(m for m in found if m.vendor == "IDE_KM KEY_PROG")
    assert name_and_facts(first) == "IDE_KM KEY_PROG in 0xffffffff: stream 0x0 PR RX K0, port 1"
    assert any(name_and_facts(m).startswith("END_SESSION in 0xffffffff") for m in found)


def test_measurements_name_their_blocks() -> None:
    """Those of libspdm's sample device: four hashes, SVN 0x10, 0x11, manifest 0xfd and device mode 0xfe."""
    found = opened(CAPTURES / "spdm" / "doe_v10_measall.pcap").conversations.decode()
    said = [facts(m) for m in found if m.name == "MEASUREMENTS"]
    assert all("8 blocks" in s and s.endswith("index 0x1 0x2 0x3 0x4 0x10 0x11 0xfd 0xfe") for s in said)
    assert said


def test_what_is_kept_of_a_message() -> None:
    whole = opened(CAPTURES / "spdm" / "doe_v10_measall.pcap").conversations.decode()
    short = opened(CAPTURES / "spdm" / "doe_v10_measall.pcap").conversations.decode()
    for m in short:
        forget(m)
        assert m.tree is None
    assert [name_and_facts(m) for m in short] == [name_and_facts(m) for m in whole]
    assert [(m.code, m.vendor, m.title) for m in short] == [(m.code, m.vendor, m.title) for m in whole]
