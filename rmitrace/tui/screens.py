"""Screens over the main one: the keys, and the findings."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.strip import Strip

from ..display import safe
from .fixed import FixedVertical
from .lineview import LineView
from .oneframe import OneFrame
from .text import SIGN, STYLE, Line
from .view import View

Groups = Sequence[tuple[str, Sequence[Binding]]]
"""Keys, by where they work."""
_HELP = "help"
_NAMES = {
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "question_mark": "?",
    "exclamation_mark": "!",
    "slash": "/",
    "apostrophe": "'",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "comma": ",",
    "full_stop": ".",
    "colon": ":",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "shift+left": "Shift+←",
    "shift+right": "Shift+→",
    "ctrl+p": "Ctrl+P",
}


def key_text(binding: Binding) -> str:
    """How the keys of a binding are written on the screen."""
    return binding.key_display or " ".join(_NAMES.get(k.strip(), k.strip()) for k in binding.key.split(","))


class KeyList(LineView):
    """Keys and what they do, in groups."""

    def __init__(self, groups: Groups) -> None:
        super().__init__(id="keys")
        self.entries: list[tuple[str, str]] = []
        for title, bindings in groups:
            self.entries += [("", ""), (title, "")] if self.entries else [(title, "")]
            self.entries += [(key_text(b), b.description) for b in bindings]

    def count(self) -> int:
        """Lines."""
        return len(self.entries)

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """A group's title, or keys and what they do."""
        key, text = self.entries[line]
        out = Line(width, self.style_of, self.base_of(cursor, focused))
        if not text:
            return out.add(key, "heading").strip()
        return out.add("  ").add(key, "name").to(16).add(text).strip()


class HelpScreen(OneFrame, ModalScreen[None]):
    """Every key. It is made once: Textual takes longer to make a screen than to draw it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "Close", show=False)]

    def __init__(self, groups: Groups) -> None:
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        """The list in a frame."""
        with FixedVertical() as frame:
            frame.border_title = Content("Keys")
            frame.border_subtitle = Content("Esc closes")
            yield KeyList(self._groups)

    def on_screen_resume(self) -> None:
        """Begin at the first key."""
        self.query_one(KeyList).move_to(0)

    @classmethod
    def show(cls, app: App[Any], groups: Callable[[], Groups]) -> None:
        """Show the keys of an application."""
        if not app.is_screen_installed(_HELP):
            app.install_screen(cls(groups()), _HELP)
        app.push_screen(_HELP)


class FindingList(LineView):
    """One line a finding."""

    def __init__(self, view: View, start: int) -> None:
        super().__init__(id="findings")
        self.model = view
        self.cursor = start

    def count(self) -> int:
        """Findings."""
        return len(self.model.findings)

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """Severity, call, rule and sentence."""
        f = self.model.findings[line]
        call = self.model.finding_calls[line]
        out = Line(width, self.style_of, self.base_of(cursor, focused))
        out.add("❯" if cursor else " ", "mark").add(SIGN.get(f.severity, "·") + " ", STYLE.get(f.severity, "dim"))
        out.add(self.model.time_text(call) if call >= 0 else "", "dim", limit=13).to(16)
        out.add(f.rule + " ", "name").to(36)
        return out.add(f.message).strip()


class About(LineView):
    """The finding under the cursor in full."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__(id="about")
        self.lines: list[tuple[str, str]] = []

    def show(self, lines: Iterable[tuple[str, str]]) -> None:
        """Show other lines: text and style."""
        width = max(self.line_width - 1, 20)
        self.lines = [(part, style) for text, style in lines for part in textwrap.wrap(safe(text), width, max_lines=12) or [""]]
        self.cursor = -1
        self.changed()

    def changed(self) -> None:
        """There is no cursor to keep."""
        super().changed()
        self.cursor = -1

    def count(self) -> int:
        """Lines."""
        return len(self.lines)

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """One line."""
        text, style = self.lines[line]
        return Line(width, self.style_of).add(text, style).strip()


class FindingsScreen(OneFrame, ModalScreen[int]):
    """The findings; Enter gives back the number of the one chosen, Escape -1."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,exclamation_mark", "close", "Close", show=False),
        Binding("enter,space", "choose", "Go to the call", show=False),
    ]

    def __init__(self, view: View, start: int) -> None:
        super().__init__()
        self.model = view
        self._start = start

    def compose(self) -> ComposeResult:
        """The list, and below it the finding in full."""
        with FixedVertical() as frame:
            frame.border_title = Content(f"Findings: {len(self.model.findings):,}")
            frame.border_subtitle = Content("Enter goes to the call · Esc closes")
            yield FindingList(self.model, self._start)
            yield About()

    def on_mount(self) -> None:
        """Select the finding that was looked at last."""
        self.call_after_refresh(self.query_one(FindingList).move_to, self._start)

    def on_line_view_moved(self, message: LineView.Moved) -> None:
        """Show the finding under the cursor in full."""
        if not isinstance(message.view, FindingList) or not self.model.findings:
            return
        f = self.model.findings[message.view.cursor]
        call = self.model.finding_calls[message.view.cursor]
        where = [f.object or "", f"call {call}" if f.calls else "", f.spec]
        if f.source >= 0 and f.offset >= 0:
            where.append(f"{self.model.capture.sources[f.source].name}, byte {f.offset}")
        self.query_one(About).show(
            [
                (f"{SIGN.get(f.severity, '·')} {f.severity}  {f.rule}", STYLE.get(f.severity, "")),
                (f.message, ""),
                (" · ".join(w for w in where if w), "dim"),
            ]
        )

    def action_close(self) -> None:
        """Close without going anywhere."""
        self.dismiss(-1)

    def action_choose(self) -> None:
        """Go to the call of the finding under the cursor."""
        self.dismiss(self.query_one(FindingList).cursor if self.model.findings else -1)
