"""pcap and pcapng as a capture format: a record a packet; what is in the packets is for rmitrace.capture.messages."""

from __future__ import annotations

from itertools import islice

import numpy as np

from ..capture.records import N_REGS, NO_TIME, Kind, Records
from .base import Data, Detail, ReadOptions
from .pcap import is_pcap, packets

_BATCH = 1 << 16
"""Packets that are brought into columns at a time."""


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
        reader = packets(data, start)
        found = iter(reader)
        parts = []
        while batch := list(islice(found, _BATCH)):
            rows = [(p[0], p[1], NO_TIME if p[2] is None else p[2], p[3], p[4], p[5]) for p in batch]
            parts.append(np.array(rows, np.int64))
            if options.progress is not None:
                options.progress(batch[-1].offset)
        table = np.concatenate(parts) if parts else np.zeros((0, 6), np.int64)
        damaged = reader.problems
        names = list(dict.fromkeys(p.message for p in damaged))
        n, total = len(table), len(table) + len(damaged)
        regs = np.zeros((total, N_REGS), np.uint64)
        regs[:n, :3] = table[:, 3:].astype(np.uint64)
        nowhere = np.full(total, -1, np.int32)
        return Records(
            offset=np.concatenate([table[:, 0], np.array([p.offset for p in damaged], np.int64)]),
            length=np.concatenate([table[:, 1], np.array([p.length for p in damaged], np.int64)]).astype(np.int32),
            ts=np.concatenate([table[:, 2], np.full(len(damaged), NO_TIME)]),
            cpu=nowhere,
            pid=nowhere.copy(),
            kind=np.repeat(np.array([Kind.BUFFER, Kind.DAMAGED], np.uint8), [n, len(damaged)]),
            name=np.array([-1] * n + [names.index(p.message) for p in damaged], np.int32),
            known=np.repeat(np.array([7, 0], np.uint32), [n, len(damaged)]),
            regs=regs,
            names=names,
        )

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """The raw packet, as hexadecimal."""
        return Detail(raw.hex(" "))


FORMAT = PacketFormat()
