"""MCTP packets in the frames of their physical bindings, as bus analysers and drivers record them.

SMBus and I2C (DSP0237): destination address, command 0x0F, byte count, source address, packet, PEC. Serial (DSP0253): 0x7E,
revision, byte count, packet, FCS, 0x7E, with 0x7D as escape. PCIe VDM (DSP0238): a message TLP of vendor 0x1AB4 whose last
header dword is MCTP's. I3C (DSP0233): dynamic address, packet, PEC. Which one it is, the bytes say.
"""

from __future__ import annotations

from typing import NamedTuple

MCTP_HEADER = 4
I2C_LINUX = 209
"""LINKTYPE_I2C_LINUX: a bus number and four bytes of flags in front of what was on the bus."""
_I2C_PSEUDO_HEADER = 5
COMMAND = 0x0F
"""SMBus command code of MCTP."""
VDM_HEADER, DMTF_VENDOR, VENDOR_DEFINED_TYPE_1 = 12, b"\x1a\xb4", 0x7F
"""Bytes of a VDM in front of MCTP's header, its vendor id, its message code."""
FRAME, ESCAPE = 0x7E, 0x7D
REVISION = 1


class Bound(NamedTuple):
    """An MCTP packet out of a frame: ``packet`` from its transport header on, without what the binding puts around it;
    ``problem`` a checksum or a length that is wrong."""

    binding: str
    packet: bytes
    problem: str | None = None


def unwrap(frame: bytes, linktype: int) -> Bound | None:
    """The MCTP packet in a frame of one of the bindings; None where it is none of them."""
    if linktype == I2C_LINUX:
        return _smbus(frame[_I2C_PSEUDO_HEADER:])
    for binding in (_smbus, _serial, _vdm, _i3c):
        found = binding(frame)
        if found is not None:
            return found
    return None


def crc8(data: bytes) -> int:
    """SMBus PEC: CRC-8 with polynomial x^8 + x^2 + x + 1, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def fcs(data: bytes, start: int = 0xFFFF) -> int:
    """RFC 1662's 16-bit FCS, not complemented."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc


def _is_packet(packet: bytes) -> bool:
    """Header version 1, and a message type that is known where a message begins."""
    if len(packet) <= MCTP_HEADER or packet[0] & 0x0F not in (0, 1) or packet[0] >> 4:
        return False
    return not packet[3] & 0x80 or packet[4] & 0x7F in (0, 1, 2, 3, 4, 5, 6, 7, 8, 0x7E, 0x7F)


def _smbus(frame: bytes) -> Bound | None:
    if len(frame) < 4 + MCTP_HEADER or frame[0] & 1 or frame[1] != COMMAND or not frame[3] & 1:
        return None
    end = 3 + frame[2]  # what is counted: source address and packet
    packet = frame[4:end]
    if not _is_packet(packet):
        return None
    if end > len(frame):
        return Bound("SMBus", packet, f"SMBus frame cut: byte count {frame[2]}, {len(frame) - 3} bytes are there")
    wrong = None
    if end < len(frame) and frame[end] != (right := crc8(frame[:end])):
        wrong = f"SMBus PEC is {frame[end]:#04x}, {right:#04x} is right"
    return Bound("SMBus", packet, wrong)


def _serial(frame: bytes) -> Bound | None:
    if len(frame) < 3 + MCTP_HEADER or frame[0] != FRAME or frame[1] != REVISION:
        return None
    count, body, at = frame[2], bytearray(), 3
    while at < len(frame) and len(body) < count + 2:
        byte = frame[at]
        if byte == FRAME:
            break
        if byte == ESCAPE and at + 1 < len(frame):
            at += 1
            byte = frame[at] | 0x20
        body.append(byte)
        at += 1
    packet, check = bytes(body[:count]), bytes(body[count : count + 2])
    if not _is_packet(packet):
        return None
    if len(body) < count + 2:
        return Bound("serial", packet, f"serial frame cut: byte count {count}, {len(packet)} bytes are there")
    covered = frame[1:3] + packet
    sent = int.from_bytes(check, "big")
    right = fcs(covered)
    # RFC 1662 complements it and begins with 0xFFFF; drivers do neither, or begin with 0
    if sent in (right, right ^ 0xFFFF, fcs(covered, 0)):
        return Bound("serial", packet)
    return Bound("serial", packet, f"serial FCS is {sent:#06x}, {right:#06x} is right")


def _vdm(frame: bytes) -> Bound | None:
    if len(frame) <= VDM_HEADER + MCTP_HEADER or frame[0] & 0xF8 != 0x70 or frame[7] != VENDOR_DEFINED_TYPE_1:
        return None
    if frame[10:12] != DMTF_VENDOR or not _is_packet(frame[VDM_HEADER:]):
        return None
    dwords = (frame[2] & 3) << 8 | frame[3] or 1024
    end = VDM_HEADER + MCTP_HEADER + 4 * dwords - (frame[6] >> 4 & 3)
    wrong = (
        f"PCIe VDM cut: {dwords} dwords, {len(frame) - VDM_HEADER - MCTP_HEADER} bytes are there" if end > len(frame) else None
    )
    return Bound("PCIe VDM", frame[VDM_HEADER:end], wrong)


def _i3c(frame: bytes) -> Bound | None:
    """Only where the PEC is right: there is nothing else in front of the packet to know it by."""
    packet = frame[1:-1]
    if len(frame) < 3 + MCTP_HEADER or packet[:1] != b"\1" or not _is_packet(packet) or frame[-1] != crc8(frame[:-1]):
        return None
    return Bound("I3C", packet)
