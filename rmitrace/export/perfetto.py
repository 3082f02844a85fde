"""A capture as a Perfetto trace (ui.perfetto.dev, trace_processor): calls by CPU; sequences, states, messages and findings by
object.

Written as track events (protos/perfetto/trace/track_event/track_event.proto) with interned names, some thousand packets at a
time, so that a big capture does not have to be held twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, islice
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ..capture.messages.facts import facts, shown_time
from ..capture.model import Capture
from ..capture.records import NO_TIME
from ..display import safe
from ..lifecycle.model import Sequence
from .perfetto_calls import calls

if TYPE_CHECKING:
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TracePacket

AT_ONCE = 4096
"""Packets that are held before they are written."""
SEQUENCES = 512
"""Sequences of which the times are looked up together."""
SEQUENCE_ID = 1
_CLEARED = 1  # SEQ_INCREMENTAL_STATE_CLEARED
_NEEDS = 2  # SEQ_NEEDS_INCREMENTAL_STATE

Said = dict[str, Any]


def write(capture: Capture, seqs: Iterable[int], out: IO[bytes], whole: Callable[[], bool] = lambda: True) -> None:
    """Everything that has a time; calls limited to ``seqs``. ``whole`` is asked behind the last of them: where it says no, what
    is told of all calls is left out. Raises ImportError where the perfetto package is missing."""
    writer = Writer(capture)
    for some in (writer.first(), calls(writer, capture, seqs), *([writer.rest()] if whole() else [])):
        out.writelines(some)


class Writer:
    """Makes the packets, and knows which tracks and names were told."""

    def __init__(self, capture: Capture) -> None:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TracePacket, TrackEvent

        self._capture, self._packet, self.trace, self.event = capture, TracePacket, Trace, TrackEvent
        self._uuids = count(1)
        self._tracks: dict[tuple[int, str], int] = {}
        self._names: dict[str, int] = {}
        self._new: list[TracePacket] = []

    def first(self) -> Iterator[bytes]:
        """What stands in front of all others: from here on names count anew."""
        yield self.trace(
            packet=[self._packet(trusted_packet_sequence_id=SEQUENCE_ID, sequence_flags=_CLEARED)]
        ).SerializeToString()

    def rest(self) -> Iterator[bytes]:
        """What is told of all calls."""
        held: list[TracePacket] = []
        for packet in chain(self._sequences(), self._states(), self._messages(), self._findings()):
            held += [*self._new, packet]
            self._new = []
            if len(held) >= AT_ONCE:
                yield self.trace(packet=held).SerializeToString()
                held = []
        yield self.trace(packet=held).SerializeToString()

    def new(self) -> bytes:
        """The tracks and names that were not told yet; they come before the events that have them."""
        new, self._new = self._new, []
        return self.trace(packet=new).SerializeToString() if new else b""

    def track(self, name: str, parent: int = 0) -> int:
        """The track of that name below another; 0 is the root."""
        key = (parent, name)
        if key not in self._tracks:
            uuid = self._tracks[key] = next(self._uuids)
            told = self._packet(trusted_packet_sequence_id=SEQUENCE_ID)
            told.track_descriptor.uuid = uuid
            told.track_descriptor.name = safe(name)
            if parent:
                told.track_descriptor.parent_uuid = parent
            self._new.append(told)
        return self._tracks[key]

    def make(
        self, ts: int, kind: int, track: int, name: str | None = None, category: str = "", said: Said | None = None
    ) -> TracePacket:
        """The packet of an event."""
        packet = self._packet(timestamp=max(ts, 0), trusted_packet_sequence_id=SEQUENCE_ID, sequence_flags=_NEEDS)
        event = packet.track_event
        event.type = kind
        event.track_uuid = track
        if name is not None:
            event.name_iid = self._names.get(name) or self._name(name)
            event.categories.append(category)
        for key, value in (said or {}).items():
            if value is not None:
                note = event.debug_annotations.add(name=key)
                if isinstance(value, bool):
                    note.bool_value = value
                elif isinstance(value, int):
                    note.int_value = value
                else:
                    note.string_value = safe(value)
        return packet

    def _name(self, name: str) -> int:
        """The number of a name that was not told yet."""
        number = self._names[name] = len(self._names) + 1
        told = self._packet(trusted_packet_sequence_id=SEQUENCE_ID, sequence_flags=_NEEDS)
        told.interned_data.event_names.add(iid=number, name=safe(name))
        self._new.append(told)
        return number

    def _span(self, start: int, end: int, track: int, name: str, category: str, said: Said) -> Iterator[TracePacket]:
        yield self.make(start, self.event.TYPE_SLICE_BEGIN, track, name, category, said)
        yield self.make(end, self.event.TYPE_SLICE_END, track)

    def _sequences(self) -> Iterator[TracePacket]:
        calls, all_ = self._capture.calls, iter(self._capture.sequences)
        while some := list(islice(all_, SEQUENCES)):
            first = np.array([step.first for s in some for step in s.steps], dtype=np.int64)
            last = np.array([step.last for s in some for step in s.steps], dtype=np.int64)
            times = zip(calls.ts[first].tolist(), calls.ts[last].tolist(), calls.dur[last].tolist(), strict=True)
            for s in some:
                yield from self._sequence(s, list(islice(times, len(s.steps))))

    def _sequence(self, s: Sequence, times: list[tuple[int, int, int]]) -> Iterator[TracePacket]:
        """A sequence and its steps. ``times``: when the first call of each step began, the last one, and how long that took."""
        if s.start_ns is None or s.end_ns is None:
            return
        track = self.track(s.kind, self.track(s.object))
        title = s.kind if s.outcome == "ok" else f"{s.kind}: {s.outcome}"
        said: Said = {"outcome": s.outcome, "why": s.why or None}
        yield self.make(s.start_ns, self.event.TYPE_SLICE_BEGIN, track, title, "sequence", said)
        for step, (start, last, dur) in zip(s.steps, times, strict=True):
            if NO_TIME not in (start, last):
                end = min(last + max(dur, 0), s.end_ns)
                yield from self._span(start, max(end, start), track, step.name, "step", {"outcome": step.outcome})
        yield self.make(s.end_ns, self.event.TYPE_SLICE_END, track)

    def _states(self) -> Iterator[TracePacket]:
        """A state lasts until the next one of its object."""
        open_: dict[str, int] = {}
        last = 0
        for s in self._capture.states:
            if s.ts_ns is None:
                continue
            track = self.track("state", self.track(s.object))
            if s.object in open_:
                yield self.make(s.ts_ns, self.event.TYPE_SLICE_END, track)
            said: Said = {"from": s.frm, "call": self._capture.number(s.call), "inferred": s.inferred}
            yield self.make(s.ts_ns, self.event.TYPE_SLICE_BEGIN, track, s.to, "state", said)
            open_[s.object] = track
            last = max(last, s.ts_ns)
        for track in open_.values():
            yield self.make(max(last, self._end()), self.event.TYPE_SLICE_END, track)

    def _end(self) -> int:
        ts = self._capture.calls.ts
        return int(ts[-1]) if len(ts) and int(ts[-1]) != NO_TIME else 0

    def _messages(self) -> Iterator[TracePacket]:
        for m in self._capture.conversations.decode():
            ts = shown_time(self._capture, m)
            if ts is None:
                continue
            track = self.track("messages", self.track(m.place.device or "device"))
            said: Said = {"direction": m.direction, "facts": facts(m) or None, "seq": m.seq, "size": m.size}
            yield self.make(ts, self.event.TYPE_INSTANT, track, m.title, "message", said)

    def _findings(self) -> Iterator[TracePacket]:
        calls = self._capture.calls
        for f in self._capture.findings:
            ts = int(calls.ts[f.calls[0]]) if f.calls else NO_TIME
            if ts != NO_TIME:
                track = self.track("findings", self.track(f.object) if f.object else 0)
                said: Said = {"severity": f.severity, "message": f.message, "spec": f.spec or None}
                yield self.make(ts, self.event.TYPE_INSTANT, track, f.rule, "finding", said)
