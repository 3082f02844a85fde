"""Kinds of calls are what each call is, decoded by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import OpenOptions, open_capture
from rmitrace.tui import callkinds
from rmitrace.tui.callkinds import CallKinds, among

CAPTURES = Path(__file__).parents[3] / "captures"


@pytest.mark.parametrize(
    "names", [("rmm/tf-rmm-head-errors.calls.jsonl.xz",), ("ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log")]
)
def test_of_each_call(names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callkinds, "_AT_ONCE", 10)
    capture = open_capture([str(CAPTURES / n) for n in names], OpenOptions(cache=False))
    kinds = CallKinds(capture)
    wanted = [
        (capture.name_text(i), c.status or "", c.inferred, c.source) for i, c in enumerate(map(capture.call, range(len(capture))))
    ]
    for calls in (np.arange(len(capture)), np.arange(len(capture))[::-1], np.array([len(capture) - 1, 0]), np.arange(0)):
        assert [kinds.parts(int(k)) for k in kinds.of(calls)] == [wanted[c] for c in calls.tolist()]
    assert kinds.all() == among(kinds.of(np.arange(len(capture))))
    assert {kinds.parts(k) for k in kinds.all()} == set(wanted)


def test_the_different_ones_are_told_by_counting_or_sorting() -> None:
    assert among(np.array([5, 3, 5, 0])) == [0, 3, 5]
    assert among(np.array([5, 1 << 40, 5])) == [5, 1 << 40]
    assert among(np.zeros(0, dtype=np.int32)) == []
