"""``view -f``: what is written to a file shows, and the cursor stays where it is unless it is at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest

from rmitrace.capture.follow import feed
from rmitrace.capture.follow.live import Live
from rmitrace.tui import TimelineApp, reading, view
from rmitrace.tui.bars import Header
from tests.rmitrace.tui.driver import Driver

LINES = (Path(__file__).parents[3] / "captures/ftrace/pdev-connect.trace.txt").read_bytes().splitlines(keepends=True)
EXITS = [i for i, x in enumerate(LINES) if b"smc_exit:" in x]


@asynccontextmanager
async def following(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Driver]:
    monkeypatch.setattr(reading, "_REFRESH_S", 0.01)
    monkeypatch.setattr(reading, "_SHARE", 1)
    live = Live([str(path)])
    live.step()
    shown = TimelineApp(live.whole(waiting=True), live=live)
    async with shown.run_test(size=(120, 30)) as pilot:
        d = Driver(pilot, shown)
        await d.settle(8)
        yield d
        shown._ending = True
    live.close()


async def until(d: Driver, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
        await d.settle(3)


def add(path: Path, lines: list[bytes]) -> None:
    with path.open("ab") as out:
        out.writelines(lines)


async def test_new_calls_appear_and_the_cursor_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(LINES[: EXITS[8] + 1]))
    async with following(path, monkeypatch) as d:
        header = d.main.query_one(Header)
        assert "following" in header.render_line(0).text
        await d.press("s", "g", "j", "j")  # all calls in order of time; the third row
        kind, third = d.row
        assert d.main.model.calls == 9
        add(path, LINES[EXITS[8] + 1 : EXITS[14] + 1])
        await until(d, lambda: d.main.model.calls == 15)
        assert d.row == (kind, third)
        assert "15 calls" in header.render_line(0).text
        assert "following" in header.render_line(0).text


async def test_at_the_end_the_cursor_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(LINES[: EXITS[8] + 1]))
    async with following(path, monkeypatch) as d:
        await d.press("s", "G")
        assert d.row[1] == 8
        add(path, LINES[EXITS[8] + 1 : EXITS[11] + 1])
        await until(d, lambda: d.main.model.calls == 12)
        assert d.row[1] == 11


async def test_a_call_that_has_not_returned_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(LINES[: EXITS[3] + 1]))
    async with following(path, monkeypatch) as d:
        await d.press("s", "G")
        add(path, LINES[EXITS[3] + 1 : EXITS[4]])
        await until(d, lambda: d.main.model.calls == 5)
        assert "no exit" in d.text("list")
        add(path, [LINES[EXITS[4]]])
        await until(d, lambda: "no exit" not in d.text("list"))
        assert d.main.model.calls == 5


async def test_an_empty_file_begins_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "QUIET_S", 0.05)
    path = tmp_path / "trace.txt"
    path.write_bytes(b"")
    async with following(path, monkeypatch) as d:
        assert d.main.model.calls == 0
        add(path, LINES[: EXITS[2] + 1])
        await until(d, lambda: d.main.model.calls == 3)


async def test_the_end_of_a_pipe_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    path = tmp_path / "pipe"
    os.mkfifo(path)
    async with following(path, monkeypatch) as d:
        # in a thread: opening a FIFO waits for its reader, which may be waiting for this loop
        await asyncio.to_thread(path.write_bytes, b"".join(LINES))
        await until(d, lambda: "ended" in d.main.query_one(Header).render_line(0).text)
        assert d.main.model.calls == len(EXITS)


async def test_what_cannot_be_followed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"")
    async with following(path, monkeypatch) as d:
        path.write_bytes(b"\x1f\x8b\x08 packed\n")
        await until(d, lambda: "not followed any more" in d.main.query_one(Header).render_line(0).text)
        await until(d, lambda: "is compressed" in d.said)


async def test_findings_stay_until_the_longer_capture_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "SMALL", 0)
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(LINES[: EXITS[-3] + 1]))
    async with following(path, monkeypatch) as d:
        add(path, LINES[EXITS[-3] + 1 : EXITS[-2] + 1])
        await until(d, lambda: d.main.model.calls == len(EXITS) - 1 and d.main.model.learned)
        before = d.main.model
        spoken = [c for c in range(before.calls) if before.messages_of(c)]
        failed = [(f.rule, f.calls) for f in before.findings if f.severity == "error"]
        assert spoken
        assert failed
        checks, go = [], Event()

        def study(self: view.View, real: Callable[[view.View], view.Study] = view.View.study) -> view.Study:
            checks.append(self)
            go.wait(30)
            return real(self)

        monkeypatch.setattr(view.View, "study", study)
        add(path, LINES[EXITS[-2] + 1 :])
        await until(d, lambda: bool(checks) and d.main.model.calls == len(EXITS))
        now = d.main.model
        assert not now.learned
        assert [c for c in range(now.calls) if now.messages_of(c)] == spoken
        assert [(f.rule, f.calls) for f in now.findings if f.severity == "error"] == failed
        assert "findings…" in d.main.query_one(Header).render_line(0).text
        go.set()
        await until(d, lambda: d.main.model.learned)
        assert "findings…" not in d.main.query_one(Header).render_line(0).text
