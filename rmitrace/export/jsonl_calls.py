"""Calls and messages as JSON lines: see jsonl."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import decoders

from .. import diagnose
from ..capture.left_open import Template
from ..capture.messages import Message
from ..capture.messages.decoding import redacted
from ..capture.model import Call, Capture
from ..capture.rows import PID, TASK, Form, Row, Rows
from ..correlate import Correlation, sources_of
from ..correlate.views import differences
from . import conditions


def as_line(item: Any) -> str:
    """JSON without its line end."""
    return json.dumps(item, separators=(",", ":"))


def own(seq: int) -> int:
    """The number of a call where it is its number in the capture."""
    return seq


class Calls:
    """The calls of a capture as lines."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self.rows = Rows(capture, above=True)
        self._tasks: dict[tuple[str | None, int], str] = {}

    def text(self, row: Row) -> str:
        """One call; what call_object says of it."""
        capture = self._capture
        if row.form is None or capture.correlation is not None or row.seq in capture.conversations.by_call:
            return as_line(call_object(capture, row.seq)) + "\n"
        made = row.form.made.get("json")
        if made is None:
            made = row.form.made["json"] = self._made(row.form)
        alone, notes = made
        values = row.values
        values[TASK] = self._task(values[TASK], values[PID])
        failure = _failure(capture, row.seq)
        why = "" if failure is None else f',"failure":{as_line(failure)}'
        return f"{alone.fill(values)}{why}{notes.fill(values)}\n"

    def _made(self, form: Form) -> tuple[Template, Template]:
        """What stands in front of why a call failed, and behind it."""
        c = replace(form.call, pid=None)  # which stands with the task's name
        alone = Template.of_json(call_alone(self._capture, c, []), form.looked)
        notes = Template.of_json(call_notes(c), form.looked)
        return (
            Template(alone.text[:-1], alone.pick),
            Template("," + notes.text[1:] if len(notes.text) > 2 else "}", notes.pick),
        )

    def _task(self, name: str | None, pid: int) -> str:
        """The task with its pid, as it stands between quotes."""
        known = self._tasks.get((name, pid))
        if known is None:
            known = self._tasks[name, pid] = as_line(name if pid < 0 or name is None else f"{name}-{pid}")[1:-1]
        return known


def message_object(m: Message, reveal: bool = False, number: Callable[[int], int] = own) -> dict[str, Any]:
    """One protocol message; IDE keys are zeros in ``data``, and hidden in the tree, unless ``reveal``."""
    session = m.session_id
    return {
        "type": "message",
        "seq": m.seq,
        "call": None if m.place.call is None else number(m.place.call),
        "ts_ns": m.place.ts_ns,
        "source": m.place.source,
        "offset": m.place.offset,
        "direction": m.direction,
        "layers": m.layers,
        "name": m.name,
        "title": m.title,
        "device": m.place.device,
        "data": (m.covered if reveal else redacted(m)).hex(),
        "size": m.size,
        "also": [{"source": p.source, "offset": p.offset, "ts_ns": p.ts_ns} for p in m.also],
        "tree": None if m.tree is None else m.tree.to_json(),
        "proofs": [{"field": name, "outcome": found.outcome, "text": found.text} for name, found in m.proven],
        "secured": {"session": _hex(session), "decrypted": m.inside is not None} if session is not None else None,
    }


def _hex(value: int | None) -> str | None:
    return None if value is None else f"0x{value:x}"


def call_object(capture: Capture, seq: int, messages: list[Message] | None = None) -> dict[str, Any]:
    """One call with everything decoded. ``messages``: those of the call, where they are not the capture's."""
    c = capture.call(seq)
    messages = capture.messages_of(seq) if messages is None else messages
    out = call_alone(capture, c, [message_object(m, capture.options.show_secrets) for m in messages], capture.number)
    failure = _failure(capture, seq)
    if failure is not None:
        out["failure"] = failure
    out |= call_notes(c)
    if capture.correlation is not None:
        out |= _sides(capture, c, capture.correlation)
    return out


def _failure(capture: Capture, seq: int) -> dict[str, Any] | None:
    failure = diagnose.why(capture, seq) if capture.numbers is None else None  # a part does not know what was before it
    return None if failure is None else conditions.as_object(failure)


def call_alone(capture: Capture, c: Call, messages: list[Any], number: Callable[[int], int] = own) -> dict[str, Any]:
    """What is said of a call without looking at others. ``number``: see Capture.number."""
    out: dict[str, Any] = {
        "type": "call",
        "seq": number(c.seq),
        "ts_ns": c.ts_ns,
        "dur_ns": c.dur_ns,
        "cpu": c.cpu,
        "task": c.task if c.pid is None or c.task is None else f"{c.task}-{c.pid}",
        "source": c.source,
        "offset": c.offset,
        "exit_offset": c.exit_offset,
        "fid": _hex(c.fid),
        "name": c.name,
        "service": c.service,
        "x": _registers(capture, c),
        "r": None if c.r is None else [_hex(v) for v in c.r],
        "args": {a.name: a.to_json() for a in c.args},
        "status": c.status,
        "index": c.index,
        "results": {r.name: r.to_json() for r in c.results},
        "buffers": [
            {
                "struct": b.struct,
                "addr": _hex(b.addr),
                "when": b.when,
                "data": b.data.hex(),
                "tree": None if tree is None else tree.to_json(),
            }
            for b, tree in c.buffers
        ],
        "messages": messages,
        "inferred": c.inferred,
        "paired": c.paired,
    }
    if c.parent is not None:
        out["parent"] = number(c.parent)
    return out


def call_notes(c: Call) -> dict[str, Any]:
    """What is odd about a call."""
    notes = [{"name": n.name, "note": n.note, "severity": n.severity} for n in c.tree.walk() if n.note]
    return {"notes": notes} if notes else {}


def _sides(capture: Capture, c: Call, found: Correlation) -> dict[str, Any]:
    """Which sources show a call, and what the others than its own have of it."""
    seq = c.seq
    out: dict[str, Any] = {"seen_by": sources_of(int(found.seen[seq]))}
    for name, bits in (("missing_in", found.missing), ("unclear_in", found.unclear)):
        if bits[seq]:
            out[name] = sources_of(int(bits[seq]))
    if found.own_ts is not None and c.ts_ns is not None and int(found.own_ts[seq]) != c.ts_ns:
        out["own_ts_ns"] = int(found.own_ts[seq])
    sights = [_sight(capture, c, s) for s in capture.sights(seq)]
    if sights:
        out["counterpart"] = sights[0]
    if len(sights) > 1:
        out["counterparts"] = sights
    return out


def _sight(capture: Capture, c: Call, sight: Call) -> dict[str, Any]:
    """A call as another source shows it. ``ts_ns``: in that source's clock."""
    return {
        "source": sight.source,
        "offset": sight.offset,
        "exit_offset": sight.exit_offset,
        "ts_ns": sight.ts_ns,
        "x": _registers(capture, sight),
        "r": None if sight.r is None else [_hex(v) for v in sight.r],
        "status": sight.status,
        "index": sight.index,
        "differs": [
            {"name": d.name, "out": d.out, "register": d.register, "here": d.here, "there": d.there}
            for d in differences(capture, c, sight)
        ],
    }


def _registers(capture: Capture, c: Call) -> list[str | None]:
    """x0.. in; those with key material are left out unless secrets are asked for."""
    command = (
        None
        if c.fid is None or capture.options.show_secrets
        else decoders.command(c.fid, capture.revision.at(c.source).of(c.name))
    )
    secret = command.secret if command is not None else frozenset()
    return [None if i in secret else _hex(v) for i, v in enumerate(c.x)]
