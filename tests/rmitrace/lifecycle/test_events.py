from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.model import Capture
from rmitrace.lifecycle.devices import DeviceTracker
from rmitrace.lifecycle.events import events
from rmitrace.lifecycle.ledger import Ledger, settled, states_of

from .scripts import Made, capture_of

CREATE, COMMUNICATE, GET_STATE, DESTROY, PUBKEY, STOP, ABORT = (0xC4000176, 0xC4000175, 0xC4000178, 0xC4000177, 0xC400017B,
                                                                0xC400017C, 0xC4000174)  # fmt: skip
VDEV_CREATE, VDEV_COMMUNICATE, VDEV_GET_STATE, VDEV_DESTROY = 0xC4000187, 0xC4000186, 0xC4000189, 0xC4000188
STREAM_CONNECT, STREAM_COMPLETE, CONTINUE = 0xC4000204, 0xC4000206, 0xC4000203
DELEGATE, UNDELEGATE = 0xC40001F1, 0xC40001F2
A, B = 0x88001000, 0x88002000


def followed(capture: Capture, together: bool) -> tuple[list[Any], list[Any]]:
    """Sequences with all that is told of them, and states."""
    ledger, found = Ledger(), events(capture, 0, together=together)
    DeviceTracker(capture, 0, found, ledger, lambda first, last: f"; said at {first}").run()
    sequences = [
        (q.kind, q.object, q.first, q.last, q.outcome, q.why, [(s.name, s.outcome, s.why, s.calls.tolist()) for s in q.steps])
        for q in settled(ledger, found.start, found.rows)
    ]
    return sequences, list(states_of(ledger))


polls = st.tuples(
    st.sampled_from([COMMUNICATE, COMMUNICATE, GET_STATE, GET_STATE, GET_STATE]),
    st.sampled_from([A, B]),
    st.sampled_from([0, 0, 0, 0, 0, 9]),
    st.sampled_from([0, 1, 1, 3, 3, 5]),
)
others = st.tuples(
    st.sampled_from([CREATE, DESTROY, PUBKEY, STOP, ABORT, VDEV_CREATE, VDEV_DESTROY, STREAM_CONNECT, STREAM_COMPLETE, 0xC4000205,
                     DELEGATE, UNDELEGATE, CONTINUE, VDEV_GET_STATE, VDEV_COMMUNICATE]),
    st.sampled_from([A, B]),
    st.sampled_from([0, 0, 0, 9, 13]),
    st.integers(0, 5),
)  # fmt: skip


def made(fid: int, address: int, status: int, value: int) -> Made:
    second = address + 0x1000 if fid in (DELEGATE, UNDELEGATE) else B
    return fid, (value if fid == CONTINUE else address, second, address, 0), (status, value, 0, 0)


@settings(max_examples=300, deadline=None)
@given(st.lists(polls | polls | polls | others, max_size=60))
def test_taking_polls_together_changes_nothing(script: list[tuple[int, int, int, int]]) -> None:
    capture = capture_of([made(*step) for step in script])
    assert followed(capture, True) == followed(capture, False)


def test_polls_between_two_commands_are_one_event() -> None:
    script = [(CREATE, A, 0, 0), *[(GET_STATE, A, 0, 0), (COMMUNICATE, A, 0, 0)] * 50, (GET_STATE, A, 0, 1)]
    capture = capture_of([made(*step) for step in script])
    found = events(capture, 0)
    # create; the first read of the state; all else up to the read that gives another state; that one
    assert [(e.first, e.last, e.reads) for e in found] == [(0, 0, 0), (1, 1, 0), (2, 100, 49), (101, 101, 0)]
    assert len(found.rows) == 102
    assert [e.name for e in found][2] == "RMI_PDEV_COMMUNICATE"
    assert len(events(capture, 0, together=False)) == 102


def test_reads_that_stand_first_are_an_event_of_their_own() -> None:
    """A read belongs to the step before it, a RMI_PDEV_COMMUNICATE may begin one."""
    script = [(CREATE, A, 0, 0), (GET_STATE, A, 0, 0), (GET_STATE, A, 0, 0), (COMMUNICATE, A, 0, 0), (GET_STATE, A, 0, 0)]
    capture = capture_of([made(*step) for step in script])
    assert [(e.first, e.reads) for e in events(capture, 0)] == [(0, 0), (1, 0), (2, 0), (3, 1)]
    (connect,), _ = followed(capture, True)
    assert [(name, rows) for name, _, _, rows in connect[-1]] == [("create", [0, 1, 2]), ("negotiate", [3, 4])]


def test_two_devices_that_are_polled_at_once() -> None:
    script = [(CREATE, A, 0, 0), (CREATE, B, 0, 0), (GET_STATE, A, 0, 0), (GET_STATE, B, 0, 0)]
    script += [(COMMUNICATE, A, 0, 0), (COMMUNICATE, B, 0, 0), (GET_STATE, A, 0, 0), (GET_STATE, B, 0, 0)] * 20
    capture = capture_of([made(*step) for step in script])
    assert len(events(capture, 0)) == 6
    sequences, _ = followed(capture, True)
    assert [len(q[-1][-1][-1]) for q in sequences] == [40, 40]


def test_what_fails_stands_alone() -> None:
    script = [(COMMUNICATE, A, 0, 0), (COMMUNICATE, A, 9, 0), (COMMUNICATE, A, 0, 0), (GET_STATE, A, 9, 0)]
    capture = capture_of([made(*step) for step in script])
    assert [(e.first, e.failed) for e in events(capture, 0)] == [(0, False), (1, True), (2, False), (3, True)]


@pytest.mark.parametrize("far", [4000, 5000])
def test_granules_far_from_devices_are_of_no_device(far: int) -> None:
    script = [(DELEGATE, 0x1000, 0, 0), *[(0xC4000165, 0, 0, 0)] * far, (CREATE, A, 0, 0)]
    capture = capture_of([made(*step) for step in script])
    found = events(capture, 0)
    assert [e.name for e in found] == ["RMI_GRANULE_RANGE_DELEGATE"] * (far < 4096) + ["RMI_PDEV_CREATE"]
    assert np.array_equal(found.granule, [0] * (far < 4096))
