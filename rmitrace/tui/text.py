"""How numbers look, and a line of cells that is cut at its width. All text put into a line is made safe here."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..display import safe

SIGN = {"error": "✗", "warning": "!", "note": "·"}
"""The sign of a severity; colour only repeats it."""
OUTCOME = {"ok": "✓", "failed": "✗", "incomplete": "…"}
"""The sign of how a sequence or step ended."""
STYLE = {"error": "error", "warning": "warning", "note": "dim", "ok": "ok", "failed": "error", "incomplete": "warning"}
"""Severity or outcome to the name of a style."""


def seconds(ns: int) -> str:
    """A time in seconds with microseconds: 12.345678."""
    sign = "-" if ns < 0 else ""
    us = (abs(ns) + 500) // 1000
    return f"{sign}{us // 1_000_000}.{us % 1_000_000:06d}"


def duration(ns: int) -> str:
    """A duration in at most seven characters: 950ns, 42.1us, 1.234ms, 12.3s."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)):
        if ns >= size:
            value = ns / size
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return f"{ns}ns"


class Line:
    """One line of cells being written from the left; what does not fit ends in an ellipsis."""

    def __init__(self, width: int, style: Callable[[str], Style], base: str = "") -> None:
        self.width = width
        self.at = 0
        self._style = style
        self._base = style("") + style(base) if base else style("")
        self._segments: list[Segment] = []

    def add(self, text: str, style: str = "", *, limit: int | None = None) -> Line:
        """Write text in a named style, in at most ``limit`` cells."""
        room = self.width - self.at if limit is None else min(limit, self.width - self.at)
        if room <= 0 or not text:
            return self
        text = safe(text)
        size = len(text) if text.isascii() else cell_len(text)
        if size > room:
            text = set_cell_size(text, room - 1) + "…"
            size = room
        bare = text.lstrip(" ") if style and style != "field" else text
        if len(bare) < len(text):  # blanks in front keep the plain style: some viewers of an SVG drop them otherwise
            self._segments.append(Segment(text[: len(text) - len(bare)], self._base))
        if bare:
            self._segments.append(Segment(bare, self._base + self._style(style) if style else self._base))
        self.at += size
        return self

    def to(self, column: int) -> Line:
        """Blank up to a column."""
        if column > self.at:
            self.add(" " * (min(column, self.width) - self.at))
        return self

    def right(self, text: str, style: str, column: int) -> Line:
        """Write text so that it ends before a column, where there is room for it."""
        return self.to(column - cell_len(safe(text))).add(text, style)

    def strip(self) -> Strip:
        """The line, filled up with blanks."""
        self.to(self.width)
        return Strip(self._segments, self.width)
