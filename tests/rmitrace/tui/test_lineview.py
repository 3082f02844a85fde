"""What is drawn again after a key: all that looks otherwise, in one frame, and nothing laid out for it."""

from __future__ import annotations

from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Input

from tests.rmitrace.tui.driver import Driver, running

KEYS = """j j j space space j right T T T m ] ] [ + + > 0 c c x x s s L L a A } { G g / z q enter n escape f f a i l e d enter
escape o escape F F t t tab j space j tab tab j tab z j z"""


def on_screen(d: Driver) -> list[Any]:
    """The cells as they were drawn last, with their styles."""
    return [strip._segments for strip in d.app.screen._compositor.render_strips()]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_nothing_old_is_left_on_the_screen(size: tuple[int, int]) -> None:
    async with running(size=size) as d:
        d.main.query_one(Input).cursor_blink = False
        for key in KEYS.split():
            await d.press(key)
            shown = on_screen(d)
            for widget in d.app.screen.walk_children(with_self=True):
                widget.refresh()
            await d.settle(8)
            assert on_screen(d) == shown, key


@pytest.mark.parametrize("key", ["j", "k", "pagedown", "G", "space", "+"])
async def test_one_frame_a_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(size=(120, 40)) as d:
        await d.press("j", "j")
        frames: list[Any] = []
        display = d.app._display

        def count(screen: Screen[Any], drawn: Any) -> None:
            frames.extend([] if drawn is None else [drawn])
            display(screen, drawn)

        monkeypatch.setattr(d.app, "_display", count)
        await d.press(key)
        assert len(frames) == 1


async def test_typing_lays_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as d:
        await d.press("slash")
        laid: list[Any] = []
        monkeypatch.setattr(Screen, "_refresh_layout", lambda self, *args, **more: laid.append(args))
        await d.press("a", "b")
        assert not laid
