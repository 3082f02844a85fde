"""A capture: its calls as columns, and one call in full on demand."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import decoders
from decoders.tree import Node

from ..display import safe
from ..formats.base import Buffer, Detail, ReadOptions, RecordReader
from .marks import Marks
from .packed import Column
from .pairs import PAIRED, WHOLE
from .records import N_REGS, NO_TIME, Finding, Kind, Values
from .revision import Revision
from .source import Source

DAMAGE = ("DAMAGED-RECORD", "INPUT-CUT", "ROW-CUT")
"""Findings that say that a part of the input could not be read."""

if TYPE_CHECKING:
    from ..correlate import Correlation
    from ..correlate.skew.opinions import Opinion
    from ..diagnose import Diagnosis
    from ..lifecycle import SequenceTable, StateTable
    from ..lifecycle.operations import Operations
    from .index import Keeper
    from .messages import Conversations, Message


CALL_COLUMNS: dict[str, Any] = {
    "enter": np.int64, "exit": np.int64, "source": np.int16, "ts": np.int64, "dur": np.int64, "cpu": np.int32, "pid": np.int32,
    "fid": np.uint64, "name": np.int32, "service": np.int16, "status": np.int32, "failed": np.bool_, "paired": np.uint8,
    "inferred": np.bool_, "parent": np.int64,
}  # fmt: skip


@dataclass(slots=True)
class Calls:
    """The calls of a capture, one row each, in order of time, else of the sources.

    enter, exit      record numbers in the call's source, -1 where there is none
    ts, dur          ns in the source's clock (NO_TIME unknown); ns from entry to exit (-1 unknown)
    fid              function id as passed, 0 unknown
    name, service,
    status           indices into Capture.names, services, statuses; status -1: none known
    failed           the result says that the call failed
    paired           0 both, 1 enter-only, 2 exit-only, 3 whole
    inferred         told by the function around the SMC, not by the SMC
    parent           row of the command that a 2.0 OP_* call works for, else -1

    CALL_COLUMNS has their types. They are arrays, or packed.
    """

    enter: Values
    exit: Values
    source: Values
    ts: Values
    dur: Values
    cpu: Values
    pid: Values
    fid: Values
    name: Values
    service: Values
    status: Values
    failed: Values
    paired: Values
    inferred: Values
    parent: Values

    def __len__(self) -> int:
        return len(self.enter)

    def pack(self) -> None:
        """Pack the columns that are still arrays."""
        for name, dtype in CALL_COLUMNS.items():
            values = getattr(self, name)
            if not isinstance(values, Column):
                setattr(self, name, Column(dtype, values))

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return sum(getattr(self, name).nbytes for name in CALL_COLUMNS)


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
    exit_raw: str | None
    line: str

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


@dataclass(frozen=True, slots=True)
class SourceCalls:
    """The calls that one source shows, in its order: their rows, and its records of them (-1 where there is none)."""

    rows: npt.NDArray[np.int64]
    enter: npt.NDArray[np.int64]
    exit: npt.NDArray[np.int64]
    pid: npt.NDArray[np.int32]

    @property
    def first(self) -> npt.NDArray[np.int64]:
        """The first record of each."""
        return np.where(self.enter >= 0, self.enter, self.exit)


@dataclass(slots=True)
class Capture:
    """All that is known of the files opened together."""

    sources: list[Source]
    calls: Calls
    names: list[str]
    services: list[str]
    statuses: list[str]
    revision: Revision
    options: ReadOptions
    reading: list[Finding] = field(default_factory=list)
    """Findings of the reading itself: lost events, damaged and cut records, what found no partner or has no name."""
    duplicates: int = 0
    complete: bool = True
    worlds: dict[int, Any] = field(default_factory=dict)
    """Kept for rmitrace.diagnose: what each source tells of the state of things."""
    numbers: npt.NDArray[np.int64] | None = None
    """The numbers of the calls, where this is a part of a capture that grows."""
    keeper: Keeper | None = None
    """Where an index of it is kept, and what is found out about it later can be."""
    correlation: Correlation | None = None
    """Which calls are sights of the same one from several sources; None where nothing is compared."""
    opinions: list[Opinion] | None = None
    """Kept for rmitrace.correlate.skew: what kernel and firmware speak, once that was worked out."""
    silent: bool = False
    """It is known that no message is in it."""
    _cache: Any = None
    _objects: Any = None
    _marks: Marks | None = None
    _conversations: Conversations | None = None
    _checked: list[Finding] | None = None
    _followed: tuple[SequenceTable, StateTable] | None = None
    _operations: Operations | None = None

    def __post_init__(self) -> None:
        self._cache = lru_cache(maxsize=4096)(self._call)

    def __len__(self) -> int:
        return len(self.calls)

    def call(self, seq: int) -> Call:
        """A call in full. Raises IndexError."""
        if not 0 <= seq < len(self.calls):
            raise IndexError(f"no call {seq}")
        return self._cache(seq)  # type: ignore[no-any-return]

    def number(self, seq: int) -> int:
        """The number of a call as it is shown."""
        return seq if self.numbers is None else int(self.numbers[seq])

    def name_text(self, seq: int) -> str:
        """The name of a call, 'unknown 0x...' where it has none."""
        return self.names[int(self.calls.name[seq])]

    def status_text(self, seq: int) -> str:
        """The status of a call, empty where none is known."""
        i = self.calls.status[seq]
        return self.statuses[i] if i >= 0 else ""

    def service_text(self, seq: int) -> str:
        """The service of a call: 'RMI', 'PSCI', ..."""
        return self.services[int(self.calls.service[seq])]

    def regs(self, seqs: npt.NDArray[np.int64], number: int, *, out: bool | npt.NDArray[np.bool_] = False) -> tuple[Any, Any]:
        """One register of many calls: its values (uint64, 0 where unknown) and whether each is known.

        ``number`` is 0..17; above 7 every record is read again from its source. ``out``: after the SMC; or of which calls.
        """
        if isinstance(out, np.ndarray):
            record = np.where(out, self.calls.exit[seqs], self.calls.enter[seqs])
        else:
            record = (self.calls.exit if out else self.calls.enter)[seqs]
        value = np.zeros(len(seqs), dtype=np.uint64)
        known = np.zeros(len(seqs), dtype=bool)
        there = record >= 0
        for s, source in enumerate(self.sources):
            rec = source.records
            mine = np.flatnonzero(there if len(self.sources) == 1 else there & (self.calls.source[seqs] == s))
            if not len(mine):
                continue
            at = record[mine]
            has = (rec.known[at] >> np.uint32(number) & np.uint32(1)) != 0
            known[mine] = has
            if number < N_REGS:
                value[mine] = np.where(has, rec.regs[at, number], np.uint64(0))
                continue
            for k in np.flatnonzero(has).tolist():
                after = bool(out[mine[k]]) if isinstance(out, np.ndarray) else out
                value[mine[k]] = self.detail(s, int(at[k]), after).regs.get(number, 0)
        return value, known

    def column(self, name: str, seqs: npt.NDArray[np.int64] | None = None) -> Any:
        """A column by name: those of Calls, and x0..x17, r0..r17 (uint64, 0 where unknown)."""
        rows = np.arange(len(self.calls), dtype=np.int64) if seqs is None else seqs
        if name[:1] in "xr" and name[1:].isdigit() and int(name[1:]) < 18:
            return self.regs(rows, int(name[1:]), out=name[0] == "r")[0]
        return getattr(self.calls, name)[rows]

    def detail(self, source: int, record: int, out: bool) -> Detail:
        """A record read again in full from its source."""
        src = self.sources[source]
        raw = src.raw(int(src.records.offset[record]), int(src.records.length[record]))
        assert src.reader is not None
        in_file: RecordReader | None = src.records.facts.get("detail")
        return in_file(record, raw, out) if in_file is not None else src.reader.detail(raw, out, self.options)

    def task(self, seq: int) -> str | None:
        """The name of the task that made the call, as recorded."""
        c = self.calls
        rec = int(c.enter[seq]) if c.enter[seq] >= 0 else int(c.exit[seq])
        return self.detail(int(c.source[seq]), rec, False).task

    def objects(self) -> Any:
        """Which object each call is about: see rmitrace.lifecycle.objects.ObjectColumn."""
        if self._objects is None:
            from ..lifecycle.objects import ObjectColumn

            self._objects = ObjectColumn(self)
        return self._objects

    def object_of(self, seq: int) -> str | None:
        """The object a call is about, 'pdev:0x49500000'."""
        return self.objects().text(seq)  # type: ignore[no-any-return]

    @property
    def operations(self) -> Operations:
        """Which OP_* calls work for which command."""
        if self._operations is None:
            from ..lifecycle.operations import Operations

            self._operations = Operations(self)
        return self._operations

    @property
    def parts(self) -> list[str]:
        """Which of capture.index.later.PARTS are in memory."""
        known = {"followed": self._followed, "checked": self._checked, "opinions": self.opinions}
        return [part for part, value in known.items() if value is not None]

    def worked_out(self, part: str) -> bool:
        """Whether a part of capture.index.later.PARTS is known: worked out before, now or when an index was made."""
        if part not in self.parts and self.keeper is not None:
            self.keeper.recall(self, part)
        return part in self.parts

    def _follow(self) -> tuple[SequenceTable, StateTable]:
        if not self.worked_out("followed"):
            from ..lifecycle import follow

            self._followed = follow(self)
        assert self._followed is not None
        return self._followed

    @property
    def sequences(self) -> SequenceTable:
        """What was done to the objects, in order of the first call; followed when first asked for."""
        return self._follow()[0]

    @property
    def states(self) -> StateTable:
        """How the states of the objects changed, in order of the calls."""
        return self._follow()[1]

    @property
    def findings(self) -> list[Finding]:
        """What the reader should know, the findings of the reading first; checked when first asked for."""
        if not self.worked_out("checked"):
            from ..checks import run

            self._checked = self.reading + run(self)
        assert self._checked is not None
        return self._checked

    def learn(self, *, followed: tuple[SequenceTable, StateTable] | None = None, checked: list[Finding] | None = None) -> None:
        """Take what was worked out about the same capture elsewhere: ``sequences`` and ``states``, ``findings``."""
        self._followed = followed or self._followed
        self._checked = self._checked if checked is None else checked

    @property
    def damaged(self) -> bool:
        """Whether a part of the input could not be read."""
        return any(f.rule in DAMAGE for f in self.reading)

    @property
    def conversations(self) -> Conversations:
        """The protocol messages, found when first asked for."""
        if self._conversations is None:
            from .messages import Conversations

            self._conversations = Conversations(self, self.options.keys, self.options.show_secrets)
        return self._conversations

    def messages_of(self, seq: int) -> list[Message]:
        """The messages that a communicate call sent and got back, decoded."""
        return self.conversations.of(seq)

    def why(self, seq: int) -> Diagnosis | None:
        """Of a call that failed: which conditions of its status hold."""
        from .. import diagnose

        return diagnose.why(self, seq)

    def marks(self) -> Marks:
        """Lines worth showing that are no calls, in the order of the sources."""
        if self._marks is None:
            found = [self._marks_of(s) for s in range(len(self.sources))]
            source = np.repeat(np.arange(len(found)), [len(at) for at, _ in found])
            at, place = (np.concatenate([f[i] for f in found]) if found else np.zeros(0, dtype=np.int64) for i in (0, 1))
            self._marks = Marks(self, source, at, place)
        return self._marks

    def of_source(self, source: int) -> SourceCalls:
        """The calls that a source shows, in the order of its records, also those that another source shows better."""
        c, also = self.calls, self.correlation
        rows = np.flatnonzero(c.source == source)
        parts = [(rows, c.enter[rows], c.exit[rows], c.pid[rows])]
        if also is not None:
            at = np.flatnonzero(also.sights.source == source)
            parts.append((also.of[at], also.sights.enter[at], also.sights.exit[at], also.sights.pid[at]))
        rows, enter, exit_, pid = (np.concatenate(p) for p in zip(*parts, strict=True))
        first = np.where(enter >= 0, enter, exit_)
        order = np.argsort(first, kind="stable")
        return SourceCalls(rows[order], enter[order], exit_[order], pid[order])

    def together(self, source: int) -> list[int]:
        """The sources that show the same run as this one, itself among them, the one that orders them first."""
        return [source] if self.correlation is None else self.correlation.together(source)

    def sights(self, seq: int) -> list[Call]:
        """A call as other sources show it."""
        also = self.correlation
        return [] if also is None else [self._call_of(also.sights, k, seq) for k in also.sights_of(seq)]

    def _marks_of(self, s: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The records of a source that are marks, and the call before which each stands."""
        rec = self.sources[s].records
        at = np.flatnonzero(rec.kind == Kind.MARK)
        if not len(at):
            return at, at
        shown = self.of_source(s)
        if not len(shown.rows):  # a log without calls, a kernel's: by its times
            return at, self._places(rec.ts[at])
        return at, np.append(shown.rows, len(self.calls))[np.searchsorted(shown.first, at)]

    def _places(self, ts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The call before which each of some times comes, the number of calls where that cannot be told."""
        known = np.flatnonzero(self.calls.ts != NO_TIME)
        times = np.maximum.accumulate(self.calls.ts[known]) if len(known) else known
        place = np.searchsorted(times, ts, side="right")
        rows = np.append(known, len(self.calls))
        out: npt.NDArray[np.int64] = np.where(ts == NO_TIME, len(self.calls), rows[place])
        return out

    def _registers(self, source: int, record: int, out: bool) -> tuple[list[int | None], Detail]:
        rec = self.sources[source].records
        detail = self.detail(source, record, out)
        known = int(rec.known[record])
        values: list[int | None] = [None] * max(known.bit_length(), 0)
        for i in range(len(values)):
            if known >> i & 1:
                values[i] = int(rec.regs[record, i]) if i < N_REGS else detail.regs.get(i)
        return values, detail

    def _call(self, seq: int) -> Call:
        return self._call_of(self.calls, seq, seq)

    def _call_of(self, c: Calls, row: int, seq: int) -> Call:
        """The call of a row of the calls, or of the further sights of them; ``seq``: which call it is."""
        source, e, x = int(c.source[row]), int(c.enter[row]), int(c.exit[row])
        rec = self.sources[source].records
        inferred = bool(c.inferred[row])
        xs: list[int | None] = []
        rs: list[int | None] | None = None
        enter_detail = exit_detail = None
        if e >= 0:
            xs, enter_detail = self._registers(source, e, False)
        if x >= 0:
            rs, exit_detail = self._registers(source, x, True)
        fid = int(c.fid[row]) or None
        known_name = self.names[c.name[row]]
        name = None if known_name.startswith("unknown") else known_name
        if inferred and fid is not None:
            xs = _wrapper_registers(fid, name, enter_detail, self.revision.at(source).of(name))
        elif e < 0 and exit_detail is not None and "fid" in exit_detail.fields:
            fid = fid or _int(exit_detail.fields["fid"])
        if not xs:
            xs = [fid]
        elif xs[0] is None:
            xs[0] = fid
        revision = self.revision.at(source).of(name)
        shown = exit_detail is not None and exit_detail.fields.get("x0_bits") == "7:0"
        tree = _tree(xs, _as_if_donating(rs) if shown else rs, fid, name, revision)
        first = e if e >= 0 else x
        where = enter_detail or exit_detail
        assert where is not None
        index = _result_index(tree)
        if shown:
            tree, index = _without_upper_bits(tree), None
        status = self.statuses[c.status[row]] if c.status[row] >= 0 else None
        buffers: list[tuple[Buffer, Node | None]] = []
        for d in (enter_detail, exit_detail):
            for b in d.buffers if d is not None and (d is enter_detail or c.paired[row] == WHOLE) else ():
                buffers.append((b, _struct(b, revision)))
        ts, dur = int(c.ts[row]), int(c.dur[row])
        return Call(
            seq=seq,
            ts_ns=None if ts == NO_TIME else ts,
            dur_ns=None if dur < 0 else dur,
            cpu=None if c.cpu[row] < 0 else int(c.cpu[row]),
            task=where.task,
            pid=None if c.pid[row] < 0 else int(c.pid[row]),
            source=source,
            offset=int(rec.offset[first]),
            length=int(rec.length[first]),
            exit_offset=int(rec.offset[x]) if x >= 0 else None,
            exit_length=int(rec.length[x]) if x >= 0 else 0,
            fid=fid,
            name=name,
            service=self.services[c.service[row]],
            x=xs,
            r=rs,
            status=status,
            index=index,
            paired=PAIRED[c.paired[row]],
            inferred=inferred,
            parent=int(c.parent[row]) if c.parent[row] >= 0 else None,
            tree=tree,
            buffers=buffers,
            raw=where.text,
            exit_raw=exit_detail.text if exit_detail is not None and e >= 0 and c.paired[row] != WHOLE else None,
            line=call_line(known_name, tree, status, index, x >= 0, bool(c.paired[row] == WHOLE)),
        )


def _int(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _tree(xs: Seq[int | None], rs: Seq[int | None] | None, fid: int | None, name: str | None, revision: str) -> Node:
    if fid is not None:
        return decoders.decode_call(xs, rs, revision=revision)
    args = tuple(_register(f"x{i}", v) for i, v in enumerate(xs) if i and v is not None)
    outs = tuple(_register(f"x{i}", v) for i, v in enumerate(rs or ()) if i and v is not None)
    children = [Node("args", children=args)]
    if rs and rs[0] is not None:
        children.append(Node("result", value=rs[0], text=f"0x{rs[0]:x}"))
    return Node(name or "unknown", children=(*children, Node("results", children=outs)))


def _register(name: str, value: int) -> Node:
    return Node(name, value, f"0x{value:x}", None, 8)


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


_INCOMPLETE, _DONATE = 13, 1 << 8
"""RmiStatusCode RMI_INCOMPLETE and RmiOpMemReq DONATE in x0 (DEN0137 2.0)."""


def _as_if_donating(rs: list[int | None] | None) -> list[int | None] | None:
    """A console prints x2 of RMI_INCOMPLETE where memory is asked for (TF-RMM of 2026-07), and not that x0 says so."""
    if rs and rs[0] == _INCOMPLETE and len(rs) > 2 and rs[2]:
        return [_INCOMPLETE | _DONATE, *rs[1:]]
    return rs


def _without_upper_bits(tree: Node) -> Node:
    """The tree of a console row that shows the status and not what else x0 held."""
    result = tree.child("result")
    if result is None:
        return tree
    kept = tuple(c for c in result.children if c.name == "status")
    said = replace(result, children=kept).noted("the row shows bits 7:0 of x0 only")
    return replace(tree, children=tuple(said if c is result else c for c in tree.children))


def _result_index(tree: Node) -> int | None:
    result = tree.child("result")
    for name in ("index", "level"):
        node = result.child(name) if result is not None else None
        if node is not None and isinstance(node.value, int):
            return node.value
    return None


def call_line(name: str, tree: Node, status: str | None, index: int | None, answered: bool, whole: bool) -> str:
    """A call in strace's manner: ``RMI_PDEV_GET_STATE(pdev_ptr=0x88001000) = RMI_SUCCESS {state=PDEV_READY (3)}``."""
    args = tree.child("args")
    inside = ", ".join(f"{a.name}={a.text}" for a in args.children) if args is not None else ""
    result = tree.child("result")
    text = f"{name}({inside})"
    if not answered and status is not None:
        return safe(f"{text} = {status}  ! the exit was not recorded, another source has the result")
    if not answered:
        return safe(text + (" = ?" if whole else " = <no exit>"))
    said = status or (result.text if result is not None else "") or "?"
    if index is not None and status is not None and (index or "RTT" in status):
        said += f" index {index}"
    outs = tree.child("results")
    if outs is not None and outs.children:
        said += " {" + ", ".join(f"{o.name}={o.text}" for o in outs.children) + "}"
    return safe(f"{text} = {said}")
