"""Keys that come in one piece, as a terminal sends what is pasted or typed ahead."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual import events
from textual.message import Message
from textual.widgets import Input

from rmitrace.tui import inorder
from rmitrace.tui.inorder import InOrder
from rmitrace.tui.prompt import Prompt
from rmitrace.tui.screens import HelpScreen
from tests.rmitrace.tui.driver import Driver, running

CAPTURE = Path(__file__).parents[3] / "captures/ftrace/pdev-connect.trace.txt"


async def at_once(d: Driver, keys: str) -> None:
    """Put keys in the queue together, before any of them is looked at."""
    names = {"\r": "enter", "\t": "tab", "\x1b": "escape", "/": "slash", "?": "question_mark", "_": "underscore"}
    for key in keys:
        d.app.post_message(events.Key(names.get(key, key), key))
    await d.settle(3)
    while d.app._coming or d.app._under_way:
        await d.settle(1)
    await d.press()


def shown(d: Driver, y: int) -> str:
    """What a line of the screen shows."""
    return "".join(s.text for s in d.app.screen._compositor.render_strips()[y])


async def test_text_behind_the_key_that_opens_a_prompt() -> None:
    async with running() as d:
        await at_once(d, "/q_GF")
        assert d.main.query_one(Prompt).is_open
        assert d.main.query_one(Input).value == "q_GF"
        assert d.focus == "input"


async def test_keys_behind_the_one_that_closes_it() -> None:
    async with running() as d:
        await at_once(d, "/PDEV_NOT_THERE\rjj")
        assert not d.main.query_one(Prompt).is_open
        assert d.focus == "list"
        assert d.main.list.cursor == 2
        await at_once(d, "/jj\x1bj")
        assert d.main.list.cursor == 3


async def test_keys_behind_those_that_move_the_focus() -> None:
    async with running(size=(100, 40)) as d:
        await d.press("j")
        await at_once(d, "\tj")
        assert d.focus == "tree"
        assert (d.main.list.cursor, d.main.tree_pane.cursor) == (1, 1)
        await at_once(d, "?\x1bz")
        assert not isinstance(d.app.screen, HelpScreen)
        assert d.main.alone == "tree"


async def test_pasted_behind_the_key_that_opens_a_prompt() -> None:
    async with running() as d:
        d.app.post_message(events.Key("slash", "/"))
        d.app.post_message(events.Paste("PDEV_STOP"))
        await d.press()
        assert d.main.query_one(Input).value == "PDEV_STOP"


async def test_a_key_whose_way_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that went to a pane which is gone by the time does not keep the others from being handed on, nor from being drawn."""
    monkeypatch.setattr(inorder, "_PATIENCE_S", 0.1)
    async with running() as d:
        post = d.main.list.post_message
        lost: list[Message] = []

        def post_or_lose(message: Message) -> bool:
            if isinstance(message, InOrder.Followed) and not lost:
                lost.append(message)
                return True
            return post(message)

        monkeypatch.setattr(d.main.list, "post_message", post_or_lose)
        await at_once(d, "jj")
        assert lost
        assert d.main.list.cursor == 2
        assert "❯" in shown(d, d.main.list.region.y + 1 + 2)


async def test_a_key_to_what_takes_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is closing refuses the message behind the key: the next key is handed on at once."""
    monkeypatch.setattr(inorder, "_PATIENCE_S", 3600)
    async with running() as d:
        post = d.main.list.post_message
        monkeypatch.setattr(d.main.list, "post_message", lambda m: False if isinstance(m, InOrder.Followed) else post(m))
        await at_once(d, "jj")
        assert d.main.list.cursor == 2


@contextmanager
def terminal() -> Iterator[int]:
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="100", LINES="30")
        os.execv(sys.executable, [sys.executable, "-m", "rmitrace", "view", "--no-cache", str(CAPTURE)])
    try:
        yield fd
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(fd)


def until(fd: int, *words: bytes) -> bool:
    """Whether some words come, each at some time, before the other end is closed."""
    seen, end = b"", time.monotonic() + 60
    while not all(w in seen for w in words):
        if not select.select([fd], [], [], max(end - time.monotonic(), 0))[0]:
            return False
        try:
            seen += os.read(fd, 1 << 16)
        except OSError:
            return False
    return True


def test_a_terminal_that_sends_all_in_one_piece() -> None:
    with terminal() as fd:
        assert until(fd, b"Timeline", b"help")
        os.write(fd, b"/zzqzz\r")
        assert until(fd, b"not found: zzqzz")
        os.write(fd, b"q")
        until(fd, b"nothing")
