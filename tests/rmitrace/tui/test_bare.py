"""Lines of panes are those that Textual makes of them."""

from __future__ import annotations

import pytest
from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rmitrace.tui.bare import BareLines
from tests.rmitrace.tui.driver import Driver, running

PANES = ("#list", "#lanes", "#tree", "#bytes", "#main", "#details", "#timeline", "Axis", "Header", "StatusBar")


def looks(strips: list[Strip]) -> list[list[tuple[str, object]]]:
    """Each cell: its character, its colours and what else is told of it."""
    return [[(char, segment.style) for segment in strip for char in segment.text] for strip in strips]


def given(widget: Widget) -> tuple[list[Strip], list[Strip]]:
    """The lines of a pane below its title, and what Textual makes of them."""
    region = widget.outer_size.region
    top = widget.styles.gutter.top
    return widget.render_lines(region)[top:], StylesCache().render_widget(widget, region)[top:]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@pytest.mark.parametrize("key", ["j", "tab", "t", "z"])
async def test_they_are_the_same(size: tuple[int, int], key: str) -> None:
    async with running(size=size) as d:
        await d.press("j", key)
        for name in PANES:
            widget = d.main.query_one(name)
            if widget.region.area:
                assert isinstance(widget._styles_cache, BareLines)
                ours, theirs = given(widget)
                assert looks(ours) == looks(theirs), name


async def _asked(d: Driver, *regions: Region) -> list[int]:
    """The lines that the list is asked for when some of its lines have changed."""
    asked: list[int] = []
    pane = d.main.list
    render = pane.render_line

    def render_line(y: int) -> Strip:
        asked.append(y)
        return render(y)

    pane.render_lines(pane.outer_size.region)
    pane.render_line = render_line  # type: ignore[method-assign]
    pane.refresh(*regions)
    pane.render_lines(pane.outer_size.region)
    return asked


async def test_only_lines_that_changed_are_asked_for() -> None:
    async with running() as d:
        assert await _asked(d, Region(0, 2, 10, 2)) == [2, 3]


async def test_all_lines_are_asked_for_where_all_changed() -> None:
    async with running() as d:
        assert await _asked(d) == list(range(d.main.list.size.height))
