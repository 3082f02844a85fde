"""What takes long in a long capture is done behind the screen: it can be stopped, and another key replaces it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rmitrace.query as query
from rmitrace.tui import seeking, view
from tests.rmitrace.tui.driver import Driver, running
from tests.rmitrace.tui.fake import FakeCapture


class Asked:
    """Stands for query.holding: every condition but those in ``quick`` is worked on until it is stopped."""

    def __init__(self, *quick: str) -> None:
        self.quick, self.stopped, self.began = quick, threading.Event(), threading.Event()

    def __call__(self, capture: Any, where: str, progress: Callable[[int], None]) -> Any:
        if where in self.quick:
            return np.arange(len(capture.calls)) == 9
        self.began.set()
        try:
            for count in range(1000):
                progress(count)
                threading.Event().wait(0.01)
            raise AssertionError("not stopped")
        finally:
            self.stopped.set()


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every capture were long."""
    monkeypatch.setattr(seeking, "FEW", 0)
    monkeypatch.setattr(view, "FEW", 0)


async def until(d: Driver, holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        await d.settle(1)
        threading.Event().wait(0.005)
    raise AssertionError("does not come")


async def ask(d: Driver, where: str) -> None:
    """Enter a condition, and do not wait for what becomes of it."""
    from textual.widgets import Input

    await d.pilot.press("f")
    d.app.screen.query_one(Input).value = where
    await d.pilot.press("enter")


@pytest.mark.usefixtures("long")
async def test_escape_stops_a_filter_and_what_was_shown_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr(query, "check", lambda capture, where: None)
    monkeypatch.setattr(query, "holding", asked)
    async with running() as d:
        await ask(d, "seq > 1")
        await until(d, asked.began.is_set)
        assert "Esc stops" in d.said
        await d.pilot.press("escape")
        await until(d, asked.stopped.is_set)
        await d.settle(8)
        assert d.said == "stopped"
        assert d.main.model.filter_text == ""
        assert d.main.model.mask is None


@pytest.mark.usefixtures("long")
async def test_escape_drops_a_filter_as_soon_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go_on = Asked("failed"), threading.Event()
    monkeypatch.setattr(query, "check", lambda capture, where: None)
    monkeypatch.setattr(query, "holding", asked)
    async with running() as d:
        call = d.app.call_from_thread

        def call_and_linger(*given: Any) -> Any:
            call(*given)
            go_on.wait(10)

        monkeypatch.setattr(d.app, "call_from_thread", call_and_linger)
        await ask(d, "failed")
        await until(d, lambda: d.main.model.filter_text == "failed")
        await d.pilot.press("escape")
        go_on.set()
        await until(d, lambda: not d.main.model.filter_text)
        assert d.main.model.mask is None


@pytest.mark.usefixtures("long")
async def test_another_filter_replaces_the_one_that_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked("failed")
    monkeypatch.setattr(query, "check", lambda capture, where: None)
    monkeypatch.setattr(query, "holding", asked)
    async with running() as d:
        await ask(d, "seq > 1")
        await until(d, asked.began.is_set)
        await ask(d, "failed")
        await until(d, lambda: d.main.model.filter_text == "failed")
        assert asked.stopped.wait(10)
        mask = d.main.model.mask
        assert mask is not None
        assert np.flatnonzero(mask).tolist() == [9]


@pytest.mark.usefixtures("long")
async def test_quitting_stops_a_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr(query, "check", lambda capture, where: None)
    monkeypatch.setattr(query, "holding", asked)
    async with running() as d:
        await ask(d, "seq > 1")
        await until(d, asked.began.is_set)
        await d.pilot.press("q")
    assert asked.stopped.wait(5)


@pytest.mark.usefixtures("long")
async def test_forms_of_the_list_and_the_lanes_of_a_long_capture() -> None:
    async with running() as d:
        await d.press("a")
        assert d.main.list.count() == 2 + 4 + 12 + 2
        await d.press("A")
        folded = d.main.list.count()
        assert folded == 2 + 3 + 1  # two sequences, three calls in none, and the line in front of them
        await d.press("L")
        assert d.main.list.count() == folded - 1
        await d.press("s")
        assert d.main.list.count() == 12
        await d.press("s", "c")
        assert d.main.model.timeline.cpus
        assert d.main.list.count() == folded - 1


class Explained(FakeCapture):
    """Why a call failed is found in a thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, bool]] = []
        self.go = threading.Event()

    def why(self, seq: int) -> None:
        assert self.go.wait(10)
        self.asked.append((seq, threading.current_thread() is threading.main_thread()))


@pytest.mark.usefixtures("long")
async def test_why_a_call_failed_is_worked_out_behind_the_screen() -> None:
    capture = Explained()
    async with running(capture) as d:
        d.main.go_to_call(9)  # the one that failed
        await d.settle(8)
        assert "being worked out" in d.text("tree")
        capture.go.set()
        await until(d, lambda: "being worked out" not in d.text("tree"))
        assert capture.asked == [(9, False)]
        await d.press("j", "k")
        assert capture.asked == [(9, False)]


async def test_sequences_are_not_asked_for_before_they_are_known() -> None:
    """They would be worked out in this process, in the time of the screen."""
    async with running() as d:
        d.main.model.followed = False
        await d.answer("f", "sequence = 'connect' AND failed")
        assert "sequences are not known yet" in str(d.main.query_one("#say").render())
        assert not d.main.model.filter_text
