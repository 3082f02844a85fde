"""Records as columns: what a format reader fills and everything else reads.

A record is one row or block of a source that says something about an SMC, found at a byte offset.
There is no Python object per record: one column (an array while it is filled, packed from then on) for each property, and
the raw bytes are read again from the source where more is wanted than the columns hold (``Format.detail``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .packed import Column
from .registers import Registers

Values: TypeAlias = Any
"""Integers of a type that is named beside it: a numpy array, or a packed.Column, which is read in the same ways."""
NO_TIME = -(2**63)
"""Value of the ``ts`` column where the source has no time."""
N_REGS = 8
"""Registers kept in the columns, x0..x7; x8..x17 are read again from the raw record on demand."""


class Kind(IntEnum):
    """What a record is."""

    ENTER = 1  # before an SMC: regs = x0.. in, x0 is the function id
    EXIT = 2  # after an SMC: regs = x0.. out
    WHOLE_IN = 3  # a row that holds arguments and results: this record has what went in ...
    WHOLE_OUT = 4  # ... and the one right after it (same offset) what came out; absent where the row has no result
    WRAP_ENTER = 5  # a function around the SMC was entered (wrapper probe, function_graph): names[name] is the function
    WRAP_EXIT = 6  # it returned
    LOST = 7  # the tracer lost events before this point; regs[0] = how many (0 unknown), cpu = on which
    MARK = 8  # a line worth showing that is no call: banner, crash, kernel or firmware message; names[name] is its class
    BUFFER = 9  # bytes seen in memory (a DOE request or response); the bytes come from Format.detail
    DAMAGED = 10  # a record of a known kind that cannot be read; names[name] says why


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the reader should know.

    rule      stable id, e.g. ``LOST-EVENTS``
    severity  'error', 'warning' or 'note'
    message   one sentence, unescaped (may quote the capture)
    source    index of the source, -1 where it is about the whole capture
    offset    byte offset in it, -1 where there is none
    """

    rule: str
    severity: str
    message: str
    source: int = -1
    offset: int = -1
    object: str | None = None
    calls: tuple[int, ...] = ()
    spec: str = ""


COLUMNS: dict[str, Any] = {
    "offset": np.int64,  # byte offset of the record in the (decompressed) source
    "length": np.int32,  # bytes, line end not included
    "ts": np.int64,  # ns in the source's own clock, NO_TIME where unknown
    "cpu": np.int32,  # -1 unknown
    "pid": np.int32,  # -1 unknown; 0 is the idle task, one per CPU
    "kind": np.uint8,  # Kind
    "name": np.int32,  # index into Records.names: probe event, row name, function, class of mark; -1 none
    "known": np.uint32,  # bit i set: register xi is known (bits 8..17: present in the raw record)
}


@dataclass(slots=True)
class Records:
    """The records of one source, in the order they stand in it. All columns have the same length.

    Besides COLUMNS: ``regs`` is (n, N_REGS) uint64, 0 where the bit in ``known`` is clear; an array or registers.Registers.
    """

    offset: Values
    length: Values
    ts: Values
    cpu: Values
    pid: Values
    kind: Values
    name: Values
    known: Values
    regs: Values
    names: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """Things said about the whole source: 'lines', 'ignored' (lines that are no record), 'clock',
    'entries_in_buffer', 'entries_written', 'kernel', 'mailboxes' (False: no line has an access to one), ..."""

    def __len__(self) -> int:
        return len(self.offset)

    def pack(self) -> None:
        """Pack the columns that are still arrays."""
        for name, dtype in COLUMNS.items():
            values = getattr(self, name)
            if not isinstance(values, Column):
                setattr(self, name, Column(dtype, values))
        if not isinstance(self.regs, Registers):
            self.regs = Registers(self.regs)

    def take(self, order: Any) -> None:
        """Keep these rows of every column, in this order: numbers or flags."""
        for name in (*COLUMNS, "regs"):
            values = getattr(self, name)
            setattr(self, name, values.take(order) if isinstance(values, Column | Registers) else values[order])

    def of_kind(self, kind: Kind) -> npt.NDArray[np.int64]:
        """The numbers of the records of a kind."""
        return self.kind.places(kind) if isinstance(self.kind, Column) else np.flatnonzero(self.kind == kind)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return sum(getattr(self, name).nbytes for name in (*COLUMNS, "regs"))


def first_register(records: Records, which: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """x0 of some records (0 where it is not known or the record's number is -1), and whether it is known."""
    value = records.regs[which, 0]
    known = (records.known[which] & np.uint32(1)) != 0
    if len(which) and which.min() < 0:
        known &= which >= 0
    if not known.all():
        value[~known] = 0
    return value, known


class RecordBuilder:
    """Collects records one by one for the readers that work line by line (not for the hot paths)."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int, int, int, int, int]] = []
        self.regs: list[Sequence[int]] = []
        self.names: dict[str, int] = {}
        self.findings: list[Finding] = []
        self.facts: dict[str, Any] = {}

    def name_id(self, name: str) -> int:
        """The index of a name in the string table, added where new."""
        return self.names.setdefault(name, len(self.names))

    def add(
        self,
        kind: Kind,
        offset: int,
        length: int,
        *,
        ts: int = NO_TIME,
        cpu: int = -1,
        pid: int = -1,
        name: str | None = None,
        regs: Iterable[int | None] = (),
    ) -> None:
        """Append one record; ``regs`` are x0.. as far as known, None where a register is not."""
        known = 0
        row = [0] * N_REGS
        for i, v in enumerate(regs):
            if v is not None and i < 18:
                known |= 1 << i
                if i < N_REGS:
                    row[i] = v & 0xFFFFFFFFFFFFFFFF
        ident = -1 if name is None else self.name_id(name)
        self.rows.append((offset, length, ts, cpu, pid, int(kind), ident, known))
        self.regs.append(row)

    def finish(self) -> Records:
        """The records as columns."""
        n = len(self.rows)
        cols = zip(*self.rows, strict=True) if n else ((),) * len(COLUMNS)
        arrays = {k: np.array(c, dtype=t) for (k, t), c in zip(COLUMNS.items(), cols, strict=True)}
        regs = np.array(self.regs, dtype=np.uint64) if n else np.zeros((0, N_REGS), dtype=np.uint64)
        return Records(**arrays, regs=regs, names=list(self.names), findings=self.findings, facts=self.facts)
