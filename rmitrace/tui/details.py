"""The tree shown for the selected row, made of decoder nodes, and which bytes each of them stands for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import decoders
from decoders.tree import Node, Severity

from ..capture.messages import Message
from ..capture.model import Call
from ..display import count
from ..lifecycle.model import StateChange
from .rows import Row, RowKind
from .sights import sight_node
from .text import duration
from .view import View


@dataclass(frozen=True, slots=True)
class Place:
    """What a node stands for in the bytes.

    buffer    number of the buffer, with ``offset`` and ``size`` in it; -1: a register
    register  its number, on the side of the results where ``out``
    """

    buffer: int = -1
    offset: int = 0
    size: int = 0
    register: int = -1
    out: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as found: what it is, its text, its registers and which side they are."""

    title: str
    text: str
    registers: tuple[tuple[bool, Sequence[int | None]], ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A node at the root of the tree. ``place`` says what its registers or bytes belong to."""

    node: Node
    kind: str = ""
    buffer: int = -1
    open: bool = True


@dataclass(frozen=True, slots=True)
class Details:
    """All that is known of a row."""

    title: str
    branches: list[Branch] = field(default_factory=list)
    raws: list[Raw] = field(default_factory=list)
    buffers: list[tuple[str, bytes]] = field(default_factory=list)
    registers: dict[str, list[int]] = field(default_factory=dict)
    """For 'args' and 'results': the register number of each child."""


def of_row(view: View, row: Row) -> Details:
    """The details of a row of the list."""
    if row.kind is RowKind.CALL:
        return of_call(view, row.ref)
    if row.kind is RowKind.LINE:
        return of_line(view, row.ref)
    return of_sequence(view, row)


def of_call(view: View, seq: int) -> Details:
    """The details of a call: its tree, the structures seen with it, and where it stands."""
    call = view.capture.call(seq)
    out = Details(view.capture.name_text(seq))
    for f in view.findings_of(seq):
        out.branches.append(Branch(Node(f.rule, text=f.message, note=f.spec or None, severity=_severity(f.severity)), "finding"))
    failure = _failure(view, seq)
    if failure is not None:
        out.branches.append(Branch(failure, "failure"))
    shown = sight_node(view, call)
    if shown is not None:
        out.branches.append(Branch(shown, "sights", open=any(n.severity for n in shown.children)))
    for c in view.changes_of(seq):
        out.branches.append(Branch(Node(c.object, text=_change(c)), "state"))
    for child in (c for c in call.tree.children if c.children or c.text or c.note):
        out.branches.append(Branch(child, child.name))
    for b, tree in call.buffers:
        node = tree or Node(b.struct or "memory", b.data, count(len(b.data), "byte"), 0, len(b.data))
        where = f" at 0x{b.addr:x}" if b.addr is not None else ""
        out.branches.append(Branch(_renamed(node, f"{node.name}{where}, {b.when}"), "buffer", len(out.buffers)))
        out.buffers.append((f"{node.name}{where}, {b.when}, {count(len(b.data), 'byte')}", b.data))
    for m in view.messages_of(seq):
        _add_message(out, m)
    out.branches.append(Branch(Node("registers", text="as recorded", children=_registers(call)), "registers", open=False))
    out.branches.append(Branch(_about(view, call), "call", open=False))
    out.registers.update(_numbers(view, call))
    whole = call.paired == "whole"
    inwards, outwards = (False, call.x), (True, call.r or [])
    name = view.capture.sources[call.source].name
    first = (inwards, outwards) if whole else (outwards if call.paired == "exit-only" else inwards,)
    kind = {"whole": "row", "exit-only": "exit"}.get(call.paired, "entry")
    out.raws.append(Raw(f"{kind} {name}:{call.offset}", call.raw, first))
    if call.exit_raw is not None:
        out.raws.append(Raw(f"exit {name}:{call.exit_offset}", call.exit_raw, (outwards,)))
    for sight in view.capture.sights(seq):
        kind = {"whole": "row", "exit-only": "exit"}.get(sight.paired, "entry")
        registers = ((False, sight.x), (True, sight.r or []))
        out.raws.append(Raw(f"{kind} {view.capture.sources[sight.source].name}:{sight.offset}", sight.raw, registers))
    return out


_SIGN = {True: "holds", False: "struck", None: "open"}


def _failure(view: View, seq: int) -> Node | None:
    """The conditions of a call that failed: which hold, are struck, or are left open; those that hold first."""
    if view.waits_for_why(seq):
        return Node("why it failed", text="being worked out…")
    d = view.why(seq) if view.capture.calls.failed[seq] else None
    if d is None or not (d.verdicts or d.remarks):
        return None
    rank: dict[bool | None, int] = {True: 0, None: 1, False: 2}
    nodes = [
        Node(
            v.condition.id,
            text=f"{_SIGN[v.holds]}: {v.condition.when}",
            note=v.text or None,
            severity="error" if v.holds else None,
        )
        for v in sorted(d.verdicts, key=lambda v: rank[v.holds])
    ]
    nodes += [
        Node(
            v.condition.id, text=f"holds too, for {v.condition.status}: {v.condition.when}", note=v.text or None, severity="note"
        )
        for v in d.others
    ]
    nodes += [Node("firmware", text=r) for r in d.remarks]
    cause = d.cause.condition.id if d.cause is not None else "not decided"
    if d.left:
        cause += ", the only one that is left"
    return Node("why it failed", text=cause, children=tuple(nodes))


def _change(c: StateChange) -> str:
    return f"{c.frm or '?'} → {c.to}" + (" (inferred)" if c.inferred else "")


_MOST = 500
"""Nodes shown of a list without end."""


def _some(nodes: Iterable[Node]) -> tuple[Node, ...]:
    shown = tuple(islice(nodes, _MOST + 1))
    return shown if len(shown) <= _MOST else (*shown[:_MOST], Node("…", text=f"only the first {_MOST} are shown"))


def _severity(name: str) -> Severity:
    return "error" if name == "error" else "warning" if name == "warning" else "note"


def _renamed(node: Node, name: str) -> Node:
    return Node(name, node.value, node.text, node.offset, node.size, node.children, node.note, node.severity)


def _registers(call: Call) -> tuple[Node, ...]:
    sides: list[tuple[str, Sequence[int | None]]] = [("in", call.x), ("out", call.r or [])]
    return tuple(
        Node(
            side,
            text=" ".join("-" if v is None else f"{v:x}" for v in values),
            children=tuple(_register(i, v) for i, v in enumerate(values)),
        )
        for side, values in sides
        if values
    )


def _register(number: int, value: int | None) -> Node:
    return Node(f"x{number}", value, "not recorded" if value is None else f"0x{value:x}", None, 8)


def _about(view: View, call: Call) -> Node:
    source = view.capture.sources[call.source]
    rows = [
        ("number", str(call.seq)),
        ("time", view.moment(call.ts_ns)),
        ("duration", "" if call.dur_ns is None else duration(call.dur_ns)),
        ("cpu", "" if call.cpu is None else str(call.cpu)),
        ("task", "" if call.task is None else call.task + ("" if call.pid is None else f"-{call.pid}")),
        ("source", f"{source.path}, {source.format}, byte {call.offset}"),
        ("paired", call.paired + (", inferred from the function around the SMC" if call.inferred else "")),
        ("works for", "" if call.parent is None else f"call {call.parent} {view.capture.name_text(call.parent)}"),
        ("revision", view.capture.revision.at(call.source).of(call.name)),
    ]
    return Node("call", text=str(call.seq), children=tuple(Node(n, t, t) for n, t in rows if t))


def _numbers(view: View, call: Call) -> dict[str, list[int]]:
    command = None
    if call.fid is not None:
        try:
            command = decoders.command(call.fid, view.capture.revision.at(call.source).of(call.name))
        except LookupError:
            command = None
    out: dict[str, list[int]] = {}
    for group, regs in (("args", command.args if command else ()), ("results", command.outputs if command else ())):
        by_name = {r.name: r.reg for r in regs}
        node = call.tree.child(group)
        out[group] = [by_name.get(c.name, _number(c.name, i)) for i, c in enumerate(node.children if node else ())]
    return out


def _number(name: str, index: int) -> int:
    return int(name[1:]) if name[:1] == "x" and name[1:].isdigit() and len(name) < 4 else index + 1


def of_sequence(view: View, row: Row) -> Details:
    """The details of a sequence, or of one of its steps: how it went and why."""
    s = view.sequences[row.sequence]
    step = s.steps[row.step] if row.kind is RowKind.STEP else None
    calls = s.calls if step is None else step.calls
    outcome, why = (s.outcome, s.why) if step is None else (step.outcome, step.why)
    out = Details(s.title if step is None else f"{step.name} of {s.kind} {s.object}")
    severity: Severity | None = "error" if outcome == "failed" else "warning" if outcome == "incomplete" else None
    out.branches.append(Branch(Node("outcome", outcome, outcome, note=why or None, severity=severity)))
    out.branches.append(Branch(Node("object", s.object, s.object)))
    failed = int(view.capture.calls.failed[calls].sum()) if len(calls) else 0
    text = count(len(calls), "call") + (f", {failed} failed" if failed else "")
    out.branches.append(Branch(Node("calls", len(calls), text)))
    if s.start_ns is not None and s.end_ns is not None and step is None:
        out.branches.append(
            Branch(Node("time", text=f"{view.moment(s.start_ns)} to {view.moment(s.end_ns)}, {duration(s.end_ns - s.start_ns)}"))
        )
    if step is None:
        steps = tuple(
            Node(t.name, t.outcome, f"{t.outcome}, {count(len(t.calls), 'call')}", note=t.why or None, severity=_outcome(t))
            for t in s.steps
        )
        if steps:
            out.branches.append(Branch(Node("steps", text=str(len(steps)), children=_some(steps))))
    changes = view.states_of(s.object, calls)
    if changes:
        nodes = (Node(f"call {c.call}", text=_change(c)) for c in changes)
        out.branches.append(Branch(Node("states", text=str(len(changes)), children=_some(nodes))))
    found = view.noted.among(calls)
    if found:
        nodes = (Node(f.rule, text=f.message, severity=_severity(f.severity), note=f.spec or None) for f in found)
        out.branches.append(Branch(Node("findings", text=str(len(found)), children=_some(nodes))))
    return out


def _outcome(step: Any) -> Severity | None:
    return "error" if step.outcome == "failed" else None


def _add_message(out: Details, message: Message) -> None:
    """Put a protocol message and its bytes at the end."""
    tree = message.tree or Node(message.name)
    data = message.data if message.layers[0] == "DOE" and message.start else message.data[message.start :]
    words = ", ".join(w for w in (" in ".join(reversed(message.layers)), count(len(data), "byte")) if w)
    out.branches.append(Branch(_renamed(tree, f"{message.direction} {message.title}"), "message", len(out.buffers)))
    out.buffers.append((f"{message.direction} {message.title}, {words}", data))


def of_line(view: View, number: int) -> Details:
    """The details of a log line, or of a message that belongs to no call."""
    mark = view.lines[number]
    name = view.capture.sources[mark.source].name
    out = Details(f"{mark.kind} line" if mark.message is None else mark.message.title)
    if mark.message is not None:
        view.capture.conversations.decode()
        _add_message(out, mark.message)
        if mark.ts is not None:
            out.branches.append(Branch(Node("time", text=view.moment(mark.ts))))
        out.branches.append(Branch(Node("source", text=f"{view.capture.sources[mark.source].path}, byte {mark.offset}")))
        return out
    out.branches.append(Branch(Node("kind", mark.kind, mark.kind)))
    if mark.ts is not None:
        out.branches.append(Branch(Node("time", text=view.moment(mark.ts))))
    out.branches.append(Branch(Node("source", text=f"{view.capture.sources[mark.source].path}, byte {mark.offset}")))
    out.raws.append(Raw(f"line {name}:{mark.offset}", mark.text))
    return out
