"""Screens over the main one."""

from __future__ import annotations

from rmitrace.tui.screens import HelpScreen, KeyList
from tests.rmitrace.tui.driver import running


async def test_the_keys_begin_anew_each_time_and_in_the_size_and_colours_of_now() -> None:
    async with running(size=(100, 20)) as d:
        await d.press("question_mark", "end")
        first = d.app.screen
        assert isinstance(first, HelpScreen)
        assert first.query_one(KeyList).scroll_offset.y > 0
        await d.press("escape", "t")
        await d.pilot.resize_terminal(80, 24)
        await d.press("question_mark")
        keys = d.app.screen.query_one(KeyList)
        assert d.app.screen is first
        assert (keys.cursor, keys.scroll_offset.y) == (0, 0)
        assert keys.region.right < 80
        style = keys.rich_style
        assert style.bgcolor is not None
        assert style.bgcolor.name == d.app.current_theme.panel
        assert "Everywhere" in "".join(s.text for s in keys.render_line(0))
