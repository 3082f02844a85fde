"""Protocol messages as a pcap or pcapng file of DOE objects and MCTP packets, for spdm_dump, Wireshark and device emulators.

Link types are the numbers that DMTF's tools write (292 DOE, 291 MCTP). A message that the capture shows without a carrier (in a
page of the RMM, in a log) gets the header of a DOE object (PCIe r6.1 6.30.1). Times are those of the capture's clock; a message
without one has that of the message before it. IDE keys that lie in the clear are zeros. Layouts: draft-ietf-opsawg-pcap and
draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import IO

from .. import __version__
from ..capture.messages import Message
from ..capture.messages.decoding import redacted
from ..capture.messages.facts import shown_time
from ..capture.messages.model import REQUEST
from ..capture.model import Capture
from ..display import safe

LINK_TYPES = {"DOE": 292, "MCTP": 291}
SNAP_LENGTH = 1 << 16
"""What a file says that it keeps of a packet: the most that spdm_dump takes. Packets are never cut to it."""
_VENDOR_PCI_SIG = 1
_TYPE_SPDM, _TYPE_SECURED = 1, 2
_COMMENT, _IF_NAME, _IF_TSRESOL, _EPB_FLAGS, _SHB_USERAPPL = 1, 2, 9, 2, 4
_INBOUND, _OUTBOUND = 1, 2


def write_pcapng(capture: Capture, messages: Iterable[Message], out: IO[bytes]) -> int:
    """One packet a message, in their order, with times in ns; how many were written. Those of which a log has no bytes are
    left out. The comment of a packet names the message, its call and its device."""
    shown = [m for m in messages if m.data]
    order = sorted({_carrier(m) for m in shown})
    out.write(_section())
    for name in order:
        out.write(_interface(name))
    for m, ts in _timed(capture, shown):
        packet = _packet(m, capture.options.show_secrets)
        out.write(_block(order.index(_carrier(m)), ts, packet, _comment(capture, m), m.direction == REQUEST))
    return len(shown)


def write_pcap(capture: Capture, messages: Iterable[Message], out: IO[bytes]) -> int:
    """The same without comments and with times in us, which is all that spdm_dump reads. Raises ValueError where there are
    messages of both link types."""
    shown = [m for m in messages if m.data]
    carriers = sorted({_carrier(m) for m in shown}) or ["DOE"]
    if len(carriers) > 1:
        raise ValueError("DOE and MCTP messages do not fit into one pcap file, pcapng holds both")
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP_LENGTH, LINK_TYPES[carriers[0]]))
    for m, ts in _timed(capture, shown):
        packet = _packet(m, capture.options.show_secrets)
        seconds, us = divmod(ts // 1000, 1_000_000)
        out.write(struct.pack("<IIII", seconds & 0xFFFFFFFF, us, len(packet), len(packet)) + packet)
    return len(shown)


def _carrier(m: Message) -> str:
    return "MCTP" if m.layers[0] == "MCTP" else "DOE"


def _timed(capture: Capture, messages: Iterable[Message]) -> Iterator[tuple[Message, int]]:
    last = 0
    for m in messages:
        ts = shown_time(capture, m)
        last = last if ts is None else max(ts, 0)
        yield m, last


def _packet(m: Message, reveal: bool) -> bytes:
    """The bytes with the header of the carrier."""
    clear = m.covered if reveal else redacted(m)
    if m.layers[0] == "DOE":
        return clear
    if m.layers[0] == "MCTP":
        return m.data[: m.start] + clear
    padded = clear + bytes(-len(clear) % 4)
    kind = _TYPE_SECURED if m.secured else _TYPE_SPDM
    return struct.pack("<HBxI", _VENDOR_PCI_SIG, kind, 2 + len(padded) // 4) + padded


def _comment(capture: Capture, m: Message) -> str:
    text = m.title
    if m.place.call is not None:
        text += f", call {capture.number(m.place.call)} {capture.name_text(m.place.call)}"
    return safe(text if m.place.device is None else f"{text}, {m.place.device}")


def _option(code: int, value: bytes) -> bytes:
    value = value[:0xFFFF]
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _whole(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _section() -> bytes:
    said = _option(_SHB_USERAPPL, f"rmitrace {__version__}".encode()) + _option(0, b"")
    return _whole(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + said)


def _interface(name: str) -> bytes:
    options = _option(_IF_NAME, name.encode()) + _option(_IF_TSRESOL, b"\x09") + _option(0, b"")
    return _whole(1, struct.pack("<HHI", LINK_TYPES[name], 0, SNAP_LENGTH) + options)


def _block(interface: int, ts: int, packet: bytes, comment: str, request: bool) -> bytes:
    head = struct.pack("<IIIII", interface, ts >> 32, ts & 0xFFFFFFFF, len(packet), len(packet))
    flags = struct.pack("<I", _OUTBOUND if request else _INBOUND)
    options = _option(_COMMENT, comment.encode("utf-8", "replace")) + _option(_EPB_FLAGS, flags) + _option(0, b"")
    return _whole(6, head + packet + bytes(-len(packet) % 4) + options)
