"""What the screen shows of a capture: rows, lanes, filter, bookmarks. No widget and no colour in here."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..capture.messages import Conversations, Message
from ..capture.model import Capture
from ..capture.packed import Column
from ..capture.records import NO_TIME, Finding
from ..lifecycle.model import StateChange
from ..lifecycle.table import SequenceTable, StateTable
from ..listing import arrange
from ..listing.laneset import LaneSet
from ..listing.overview import lost
from .asides import Aside, Asides
from .filtering import Filter, Filtered, filtered
from .lanes import Timeline
from .noted import Noted, placed
from .places import Key, Places
from .rows import Counted, Row, RowKind, Rows
from .text import seconds

if TYPE_CHECKING:
    from ..diagnose import Diagnosis

__all__ = ["FEW", "SMALL", "TIME_FORMATS", "Aside", "Key", "Study", "View"]

TIME_FORMATS = ("relative", "absolute", "delta")

Study = tuple[Conversations, Noted, Timeline, LaneSet]
"""Messages, findings, and the calls with grave ones in the lanes of a timeline."""

SMALL = 5000
"""Calls, or packets where there are none, up to which messages and findings are worked out before the first screen; above
it that is done behind it."""


FEW = 200_000
"""Calls up to which the screen waits for what is worked out."""
_WHYS_KEPT = 256


class View:
    """A capture and how it is looked at. Where objects are not ``followed`` it has no sequences and no states yet."""

    def __init__(self, capture: Capture, *, followed: bool = True) -> None:
        self.capture = capture
        self.followed = followed
        self.sequences = capture.sequences if followed else SequenceTable()
        self.states = capture.states if followed else StateTable()
        self.calls = len(capture.calls)
        self.places = Places(capture)
        self._conversations: Conversations | None = None
        packets = 0 if self.calls else sum(len(s.records.offset) for s in capture.sources)
        self.learned = followed and capture.complete and max(self.calls, packets) <= SMALL
        """Whether messages and findings are known."""
        if self.learned:
            self._conversations = capture.conversations
        self._foretold = self.calls
        """Calls up to which messages and findings, where there are any, are about the calls that they name."""
        self._arranged = capture.arrangement if followed else arrange(capture, self.sequences)
        self.lines = self._asides()
        known = None if len(self.lines.messages) else self._arranged.segments
        self._grouped = Rows(self.calls, self.sequences, self.lines.places, segments=known)
        self.rows = self._grouped
        self.time_format = TIME_FORMATS[0]
        self.bookmarks: set[int] = set()
        self.kinds: list[int] | None = None
        """What kinds of calls there are (see CallKinds), once that was asked for."""
        self._whys: dict[int, Diagnosis | None] = {}
        self._explaining = Lock()
        self.explain: Callable[[int], Diagnosis | None] = capture.why
        """Says why a call failed."""
        told = self._arranged.overview
        self.zero_ns = told.first_ns if told.first_ns is not None else self.lines.first_ns() or 0
        self.cpus, self.tasks, self.failed = told.cpus, told.tasks, told.failed
        self.lost, self.lost_at_least = lost(capture)
        self.noted = self._noted() if self.learned else Noted([])
        self.timeline = self._drawn()
        self.filtered = Filtered(Filter(), None, None, None, None, None, self.rows, self.timeline)

    @property
    def owners(self) -> Column:
        """The sequence that each call belongs to, -1 none."""
        return self._grouped.owner

    def _asides(self) -> Asides:
        """Log lines and loose messages, in the order of the calls before which they stand."""
        messages = self._conversations.decode() if self._conversations is not None else ()
        return Asides(self.capture.marks(), messages, self.calls)

    def study(self) -> Study:
        """Work out messages and findings; takes long on large captures and may run in a thread of its own."""
        self.capture.conversations.decode()
        noted, timeline = self._noted(), self.timeline
        return self.capture.conversations, noted, timeline, timeline.listed(noted.grave)

    def learn(self, study: Study) -> None:
        """Show what was worked out."""
        self._conversations, self.noted, timeline, listed = study
        self._foretold = self.calls
        self.timeline.note(listed if timeline is self.timeline else self.timeline.listed(self.noted.grave), self.mask)
        self.learned = True
        if any(m.place.call is None for m in self._conversations.all):
            self.lines = self._asides()
            if self.conversation_alone:
                self.zero_ns = self.lines.first_ns() or 0
            grouped, shown = self.grouped, self.rows.show_lines
            self._grouped = Rows(self.calls, self.sequences, self.lines.places)
            self.regroup(grouped)
            self.show_lines(shown)

    def foretell(self, old: View) -> None:
        """Show what is known of a shorter reading, as far as the calls are the same, until this one is learned."""
        if self.learned or not self.calls or old._conversations is None:
            return
        self._foretold = min(self.places.same_as(old.places), old._foretold)
        known = [f for f in old.findings if all(c < self._foretold for c in f.calls)]
        self._conversations, self.noted = old._conversations, Noted(placed(known, self.calls, self.call_at))
        self.timeline.note(self.timeline.listed(self.noted.grave), self.mask)

    def messages_of(self, call: int) -> list[Message]:
        """The protocol messages that a call sent and got back, as far as they have been looked for."""
        return self._conversations.of(call) if self._conversations is not None and call < self._foretold else []

    @property
    def messages(self) -> int:
        """How many protocol messages there are."""
        return len(self._conversations.all) if self._conversations is not None else 0

    @property
    def conversation_alone(self) -> bool:
        """Whether there are messages and no calls: the list is a conversation then, and the filter is one over messages."""
        return not self.calls and self.messages > 0

    # -- findings

    def _noted(self) -> Noted:
        return Noted(placed(self.capture.findings, self.calls, self.call_at))

    @property
    def findings(self) -> list[Finding]:
        """The findings, in the order of the calls."""
        return self.noted.findings

    @property
    def finding_calls(self) -> list[int]:
        """The call to go to for each finding, -1 where it is about no place."""
        return self.noted.calls

    def severity(self, call: int) -> int:
        """The gravest finding of a call: 1 note, 2 warning, 3 error, 0 none."""
        return self.noted.severity(call)

    def findings_of(self, call: int) -> list[Finding]:
        """The findings that name a call."""
        return self.noted.of(call)

    # -- why calls failed

    def why(self, call: int) -> Diagnosis | None:
        """Of a call that failed: which conditions of its status hold. Takes long at first in a long capture."""
        if call not in self._whys:
            with self._explaining:
                found = self.explain(call)
                if len(self._whys) >= _WHYS_KEPT:
                    self._whys.clear()
                self._whys[call] = found
        return self._whys[call]

    def waits_for_why(self, call: int) -> bool:
        """Whether why() is to be asked for a call in a thread of its own."""
        return self.calls > FEW and bool(self.capture.calls.failed[call]) and call not in self._whys

    # -- places in the file

    def key_of(self, call: int) -> Key:
        """Source and byte offset of the first record of a call."""
        return self.places.key_of(call)

    def call_at(self, key: Key) -> int | None:
        """The call whose record stands at a place, or the next one after it in that source."""
        return self.places.call_at(key)

    # -- what is shown

    def regroup(self, grouped: bool) -> None:
        """Show sequences with their calls inside (True), or every call in the order of time."""
        self.show_rows(*self.arranged(grouped))

    def arranged(self, grouped: bool) -> tuple[Rows, Counted]:
        """The rows of sequences, or of every call in the order of time, under the filter."""
        rows = self._grouped if grouped else Rows(self.calls, self.sequences, self.lines.places, grouped=False)
        kept = None if self.mask is None else rows.kept(self.mask, self.line_mask)
        return rows, rows.counted(kept, lines=self.rows.show_lines)

    def show_rows(self, rows: Rows, counted: Counted) -> None:
        """Show other rows."""
        self.rows = rows
        rows.show(counted)

    @property
    def sequence_rows(self) -> Rows:
        """The rows of sequences, shown or not."""
        return self._grouped

    @property
    def grouped(self) -> bool:
        """Whether sequences are shown."""
        return self.rows is self._grouped

    def _drawn(self, **form: bool) -> Timeline:
        return Timeline(self.capture, self.owners, self.sequences, noted=self.noted.grave, arranged=self._arranged, **form)

    def drawn(self, *, cpus: bool, ordered: bool) -> Timeline:
        """A timeline with other lanes, or another axis."""
        timeline = self._drawn(cpus=cpus, ordered=ordered)
        timeline.filter(self.mask)
        return timeline

    def set_timeline(self, *, cpus: bool, ordered: bool) -> None:
        """Draw other lanes, or another axis."""
        self.timeline = self.drawn(cpus=cpus, ordered=ordered)

    def with_lines(self, shown: bool) -> Counted:
        """The rows with or without the log lines; to be shown by show_rows()."""
        return self.rows.counted(self.rows.filter, lines=shown)

    def show_lines(self, shown: bool) -> None:
        """Show or hide the log lines."""
        if shown != self.rows.show_lines:
            self.show_rows(self.rows, self.with_lines(shown))

    def owner(self, call: int) -> int:
        """The sequence a call belongs to, -1 none."""
        return int(self.owners[call])

    def object_of(self, row: Row) -> str | None:
        """The object a row is about."""
        if row.kind is RowKind.CALL:
            owner = self.owner(row.ref)
            return self.capture.object_of(row.ref) or (self.sequences.object(owner) if owner >= 0 else None)
        return self.sequences.object(row.sequence) if row.sequence >= 0 else None

    def call_of(self, row: Row) -> int | None:
        """The call a row stands for: its own, the first one under a heading, the next one after a log line."""
        if row.kind is RowKind.CALL:
            return row.ref
        if not self.calls:
            return None
        if row.kind is RowKind.LINE:
            return min(int(self.lines.places[row.ref]), self.calls - 1)
        table = self.sequences
        step = row.kind is RowKind.STEP
        first = table.step_first[int(table.first_step[row.sequence]) + row.step] if step else table.first[row.sequence]
        return min(max(int(first), 0), self.calls - 1)

    # -- states

    def changes_of(self, call: int) -> list[StateChange]:
        """The state changes that a call made."""
        return self.states.at(call)

    def state_at(self, object: str, call: int) -> StateChange | None:
        """The last state change of an object at or before a call."""
        return self.states.before(object, call)

    def states_of(self, object: str, calls: Any) -> list[StateChange]:
        """The state changes of an object at some calls (ascending)."""
        states = self.states
        mine = states.of(object)
        return [states[i] for i in mine[np.isin(states.call[mine], calls)].tolist()] if len(calls) and len(mine) else []

    # -- filter

    @property
    def mask(self) -> npt.NDArray[np.bool_] | None:
        """The calls that pass the filter; None without one."""
        return self.filtered.mask

    @property
    def line_mask(self) -> npt.NDArray[np.bool_] | None:
        """The lines that pass the filter, where it is one over messages."""
        return self.filtered.lines

    @property
    def filter(self) -> Filter:
        """The filter that is shown."""
        return self.filtered.filter

    def set_filter(self, wanted: Filter) -> None:
        """Work a filter out and show it. Raises ValueError with one line."""
        self.use(filtered(self, wanted))

    def use(self, new: Filtered) -> None:
        """Show what was worked out of a filter."""
        self.filtered = new
        if new.rows is self.rows and new.counted is not None:
            self.rows.show(new.counted)
        else:
            self.rows.set_filter(new.mask, new.lines)
        self.timeline.filter(new.mask if self.calls else None, new.sets if new.timeline is self.timeline else None)

    @property
    def filter_text(self) -> str:
        """The filter in words, empty where there is none."""
        return str(self.filter)

    # -- words

    def time_text(self, call: int, known: int | None = None) -> str:
        """The time of a call in the chosen form, or its number where it has none; ``known``: its time, where it is at hand."""
        ts = int(self.capture.calls.ts[call]) if known is None else known
        return f"#{call}" if ts == NO_TIME else self._time(ts, call)

    def _time(self, ts: int, call: int) -> str:
        if self.time_format == "absolute":
            return seconds(ts)
        if self.time_format == "relative":
            return seconds(ts - self.zero_ns)
        before = self.rows.place_of(call)
        follows = self.mask is None and before > 0
        previous = self.rows.call_at_place(before - 1) if follows else max(call - 1, 0)
        was = int(self.capture.calls.ts[previous])
        return "+" + seconds(ts - was) if was != NO_TIME and ts >= was else seconds(ts - self.zero_ns)

    def moment(self, ts: int | None) -> str:
        """A time of the capture, relative to its first call unless absolute times are shown."""
        if ts is None or ts == NO_TIME:
            return ""
        return seconds(ts if self.time_format == "absolute" else ts - self.zero_ns)
