"""Measurement blocks and the summary hashes over them.

DSP0274 CHALLENGE_AUTH, MeasurementSummaryHash: the base hash of the blocks in the order of their indices, of all of them
or of those in the TCB, which the device chooses; of a block that has a digest and a raw form the digest form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_RECORDS = 1 << 20
"""Bytes of different measurement records that are kept of a connection."""
_HEAD = 4
"""Bytes of a block before its measurement: index, specification, size (2)."""
ALL = 0xFF


class Blocks:
    """The measurement records of a connection, without those that were asked for as raw bit streams.

    total  number of blocks that the device has, None where it was not told
    """

    __slots__ = ("_found", "_new", "_records", "_size", "total")

    def __init__(self) -> None:
        self.total: int | None = None
        self._records: dict[bytes, None] = {}
        self._size = 0
        self._new = False
        self._found: dict[int, bytes] | None = {}

    def add(self, operation: int, total: int, count: int, record: bytes) -> None:
        """One MEASUREMENTS: the operation asked for, TotalNumberOfMeasurements, NumberOfBlocks and the record."""
        if operation == 0:
            self.total = total
        elif operation == ALL:
            self.total = count
        if record and record not in self._records:
            self._size += len(record)
            if self._size <= MAX_RECORDS:
                self._records[record] = None
            self._new = True

    def by_index(self) -> dict[int, bytes] | None:
        """Index -> block, in order; None where a block was not always the same, or cannot be read."""
        if self._new:
            self._new = False
            self._found = self._read() if self._size <= MAX_RECORDS else None
        return self._found

    def _read(self) -> dict[int, bytes] | None:
        found: dict[int, bytes] = {}
        for record in self._records:
            at = 0
            while at + _HEAD <= len(record):
                end = at + _HEAD + int.from_bytes(record[at + 2 : at + _HEAD], "little")
                block = record[at:end]
                if found.setdefault(record[at], block) != block:
                    return None
                at = end
            if at != len(record):
                return None
        return dict(sorted(found.items()))


@dataclass(slots=True, eq=False)
class Summed:
    """A measurement summary hash that was in a message.

    kind       MeasurementSummaryHashType: 1 TCB, 0xFF all
    hash_name  the base hash as hashlib names it, None where unknown
    blocks     of the connection, also those that come later
    """

    name: str
    value: bytes
    kind: int
    hash_name: str | None
    blocks: Blocks
    verdict: Any = None
    field_name: str = field(default="MeasurementSummaryHash", init=False)
