"""The calls that connected streams, as columns."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.diagnose.streams import Connects, Stream, stream_next

A, B = 0x88001000, 0x88002000


def connects() -> Connects:
    """Of calls 5, 7, 9 and 12: between A and B, A with itself, A alone known, none known and no handle given."""
    pairs = ((A, B), (A, A), (A, 0), (0, 0))
    one, two = (np.array([p[i] for p in pairs], dtype=np.uint64) for i in (0, 1))
    return Connects(np.array([5, 7, 9, 12]), np.array([True, True, True, False]), one, two, {7: 1})


def pairs(found: tuple[np.ndarray, np.ndarray]) -> list[tuple[int, int]]:
    return sorted(zip(found[1].tolist(), found[0].tolist(), strict=True))


def test_each_device_of_a_call_once() -> None:
    assert pairs(connects().on(named=True)) == [(5, A), (5, B), (7, A), (9, A)]
    assert pairs(connects().on(gave=True)) == [(5, A), (5, B), (7, A), (9, 0), (9, A)]


def test_the_stream_of_a_call() -> None:
    assert connects().of(7) == Stream("CONNECTING", A, A, 1, 7)
    assert connects().of(9) == Stream("CONNECTING", A, 0, None, 9)


@pytest.mark.parametrize(
    ("state", "command", "to"),
    [
        ("CONNECTING", "RMI_PDEV_STREAM_COMPLETE", "CONNECTED"),
        ("CONNECTED", "RMI_PDEV_STREAM_DISCONNECT", "DISCONNECTING"),
        ("DISCONNECTING", "RMI_PDEV_STREAM_COMPLETE", "DISCONNECTED"),
        ("CONNECTED", "RMI_PDEV_STREAM_KEY_REFRESH", "KEY_REFRESHING"),
        ("KEY_PURGING", "RMI_PDEV_STREAM_COMPLETE", "CONNECTED"),
    ],
)
def test_what_a_command_leads_to(state: str, command: str, to: str) -> None:
    """The PDEV_STREAM state machine of DEN0137 2.0."""
    assert stream_next(state, command) == to
