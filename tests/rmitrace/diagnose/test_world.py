"""What is kept of the state of things."""

from __future__ import annotations

import sys

import pytest

from rmitrace.capture import OpenOptions, open_capture
from rmitrace.diagnose.world import World
from tests.rmitrace.capture.messages.runs import CAPTURES


def test_courses_of_devices_are_kept_of_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = open_capture([str(CAPTURES / "rmm" / "tf-rmm-head-nominal.calls.jsonl.xz")], OpenOptions(cache=False))
    every = World(capture, 0)
    made = every.columns.done_with(("PDEV_CREATE",), "pdev_ptr").value.tolist()
    asked = [(address, seq) for seq in range(0, len(capture.calls), 11) for address in dict.fromkeys(made)]
    wanted = [every.pdev(*a) for a in asked]
    assert len(set(made)) == 2
    assert len({w.state for w in wanted}) > 3

    monkeypatch.setattr(sys.modules[World.__module__], "_HISTORIES", 1)
    few = World(capture, 0)
    assert [few.pdev(*a) for a in asked] == wanted
    assert few._pdev.cache_info().currsize == 1
