"""Followed some calls at a time, a capture has the sequences and states that it has when it is followed as a whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.lifecycle.course import course

from .scripts import (
    COMMUNICATE,
    CONTINUE,
    CREATE,
    DELEGATE,
    DESTROY,
    GET_STATE,
    UNDELEGATE,
    A,
    capture_of,
    followed,
    made,
)
from .test_devices import others, polls


@settings(max_examples=200, deadline=None)
@given(st.lists(polls | polls | others | others, max_size=60), st.integers(1, 20))
def test_the_same_as_a_whole(script: list[tuple[int, int, int, int]], size: int) -> None:
    capture = capture_of([made(*step) for step in script])
    assert followed(capture, at_once=size) == followed(capture)


def test_granules_of_an_operation_go_with_it() -> None:
    """RMI_PDEV_CREATE is INCOMPLETE with handle 7; what is delegated up to its RMI_OP_CONTINUE belongs to it, wherever the
    calls are parted; the destroyed one before it does not."""
    script = [(CREATE, A, 0, 0), (GET_STATE, A, 0, 4), (DESTROY, A, 0, 0), (UNDELEGATE, A, 0, 0)]
    script += [(CREATE, A, 13, 7), *[(DELEGATE, A + 0x1000 * i, 0, 0) for i in range(1, 9)], (CONTINUE, A, 0, 7)]
    script += [(COMMUNICATE, A, 0, 0)] * 5 + [(GET_STATE, A, 0, 0), (DESTROY, A, 0, 0)]
    capture = capture_of([made(*step) for step in script])
    for size in (1, 2, 5, 100):
        sequences, _ = followed(capture, at_once=size)
        steps = [(kind, [(name, calls) for name, _, _, calls in told]) for kind, *_, told in sequences]
        assert ("connect", ("create", list(range(4, 14)))) in [(kind, told[0]) for kind, told in steps], size


@pytest.mark.parametrize("far", [4000, 5000])
def test_granules_far_from_devices_are_of_no_device(far: int) -> None:
    script = [(DELEGATE, 0x1000, 0, 0), *[(0xC4000165, 0, 0, 0)] * far, (CREATE, A, 0, 0)]
    parts = list(course(capture_of([made(*step) for step in script]), 0))
    assert [(device.tolist(), granule.tolist()) for device, granule in parts] == [([far + 1], [0] * (far < 4096))]


def test_a_granule_that_is_not_given_back() -> None:
    """Status 1 is RMI_ERROR_INPUT."""
    script = [(CREATE, A, 0, 0), (GET_STATE, A, 0, 0), (DESTROY, A, 0, 0), (UNDELEGATE, A, 0, 0), (UNDELEGATE, A + 0x1000, 1, 0)]
    sequences, _ = followed(capture_of([made(*step) for step in script]))
    whys = {kind: why for kind, *_, why, _ in sequences}
    assert whys["disconnect"] == "RMI_GRANULE_RANGE_UNDELEGATE of 0x88002000 returned RMI_ERROR_INPUT"
