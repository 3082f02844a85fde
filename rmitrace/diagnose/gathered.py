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

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
AT_ONCE = 1 << 17
"""Calls that are looked at together."""
_SIDES = "xr"
"""Before the SMC and behind it."""


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
        order = np.argsort(names, kind="stable")
        name = names[order]
        at = np.append(np.flatnonzero(np.diff(name, prepend=small(-1))), len(name))
        present = name[at[:-1]].tolist()
        for i in present:
            if i not in commands:
                commands[i] = Command(_registers(capture, i), spool)
        ok, end = ended(capture, rows, success)
        taken: dict[str, npt.NDArray[Any]] = {"rows": rows, "ok": ok, "later": end - rows}
        asked = np.zeros((2, N_REGS, len(capture.names)), dtype=bool)
        """Of the registers on both sides the commands that have them."""
        for i in present:
            for column in commands[i].columns:
                if column[1:].isdigit():
                    asked[_SIDES.index(column[0]), int(column[1:]), i] = True
        for out, side in enumerate(_SIDES):
            taken |= _side(capture, rows, bool(out), side, asked[out][:, names])
        for i, (a, b) in zip(present, pairwise(at.tolist()), strict=True):
            for column, to in commands[i].columns.items():
                to.append(taken[column][order[a:b]])
    return every, commands


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


def _side(capture: Capture, rows: I64, out: bool, side: str, asked: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[Any]]:
    """What the records before calls (behind them where ``out``) show: x0..x7 that are known, as bits, and their values, 0 where
    they are not known or ``asked``, of each register and call, says that they are not wanted."""
    record = (capture.calls.exit if out else capture.calls.enter)[rows]
    known = np.zeros(len(rows), dtype=np.uint8)
    values = {n: np.zeros(len(rows), dtype=np.uint64) for n in np.flatnonzero(asked.any(axis=1)).tolist()}
    source = None if len(capture.sources) == 1 else capture.calls.source[rows]
    for s in range(len(capture.sources)):
        mine = np.flatnonzero(record >= 0 if source is None else (record >= 0) & (source == s))
        if not len(mine):
            continue
        records = capture.sources[s].records
        known[mine] = (records.known[record[mine]] & np.uint32((1 << N_REGS) - 1)).astype(np.uint8)
        for n, value in values.items():
            some = mine[asked[n][mine] & (known[mine] >> np.uint8(n) & np.uint8(1) != 0)]
            value[some] = records.regs[record[some], n]
    return {side: known, **{f"{side}{n}": value for n, value in values.items()}}
