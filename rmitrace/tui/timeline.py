"""The timeline pane: an axis and one lane an object or CPU, with sequences as named spans."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import ClassVar

import numpy as np
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ..lifecycle.table import OUTCOMES
from .bare import BareLines
from .lanes import Cells, Timeline
from .lineview import LineView
from .text import OUTCOME, Line
from .titles import Titled
from .view import View

_LEVELS = "▁▂▃▄▅▆▇█"
_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us"), (1, "ns"))


class Lanes(LineView):
    """The lanes of a view. The axis above it asks for the same column of labels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Lane up", key_display="↑ k", show=False),
        Binding("down,j", "cursor(1)", "Lane down", key_display="↓ j", show=False),
        Binding("left,h", "screen.pan(-1)", "Pan left", key_display="← h", show=False),
        Binding("right,l", "screen.pan(1)", "Pan right", key_display="→ l", show=False),
        Binding("comma", "step(-1)", "Previous call of the lane", key_display=",", show=False),
        Binding("full_stop", "step(1)", "Next call of the lane", key_display=".", show=False),
        Binding("enter,space", "go", "Go to the call of the lane nearest to the cursor", key_display="Enter", show=False),
    ]

    class Chosen(Message):
        """The user chose a call on the timeline."""

        def __init__(self, call: int) -> None:
            super().__init__()
            self.call = call

    def __init__(self, view: View, *, id: str) -> None:
        super().__init__(id=id)
        self.model = view
        self.call: int | None = None
        self.focused_or_left: Callable[[], None] = lambda: None
        """Called when the focus comes or goes."""
        self._longest: tuple[Timeline, int] | None = None
        self._cells: dict[int, tuple[list[str], Strip]] = {}
        """The cells of lanes as they are drawn without the cursor."""
        self._of: tuple[Cells, object] | None = None
        """What these were drawn for."""

    @property
    def timeline(self) -> Timeline:
        """The lanes' data."""
        return self.model.timeline

    @property
    def labels(self) -> tuple[int, int]:
        """Cells of the lane's name, and of the state at the cursor (0: not shown)."""
        width = self.line_width
        if self._longest is None or self._longest[0] is not self.timeline:
            self._longest = self.timeline, max((len(lane.label) for lane in self.timeline.lanes[:100]), default=0) + 2
        name = min(self._longest[1], 18 if width < 100 else 26)
        return name, 14 if width >= 110 and not self.timeline.cpus and self.model.states else 0

    @property
    def cells_width(self) -> int:
        """Cells of the lane proper."""
        return max(self.line_width - sum(self.labels), 8)

    def count(self) -> int:
        """Lanes."""
        return len(self.timeline.lanes)

    def show_view(self, view: View) -> None:
        """Show another view, or the same one with other lanes."""
        self.model = view
        self.changed()

    def select(self, call: int | None) -> None:
        """Draw the cursor at a call and move the lane cursor to its lane."""
        self.call = call
        if call is not None and call < len(self.timeline.lane_of):
            self.timeline.follow(float(self.timeline.axis[call]))
            lane = int(self.timeline.lane_of[call])
            if lane >= 0:
                self.move_to(lane, tell=False, scroll=self.timeline.lanes[lane].object is not None)
        self.redraw()

    @property
    def cell(self) -> int | None:
        """The cell of the selected call, None where it is outside."""
        if self.call is None or self.call >= len(self.timeline.axis):
            return None
        cell = self.timeline.cell(float(self.timeline.axis[self.call]), self.cells_width)
        return cell if 0 <= cell < self.cells_width else None

    # -- drawing

    def _focus_moved(self, here: bool) -> None:
        super()._focus_moved(here)
        self.focused_or_left()

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """One lane: its name, the state of its object at the cursor, and its cells."""
        lane = self.timeline.lanes[line]
        name, state = self.labels
        out = Line(name + state, self.style_of)
        out.add("❯" if cursor else " ", "mark")
        out.add(short(lane.label, name - 2), "object" if not cursor else "heading").to(name)
        if state:
            change = self.model.state_at(lane.object, self.call) if lane.object and self.call is not None else None
            out.add(change.to if change else "", "dim", limit=state - 1).to(name + state)
        chars, cells = self._cells_of(line, self.cells_width)
        at = self.cell
        if at is not None:
            here = Line(1, self.style_of).add(*(("│", "primary") if chars[at] == " " else (chars[at], "selected"))).strip()
            cells = Strip.join([cells.crop(0, at), here, cells.crop(at + 1, len(chars))])
        return Strip.join([out.strip(), cells]).crop(0, width)

    def _cells_of(self, lane: int, width: int) -> tuple[list[str], Strip]:
        """The cells of a lane without the cursor, as characters and drawn: kept until window, width, filter or colours change."""
        cells: Cells = self.timeline.cells(width)
        now = cells, self._look
        if self._of is None or now[0] is not self._of[0] or now[1] != self._of[1]:
            self._of = now
            self._cells.clear()
        if lane not in self._cells:
            chars, styles = self._draw_cells(cells, lane, width)
            out = Line(width, self.style_of)
            for style, group in groupby(zip(chars, styles, strict=True), key=lambda pair: pair[1]):
                out.add("".join(c for c, _ in group), style)
            self._cells[lane] = chars, out.strip()
        return self._cells[lane]

    def _draw_cells(self, cells: Cells, lane: int, width: int) -> tuple[list[str], list[str]]:
        chars, styles = [" "] * width, [""] * width
        for i in np.flatnonzero(cells.calls[lane]).tolist():
            chars[i] = _LEVELS[min(int(cells.calls[lane, i]).bit_length() - 1, 7)]
            styles[i] = "dim"
        over = (cells.noted[lane] | cells.failed[lane]).tolist()
        table = self.model.sequences
        for span in self.timeline.spans(lane, width):
            kind, outcome = table.kinds[table.kind[span.sequence]], OUTCOMES[table.outcome[span.sequence]]
            a, b = max(span.first, 0), min(span.last, width - 1)
            text = span_text(kind, outcome, b - a + 1, span.first >= 0, span.last < width, over[a : b + 1])
            chars[a : b + 1] = list(text)
            styles[a : b + 1] = [f"span-{outcome}"] * len(text)
        for i in np.flatnonzero(over).tolist():
            chars[i], styles[i] = ("✗", "error") if cells.failed[lane, i] else ("!", "warning")
        return chars, styles

    # -- choosing

    def press(self, line: int, column: int) -> None:
        """A click on a cell chooses the call that stands for it, or the one nearest to it in the lane."""
        cell = column - sum(self.labels)
        if cell < 0:
            return
        call = self.timeline.call_at(line, cell, self.cells_width)
        if call is None:
            lo, hi = self.timeline.window
            call = self.timeline.nearest(line, lo + (hi - lo) * (cell + 0.5) / self.cells_width)
        if call is not None:
            self.post_message(self.Chosen(call))

    def action_go(self) -> None:
        """Choose the call of the lane nearest to the cursor."""
        lo, hi = self.timeline.window
        place = (lo + hi) / 2 if self.call is None else float(self.timeline.axis[self.call])
        call = self.timeline.nearest(self.cursor, place) if self.count() else None
        if call is not None:
            self.post_message(self.Chosen(call))

    def action_step(self, by: int) -> None:
        """Choose the next or previous call of the lane."""
        at = -1 if self.call is None else self.call
        call = self.timeline.next(self.cursor, at) if by > 0 else self.timeline.previous(self.cursor, max(at, 0))
        if call is not None:
            self.post_message(self.Chosen(call))


class Axis(Titled, Widget):
    """What stands above the lanes: the title of the timeline, and its axis with ticks and the place of the cursor."""

    def __init__(self, lanes: Lanes) -> None:
        super().__init__()
        self._styles_cache = BareLines()
        self._lanes = lanes
        lanes.focused_or_left = self.refresh_title
        self._drawn: Strip | None = None

    def redraw(self) -> None:
        """Draw again where it looks otherwise now."""
        if self._drawn is None or self._drawn != self._strip():
            self.refresh(Region(0, 1, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """The title, then the axis."""
        if y == 0:
            return self.title_strip(self.size.width, self._lanes.has_focus)
        self._drawn = self._strip()
        return self._drawn

    def _strip(self) -> Strip:
        lanes = self._lanes
        start, width = sum(lanes.labels), lanes.cells_width

        out = Line(self.size.width, self.style_of)
        out.to(start)
        out.add(axis_text(lanes.timeline, width, self._zero()), "dim")
        strip = out.strip()
        cell = lanes.cell
        if cell is None:
            return strip
        marker = Line(1, self.style_of).add("▼", "key").strip()
        at = min(start + cell, self.size.width - 1)
        return Strip.join([strip.crop(0, at), marker, strip.crop(at + 1, self.size.width)])

    def _zero(self) -> int:
        view = self._lanes.model
        return view.zero_ns if view.time_format == "absolute" else 0


def span_text(kind: str, outcome: str, width: int, begins: bool, ends: bool, taken: Sequence[bool] = ()) -> str:
    """A sequence drawn ``width`` cells wide: ``├connect ✓───┤``; one cell holds the sign of its outcome.

    ``taken`` says which cells will be drawn over: the name goes where all of it can be read.
    """
    sign = OUTCOME[outcome]
    if width == 1:
        return sign
    left, right = "├" if begins else "─", "┤" if ends else "─"
    room = width - 2
    if room == 0:
        return left + sign
    free = [not t for t in taken[1:-1]] if taken else [True] * room
    for name in (f"{kind} {sign}", kind[: max(room - 1, 0)] + sign):
        at = next((i for i in range(room - len(name) + 1) if all(free[i : i + len(name)])), None)
        if at is not None and (len(name) > len(kind) or room < len(kind) + 2):
            return left + "─" * at + name + "─" * (room - at - len(name)) + right
    return left + "─" * room + right


def short(label: str, width: int) -> str:
    """A lane's name in a width, the digits that tell objects apart kept: ``pdev:…c792d000``."""
    if len(label) <= width:
        return label
    kind, colon, address = label.partition(":")
    keep = max(width - len(kind) - len(colon) - 1, 1)
    return f"{kind}{colon}…{address[-keep:]}" if colon else label[: width - 1] + "…"


def axis_text(timeline: Timeline, width: int, zero: int) -> str:
    """Ticks at round places, each a bar with its time (or call number) behind it."""
    lo, hi = timeline.window
    step = nice((hi - lo) / max(width // 14, 1))
    if timeline.ordered:
        step = max(step, 1.0)
    chars = [" "] * width
    k = math.ceil((lo + zero) / step)
    while k * step - zero <= hi:
        cell = timeline.cell(k * step - zero, width)
        label = f"╵#{int(k * step)}" if timeline.ordered else f"╵{_moment(k * step, step)}"
        if 0 <= cell <= width - len(label) and chars[max(cell - 1, 0)] == " ":
            chars[cell : cell + len(label)] = label
        k += 1
    return "".join(chars)


def nice(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(value))
    return next((m * power for m in (1, 2, 5) if m * power >= value), 10 * power)


def _moment(ns: float, step: float) -> str:
    size, unit = next(((s, u) for s, u in _UNITS if step >= s), _UNITS[-1])
    if step < 1_000_000_000 and ns >= 1_000_000_000:
        size, unit = _UNITS[0]
    digits = max(0, round(math.log10(size / step) + 0.4999)) if step < size else 0
    return f"{ns / size:.{digits}f}{unit}"
