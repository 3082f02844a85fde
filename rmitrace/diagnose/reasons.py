"""Reasons of calls that failed, as an index keeps them: what the trace says about each condition.

A reason is JSON: of each condition of the status [holds, text, calls], and of those with other statuses that hold
[number, text, calls]. Which conditions these are is not kept but asked again. What cannot be such a reason is none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from decoders.abi import Failure

from ..capture.texts import Texts
from .asked import asked
from .diagnosis import Diagnosis, Verdict

if TYPE_CHECKING:
    from ..capture.model import Capture

_LONGEST = 1 << 20
"""Bytes of a reason."""


class Reasons(Texts):
    """The reasons of some calls."""

    def of(self, capture: Capture, seq: int) -> Diagnosis | None:
        """Why a call failed, None where that is not kept, or what is kept cannot be."""
        found = self.bytes_of(seq)
        if found is None or len(found) > _LONGEST:
            return None
        try:
            return _diagnosis(capture, seq, json.loads(found))
        except (ValueError, TypeError, LookupError, RecursionError):
            return None


def given(capture: Capture, diagnoses: list[Diagnosis]) -> Reasons:
    """What to keep."""
    return Reasons.given({d.seq: _row(capture, d) for d in diagnoses})


def _row(capture: Capture, d: Diagnosis) -> bytes:
    a = asked(capture, d.seq)
    number = {id(f): i for i, f in enumerate(a.elsewhere if a is not None else ())}
    others = [[number[id(v.condition)], v.text, v.calls] for v in d.others]
    return json.dumps([[[v.holds, v.text, v.calls] for v in d.verdicts], others], separators=(",", ":")).encode("ascii")


def _diagnosis(capture: Capture, seq: int, row: Any) -> Diagnosis | None:
    a = asked(capture, seq)
    verdicts, others = row
    if a is None or len(verdicts) != len(a.own):
        return None
    n = len(capture)
    own = tuple(_verdict(f, holds, text, calls, n) for f, (holds, text, calls) in zip(a.own, verdicts, strict=True))
    numbers = [number for number, _, _ in others]
    if any(type(i) is not int or i < 0 for i in numbers) or numbers != sorted(set(numbers)):
        return None
    return a.diagnosis(own, tuple(_verdict(a.elsewhere[i], True, text, calls, n) for i, text, calls in others))


def _verdict(condition: Failure, holds: Any, text: Any, calls: Any, end: int) -> Verdict:
    """Raises ValueError where it cannot be."""
    if not (holds is None or isinstance(holds, bool)) or not isinstance(calls, list):
        raise ValueError("no verdict")
    if not isinstance(text, str) or not text.isprintable():
        raise ValueError("no verdict")
    if not all(type(c) is int and 0 <= c < end for c in calls):
        raise ValueError("a call that is not there")
    return Verdict(condition, holds, text, tuple(calls))
