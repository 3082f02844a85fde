"""What is exported is what ``decode --format json`` gives; what takes long of it is done behind the screen."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rmitrace.capture import Capture, OpenOptions, open_capture
from rmitrace.export import jsonl, jsonl_calls
from rmitrace.tui import sharing, view
from tests.rmitrace.tui.driver import Driver, running
from tests.rmitrace.tui.test_seeking import until

TRACE = str(Path(__file__).parents[3] / "captures/ftrace/pdev-connect.trace.txt")
pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def opened() -> Capture:
    return open_capture([TRACE], OpenOptions(cache=False))


class Why:
    """Stands for the process that says why calls failed: it does when it may."""

    def __init__(self, capture: Capture) -> None:
        self.capture, self.asked, self.may = capture, threading.Event(), threading.Event()

    def __call__(self, call: int) -> Any:
        self.asked.set()
        assert self.may.wait(30)
        return self.capture.why(call)


async def to_failed_call(d: Driver) -> int:
    call = int(np.flatnonzero(d.main.model.capture.calls.failed)[0])
    d.main.go_to_call(call)
    await d.settle(8)
    return call


async def test_why_a_call_failed_is_waited_for_behind_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "FEW", 0)
    why = Why(opened())
    async with running(opened()) as d:
        d.main.model.explain = why
        call = await to_failed_call(d)
        await d.pilot.press("e", "enter")
        await until(d, why.asked.is_set)
        assert d.said == "exporting: finding out why the call failed, Esc stops"
        before = d.main.list.cursor
        await d.pilot.press("up")
        assert d.main.list.cursor == before - 1  # the screen goes on
        why.may.set()
        await until(d, lambda: d.said == f"written: call-{call}.json")
    written = json.loads((tmp_path / f"call-{call}.json").read_text())
    assert written == jsonl_calls.call_object(opened(), call)
    assert written["failure"]


async def test_escape_stops_it_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "FEW", 0)
    why = Why(opened())
    async with running(opened()) as d:
        d.main.model.explain = why
        call = await to_failed_call(d)
        await d.pilot.press("e", "enter")
        await until(d, why.asked.is_set)
        path = tmp_path / f"call-{call}.json"
        assert path.exists()
        await d.pilot.press("escape")
        assert d.said == "stopped"
        why.may.set()
        await until(d, lambda: not path.exists())
        assert d.said == "stopped"


@pytest.mark.parametrize("few", [0, 1000])
async def test_a_sequence_call_by_call(few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_FEW", few)
    capture = opened()
    table = capture.sequences
    assert (table[0].kind, len(table[0].calls)) == ("connect", 1 + 24 + 16 + 1 + 5)  # its steps in README.md
    async with running(capture) as d:
        d.main.go_to_heading(0)
        await d.press("e", "enter")
        assert d.said == f"written: connect-{table[0].first}.json"
    one, other = opened(), opened()
    expected = jsonl.sequence_object(one.sequences[0])
    assert expected.pop("calls") == 47
    expected["calls"] = [jsonl_calls.call_object(other, c) for c in one.sequences[0].calls.tolist()]
    assert (tmp_path / f"connect-{table[0].first}.json").read_text() == json.dumps(expected, indent=1) + "\n"


async def test_a_disk_that_is_full_is_told_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(capture: Capture, seq: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(jsonl_calls, "call_object", full)
    async with running(opened()) as d:
        d.main.go_to_call(3)
        await d.press("e", "enter")
        assert d.said == "call-3.json: No space left on device"
    assert not list(tmp_path.iterdir())
