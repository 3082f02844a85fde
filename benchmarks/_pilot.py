"""The viewer driven through Textual's Pilot: what keys, filters and searches cost. Each result is told as soon as it is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ._terminal import COLUMNS, LINES

MOVES = {
    "line down, up": ["down", "down", "up", "j", "k"],
    "page down, up": ["pagedown", "pagedown", "pageup"],
    "last, first line": ["end", "home"],
    "next sequence": ["}", "}", "{"],
    "fold, unfold": ["space", "space"],
    "next finding": ["]", "]", "["],
    "zoom": ["+", "+", "+", "-"],
    "pan": [">", ">", "<"],
    "whole timeline": ["+", "0"],
    "next pane": ["tab", "tab", "tab", "tab"],
    "maximise": ["z", "z"],
    "form of times": ["T", "T", "T"],
    "help": ["?", "escape"],
    "typing in a prompt": ["/", "s", "m", "c", "escape"],
}
"""Keys that are pressed again and again; what they do ends with the frame."""
CONDITIONS = (
    "failed",
    "name LIKE '%PDEV%'",
    "dur_us > 100",
    "x1 = 0x7fc5fc75e000",
    "object LIKE 'pdev:%'",
    "object LIKE '%fc75e000'",
    "object IN ('pdev:0x7fc5fc75e000', 'realm:0x1000') OR status = 'RMI_ERROR_INPUT'",
    "x1 = 0x7fc5fc75e000 OR x2 = 0x7fc5fc75e000 OR r1 = 5",
    "regexp_like(name, 'PDEV_(STOP|ABORT)') AND dur_us > 10",
    "index = 3",
    "task LIKE 'py%'",
    "sequence = 'connect'",
)
TEXTS = ("PDEV_ABORT", "7fc5fc75e000", "nothing of this kind", "0xdeadbeef", "deadbeef", "123456789")
FOLLOWED_S, CHECKED_S, ANSWER_S = 150.0, 150.0, 60.0
"""Seconds that are waited for the objects, for the findings, and for the answer to a filter or a search."""

Tell = Callable[..., None]
"""Takes what was measured ('key', 'filter', ...) and the values."""


def memory(pid: int | str = "self") -> tuple[float, float]:
    """MB of a process that are of no file, and that are of files; none of one that has ended."""
    try:
        said = Path(f"/proc/{pid}/status").read_text()
        return tuple(int(said.split(f"{k}:")[1].split()[0]) / 1024 for k in ("RssAnon", "RssFile"))  # type: ignore[return-value]
    except (OSError, IndexError):
        return 0.0, 0.0


def _children() -> Iterator[str]:
    for listed in Path("/proc/self/task").glob("*/children"):
        try:
            yield from listed.read_text().split()
        except OSError:
            continue


class Peak:
    """The most memory (MB of no file) of the process, of those that work for it, and of all together."""

    def __init__(self) -> None:
        self.own = self.helpers = self.all = 0.0

    async def watch(self) -> None:
        """Look every 50 ms."""
        while True:
            self.look()
            await asyncio.sleep(0.05)

    def look(self) -> list[float]:
        """What it is now, of files, and of the helpers; then the most: own, of the helpers, of all."""
        (own, files), helpers = memory(), sum(memory(c)[0] for c in _children())
        self.own, self.helpers, self.all = max(self.own, own), max(self.helpers, helpers), max(self.all, own + helpers)
        return [own, files, helpers, self.own, self.helpers, self.all]


def _only_above(renderable: Any) -> bool:
    """Whether a frame draws the line at the top alone: it tells each second how long the calls are being followed or checked,
    and no key changes it."""
    spans = getattr(renderable, "spans", None)
    return bool(spans) and all(y == 0 for y, _, _ in spans)


class Frames:
    """Presses keys and waits for what is drawn because of them."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self._app, self._pilot = app, pilot
        self.drawn = 0.0
        """When the last frame was drawn, and how much processor time this thread had used."""
        self.used = 0.0
        display = app._display

        def shown(screen: Any, renderable: Any) -> None:
            if renderable is not None:
                render = getattr(renderable, "render_segments", None)
                if render is not None:
                    render(app.console)  # without a terminal Textual leaves this out
            display(screen, renderable)
            if renderable is not None and not _only_above(renderable):
                self.drawn, self.used = time.perf_counter(), time.thread_time()

        app._display = shown

    async def press(self, key: str) -> tuple[float, float]:
        """ms from the key to the last frame that it made, and of the processor."""
        from textual import events
        from textual.keys import _character_to_key

        char = key if len(key) == 1 else None
        name = _character_to_key(key) if char and not key.isalnum() else key
        began, used = time.perf_counter(), time.thread_time()
        self.drawn, self.used = began, used
        self._app.post_message(events.Key(name, char))
        last = -1.0
        while self.drawn != last:  # a frame is drawn up to 1/60 s after what it is drawn for
            last = self.drawn
            await asyncio.sleep(0.04)
            for _ in range(4):  # round all queues, behind the frame: going there takes some ms of the same processor
                await self._pilot.pause(0)
        return (self.drawn - began) * 1000, (self.used - used) * 1000

    async def until(self, holds: Callable[[], bool], limit: float) -> float | None:
        """Seconds until something holds; None where that takes longer than ``limit``."""
        began = time.perf_counter()
        while not holds():
            if time.perf_counter() - began > limit:
                return None
            await asyncio.sleep(0.005)
        return time.perf_counter() - began


async def drive(path: str, keys: int, tell: Tell) -> None:
    """Look at a capture: keys, filters, searches."""
    from rmitrace.capture import OpenOptions
    from rmitrace.tui.app import TimelineApp
    from rmitrace.tui.reading import first_part

    options = OpenOptions(cache=True)
    peak = Peak()
    began = time.perf_counter()
    app = TimelineApp(first_part([path], options), [path], options)
    async with app.run_test(size=(COLUMNS, LINES)) as pilot:
        watching = asyncio.create_task(peak.watch())
        frames = Frames(app, pilot)
        tell("time", "first part shown", time.perf_counter() - began)
        await frames.until(lambda: app.capture.complete, FOLLOWED_S)
        tell("time", "all calls shown", time.perf_counter() - began)
        tell("memory", "all calls shown", *peak.look())
        rounds = max(keys // 20, 1)
        busy = [await frames.press(k) for _ in range(rounds) for k in ("pagedown", "j", "end", "home", "+", "0")]
        tell("key", "while objects are followed", busy)
        followed = await frames.until(lambda: app.main.model.followed, FOLLOWED_S)
        tell("time", "objects followed", None if followed is None else time.perf_counter() - began)
        tell("memory", "objects followed", *peak.look())
        tell("calls", app.main.model.calls)
        every: list[tuple[float, float]] = []
        for what, pressed in MOVES.items():
            found = [await frames.press(k) for _ in range(max(keys // len(pressed), 1)) for k in pressed]
            tell("key", what, found)
            every += found
        tell("key", "all of these", every)
        for where in CONDITIONS:
            tell("filter", where, *await _filter(app, frames, where))
        await frames.press("home")
        for text in TEXTS:
            tell("search", text, *await _search(app, frames, text))
        tell("memory", "filtered and searched", *peak.look())
        checked = await frames.until(lambda: app.main.model.learned, CHECKED_S)
        tell("time", "findings shown", None if checked is None else time.perf_counter() - began)
        await frames.press("home")
        found = [await frames.press(k) for _ in range(max(keys // 3, 1)) for k in "]]["]
        tell("key", "next finding, checked", found)
        await frames.press("home")
        tell("search", "why a call failed", *await _why(app, frames))
        tell("memory", "in the end", *peak.look())
        watching.cancel()
        app._ending = True
        app._end_apart()
        app.end_explainer()


async def _answer(app: Any, frames: Frames, key: str, text: str) -> None:
    from textual.widgets import Input

    await frames.press(key)
    app.screen.query_one(Input).value = text
    await asyncio.sleep(0.05)


def _enter() -> Any:
    from textual import events

    return events.Key("enter", "\r")


async def _filter(app: Any, frames: Frames, where: str) -> tuple[list[float | None], float, int]:
    """Seconds until the list shows what passes a filter, the first time and again; of the processor; and how many calls do."""
    times: list[float | None] = []
    passed = -1
    used = 0.0
    for _ in range(2):
        await _answer(app, frames, "f", where)
        before = app.main.model.filtered
        began = time.process_time()
        app.post_message(_enter())
        times.append(await frames.until(lambda b=before: app.main.model.filtered is not b, ANSWER_S))  # type: ignore[misc]
        used = used or time.process_time() - began
        passed = app.main.model.filtered.count
        await frames.press("escape")
        await frames.until(lambda: not app.main.model.filter_text, ANSWER_S)
    return times, used, passed


async def _search(app: Any, frames: Frames, text: str) -> tuple[float | None, float, str]:
    """Seconds until a search ends, None where it was stopped; of the processor; and what is said then."""
    from rmitrace.tui.bars import StatusBar

    bar = app.main.query_one(StatusBar)
    await _answer(app, frames, "/", text)
    began = time.process_time()
    app.post_message(_enter())
    took = await frames.until(lambda: bar.message in (f"/{text}", f"not found: {text}"), ANSWER_S)
    said, used = bar.message, time.process_time() - began
    if took is None:
        await frames.press("escape")
    return took, used, said


async def _why(app: Any, frames: Frames) -> tuple[float | None, float, str]:
    """Seconds until the tree says why the first call that failed did; of the processor; and which call that is."""
    import numpy as np

    failed = np.flatnonzero(app.main.model.capture.calls.failed)
    if not len(failed):
        return None, 0.0, "no call failed"
    call = int(failed[0])
    began = time.process_time()
    app.main.go_to_call(call)
    await frames.until(lambda: app.main.list.row is not None and app.main.list.row.ref == call, ANSWER_S)
    took = await frames.until(lambda: not app.main.model.waits_for_why(call), ANSWER_S)
    return took, time.process_time() - began, f"call {call}"
