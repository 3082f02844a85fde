"""One call as a report shows it: decoded, with its messages and memory, and as it was recorded."""

from __future__ import annotations

import decoders

from .. import diagnose
from ..capture.marks import Mark
from ..capture.messages import Message
from ..capture.messages.decoding import redacted
from ..capture.messages.facts import name_and_facts
from ..capture.model import Call, Capture
from ..export.text import duration, hints, mark_line, message_notes, other_sides, seconds, seen_by
from .model import Block, CallItem, CallRef, Condition, Memory, Shown, Talk, Why
from .redact import Redactor
from .trees import Trees, addresses_in, block

MAX_RAW, MAX_READ = 2000, 1 << 16
"""Characters of a raw record that are shown, and that are looked at: of most of them only the count stays."""
MAX_CONDITIONS = 24
MAX_TALKS = 8
"""Messages of one call."""
_OBJECTS = ("pdev_ptr", "pdev_1_ptr", "pdev_2_ptr", "vdev_ptr", "rd", "rec", "rec_ptr", "psmmu_ptr", "vsmmu_ptr")
_ANY = ("base", "top", "out_top", "addr", "ipa", "list_addr", "out_base")
"""Names of arguments that an address is called by first, and last: an object is delegated before it is made."""


def introduce(capture: Capture, seqs: list[int], redactor: Redactor) -> None:
    """Tell the redactor the addresses of some calls, by their names, and what looks like an address and is none."""
    found: list[tuple[int, int, str]] = []
    for seq in seqs:
        c = capture.call(seq)
        redactor.task(c.task)
        command = None if c.fid is None else decoders.command(c.fid, capture.revision.at(c.source).of(c.name))
        if command is None:
            continue
        for registers, values in ((command.args, c.x), (command.outputs, c.r or [])):
            for reg in registers:
                value = values[reg.reg] if reg.reg < len(values) else None
                if value is None:
                    continue
                if reg.reg in command.secret and registers is command.args:
                    redactor.secret(value)
                elif reg.type == "Address":
                    found.append((0 if reg.name in _OBJECTS else 2 if reg.name in _ANY else 1, value, reg.name))
                elif value & 0xFFF:  # a whole page may be an address whatever it is called
                    redactor.number(value)
    for rank, value, name in sorted(found, key=lambda f: f[0]):
        redactor.address(value, name, own=rank < 2)


def reference(capture: Capture, seq: int, redactor: Redactor, there: bool) -> CallRef:
    """A call in one line."""
    c = capture.call(seq)
    return CallRef(seq, Shown(redactor.text(c.line)), there)


def item(
    capture: Capture, seq: int, redactor: Redactor, *, main: bool, logs: list[Mark], skipped: int, full: bool = True
) -> CallItem:
    """One call. ``logs``: the lines in front of it; ``full``: with memory, messages and the raw record."""
    c = capture.call(seq)
    several = len(capture.sources) > 1
    tail = (f"<{duration(c.dur_ns)}>" if c.dur_ns is not None else "") + hints(c) + other_sides(capture, seq)
    head = [f"{seen_by(capture, seq)}:"] if several else []
    head += [seconds(c.ts_ns)] if c.ts_ns is not None else []
    head += [f"[{c.cpu:03d}]"] if c.cpu is not None else []
    if c.task is not None or c.pid is not None:
        task = redactor.text(c.task or "?")
        head.append(f"{task}-{c.pid}" if c.pid is not None and not redactor.hides("tasks") else task)
    talks = capture.messages_of(seq)[:MAX_TALKS]
    return CallItem(
        seq,
        redactor.text(capture.name_text(seq)),
        redactor.text(" ".join(head)),
        redactor.text(c.line),
        redactor.text(tail),
        bool(capture.calls.failed[seq]),
        main,
        tuple(redactor.text(mark_line(m)) for m in logs),
        Trees(redactor).branches(c.tree),
        why(capture, seq, redactor),
        *(_memory(c, redactor, bool(talks)) if full else ((), ())),
        tuple(_talk(m, redactor) for m in talks) if full else (),
        _raw(capture, c, redactor) if full else (),
        skipped,
    )


def why(capture: Capture, seq: int, redactor: Redactor) -> Why | None:
    """The conditions of a call that failed."""
    d = diagnose.why(capture, seq)
    if d is None or not (d.verdicts or d.others or d.remarks):
        return None
    ordered = sorted(d.verdicts, key=lambda v: (v.holds is False, v.holds is None))
    found = [Condition(v.mark, Shown(v.condition.id), redactor.text(v.condition.when), redactor.text(v.text)) for v in ordered]
    found += [
        Condition("!", Shown(v.condition.id), redactor.text(f"{v.condition.when} ({v.condition.status})"), redactor.text(v.text))
        for v in d.others
    ]
    remarks = [redactor.text(r) for r in d.remarks]
    if d.left and d.cause is not None:
        remarks.insert(0, Shown(f"{d.cause.condition.id} is the only one that is left"))
    if len(found) > MAX_CONDITIONS:
        remarks.append(Shown(f"{len(found) - MAX_CONDITIONS} more conditions are left out"))
    title = redactor.text(f"{d.status} of {d.command}, {d.revision}")
    return Why(title, tuple(found[:MAX_CONDITIONS]), tuple(remarks))


def _memory(c: Call, redactor: Redactor, talked: bool) -> tuple[tuple[Memory, ...], tuple[Shown, ...]]:
    """What was recorded of memory, and the titles of that which may hold secrets. What the host shares with the device is
    shown as messages, where there are any."""
    out, unseen = [], []
    for b, tree in c.buffers:
        where = f" at 0x{b.addr:x}" if b.addr is not None else ""
        title = redactor.text(f"{b.struct or 'memory'}{where}, {b.when}, {len(b.data)} bytes")
        if tree is not None and (b.struct or "").startswith("Rmi"):
            trees = Trees(redactor)
            branches = trees.branches(tree)
            out.append(Memory(title, branches, block(Shown("bytes"), b.data, trees.masked)))
        elif not talked:
            if redactor.hides("keys") or redactor.hides("nonces"):
                unseen.append(title)
            else:
                out.append(Memory(title, (), block(Shown("bytes"), b.data, addresses_in(redactor, b.data))))
    return tuple(out), tuple(unseen)


def _talk(m: Message, redactor: Redactor) -> Talk:
    trees = Trees(redactor)
    branches = trees.branches(m.tree) if m.tree is not None else ()
    shown = None
    if m.tree is not None and m.data:
        shown = block(Shown(f"bytes, {' / '.join(m.layers)}"), redacted(m), trees.masked)
    title = redactor.text(name_and_facts(m), strict=True)
    return Talk(
        m.direction == "request", redactor.text(m.name), title, redactor.text(message_notes(m).strip(" !")), branches, shown
    )


def _raw(capture: Capture, c: Call, redactor: Redactor) -> tuple[Block, ...]:
    places = [("entry" if c.exit_raw is not None else "record", c.offset, c.raw)]
    if c.exit_raw is not None:
        places.append(("exit", c.exit_offset or 0, c.exit_raw))
    return tuple(_raw_block(capture, c.source, *p, redactor) for p in places) + tuple(
        _raw_block(capture, s.source, "as also recorded", s.offset, s.raw, redactor) for s in capture.sights(c.seq)[:3]
    )


def _raw_block(capture: Capture, source: int, what: str, offset: int, raw: str, redactor: Redactor) -> Block:
    title = redactor.text(f"{what}: {capture.sources[source].name}, byte {offset}")
    text = raw[:MAX_READ]
    lines = [redactor.raw(line) for line in text.split("\n")]
    shown: list[Shown] = []
    room = MAX_RAW
    for line in lines:
        if len(line) > room:
            shown.append(Shown(line[:room] + "…"))
            return Block(title, tuple(shown), Shown(f"the record has {len(raw)} characters; the rest is left out"))
        shown.append(line)
        room -= len(line)
    left = f"{len(raw) - len(text)} more characters are left out" if len(raw) > len(text) else ""
    return Block(title, tuple(shown), Shown(left))
