"""Reasons that were kept come back as they were; those that cannot be are worked out again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from rmitrace.capture import Capture, open_capture
from rmitrace.diagnose import reasons, why
from tests.rmitrace.capture.messages.runs import CAPTURES

REFUSED = ["tf-rmm-head-errors.calls.jsonl.xz", "tf-rmm-alp16-errors.calls.jsonl.xz", "tf-rmm-head-errors.log.xz"]


def opened(name: str = REFUSED[0]) -> tuple[Capture, list[int]]:
    """A capture and its failed calls of which it is known why."""
    capture = open_capture([str(CAPTURES / "rmm" / name)])
    return capture, [q for q in np.flatnonzero(capture.calls.failed).tolist() if why(capture, q) is not None]


@pytest.mark.parametrize("name", REFUSED)
def test_they_come_back(name: str) -> None:
    capture, failed = opened(name)
    diagnoses = [d for q in failed if (d := why(capture, q)) is not None]
    assert any(d.others for d in diagnoses)
    kept = reasons.given(capture, diagnoses[1:])
    again = open_capture([str(CAPTURES / "rmm" / name)])
    assert [kept.of(again, d.seq) for d in diagnoses] == [None, *diagnoses[1:]]


def row(capture: Capture, seq: int) -> Any:
    d = why(capture, seq)
    assert d is not None
    return json.loads(bytes(reasons.given(capture, [d]).text))


def one(text: bytes, seq: int) -> reasons.Reasons:
    return reasons.Reasons(np.array([seq]), np.array([len(text)]), np.frombuffer(text + b" ", dtype=np.uint8))


def changes(told: Any) -> list[Any]:
    """Rows that no call can have, made of one that a call has."""
    own, others = told
    first, *rest = own
    return [
        [[], others],
        [[*own, first], others],
        [[[1, first[1], first[2]], *rest], others],
        [[["yes", first[1], first[2]], *rest], others],
        [[[True, None, first[2]], *rest], others],
        [[[True, "\x1b[31mred", first[2]], *rest], others],
        [[[True, "text", [-1]], *rest], others],
        [[[True, "text", [10**9]], *rest], others],
        [[[True, "text", [True]], *rest], others],
        [[[True, "text", 3], *rest], others],
        [own, [[-1, "text", []]]],
        [own, [[10**6, "text", []]]],
        [own, [[True, "text", []]]],
        [own, [[0, "text", []], [0, "text", []]]],
        [own, [0]],
        [own],
        {},
        None,
    ]


def test_what_cannot_be_is_none() -> None:
    capture, failed = opened()
    seq = next(q for q in failed if len(row(capture, q)[0]) > 1)
    told = row(capture, seq)
    assert one(json.dumps(told).encode(), seq).of(capture, seq) == why(capture, seq)
    for changed in changes(told):
        assert one(json.dumps(changed).encode(), seq).of(capture, seq) is None, changed
    for text in (b"", b"[", b"[" * 100_000, b"\xff", b"[" + b" " * (1 << 20) + b"[],[]]"):
        assert one(text, seq).of(capture, seq) is None
    assert one(json.dumps(told).encode(), seq + 1).of(capture, seq) is None  # of another call


@pytest.mark.parametrize(
    ("seqs", "ends"), [([1, 1], [0, 1]), ([2, 1], [0, 1]), ([1, 2], [2, 1]), ([1, 2], [1]), ([1], [9]), ([1], [-1])]
)
def test_columns_that_do_not_fit_are_refused(seqs: list[int], ends: list[int]) -> None:
    with pytest.raises(ValueError, match="texts"):
        reasons.Reasons(np.array(seqs), np.array(ends), np.zeros(4, dtype=np.uint8))
