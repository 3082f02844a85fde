"""A pane of lines with a cursor, drawn line by line: what the list, the tree, the bytes and the findings have in common."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Blur, Click, DescendantBlur, DescendantFocus, Focus
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from .bare import BareLines
from .titles import Titled

_KEPT = 512
"""Strips kept; a screen has fewer lines."""


class LineView(Titled, ScrollView, can_focus=True):
    """Lines numbered from 0, drawn on demand by ``draw``; one of them has the cursor."""

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Line up", key_display="↑ k", show=False),
        Binding("down,j", "cursor(1)", "Line down", key_display="↓ j", show=False),
        Binding("pageup", "page(-1)", "Page up", key_display="PgUp", show=False),
        Binding("pagedown", "page(1)", "Page down", key_display="PgDn", show=False),
        Binding("home,g", "edge(-1)", "First line", key_display="g Home", show=False),
        Binding("end,G", "edge(1)", "Last line", key_display="G End", show=False),
    ]

    class Moved(Message):
        """The cursor is on another line, or on the same line with another meaning."""

        def __init__(self, view: LineView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> LineView:
            """The pane."""
            return self.view

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self._styles_cache = BareLines(self._above)
        self._room_of: tuple[Size | None, Size] = None, Size(0, 0)
        self._strips: OrderedDict[tuple[Hashable, int, bool, bool], Strip] = OrderedDict()
        self._drawn: dict[int, Strip] = {}
        """What Textual was last given for each line of the pane, the first of which was line ``_top``."""
        self._top = 0
        self._comparing = False
        self._scrolled: object = None
        self.moved: Callable[[], None] | None = None
        """Called in place of the message ``Moved``: what follows from it is then in the same frame."""

    # -- to be given by the pane

    def count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """One line."""
        raise NotImplementedError

    def look_of(self, line: int) -> Hashable:
        """What the look of a line depends on beside the cursor and what redraw() is told of: with the same it is the same."""
        return line

    def press(self, line: int, column: int) -> None:
        """A mouse click on a line that the cursor is on already moved to."""

    # -- drawing

    @property
    def _room(self) -> Size:
        """Cells and lines that there are for lines: of a pane that is hidden, those that there were."""
        outer = self.outer_size
        if self._room_of[0] is not outer:
            self._room_of = outer, outer.region.shrink(self.styles.gutter).shrink(self.scrollbar_gutter).size
        return self._room_of[1]

    @property
    def line_width(self) -> int:
        """Cells of a line."""
        return max(self._room.width, 1)

    @property
    def line_count(self) -> int:
        """Lines on the screen."""
        return max(self._room.height, 1)

    def base_of(self, cursor: bool, focused: bool) -> str:
        """The name of the style under a line."""
        return ("cursor" if focused else "cursor-blur") if cursor else ""

    def recoloured(self) -> None:
        """Forget what was drawn in other colours."""
        self._strips.clear()

    def changed(self) -> None:
        """The lines are others now: count them, and draw again those that look otherwise."""
        self._fit()
        self.redraw()

    def shifted(self) -> None:
        """The lines are elsewhere now, or others are between them, but each looks as it did."""
        self._fit()
        self._compare_soon()

    def _fit(self) -> None:
        """Fit cursor and scroll bar to the number of lines."""
        self.cursor = min(max(self.cursor, 0), max(self.count() - 1, 0))
        size = Size(self.line_width, self.count())
        if size != self.virtual_size:  # set without a layout of the whole screen: the room for the scroll bar is always kept
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    def _scroll_update(self, virtual_size: Size) -> None:
        """Textual draws the scroll bar again after every layout; here only after one that it depends on."""
        depends = virtual_size, self.size, self.container_size
        if depends != self._scrolled:
            self._scrolled = depends
            super()._scroll_update(virtual_size)

    def redraw(self) -> None:
        """The same lines look otherwise now, or some do: draw those again."""
        self._strips.clear()
        self._compare_soon()

    def _compare_soon(self) -> None:
        """Once what is under way now is done: it may move the cursor and scroll as well."""
        if not self._comparing:
            self._comparing = True
            self.call_next(self._compare)

    def _compare(self) -> None:
        """Draw again the lines that look otherwise than they did."""
        self._comparing = False
        if not self.region.area or not self._drawn or self._top != self.scroll_offset.y:
            self.refresh()
            return
        for y in range(self.line_count):
            drawn = self._drawn.get(y)
            if drawn is not None and drawn is not (now := self.strip_at(y)) and drawn != now:
                self.refresh(Region(0, y, self.line_width, 1))

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Fit the lines into another size at once: told of it by a message, as on_resize, they would be in the frame behind."""
        other = size != self.outer_size
        told = super()._size_updated(size, virtual_size, container_size, layout)
        if other and size:
            self.fit()
        return told

    def fit(self) -> None:
        """The size is another one: keep the cursor in sight. What is drawn is drawn for a width, and good for any height."""
        self._fit()
        self.show_cursor()

    def _above(self, width: int) -> Strip:
        return self.title_strip(width, self.has_focus)

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Nothing in the styles of a pane depends on the focus: they are not worked out again."""

    def _on_focus(self, event: Focus) -> None:
        event.prevent_default()  # Textual draws all of the pane again
        self._focus_moved(True)
        if self.parent is not None:
            self.parent.post_message(DescendantFocus(self))

    def _on_blur(self, event: Blur) -> None:
        event.prevent_default()
        self._focus_moved(False)
        if self.parent is not None:
            self.parent.post_message(DescendantBlur(self))

    def _focus_moved(self, here: bool) -> None:
        """Draw the cursor and the title as of the pane with the focus, or as of another one."""
        self.has_focus = here
        self.refresh_line(self.cursor)
        self.refresh_title()

    def render_line(self, y: int) -> Strip:
        """The line at a place of the screen."""
        self._top = round(self.scroll_y)
        strip = self._drawn[y] = self.strip_at(y)
        return strip

    def strip_at(self, y: int) -> Strip:
        """What stands at a place of the screen now."""
        line = y + round(self.scroll_y)
        width = self.line_width
        if line >= self.count():
            return Strip.blank(width, self.style_of(""))
        if self._restyled:
            self._restyle()
        cursor = line == self.cursor
        key = (self.look_of(line), width, cursor, cursor and self.has_focus)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self.draw(line, width, cursor, self.has_focus)
            if len(self._strips) > _KEPT:
                self._strips.popitem(last=False)
        else:
            self._strips.move_to_end(key)
        return strip

    # -- the cursor

    def move_to(self, line: int, *, tell: bool = True, middle: bool = False, scroll: bool = True) -> None:
        """Put the cursor on a line and scroll it into sight (into the middle where it was out of sight and that is wanted)."""
        line = min(max(line, 0), max(self.count() - 1, 0))
        for changed in {self.cursor, line} if line != self.cursor else ():
            self.refresh_line(changed)
        self.cursor = line
        if scroll:
            self.show_cursor(middle=middle)
        if tell and self.moved is not None:
            self.moved()
        elif tell:
            self.post_message(self.Moved(self))

    def show_cursor(self, *, middle: bool = False) -> None:
        """Scroll so that the cursor is in sight."""
        if not self.region.area:  # not laid out yet; asked again when it is
            return
        top, height = self.scroll_offset.y, self.line_count
        if top <= self.cursor < top + height:
            return
        if middle:
            goal = self.cursor - height // 2
        else:
            goal = self.cursor if self.cursor < top else self.cursor - height + 1
        self.scroll_to(y=max(goal, 0), animate=False, force=True)

    def action_cursor(self, by: int) -> None:
        """Move by lines."""
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move by screens."""
        self.move_to(self.cursor + by * max(self.line_count - 1, 1))

    def action_edge(self, end: int) -> None:
        """Move to the first or last line."""
        self.move_to(0 if end < 0 else self.count() - 1)

    def on_click(self, event: Click) -> None:
        """Move to the line clicked on."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        line = offset.y + self.scroll_offset.y
        if 0 <= line < self.count():
            self.move_to(line)
            self.press(line, offset.x)
