"""One call in full, out of the columns and the records of its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

import decoders
from decoders.tree import Node

from ..formats.base import Buffer, Detail
from .call_tree import Words, read
from .pairs import BOTH, PAIRED, WHOLE
from .records import N_REGS, NO_TIME

if TYPE_CHECKING:
    from .model import Calls, Capture

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Call:
    """One call in full. ``task``, ``raw`` and ``exit_raw`` are as found, unescaped; ``line`` is for display."""

    seq: int
    ts_ns: int | None
    dur_ns: int | None
    cpu: int | None
    task: str | None
    pid: int | None
    source: int
    offset: int
    length: int
    exit_offset: int | None
    exit_length: int
    fid: int | None
    name: str | None
    service: str
    x: list[int | None]
    r: list[int | None] | None
    status: str | None
    index: int | None
    paired: str
    inferred: bool
    parent: int | None
    tree: Node
    buffers: list[tuple[Buffer, Node | None]]
    raw: str
    line: str
    exit_text: Callable[[], str] | None = field(default=None, compare=False, repr=False)
    """Reads the record of the exit, where it is one of its own."""

    @property
    def exit_raw(self) -> str | None:
        """The record of the exit, where it is one of its own."""
        return None if self.exit_text is None else self.exit_text()

    @property
    def args(self) -> tuple[Node, ...]:
        """The arguments, named as in the spec."""
        node = self.tree.child("args")
        return node.children if node else ()

    @property
    def results(self) -> tuple[Node, ...]:
        """The outputs that mean something with this status."""
        node = self.tree.child("results")
        return node.children if node else ()


COLUMNS = (
    "source",
    "enter",
    "exit",
    "ts",
    "dur",
    "cpu",
    "pid",
    "fid",
    "name",
    "service",
    "status",
    "paired",
    "inferred",
    "parent",
)


class Side(NamedTuple):
    """One of the records of a call: its number, where it stands, which registers it shows, and these up to x7."""

    record: int
    offset: int
    length: int
    known: int
    regs: list[int]


class CallRow(NamedTuple):
    """A call as it stands in the columns."""

    source: int
    enter: int
    exit: int
    ts: int
    dur: int
    cpu: int
    pid: int
    fid: int
    name: int
    service: int
    status: int
    paired: int
    inferred: bool
    parent: int


def read_call(capture: Capture, c: Calls, row: int, seq: int) -> Call:
    """The call of a row of the calls, or of the further sights of them; ``seq``: which call it is."""
    found = CallRow(*(getattr(c, name)[row].item() for name in COLUMNS))
    enter, exit_ = (_side(capture, found.source, number) for number in (found.enter, found.exit))
    return made(capture, seq, found, enter, exit_)


def _side(capture: Capture, source: int, number: int) -> Side | None:
    if number < 0:
        return None
    rec = capture.sources[source].records
    known = int(rec.known[number])
    regs = [int(rec.regs[number, i]) for i in range(min(known.bit_length(), N_REGS))]
    return Side(number, int(rec.offset[number]), int(rec.length[number]), known, regs)


def read_calls(capture: Capture, c: Calls, rows: I64, seqs: Seq[int], brief: bool = False) -> Iterator[Call]:
    """The same of some rows: what stands in columns is taken out of them for all rows at a time. ``brief``: without ``task`` and
    ``raw`` where that saves reading the record again."""
    found = [CallRow(*values) for values in zip(*(getattr(c, name)[rows].tolist() for name in COLUMNS), strict=True)]
    enters, exits = (
        _sides(capture, [r.source for r in found], numbers) for numbers in ([r.enter for r in found], [r.exit for r in found])
    )
    for seq, row, enter, exit_ in zip(seqs, found, enters, exits, strict=True):
        yield made(capture, seq, row, enter, exit_, brief=brief)


def _sides(capture: Capture, sources: list[int], numbers: list[int]) -> list[Side | None]:
    """The records with these numbers; None where there is none."""
    out: list[Side | None] = [None] * len(numbers)
    for s in set(sources):
        rec = capture.sources[s].records
        mine = [i for i, (source, n) in enumerate(zip(sources, numbers, strict=True)) if source == s and n >= 0]
        if mine:
            at = np.array([numbers[i] for i in mine], dtype=np.int64)
            columns = (rec.offset[at].tolist(), rec.length[at].tolist(), rec.known[at].tolist(), rec.regs[at].tolist())
            for i, *values in zip(mine, *columns, strict=True):
                out[i] = Side(numbers[i], *values)
    return out


def _registers(side: Side, detail: Detail | None) -> list[int | None]:
    """x0.. as far as they are known; those above x7 are in the record alone."""
    n = side.known.bit_length()
    here = len(side.regs)
    if side.known == (1 << n) - 1 and n <= here:
        return [*side.regs[:n]]
    above = detail.regs if detail is not None else {}
    return [(side.regs[i] if i < here else above.get(i)) if side.known >> i & 1 else None for i in range(n)]


def _in_columns(row: CallRow, enter: Side | None, exit_: Side | None) -> bool:
    """Whether the columns have every register of a call, and no memory can have been recorded with it."""
    if row.inferred or row.paired != BOTH or enter is None or exit_ is None:
        return False
    return not (enter.known >> len(enter.regs) or exit_.known >> len(exit_.regs))


def made(
    capture: Capture,
    seq: int,
    row: CallRow,
    enter: Side | None,
    exit_: Side | None,
    read: Callable[[Words], tuple[Node, int | None, str]] = read,
    brief: bool = False,
) -> Call:
    """The call of a row and its records. ``read``: see call_tree, which has it twice; ``brief``: see read_calls."""
    source = row.source
    xs: list[int | None] = []
    rs: list[int | None] | None = None
    enter_detail = exit_detail = None
    if enter is not None:
        if not (brief and _in_columns(row, enter, exit_)):
            enter_detail = capture.detail(source, enter.record, False)
        xs = _registers(enter, enter_detail)
    if exit_ is not None:
        if enter is None or row.paired == WHOLE or exit_.known >> N_REGS:  # else all that is used of it is in the columns
            exit_detail = capture.detail(source, exit_.record, True)
        rs = _registers(exit_, exit_detail)
    fid = row.fid or None
    known_name = capture.names[row.name]
    name = None if known_name.startswith("unknown") else known_name
    if row.inferred and fid is not None:
        xs = _wrapper_registers(fid, name, enter_detail, capture.revision.at(source).of(name))
    elif enter is None and exit_detail is not None and "fid" in exit_detail.fields:
        fid = fid or _int(exit_detail.fields["fid"])
    if not xs:
        xs = [fid]
    elif xs[0] is None:
        xs[0] = fid
    revision = capture.revision.at(source).of(name)
    status = capture.statuses[row.status] if row.status >= 0 else None
    shown = exit_detail is not None and exit_detail.fields.get("x0_bits") == "7:0"
    words = Words(
        tuple(xs),
        None if rs is None else tuple(rs),
        fid,
        name,
        known_name,
        revision,
        status,
        shown,
        exit_ is not None,
        row.paired == WHOLE,
    )
    tree, index, line = read(words)
    first = enter or exit_
    where = enter_detail or exit_detail
    assert first is not None
    buffers: list[tuple[Buffer, Node | None]] = []
    for d in (enter_detail, exit_detail):
        for b in d.buffers if d is not None and (d is enter_detail or row.paired == WHOLE) else ():
            buffers.append((b, _struct(b, revision)))
    apart = exit_ is not None and enter is not None and row.paired != WHOLE
    return Call(
        seq=seq,
        ts_ns=None if row.ts == NO_TIME else row.ts,
        dur_ns=None if row.dur < 0 else row.dur,
        cpu=None if row.cpu < 0 else row.cpu,
        task=where.task if where is not None else None,
        pid=None if row.pid < 0 else row.pid,
        source=source,
        offset=first.offset,
        length=first.length,
        exit_offset=exit_.offset if exit_ is not None else None,
        exit_length=exit_.length if exit_ is not None else 0,
        fid=fid,
        name=name,
        service=capture.services[row.service],
        x=xs,
        r=rs,
        status=status,
        index=index,
        paired=PAIRED[row.paired],
        inferred=row.inferred,
        parent=row.parent if row.parent >= 0 else None,
        tree=tree,
        buffers=buffers,
        raw=where.text if where is not None else "",
        line=line,
        exit_text=partial(_text, capture, source, exit_.record) if apart and exit_ is not None else None,
    )


def _text(capture: Capture, source: int, record: int) -> str:
    return capture.detail(source, record, True).text


def _int(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _wrapper_registers(fid: int, name: str | None, detail: Detail | None, revision: str) -> list[int | None]:
    """x0.. from the named arguments of the function around the SMC, by position, where the counts agree."""
    command = decoders.command(fid, revision)
    values = [_int(v) for v in detail.fields.values()] if detail is not None else []
    if command is None or len(values) < len(command.args):
        return [fid]
    return [fid, *values[: len(command.args)]]


def _struct(b: Buffer, revision: str) -> Node | None:
    if b.struct is None:
        return None
    try:
        return decoders.decode_struct(b.struct, b.data, revision=revision, when="exit" if b.when == "exit" else "enter")
    except LookupError:
        return None
