"""Followed some calls at a time, a capture has the sequences and states that it has when it is followed as a whole."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.model import Capture
from rmitrace.lifecycle import course
from rmitrace.lifecycle.course import Course
from rmitrace.lifecycle.devices import DeviceTracker
from rmitrace.lifecycle.ledger import Ledger, settled, states_of

from .scripts import capture_of
from .test_events import COMMUNICATE, CONTINUE, CREATE, DELEGATE, DESTROY, GET_STATE, UNDELEGATE, A, followed, made, others, polls


def in_parts(capture: Capture, size: int) -> tuple[list[Any], list[Any]]:
    ledger, found = Ledger(), Course(capture, 0)
    with patch.object(course, "_AT_ONCE", size):
        DeviceTracker(capture, 0, found, ledger, lambda first, last: f"; said at {first}").run()
    sequences = [
        (q.kind, q.object, q.first, q.last, q.outcome, q.why, [(s.name, s.outcome, s.why, s.calls.tolist()) for s in q.steps])
        for q in settled(ledger, found.start, found.rows)
    ]
    return sequences, list(states_of(ledger))


@settings(max_examples=200, deadline=None)
@given(st.lists(polls | polls | others | others, max_size=60), st.integers(1, 20))
def test_the_same_as_a_whole(script: list[tuple[int, int, int, int]], size: int) -> None:
    capture = capture_of([made(*step) for step in script])
    assert in_parts(capture, size) == followed(capture, True)


def test_granules_of_an_operation_go_with_it() -> None:
    """RMI_PDEV_CREATE is INCOMPLETE with handle 7; what is delegated up to its RMI_OP_CONTINUE belongs to it, wherever the
    calls are parted; the destroyed one before it does not."""
    script = [(CREATE, A, 0, 0), (GET_STATE, A, 0, 4), (DESTROY, A, 0, 0), (UNDELEGATE, A, 0, 0)]
    script += [(CREATE, A, 13, 7), *[(DELEGATE, A + 0x1000 * i, 0, 0) for i in range(1, 9)], (CONTINUE, A, 0, 7)]
    script += [(COMMUNICATE, A, 0, 0)] * 5 + [(GET_STATE, A, 0, 0), (DESTROY, A, 0, 0)]
    capture = capture_of([made(*step) for step in script])
    for size in (1, 2, 5, 100):
        sequences, _ = in_parts(capture, size)
        steps = [(kind, [(name, calls) for name, _, _, calls in told]) for kind, *_, told in sequences]
        assert ("connect", ("create", list(range(4, 14)))) in [(kind, told[0]) for kind, told in steps], size
