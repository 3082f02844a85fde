"""The calls of a capture for what writes very many of them: of calls that are alike but for numbers that are shown as they are,
one is read in full, and what a writer makes of it holds for the others with their numbers filled in.

A writer keeps what it made of a ``Form``; of calls that are like no other (those with memory, those told by a wrapper) there is
none, and they are read in full one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..formats.base import ALWAYS
from ..lifecycle.objects import KINDS
from .call import COLUMNS, Call, CallRow, Side, made, read_calls
from .call_tree import read_once
from .left_open import TEXT, Bits, Looked, Open
from .records import N_REGS, NO_TIME

if TYPE_CHECKING:
    from .model import Capture

AT_ONCE, _FEW = 2048, 256
"""Calls that are taken out of the columns together; fewer where some are read in full."""
MOST_FORMS = 1 << 14
"""Forms that are kept: some kilobytes each."""
SEQ, TS, DUR, CPU, PID, OFFSET, EXIT_OFFSET, PARENT, OBJECT, TASK = range(2 * N_REGS, 2 * N_REGS + 10)
"""Places of numbers behind those of x0..x7 and r0..r7: what Call and its columns name so, the address of the object (see
Capture.object_of), and the task, a text."""

ABOVE = TASK + 1
"""Place of x8, behind x17 that of r8: there for forms that need them."""
_MORE = 18 - N_REGS
_FLAGS = 7
"""Bits that say what is known of a call, below the kind of its object."""

Values = list[Any]


@dataclass(slots=True)
class Form:
    """What calls have in common.

    call    one of them with its numbers left open (times mean nothing where they are computed with)
    looked  what its numbers were looked at for, and the marks in its texts
    object  the object they are about, where objects are wanted and they are about one
    made    what a writer makes of it
    """

    call: Call
    looked: Looked
    object: str | None = None
    made: dict[str, Any] = field(default_factory=dict)


class Row(NamedTuple):
    """A call. ``values``: its numbers by their places, None where unknown. ``form`` is None where it is like no other, and
    Capture.call has it at hand."""

    seq: int
    values: Values
    form: Form | None


class _Way(NamedTuple):
    """Forms of calls for which the same was looked at, by what was there."""

    key: tuple[Any, ...]
    pick: Callable[[Values], Any]
    known: dict[Any, Form]


class Rows:
    """Reads calls of a capture, and keeps their forms. ``objects``: their objects are wanted; ``above``: registers above x7 are,
    also where they are no arguments."""

    def __init__(self, capture: Capture, *, objects: bool = False, above: bool = False) -> None:
        self._capture, self._above = capture, above
        self._deep: set[tuple[Any, ...]] = set()
        """Kinds of calls whose forms need registers above x7."""
        self._forms: dict[tuple[Any, ...], list[_Way]] = {}
        self._count = 0
        self._at_once = _FEW
        self._objects = capture.objects() if objects else None

    def read(self, seqs: Iterable[int]) -> Iterator[Row]:
        """These calls, in their order."""
        numbers = iter(seqs)
        try:
            while some := list(islice(numbers, self._at_once)):
                yield from self._some(np.array(some, dtype=np.int64))
        finally:
            self._capture.hold(())

    def _some(self, at: npt.NDArray[np.int64]) -> Iterator[Row]:
        capture, c, seqs = self._capture, self._capture.calls, at.tolist()
        columns: dict[str, Any] = {name: getattr(c, name)[at] for name in COLUMNS}
        source, enter, exit_ = columns["source"], columns["enter"], columns["exit"]
        going, coming = _Records(capture, source, enter), _Records(capture, source, exit_)
        first = np.where(enter >= 0, enter, exit_)
        alone = self._alone(columns)
        self._at_once = _FEW if alone.any() else AT_ONCE
        capture.hold(read_calls(capture, c, at[alone], at[alone].tolist()))
        named = np.full(len(at), -1, dtype=np.int32)
        named[~alone] = capture.tasks.of_records(source[~alone], first[~alone])
        tasks = [*capture.tasks.names, None]
        kind = self._objects.kind[at] if self._objects is not None else np.zeros(len(at), dtype=np.int8)
        addr = self._objects.addr[at].tolist() if self._objects is not None else seqs
        parent = columns["parent"]
        if capture.numbers is not None:
            shown, of = capture.numbers[at].tolist(), np.where(parent >= 0, capture.numbers[parent], -1).tolist()
        else:
            shown, of = seqs, parent.tolist()
        there = (columns["ts"] != NO_TIME, columns["dur"] >= 0, columns["cpu"] >= 0, columns["pid"] >= 0, parent >= 0,
                 np.array([t is not None for t in tasks])[named], c.failed[at])  # fmt: skip
        flags = sum((some.astype(np.int64) << i for i, some in enumerate(there)), kind.astype(np.int64) << _FLAGS)
        kinds = zip(source.tolist(), columns["fid"].tolist(), columns["name"].tolist(), columns["status"].tolist(),
                    columns["paired"].tolist(), going.known, coming.known, flags.tolist(), strict=True)  # fmt: skip
        numbers = zip(shown, columns["ts"].tolist(), columns["dur"].tolist(), columns["cpu"].tolist(), columns["pid"].tolist(),
                      going.offset, coming.offset, of, addr, [tasks[n] for n in named.tolist()], strict=True)  # fmt: skip
        more = (going.more | coming.more).tolist()
        each = zip(seqs, alone.tolist(), kinds, more, going.regs, coming.regs, numbers, strict=True)
        for i, (seq, by_itself, kind_of, high, x, r, rest) in enumerate(each):
            values: Values = [*x, *r, *rest]
            if high and not by_itself and (self._above or kind_of in self._deep):
                by_itself = self._add(values, kind_of, int(enter[i]), int(exit_[i]))
            if by_itself:
                yield Row(seq, values, None)
                continue
            for _, pick, known in self._forms.get(kind_of, ()):
                form = known.get(pick(values))
                if form is not None:
                    break
            else:
                if high and len(values) == ABOVE and self._add(values, kind_of, int(enter[i]), int(exit_[i])):
                    yield Row(seq, values, None)
                    continue
                row = CallRow(*(columns[name][i].item() for name in COLUMNS))
                form = self._new(kind_of, seq, values, row, going.lengths[i], coming.lengths[i])
            yield Row(seq, values, form)

    def _alone(self, columns: dict[str, Any]) -> Any:
        """Which calls have to be read one by one: the columns do not hold all of them."""
        alone = columns["inferred"] | (columns["enter"] < 0)
        for s in np.unique(columns["source"]).tolist():
            bare = getattr(self._capture.sources[s].reader, "bare", ())
            if bare is not ALWAYS:
                with_these = [i for i, name in enumerate(self._capture.statuses) if name in bare]
                alone |= (columns["source"] == s) & ~np.isin(columns["status"], with_these)
        return alone

    def _add(self, values: Values, kind: tuple[Any, ...], *records: int) -> bool:
        """Put the registers above x7 behind the values of a call; whether one is missing that should be there."""
        missing = False
        for out, (known, record) in enumerate(zip(kind[5:7], records, strict=True)):
            there = known >> N_REGS if known >= 0 else 0
            regs = self._capture.detail(kind[0], record, bool(out)).regs if there else {}
            above = [regs.get(i + N_REGS) for i in range(_MORE)]
            missing |= any(v is None and there >> i & 1 for i, v in enumerate(above))
            values += above
        return missing

    def _new(self, kind: tuple[Any, ...], seq: int, values: Values, row: CallRow, *lengths: int) -> Form:
        """The form of a call that is like none before it."""
        looked, ignored = Looked((0, N_REGS)), Looked()
        ignored.marks = looked.marks

        def left(place: int, known: bool = True) -> int:
            return Open(values[place], Bits(place), ignored if SEQ <= place < ABOVE else looked) if known else values[place]

        def side(record: int, offset: int, known: int, length: int, first: int) -> Side | None:
            if record < 0:
                return None
            regs = [left(first * N_REGS + i) for i in range(N_REGS)]
            if known >> N_REGS:
                regs += [left(ABOVE + first * _MORE + i, bool(known >> N_REGS + i & 1)) for i in range(_MORE)]
            return Side(record, left(offset), length, known, regs)

        row = row._replace(
            ts=left(TS, row.ts != NO_TIME),
            dur=left(DUR, row.dur >= 0),
            cpu=left(CPU, row.cpu >= 0),
            pid=left(PID, row.pid >= 0),
            parent=left(PARENT, row.parent >= 0),
        )
        sides = side(row.enter, OFFSET, kind[5], lengths[0], 0), side(row.exit, EXIT_OFFSET, kind[6], lengths[1], 1)
        call = made(self._capture, seq, row, *sides, read_once)
        task = looked.mark(Bits(TASK), TEXT) if values[TASK] is not None else None
        what = KINDS[kind[-1] >> _FLAGS]
        about = f"{what}:0x{left(OBJECT):x}" if what else None
        form = Form(replace(call, seq=left(SEQ), task=task), looked, about)
        if looked.highest() >= ABOVE:
            self._deep.add(kind)
        if self._count == MOST_FORMS:
            self._forms.clear()
            self._count = 0
        self._count += 1
        ways = self._forms.setdefault(kind, [])
        key = looked.key()
        way = next((w for w in ways if w.key == key), None)
        if way is None:
            way = _Way(key, looked.pick(), {})
            ways.append(way)
        way.known[way.pick(values)] = form
        return form


class _Records:
    """One side of some calls. Lists: what is known of x0.. (-1: no record), registers, offset and length of each record."""

    def __init__(self, capture: Capture, source: Any, record: Any) -> None:
        n = len(record)
        known = np.full(n, -1, dtype=np.int64)
        regs = np.zeros((n, N_REGS), dtype=np.uint64)
        offset, length = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        for s in np.unique(source).tolist():
            mine = np.flatnonzero((source == s) & (record >= 0))
            rec, at = capture.sources[s].records, record[mine]
            known[mine], regs[mine], offset[mine], length[mine] = rec.known[at], rec.regs[at], rec.offset[at], rec.length[at]
        self.more = (known >= 0) & (known >> N_REGS != 0)
        """There are registers above x7."""
        self.known, self.regs = known.tolist(), regs.tolist()
        self.offset, self.lengths = offset.tolist(), length.tolist()
