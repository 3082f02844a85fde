"""Opening in two steps: the first screen from the first part, then the whole, with the selection kept."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

import rmitrace.tui.app as application
import rmitrace.tui.reading as reading
from rmitrace.capture import CaptureError, OpenOptions
from rmitrace.tui import TimelineApp
from rmitrace.tui.bars import Header
from rmitrace.tui.rows import RowKind
from tests.rmitrace.tui.driver import Driver
from tests.rmitrace.tui.fake import SCRIPT, FakeCapture


def preview() -> FakeCapture:
    """The first seven calls: the second connect is not there yet."""
    capture = FakeCapture(script=SCRIPT[:7], sequences=1)
    capture.complete = False
    return capture


async def finished(app: TimelineApp) -> None:
    """Wait for the reading behind the screen."""
    assert app.background is not None
    await asyncio.to_thread(app.background.join, 60)


class Opener:
    """Stands for open_capture: waits until told to go on."""

    def __init__(self, result: Any) -> None:
        self.result, self.go = result, threading.Event()

    def __call__(self, paths: list[str], options: OpenOptions, limit: int | None = None) -> Any:
        assert options.progress is not None
        options.progress(1_000_000, 4_000_000)
        assert self.go.wait(10)
        options.progress(4_000_000, 4_000_000)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def test_the_whole_replaces_the_preview_and_the_selection_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    opener = Opener(FakeCapture())
    monkeypatch.setattr(reading, "open_capture", opener)
    app = TimelineApp(preview(), ["trace.txt"])  # type: ignore[arg-type]
    async with app.run_test(size=(100, 30)) as pilot:
        d = Driver(pilot, app)
        await d.settle(8)
        header = app.main.query_one(Header)
        assert "7 calls" in header.render_line(0).text
        assert "reading…" in header.render_line(0).text
        app._began -= 2  # as if two seconds had passed
        app._progress()
        assert "reading 25% of 4 MB" in header.render_line(0).text
        for key in ("G", "k", "m"):
            await pilot.press(key)
        assert d.row == (RowKind.CALL, 6)
        opener.go.set()
        await finished(app)
        await d.settle(8)
        assert "12 calls" in header.render_line(0).text
        assert "reading" not in header.render_line(0).text
        assert d.row == (RowKind.CALL, 6)
        assert app.main.model.bookmarks == {6}
        assert app.capture is opener.result


@pytest.mark.parametrize("error", [CaptureError("trace.txt: damaged \x1b[2J"), RuntimeError("boom")])
async def test_what_goes_wrong_while_reading_is_shown(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    opener = Opener(error)
    opener.go.set()
    monkeypatch.setattr(reading, "open_capture", opener)
    app = TimelineApp(preview(), ["trace.txt"])  # type: ignore[arg-type]
    async with app.run_test(size=(100, 30)) as pilot:
        d = Driver(pilot, app)
        await d.settle(8)
        await finished(app)
        await d.settle(8)
        assert str(error) in d.said
        assert "only the first part" in app.main.query_one(Header).render_line(0).text
        assert d.main.list.count() > 0


async def test_quitting_stops_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()

    def endless(paths: list[str], options: OpenOptions, limit: int | None = None) -> Any:
        try:
            while True:
                assert options.progress is not None
                options.progress(1, 2)
                threading.Event().wait(0.01)
        finally:
            stopped.set()

    monkeypatch.setattr(reading, "open_capture", endless)
    app = TimelineApp(preview(), ["trace.txt"])  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("q")
    assert await asyncio.to_thread(stopped.wait, 5)


def test_run_reads_the_first_part_then_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_bytes(b"\n")
    asked: list[int | None] = []

    def opened(paths: list[str], options: OpenOptions, limit: int | None = None) -> Any:
        asked.append(limit)
        if limit is not None:
            raise CaptureError("trace.txt: no SMC traffic recognised")
        return FakeCapture()

    monkeypatch.setattr(reading, "open_capture", opened)
    monkeypatch.setattr(TimelineApp, "run", lambda self: None)
    assert application.run([str(path)], OpenOptions()) == 0
    assert asked == [reading.PREVIEW, None]  # what the first part does not tell, the whole may


def test_run_passes_on_that_nothing_can_be_shown(tmp_path: Path) -> None:
    with pytest.raises(CaptureError):
        application.run([str(tmp_path / "none.txt")], OpenOptions())


async def test_an_empty_capture() -> None:
    app = TimelineApp(FakeCapture(script=[], sequences=0, lines=[]))  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        d = Driver(pilot, app)
        await d.settle(8)
        await d.press(
            *"jGgac", "x", "s", "F", "F", "]", "p", "+", "y", "e", "o", "m", "tab", "j", "a", "space", "tab", "tab", "enter", "."
        )
        assert "0 calls" in app.main.query_one(Header).render_line(0).text


async def test_messages_and_findings_of_a_large_capture_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    import rmitrace.tui.view as view

    go = threading.Event()
    study = view.View.study

    def slow(self: view.View) -> Any:
        assert go.wait(60)
        return study(self)

    monkeypatch.setattr(view, "SMALL", 3)
    monkeypatch.setattr(view.View, "study", slow)
    app = TimelineApp(FakeCapture())  # type: ignore[arg-type]
    async with app.run_test(size=(100, 30)) as pilot:
        d = Driver(pilot, app)
        await d.settle(8)
        header = app.main.query_one(Header)
        assert "checking…" in header.render_line(0).text
        assert "!" not in d.text("lanes")
        await d.press("]")
        assert d.said == "still checking"
        await d.press("G")
        go.set()
        await finished(app)
        await d.settle(8)
        assert "3 findings" in header.render_line(0).text
        assert "!" in d.text("lanes")
        assert d.row == (RowKind.CALL, 11)


class Slow(FakeCapture):
    """Its objects are followed once that is allowed."""

    go: threading.Event | None = None

    def __getattribute__(self, name: str) -> Any:
        if name == "sequences" and (go := object.__getattribute__(self, "go")) is not None:
            assert go.wait(60)
        return object.__getattribute__(self, name)


async def test_many_calls_are_shown_before_their_objects_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Slow()
    go = capture.go = threading.Event()
    opener = Opener(capture)
    opener.go.set()
    monkeypatch.setattr(reading, "open_capture", opener)
    monkeypatch.setattr(reading, "FEW", 3)
    app = TimelineApp(preview(), ["trace.txt"])  # type: ignore[arg-type]
    async with app.run_test(size=(100, 30)) as pilot:
        d = Driver(pilot, app)
        for _ in range(3000):
            await d.settle(3)
            if app.main.model.calls == 12:
                break
            await asyncio.sleep(0.01)
        app._progress()
        header = app.main.query_one(Header)
        assert "12 calls" in header.render_line(0).text
        assert "following objects" in header.render_line(0).text
        app._since -= 75
        app._progress()
        assert "following objects… 75 s" in header.render_line(0).text
        assert d.main.list.count() == 12 + 2  # every call and log line by itself
        await d.pilot.press("G", "k", "k", "k")
        assert d.row == (RowKind.CALL, 9)
        go.set()
        await finished(app)
        await d.settle(8)
        assert "following" not in header.render_line(0).text
        assert "connect" in d.text("list")
        assert d.row == (RowKind.CALL, 9)  # of a sequence that was folded


async def test_ctrl_c_ends_the_reading_and_shows_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def patient(paths: list[str], options: OpenOptions, limit: int | None = None) -> Any:
        assert options.stop is not None
        while not options.stop():
            threading.Event().wait(0.01)
        return FakeCapture(script=SCRIPT[:9], sequences=1)

    monkeypatch.setattr(reading, "open_capture", patient)
    app = TimelineApp(preview(), ["trace.txt"])  # type: ignore[arg-type]
    async with app.run_test(size=(100, 30)) as pilot:
        d = Driver(pilot, app)
        await d.settle(8)
        await pilot.press("ctrl+c")
        assert d.said.startswith("showing what was read")
        await finished(app)
        await d.settle(8)
        assert app.main.model.calls == 9
        await pilot.press("ctrl+c")
        assert d.said == "q quits"


LATE = [b"[    0.000000] a kernel that says nothing of interest for long\n"] * 4000
TRACE = (Path(__file__).parents[3] / "captures/ftrace/pdev-connect.trace.txt").read_bytes()


async def test_a_long_file_that_does_not_say_at_first_what_it_is_shows_a_screen_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 1 << 17)
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(LATE) + TRACE * 10)
    first = reading.first_part([str(path)], OpenOptions())
    assert not first.complete
    assert len(first.calls) == 0
    app = TimelineApp(first, [str(path)])
    async with app.run_test(size=(100, 30)) as pilot:
        d = Driver(pilot, app)
        await d.settle(8)
        await finished(app)
        await d.settle(8)
        assert app.main.model.calls == 10 * TRACE.count(b"smc_exit:")
        assert app.problem is None


async def test_a_long_file_that_cannot_be_read_ends_the_viewer_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 1 << 17)
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(LATE) + b"\n" * 4000)
    app = TimelineApp(reading.first_part([str(path)], OpenOptions()), [str(path)])
    async with app.run_test(size=(100, 30)) as pilot:
        await Driver(pilot, app).settle(8)
        await finished(app)
    assert app.return_code == 2
    assert "no SMC traffic recognised" in str(app.problem)


def test_what_is_read_at_first_touches_no_objects() -> None:
    """Following them takes half a minute for ten million calls."""
    from rmitrace.tui.view import View

    capture = FakeCapture()
    del capture.sequences, capture.states
    view = View(capture, followed=False)  # type: ignore[arg-type]
    assert len(view.rows) == 12 + 2
    assert view.states_of("pdev:0x88001000", [1]) == []
