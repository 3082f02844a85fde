"""A capture: its calls as columns, and one call in full on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..formats.base import Detail, ReadOptions, RecordReader
from .call import Call as Call
from .call import read_call, read_calls
from .calls import CALL_COLUMNS as CALL_COLUMNS
from .calls import Calls as Calls
from .calls import SourceCalls as SourceCalls
from .marks import Marks, marks_of
from .records import N_REGS, Finding
from .revision import Revision
from .source import Source

_AHEAD = 256
"""Calls that are read together."""
DAMAGE = ("DAMAGED-RECORD", "INPUT-CUT", "ROW-CUT")
"""Findings that say that a part of the input could not be read."""

if TYPE_CHECKING:
    from ..correlate import Correlation
    from ..correlate.skew.opinions import Opinion
    from ..diagnose import Diagnosis
    from ..lifecycle import SequenceTable, StateTable
    from ..lifecycle.objects import ObjectColumn
    from ..lifecycle.operations import Operations
    from ..listing import Arrangement
    from .index import Keeper
    from .messages import Conversations, Message
    from .tasks import Tasks
    from .texts import Texts


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
    diagnosed: dict[int, Any] = field(default_factory=dict)
    """Kept for rmitrace.diagnose, too: why calls failed."""
    reasons: Any = None
    """The same out of an index, see diagnose.reasons."""
    told: tuple[Texts, Texts] | None = None
    """Kept for export.findings: the calls that findings show as lines, and the conditions of those that failed."""
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
    _ahead: dict[int, Call] = field(default_factory=dict)
    _objects: ObjectColumn | None = None
    _tasks: Tasks | None = None
    _marks: Marks | None = None
    _conversations: Conversations | None = None
    _checked: list[Finding] | None = None
    _followed: tuple[SequenceTable, StateTable] | None = None
    _arranged: Arrangement | None = None
    _operations: Operations | None = None

    def __post_init__(self) -> None:
        self._cache = lru_cache(maxsize=4096)(self._call)

    def __len__(self) -> int:
        return len(self.calls)

    def call(self, seq: int) -> Call:
        """A call in full. Raises IndexError."""
        if not 0 <= seq < len(self.calls):
            raise IndexError(f"no call {seq}")
        return self._ahead.get(seq) or self._cache(seq)

    def ahead(self, seqs: Iterable[int], brief: bool = False) -> Iterator[int]:
        """The numbers of calls as they come, those that come next read together before they are asked for by ``call``;
        ``brief``: without what only their records tell, see read_calls."""
        numbers = iter(seqs)
        try:
            while some := list(islice(numbers, _AHEAD)):
                self.hold(read_calls(self, self.calls, np.array(some), some, brief))
                yield from some
        finally:
            self.hold(())

    def hold(self, calls: Iterable[Call]) -> None:
        """Have these at hand for ``call``, until others are held."""
        self._ahead = {c.seq: c for c in calls}

    def number(self, seq: int) -> int:
        """The number of a call as it is shown."""
        return seq if self.numbers is None else int(self.numbers[seq])

    def name_text(self, seq: int) -> str:
        """The name of a call, 'unknown 0x...' where it has none."""
        known = self._ahead.get(seq)
        return known.name if known is not None and known.name is not None else self.names[int(self.calls.name[seq])]

    def status_text(self, seq: int) -> str:
        """The status of a call, empty where none is known."""
        if (known := self._ahead.get(seq)) is not None:
            return known.status or ""
        i = self.calls.status[seq]
        return self.statuses[i] if i >= 0 else ""

    def held(self, seq: int) -> Call | None:
        """A call that was read ahead, None for others."""
        return self._ahead.get(seq)

    def source_of(self, seq: int) -> int:
        """The number of the source of a call."""
        if len(self.sources) == 1:
            return 0
        known = self._ahead.get(seq)
        return known.source if known is not None else int(self.calls.source[seq])

    def parent_of(self, seq: int) -> int:
        """The command that an RMI_OP_* call works for, -1 for others."""
        known = self._ahead.get(seq)
        parent = int(self.calls.parent[seq]) if known is None else known.parent
        return -1 if parent is None else parent

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

    @property
    def tasks(self) -> Tasks:
        """The names of the tasks of many calls."""
        if not self.worked_out("tasks") and self._tasks is None:
            from .tasks import Tasks

            self._tasks = Tasks(self)
        assert self._tasks is not None
        return self._tasks

    def objects(self) -> ObjectColumn:
        """Which object each call is about."""
        if self._objects is None and not self.worked_out("objects"):
            from ..lifecycle.objects import ObjectColumn

            self._objects = ObjectColumn(self)
        assert self._objects is not None
        return self._objects

    def object_of(self, seq: int) -> str | None:
        """The object a call is about, 'pdev:0x49500000'."""
        return self.objects().text(seq)

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
        known = {
            "followed": self._followed, "checked": self._checked, "opinions": self.opinions, "reasons": self.reasons,
            "objects": self._objects, "arranged": self._arranged, "told": self.told,
            "tasks": self._tasks and self._tasks.numbers,
        }  # fmt: skip
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

    @property
    def arrangement(self) -> Arrangement:
        """How the calls are laid out to be looked at; worked out when first asked for."""
        if not self.worked_out("arranged"):
            from ..listing import arrange

            self._arranged = arrange(self, self.sequences)
        assert self._arranged is not None
        return self._arranged

    def learn(
        self,
        *,
        followed: tuple[SequenceTable, StateTable] | None = None,
        checked: list[Finding] | None = None,
        objects: ObjectColumn | None = None,
        arranged: Arrangement | None = None,
        tasks: Tasks | None = None,
    ) -> None:
        """Take what was worked out about the same capture elsewhere: ``sequences`` and ``states``, ``findings``, ``objects``,
        ``arrangement``, ``tasks``."""
        self._followed = followed or self._followed
        self._checked = self._checked if checked is None else checked
        self._objects = objects or self._objects
        self._arranged = arranged or self._arranged
        self._tasks = tasks or self._tasks

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
            self._marks = marks_of(self)
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
        return [] if also is None else [read_call(self, also.sights, k, seq) for k in also.sights_of(seq)]

    def _call(self, seq: int) -> Call:
        return read_call(self, self.calls, seq, seq)
