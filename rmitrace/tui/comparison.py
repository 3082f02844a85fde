"""Two captures side by side, ``rmitrace diff --view``: a row for each pair of calls, and below it in what they differ."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.strip import Strip

from ..compare import Comparison, Difference, Row, objects_in
from ..display import count
from .bars import Bar
from .lineview import LineView
from .oneframe import OneFrame
from .screens import HelpScreen
from .text import Line
from .theme import DARK, LIGHT

_CONTEXT = 2
"""Calls that are the same shown around those that differ."""
_NUMBER = 7
_BETWEEN = 3
_NARROW = 60
"""Cells of a half below which a call shows its first result in the place of RMI_SUCCESS."""
_KEYS = (("n N", "difference"), ("!", "first"), ("f", "fold"), ("Tab", "pane"), ("?", "keys"), ("q", "quit"))


class Pairs(LineView):
    """The rows of a comparison, A on the left and B on the right."""

    def __init__(self, model: Comparison) -> None:
        super().__init__(id="pairs")
        self.model = model
        self.differing = set(model.differing)
        self.folded = False
        self._shown = np.arange(len(model.rows))

    def fit(self) -> None:
        """Keep the cursor in the middle, however many lines the layout gives in the end."""
        self._fit()
        self.scroll_to(y=max(self.cursor - self.line_count // 2, 0), animate=False, force=True)

    def count(self) -> int:
        """Rows in sight."""
        return len(self._shown)

    @property
    def row(self) -> int:
        """The number of the row under the cursor, -1 where there is none."""
        return int(self._shown[self.cursor]) if self.cursor < len(self._shown) else -1

    def fold(self) -> None:
        """Show only what differs and the calls around it, or everything again; the cursor stays where it is."""
        row = self.row
        self.folded = not self.folded
        every = np.arange(len(self.model.rows))
        if self.folded:
            near = np.unique([max(d + k, 0) for d in self.model.differing for k in range(-_CONTEXT, _CONTEXT + 1)])
            every = near[near < len(self.model.rows)]
        self._shown = every
        self.changed()
        self.go_to(row)

    def go_to(self, row: int) -> None:
        """Put the cursor on a row, or the nearest one in sight."""
        self.move_to(int(np.searchsorted(self._shown, row)), middle=True)

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """Both calls, each in its half; what only one side has leaves the other half empty."""
        number = int(self._shown[line])
        row = self.model.rows[number]
        out = Line(width, self.style_of, self.base_of(cursor, focused))
        half = (width - _BETWEEN - 2) // 2
        differs = number in self.differing
        gap = line > 0 and int(self._shown[line - 1]) + 1 < number
        out.add("❯" if cursor else "⋮" if gap else " ", "mark" if cursor else "dim")
        out.add(" ")
        self._half(out, row, False, differs, half)
        out.to(2 + half).add(f" {self._sign(row, differs)} ", "error" if differs else "dim")
        self._half(out, row, True, differs, width - out.at)
        return out.strip()

    @staticmethod
    def _sign(row: Row, differs: bool) -> str:
        if row.a < 0 or row.b < 0:
            return "›" if row.a < 0 else "‹"
        return "≠" if differs else "│"

    def _half(self, out: Line, row: Row, second: bool, differs: bool, room: int) -> None:
        n, seq = (self.model.b, row.b) if second else (self.model.a, row.a)
        start = out.at
        if seq < 0 or room <= _NUMBER:
            out.add("·" * max(min(room - 1, 3), 0), "dim")
            return
        capture = n.capture
        call = capture.call(seq)
        out.right(str(seq), "dim", start + _NUMBER - 1)
        out.to(start + _NUMBER)
        failed = bool(capture.calls.failed[seq])
        status = (call.status or "").removeprefix("RMI_")
        results = "" if failed or not call.results else " {" + ", ".join(r.text for r in call.results) + "}"
        if room < _NARROW and results:  # what it returned says more than that it succeeded
            status, results = call.results[0].text[: room // 2], ""
        end = start + room - len(status) - 1
        name = capture.name_text(seq).removeprefix("RMI_")
        called = {name: role for name, _, role in objects_in(n, call, self.model.called[second])}
        out.add(name, "name" if not differs else "error", limit=end - out.at)
        out.add(f"({', '.join(called.get(a.name, a.text) for a in call.args)})", "", limit=end - out.at)
        out.add(results, "dim", limit=end - out.at)
        out.right(status, "error" if failed else "ok", start + room)


class Described(LineView):
    """In what the calls of a row differ, and both in full."""

    def __init__(self, model: Comparison) -> None:
        super().__init__(id="described")
        self.model = model
        self.lines: list[tuple[str, str, str, str]] = []

    def show(self, row: int) -> None:
        """Show another row."""
        self.lines = list(self._lines(self.model.rows[row])) if row >= 0 else []
        self.cursor = 0
        self.changed()

    def _lines(self, row: Row) -> list[tuple[str, str, str, str]]:
        out: list[tuple[str, str, str, str]] = []
        if row.a < 0 or row.b < 0:
            out.append((f"only in {'B' if row.a < 0 else 'A'}", "", "", "error"))
        for d in row.differences:
            out.append((_name(d), d.a, d.b, "dim" if d.what in self.model.ignored else "error"))
        if row.same:
            out.append(("the same", "", "", "ok"))
        sides = [(n, s) for n, s in ((self.model.a, row.a), (self.model.b, row.b)) if s >= 0]
        calls = [n.capture.call(s) for n, s in sides]
        roles = [
            {name: f" ({r})" for name, _, r in objects_in(n, c, self.model.called[n is self.model.b])}
            for (n, _), c in zip(sides, calls, strict=True)
        ]
        for name in dict.fromkeys(a.name for c in calls for a in c.args):
            texts = [
                next((a.text + r.get(name, "") for a in c.args if a.name == name), "-") for c, r in zip(calls, roles, strict=True)
            ]
            out.append((f"  {name}", texts[0], texts[-1] if len(texts) > 1 else "", ""))
        for (n, _), call in zip(sides, calls, strict=True):
            source = n.capture.sources[call.source]
            out.append(
                (f"  {'A' if n is self.model.a else 'B'} raw", f"{source.name}:{call.offset}  {call.raw.strip()}", "", "dim")
            )
        return out

    def count(self) -> int:
        """Lines."""
        return len(self.lines)

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """A name, the value in A, the value in B."""
        name, a, b, style = self.lines[line]
        out = Line(width, self.style_of, self.base_of(cursor, focused))
        out.add("❯" if cursor and focused else " ", "mark")
        wide = min(max((len(name) for name, *_ in self.lines), default=0) + 3, width * 9 // 20)
        out.add(name, style or "name", limit=wide - out.at - 1).to(wide)
        if not b:
            return out.add(a, "" if style != "dim" else "dim").strip()
        half = (width - out.at) // 2
        start = out.at
        out.add(a, "value", limit=half - 2).to(start + half)
        return out.add("│ ", "dim").add(b, "value").strip()


def _name(d: Difference) -> str:
    return d.what if d.what == d.name else f"{d.what} {d.name}"


class Answer(Bar):
    """What is compared, and whether it is the same."""

    def __init__(self, model: Comparison) -> None:
        super().__init__(id="answer")
        self.model = model

    def draw(self, out: Line) -> Line:
        """A and B, and the counts."""
        c = self.model
        for side, n in (("A", c.a), ("B", c.b)):
            out.add(f" {side} ", "key").add(" + ".join(s.name for s in n.capture.sources), "title", limit=max(out.width // 4, 12))
            out.add(f" {len(n):,}", "dim").add(" │", "dim")
        if c.same:
            return out.add(" the same", "ok")
        told = ", ".join(f"{n} {k}" for k, n in c.counted.most_common())
        return out.add(f" {count(len(c.differing), 'difference')}: {told}", "error")


class Keys(Bar):
    """The keys, and what just happened."""

    message = ""

    def say(self, message: str) -> None:
        """Show a message until the next one."""
        self.message = message
        self.refresh()

    def draw(self, out: Line) -> Line:
        """Message and keys."""
        out.add(f" {self.message}", "warning")
        size = sum(len(k) + len(t) + 3 for k, t in _KEYS)
        out.to(max(out.width - size, out.at + 1))
        for key, text in _KEYS:
            out.add(f" {key}", "key").add(f" {text} ", "dim")
        return out


class ComparisonScreen(OneFrame, Screen[None]):
    """Both captures, and below them the row under the cursor."""

    AUTO_FOCUS: ClassVar[str | None] = "#pairs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,right_square_bracket", "next(1)", "Next difference", key_display="n ]", show=False),
        Binding("N,left_square_bracket", "next(-1)", "Previous difference", key_display="N [", show=False),
        Binding("exclamation_mark", "first", "The first difference that matters", show=False),
        Binding("f", "fold", "Only what differs, or everything", show=False),
        Binding("tab", "pane", "Other pane", show=False),
        Binding("t", "app.light_dark", "Light or dark", show=False),
        Binding("question_mark", "keys", "These keys", show=False),
        Binding("q", "app.quit", "Quit", show=False),
    ]

    def __init__(self, model: Comparison) -> None:
        super().__init__()
        self.model = model

    def compose(self) -> ComposeResult:
        """Answer, rows, details, keys."""
        yield Answer(self.model)
        with Vertical(id="compared"):
            yield Pairs(self.model).add_class("pane")
            yield Described(self.model).add_class("pane")
        yield Keys()

    @property
    def pairs(self) -> Pairs:
        """The rows."""
        return self.query_one(Pairs)

    def on_mount(self) -> None:
        """Go to the first difference that matters."""
        self._titles()
        self.call_after_refresh(self.pairs.go_to, max(self.model.first, 0))

    def _titles(self) -> None:
        shown = (
            f"{self.pairs.count():,} of {count(len(self.model.rows), 'row')}"
            if self.pairs.folded
            else count(len(self.model.rows), "row")
        )
        self.pairs.entitle(f"A and B by call · {shown}")
        self.query_one(Described).entitle("The row in full")

    def on_line_view_moved(self, message: LineView.Moved) -> None:
        """Another row: show it in full."""
        if message.view is self.pairs:
            self.query_one(Described).show(self.pairs.row)

    def action_next(self, by: int) -> None:
        """The next or previous row that differs."""
        rows = np.array(self.model.differing, dtype=np.int64)
        at = int(np.searchsorted(rows, self.pairs.row, "right" if by > 0 else "left")) - (by < 0)
        if 0 <= at < len(rows):
            self.pairs.go_to(int(rows[at]))
            self.query_one(Keys).say(f"{at + 1} of {len(rows)}")
        else:
            self.query_one(Keys).say("no further difference" if len(rows) else "nothing differs")

    def action_first(self) -> None:
        """The difference that the others can follow from."""
        if self.model.first >= 0:
            self.pairs.go_to(self.model.first)
        else:
            self.query_one(Keys).say("nothing differs")

    def action_fold(self) -> None:
        """Only what differs, or everything."""
        if not self.model.differing:
            self.query_one(Keys).say("nothing differs")
            return
        self.pairs.fold()
        self._titles()

    def action_pane(self) -> None:
        """Give the focus to the other pane."""
        other = self.query_one(Described) if self.pairs.has_focus else self.pairs
        other.focus()

    def action_keys(self) -> None:
        """Show the keys."""
        here = [b for b in self.BINDINGS if isinstance(b, Binding)]
        moving = [b for b in LineView.BINDINGS if isinstance(b, Binding)]
        HelpScreen.show(self.app, lambda: [("Differences", here), ("Moving", moving)])


class ComparisonApp(App[None]):
    """The viewer of a comparison."""

    CSS_PATH = "view.tcss"
    TITLE = "rmitrace"

    def __init__(self, model: Comparison) -> None:
        super().__init__()
        self.model = model
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name

    def get_default_screen(self) -> Screen[None]:
        """The comparison."""
        return ComparisonScreen(self.model)

    def action_light_dark(self) -> None:
        """The other theme."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name


def show_comparison(model: Comparison) -> None:
    """Show a comparison on the terminal until the user quits."""
    ComparisonApp(model).run()
