"""Runs the application in a test: presses keys and reads the panes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from rmitrace.tui import TimelineApp
from rmitrace.tui.bars import StatusBar
from rmitrace.tui.main import MainScreen
from rmitrace.tui.rows import RowKind
from tests.rmitrace.tui.fake import FakeCapture


class Driver:
    """Presses keys and reads the screen."""

    def __init__(self, pilot: Pilot[None], app: TimelineApp) -> None:
        self.pilot, self.app = pilot, app

    @property
    def main(self) -> MainScreen:
        return self.app.main

    async def press(self, *keys: str) -> None:
        """Send keys; settle between them by going round every queue, which is quicker than waiting for an idle machine."""
        for key in keys:
            char = key if len(key) == 1 else None
            self.app.post_message(events.Key(_character_to_key(key) if char and not key.isalnum() else key, char))
            await self.settle(3)
        await self.settle(3)
        await self.app.workers.wait_for_complete()
        await self.settle(8)

    async def answer(self, *keys: str) -> None:
        """Press keys that end in an open input, of which the last is the text for it, and enter the text."""
        *before, text = keys
        await self.press(*before)
        self.app.screen.query_one(Input).value = text
        await self.press("enter")

    async def settle(self, rounds: int) -> None:
        for _ in range(rounds):
            await self.pilot.pause(0)

    @property
    def row(self) -> tuple[RowKind, int]:
        row = self.main.list.row
        assert row is not None
        return row.kind, row.ref

    @property
    def said(self) -> str:
        return self.main.query_one(StatusBar).message

    def text(self, pane: str) -> str:
        widget = self.main.query_one(f"#{pane}")
        return "\n".join(widget.render_line(y).text for y in range(widget.scrollable_content_region.height))

    @property
    def focus(self) -> str | None:
        return self.app.screen.focused.id if self.app.screen.focused else None


@asynccontextmanager
async def running(capture: Any = None, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Driver]:
    app = TimelineApp(FakeCapture() if capture is None else capture)
    async with app.run_test(size=size) as pilot:
        driver = Driver(pilot, app)
        await driver.settle(8)
        yield driver
