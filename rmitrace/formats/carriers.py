"""What carries SPDM in a captured packet: a PCIe DOE object, MCTP, or nothing at all.

No link type is assigned to either carrier. DMTF's emulators write 291 for MCTP and 292 for DOE, older ones wrote 290
and 291, and other tools use USER0 to USER15; so the bytes decide, and the link type only where they do not.
Layouts: PCIe r6 section 6.30 (DOE), DSP0236 (MCTP), DSP0275 (SPDM over MCTP), DSP0276 (secured messages over MCTP).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .mctp_bindings import I2C_LINUX

MCTP = 291
"""DMTF's own number for MCTP."""
LINUX_SLL, USB_LINUX_MMAPPED, LINUX_SLL2 = 113, 220, 276
USER = range(147, 163)
NATIVE = frozenset((I2C_LINUX, 290, 291, 292, LINUX_SLL, LINUX_SLL2, *USER))
"""Link types whose packets are read here; any other needs tshark."""
_USUAL = {290: "MCTP", 291: "MCTP", 292: "DOE"}

DOE_TYPES = {0: "DISCOVERY", 1: "SPDM", 2: "SECURED", 3: "SPDM", 4: "SECURED", 5: "ASYNC"}
MCTP_TYPES = {
    0: "CONTROL",
    1: "PLDM",
    2: "NC-SI",
    3: "ETHERNET",
    4: "NVME-MI",
    5: "SPDM",
    6: "SECURED",
    0x7E: "VENDOR_PCI",
    0x7F: "VENDOR_IANA",
}
MCTP_HEADER = 4
MAX_MESSAGE = 1 << 20
"""Bytes of an MCTP message in many packets: more than the largest SPDM message in use, and a bound on what is kept."""
MAX_OPEN = 64
ETH_P_MCTP = 0x00FA


class Message(NamedTuple):
    """Where a message is in its packet.

    layers     carrier first: ('DOE', 'SPDM'), ('DOE', 'SECURED'), ('DOE', 'DISCOVERY'), ('MCTP', 'SPDM'), ('SPDM',), ...
    offset     of the message in the packet: behind the DOE header, or behind MCTP's header and message type
    length     bytes of the message; for DOE the padding to a dword is among them
    direction  'request' or 'response' by the SPDM code, '' where the bytes do not say (secured, discovery)
    start      of the carrier's header in the packet
    """

    layers: tuple[str, ...]
    offset: int
    length: int
    direction: str
    start: int


def carrier_of(packet: bytes) -> str | None:
    """'DOE', 'MCTP' or 'SPDM' where the bytes are surely one of these, else None."""
    if len(packet) >= 8 and packet[:2] == b"\x01\0" and packet[2] in DOE_TYPES and packet[3] == 0:
        return "DOE"
    if len(packet) >= 6 and packet[0] in (0, 1) and packet[3] & 0x80 and packet[4] & 0x7F in (5, 6):
        return "MCTP"
    if len(packet) >= 4 and 0x10 <= packet[0] <= 0x1F and _known_code(packet[1]):
        return "SPDM"
    return None


_OBJECT = struct.Struct("<HBBI").unpack_from
_ALONE = {kind: ("DOE", inner) for kind, inner in DOE_TYPES.items()}


def messages(packet: bytes, linktype: int, carrier: str | None = None) -> list[Message]:
    """The messages of one packet; [] where nothing is recognised (link types not in NATIVE among others).

    ``carrier`` ('DOE', 'MCTP', 'SPDM') settles what the bytes would otherwise have to say. An MCTP packet that is a part of
    a longer message is given as ('MCTP', 'FRAGMENT'): see Fragments.
    """
    if linktype not in NATIVE:
        return []
    if carrier is None and packet[:2] == b"\1\0" and len(packet) > 9 and linktype not in (LINUX_SLL, LINUX_SLL2):
        _, kind, odd, length = _OBJECT(packet)
        if not odd and 4 * length == len(packet) and kind in _ALONE:  # by far the most: one whole object
            said = ("request" if packet[9] & 0x80 else "response") if kind in (1, 3) else ""
            return [Message(_ALONE[kind], 8, len(packet) - 8, said, 0)]
    start = 0
    if linktype in (LINUX_SLL, LINUX_SLL2):
        at, start = (14, 16) if linktype == LINUX_SLL else (0, 20)
        if len(packet) < start or struct.unpack_from(">H", packet, at)[0] != ETH_P_MCTP:
            return []
        carrier = "MCTP"
    body = packet[start:] if start else packet
    carrier = carrier or carrier_of(body) or _USUAL.get(linktype)
    if carrier == "DOE":
        return _doe(packet, start)
    if carrier == "MCTP":
        return _mctp(packet, start)
    if carrier == "SPDM":
        return [Message(("SPDM",), start, len(packet) - start, direction_of(body), start)]
    return []


def direction_of(spdm: bytes) -> str:
    """'request' or 'response' by the code of a clear SPDM message, '' where there is no code."""
    if len(spdm) < 2:
        return ""
    return "request" if spdm[1] & 0x80 else "response"


def _known_code(code: int) -> bool:
    code &= 0x7F  # requests are responses with bit 7
    return 1 <= code <= 8 or 0x60 <= code <= 0x71 or code >= 0x7C


def _doe(packet: bytes, start: int) -> list[Message]:
    found: list[Message] = []
    while start + 8 <= len(packet):
        kind = packet[start + 2]
        size = 4 * (struct.unpack_from("<I", packet, start + 4)[0] & 0x3FFFF or 1 << 18)
        # a length that cannot be right leaves the object to the end of its packet; the object's own decode says so
        another = 8 <= size <= len(packet) - start - 8 and carrier_of(packet[start + size :]) == "DOE"
        end = start + size if another else len(packet)
        vendor = struct.unpack_from("<H", packet, start)[0]
        inner = DOE_TYPES.get(kind) if vendor == 1 else None
        layers = ("DOE", inner) if inner else ("DOE",)
        said = direction_of(packet[start + 8 : start + 10]) if inner == "SPDM" else ""
        found.append(Message(layers, start + 8, end - start - 8, said, start))
        if not another:
            break
        start = end
    return found


def _mctp(packet: bytes, start: int) -> list[Message]:
    body = start + MCTP_HEADER
    if len(packet) <= body:
        return []
    if packet[start + 3] & 0xC0 != 0xC0:
        return [Message(("MCTP", "FRAGMENT"), body, len(packet) - body, "", start)]
    inner = MCTP_TYPES.get(packet[body] & 0x7F)
    said = direction_of(packet[body + 1 : body + 3]) if inner == "SPDM" else ""
    return [Message(("MCTP", inner) if inner else ("MCTP",), body + 1, len(packet) - body - 1, said, start)]


class Fragments:
    """Puts MCTP messages together that came in several packets (DSP0236: SOM, EOM, packet sequence 0 to 3).

    Bounded: at most MAX_OPEN messages under way, each of at most MAX_MESSAGE bytes.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[int, int, int], tuple[bytearray, int]] = {}

    def add(self, packet: bytes) -> tuple[bytes | None, str | None]:
        """One MCTP packet from its header on. Gives the whole message (message type byte first) once its last packet
        is there, and what went wrong, if anything: a part that has no beginning, one that is missing, or too many."""
        if len(packet) < MCTP_HEADER:
            return None, f"MCTP header cut: {len(packet)} of {MCTP_HEADER} bytes"
        flags = packet[3]
        key, sequence = (packet[1], packet[2], flags & 0x0F), flags >> 4 & 3
        wrong = None
        if flags & 0x80:
            if key in self._open:
                wrong = f"MCTP message given up after {len(self._open.pop(key)[0])} bytes: a new one begins"
            elif len(self._open) >= MAX_OPEN:
                oldest = next(iter(self._open))
                wrong = f"MCTP message given up after {len(self._open.pop(oldest)[0])} bytes: more than {MAX_OPEN} under way"
            parts = bytearray()
        else:
            state = self._open.pop(key, None)
            if state is None:
                return None, "MCTP packet of a message whose beginning is not there"
            parts, expected = state
            if sequence != expected:
                return None, f"MCTP message given up after {len(parts)} bytes: packet sequence {sequence}, expected {expected}"
        parts += packet[MCTP_HEADER:]
        if len(parts) > MAX_MESSAGE:
            return None, f"MCTP message given up: more than {MAX_MESSAGE} bytes"
        if flags & 0x40:
            return bytes(parts), wrong
        self._open[key] = (parts, (sequence + 1) & 3)
        return None, wrong
