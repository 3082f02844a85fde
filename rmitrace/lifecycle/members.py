"""The calls of sequences in a table: filled in, and put in another order, some sequences at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column
from .model import Sequence
from .table import OUTCOMES, SequenceTable, object_number
from .whys import moved

I64 = npt.NDArray[np.int64]

SEQUENCES_AT_ONCE = 8192


def ranges(start: I64, size: I64) -> I64:
    """The numbers from start[0] on, size[0] of them, then those from start[1] on, and so on."""
    before = np.cumsum(size) - size
    return np.repeat(start - before, size) + np.arange(int(size.sum()))


def fill_members(table: SequenceTable, parts: Iterable[tuple[I64, I64]]) -> None:
    """Put calls into the steps of a table, and work out what follows from them.

    parts   step and number of each call of the next sequences, all calls of a sequence in one part

    A call that two steps of a sequence name belongs to the first one.
    """
    of_step = np.repeat(np.arange(len(table)), np.diff(table.first_step))
    count = np.zeros(len(table), dtype=np.int64)
    table.first, table.last = np.zeros(len(table), dtype=np.int64), np.zeros(len(table), dtype=np.int64)
    steps = int(table.first_step[-1])
    table.step_first, table.step_last, table.step_count = (np.zeros(steps, dtype=np.int64) for _ in range(3))
    for step, rows in parts:
        sequence = of_step[step]
        order = np.lexsort((step, rows, sequence))
        sequence, step, rows = sequence[order], step[order], rows[order]
        if len(rows):
            again = np.concatenate([[False], (rows[1:] == rows[:-1]) & (sequence[1:] == sequence[:-1])])
            sequence, step, rows = sequence[~again], step[~again], rows[~again]
            _note(table, sequence, step, rows, count)
    table.start = np.concatenate([[0], np.cumsum(count)])


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
    table.step_first[begin:end], table.step_last[begin:end], table.step_count[begin:end] = first, last, np.diff(cuts)


def merged(tables: list[SequenceTable]) -> SequenceTable:
    """All sequences of several tables in order of their first call."""
    tables = [t for t in tables if len(t)]
    if not tables:
        return SequenceTable()
    which = np.repeat(np.arange(len(tables)), [len(t) for t in tables])
    number = np.concatenate([np.arange(len(t)) for t in tables])
    first, last = (np.concatenate([getattr(t, k) for t in tables]) for k in ("first", "last"))
    order = np.lexsort((last, first))
    which, number = which[order], number[order]
    out = SequenceTable()
    kinds: dict[str, int] = {}
    names: dict[str, int] = {}
    recoded = [np.array([kinds.setdefault(k, len(kinds)) for k in t.kinds], dtype=np.int16)[t.kind] for t in tables]
    out.kind = np.concatenate(recoded)[order]
    for column in ("prefix", "address", "source", "outcome"):
        setattr(out, column, np.concatenate([getattr(t, column) for t in tables])[order])
    steps = np.concatenate([np.diff(t.first_step) for t in tables])[order]
    out.first_step = np.concatenate([[0], np.cumsum(steps)])
    old = np.concatenate([t.first_step[:-1] for t in tables])[order]
    base = np.cumsum([0, *(int(t.first_step[-1]) for t in tables)])
    at = ranges(old + base[which], steps)
    recoded = [np.array([names.setdefault(k, len(names)) for k in t.names], dtype=np.int16)[t.step_name] for t in tables]
    out.step_name = np.concatenate(recoded)[at]
    out.step_outcome = np.concatenate([t.step_outcome for t in tables])[at]
    out.kinds, out.names = list(kinds), list(names)
    _move_whys(out, tables, order, at, base)
    fill_members(out, _moved(out, tables, which, number))
    return out


def _move_whys(out: SequenceTable, tables: list[SequenceTable], order: I64, at: I64, base: I64) -> None:
    sequences = np.cumsum([0, *(len(t) for t in tables)])
    place, step = np.empty(len(order), dtype=np.int64), np.empty(len(at), dtype=np.int64)
    place[order], step[at] = np.arange(len(order)), np.arange(len(at))
    out.why = moved([(t.why, place[sequences[i] :]) for i, t in enumerate(tables)])
    out.step_why = moved([(t.step_why, step[base[i] :]) for i, t in enumerate(tables)])


def _moved(out: SequenceTable, tables: list[SequenceTable], which: I64, number: I64) -> Iterator[tuple[I64, I64]]:
    for begin in range(0, len(out), SEQUENCES_AT_ONCE):
        parts: list[tuple[I64, I64]] = []
        for i, t in enumerate(tables):
            here = np.flatnonzero(which[begin : begin + SEQUENCES_AT_ONCE] == i) + begin
            of = number[here]
            size = t.start[of + 1] - t.start[of]
            at = ranges(t.start[of], size)
            if len(at):
                parts.append(
                    (_pick(t.member_step, at) + np.repeat(out.first_step[here] - t.first_step[of], size), _pick(t.member, at))
                )
        yield tuple(np.concatenate(c) for c in zip(*parts, strict=True))  # type: ignore[misc]


def _pick(column: Column, at: I64) -> Any:
    """Values of a column at places that lie near each other."""
    low, high = int(at.min()), int(at.max())
    return column[low : high + 1][at - low] if high - low < 4 * len(at) else column[at]


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
