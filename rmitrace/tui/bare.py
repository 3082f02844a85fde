"""The lines of a pane as a frame gets them. Textual's own way to a line looks at each for all that CSS can put around it: here
there is nothing around them but blanks, and a border above."""

from __future__ import annotations

from collections.abc import Callable

from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget


class BareLines(StylesCache):
    """Keeps the lines of a widget, and asks again for those that it told of as changed."""

    def __init__(self, above: Callable[[int], Strip] | None = None, *, empty: bool = False) -> None:
        """``above``: gives what stands above the lines, for a width, where CSS leaves a line of padding for it. ``empty``: all
        that the widget has is its background."""
        super().__init__()
        self._above, self._empty = above, empty
        self._given: tuple[Region, list[Strip]] | None = None
        """What was given last, as long as nothing of it changed."""

    def set_dirty(self, *regions: Region) -> None:
        """Some lines of the widget have changed."""
        self._given = None
        super().set_dirty(*regions)

    def clear(self) -> None:
        """All have."""
        self._given = None
        super().clear()

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The lines of a part of the widget."""
        if self._given is None or self._given[0] != crop:
            if widget.outer_size.width != self._width:
                self.clear()
                self._width = widget.outer_size.width
            new = [y for y in crop.line_range if y in self._dirty_lines or y not in self._cache]
            if new:
                self._ask(widget, new)
            strips = [self._cache[y] for y in crop.line_range]
            if crop.column_span != (0, self._width):
                strips = [strip.crop(*crop.column_span) for strip in strips]
            self._given = crop, strips
        return self._given[1]

    def _ask(self, widget: Widget, lines: list[int]) -> None:
        """Ask the widget for some lines."""
        gutter, size, filters = widget.styles.gutter, widget.content_size, widget.get_line_filters()
        base, background = widget.background_colors
        blank = Style(background=base + background).rich_style
        for y in lines:
            if y < gutter.top and self._above is not None and not widget.styles.border_top[0]:
                strip = self._above(self._width)
            elif y < gutter.top:
                self._cache[y] = super().render_widget(widget, Region(0, y, self._width, 1))[0]
                continue
            else:
                at = y - gutter.top
                empty = self._empty or at >= size.height
                strip = Strip.blank(size.width, blank) if empty else widget.render_line(at)
                strip = strip.adjust_cell_length(size.width, blank)
                if gutter.left or gutter.right:
                    strip = Strip.join([Strip.blank(gutter.left, blank), strip, Strip.blank(gutter.right, blank)])
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            self._cache[y] = strip
        self._dirty_lines.difference_update(lines)
