"""Blocks of pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces, packets.

Blocks that hold no packets are passed over by their length; a block whose two length fields disagree is reported and
the reading goes on at the next block that is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .base import Data

if TYPE_CHECKING:
    from .pcap import Packet

SECTION, INTERFACE, PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_TIMES = 1 << 63
"""ns that a signed word does not hold any more."""
NAMED = frozenset((SECTION, INTERFACE, PACKET, SIMPLE, 4, 5, ENHANCED, 9, 10, 0xBAD, 0x40000BAD))
"""Block types that a search for the next whole block believes in; others are only skipped in their turn."""
MAX_INTERFACES = 4096
Report = Callable[[int, int, str], None]


class Interface(NamedTuple):
    """What an interface description says: link type, snapshot length, and how ticks become ns
    (ticks * multiply // divide + offset)."""

    linktype: int
    snaplen: int
    multiply: int
    divide: int
    offset: int


UNDESCRIBED = Interface(-1, 0, 1000, 1, 0)


def read_blocks(data: Data, start: int, report: Report) -> Iterator[Packet]:
    """The packets of the blocks from ``start`` on; earlier blocks are read for their interfaces only."""
    from .pcap import Packet

    size, pos, order = len(data), 0, "<"
    interfaces: list[Interface] = []
    while pos + 12 <= size:
        kind = struct.unpack_from(order + "I", data, pos)[0]
        if kind == SECTION:
            order = _order(data, pos) or order
        length = struct.unpack_from(order + "I", data, pos + 4)[0]
        if not _whole(data, pos, kind, length, order):
            found = _next_block(data, pos + 1, order)
            end = size if found is None else found
            rest = size - pos
            why = f"the block says {length} bytes, {rest} are left" if length > rest else f"block lengths do not agree: {length}"
            if found is None and length > rest and kind in NAMED:
                why = f"block of type {kind:#x} cut by the end of the file: {rest} of {length} bytes"
            if pos >= start:
                report(pos, end - pos, why)
            if found is None:
                return
            pos = found
            continue
        if kind == SECTION:
            interfaces = []
        elif kind == INTERFACE:
            if len(interfaces) < MAX_INTERFACES:
                interfaces.append(_interface(data, pos, length, order))
            else:
                report(pos, 0, f"more than {MAX_INTERFACES} interfaces; packets of this one have no link type")
        elif pos >= start and kind in (ENHANCED, PACKET, SIMPLE):
            packet = _packet(data, pos, length, order, kind, interfaces)
            if packet is None:
                report(pos, length, f"packet block of {length} bytes is shorter than its fixed fields")
            else:
                first, ts, captured, original, interface = packet
                room = length - (first - pos) - 4
                if captured > room:
                    report(pos, 0, f"the block says {captured} captured bytes and has room for {room}")
                    captured = room
                if ts is not None and not -_TIMES < ts < _TIMES:
                    report(pos, 0, f"the packet's time is {ts} ns, which is beyond 292 years from 1970; it is left out")
                    ts = None
                linktype = _at(interfaces, interface).linktype
                if linktype < 0:
                    report(pos, 0, f"interface {interface} was not described")
                yield Packet(pos, length, ts, linktype, first, captured, original, interface)
        pos += length
    if pos < size:
        report(pos, size - pos, f"block header cut: {size - pos} of 12 bytes")


def _order(data: Data, pos: int) -> str | None:
    return {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(bytes(data[pos + 8 : pos + 12]))


def _whole(data: Data, pos: int, kind: int, length: int, order: str) -> bool:
    if length < (28 if kind == SECTION else 12) or length % 4 or pos + length > len(data):
        return False
    if kind == SECTION and _order(data, pos) is None:
        return False
    return bool(struct.unpack_from(order + "I", data, pos + length - 4)[0] == length)


def _next_block(data: Data, pos: int, order: str) -> int | None:
    """The first offset from ``pos`` on at which a whole block of a known type begins."""
    size, step = len(data), 4096
    while pos + 12 <= size:
        part = bytes(data[pos : pos + step + 7])
        count = len(part) - 7
        for found in _candidates(part, count, order):
            at = pos + found
            kind = struct.unpack_from(order + "I", data, at)[0]
            there = _order(data, at) or order if kind == SECTION else order
            if _whole(data, at, kind, struct.unpack_from(there + "I", data, at + 4)[0], there):
                return at
        pos += count
        step = min(step * 2, 1 << 20)
    return None


def _candidates(part: bytes, count: int, order: str) -> list[int]:
    raw = np.frombuffer(part, np.uint8)
    words = np.zeros(count, np.int64)
    for shift, i in enumerate(range(4) if order == "<" else range(3, -1, -1)):
        words |= raw[i : i + count].astype(np.int64) << 8 * shift
    return [int(i) for i in np.flatnonzero(np.isin(words, list(NAMED)))]


def _at(interfaces: list[Interface], index: int) -> Interface:
    return interfaces[index] if index < len(interfaces) else UNDESCRIBED


def _interface(data: Data, pos: int, length: int, order: str) -> Interface:
    if length < 20:
        return UNDESCRIBED
    linktype, _, snaplen = struct.unpack_from(order + "HHI", data, pos + 8)
    multiply, divide, offset = 1000, 1, 0
    at, end = pos + 16, pos + length - 4
    while at + 4 <= end:
        code, size = struct.unpack_from(order + "HH", data, at)
        if code == 0 or at + 4 + size > end:
            break
        if code == 9 and size == 1:  # if_tsresol
            power = data[at + 4] & 0x7F
            if data[at + 4] & 0x80:
                multiply, divide = 1_000_000_000, 1 << power
            else:
                multiply, divide = 10 ** max(9 - power, 0), 10 ** max(power - 9, 0)
        elif code == 14 and size == 8:  # if_tsoffset, seconds
            offset = struct.unpack_from(order + "q", data, at + 4)[0] * 1_000_000_000
        at += 4 + size + -size % 4
    return Interface(linktype, snaplen, multiply, divide, offset)


def _packet(
    data: Data, pos: int, length: int, order: str, kind: int, interfaces: list[Interface]
) -> tuple[int, int | None, int, int, int] | None:
    """First byte in the file, time in ns, captured and original length, interface; None where the block is too short."""
    if length < (16 if kind == SIMPLE else 32):
        return None
    if kind == SIMPLE:
        original = struct.unpack_from(order + "I", data, pos + 8)[0]
        snaplen = _at(interfaces, 0).snaplen or original
        return pos + 12, None, min(original, snaplen, length - 16), original, 0
    layout = "HHIIII" if kind == PACKET else "IIIII"
    fields = struct.unpack_from(order + layout, data, pos + 8)
    high, low, captured, original = fields[-4:]
    where = _at(interfaces, fields[0])
    ts = (high << 32 | low) * where.multiply // where.divide + where.offset
    return pos + 28, ts, captured, original, fields[0]
