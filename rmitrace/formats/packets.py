"""pcap and pcapng as a capture format: a record a packet; what is in the packets is for rmitrace.capture.messages."""

from __future__ import annotations

from ..capture.records import NO_TIME, Kind, RecordBuilder, Records
from .base import Data, Detail, ReadOptions
from .pcap import is_pcap, packets


class PacketFormat:
    """Packets of DOE and MCTP captures. Records are BUFFER: regs are link type, and offset and length of the packet's
    bytes in the file."""

    name = "pcap"
    title = "pcap and pcapng (PCIe DOE, MCTP)"

    def sniff(self, head: bytes) -> float:
        """By the magic number."""
        return 1.0 if is_pcap(head) else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """A record a packet; damaged places are records that say so."""
        out = RecordBuilder()
        reader = packets(data, start)
        for i, p in enumerate(reader):
            ts = NO_TIME if p.ts_ns is None else p.ts_ns
            out.add(Kind.BUFFER, p.offset, p.length, ts=ts, regs=(p.linktype, p.data_offset, p.captured))
            if options.progress is not None and i % 65536 == 0:
                options.progress(p.offset)
        for problem in reader.problems:
            out.add(Kind.DAMAGED, problem.offset, problem.length, name=problem.message)
        return out.finish()

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """The raw packet, as hexadecimal."""
        return Detail(raw.hex(" "))


FORMAT = PacketFormat()
