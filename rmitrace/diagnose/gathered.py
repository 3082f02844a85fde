"""The calls of each command with their registers and how they ended, taken out of the columns of a capture in one pass.

Questions are about the calls of a command: what stands together here is read at once, where the columns of a capture would
have to be unpacked from end to end for each register of a few calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

import decoders

from ..capture.packed import Column
from ..capture.pieces import Spool
from ..capture.records import N_REGS

if TYPE_CHECKING:
    from ..capture.model import Capture
    from ..capture.records import Records

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
AT_ONCE = 1 << 17
"""Calls that are looked at together."""
_SIDES = "xr"
"""Before the SMC and behind it."""
_FAR = 8
"""Records for each that is looked for, up to which it is faster to look at all of them."""


class Part(NamedTuple):
    """Some calls of a command, ascending: the call, whether it did what it was made for, where it was through (a stateful one
    at the last RMI_OP_* call of it), and of a register its values (0 where not known) and which are known."""

    rows: I64
    ok: Flags
    end: I64
    value: U64
    known: Flags


class _Short(Column):
    """One of many columns of which most are short."""

    PIECE = 1 << 12
    IN_MEMORY = 1 << 16


class Command:
    """All calls of a command, in columns: ``rows``, the calls; ``ok``, whether each did what it was made for; ``later``, calls
    from each up to the one at which it was through; ``x1``, ``r1``, ...: the registers that are arguments and results of it;
    ``x`` and ``r``: which of x0..x7 are known before and after the SMC, as bits."""

    def __init__(self, registers: Iterable[str], spool: Spool) -> None:
        types = {"rows": np.int64, "ok": np.bool_, "later": np.int64, "x": np.uint8, "r": np.uint8}
        types |= dict.fromkeys(registers, np.uint64)
        self.columns = {name: _Short(dtype, spool=spool) for name, dtype in types.items()}

    @property
    def rows(self) -> Column:
        """The calls, ascending."""
        return self.columns["rows"]

    def has(self, number: int, out: bool) -> bool:
        """Whether a register stands here; 0: none is asked for."""
        return number == 0 or f"{_SIDES[out]}{number}" in self.columns

    def parts(self, number: int = 0, out: bool = False) -> Iterator[Part]:
        """The calls, some at a time, with a register."""
        for start in range(0, len(self.rows), AT_ONCE):
            some = slice(start, min(start + AT_ONCE, len(self.rows)))
            rows = self.rows[some]
            value, known = self._register(some, number, out)
            yield Part(rows, self.columns["ok"][some], rows + self.columns["later"][some], value, known)

    def _register(self, some: slice, number: int, out: bool) -> tuple[U64, Flags]:
        side = _SIDES[out]
        if number == 0:
            return np.zeros(some.stop - some.start, dtype=np.uint64), np.zeros(some.stop - some.start, dtype=bool)
        known = (self.columns[side][some] >> np.uint8(number) & np.uint8(1)).astype(bool)
        return self.columns[f"{side}{number}"][some], known


def gathered(capture: Capture, together: list[int], success: int) -> tuple[Column, dict[int, Command]]:
    """The RMI calls of some sources, ascending, and of each command its calls, by the number of its name; ``success``: the number
    of RMI_SUCCESS."""
    c = capture.calls
    rmi = capture.services.index("RMI") if "RMI" in capture.services else -1
    one = len(capture.sources) == 1
    every = Column(np.int64)
    commands: dict[int, Command] = {}
    spool = Spool()
    small = np.int16 if len(capture.names) < 1 << 15 else np.int32
    for start in range(0, len(c), AT_ONCE):
        part = slice(start, min(start + AT_ONCE, len(c)))
        mine = c.service[part] == rmi
        rows = np.flatnonzero(mine if one else mine & np.isin(c.source[part], together))
        names = c.name[part][rows].astype(small)
        rows += start
        every.append(rows)
        ok, end = ended(capture, rows, success)
        order = np.argsort(names, kind="stable")
        name = names[order]
        at = np.append(np.flatnonzero(np.diff(name, prepend=small(-1))), len(name))
        taken: dict[str, npt.NDArray[Any]] = {"rows": rows[order], "ok": ok[order], "later": (end - rows)[order]}
        present = []
        for i, (a, b) in zip(name[at[:-1]].tolist(), pairwise(at.tolist()), strict=True):
            if i not in commands:
                commands[i] = Command(_registers(capture, i), spool)
            present.append((commands[i].columns, slice(a, b)))
        for columns, some in present:
            for column, values in taken.items():
                columns[column].append(values[some])
        _add_registers(_Seen(capture, rows[order]), present)
    return every, commands


def _add_registers(seen: _Seen, present: list[tuple[dict[str, _Short], slice]]) -> None:
    """Put the registers of some calls behind those in the columns of their commands; with these, which of the calls are of the
    command."""
    for columns, some in present:
        for side, known in zip(_SIDES, seen.known, strict=True):
            columns[side].append(known[some])
    for n in range(1, N_REGS):
        values: U64 | None = None
        for columns, some in present:
            for out, side in enumerate(_SIDES):
                if f"{side}{n}" in columns:
                    values = seen.register(n) if values is None else values
                    value = values[seen.place[out][some]]
                    value *= seen.known[out][some] >> np.uint8(n) & np.uint8(1)
                    columns[f"{side}{n}"].append(value)


class _Seen:
    """What the records of some calls show. Of both sides, which of x0..x7 are known of each call, as bits, and the place of its
    record among those that are looked at (one that shows nothing where there is none)."""

    def __init__(self, capture: Capture, rows: I64) -> None:
        records = capture.calls.enter[rows], capture.calls.exit[rows]
        self.place = [np.full(len(rows), -1, dtype=np.int64) for _ in records]
        source = capture.calls.source[rows] if len(capture.sources) > 1 else None
        self._looked_at: list[tuple[Records, slice | I64]] = []
        known, behind = [], 0
        for s, of in enumerate(capture.sources):
            mine = [np.flatnonzero(r >= 0 if source is None else (r >= 0) & (source == s)) for r in records]
            found = [r[m] for r, m in zip(records, mine, strict=True)]
            which = _within(found)
            for place, numbers, at in zip(self.place, found, mine, strict=True):
                place[at] = behind + (numbers - which.start if isinstance(which, slice) else np.searchsorted(which, numbers))
            self._looked_at.append((of.records, which))
            known.append(of.records.known[which].astype(np.uint8))
            behind += len(known[-1])
        bits = np.append(np.concatenate(known), np.uint8(0))
        self.known = [bits[place] for place in self.place]

    def register(self, number: int) -> U64:
        """A register of each record, where it is known."""
        found = [records.regs[which, number] for records, which in self._looked_at]
        return np.append(np.concatenate(found), np.uint64(0)) if len(found) > 1 or not len(found[0]) else found[0]


def _within(found: list[I64]) -> slice | I64:
    """The records to look at of which these are: all between the first and the last, where those are not many more."""
    count = sum(map(len, found))
    first, last = (min(int(f.min()) for f in found if len(f)), max(int(f.max()) for f in found if len(f))) if count else (0, -1)
    return slice(first, last + 1) if last - first < _FAR * count + 1 else np.unique(np.concatenate(found))


def ended(capture: Capture, rows: I64, success: int) -> tuple[Flags, I64]:
    """Whether calls did what they were made for, and where each was through; ``success``: the number of RMI_SUCCESS."""
    status = capture.calls.status
    ok: Flags = status[rows] == success
    at = np.flatnonzero(~ok)
    end = rows.copy()
    end[at] = capture.operations.end(rows[at])
    at = at[end[at] != rows[at]]
    ok[at] = status[end[at]] == success
    return ok, end


def _registers(capture: Capture, name: int) -> list[str]:
    """The registers in the columns that are arguments (x1) and results (r1) of a command."""
    command = capture.names[name]
    found = decoders.command(command, capture.revision.of(command))
    asked = (("x", found.args), ("r", found.outputs)) if found is not None else ()
    return list(dict.fromkeys(f"{side}{a.reg}" for side, of in asked for a in of if 0 < a.reg < N_REGS))
