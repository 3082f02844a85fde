"""Styles of text are those of the theme that is shown."""

from __future__ import annotations

from rmitrace.tui.bars import Header
from rmitrace.tui.theme import styles
from tests.rmitrace.tui.driver import running


async def test_styles_follow_the_theme() -> None:
    async with running() as d:
        for widget in (d.main.list, d.main.query_one(Header)):
            assert widget.style_of("name") == styles(True)["name"]
            assert widget.style_of("") == widget.rich_style
        await d.press("t")
        for widget in (d.main.list, d.main.query_one(Header)):
            assert widget.style_of("name") == styles(False)["name"]
            assert widget.style_of("") == widget.rich_style
