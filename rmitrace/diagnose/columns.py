"""Which calls of a source are of a command, what was in their registers, and whether they did what they were made for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

import decoders

from ..capture.packed import Column
from ..capture.records import Kind

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

INCOMPLETE_CONSOLES = ("rmm-console",)
"""Formats in which a call that happened may have no row: TF-RMM prints many of them only when they fail."""
PAGE = 0xFFF
_AT_ONCE = 1 << 17
NEVER = 1 << 62
"""Instead of a call that is not there."""
MOST_KEPT = 64 << 20
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
        c = capture.calls
        rmi = capture.services.index("RMI") if "RMI" in capture.services else -1
        self.rows = Column(np.int64)
        self._by_name: dict[int, Column] = {}
        together = capture.together(source)
        for start in range(0, len(c), _AT_ONCE):
            part = slice(start, min(start + _AT_ONCE, len(c)))
            rows = np.flatnonzero(np.isin(c.source[part], together) & (c.service[part] == rmi)) + start
            self.rows.append(rows)
            name = c.name[part][rows - start]
            for i in np.unique(name).tolist():
                self._by_name.setdefault(i, Column(np.int64)).append(rows[name == i])
        self._success = capture.statuses.index("RMI_SUCCESS") if "RMI_SUCCESS" in capture.statuses else -2
        self._ids = {n: i for i, n in enumerate(capture.names)}
        self._ends: dict[int, int] = {}
        self._kept: OrderedDict[tuple[Any, ...], Done] = OrderedDict()

    @cached_property
    def sees_all(self) -> bool:
        """Whether a call that is not in this source did not happen while it was recorded."""
        s = self.capture.sources[self.source]
        lost = bool((s.records.kind == Kind.LOST).any()) or any(f.rule in ("RING-WRAPPED", "EVENTS-DROPPED") for f in s.findings)
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
        parts = []
        for command in commands:
            rows = self._by_name.get(self._ids.get("RMI_" + command, -1))
            if rows is not None:
                parts.append(np.asarray(rows))
        if not parts:
            return np.zeros(0, dtype=np.int64)
        return parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts), kind="stable")

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
        status = self.capture.calls.status
        end = np.where(status[rows] == self._success, rows, self.capture.operations.end(rows))
        return status[end] == self._success, end

    def done(self, *commands: str) -> tuple[I64, I64]:
        """The calls of some commands that did what they were made for, and where each was through."""
        return self.done_with(commands)[:2]

    def done_with(self, commands: tuple[str, ...], *names: str, out: bool = False) -> Done:
        """The same with an argument (a result where ``out``) of each; kept, since many calls that failed ask for it.
        Not to be written to."""
        key = (commands, names, out)
        found = self._kept.get(key)
        if found is None:
            if names:
                rows, end = self.done(*commands)
                found = Done(rows, end, *self.arg(rows, *names, out=out))
            else:
                rows = self.of(*commands)
                ok, end = self.succeeded(rows)
                found = Done(rows[ok], end[ok], np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=bool))
            if sum(c.nbytes for c in found) > MOST_KEPT // 4:
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
        if not len(rows):
            return value, known
        name = self.capture.calls.name[rows]
        present = np.flatnonzero(np.bincount(name)).tolist()
        registers = np.zeros(max(present) + 1, dtype=np.int8)
        registers[present] = [self.register(self.capture.names[i], names, out) for i in present]
        register = registers[name]
        for reg in sorted({*registers.tolist()} - {0}):
            at = np.flatnonzero(register == reg)
            if len(at) == len(rows):
                return self.capture.regs(rows, reg, out=out)
            value[at], known[at] = self.capture.regs(rows[at], reg, out=out)
        return value, known

    def register(self, command: str, names: tuple[str, ...], out: bool = False) -> int:
        """The register of an argument or result, 0 where the command has none of that name."""
        found = decoders.command(command, self.capture.revision.of(command))
        for reg in (found.outputs if out else found.args) if found is not None else ():
            if reg.name in names:
                return reg.reg
        return 0


def events(*parts: tuple[Any, Any, int]) -> tuple[U64, I64, npt.NDArray[np.int16]]:
    """Keys, calls and codes of several lists, sorted by key and then by call."""
    if not parts:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int16)
    if (fast := _sorted(parts)) is not None:
        return fast
    key = np.concatenate([np.asarray(k, dtype=np.uint64) for k, _, _ in parts])
    seq = np.concatenate([np.asarray(s, dtype=np.int64) for _, s, _ in parts])
    code = np.concatenate([np.full(len(k), c, dtype=np.int16) for k, _, c in parts])
    order = np.lexsort((seq, key))
    return key[order], seq[order], code[order]


def _sorted(parts: tuple[tuple[Any, Any, int], ...]) -> tuple[U64, I64, npt.NDArray[np.int16]] | None:
    """The same by sorting single numbers, in which key, call and number of the list stand side by side; None where 64 bits
    are too few for that."""
    several = [(np.asarray(k, dtype=np.uint64), np.asarray(s, dtype=np.int64), c) for k, s, c in parts if len(k)]
    if not several:
        return None
    together = np.bitwise_or.reduce([np.bitwise_or.reduce(k) for k, _, _ in several])
    down = min((int(together) & -int(together)).bit_length() - 1, 63) if together else 0
    last = max(int(s.max()) for _, s, _ in several)
    of_list, of_call = (len(several) - 1).bit_length(), max(last, 0).bit_length()
    if (int(together) >> down).bit_length() + of_list + of_call > 64 or min(int(s.min()) for _, s, _ in several) < 0:
        return None
    packed = np.empty(sum(len(k) for k, _, _ in several), dtype=np.uint64)
    at = 0
    for i, (k, s, _) in enumerate(several):
        packed[at : at + len(k)] = (
            k >> np.uint64(down) << np.uint64(of_call + of_list) | s.astype(np.uint64) << np.uint64(of_list) | np.uint64(i)
        )
        at += len(k)
    packed.sort()
    code = np.array([c for _, _, c in several], dtype=np.int16)[(packed & np.uint64((1 << of_list) - 1)).astype(np.int64)]
    packed >>= np.uint64(of_list)
    seq = (packed & np.uint64((1 << of_call) - 1)).view(np.int64)
    packed >>= np.uint64(of_call)
    packed <<= np.uint64(down)
    return packed, seq, code


class Events:
    """What happened to keyed things, in order: for a key and a call, what came last before it."""

    def __init__(self, *parts: tuple[Any, Any, int]) -> None:
        self.key, self.seq, self.code = events(*parts)

    def span(self, key: int) -> tuple[int, int]:
        """First and behind the last event of a key."""
        k = np.uint64(key)
        return int(self.key.searchsorted(k, "left")), int(self.key.searchsorted(k, "right"))

    def before(self, key: int, seq: int) -> tuple[int, int] | None:
        """Code and call of the last event of a key before a call, None where there is none."""
        a, b = self.span(key)
        i = a + int(self.seq[a:b].searchsorted(seq, "left")) - 1
        return (int(self.code[i]), int(self.seq[i])) if i >= a else None

    def after(self, key: int, seq: int) -> tuple[int, int] | None:
        """Code and call of the first event of a key behind a call."""
        a, b = self.span(key)
        i = a + int(self.seq[a:b].searchsorted(seq, "right"))
        return (int(self.code[i]), int(self.seq[i])) if i < b else None

    def behind(self, keys: U64, seqs: I64) -> I64:
        """For each of many keys and calls the call of the first event of the key behind the call, NEVER where there is none."""
        out = np.full(len(keys), NEVER, dtype=np.int64)
        if not len(self.key) or not len(keys):
            return out
        first = np.concatenate([[True], self.key[1:] != self.key[:-1]])
        rank, of = np.cumsum(first) - 1, self.key[first]
        at = np.searchsorted(of, keys)
        at[of[np.minimum(at, len(of) - 1)] != keys] = len(of)
        width = int(max(self.seq.max(), seqs.max())) + 1  # key and call in one number
        found = np.searchsorted(rank * width + self.seq, at * width + seqs, "right")
        good = found < len(self.key)
        good[good] = rank[found[good]] == at[good]
        out[good] = self.seq[found[good]]
        return out

    def since(self, key: int, seq: int) -> tuple[int, int] | None:
        """The same, with the call since when it is so: the first of those that say the same in a row."""
        a, b = self.span(key)
        i = a + int(self.seq[a:b].searchsorted(seq, "left"))
        if i == a:
            return None
        other = np.flatnonzero(self.code[a:i] != self.code[i - 1])
        return int(self.code[i - 1]), int(self.seq[a + (int(other[-1]) + 1 if len(other) else 0)])

    def of(self, key: int) -> list[tuple[int, int]]:
        """All of a key: code and call."""
        a, b = self.span(key)
        return list(zip(self.code[a:b].tolist(), self.seq[a:b].tolist(), strict=True))
