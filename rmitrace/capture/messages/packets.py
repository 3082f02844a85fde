"""Packets of a capture file: DOE objects, MCTP messages and what a dissector found in other link types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...formats.base import Unreadable
from ...formats.carriers import MCTP, MCTP_HEADER, NATIVE, Fragments, direction_of, messages
from ...formats.mctp_bindings import unwrap
from ..records import NO_TIME, Finding, Kind
from .model import REQUEST, RESPONSE, SECURED, SPDM, Message, Place

if TYPE_CHECKING:
    from ..model import Capture

_OTHER = {REQUEST: RESPONSE, RESPONSE: REQUEST}
_DOUBTFUL = (("MCTP",), ("DOE",), ("MCTP", "FRAGMENT"), ("SPDM",))
"""What a packet is by its link type only, or by two of its bytes."""


def from_packets(capture: Capture, source: int, problems: list[Finding]) -> list[Message]:
    """The messages of a packet capture in its order; one whose bytes do not say its direction (secured, discovery) goes
    the other way than the one before it. MCTP messages in several packets stand where their last packet does, and
    packets in the frames of a bus (SMBus, I3C, serial, PCIe VDM) are taken out of them.

    Link types that the native reader does not take apart are tshark's. MCTP-FRAGMENT: a part that found no message;
    MCTP-BINDING: a frame whose checksum or length is wrong; PACKET-UNKNOWN: packets in which nothing was recognised;
    TSHARK: what tshark cannot read, or that it is missing."""
    src = capture.sources[source]
    rec = src.records
    before = RESPONSE
    fragments = Fragments()
    unknown: dict[int, tuple[int, int]] = {}
    found: list[Message] = []
    for r in np.flatnonzero(rec.kind == Kind.BUFFER).tolist():
        link, start, captured = (int(v) for v in rec.regs[r, :3])
        packet = src.raw(start, captured)
        ts = int(rec.ts[r])
        offset, length = int(rec.offset[r]), int(rec.length[r])
        inside = messages(packet, link)
        if link in NATIVE and (not inside or inside[0].layers in _DOUBTFUL):
            bound = unwrap(packet, link)
            if bound is not None:
                packet, inside = bound.packet, messages(bound.packet, MCTP, "MCTP")
                if bound.problem is not None:
                    problems.append(Finding("MCTP-BINDING", "warning", bound.problem, source, offset))
        if not inside:
            count, first = unknown.get(link, (0, offset))
            unknown[link] = (count + 1, first)
        for m in inside:
            place = Place(source, offset, length, None if ts == NO_TIME else ts, None, None)
            data, layers, said, skip = packet[m.start : m.offset + m.length], m.layers, m.direction, m.offset - m.start
            if layers[-1] == "FRAGMENT":
                whole, wrong = fragments.add(packet[m.start : m.offset + m.length])
                if wrong is not None:
                    problems.append(Finding("MCTP-FRAGMENT", "warning", wrong, source, offset))
                if whole is None:
                    continue
                data = packet[m.start : m.start + MCTP_HEADER] + whole
                layers, said, skip = _mctp_layers(whole), "", MCTP_HEADER + 1
                if layers[-1] == SPDM:
                    said = direction_of(whole[1:3])
            direction = said or _OTHER[before]
            before = direction
            named = [SECURED if x == "SECURED" else x for x in layers]
            found.append(Message(place, direction, named, data, skip, sure=bool(said)))
    dissected = _from_tshark(capture, source, problems) if any(link not in NATIVE for link in unknown) else []
    for link, (count, first) in unknown.items():
        if link not in NATIVE and dissected is not None:
            continue  # tshark's; that most of these packets hold no message is usual
        text = f"{count} packet{'s' if count > 1 else ''} of link type {link} with no message that is known"
        problems.append(Finding("PACKET-UNKNOWN", "note", text, source, first))
    found += dissected or ()
    return found


def _from_tshark(capture: Capture, source: int, problems: list[Finding]) -> list[Message] | None:
    """What tshark finds in the packets of a source, None where it cannot be asked."""
    from ...formats import tshark

    src = capture.sources[source]
    rec = src.records
    packets = np.flatnonzero(rec.kind == Kind.BUFFER)
    try:
        reading = tshark.read_packets(src.data)
    except Unreadable as e:
        problems.append(Finding("TSHARK", "warning", str(e), source, int(rec.offset[packets[0]])))
        return None
    problems += [Finding("TSHARK", "warning", text, source) for text in reading.problems]
    found = []
    before = RESPONSE
    for m in reading.messages:
        row = int(packets[min(max(m.frame - 1, 0), len(packets) - 1)])
        place = Place(source, int(rec.offset[row]), int(rec.length[row]), m.ts_ns, None, None)
        layers = [SECURED if x == "SECURED" else x for x in m.layers]
        direction = m.direction or _OTHER[before]
        before = direction
        found.append(Message(place, direction, layers, m.data, m.offset, sure=bool(m.direction)))
    if not found:
        text = "no SPDM message in the packets of a link type that is read through tshark"
        problems.append(Finding("PACKET-UNKNOWN", "note", text, source, int(rec.offset[packets[0]])))
    return found


def _mctp_layers(whole: bytes) -> tuple[str, ...]:
    kind = {5: SPDM, 6: "SECURED"}.get(whole[0] & 0x7F if whole else -1)
    return ("MCTP", kind) if kind else ("MCTP",)
