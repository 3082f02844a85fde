"""JSON lines: one object a line, the form that scripts and other tools rely on.

capture, call, message, state, sequence, finding and summary objects; ASCII only, so that nothing read from a capture
reaches a terminal alive.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from typing import IO, Any

import numpy as np

import decoders

from .. import checks, diagnose
from ..answers import of_capture
from ..capture.messages import Message
from ..capture.messages.decoding import redacted
from ..capture.model import Call, Capture
from ..capture.records import Finding, Kind
from ..capture.source import Source
from ..correlate import Correlation, Link, sources_of
from ..correlate.skew import Bite, Opinion, opinions
from ..correlate.views import differences
from ..lifecycle.model import Sequence, StateChange
from . import conditions
from .answers import to_json


def write(capture: Capture, seqs: Iterable[int], out: IO[str]) -> None:
    """Every object of the capture, calls limited to ``seqs`` (ascending)."""
    for item in objects(capture, seqs):
        out.write(json.dumps(item, separators=(",", ":")) + "\n")


def objects(capture: Capture, seqs: Iterable[int]) -> Iterator[dict[str, Any]]:
    """The objects in the order in which they are written."""
    yield capture_object(capture)
    chosen = np.fromiter(seqs, dtype=np.int64)
    for seq in capture.ahead(chosen.tolist()):
        yield from _call_and_messages(capture, seq)
    # before anything that asks for all messages at once: of a long conversation only some trees are kept
    for m in capture.conversations.stream():
        if m.place.call is None:
            yield message_object(m, capture.options.show_secrets)
    yield from (to_json(a, s) for s, a in of_capture(capture))
    yield from ending(capture, chosen)


def ending(capture: Capture, chosen: np.ndarray, told: Container[Finding] = ()) -> Iterator[dict[str, Any]]:
    """What is written behind the calls: states, sequences, findings (those not ``told`` before) and the summary."""
    yield from (state_object(s, capture.number) for s in capture.states)
    yield from (sequence_object(q, capture.number) for q in capture.sequences)
    yield from (finding_object(f, capture.number) for f in capture.findings if f not in told)
    yield summary_object(capture, chosen)


def _own(seq: int) -> int:
    return seq


def capture_object(capture: Capture) -> dict[str, Any]:
    """What was opened, in which formats, and the revision with its evidence."""
    return {
        "type": "capture",
        "sources": [
            {
                "path": s.path,
                "format": s.format,
                "records": _records(s),
                **dict(zip(("first_ns", "last_ns"), s.span_ns or (None, None), strict=True)),
                "whole": s.whole,
            }
            for s in capture.sources
        ],
        "revision": {
            "name": capture.revision.name,
            "core": capture.revision.core,
            "device": capture.revision.device,
            "assumed": capture.revision.assumed,
            "evidence": list(capture.revision.evidence),
            **_speakers(capture),
        },
        **({"links": [_link(k) for k in capture.correlation.links]} if capture.correlation is not None else {}),
    }


def _records(source: Source) -> int:
    """How many records of a source stand for an SMC or a message."""
    kind = source.records.kind
    counted = np.zeros(max(Kind) + 1, dtype=bool)
    counted[list(_COUNTED)] = True
    return sum(int(np.count_nonzero(counted[kind[k : k + _AT_ONCE]])) for k in range(0, len(kind), _AT_ONCE))


def _speakers(capture: Capture) -> dict[str, Any]:
    """What kernel and firmware speak, where more than one side tells."""
    known = opinions(capture) if len(capture.calls) else []
    by_source = {str(s): {"core": r.core, "device": r.device} for s, r in capture.revision.by_source.items()}
    return {"speaks": [opinion_object(o) for o in known], **({"by_source": by_source} if by_source else {})}


def opinion_object(o: Opinion) -> dict[str, Any]:
    """What one side speaks, in a group of commands."""
    return {
        "side": o.side,
        "group": o.group,
        "sources": list(o.sources),
        "fits": list(o.fits),
        "evidence": [{"text": e.text, "fits": list(e.fits)} for e in o.evidence],
    }


def bite_object(b: Bite) -> dict[str, Any]:
    """Something that kernel and firmware take differently."""
    return {"kind": b.kind, "what": b.what, "message": b.text, "calls": list(b.calls), "count": b.count}


def _link(k: Link) -> dict[str, Any]:
    """How two sources go together."""
    c = k.clock
    return {
        "source": k.source,
        "reference": k.reference,
        "both": k.pairs,
        "changed": k.changed,
        "only": k.only,
        "reference_only": k.reference_only,
        "unclear": k.unclear,
        "clock": None
        if c is None
        else {
            "at_ns": c.at_ns,
            "offset_ns": c.offset_ns,
            "drift_ppm": c.drift_ppm if c.drifts else None,
            "spread_ns": c.spread_ns,
            "pairs": c.pairs,
            "same": c.same,
        },
    }


_AT_ONCE = 1 << 17
_COUNTED = (Kind.ENTER, Kind.EXIT, Kind.WHOLE_IN, Kind.BUFFER, Kind.DAMAGED)
"""Records that stand for an SMC or a message: entries, exits, whole rows (once), packets, and what is damaged."""


def _call_and_messages(capture: Capture, seq: int) -> Iterator[dict[str, Any]]:
    yield call_object(capture, seq)
    yield from (message_object(m, capture.options.show_secrets) for m in capture.messages_of(seq))


def message_object(m: Message, reveal: bool = False, number: Callable[[int], int] = _own) -> dict[str, Any]:
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
    out: dict[str, Any] = {
        "type": "call",
        "seq": capture.number(seq),
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
        "messages": [message_object(m, capture.options.show_secrets) for m in messages],
        "inferred": c.inferred,
        "paired": c.paired,
    }
    if c.parent is not None:
        out["parent"] = capture.number(c.parent)
    failure = diagnose.why(capture, seq) if capture.numbers is None else None  # a part does not know what was before it
    if failure is not None:
        out["failure"] = conditions.as_object(failure)
    notes = [{"name": n.name, "note": n.note, "severity": n.severity} for n in c.tree.walk() if n.note]
    if notes:
        out["notes"] = notes
    if capture.correlation is not None:
        out |= _sides(capture, c, capture.correlation)
    return out


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


def state_object(s: StateChange, number: Callable[[int], int] = _own) -> dict[str, Any]:
    """An object's change of state. ``number``: see Capture.number."""
    return {
        "type": "state",
        "object": s.object,
        "ts_ns": s.ts_ns,
        "from": s.frm,
        "to": s.to,
        "call": number(s.call),
        "inferred": s.inferred,
    }


def sequence_object(q: Sequence, number: Callable[[int], int] = _own) -> dict[str, Any]:
    """A sequence with its steps. ``number``: see Capture.number."""
    out: dict[str, Any] = {
        "type": "sequence",
        "kind": q.kind,
        "object": q.object,
        "start_ns": q.start_ns,
        "end_ns": q.end_ns,
        "outcome": q.outcome,
        "steps": [
            {
                "name": s.name,
                "first_call": number(s.first),
                "last_call": number(s.last),
                "outcome": s.outcome,
                **({"why": s.why} if s.why else {}),
            }
            for s in q.steps
        ],
        "source": q.source,
        "calls": len(q.calls),
    }
    if q.why:
        out["why"] = q.why
    return out


def finding_object(f: Finding, number: Callable[[int], int] = _own) -> dict[str, Any]:
    """A finding, with what its rule says of all of them. ``number``: see Capture.number."""
    rule = checks.RULES.get(f.rule)
    return {
        "type": "finding",
        "rule": f.rule,
        "severity": f.severity,
        "message": f.message,
        "object": f.object,
        "calls": [number(c) for c in f.calls],
        "source": f.source if f.source >= 0 else None,
        "offset": f.offset if f.offset >= 0 else None,
        "spec": f.spec or (rule.spec if rule is not None else ""),
        **({"title": rule.title, "why": rule.why, "next": rule.next} if rule is not None else {}),
    }


def summary_object(capture: Capture, seqs: np.ndarray) -> dict[str, Any]:
    """Totals over the calls that were written, and over the capture for what was lost and found."""
    c = capture.calls
    status = np.bincount(c.status[seqs] + 1, minlength=len(capture.statuses) + 1) if len(seqs) else np.zeros(1, dtype=int)
    by_status = {name: int(n) for name, n in zip(["none", *capture.statuses], status.tolist(), strict=False) if n}
    unknown = [i for i, n in enumerate(capture.names) if n.startswith("unknown")]
    lost = 0
    for s in capture.sources:
        at = np.flatnonzero(s.records.kind == Kind.LOST)
        lost += int(s.records.regs[at, 0].sum()) if len(at) else 0
    return {
        "type": "summary",
        "calls": len(seqs),
        "by_status": by_status,
        "unknown": int(np.isin(c.name[seqs], unknown).sum()),
        "lost": lost,
        "lost_markers": int(sum((s.records.kind == Kind.LOST).sum() for s in capture.sources)),
        "damaged": int(sum((s.records.kind == Kind.DAMAGED).sum() for s in capture.sources)),
        "duplicates": capture.duplicates + sum(int(s.records.facts.get("duplicates", 0)) for s in capture.sources),
        "ignored_lines": sum(int(s.records.facts.get("ignored", 0)) for s in capture.sources),
        "findings": dict(Counter(f.severity for f in capture.findings)),
    }
