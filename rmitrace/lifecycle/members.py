"""The calls of sequences in a table: filled in, and put in another order, some sequences at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column
from ..capture.shelf import Shelf
from .model import Sequence
from .table import OUTCOMES, SequenceTable, object_number
from .whys import moved

I64 = npt.NDArray[np.int64]

SEQUENCES_AT_ONCE = 8192


def number_type(count: int) -> np.dtype[Any]:
    """The type for numbers below a count: four bytes where they are enough."""
    return np.dtype(np.int64 if count >> 31 else np.int32)


def ranges(start: I64, size: I64) -> I64:
    """The numbers from start[0] on, size[0] of them, then those from start[1] on, and so on."""
    before = np.cumsum(size) - size
    return np.repeat(start - before, size) + np.arange(int(size.sum()))


def fill_members(table: SequenceTable, parts: Iterable[tuple[I64, I64]]) -> None:
    """Put calls into the steps of a table, and work out what follows from them.

    parts   step and number of each call of the next sequences, all calls of a sequence in one part

    A call that two steps of a sequence name belongs to the first one.
    """
    of_step = np.repeat(np.arange(len(table), dtype=np.int32), np.diff(table.first_step))
    count = np.zeros(len(table), dtype=np.int64)
    table.first, table.last = np.zeros(len(table), dtype=np.int64), np.zeros(len(table), dtype=np.int64)
    steps = int(table.first_step[-1])
    table.step_first, table.step_last, table.step_count = (Column(np.int64) for _ in range(3))
    for step, rows in parts:
        sequence = of_step[step]
        order = np.lexsort((step, rows, sequence))
        sequence, step, rows = sequence[order], step[order], rows[order]
        if len(rows):
            again = np.concatenate([[False], (rows[1:] == rows[:-1]) & (sequence[1:] == sequence[:-1])])
            sequence, step, rows = sequence[~again], step[~again], rows[~again]
            _note(table, sequence, step, rows, count)
    _note_steps(table, steps, *(np.zeros(0, dtype=np.int64) for _ in range(3)))
    table.start = np.concatenate([[0], np.cumsum(count)])


def _note_steps(table: SequenceTable, begin: int, first: I64, last: I64, count: I64) -> None:
    """Put what is known of some steps, from number ``begin`` on, behind what is known of those before."""
    for column, values in ((table.step_first, first), (table.step_last, last), (table.step_count, count)):
        column.append(np.zeros(begin - len(column), dtype=np.int64))
        column.append(values)


def _note(table: SequenceTable, sequence: I64, step: I64, rows: I64, count: I64) -> None:
    """Append the calls of some sequences, ascending by sequence and call."""
    table.member.append(rows)
    table.member_step.append(step)
    head = np.flatnonzero(np.concatenate([[True], sequence[1:] != sequence[:-1]]))
    tail = np.append(head[1:], len(rows)) - 1
    of = sequence[head]
    count[of] = tail - head + 1
    table.first[of], table.last[of] = rows[head], rows[tail]
    # steps that have a call, and those that share all of theirs with an earlier step
    begin, end = int(table.first_step[of[0]]), int(table.first_step[of[-1] + 1])
    by_step = np.argsort(step, kind="stable")
    cuts = np.searchsorted(step[by_step], np.arange(begin, end + 1))
    some = np.flatnonzero(np.diff(cuts))
    owner = np.repeat(np.arange(of[0], of[-1] + 1), np.diff(table.first_step[of[0] : of[-1] + 2]))
    first, last = table.first[owner], table.last[owner]
    first[some], last[some] = rows[by_step[cuts[some]]], rows[by_step[cuts[some + 1] - 1]]
    _note_steps(table, begin, first, last, np.diff(cuts))


@dataclass(slots=True)
class Found:
    """Sequences whose calls are not in their table yet.

    number  of each step its number in the table
    parts   steps and calls that are in them, some at a time; a call may be in several steps
    """

    table: SequenceTable
    number: I64
    parts: list[tuple[Any, Any]]


def merged(found: list[Found]) -> SequenceTable:
    """All sequences as one table in order of their first call. ``found`` is used up."""
    found = [f for f in found if len(f.table)]
    if not found:
        return SequenceTable()
    tables = [f.table for f in found]
    ends = [_ends(f) for f in found]
    order = np.lexsort(tuple(np.concatenate([e[i] for e in ends]) for i in (1, 0)))
    out = SequenceTable()
    kinds: dict[str, int] = {}
    names: dict[str, int] = {}
    recoded = [np.array([kinds.setdefault(k, len(kinds)) for k in t.kinds], dtype=np.int16)[t.kind] for t in tables]
    out.kind = np.concatenate(recoded)[order]
    for column in ("prefix", "address", "source", "outcome"):
        setattr(out, column, np.concatenate([getattr(t, column) for t in tables])[order])
    steps = np.concatenate([np.diff(t.first_step) for t in tables])[order]
    out.first_step = np.concatenate([[0], np.cumsum(steps)])
    base = np.cumsum([0, *(int(t.first_step[-1]) for t in tables)])
    old = np.concatenate([t.first_step[:-1] + b for t, b in zip(tables, base[:-1].tolist(), strict=True)])[order]
    at = ranges(old, steps).astype(number_type(int(base[-1])))
    recoded = [np.array([names.setdefault(k, len(names)) for k in t.names], dtype=np.int16)[t.step_name] for t in tables]
    out.step_name = np.concatenate(recoded)[at]
    out.step_outcome = np.concatenate([t.step_outcome for t in tables])[at]
    out.kinds, out.names = list(kinds), list(names)
    place = np.empty(len(at), dtype=at.dtype)
    place[at] = np.arange(len(at))
    del at, old, recoded
    _move_whys(out, tables, order, place, base)
    fill_members(out, _moved(out, found, [place[b : b + len(f.number)][f.number] for b, f in zip(base, found, strict=False)]))
    return out


def _ends(found: Found) -> tuple[I64, I64]:
    """The first and the last call of each sequence."""
    of = np.repeat(np.arange(len(found.table)), np.diff(found.table.first_step))[found.number]
    first, last = np.full(len(found.table), np.iinfo(np.int64).max), np.zeros(len(found.table), dtype=np.int64)
    for step, call in found.parts:
        sequence, row = of[step], call.astype(np.int64)
        np.minimum.at(first, sequence, row)
        np.maximum.at(last, sequence, row)
    return first, last


def _move_whys(out: SequenceTable, tables: list[SequenceTable], order: I64, step: I64, base: I64) -> None:
    sequences = np.cumsum([0, *(len(t) for t in tables)])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    out.why = moved([(t.why, place[sequences[i] :]) for i, t in enumerate(tables)])
    out.step_why = moved([(t.step_why, step[base[i] :]) for i, t in enumerate(tables)])


def _moved(out: SequenceTable, found: list[Found], places: list[I64]) -> Iterator[tuple[I64, I64]]:
    """Step and number of each call of some sequences at a time; what was given is let go."""
    parts: list[tuple[Any, Any]] = []
    shelf = Shelf()
    for f, place in zip(found, places, strict=True):
        f.parts.reverse()
        while f.parts:
            step, call = f.parts.pop()
            new = place[step].astype(step.dtype)
            order = np.argsort(new, kind="stable")
            parts.append((shelf.put(new[order]), shelf.put(call[order])))
    for begin in range(0, len(out), SEQUENCES_AT_ONCE):
        stop = int(out.first_step[min(begin + SEQUENCES_AT_ONCE, len(out))])
        taken: list[tuple[Any, Any]] = []
        for i, (step, call) in enumerate(parts):
            cut = int(np.searchsorted(step, stop))
            if cut:
                taken.append((step[:cut], call[:cut]))
                parts[i] = step[cut:], call[cut:]
        parts = [p for p in parts if len(p[0])]
        step, call = (np.concatenate(c).astype(np.int64) for c in zip(*taken, strict=True))
        yield step, call


def table_of(sequences: Iterable[Sequence]) -> SequenceTable:
    """A few sequences as a table. Calls that are in none of their steps have the step -1."""
    given = sorted(sequences, key=lambda q: (q.first, q.last))
    kinds: dict[str, int] = {}
    names: dict[str, int] = {}
    steps = [t for q in given for t in q.steps]
    first_step = np.cumsum([0, *(len(q.steps) for q in given)])
    objects = [object_number(q.object) for q in given]
    out = SequenceTable(
        kind=np.array([kinds.setdefault(q.kind, len(kinds)) for q in given], dtype=np.int16),
        prefix=np.array([p for p, _ in objects], dtype=np.int8).astype(np.uint8),
        address=np.array([a for _, a in objects], dtype=np.uint64),
        source=np.array([q.source for q in given], dtype=np.int16),
        outcome=np.array([OUTCOMES.index(q.outcome) for q in given], dtype=np.uint8),
        first=np.array([q.first for q in given], dtype=np.int64),
        last=np.array([q.last for q in given], dtype=np.int64),
        start=np.cumsum([0, *(len(q.calls) for q in given)]),
        first_step=first_step,
        step_name=np.array([names.setdefault(t.name, len(names)) for t in steps], dtype=np.int16),
        step_outcome=np.array([OUTCOMES.index(t.outcome) for t in steps], dtype=np.uint8),
        step_first=np.array([t.first for t in steps], dtype=np.int64),
        step_last=np.array([t.last for t in steps], dtype=np.int64),
        step_count=np.array([len(t.calls) for t in steps], dtype=np.int64),
        why={i: q.why for i, q in enumerate(given) if q.why},
        step_why={i: t.why for i, t in enumerate(steps) if t.why},
    )
    out.kinds, out.names = list(kinds), list(names)
    for i, q in enumerate(given):
        of = {int(c): int(first_step[i]) + k for k, t in reversed(list(enumerate(q.steps))) for c in t.calls}
        out.member.append(np.asarray(q.calls))
        out.member_step.append([of.get(int(c), -1) for c in q.calls])
    return out
