"""A widget that writes its text in the styles of the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from .theme import styles

if TYPE_CHECKING:
    from textual.widget import Widget as _Base
else:
    _Base = object  # Textual takes the styles of the first base that is a widget, and of no other


class Styled(_Base):
    """Keeps the styles of its text until the colours are others: Textual puts the widget's own together anew each time."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles_of_text: dict[str, Style] = {}
        self._restyled = True
        self._look: tuple[Style, bool] | None = None
        """The colours that these are of."""

    def style_of(self, name: str) -> Style:
        """The style of a name (see .theme), '' for the widget's own."""
        if self._restyled:
            self._restyle()
        style = self._styles_of_text.get(name)
        if style is None:
            style = self._styles_of_text[name] = styles(self.app.current_theme.dark)[name] if name else self.rich_style
        return style

    def notify_style_update(self) -> None:
        """Look again whether the colours are others: Textual tells of a new style whenever the focus moves."""
        self._restyled = True
        super().notify_style_update()

    def _restyle(self) -> None:
        self._restyled = False
        look = self.rich_style, self.app.current_theme.dark
        if look != self._look:
            self._look = look
            self._styles_of_text.clear()
            self.recoloured()

    def recoloured(self) -> None:
        """The colours are others now: forget what was drawn in the old ones."""
