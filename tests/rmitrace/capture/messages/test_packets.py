"""Messages of packet captures: objects, MCTP in several packets, link types for tshark, and packets that are none."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from rmitrace.capture import Capture
from rmitrace.capture.messages import Message
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, exchanges, opened, padded, pcap, write

MCTP, DOE = 291, 292
VERSION = bytes.fromhex("10 04 00 00 00 02 00 11 00 12")


def file(folder: Path, link: int, *packets: bytes) -> Path:
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for i, p in enumerate(packets):
        data += struct.pack("<IIII", 100 + i, 250_000, len(p), len(p)) + p
    return write(folder, f"{len(packets)}-{link}.pcap", data)


def rules(capture: Capture) -> list[str]:
    return [f.rule for f in capture.conversations.problems]


def said(m: Message) -> tuple[str, str, bytes]:
    return m.direction, m.name, m.payload


def test_objects_as_the_device_saw_them() -> None:
    found = opened(CAPTURES / "spdm" / "tf-rmm-head-nominal.pcap").conversations.all
    assert [padded(m.payload) for m in found] == [padded(x) for e in exchanges() for x in (e.request, e.response)]
    assert [m.direction for m in found] == ["request", "response"] * 41
    assert all(m.place.call is None for m in found)
    head, records = pcap()
    assert [m.place.offset for m in found] == [len(head) + sum(map(len, records[:i])) for i in range(len(records))]


def test_mctp_in_several_packets(tmp_path: Path) -> None:
    """DSP0236: destination, source, then SOM, EOM, packet sequence, tag owner and tag in one byte; the type byte comes with
    the first packet only."""
    whole = b"\x05" + VERSION
    parts = [
        b"\x01\x09\x08\x8a" + whole[:4],  # SOM, sequence 0
        b"\x01\x09\x08\x1a" + whole[4:8],
        b"\x01\x09\x08\x6a" + whole[8:],  # EOM, sequence 2
    ]
    asked = b"\x01\x08\x09\xca\x05\x10\x84\x00\x00"
    capture = opened(file(tmp_path, MCTP, asked, *parts))
    found = capture.conversations.decode()
    assert [said(m) for m in found] == [
        ("request", "GET_VERSION", b"\x10\x84\0\0"),
        ("response", "VERSION", VERSION),
    ]
    assert found[1].place.ts_ns == 103_250_000_000
    assert rules(capture) == []


def test_mctp_with_a_packet_missing(tmp_path: Path) -> None:
    whole = b"\x05" + VERSION
    capture = opened(file(tmp_path, MCTP, b"\x01\x09\x08\x8a" + whole[:4], b"\x01\x09\x08\x6a" + whole[8:]))
    assert capture.conversations.all == []
    assert rules(capture) == ["MCTP-FRAGMENT"]


def test_packets_that_are_nothing_known(tmp_path: Path) -> None:
    doe = struct.pack("<HBBI", 1, 1, 0, 3) + b"\x10\x84\0\0"
    capture = opened(file(tmp_path, DOE, b"\xff" * 7, doe, b"\xee" * 3))
    assert [m.name for m in capture.conversations.all] == ["GET_VERSION"]
    (finding,) = capture.conversations.problems
    assert finding.rule == "PACKET-UNKNOWN"
    assert finding.message.startswith("2 packets of link type 292")
    assert finding.offset == 24


def test_secured_messages_take_turns(tmp_path: Path) -> None:
    """Their bytes do not say who sent them; the clear one before them does."""
    closed = struct.pack("<IH", 0xFFFFFFFF, 18) + bytes(range(18))

    def packed(kind: int, data: bytes) -> bytes:
        return struct.pack("<HBBI", 1, kind, 0, 2 + len(data) // 4) + data

    answer = packed(1, bytes.fromhex("12 65 00 00"))
    found = opened(file(tmp_path, DOE, answer, *[packed(2, closed)] * 3)).conversations.all
    assert [(m.direction, m.sure) for m in found] == [
        ("response", True), ("request", False), ("response", False), ("request", False),
    ]  # fmt: skip
    assert [m.session_id for m in found[1:]] == [0xFFFFFFFF] * 3


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tcp_through_tshark() -> None:
    """The names are those that DMTF's spdm_dump gives for the same flow."""
    capture = opened(DATA / "tcp" / "tcp_v12_ethernet.pcap")
    found = capture.conversations.decode()
    assert [m.name for m in found[:6]] == [
        "GET_VERSION", "VERSION", "GET_CAPABILITIES", "CAPABILITIES", "NEGOTIATE_ALGORITHMS", "ALGORITHMS",
    ]  # fmt: skip
    assert all(m.partner is not None for m in found[:6])
    assert "PACKET-UNKNOWN" not in rules(capture)


def test_a_missing_tshark_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    capture = opened(DATA / "tcp" / "tcp_v12_ethernet.pcap")
    assert capture.conversations.all == []
    (finding,) = [f for f in capture.conversations.problems if f.rule == "TSHARK"]
    assert finding.severity == "warning"
    assert "tshark" in finding.message
    assert "install" in finding.message
