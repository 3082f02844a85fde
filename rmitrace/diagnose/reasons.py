"""Reasons of calls that failed, as an index keeps them: what the trace says about each condition.

A reason is JSON: of each condition of the status [holds, text, calls], and of those with other statuses that hold
[number, text, calls]. Which conditions these are is not kept but asked again. What cannot be such a reason is none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from decoders.abi import Failure

from .asked import asked
from .diagnosis import Diagnosis, Verdict

if TYPE_CHECKING:
    from ..capture.model import Capture

_LONGEST = 1 << 20
"""Bytes of a reason."""


class Reasons:
    """``seq``: the calls, ascending; ``end``: where the reason of each ends in ``text``."""

    def __init__(self, seq: npt.NDArray[np.int64], end: npt.NDArray[np.int64], text: npt.NDArray[np.uint8]) -> None:
        """Raises ValueError where the columns do not fit each other."""
        if len(seq) != len(end) or bool((np.diff(seq) <= 0).any()) or bool((np.diff(end, prepend=0) < 0).any()):
            raise ValueError("reasons in another order")
        if len(end) and int(end[-1]) > len(text):
            raise ValueError("reasons that are cut")
        self.seq, self.end, self.text = seq, end, text

    def of(self, capture: Capture, seq: int) -> Diagnosis | None:
        """Why a call failed, None where that is not kept, or what is kept cannot be."""
        i = int(self.seq.searchsorted(seq))
        if i == len(self.seq) or self.seq[i] != seq:
            return None
        start, stop = int(self.end[i - 1]) if i else 0, int(self.end[i])
        try:
            return _diagnosis(capture, seq, json.loads(bytes(self.text[start:stop]))) if stop - start <= _LONGEST else None
        except (ValueError, TypeError, LookupError, RecursionError):
            return None


def given(capture: Capture, diagnoses: list[Diagnosis]) -> Reasons:
    """What to keep."""
    found = {d.seq: d for d in diagnoses}
    seqs = sorted(found)
    texts = [_row(capture, found[seq]) for seq in seqs]
    end = np.cumsum([len(t) for t in texts], dtype=np.int64)
    return Reasons(np.array(seqs, dtype=np.int64), end, np.frombuffer(b"".join(texts), dtype=np.uint8))


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
