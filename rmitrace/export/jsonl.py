"""JSON lines: one object a line, the form that scripts and other tools rely on.

capture, call, message, state, sequence, finding and summary objects; ASCII only, so that nothing read from a capture
reaches a terminal alive.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from typing import IO, Any

import numpy as np

from .. import checks
from ..answers import of_capture
from ..capture.model import Capture
from ..capture.records import Finding, Kind
from ..capture.source import Source
from ..correlate import Link
from ..correlate.skew import Bite, Opinion, opinions
from ..lifecycle.model import Sequence, StateChange
from .answers import to_json
from .jsonl_calls import Calls, as_line, message_object, own


def write(capture: Capture, seqs: Iterable[int], out: IO[str], whole: Callable[[], bool] = lambda: True) -> None:
    """Every object of the capture, calls limited to ``seqs`` (ascending). ``whole`` is asked behind the last of them: where it
    says no, what is told of all calls is left out."""

    def put(item: dict[str, Any]) -> None:
        out.write(as_line(item) + "\n")

    put(capture_object(capture))
    calls = Calls(capture)
    chosen = array("q")
    for row in calls.rows.read(seqs):
        chosen.append(row.seq)
        out.write(calls.text(row))
        for m in capture.messages_of(row.seq):
            put(message_object(m, capture.options.show_secrets))
    if not whole():
        return
    # before anything that asks for all messages at once: of a long conversation only some trees are kept
    for m in capture.conversations.stream():
        if m.place.call is None:
            put(message_object(m, capture.options.show_secrets))
    for s, a in of_capture(capture):
        put(to_json(a, s))
    for item in ending(capture, np.array(chosen, dtype=np.int64)):
        put(item)


def ending(capture: Capture, chosen: np.ndarray, told: Container[Finding] = ()) -> Iterator[dict[str, Any]]:
    """What is written behind the calls: states, sequences, findings (those not ``told`` before) and the summary."""
    yield from (state_object(s, capture.number) for s in capture.states)
    yield from (sequence_object(q, capture.number) for q in capture.sequences)
    yield from (finding_object(f, capture.number) for f in capture.findings if f not in told)
    yield summary_object(capture, chosen)


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


def state_object(s: StateChange, number: Callable[[int], int] = own) -> dict[str, Any]:
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


def sequence_object(q: Sequence, number: Callable[[int], int] = own) -> dict[str, Any]:
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


def finding_object(f: Finding, number: Callable[[int], int] = own) -> dict[str, Any]:
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
