"""IDE_KM: keys that were refused, acknowledged wrongly, or used before they were programmed."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from rmitrace.capture.records import Finding
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, clear, opened, write


def vendor(code: int, payload: bytes) -> str:
    """VENDOR_DEFINED of PCI-SIG with protocol 0 = IDE_KM."""
    payload = b"\0" + payload
    return f"12{code:02x}0000 0300 02 0100 " + (struct.pack("<H", len(payload)) + payload).hex()


def km(kind: int, sub: int = 0, status: int = 0, stream: int = 0, port: int = 0, rest: bytes = b"") -> bytes:
    """ObjectID, 2 reserved, StreamID, status or reserved, KeySubStream, PortIndex (PCIe r6 6.33.3)."""
    return bytes((kind, 0, 0, stream, status, sub, port)) + rest


def prog(sub: int = 0) -> str:
    return vendor(0xFE, km(2, sub, rest=bytes(range(40))))


def ack(sub: int = 0, status: int = 0, stream: int = 0) -> str:
    return vendor(0x7E, km(3, sub, status, stream))


def go(sub: int = 0) -> str:
    return vendor(0xFE, km(4, sub))


def stop(sub: int = 0) -> str:
    return vendor(0xFE, km(5, sub))


def done(sub: int = 0) -> str:
    return vendor(0x7E, km(6, sub))


def found(folder: Path, *messages: str) -> list[Finding]:
    capture = opened(clear(folder, *[(i + 1, m) for i, m in enumerate(messages)]))
    return [f for f in capture.findings if f.rule.startswith("IDE")]


def test_a_key_that_is_programmed_started_and_stopped(tmp_path: Path) -> None:
    assert found(tmp_path, prog(), ack(), go(), done(), stop(), done()) == []


@pytest.mark.parametrize("name", ["doe_v12_measall", "doe_v12_handshake_enc"])
def test_good_captures(name: str) -> None:
    keys = (DATA / "spdm" / f"{name}.json").read_text()
    capture = opened(DATA / "spdm" / f"{name}.pcap", keys=keys)
    assert any(m.vendor == "IDE_KM KEY_PROG" for m in capture.conversations.decode())
    assert [f for f in capture.findings if f.rule.startswith("IDE")] == []


def test_a_key_that_was_refused(tmp_path: Path) -> None:
    """Status 4 of KP_ACK is Unspecified Failure."""
    (one,) = found(tmp_path, prog(), ack(status=4))
    assert (one.rule, one.severity) == ("IDE-KEY-REFUSED", "error")
    assert "KEY_PROG of stream 0, PR RX K0, at the endpoint failed: Unspecified" in one.message


def test_an_acknowledgement_of_something_else(tmp_path: Path) -> None:
    (one,) = found(tmp_path, prog(), done())
    assert (one.rule, one.severity) == ("IDE-ACK", "error")
    assert one.message.endswith("was answered with K_GOSTOP_ACK, KP_ACK was due")


def test_an_acknowledgement_with_other_fields(tmp_path: Path) -> None:
    (one,) = found(tmp_path, prog(0x10), ack(0x20, stream=1))
    assert (one.rule, one.message.rpartition(" with ")[2]) == ("IDE-ACK", "another StreamID and KeySubStream")


def test_an_empty_answer() -> None:
    """K_SET_STOP in the log of a validator is answered with a VENDOR_DEFINED_RESPONSE that has no payload."""
    said = [f for f in opened(CAPTURES / "spdm" / "tee-io-validator.log").findings if f.rule.startswith("IDE")]
    assert sorted(f.rule for f in said) == ["IDE-ACK", "IDE-KEY-MISMATCH"]
    assert "empty VENDOR_DEFINED_RESPONSE" in next(f.message for f in said if f.rule == "IDE-ACK")
    assert "CPL TX K0" in next(f.message for f in said if f.rule == "IDE-KEY-MISMATCH")


def session(folder: Path, *plain: str) -> list[Finding]:
    """The same inside of a session that began in this capture, as a responder's log shows it: only there can it be told
    that something did not happen before."""
    lines = "libspdm_receive_spdm_response[0] msg SPDM_KEY_EXCHANGE_RSP(0x64), size (0x4): \n0000: 12 64 00 00 \n"
    for text in plain:
        data = bytes.fromhex(text)
        name = "send_spdm_request" if data[1] & 0x80 else "receive_spdm_response"
        word = "VENDOR_DEFINED_REQUEST" if data[1] & 0x80 else "VENDOR_DEFINED_RESPONSE"
        lines += f"libspdm_{name}[ffffffff] msg SPDM_{word}(0x{data[1]:x}), size (0x{len(data):x}): \n"
        lines += "".join(f"{i:04x}: {data[i : i + 32].hex(' ')} \n" for i in range(0, len(data), 32))
    return [f for f in opened(write(folder, "a.log", lines)).findings if f.rule.startswith("IDE")]


def test_started_before_it_was_programmed(tmp_path: Path) -> None:
    (one,) = session(tmp_path, prog(), ack(), go(0x10), done(0x10))
    assert (one.rule, one.severity) == ("IDE-ORDER", "warning")
    assert "K_SET_GO of stream 0, NPR RX K0, at the endpoint without KEY_PROG before it" in one.message
    assert session(tmp_path, prog(), ack(), go(), done()) == []


def test_stopped_before_it_was_started(tmp_path: Path) -> None:
    (one,) = session(tmp_path, prog(), ack(), stop(), done())
    assert (one.rule, one.severity) == ("IDE-ORDER", "note")
