"""A capture as a Perfetto trace (ui.perfetto.dev, trace_processor): calls by CPU; sequences, states, messages and findings by
object.

Written as track events (protos/perfetto/trace/track_event/track_event.proto) with interned names, some thousand packets at a
time, so that a big capture does not have to be held twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import IO, TYPE_CHECKING, Any

from ..capture.messages.facts import facts, shown_time
from ..capture.model import Capture
from ..capture.records import NO_TIME
from ..display import safe

if TYPE_CHECKING:
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TracePacket

AT_ONCE = 4096
"""Packets that are held before they are written."""
SEQUENCE_ID = 1
_CLEARED = 1  # SEQ_INCREMENTAL_STATE_CLEARED
_NEEDS = 2  # SEQ_NEEDS_INCREMENTAL_STATE

Said = dict[str, Any]


def write(capture: Capture, seqs: Iterable[int], out: IO[bytes]) -> None:
    """Everything that has a time; calls limited to ``seqs``. Raises ImportError where the perfetto package is missing."""
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace

    trace, held = Trace(), 0
    for packet in _Writer(capture).packets(seqs):
        trace.packet.append(packet)
        held += 1
        if held == AT_ONCE:
            out.write(trace.SerializeToString())
            trace, held = Trace(), 0
    out.write(trace.SerializeToString())


class _Writer:
    """Makes the packets, and knows which tracks and names were told."""

    def __init__(self, capture: Capture) -> None:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TracePacket, TrackEvent

        self._capture, self._packet, self._event = capture, TracePacket, TrackEvent
        self._uuids = count(1)
        self._tracks: dict[tuple[int, str], int] = {}
        self._names: dict[str, int] = {}
        self._new: list[TracePacket] = []
        self._first = True

    def packets(self, seqs: Iterable[int]) -> Iterator[TracePacket]:
        """Tracks before the events on them."""
        for packet in self._events(seqs):
            if self._first:
                packet.sequence_flags |= _CLEARED
                self._first = False
            new, self._new = self._new, []
            yield from new
            yield packet

    def _events(self, seqs: Iterable[int]) -> Iterator[TracePacket]:
        for seq in seqs:
            yield from self._call(seq)
        yield from self._sequences()
        yield from self._states()
        yield from self._messages()
        yield from self._findings()

    def _track(self, name: str, parent: int = 0) -> int:
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

    def _make(
        self, ts: int, kind: int, track: int, name: str | None = None, category: str = "", said: Said | None = None
    ) -> TracePacket:
        packet = self._packet(timestamp=max(ts, 0), trusted_packet_sequence_id=SEQUENCE_ID, sequence_flags=_NEEDS)
        event = packet.track_event
        event.type = kind
        event.track_uuid = track
        if name is not None:
            known = self._names.get(name)
            if known is None:
                known = self._names[name] = len(self._names) + 1
                packet.interned_data.event_names.add(iid=known, name=safe(name))
            event.name_iid = known
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

    def _span(self, start: int, end: int, track: int, name: str, category: str, said: Said) -> Iterator[TracePacket]:
        yield self._make(start, self._event.TYPE_SLICE_BEGIN, track, name, category, said)
        yield self._make(end, self._event.TYPE_SLICE_END, track)

    def _call(self, seq: int) -> Iterator[TracePacket]:
        calls = self._capture.calls
        start = int(calls.ts[seq])
        if start == NO_TIME:
            return
        source, cpu, dur = int(calls.source[seq]), int(calls.cpu[seq]), int(calls.dur[seq])
        top = self._track(f"SMCs: {self._capture.sources[source].path}")
        track = self._track(f"CPU {cpu}" if cpu >= 0 else "calls", top)
        c = self._capture.call(seq)
        said: Said = {f"x{i}": f"0x{v:x}" for i, v in enumerate(c.x[:8]) if v is not None}
        said |= {a.name: a.text for a in c.args}
        said |= {r.name: r.text for r in c.results}
        said |= {"status": c.status, "seq": self._capture.number(seq), "object": self._capture.object_of(seq), "task": c.task}
        name = self._capture.name_text(seq)
        if dur < 0:
            yield self._make(start, self._event.TYPE_INSTANT, track, name, c.service or "SMC", said)
        else:
            yield from self._span(start, start + dur, track, name, c.service or "SMC", said)

    def _sequences(self) -> Iterator[TracePacket]:
        calls = self._capture.calls
        for s in self._capture.sequences:
            if s.start_ns is None or s.end_ns is None:
                continue
            track = self._track(s.kind, self._track(s.object))
            title = s.kind if s.outcome == "ok" else f"{s.kind}: {s.outcome}"
            said: Said = {"outcome": s.outcome, "why": s.why or None}
            yield self._make(s.start_ns, self._event.TYPE_SLICE_BEGIN, track, title, "sequence", said)
            for step in s.steps:
                start, last = int(calls.ts[step.first]), int(calls.ts[step.last])
                if NO_TIME not in (start, last):
                    end = min(last + max(int(calls.dur[step.last]), 0), s.end_ns)
                    yield from self._span(start, max(end, start), track, step.name, "step", {"outcome": step.outcome})
            yield self._make(s.end_ns, self._event.TYPE_SLICE_END, track)

    def _states(self) -> Iterator[TracePacket]:
        """A state lasts until the next one of its object."""
        open_: dict[str, int] = {}
        last = 0
        for s in self._capture.states:
            if s.ts_ns is None:
                continue
            track = self._track("state", self._track(s.object))
            if s.object in open_:
                yield self._make(s.ts_ns, self._event.TYPE_SLICE_END, track)
            said: Said = {"from": s.frm, "call": self._capture.number(s.call), "inferred": s.inferred}
            yield self._make(s.ts_ns, self._event.TYPE_SLICE_BEGIN, track, s.to, "state", said)
            open_[s.object] = track
            last = max(last, s.ts_ns)
        for track in open_.values():
            yield self._make(max(last, self._end()), self._event.TYPE_SLICE_END, track)

    def _end(self) -> int:
        ts = self._capture.calls.ts
        return int(ts[-1]) if len(ts) and int(ts[-1]) != NO_TIME else 0

    def _messages(self) -> Iterator[TracePacket]:
        for m in self._capture.conversations.decode():
            ts = shown_time(self._capture, m)
            if ts is None:
                continue
            track = self._track("messages", self._track(m.place.device or "device"))
            said: Said = {"direction": m.direction, "facts": facts(m) or None, "seq": m.seq, "size": m.size}
            yield self._make(ts, self._event.TYPE_INSTANT, track, m.title, "message", said)

    def _findings(self) -> Iterator[TracePacket]:
        calls = self._capture.calls
        for f in self._capture.findings:
            ts = int(calls.ts[f.calls[0]]) if f.calls else NO_TIME
            if ts != NO_TIME:
                track = self._track("findings", self._track(f.object) if f.object else 0)
                said: Said = {"severity": f.severity, "message": f.message, "spec": f.spec or None}
                yield self._make(ts, self._event.TYPE_INSTANT, track, f.rule, "finding", said)
