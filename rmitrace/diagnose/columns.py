"""Which calls of a source are of a command, what was in their registers, and whether they did what they were made for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

import decoders

from ..capture.packed import Column
from ..capture.records import Kind
from .gathered import Command, Part, ended, gathered

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

INCOMPLETE_CONSOLES = ("rmm-console",)
"""Formats in which a call that happened may have no row: TF-RMM prints many of them only when they fail."""
PAGE = 0xFFF
_AT_ONCE = 1 << 17
MOST_KEPT = 16 << 20
"""Bytes of answers that are kept for the next call that failed."""


class Done(NamedTuple):
    """Calls that did what they were made for, where each was through, and one of their arguments or results."""

    rows: I64
    end: I64
    value: U64
    known: npt.NDArray[np.bool_]


class Columns:
    """The RMI calls of one source."""

    def __init__(self, capture: Capture, source: int) -> None:
        self.capture = capture
        self.source = source
        self.rows: Column
        self._by_name: dict[int, Command]
        self._success = capture.statuses.index("RMI_SUCCESS") if "RMI_SUCCESS" in capture.statuses else -2
        self.rows, self._by_name = gathered(capture, capture.together(source), self._success)
        self._ids = {n: i for i, n in enumerate(capture.names)}
        self._ends: dict[int, int] = {}
        self._register_of: dict[tuple[tuple[str, ...], bool], npt.NDArray[np.int8]] = {}
        self._kept: OrderedDict[tuple[Any, ...], Done] = OrderedDict()

    @cached_property
    def sees_all(self) -> bool:
        """Whether a call that is not in this source did not happen while it was recorded."""
        s = self.capture.sources[self.source]
        lost = bool(len(s.records.of_kind(Kind.LOST))) or any(f.rule in ("RING-WRAPPED", "EVENTS-DROPPED") for f in s.findings)
        return s.format not in INCOMPLETE_CONSOLES and not lost and s.whole

    @cached_property
    def from_the_start(self) -> bool:
        """Whether every call is seen, and the first ones ask for a version or features: nothing was made before the capture."""
        if not self.sees_all:
            return False
        first = [self.capture.name_text(r) for r in self.rows[:8].tolist()]
        return "RMI_VERSION" in first or first[:1] == ["RMI_FEATURES"]

    def of(self, *commands: str) -> I64:
        """The calls of some commands (names without ``RMI_``), ascending."""
        return _ascending([np.asarray(c.rows) for c in self._commands(commands)])

    def _commands(self, commands: tuple[str, ...]) -> list[Command]:
        """Those that were called."""
        found = (self._by_name.get(self._ids.get("RMI_" + command, -1)) for command in commands)
        return [c for c in found if c is not None]

    def first(self, *prefixes: str) -> int:
        """The first call of a command whose name begins so, -1 where there is none."""
        names = self.capture.names
        return min((int(c.rows[0]) for i, c in self._by_name.items() if names[i].startswith(prefixes)), default=-1)

    def last_but(self, n: int) -> int:
        """The call, the n-th from the end, in front of which so many follow; -1 where there are not so many."""
        if n not in self._ends:
            self._ends[n] = int(self.rows[-n]) if len(self.rows) >= n else -1
        return self._ends[n]

    def where(self, test: Callable[[I64], npt.NDArray[np.bool_]]) -> I64:
        """The calls that pass a test, which is asked about some at a time."""
        found = [rows[test(rows)] for _, rows in self.rows.pieces()]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)

    def with_status(self, status: str) -> I64:
        """The calls that returned a status."""
        if status not in self.capture.statuses:
            return np.zeros(0, dtype=np.int64)
        c, wanted = self.capture.calls, self.capture.statuses.index(status)
        return self.where(lambda rows: c.status[rows] == wanted)

    def seen(self, *commands: str) -> bool:
        """Whether one of the commands was called."""
        return any(self._ids.get("RMI_" + c) in self._by_name for c in commands)

    def succeeded(self, rows: I64) -> tuple[npt.NDArray[np.bool_], I64]:
        """Whether each call did what it was made for, and the call at which that was so: a stateful one ends with the last
        RMI_OP_* call of it."""
        ok = np.empty(len(rows), dtype=bool)
        end = np.empty(len(rows), dtype=np.int64)
        for start in range(0, len(rows), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            ok[some], end[some] = ended(self.capture, rows[some], self._success)
        return ok, end

    def parts(self, commands: tuple[str, ...], *names: str, out: bool = False) -> Iterator[Part]:
        """The calls of one command after the other, some at a time, with an argument (a result where ``out``) by one of its
        names."""
        for command in commands:
            of = self._by_name.get(self._ids.get("RMI_" + command, -1))
            register = self.register("RMI_" + command, names, out) if names else 0
            if of is None:
                continue
            if of.has(register, out):
                yield from of.parts(register, out)
                continue
            for part in of.parts():
                value, known = self.capture.regs(part.rows, register, out=out)
                yield part._replace(value=value, known=known)

    def with_arg(self, commands: tuple[str, ...], *names: str, out: bool = False) -> Done:
        """The calls of some commands, whatever became of them, with an argument (a result where ``out``)."""
        return _joined([Done(p.rows, p.end, p.value, p.known) for p in self.parts(commands, *names, out=out)])

    def done(self, *commands: str) -> tuple[I64, I64]:
        """The calls of some commands that did what they were made for, and where each was through."""
        return self.done_with(commands)[:2]

    def done_with(self, commands: tuple[str, ...], *names: str, out: bool = False) -> Done:
        """The same with an argument (a result where ``out``) of each; kept, since many calls that failed ask for it.
        Not to be written to."""
        key = (commands, names, out)
        found = self._kept.get(key)
        if found is None:
            parts = self.parts(commands, *names, out=out)
            found = _joined([Done(p.rows[p.ok], p.end[p.ok], p.value[p.ok], p.known[p.ok]) for p in parts])
            if sum(c.nbytes for c in found) > MOST_KEPT // 2:
                return found
            self._kept[key] = found
            while len(self._kept) > 1 and sum(c.nbytes for d in self._kept.values() for c in d) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found

    def arg(self, rows: I64, *names: str, out: bool = False) -> tuple[U64, npt.NDArray[np.bool_]]:
        """An argument (a result where ``out``) by one of its names, of calls of any commands: values, and which are known."""
        value = np.zeros(len(rows), dtype=np.uint64)
        known = np.zeros(len(rows), dtype=bool)
        registers = self._registers(names, out)
        for start in range(0, len(rows), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            value[some], known[some] = self._args(rows[some], registers[self.capture.calls.name[rows[some]]], out)
        return value, known

    def _args(self, rows: I64, register: npt.NDArray[np.int8], out: bool) -> tuple[U64, npt.NDArray[np.bool_]]:
        """The values of a register for each call, 0 and not known where that is 0."""
        wanted = np.flatnonzero(np.bincount(register))
        if len(wanted) == 1 and wanted[0]:
            return self.capture.regs(rows, int(wanted[0]), out=out)
        value = np.zeros(len(rows), dtype=np.uint64)
        known = np.zeros(len(rows), dtype=bool)
        for reg in wanted[wanted > 0].tolist():
            at = np.flatnonzero(register == reg)
            value[at], known[at] = self.capture.regs(rows[at], reg, out=out)
        return value, known

    def _registers(self, names: tuple[str, ...], out: bool) -> npt.NDArray[np.int8]:
        """The register of an argument or result of each command, 0 where it has none of these names."""
        found = self._register_of.get((names, out))
        if found is None or len(found) != len(self.capture.names):
            found = np.array([self.register(n, names, out) for n in self.capture.names], dtype=np.int8)
            self._register_of[names, out] = found
        return found

    def register(self, command: str, names: tuple[str, ...], out: bool = False) -> int:
        """The register of an argument or result, 0 where the command has none of that name."""
        found = decoders.command(command, self.capture.revision.of(command))
        for reg in (found.outputs if out else found.args) if found is not None else ():
            if reg.name in names:
                return reg.reg
        return 0


def _joined(parts: list[Done]) -> Done:
    """One list of all, in order of the calls."""
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Done(none, none, none.astype(np.uint64), none.astype(bool))
    if len(parts) == 1:
        return parts[0]
    rows, end, value, known = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if not bool((rows[1:] < rows[:-1]).any()):
        return Done(rows, end, value, known)
    order = np.argsort(rows, kind="stable")
    return Done(rows[order], end[order], value[order], known[order])


def _ascending(parts: list[I64]) -> I64:
    if len(parts) == 1:
        return parts[0]
    out = np.concatenate([np.zeros(0, dtype=np.int64), *parts])
    out.sort(kind="stable")
    return out
