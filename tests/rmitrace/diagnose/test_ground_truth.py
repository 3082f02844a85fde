"""Errors that were provoked: the condition that truly held is held or left open, never struck."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rmitrace import diagnose
from rmitrace.capture import Capture, open_capture
from tests.rmitrace.diagnose.truth import ALP16, HEAD, labels

RMM = Path(__file__).parents[3] / "captures" / "rmm"
RUNS = {"head-errors": HEAD, "alp16-errors": ALP16}


@pytest.fixture(scope="module", params=RUNS)
def run(request: pytest.FixtureRequest) -> tuple[Capture, dict[int, set[str]]]:
    return open_capture([str(RMM / f"tf-rmm-{request.param}.calls.jsonl.xz")]), labels(RUNS[request.param])


def verdicts(capture: Capture, call: int) -> dict[str, bool | None]:
    d = diagnose.why(capture, call)
    assert d is not None, call
    return {v.condition.id: v.holds for v in d.verdicts}


def test_what_held_is_never_struck(run: tuple[Capture, dict[int, set[str]]]) -> None:
    capture, truth = run
    for call, ids in truth.items():
        found = verdicts(capture, call)
        assert ids <= found.keys(), (call, ids - found.keys())
        assert not any(found[i] is False for i in ids), (call, found)


def test_most_are_shown_to_hold(run: tuple[Capture, dict[int, set[str]]]) -> None:
    """Nine in ten; the rest is about memory, interrupts and entry flags that no register shows."""
    capture, truth = run
    held = [c for c, ids in truth.items() if any(verdicts(capture, c)[i] for i in ids)]
    assert len(held) >= 0.9 * len(truth), sorted(set(truth) - set(held))


def test_the_cause_that_is_named_is_the_true_one(run: tuple[Capture, dict[int, set[str]]]) -> None:
    capture, truth = run
    for call, ids in truth.items():
        d = diagnose.why(capture, call)
        assert d is not None
        if d.cause is not None:
            assert d.cause.condition.id in ids, (call, d.cause)


def test_every_refused_call_is_labelled_or_has_no_conditions(run: tuple[Capture, dict[int, set[str]]]) -> None:
    """So that the tables are whole: what is left are statuses that the text does not have for the command."""
    capture, truth = run
    left = set()
    for call in np.flatnonzero(capture.calls.failed).tolist():
        d = diagnose.why(capture, call)
        if d is not None and d.verdicts and call not in truth:
            left.add((d.command, d.status))
    assert left <= {
        ("RMI_PDEV_CREATE", "RMI_ERROR_NOT_SUPPORTED"),  # a category that TF-RMM does not have
        ("RMI_PDEV_STREAM_CONNECT", "RMI_ERROR_NOT_SUPPORTED"),  # a stream type
        ("RMI_PDEV_STREAM_KEY_PURGE", "RMI_ERROR_NOT_SUPPORTED"),  # not implemented
        ("RMI_REC_ENTER", "RMI_ERROR_REC"),  # entry flags of which one is enough
        ("RMI_PDEV_CREATE", "RMI_ERROR_INPUT"),  # a parameter that TF-RMM of 1.1 alone looks at
    }


def test_evidence_is_of_calls_before(run: tuple[Capture, dict[int, set[str]]]) -> None:
    capture, truth = run
    for call in truth:
        d = diagnose.why(capture, call)
        assert d is not None
        for v in (*d.verdicts, *d.others):
            assert all(0 <= c < call for c in v.calls)
            assert v.holds is None or v.text
