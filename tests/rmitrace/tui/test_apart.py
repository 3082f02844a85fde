"""Objects are followed and a capture is checked in another process as they are in this one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rmitrace import checks, lifecycle
from rmitrace.capture import Capture, OpenOptions, open_capture
from rmitrace.capture.index import identity, keeper
from rmitrace.tui.apart import Apart, Explainer

TRACE = str(Path(__file__).parents[3] / "captures/ftrace/pdev-connect.trace.txt")


@pytest.fixture
def long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file that is long enough to have an index, and may have one at once."""
    monkeypatch.setattr(keeper, "SMALLEST", 1)
    monkeypatch.setattr(identity, "_SETTLED_NS", 0)
    path = tmp_path / "trace.txt"
    path.write_bytes(Path(TRACE).read_bytes() + b"# a line that is no record\n" * 50_000)
    return str(path)


def test_tables_and_findings_are_those_of_this_process() -> None:
    here, there = open_capture([TRACE]), open_capture([TRACE])
    apart = Apart([TRACE], OpenOptions())
    try:
        assert apart.follow(there)
        assert apart.check(there)
    finally:
        apart.end()
    same(here, there)


@pytest.mark.parametrize("followed", [False, True])
def test_what_is_found_out_is_left_beside_the_index(long: str, followed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    options = OpenOptions(cache=True)
    there, here = open_capture([long], options), open_capture([TRACE])
    assert there.keeper is not None
    if followed:
        assert there.sequences
        there.keeper.learn(there)
    apart = Apart([long], options, followed=followed)
    monkeypatch.setattr(lifecycle, "follow", lambda capture: pytest.fail("followed here"))
    monkeypatch.setattr(checks, "run", lambda capture: pytest.fail("checked here"))
    try:
        assert followed or apart.follow(there)
        assert there.keeper.keeps("followed")
        assert apart.check(there)
        assert there.keeper.keeps("checked")
    finally:
        apart.end()
    monkeypatch.undo()
    same(here, there)


def same(here: Capture, there: Capture) -> None:
    assert [(s.title, s.outcome, s.why, s.start_ns, s.end_ns) for s in there.sequences] == [
        (s.title, s.outcome, s.why, s.start_ns, s.end_ns) for s in here.sequences
    ]
    for one, two in zip(there.sequences, here.sequences, strict=True):
        assert np.array_equal(one.calls, two.calls)
        assert [(s.name, s.outcome, list(s.calls)) for s in one.steps] == [(s.name, s.outcome, list(s.calls)) for s in two.steps]
    assert list(there.states) == list(here.states)
    assert there.findings == here.findings
    assert {f.rule for f in there.findings} >= {"SEQUENCE-FAILED"}


def test_why_calls_failed_is_what_this_process_says() -> None:
    capture = open_capture([TRACE])
    explainer = Explainer([TRACE], OpenOptions())
    try:
        for seq in np.flatnonzero(capture.calls.failed).tolist():
            assert explainer.why(len(capture), seq) == capture.why(seq) is not None
        assert explainer.why(len(capture), 0) is None
        with pytest.raises(OSError, match="no answer"):
            explainer.why(len(capture) + 1, 0)  # of another capture
    finally:
        explainer.end()
    with pytest.raises(OSError, match="ended"):
        explainer.why(len(capture), 0)


@pytest.mark.parametrize("work", ["Apart", "Explainer"])
def test_it_ends_with_a_parent_that_is_killed(work: str, tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)  # never written to: opening it does not end
    code = f"""import sys, time
from rmitrace.capture import OpenOptions
from rmitrace.tui.apart import {work}
helper = {work}([sys.argv[1]], OpenOptions())
print(getattr(helper, "_helper", helper)._process.pid, flush=True)
time.sleep(60)"""
    with subprocess.Popen([sys.executable, "-c", code, str(fifo)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert runs(pid)
        parent.kill()
    end = time.monotonic() + 30
    while runs(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not runs(pid)


def runs(pid: int) -> bool:
    """Whether a process is there, and not only its number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_process_that_fails_is_told(tmp_path: Path) -> None:
    capture = open_capture([TRACE])
    apart = Apart([str(tmp_path / "none.txt")], OpenOptions())
    assert not apart.follow(capture)
    assert not apart.check(capture)
    apart.end()
    assert len(capture.sequences) == 2  # worked out here


def test_tables_of_another_capture_are_not_taken() -> None:
    capture = open_capture([TRACE])
    other = Apart([str(Path(TRACE).with_name("connect.trace.txt"))], OpenOptions())
    assert not other.follow(capture)
    other.end()


def test_ending_it_ends_who_waits_for_it(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)  # never written to: reading it does not end
    apart = Apart([str(fifo)], OpenOptions())
    found: list[bool] = []
    capture = open_capture([TRACE])
    waiting = threading.Thread(target=lambda: found.append(apart.follow(capture)))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    apart.end()
    waiting.join(10)
    assert found == [False]


@pytest.mark.parametrize("name", ["numpy.py", "rmitrace.py"])
def test_nothing_is_imported_from_the_working_directory(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_text("raise SystemExit('imported')\n")
    monkeypatch.chdir(tmp_path)
    capture = open_capture([TRACE])
    apart = Apart([TRACE], OpenOptions())
    assert apart.follow(capture)
    apart.end()
