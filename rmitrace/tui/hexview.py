"""The bytes pane: the raw records of the selected row and the memory seen with it, the selected field marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from textual.strip import Strip

from ..display import safe
from . import registers
from .details import Details, Place, Raw
from .lineview import LineView
from .text import Line

MAX_TEXT = 1 << 16
"""Characters shown of a raw record."""
MAX_BYTES = 1 << 20
"""Bytes shown of one buffer."""
_LONG = 2000
"""Characters from which a raw record (a row that holds its memory in hex) comes after the buffers."""


class Wrapped:
    """A raw text made safe and cut into lines of at most ``width`` cells, knowing where each raw character went."""

    def __init__(self, text: str, width: int) -> None:
        shown = safe(text)
        if shown == text:
            self._at: list[int] | None = None
        else:
            self._at = [0]
            for c in text:
                self._at.append(self._at[-1] + len(safe(c)))
        self.text = shown
        self.starts = [0]
        if shown.isascii():
            self._cut_ascii(width)
        else:
            self._cut(width)

    def _cut_ascii(self, width: int) -> None:
        """Cut into lines, after a blank where there is one in the last third of a line."""
        start, size = 0, len(self.text)
        while size - start > width:
            blank = self.text.rfind(" ", start + width - width // 3, start + width)
            start = blank + 1 if blank >= 0 else start + width
            self.starts.append(start)

    def _cut(self, width: int) -> None:
        """The same where characters may be wider than a cell."""
        used = last = start = 0
        for i, c in enumerate(self.text):
            used += cell_len(c)
            if used > width:
                start = last if last > start and last > i - width // 3 else i
                self.starts.append(start)
                used = cell_len(self.text[start : i + 1])
            if c == " ":
                last = i + 1

    def shown(self, index: int) -> int:
        """The place of a raw character in the safe text."""
        return index if self._at is None else self._at[index]

    def line(self, number: int) -> tuple[int, int]:
        """First and one past the last character of a line, in the safe text."""
        return self.starts[number], self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)


@dataclass(frozen=True, slots=True)
class HexLine:
    """What a line shows: a title, line ``at`` of a raw record, or ``size`` bytes of a buffer from ``at`` on."""

    kind: str
    index: int
    at: int = 0
    size: int = 0


class HexPane(LineView):
    """Raw records wrapped to the width, then a hex dump of every buffer with runs of equal lines left out."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.details: Details | None = None
        self.place: Place | None = None
        self._lines: list[HexLine] = []
        self._texts: list[Wrapped] = []
        self._span: tuple[int, registers.Span] | None = None
        self._width = 0
        self._wrapped: Details | None = None

    def show_details(self, shown: Details | None, place: Place | None = None) -> None:
        """Show the bytes of a row; mark what a field stands for and scroll it into sight."""
        self.details = shown
        self.place = place
        self._span = self._find(place)
        self._lay()
        line = next((i for i, at in enumerate(self._lines) if self._touches(at)), None)
        self.move_to(0 if line is None else line, tell=False, middle=True)

    def _find(self, place: Place | None) -> tuple[int, registers.Span] | None:
        if place is None or place.register < 0 or self.details is None:
            return None
        for i, raw in enumerate(self.details.raws):
            for out, values in raw.registers:
                if out == place.out:
                    span = registers.find(raw.text[:MAX_TEXT], place.register, values, out=out, whole=len(raw.registers) > 1)
                    if span is not None:
                        return i, span
        return None

    # -- lines

    @property
    def columns(self) -> int:
        """Bytes a line of the hex dump: 16, or 8 where the pane is narrow."""
        return 16 if self.line_width >= 74 else 8 if self.line_width >= 38 else 4

    def _lay(self) -> None:
        self._lines = []
        if self.details is None:
            self._texts, self._width = [], self.line_width
            self.changed()
            return
        if self._wrapped is not self.details or self._width != self.line_width:
            self._wrapped, self._width = self.details, self.line_width
            self._texts = [Wrapped(raw.text[:MAX_TEXT], max(self._width - 1, 1)) for raw in self.details.raws]
        long = [i for i, raw in enumerate(self.details.raws) if len(raw.text) > _LONG]
        for i in range(len(self._texts)):
            if i not in long:
                self._lay_text(i)
        for i, (_, data) in enumerate(self.details.buffers):
            self._lines.append(HexLine("buffer", i))
            self._lines += self._dump(i, data)
        for i in long:
            self._lay_text(i)
        self.changed()

    def _lay_text(self, index: int) -> None:
        self._lines.append(HexLine("title", index))
        self._lines += [HexLine("text", index, n) for n in range(len(self._texts[index].starts))]
        size = len(self.details.raws[index].text) if self.details is not None else 0
        if size > MAX_TEXT:
            self._lines.append(HexLine("cut", index, MAX_TEXT, size - MAX_TEXT))

    def _dump(self, index: int, data: bytes) -> list[HexLine]:
        """The lines of a buffer; those equal to the one before are left out, as hexdump does, unless they are marked."""
        n = self.columns
        shown = data[:MAX_BYTES]
        if not shown:
            return []
        full = len(shown) // n
        rows = np.frombuffer(shown, dtype=np.uint8, count=full * n).reshape(full, n)
        same = np.zeros(-(-len(shown) // n), dtype=bool)
        same[1:full] = (rows[1:] == rows[:-1]).all(axis=1)
        place = self.place
        if place is not None and place.buffer == index:
            same[place.offset // n : -(-(place.offset + place.size) // n)] = False
        out: list[HexLine] = []
        starts = np.flatnonzero(~same | np.append(True, ~same[:-1]))
        for i, j in zip(starts.tolist(), [*starts[1:].tolist(), len(same)], strict=True):
            out.append(HexLine("same" if same[i] else "hex", index, i * n, min((j - i) * n, len(shown) - i * n)))
        if len(data) > MAX_BYTES:
            out.append(HexLine("cut", index, MAX_BYTES, len(data) - MAX_BYTES))
        return out

    def _touches(self, line: HexLine) -> bool:
        place = self.place
        if line.kind == "hex" and place is not None and place.buffer == line.index:
            return line.at < place.offset + place.size and place.offset < line.at + line.size
        if line.kind == "text" and self._span is not None and self._span[0] == line.index:
            text = self._texts[line.index]
            a, b = text.line(line.at)
            return a < text.shown(self._span[1][1]) and text.shown(self._span[1][0]) < b
        return False

    def fit(self) -> None:
        """Wrap again where the width is another one."""
        if self.details is not None and self._width != self.line_width:
            self._lay()
        super().fit()

    def count(self) -> int:
        """Lines of the pane."""
        return len(self._lines)

    def strip_at(self, y: int) -> Strip:
        """A line, or why there is none."""
        if y == 0 and not self._lines:
            return Line(self.line_width, self.style_of).add("a heading has no record of its own", "dim").strip()
        return super().strip_at(y)

    # -- drawing

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """One line of the pane."""
        assert self.details is not None
        at = self._lines[line]
        out = Line(width, self.style_of, self.base_of(cursor and focused, focused))
        if at.kind == "title":
            out.add(self.details.raws[at.index].title, "heading")
        elif at.kind == "buffer":
            out.add(self.details.buffers[at.index][0], "heading")
        elif at.kind == "cut":
            out.add(f"· {at.size:,} more not shown", "warning")
        elif at.kind == "same":
            out.add(f"{at.at:03x}  * {at.size:,} bytes the same", "dim")
        elif at.kind == "text":
            self._draw_text(out, at, self.details.raws[at.index])
        else:
            self._draw_hex(out, at, self.details.buffers[at.index][1])
        return out.strip()

    def _draw_text(self, out: Line, at: HexLine, raw: Raw) -> None:
        text = self._texts[at.index]
        a, b = text.line(at.at)
        out.add(" ")
        if not self._touches(at) or self._span is None:
            out.add(text.text[a:b])
            return
        lo, hi = max(text.shown(self._span[1][0]), a), min(text.shown(self._span[1][1]), b)
        out.add(text.text[a:lo]).add(text.text[lo:hi], "field").add(text.text[hi:b])

    def _draw_hex(self, out: Line, at: HexLine, data: bytes) -> None:
        n = self.columns
        chunk = data[at.at : at.at + at.size]
        place = self.place if self.place is not None and self.place.buffer == at.index else None
        lo = max(place.offset - at.at, 0) if place else n
        hi = min(place.offset + place.size - at.at, len(chunk)) if place else 0
        out.add(f"{at.at:03x}", "dim")
        for i, byte in enumerate(chunk):
            marked = lo <= i < hi
            gap = "  " if i == n // 2 else " "
            out.add(gap, "field" if marked and i > lo else "").add(
                f"{byte:02x}", "field" if marked else "dim" if byte == 0 else ""
            )
        out.to(5 + 3 * n + 1)
        for i, byte in enumerate(chunk):
            text = chr(byte) if 0x20 <= byte < 0x7F else "·"
            out.add(text, "field" if lo <= i < hi else "dim" if text == "·" else "")
