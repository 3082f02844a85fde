"""The conditions of a failed call as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..diagnose import Diagnosis, Verdict, sentence
from ..display import safe


def lines(d: Diagnosis, full: bool = False) -> Iterator[str]:
    """One line a condition: '+' holds, '-' is struck, '?' is open; then what is known of firmware that does otherwise.

    ``full``: those that are struck get a line each too, with what strikes them.
    """
    sources = list(dict.fromkeys(v.condition.source for v in d.verdicts))
    told = f" ({'; '.join(sources)})" if sources else ""
    yield safe(f"{d.status} of {d.command}, {d.revision}{told}")
    shown = [v for v in d.verdicts if full or v.holds is not False]
    width = max((len(v.condition.id) for v in shown), default=0)
    for v in sorted(shown, key=lambda v: (v.holds is False, v.holds is None)) if not full else shown:
        yield safe(f"  {v.mark} {v.condition.id:<{width}}  {sentence(v)}")
    struck = [v.condition.id for v in d.verdicts if v.holds is False]
    if struck and not full:
        yield safe(f"  - {', '.join(struck)}")
    if not d.verdicts:
        yield f"  no condition of {d.command} gives {d.status} in what was read"
    if d.left and d.cause is not None:
        yield safe(f"  {d.cause.condition.id} is the only one that is left")
    for v in d.others:
        yield safe(f"  ! {v.condition.id} holds too, for which the list has {v.condition.status}: {v.text}")
    for remark in d.remarks:
        yield safe(f"  # {remark}")


def as_object(d: Diagnosis) -> dict[str, Any]:
    """The same for JSON: conditions with holds true, false or null, the cause by id, others and remarks."""
    return {
        "revision": d.revision,
        "cause": None if d.cause is None else d.cause.condition.id,
        "left": d.left,
        "conditions": [_object(v) for v in d.verdicts],
        "others": [_object(v) for v in d.others],
        "remarks": list(d.remarks),
    }


def _object(v: Verdict) -> dict[str, Any]:
    c = v.condition
    return {
        "id": c.id,
        "status": c.status,
        "when": c.when,
        "source": c.source,
        "holds": v.holds,
        "text": v.text,
        "calls": list(v.calls),
    }
