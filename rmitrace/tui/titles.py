"""The titles of panes, each on a line above what it is of."""

from __future__ import annotations

from textual.geometry import Region
from textual.strip import Strip

from ..display import safe
from .styled import Styled
from .text import Line


class Titled(Styled):
    """Has a title in a line. It is no border of Textual's, whose look is a matter of CSS: with each move of the focus that is
    worked out again for panes and all that is in them, and they are drawn anew."""

    title = ""

    def entitle(self, text: str) -> None:
        """Write the title."""
        text = safe(text)
        if text != self.title:
            self.title = text
            self.refresh_title()

    def refresh_title(self) -> None:
        """Draw the title again, and nothing else."""
        left, top = self.content_offset
        self.refresh(Region(-left, -top, self.outer_size.width, 1))

    def title_strip(self, width: int, active: bool) -> Strip:
        """The title in its line, which is heavy where the pane has the focus."""
        line, style = ("━", "key") if active else ("─", "dim")
        out = Line(width, self.style_of)
        out.add(line, "primary" if active else "frame").add(self.title, style, limit=width - 2)
        return out.add(line * (width - out.at), "primary" if active else "frame").strip()
