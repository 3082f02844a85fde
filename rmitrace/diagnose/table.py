"""Calls on devices as columns, sorted by device and then by call: what whole captures are checked by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .columns import I64, U64, Columns
from .events import Events

if TYPE_CHECKING:
    from ..capture.model import Capture


_AT_ONCE = 1 << 17


class Table:
    """Rows: one for each device that a call names.

    key      address of the device
    seq      call
    command  index into ``commands`` (names without RMI_)
    ok       the call did what it was made for
    state    number read back by *_GET_STATE, -1 in other rows
    first    whether a row is the first of its device
    """

    def __init__(self, capture: Capture, columns: Columns, events: Events, reads: str) -> None:
        self.key: U64 = events.key
        self.seq: I64 = events.seq
        n = len(self.seq)
        name = np.empty(n, dtype=np.int32)
        self.ok = np.empty(n, dtype=bool)
        self.failed = np.empty(n, dtype=bool)
        self.state = np.full(n, -1, dtype=np.int64)
        read = capture.names.index(f"RMI_{reads}") if f"RMI_{reads}" in capture.names else -1
        order = np.argsort(self.seq, kind="stable")  # what stands in columns is taken out of them call by call
        for start in range(0, n, _AT_ONCE):
            at = order[start : start + _AT_ONCE]
            rows = self.seq[at]
            name[at], self.failed[at] = capture.calls.name[rows], capture.calls.failed[rows]
            self.ok[at], _end = columns.succeeded(rows)
            at = at[(name[at] == read) & self.ok[at]]
            value, known = capture.regs(self.seq[at], 1, out=True)
            self.state[at[known]] = value[known].astype(np.int64)
        present = np.flatnonzero(np.bincount(name))
        self.commands = [capture.names[i].removeprefix("RMI_") for i in present.tolist()]
        code = np.zeros(len(capture.names), dtype=np.int16)
        code[present] = np.arange(len(present))
        self.command = code[name]
        self.first = np.ones(n, dtype=bool)
        if n:
            self.first[1:] = self.key[1:] != self.key[:-1]

    def __len__(self) -> int:
        return len(self.seq)

    def is_a(self, *commands: str) -> npt.NDArray[np.bool_]:
        """Which rows are one of these commands."""
        wanted = [i for i, c in enumerate(self.commands) if c in commands]
        return np.isin(self.command, wanted)

    def starting(self, prefix: str) -> npt.NDArray[np.bool_]:
        """Which rows are a command with this prefix."""
        wanted = [i for i, c in enumerate(self.commands) if c.startswith(prefix)]
        return np.isin(self.command, wanted)

    def lives(self, begins: npt.NDArray[np.bool_]) -> I64:
        """A number for each row that rises with each device, and with each row of ``begins``: of one life of a device, or
        of one transaction."""
        return np.cumsum(self.first | begins).astype(np.int64)

    def last(self, marked: npt.NDArray[np.bool_], within: I64, at: I64) -> I64:
        """For each row of ``at`` the nearest marked row before it with the same number in ``within``, -1 where there is none."""
        places = np.flatnonzero(marked)
        return self._inside(places, np.searchsorted(places, at) - 1, within, at)

    def next(self, marked: npt.NDArray[np.bool_], within: I64, at: I64) -> I64:
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
