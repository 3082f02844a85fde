from __future__ import annotations

from unittest.mock import patch

import numpy as np

from rmitrace.lifecycle import codes, columns
from rmitrace.lifecycle.columns import Columns

from .scripts import CONTINUE, CREATE, GET_STATE, VDEV_CREATE, A, B, capture_of, followed, made


def test_how_calls_ended() -> None:
    """DEN0137 2.0: 10 is RMI_BUSY, 13 RMI_INCOMPLETE, 6 RMI_ERROR_DEVICE. A command ends as the calls that work for it do: the
    first RMI_PDEV_CREATE fails with the RMI_OP_CONTINUE that stands behind it, the last one has no end."""
    script = [(CREATE, A, 13, 7), (CONTINUE, 0, 6, 7), (CREATE, A, 10, 0), (VDEV_CREATE, A, 0, 0), (CREATE, B, 13, 8)]
    name, flags, state, x1, x2, x3, call, last = Columns(capture := capture_of([made(*s) for s in script]), 0).of(
        np.array([0, 2, 3, 4])
    )
    good = codes.HAS_STATUS | codes.DONE
    failed = codes.FAILED | codes.DEVICE_ERROR
    assert flags.tolist() == [good | failed, good | codes.RETRY, good, codes.HAS_STATUS]
    assert [capture.names[n] for n in name] == ["RMI_PDEV_CREATE", "RMI_PDEV_CREATE", "RMI_VDEV_CREATE", "RMI_PDEV_CREATE"]
    assert (x1.tolist(), x2.tolist(), x3.tolist()) == ([A, A, A, B], [0, 0, B, 0], [0, 0, A, 0])
    assert (state.tolist(), call.tolist(), last.tolist()) == ([-1] * 4, [0, 2, 3, 4], [1, 2, 3, 4])


def test_states_that_are_none() -> None:
    """Any value is a state of its own, up to so many different ones: low values are given a place first."""
    values = [3, 200, 63, 64, (1 << 64) - 1, 200]
    capture = capture_of([made(GET_STATE, A, 0, v) for v in values])
    names = [f"state {v}" if v > 3 else "READY" for v in values]
    assert [s.to for s in followed(capture)[1]] == names
    with patch.object(columns, "_MOST_STATES", len(codes.STATES) + 1):
        assert [s.to for s in followed(capture)[1]] == ["READY", "another state", "state 63", "another state"]
