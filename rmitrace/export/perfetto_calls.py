"""The calls of a capture as spans of a Perfetto trace: see perfetto. What calls that are alike have in common is kept as packets,
of which the numbers are changed from one call to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..capture.left_open import Open, Template
from ..capture.model import Call, Capture
from ..capture.records import NO_TIME
from ..capture.rows import CPU, DUR, SEQ, TASK, TS, Form, Row, Rows
from ..display import safe

if TYPE_CHECKING:
    from .perfetto import Said, Writer


RENEWED = 1 << 16
"""Calls after which packets are made anew: a text that is set stays in the memory of its message as long as that is there, also
when another one takes its place."""


class _Packets(NamedTuple):
    """The packets of a call: a trace of one, or of two where it is known how long it took; the texts that change, and the note
    that says which call it is."""

    trace: Any
    changing: list[tuple[Any, Template]]
    number: Any


def said_of(c: Call, number: Callable[[int], int], about: str | None) -> Said:
    """What a call's span says: registers, arguments, results, and what it is about."""
    said: Said = {f"x{i}": f"0x{v:x}" for i, v in enumerate(c.x[:8]) if v is not None}
    said |= {a.name: a.text for a in c.args}
    said |= {r.name: r.text for r in c.results}
    return said | {"status": c.status, "seq": number(c.seq), "object": about, "task": c.task}


def calls(writer: Writer, capture: Capture, seqs: Iterable[int]) -> Iterator[bytes]:
    """Packets of the calls that have a time, and of the tracks and names that are new with them."""
    tracks: dict[tuple[int, int], int] = {}
    tasks: dict[str, str] = {}
    kept: list[Form] = []
    for written, row in enumerate(Rows(capture, objects=True).read(seqs)):
        if not written % RENEWED:
            for form in kept:
                del form.made["perfetto"]
            kept.clear()
        values = row.values
        start, dur, cpu = values[TS], values[DUR], values[CPU]
        if start == NO_TIME:
            continue
        source = row.form.call.source if row.form is not None else capture.call(row.seq).source
        track = tracks.get((source, cpu))
        if track is None:
            top = writer.track(f"SMCs: {capture.sources[source].path}")
            track = tracks[source, cpu] = writer.track(f"CPU {cpu}" if cpu >= 0 else "calls", top)
        if row.form is None or "perfetto" not in row.form.made:
            packets = _made(writer, capture, row, row.form)
            if row.form is not None:
                row.form.made["perfetto"] = packets
                kept.append(row.form)
        else:
            packets = row.form.made["perfetto"]
        new = writer.new()
        if new:
            yield new
        begin, *end = packets.trace.packet
        begin.timestamp, begin.track_event.track_uuid = max(start, 0), track
        if end:
            end[0].timestamp, end[0].track_event.track_uuid = max(start + dur, 0), track
        packets.number.int_value = values[SEQ]
        if (task := values[TASK]) is not None:
            values[TASK] = tasks.get(task) or tasks.setdefault(task, safe(task))
        for note, text in packets.changing:
            note.string_value = text.fill(values)
        yield packets.trace.SerializeToString()


def _made(writer: Writer, capture: Capture, row: Row, form: Form | None) -> _Packets:
    """The packets of a call, and of all of a form."""
    c = form.call if form is not None else capture.call(row.seq)
    about = form.object if form is not None else capture.object_of(row.seq)
    said = said_of(c, lambda seq: row.values[SEQ], about)
    trace = writer.trace()
    kind = writer.event.TYPE_SLICE_BEGIN if row.values[DUR] >= 0 else writer.event.TYPE_INSTANT
    name = capture.name_text(row.seq)
    plain = {k: int(v) if isinstance(v, Open) else v for k, v in said.items()}
    trace.packet.append(writer.make(0, kind, 0, name, c.service or "SMC", plain))
    if row.values[DUR] >= 0:
        trace.packet.append(writer.make(0, writer.event.TYPE_SLICE_END, 0))
    notes = {note.name: note for note in trace.packet[0].track_event.debug_annotations}
    changing = []
    if form is not None:
        texts = {k: Template.of(safe(v), form.looked) for k, v in said.items() if isinstance(v, str)}
        changing = [(notes[k], text) for k, text in texts.items() if text.pick is not None]
    return _Packets(trace, changing, notes["seq"])
