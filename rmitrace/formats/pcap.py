"""Packets of pcap and pcapng files, and where the DOE and MCTP messages are in them.

Both byte orders, microsecond and nanosecond files, the variant of the 2.4 format with longer record headers
(magic 0xa1b2cd34), and every pcapng block that holds packets. File layouts: draft-ietf-opsawg-pcap and
draft-ietf-opsawg-pcapng. Link types that need a dissector (Ethernet, USB, I2C) are for rmitrace.formats.tshark.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .base import Data
from .carriers import Message, carrier_of, messages

__all__ = ["MAGICS", "Message", "Packet", "PacketReader", "Problem", "carrier_of", "is_pcap", "messages", "packets"]

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
MAGICS: dict[bytes, tuple[str, int, int]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1000, 24),
    b"\xa1\xb2\xcd\x34": (">", 1000, 24),
}
"""First four bytes of a classic file: byte order, nanoseconds in a tick, bytes of a record header."""
FILE_HEADER = 24
MAX_PACKET = 16 << 20
"""No packet is longer, whatever the file's snapshot length says (a DOE object has at most 1 MiB)."""
MAX_PROBLEMS = 1000
NEAR = 7 * 24 * 3600
"""Seconds by which a record found behind a damaged place may differ from the last good one."""


class Packet(NamedTuple):
    """One captured packet.

    offset       of its record or block in the file
    length       of that record or block, headers included
    ts_ns        ns since the epoch, None where the block has no time (pcapng simple packet)
    linktype     LINKTYPE_ number, -1 where the file does not say (an interface that was never described)
    data_offset  where the packet's bytes begin in the file
    captured     how many of them are there
    original     how many the packet had
    interface    index of the interface in its section, 0 in classic files
    """

    offset: int
    length: int
    ts_ns: int | None
    linktype: int
    data_offset: int
    captured: int
    original: int
    interface: int = 0


class Problem(NamedTuple):
    """Bytes that could not be read as they should: where, how many (0 where none were lost), and why."""

    offset: int
    length: int
    message: str


def is_pcap(head: bytes) -> bool:
    """Whether a file that begins so is pcap or pcapng."""
    return head[:4] in MAGICS or (head[:4] == PCAPNG_MAGIC and head[8:12] in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"))


def packets(data: Data, start: int = 0) -> PacketReader:
    """The packets of a file, from the record or block that begins at ``start`` on. Never raises on bad bytes."""
    return PacketReader(data, start)


class PacketReader:
    """Iterates over the packets; ``problems`` grows while it does (each pass begins anew), and a place that cannot be
    read is skipped to the next record that fits. ``unlisted`` counts problems beyond MAX_PROBLEMS."""

    def __init__(self, data: Data, start: int = 0) -> None:
        self.data = data
        self.start = start
        self.problems: list[Problem] = []
        self.unlisted = 0

    def report(self, offset: int, length: int, message: str) -> None:
        """Add a problem to the list, or only count it where there are too many."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(offset, length, message))
        else:
            self.unlisted += 1

    def __iter__(self) -> Iterator[Packet]:
        self.problems, self.unlisted = [], 0
        head = bytes(self.data[:4])
        if head in MAGICS:
            return self._classic(*MAGICS[head])
        if head == PCAPNG_MAGIC:
            from .pcapng import read_blocks

            return read_blocks(self.data, self.start, self.report)
        self.report(0, len(self.data), f"not pcap or pcapng: the file begins with {head.hex(' ') or 'nothing'}")
        return iter(())

    def _classic(self, order: str, tick: int, header: int) -> Iterator[Packet]:
        data, size = self.data, len(self.data)
        if size < FILE_HEADER:
            self.report(0, size, f"file header cut: {size} of {FILE_HEADER} bytes")
            return
        snaplen, linktype = struct.unpack_from(order + "II", data, 16)
        linktype &= 0xFFFF  # the upper half says whether frames end in a checksum
        records = _Records(data, order, 1_000_000_000 // tick, header, min(max(snaplen, 2 << 20), MAX_PACKET))
        unpack = records.unpack
        limit, ticks = records.limit, records.ticks
        make = Packet._make  # half the time of Packet(...)
        pos = max(self.start, FILE_HEADER)
        last: Packet | None = None  # yielded when the record behind it is seen to be sound
        while pos + header <= size:
            sec, frac, captured, original = unpack(data, pos)
            end = pos + header + captured
            if captured > limit or end > size or frac >= ticks:
                lone_time = frac >= ticks and captured <= limit and end <= size and (end == size or records.sound(end))
                found = None if lone_time else records.after(last.data_offset if last else pos + 1, last)
                if lone_time:
                    self.report(pos, 0, f"timestamp fraction {frac} is not below {ticks}")
                elif found is None and captured <= limit and frac < ticks:
                    self.report(pos, size - pos, f"packet cut by the end of the file: {size - pos - header} of {captured} bytes")
                    end = size
                elif found is None:
                    self.report(
                        pos,
                        size - pos,
                        f"no record header: {bytes(data[pos : pos + header]).hex(' ')}; nothing readable after it",
                    )
                    break
                elif last and found < pos:
                    kept = found - last.data_offset
                    self.report(
                        last.offset, 0, f"the length field says {last.captured} bytes, but the next record is {kept} bytes on"
                    )
                    last = last._replace(captured=kept, length=header + kept)
                    pos = found
                    continue
                else:
                    self.report(
                        pos,
                        found - pos,
                        f"no record header: {bytes(data[pos : pos + header]).hex(' ')}; {found - pos} bytes skipped",
                    )
                    pos = found
                    continue
            if last:
                yield last
            ts = sec * 1_000_000_000 + frac * tick
            last = make((pos, end - pos, ts, linktype, pos + header, end - pos - header, original, 0))
            pos = end
        else:
            if pos < size:
                self.report(pos, size - pos, f"record header cut: {size - pos} of {header} bytes")
        if last:
            yield last


class _Records:
    """What a record header of a classic file looks like, and the search for the next one behind a damaged place."""

    def __init__(self, data: Data, order: str, ticks: int, header: int, limit: int) -> None:
        self.data, self.order, self.ticks, self.header, self.limit = data, order, ticks, header, limit
        self.unpack = struct.Struct(order + "IIII").unpack_from

    def sound(self, pos: int) -> bool:
        """Whether a whole, credible record begins there."""
        if pos + self.header > len(self.data):
            return False
        _, frac, captured, original = self.unpack(self.data, pos)
        return bool(
            frac < self.ticks
            and captured <= self.limit
            and captured <= original
            and pos + self.header + captured <= len(self.data)
        )

    def after(self, pos: int, last: Packet | None) -> int | None:
        """The first offset from ``pos`` on at which two records fit, one behind the other, or one that ends the file;
        their time must be near the last good one's."""
        size, step = len(self.data), 4096
        near = None if last is None or last.ts_ns is None else last.ts_ns // 1_000_000_000
        while pos + self.header < size:
            part = np.frombuffer(bytes(self.data[pos : pos + step + 15]), np.uint8)
            count = len(part) - 15
            if count <= 0:
                return None
            for found in np.flatnonzero(self._credible(part, count, near)):
                if self._chain(pos + int(found)):
                    return pos + int(found)
            pos += count
            step = min(step * 2, 1 << 20)
        return None

    def _credible(self, part: npt.NDArray[np.uint8], count: int, near: int | None) -> npt.NDArray[np.bool_]:
        def word(at: int) -> npt.NDArray[np.int64]:
            places = range(4) if self.order == "<" else range(3, -1, -1)
            total = np.zeros(count, np.int64)
            for shift, i in enumerate(places):
                total |= part[at + i : at + i + count].astype(np.int64) << 8 * shift
            return total

        captured, original = word(8), word(12)
        ok = (captured > 0) & (captured <= original) & (original <= self.limit) & (word(4) < self.ticks)
        if near is not None:
            ok &= np.abs(word(0) - near) <= NEAR
        return ok

    def _chain(self, pos: int) -> bool:
        if not self.sound(pos):
            return False
        end = pos + self.header + self.unpack(self.data, pos)[2]
        return bool(end == len(self.data) or self.sound(end))
