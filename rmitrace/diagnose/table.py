"""Calls on devices as columns, sorted by device and then by call: what whole captures are checked by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column
from .columns import I64, U64, Columns
from .gathered import AT_ONCE
from .sorting import Rows, in_order

if TYPE_CHECKING:
    from ..capture.model import Capture

Flags = npt.NDArray[np.bool_]
_PART = 1 << 17
"""Rows that are looked at together; more where a device has more."""
_WIDE = 126
"""Instead of a state that is no small number."""


@dataclass(slots=True)
class Table:
    """Rows: one for each device that a call names; of whole devices.

    key      address of the device
    seq      call
    command  index into ``commands`` (names without RMI_)
    ok       the call did what it was made for
    state    number read back by *_GET_STATE, -1 in other rows
    first    whether a row is the first of its device
    """

    commands: list[str]
    key: U64
    seq: I64
    command: npt.NDArray[np.int16]
    ok: Flags
    state: I64
    first: Flags

    def __len__(self) -> int:
        return len(self.seq)

    def is_a(self, *commands: str) -> Flags:
        """Which rows are one of these commands."""
        return self._wanted([c in commands for c in self.commands])

    def starting(self, prefix: str) -> Flags:
        """Which rows are a command with this prefix."""
        return self._wanted([c.startswith(prefix) for c in self.commands])

    def _wanted(self, commands: list[bool]) -> Flags:
        wanted: Flags = np.array([*commands, False], dtype=bool)[self.command]
        return wanted

    def lives(self, begins: Flags) -> I64:
        """A number for each row that rises with each device, and with each row of ``begins``: of one life of a device, or
        of one transaction."""
        return np.cumsum(self.first | begins).astype(np.int64)

    def last(self, marked: Flags, within: I64, at: I64) -> I64:
        """For each row of ``at`` the nearest marked row before it with the same number in ``within``, -1 where there is none."""
        places = np.flatnonzero(marked)
        return self._inside(places, np.searchsorted(places, at) - 1, within, at)

    def next(self, marked: Flags, within: I64, at: I64) -> I64:
        """The same behind it."""
        places = np.flatnonzero(marked)
        return self._inside(places, np.searchsorted(places, at, "right"), within, at)

    def _inside(self, places: I64, n: I64, within: I64, at: I64) -> I64:
        """The n-th place for each row, -1 where there is none or it has another number in ``within``."""
        if not len(places):
            return np.full(len(at), -1, dtype=np.int64)
        found = places[np.clip(n, 0, len(places) - 1)]
        found[(n < 0) | (n >= len(places)) | (within[found] != within[at])] = -1
        return found


class Devices:
    """The calls on every PDEV, or on every VDEV, of a source, packed: a Table in parts."""

    def __init__(
        self,
        capture: Capture,
        columns: Columns,
        named: tuple[tuple[tuple[str, ...], str], ...],
        reads: str,
        besides: tuple[str, U64, I64] | None = None,
    ) -> None:
        """``named``: commands, and the argument of them that names a device; ``reads``: the command that reads a state back;
        ``besides``: a command, and devices and calls of it, which worked."""
        self.reads = reads
        self._capture = capture
        called = {c for commands, _ in named for c in commands} | ({besides[0]} if besides else set())
        self.commands = [n.removeprefix("RMI_") for n in capture.names if n.startswith("RMI_") and n[4:] in called]
        self._key, self._seq, self._command = Column(np.uint64), Column(np.int64), Column(np.int16)
        self._ok, self._state = Column(np.bool_), Column(np.int64)
        how: npt.NDArray[Any] = np.zeros(len(capture), dtype=np.uint8 if len(self.commands) < 128 else np.int16)
        """Of each call twice the number of its command, and whether it did what it was made for."""
        read = np.full(len(capture), -1, dtype=np.int8)
        """Of each call the state that it read back, -1 where there is none."""
        for part in columns.parts((reads,), "state", out=True):
            at = np.flatnonzero(part.ok & part.known)
            read[part.rows[at]] = np.minimum(part.value[at], np.uint64(_WIDE)).astype(np.int8)

        def rows() -> Iterator[Rows]:
            for number, command in enumerate(self.commands):
                for arguments in (a for commands, a in named if command in commands):
                    for part in columns.parts((command,), arguments):
                        how[part.rows] = part.ok.astype(how.dtype) | how.dtype.type(number << 1)
                        known = part.known & (part.value != 0) if several(command) else part.known
                        yield part.value[known], part.rows[known], none[: np.count_nonzero(known)]
                if besides is not None and command == besides[0]:
                    how[besides[2]] = number << 1 | 1
                    yield *besides[1:], np.zeros(len(besides[1]), dtype=np.int64)

        def several(command: str) -> bool:
            """Whether a command names two devices, of which one may be none (0)."""
            return sum(command in commands for commands, _ in named) > 1

        self._bounds = [0]
        """The rows at which parts begin and end."""
        last = -1
        none = np.zeros(AT_ONCE, dtype=np.int64)
        for key, seq, _ in in_order(rows(), len(capture), 1):
            first = np.flatnonzero(np.diff(key, prepend=key[:1]))
            if last >= 0 and int(key[0]) != last:
                first = np.append(0, first)
            for row in (first + len(self._seq)).tolist() if len(self._seq) + len(key) - self._bounds[-1] >= _PART else ():
                if row - self._bounds[-1] >= _PART:
                    self._bounds.append(row)
            last = int(key[-1])
            self._key.append(key)
            self._seq.append(seq)
            self._command.append(how[seq] >> 1)
            self._ok.append(how[seq] & 1)
            self._state.append(self._states(read[seq].astype(np.int64), seq))
        self._bounds += [len(self._seq)] if len(self._seq) else []
        self._heads = self._key[np.arange(0, len(self._key), Column.PIECE)]

    def _states(self, state: I64, seq: I64) -> I64:
        """The states that calls read back, those that are no small numbers read again."""
        wide = np.flatnonzero(state == _WIDE)
        if len(wide):
            state[wide] = self._capture.regs(seq[wide], 1, out=True)[0].astype(np.int64)
        return state

    def __len__(self) -> int:
        return len(self._seq)

    def parts(self) -> Iterator[Table]:
        """The table, some devices at a time."""
        for a, b in pairwise(self._bounds):
            yield self._table(a, b)

    def of(self, device: int) -> Table:
        """The calls on one device."""
        first, last = (int(np.searchsorted(self._heads, np.uint64(device), side)) for side in ("left", "right"))
        start = max(first - 1, 0) * Column.PIECE
        key = self._key[start : min(last * Column.PIECE, len(self._key))]
        return self._table(*(start + int(np.searchsorted(key, np.uint64(device), side)) for side in ("left", "right")))

    def _table(self, a: int, b: int) -> Table:
        key = self._key[a:b]
        first = np.ones(len(key), dtype=bool)
        first[1:] = key[1:] != key[:-1]
        return Table(self.commands, key, self._seq[a:b], self._command[a:b], self._ok[a:b], self._state[a:b], first)
