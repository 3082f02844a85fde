"""How often the screen is drawn for a key."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rmitrace.tui.driver import Driver, running


def count_frames(d: Driver) -> list[Any]:
    """Everything that is drawn from now on."""
    frames: list[Any] = []
    display = d.app._display

    def keep(screen: Any, renderable: Any) -> None:
        if renderable is not None:
            frames.append(renderable)
        display(screen, renderable)

    d.app._display = keep  # type: ignore[method-assign]
    return frames


@pytest.mark.parametrize("key", ["j", "pagedown", "z", "tab", "question_mark", "slash", "right_square_bracket", "T", "plus", "f"])
@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_key_is_answered_with_one_frame(key: str, size: tuple[int, int]) -> None:
    async with running(size=size) as d:
        await d.press("j")
        d.main.say("something that the key takes away")
        await d.settle(3)
        frames = count_frames(d)
        await d.press(key)
        assert len(frames) == 1


async def test_a_key_that_changes_nothing_is_answered_with_none() -> None:
    async with running() as d:
        await d.press("home")
        frames = count_frames(d)
        await d.press("home")
        assert frames == []


async def test_what_comes_without_a_key_is_drawn() -> None:
    async with running() as d:
        frames = count_frames(d)
        d.main.say("done")
        await d.settle(5)
        assert len(frames) == 1
