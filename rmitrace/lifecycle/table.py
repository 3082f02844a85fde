"""The sequences and state changes of a capture as columns: read like lists, a few bytes a call.

A Sequence or StateChange is made when one is asked for. Of a sequence the calls are kept in their order, each with its step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..capture.listed import Listed
from ..capture.packed import Column
from ..capture.records import NO_TIME
from .model import FAILED, INCOMPLETE, OK, Sequence, StateChange, Step
from .whys import between

Ints = npt.NDArray[np.int64]

OUTCOMES = (OK, FAILED, INCOMPLETE)
PREFIXES = ("pdev", "vdev", "realm", "stream", "")
"""Kinds of objects; of the last two there is no address."""
_NAMELESS = 3
_AT_ONCE = 512
"""Sequences, or state changes, that are taken out of the columns together."""


def object_text(prefix: int, address: int) -> str:
    """'pdev:0x49500000'."""
    return PREFIXES[prefix] if prefix >= _NAMELESS else f"{PREFIXES[prefix]}:0x{address:x}"


def object_number(text: str) -> tuple[int, int]:
    """Prefix and address of what object_text gives; (-1, 0) for any other text."""
    prefix, colon, address = text.partition(":")
    if prefix not in PREFIXES or bool(colon) != (PREFIXES.index(prefix) < _NAMELESS):
        return -1, 0
    return PREFIXES.index(prefix), int(address, 16) if colon else 0


class Members(NDArrayOperatorsMixin):
    """Some calls of a sequence, ascending: read like an array, and unpacked where that is done."""

    def __init__(self, rows: Column, start: int, stop: int, steps: Column | None = None, step: int = -1, count: int = -1) -> None:
        self._rows, self._start, self._stop = rows, start, stop
        self._steps, self._step = steps, step
        """Only those of this step, ``count`` of them; all where there is none."""
        self._count = stop - start if steps is None else count

    def __len__(self) -> int:
        return self._count

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        rows: npt.NDArray[Any] = self._rows[self._start : self._stop]
        if self._steps is not None:
            rows = rows[self._steps[self._start : self._stop] == self._step]
        return rows if dtype is None else rows.astype(dtype, copy=False)

    def __getitem__(self, at: Any) -> Any:
        if self._steps is None and isinstance(at, int | np.integer):
            if not -self._count <= at < self._count:
                raise IndexError(at)
            return self._rows[self._start + int(at) if at >= 0 else self._stop + int(at)]
        return np.asarray(self)[at]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*(np.asarray(i) if isinstance(i, Members) else i for i in inputs), **options)

    def __iter__(self) -> Iterator[Any]:
        return iter(np.asarray(self))

    def tolist(self) -> list[int]:
        """The numbers."""
        numbers: list[int] = np.asarray(self).tolist()
        return numbers


@dataclass(slots=True, eq=False)
class SequenceTable(Listed[Sequence]):
    """The sequences of a capture, in order of their first call.

    kind, prefix, address, source, outcome, first, last    of each sequence; kind is an index into ``kinds``, outcome into
                                                           OUTCOMES, prefix into PREFIXES
    start            where its members begin; one more than there are sequences
    first_step       number of its first step; one more than there are sequences
    step_name, step_outcome, step_first, step_last, step_count     of each step; the name an index into ``names``
    member, member_step                                    calls of the sequences, and the number of the step each is in
    why, step_why    why it failed, by number
    ts, dur          Calls.ts and Calls.dur, for the times
    """

    kinds: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    kind: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    prefix: Any = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    address: Any = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    source: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    outcome: Any = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    first: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    last: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    start: Any = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    first_step: Any = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    step_name: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    step_outcome: Any = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    step_first: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    step_last: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    step_count: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    member: Column = field(default_factory=lambda: Column(np.int64))
    member_step: Column = field(default_factory=lambda: Column(np.int32))
    why: Mapping[int, str] = field(default_factory=dict)
    step_why: Mapping[int, str] = field(default_factory=dict)
    ts: Any = None
    dur: Any = None
    _reach: Any = None
    """The last call of all sequences up to each, once that was asked for."""

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        own = (getattr(self, f.name) for f in fields(self) if f.name not in ("ts", "dur"))
        return sum(c.nbytes for c in own if isinstance(c, Column | np.ndarray))

    def object(self, number: int) -> str:
        """The object of a sequence."""
        return object_text(int(self.prefix[number]), int(self.address[number]))

    def calls(self, number: int) -> Members:
        """The calls of a sequence."""
        return Members(self.member, int(self.start[number]), int(self.start[number + 1]))

    def step(self, number: int, step: int) -> Step:
        """A step of a sequence, numbered within it."""
        return self._steps_of(number, number + 1)[step]

    def _steps_of(self, a: int, b: int) -> list[Step]:
        """The steps of some sequences, of one behind those of the other."""
        s, stop = int(self.first_step[a]), int(self.first_step[b])
        start = self.start[a : b + 1]
        counts = np.diff(self.first_step[a : b + 1])
        columns = (
            range(s, stop), self.step_name[s:stop].tolist(), self.step_first[s:stop].tolist(), self.step_last[s:stop].tolist(),
            self.step_outcome[s:stop].tolist(), self.step_count[s:stop].tolist(),
            np.repeat(start[:-1], counts).tolist(), np.repeat(start[1:], counts).tolist(),
        )  # fmt: skip
        whys = between(self.step_why, s, stop)
        return [
            Step(
                self.names[name],
                first,
                last,
                OUTCOMES[outcome],
                whys.get(i, ""),
                Members(self.member, begin, end, self.member_step, i, count),  # type: ignore[arg-type]
            )
            for i, name, first, last, outcome, count, begin, end in zip(*columns, strict=True)
        ]

    def _some(self, a: int, b: int) -> Iterator[Sequence]:
        """The sequences from one number to another."""
        first, last = self.first[a:b], self.last[a:b]
        unknown = [NO_TIME] * (b - a)
        start, end, dur = (
            (unknown, unknown, unknown)
            if self.ts is None
            else (self.ts[first].tolist(), self.ts[last].tolist(), self.dur[last].tolist())
        )
        steps, cuts = self._steps_of(a, b), (self.first_step[a : b + 1] - self.first_step[a]).tolist()
        begin = self.start[a : b + 1].tolist()
        whys = between(self.why, a, b)
        columns = (
            self.kind[a:b].tolist(), self.prefix[a:b].tolist(), self.address[a:b].tolist(), self.outcome[a:b].tolist(),
            self.source[a:b].tolist(), first.tolist(), last.tolist(),
        )  # fmt: skip
        for i, (kind, prefix, address, outcome, source, one, other) in enumerate(zip(*columns, strict=True)):
            yield Sequence(
                self.kinds[kind],
                object_text(prefix, address),
                one,
                other,
                None if start[i] == NO_TIME else start[i],
                None if end[i] == NO_TIME else end[i] + max(dur[i], 0),
                OUTCOMES[outcome],
                tuple(steps[cuts[i] : cuts[i + 1]]),
                whys.get(a + i, ""),
                source,
                Members(self.member, begin[i], begin[i + 1]),  # type: ignore[arg-type]
            )

    def __iter__(self) -> Iterator[Sequence]:
        for a in range(0, len(self), _AT_ONCE):
            yield from self._some(a, min(a + _AT_ONCE, len(self)))

    @overload
    def __getitem__(self, number: int) -> Sequence: ...
    @overload
    def __getitem__(self, number: slice) -> list[Sequence]: ...
    def __getitem__(self, number: int | slice) -> Sequence | list[Sequence]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        i = number % len(self)
        return next(self._some(i, i + 1))

    def of_object(self, object: str) -> Ints:
        """The numbers of the sequences of an object."""
        prefix, address = object_number(object)
        return np.flatnonzero((self.prefix == prefix) & (self.address == np.uint64(address)))

    def kinds_of(self, start: int, stop: int) -> tuple[list[str], Any]:
        """The kind (index into the list, -1 none) of the sequence that each of some calls belongs to; where there are several,
        of the one that starts last."""
        out = np.full(stop - start, -1, dtype=np.int16)
        if self._reach is None or len(self._reach) != len(self.last):
            self._reach = np.maximum.accumulate(self.last) if len(self.last) else self.last
        a, b = int(np.searchsorted(self._reach, start)), int(np.searchsorted(self.first, stop))
        if a < b:
            part = slice(int(self.start[a]), int(self.start[b]))
            rows, kind = self.member[part], np.repeat(self.kind[a:b], np.diff(self.start[a : b + 1]))
            mine = (rows >= start) & (rows < stop)
            out[rows[mine] - start] = kind[mine]
        return self.kinds, out

    def failed(self) -> Iterator[Sequence]:
        """The sequences that failed."""
        return (self[i] for i in np.flatnonzero(self.outcome == OUTCOMES.index(FAILED)).tolist())


@dataclass(slots=True, eq=False)
class StateTable(Listed[StateChange]):
    """The state changes of a capture, in order of the calls.

    prefix, address, call, frm, to, inferred    of each; ``frm`` and ``to`` are indices into ``names``, frm -1: not known
    ts                                          Calls.ts
    """

    names: list[str] = field(default_factory=list)
    prefix: Any = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    address: Any = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    call: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    frm: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    to: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    inferred: Any = field(default_factory=lambda: np.zeros(0, dtype=bool))
    ts: Any = None
    _by_object: Any = None

    def __len__(self) -> int:
        return len(self.call)

    @overload
    def __getitem__(self, number: int) -> StateChange: ...
    @overload
    def __getitem__(self, number: slice) -> list[StateChange]: ...
    def __getitem__(self, number: int | slice) -> StateChange | list[StateChange]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        i = number % len(self)
        call, frm = int(self.call[i]), int(self.frm[i])
        ts = NO_TIME if self.ts is None else int(self.ts[call])
        return StateChange(
            object_text(int(self.prefix[i]), int(self.address[i])),
            None if ts == NO_TIME else ts,
            None if frm < 0 else self.names[frm],
            self.names[self.to[i]],
            call,
            bool(self.inferred[i]),
        )

    def before(self, object: str, call: int) -> StateChange | None:
        """The last change of an object at or before a call."""
        mine = self.of(object)
        at = int(np.searchsorted(self.call[mine], call, "right"))
        return self[int(mine[at - 1])] if at else None

    def at(self, call: int) -> list[StateChange]:
        """The changes that a call made."""
        a, b = np.searchsorted(self.call, [call, call + 1])
        return self[int(a) : int(b)]

    def of(self, object: str) -> Ints:
        """The numbers of the changes of an object, ascending."""
        prefix, address = object_number(object)
        if self._by_object is None:
            order = np.lexsort((self.prefix, self.address))
            self._by_object = order, self.address[order]
        order, addresses = self._by_object
        a, b = np.searchsorted(addresses, np.uint64(address), "left"), np.searchsorted(addresses, np.uint64(address), "right")
        found = order[a:b]
        return np.sort(found[self.prefix[found] == prefix])


def merged_states(tables: list[StateTable], ts: Any) -> StateTable:
    """All state changes of several tables, in order of the calls."""
    names: dict[str, int] = {}
    codes = [np.array([*(names.setdefault(n, len(names)) for n in t.names), -1], dtype=np.int16) for t in tables]
    columns = {k: np.concatenate([getattr(t, k) for t in tables]) for k in ("prefix", "address", "call", "inferred")}
    for k in ("frm", "to"):
        columns[k] = np.concatenate([code[getattr(t, k)] for code, t in zip(codes, tables, strict=True)])
    order = np.argsort(columns["call"], kind="stable")
    return StateTable(names=list(names), ts=ts, **{k: c[order] for k, c in columns.items()})
