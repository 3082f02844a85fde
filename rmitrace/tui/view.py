"""What the screen shows of a capture: rows, lanes, filter, bookmarks. No widget and no colour in here."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.messages import Conversations, Message
from ..capture.messages.facts import name_and_facts
from ..capture.model import Capture
from ..capture.records import NO_TIME, Finding, Kind
from ..lifecycle.model import StateChange
from .lanes import Timeline
from .rows import Row, RowKind, Rows
from .text import seconds

TIME_FORMATS = ("relative", "absolute", "delta")
_RANK = {"note": 1, "warning": 2, "error": 3}

Placed = list[tuple[int, int, Finding, list[int]]]
"""Call to go to, number, finding, calls it is about."""
Study = tuple[Conversations, Placed]

Key = tuple[int, int]
"""Where a record stands: source and byte offset. The same in a preview and in the whole."""


SMALL = 5000
"""Calls, or packets where there are none, up to which messages and findings are worked out before the first screen; above
it that is done behind it."""


@dataclass(frozen=True, slots=True)
class Aside:
    """What stands between the calls: a line that is no call (``text`` as found), or a message that belongs to no call."""

    before_call: int
    source: int
    offset: int
    ts: int | None
    kind: str
    text: str
    message: Message | None = None


class View:
    """A capture and how it is looked at."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        calls = capture.calls
        self.calls = len(calls)
        self._conversations: Conversations | None = None
        packets = 0 if self.calls else sum(len(s.records.offset) for s in capture.sources)
        self.learned = max(self.calls, packets) <= SMALL
        """Whether messages and findings are known."""
        if self.learned:
            self._conversations = capture.conversations
        self.lines = self._asides()
        self._grouped = Rows(self.calls, capture.sequences, self._line_places())
        self.rows = self._grouped
        self.time_format = TIME_FORMATS[0]
        self.where = ""
        self.failed_only = False
        self.object_only: str | None = None
        self.mask: npt.NDArray[np.bool_] | None = None
        self.line_mask: npt.NDArray[np.bool_] | None = None
        """The lines that pass the filter, where it is one over messages."""
        self._where_mask: npt.NDArray[np.bool_] | None = None
        self.bookmarks: set[int] = set()
        known = calls.ts[calls.ts != NO_TIME]
        self.zero_ns = int(known.min()) if len(known) else self._first_line_ns()
        self.cpus = len(np.unique(calls.cpu[calls.cpu >= 0]))
        self.tasks = len(np.unique(calls.pid[calls.pid >= 0]))
        self.failed = int(np.count_nonzero(calls.failed))
        self.lost, self.lost_at_least = _lost(capture)
        self.findings: list[Finding] = []
        self.finding_calls: list[int] = []
        """The call to go to for each finding, -1 where it is about no place."""
        self.severity = np.zeros(self.calls, dtype=np.int8)
        """The gravest finding of each call: 1 note, 2 warning, 3 error."""
        self.noted = self.severity > 0
        """Whether a call has a finding that is no note."""
        if self.learned:
            self._set_findings(self._placed_findings())
        self.changes: dict[int, list[StateChange]] = {}
        self._states: dict[str, tuple[list[int], list[StateChange]]] = {}
        for c in sorted(capture.states, key=lambda c: c.call):
            self.changes.setdefault(c.call, []).append(c)
            at, what = self._states.setdefault(c.object, ([], []))
            at.append(c.call)
            what.append(c)
        self.timeline = Timeline(capture, self._grouped.owner)

    def _asides(self) -> list[Aside]:
        """Log lines and loose messages, in the order of the calls before which they stand."""
        out = [Aside(m.before_call, m.source, m.offset, m.ts, m.kind, m.text) for m in self.capture.marks()]
        for m in self._conversations.decode() if self._conversations is not None else ():
            if m.place.call is None:
                out.append(Aside(self.calls, m.place.source, m.place.offset, m.place.ts_ns, "message", name_and_facts(m), m))
        return sorted(out, key=lambda a: a.before_call)

    def _first_line_ns(self) -> int:
        return min((a.ts for a in self.lines if a.ts is not None), default=0)

    def study(self) -> Study:
        """Work out messages and findings; takes long on large captures and may run in a thread of its own."""
        self.capture.conversations.decode()
        return self.capture.conversations, self._placed_findings()

    def learn(self, study: Study) -> None:
        """Show what was worked out."""
        self._conversations, findings = study
        self._set_findings(findings)
        self.learned = True
        if any(m.place.call is None for m in self._conversations.all):
            self.lines = self._asides()
            if self.conversation_alone:
                self.zero_ns = self._first_line_ns()
            grouped, shown = self.grouped, self.rows.show_lines
            self._grouped = Rows(self.calls, self.capture.sequences, self._line_places())
            self.regroup(grouped)
            self.show_lines(shown)

    def messages_of(self, call: int) -> list[Message]:
        """The protocol messages that a call sent and got back, as far as they have been looked for."""
        return self._conversations.of(call) if self._conversations is not None else []

    @property
    def messages(self) -> int:
        """How many protocol messages there are."""
        return len(self._conversations.all) if self._conversations is not None else 0

    @property
    def conversation_alone(self) -> bool:
        """Whether there are messages and no calls: the list is a conversation then, and the filter is one over messages."""
        return not self.calls and self.messages > 0

    def _line_places(self) -> npt.NDArray[np.int64]:
        return np.array([m.before_call for m in self.lines], dtype=np.int64)

    def _placed_findings(self) -> Placed:
        """The findings, each with the calls it is about and the one to go to, in the order of the calls."""
        placed: Placed = []
        for i, f in enumerate(self.capture.findings):
            calls = [c for c in f.calls if 0 <= c < self.calls]
            at = min(calls, default=-1)
            if not calls and f.source >= 0 and f.offset >= 0:
                near = self.call_at((f.source, f.offset))
                at = self.calls - 1 if near is None else near
            placed.append((at, i, f, calls))
        placed.sort(key=lambda p: p[:2])
        return placed

    def _set_findings(self, placed: Placed) -> None:
        self.findings = [f for _, _, f, _ in placed]
        self.finding_calls = [at for at, _, _, _ in placed]
        for _, _, f, calls in placed:
            rank = _RANK.get(f.severity, 1)
            for c in calls:
                self.severity[c] = max(self.severity[c], rank)
        self.noted = self.severity >= _RANK["warning"]

    def findings_of(self, call: int) -> list[Finding]:
        """The findings that name a call."""
        return [f for f in self.findings if call in f.calls] if self.severity[call] else []

    # -- places in the file

    def _offsets(self, source: int) -> tuple[Any, Any]:
        """The calls of a source, and the byte offset of the first record of each."""
        shown = self.capture.of_source(source)
        return shown.rows, self.capture.sources[source].records.offset[shown.first]

    def key_of(self, call: int) -> Key:
        """Source and byte offset of the first record of a call."""
        c = self.capture.calls
        record = int(c.enter[call] if c.enter[call] >= 0 else c.exit[call])
        source = int(c.source[call])
        return source, int(self.capture.sources[source].records.offset[record])

    def call_at(self, key: Key) -> int | None:
        """The call whose record stands at a place, or the next one after it in that source."""
        source, offset = key
        if not 0 <= source < len(self.capture.sources):
            return None
        mine, offsets = self._offsets(source)
        after = np.flatnonzero(offsets >= offset)
        if not len(after):
            return int(mine[-1]) if len(mine) else None
        return int(mine[after[np.argmin(offsets[after])]])

    # -- what is shown

    def regroup(self, grouped: bool) -> None:
        """Show sequences with their calls inside (True), or every call in the order of time."""
        self.rows = self._grouped if grouped else Rows(self.calls, self.capture.sequences, self._line_places(), grouped=False)
        self.rows.show_lines = self._grouped.show_lines
        self.rows.set_filter(self.mask, self.line_mask)

    @property
    def grouped(self) -> bool:
        """Whether sequences are shown."""
        return self.rows is self._grouped

    def set_timeline(self, *, cpus: bool, ordered: bool) -> None:
        """Draw other lanes, or another axis."""
        self.timeline = Timeline(self.capture, self._grouped.owner, cpus=cpus, ordered=ordered)

    def show_lines(self, shown: bool) -> None:
        """Show or hide the log lines."""
        self._grouped.set_lines(shown)
        if not self.grouped:
            self.rows.set_lines(shown)

    def owner(self, call: int) -> int:
        """The sequence a call belongs to, -1 none."""
        return int(self._grouped.owner[call])

    def object_of(self, row: Row) -> str | None:
        """The object a row is about."""
        if row.kind is RowKind.CALL:
            owner = self.owner(row.ref)
            return self.capture.object_of(row.ref) or (self.capture.sequences[owner].object if owner >= 0 else None)
        return self.capture.sequences[row.sequence].object if row.sequence >= 0 else None

    def call_of(self, row: Row) -> int | None:
        """The call a row stands for: its own, the first one under a heading, the next one after a log line."""
        if row.kind is RowKind.CALL:
            return row.ref
        if row.kind is RowKind.LINE:
            return min(self.lines[row.ref].before_call, self.calls - 1) if self.calls else None
        of = self.capture.sequences[row.sequence]
        calls = of.calls if row.kind is RowKind.SEQUENCE else of.steps[row.step].calls
        return int(calls[0]) if len(calls) else min(max(of.first, 0), self.calls - 1) if self.calls else None

    def state_at(self, object: str, call: int) -> StateChange | None:
        """The last state change of an object at or before a call."""
        at, what = self._states.get(object, ([], []))
        i = bisect_right(at, call)
        return what[i - 1] if i else None

    def adopt(self, old: View) -> None:
        """Look at this capture as at an earlier reading of it: filter, forms, folds and marks."""
        for number in old.bookmarks:
            call = self.call_at(old.key_of(number))
            if call is not None:
                self.bookmarks.add(call)
        self.time_format = old.time_format
        self.failed_only, self.object_only = old.failed_only, old.object_only
        self.set_timeline(cpus=old.timeline.cpus, ordered=old.timeline.ordered and old.timeline.timed)
        known = {(s.kind, s.object, old.key_of(int(s.calls[0]))): i for i, s in enumerate(old.capture.sequences) if len(s.calls)}
        for i, s in enumerate(self.capture.sequences):
            before = known.get((s.kind, s.object, self.key_of(int(s.calls[0])))) if len(s.calls) else None
            if before is not None and old.capture.sequences[before].outcome == s.outcome:
                self._grouped.folded_sequence[i] = old._grouped.folded_sequence[before]
        self.show_lines(old.rows.show_lines)
        self.regroup(old.grouped)
        self.set_where(old.where)

    def states_of(self, object: str, calls: npt.NDArray[np.int64]) -> list[StateChange]:
        """The state changes of an object at some calls (ascending)."""
        at, what = self._states.get(object, ([], []))
        if not len(calls) or not at:
            return []
        part = slice(bisect_left(at, int(calls[0])), bisect_right(at, int(calls[-1])))
        inside = np.isin(at[part], calls)
        return [c for c, there in zip(what[part], inside.tolist(), strict=True) if there]

    # -- filter

    def set_where(self, where: str) -> None:
        """Show only the calls for which an SQL condition holds, all for an empty one; the messages where there are no
        calls. Raises ValueError with one line."""
        where = where.strip()
        if where and self.conversation_alone:
            self._where_mask = self._messages_where(where)
        elif where:
            from ..query import select

            mask = np.zeros(self.calls, dtype=bool)
            mask[select(self.capture, where)] = True
            self._where_mask = mask
        else:
            self._where_mask = None
        self.where = where
        self.refilter()

    def refilter(self) -> None:
        """Work out the filter again from its parts."""
        mask = self._where_mask
        if self.conversation_alone:
            if self.failed_only:
                refused = self._messages_where("refused")
                mask = refused if mask is None else mask & refused
            self.line_mask, self.mask = mask, None if mask is None else np.zeros(0, dtype=bool)
            self.rows.set_filter(self.mask, mask)
            return
        if self.failed_only:
            mask = self.capture.calls.failed if mask is None else mask & self.capture.calls.failed
        if self.object_only is not None:
            about = self._about(self.object_only)
            mask = about if mask is None else mask & about
        self.mask = mask
        self.rows.set_filter(mask)

    def _messages_where(self, where: str) -> npt.NDArray[np.bool_]:
        """The lines of the messages for which a condition holds."""
        from ..query_messages import select

        told = [a.message for a in self.lines if a.message is not None]
        kept = {id(m) for m in select(self.capture, where, told)}
        return np.array([id(a.message) in kept for a in self.lines], dtype=bool)

    def _about(self, object: str) -> npt.NDArray[np.bool_]:
        mask = np.zeros(self.calls, dtype=bool)
        mask[self.capture.objects().rows(object)] = True
        for i, s in enumerate(self.capture.sequences):
            if s.object == object:
                mask[self._grouped.owner == i] = True
        return mask

    @property
    def filter_text(self) -> str:
        """The filter in words, empty where there is none."""
        parts = [self.where] if self.where else []
        parts += ["failed only"] if self.failed_only else []
        parts += [f"only {self.object_only}"] if self.object_only else []
        return " · ".join(parts)

    # -- words

    def time_text(self, call: int) -> str:
        """The time of a call in the chosen form, or its number where it has none."""
        ts = int(self.capture.calls.ts[call])
        return f"#{call}" if ts == NO_TIME else self._time(ts, call)

    def _time(self, ts: int, call: int) -> str:
        if self.time_format == "absolute":
            return seconds(ts)
        if self.time_format == "relative":
            return seconds(ts - self.zero_ns)
        before = self.rows.place_of(call)
        order = self.rows.order() if self.mask is None else None
        previous = int(order[before - 1]) if order is not None and before > 0 else call - 1 if call else call
        was = int(self.capture.calls.ts[previous])
        return "+" + seconds(ts - was) if was != NO_TIME and ts >= was else seconds(ts - self.zero_ns)

    def moment(self, ts: int | None) -> str:
        """A time of the capture, relative to its first call unless absolute times are shown."""
        if ts is None or ts == NO_TIME:
            return ""
        return seconds(ts if self.time_format == "absolute" else ts - self.zero_ns)


def _lost(capture: Capture) -> tuple[int, bool]:
    """How many events the tracers say they lost, and whether it can be more."""
    total, more = 0, False
    for s in capture.sources:
        at = np.flatnonzero(s.records.kind == Kind.LOST)
        values = s.records.regs[at, 0]
        total += int(values.sum(dtype=np.uint64)) if len(values) else 0
        more |= bool((values == 0).any())
    return total, more
