"""Pictures of the screen at the sizes people use. After a wanted change: pytest --snapshot-update, and look at the pictures."""

from __future__ import annotations

from typing import Any

import pytest

from rmitrace.tui import TimelineApp
from tests.rmitrace.tui.fake import FakeCapture


def app(**kw: Any) -> TimelineApp:
    return TimelineApp(FakeCapture(**kw))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_failed_call(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(app(), press=["G", "k", "k", "k"], terminal_size=size)


def test_field_marked_in_its_bytes(snap_compare: Any) -> None:
    assert snap_compare(app(), press=["G", "k", "k", "k", "enter", "a", "g", *["j"] * 6], terminal_size=(120, 40))


def test_light_and_zoomed(snap_compare: Any) -> None:
    assert snap_compare(app(), press=["p", "p", "t", "plus"], terminal_size=(100, 30))


def test_no_times_and_cpu_lanes(snap_compare: Any) -> None:
    assert snap_compare(app(timed=False), press=["c", "a", "j"], terminal_size=(80, 24))


def test_keys(snap_compare: Any) -> None:
    assert snap_compare(app(), press=["question_mark"], terminal_size=(80, 24))


def test_findings(snap_compare: Any) -> None:
    assert snap_compare(app(), press=["exclamation_mark", "down"], terminal_size=(80, 24))


def test_filter_asked_for(snap_compare: Any) -> None:
    async def no_blinking(pilot: Any) -> None:
        await pilot.press("f")
        pilot.app.screen.query_one("Input").cursor_blink = False

    assert snap_compare(app(), run_before=no_blinking, terminal_size=(80, 24))


def test_hostile_text(snap_compare: Any) -> None:
    nasty = "a\x1b[2Jb\x9b31m\u202ec[red]d[/bad]"
    assert snap_compare(app(comm=nasty, lines=[nasty, nasty]), press=["j", "T"], terminal_size=(120, 40))
