"""Titles of panes."""

from __future__ import annotations

from rmitrace.tui.timeline import Axis
from tests.rmitrace.tui.driver import Driver, running


def above(d: Driver, pane: str) -> str:
    """The line above the lines of a pane."""
    widget = d.main.query_one(pane)
    return "".join(s.text for s in widget.render_lines(widget.outer_size.region)[0])


async def test_the_one_with_the_focus_is_heavy() -> None:
    async with running() as d:
        list_title = f"{d.main.list.title:─<100}"
        assert above(d, "#list") == "━" + list_title[:99].replace("─", "━")
        assert above(d, "Axis") == ("─" + f"{d.main.query_one(Axis).title:─<99}")
        await d.press("shift+tab")
        assert d.focus == "lanes"
        assert above(d, "#list") == "─" + list_title[:99]
        assert above(d, "Axis").startswith("━Timeline")


async def test_one_that_is_too_long_is_cut_and_made_safe() -> None:
    async with running() as d:
        d.main.list.entitle("\x1b[31m" + "x" * 200)
        title = above(d, "#list")
        assert len(title) == 100
        assert title.startswith("━␛[31mxxx")
        assert title.endswith("x…━")


async def test_another_title_draws_its_line_alone() -> None:
    async with running() as d:
        d.main.list._exchange_repaint_regions()
        d.main.list.entitle("another")
        (region,) = d.main.list._exchange_repaint_regions()
        assert tuple(region) == (0, 0, 100, 1)
        assert above(d, "#list").startswith("━another━")
