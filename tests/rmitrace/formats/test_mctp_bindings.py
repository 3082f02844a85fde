"""MCTP packets in the frames of their bindings: made by hand after DSP0233, DSP0237, DSP0238 and DSP0253, with checksums
that others computed."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.formats.mctp_bindings import I2C_LINUX, crc8, fcs, unwrap
from tests.rmitrace.capture.messages.runs import DATA, opened, write

USER0 = 147
PACKET = bytes.fromhex("01 08 0a c8 05 10840000")  # version 1, to 8, from 10, SOM EOM owner: GET_VERSION


def smbus(packet: bytes, pec: int | None = None) -> bytes:
    """To address 0x20, from 0x10."""
    frame = bytes((0x40, 0x0F, len(packet) + 1, 0x21)) + packet
    return frame + bytes((crc8(frame) if pec is None else pec,))


def serial(packet: bytes, complement: bool = True) -> bytes:
    check = fcs(bytes((1, len(packet))) + packet) ^ (0xFFFF if complement else 0)
    body = packet + check.to_bytes(2, "big")
    escaped = b"".join(bytes((0x7D, b & ~0x20)) if b in (0x7D, 0x7E) else bytes((b,)) for b in body)
    return bytes((0x7E, 1, len(packet))) + escaped + b"\x7e"


def vdm(packet: bytes) -> bytes:
    """Route to root complex, from 01:00.0; padded to a dword behind MCTP's header."""
    pad = -(len(packet) - 4) % 4
    dwords = (len(packet) - 4 + pad) // 4
    head = bytes((0x70, 0x10)) + struct.pack(">H", dwords) + bytes.fromhex("0100") + bytes((pad << 4, 0x7F))
    return head + bytes.fromhex("0000 1ab4") + packet + bytes(pad)


def i3c(packet: bytes, address: int = 0x11) -> bytes:
    frame = bytes((address,)) + packet
    return frame + bytes((crc8(frame),))


def test_checksums() -> None:
    """The check values of the CRC catalogue for '123456789': CRC-8/SMBUS 0xf4, CRC-16/IBM-SDLC 0x906e."""
    assert crc8(b"123456789") == 0xF4
    assert fcs(b"123456789") ^ 0xFFFF == 0x906E


@pytest.mark.parametrize("size", range(4))
@pytest.mark.parametrize(("binding", "frame"), [("SMBus", smbus), ("serial", serial), ("PCIe VDM", vdm), ("I3C", i3c)])
def test_a_packet_is_taken_out_of_its_frame(binding: str, frame: object, size: int) -> None:
    packet = PACKET + b"\x7e\x7d\x5e"[:size]  # bytes that serial has to escape
    found = unwrap(frame(packet), USER0)  # type: ignore[operator]
    assert found is not None
    assert (found.binding, found.packet, found.problem) == (binding, packet, None)


def test_what_drivers_do_otherwise() -> None:
    assert unwrap(serial(PACKET, complement=False), USER0).problem is None  # type: ignore[union-attr]
    without_pec = unwrap(smbus(PACKET)[:-1], USER0)
    assert without_pec is not None
    assert (without_pec.packet, without_pec.problem) == (PACKET, None)
    linux = unwrap(bytes(5) + smbus(PACKET), I2C_LINUX)
    assert linux is not None
    assert linux.packet == PACKET
    assert unwrap(bytes(5) + smbus(PACKET)[:6], I2C_LINUX) is None


def test_what_is_wrong_is_said() -> None:
    wrong = unwrap(smbus(PACKET, pec=0), USER0)
    assert wrong is not None
    assert wrong.packet == PACKET
    assert wrong.problem is not None
    assert wrong.problem.startswith("SMBus PEC is 0x00, ")
    assert unwrap(smbus(PACKET)[:-3], USER0).problem == "SMBus frame cut: byte count 10, 8 bytes are there"  # type: ignore[union-attr]
    damaged = serial(PACKET)[:-2] + b"\0\x7e"
    assert "serial FCS is" in str(unwrap(damaged, USER0).problem)  # type: ignore[union-attr]
    assert "cut" in str(unwrap(serial(PACKET)[:-5], USER0).problem)  # type: ignore[union-attr]
    assert "cut" in str(unwrap(vdm(PACKET)[:-4], USER0).problem)  # type: ignore[union-attr]
    assert unwrap(i3c(PACKET)[:-1] + b"\0", USER0) is None  # nothing but the PEC tells it


@pytest.mark.parametrize("frame", [PACKET, b"", bytes.fromhex("0100010003000000 10840000"), bytes(40), b"\x7e" * 20])
def test_what_is_no_frame(frame: bytes) -> None:
    assert unwrap(frame, USER0) is None


@given(st.binary(max_size=40), st.sampled_from((b"", b"\x40\x0f", b"\x7e\x01\x10", bytes.fromhex("70100003010000 7f00001ab4"))))
def test_any_bytes(data: bytes, start: bytes) -> None:
    for link in (USER0, I2C_LINUX):
        found = unwrap(start + data, link)
        assert found is None or len(found.packet) <= len(start + data)


def pcap(folder: Path, frames: list[bytes], link: int = USER0) -> Path:
    rows = b"".join(struct.pack("<IIII", 1_700_000_000 + i, 0, len(f), len(f)) + f for i, f in enumerate(frames))
    return write(folder, "a.pcap", struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65536, link) + rows)


def emulated() -> list[bytes]:
    data, at, out = (DATA / "spdm" / "mctp_v12_measall.pcap").read_bytes(), 24, []
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        out.append(b"\1" + data[at + 17 : at + 16 + size])
        at += 16 + size
    return out


def parts(packet: bytes, tag: int) -> list[bytes]:
    """A message in packets of 64 bytes, the unit of transmission that every endpoint takes."""
    body = packet[4:]
    pieces = [body[i : i + 64] for i in range(0, len(body), 64)]
    last = len(pieces) - 1
    return [
        b"\1\x08\x0a" + bytes((0x80 * (i == 0) | 0x40 * (i == last) | (i & 3) << 4 | 8 | tag,)) + p for i, p in enumerate(pieces)
    ]


@pytest.mark.parametrize("frame", [smbus, serial, vdm, i3c])
def test_a_whole_run_in_frames_and_in_parts(frame: object, tmp_path: Path) -> None:
    keys = (DATA / "spdm" / "mctp_v12_measall.json").read_text()
    whole = opened(DATA / "spdm" / "mctp_v12_measall.pcap", keys=keys)
    frames = [frame(p) for i, packet in enumerate(emulated()) for p in parts(packet, i & 7)]  # type: ignore[operator]
    framed = opened(pcap(tmp_path, frames), keys=keys)
    expected = [(m.title, m.tree) for m in whole.conversations.decode()]
    assert [(m.title, m.tree) for m in framed.conversations.decode()] == expected
    assert framed.findings == whole.findings == []


def test_a_wrong_checksum_is_a_finding(tmp_path: Path) -> None:
    c = opened(pcap(tmp_path, [smbus(PACKET, pec=0x55)]))
    (finding,) = [f for f in c.findings if f.rule == "MCTP-BINDING"]
    assert (finding.severity, finding.offset) == ("warning", 24)
    assert [m.name for m in c.conversations.decode()] == ["GET_VERSION"]
