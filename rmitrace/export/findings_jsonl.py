"""Findings as JSON lines: capture, findings with the conditions of the call that failed, summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from .. import diagnose
from ..capture.model import Capture
from ..checks.suppress import Sifted
from . import conditions, jsonl


def write(capture: Capture, found: Sifted, out: IO[str]) -> None:
    """One object a line."""
    for item in objects(capture, found):
        out.write(json.dumps(item, separators=(",", ":")) + "\n")


def objects(capture: Capture, found: Sifted) -> Iterator[dict[str, Any]]:
    """The objects in the order in which they are written; a suppressed finding has the reason in ``suppressed``."""
    yield jsonl.capture_object(capture)
    for f in found.shown:
        item = jsonl.finding_object(f)
        first = f.calls[0] if f.calls and 0 <= f.calls[0] < len(capture.calls) else -1
        d = diagnose.why(capture, first) if first >= 0 and f.severity != "note" else None
        if d is not None:
            item["failure"] = conditions.as_object(d)
        yield item
    for f, entry in found.suppressed:
        yield {**jsonl.finding_object(f), "suppressed": entry.reason}
    yield {
        "type": "summary",
        "calls": len(capture.calls),
        "findings": dict(Counter(f.severity for f in found.shown)),
        "suppressed": len(found.suppressed),
        "unused_suppressions": [{"rule": e.rule, "reason": e.reason, "where": e.where} for e in found.unused],
    }
