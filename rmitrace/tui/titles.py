"""The titles of panes."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from ..display import safe


def entitle(pane: Widget, text: str) -> None:
    """Write the title of a pane. Where it is another one its line is drawn again; Textual alone draws the whole pane."""
    title = Content(safe(text))
    was = pane._border_title
    if was is not None and was.plain == title.plain:
        return
    if was is None or not pane.is_mounted:
        pane.border_title = title
        return
    pane._border_title = title
    left, top = pane.content_offset
    pane.refresh(Region(-left, -top, pane.outer_size.width, 1))
