"""The line at the top (what is open) and the line at the bottom (what just happened, and the keys)."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from ..display import count
from .bare import BareLines
from .styled import Styled
from .text import Line
from .view import View

_KEYS = (
    ("?", "help"),
    ("/", "find"),
    ("f", "filter"),
    ("Tab", "pane"),
    ("Enter", "open"),
    ("+ -", "zoom"),
    ("! ]", "findings"),
    ("q", "quit"),
)


class Bar(Styled, Widget):
    """One line of styled words."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles_cache = BareLines()

    def style_of(self, name: str) -> Style:
        """The style of a name (see .theme); here a warning is bold."""
        return super().style_of("warned" if name == "warning" else name)

    def render_line(self, y: int) -> Strip:
        """The line."""
        return self.draw(Line(self.size.width, self.style_of)).strip()

    def draw(self, out: Line) -> Line:
        """Write the words."""
        raise NotImplementedError


class Header(Bar):
    """File, revision and counts."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.model = view
        self.reading = ""
        """How far the reading is, empty when it is done."""
        self.problem = ""
        self.checking = "checking…"

    def draw(self, out: Line) -> Line:
        """What is open: the counts in words where there is room, else with their signs alone."""
        capture = self.model.capture
        if self.model.conversation_alone:  # a conversation alone: nothing in it depends on the ABI
            tail = self._counts(words=out.width >= 100, messages=True)
            out.add(" ").add(" + ".join(s.name for s in capture.sources), "title", limit=max(out.width - _size(tail) - 3, 12))
            return self._told(out, tail)
        revision = capture.revision.name
        tail = self._counts(words=True, messages=out.width >= 120)
        if _size(tail) + len(revision) + 20 > out.width:
            tail = self._counts(words=False, messages=not self.model.calls)
            if _size(tail) + 25 > out.width:
                tail = self._counts(words=False, messages=not self.model.calls, short=True)
            most = max(out.width - _size(tail) - 18, 8)
            revision = revision if len(revision) <= most else revision[: most - 1] + "…"
        room = out.width - _size(tail) - len(revision) - 5
        out.add(" ").add(" + ".join(s.name for s in capture.sources), "title", limit=max(room, 12))
        out.add(" │ ", "dim").add(revision, "ok").add("~" if capture.revision.evidence else "?", "dim")
        self._told(out, tail)
        hint = next(iter(capture.revision.evidence), "")
        left = out.width - out.at - 4
        if hint and left > 24:
            out.add("  ~ ", "dim").add(str(hint), "dim", limit=left)
        return out

    @staticmethod
    def _told(out: Line, tail: list[tuple[str, str]]) -> Line:
        for text, style in tail:
            out.add(" │ ", "dim").add(text, style)
        return out

    def _counts(self, *, words: bool, messages: bool, short: bool = False) -> list[tuple[str, str]]:
        """State of the reading, then the counts; each with its style."""
        view = self.model
        out: list[tuple[str, str]] = []
        if self.problem:
            out.append((self.problem, "error"))
        elif self.reading or not view.capture.complete:
            said = self.reading or "first part only"
            out.append((brief(said) if short else said, "warning"))
        if view.calls or not view.messages:
            out.append((count(view.calls, "call"), ""))
        if view.messages and messages:
            out.append((count(view.messages, "message"), ""))
        if view.calls or not view.messages:
            out.append((f"✗ {view.failed:,}" + " failed" * words, "error" if view.failed else "dim"))
            more = "≥" if view.lost_at_least else ""
        if (view.calls or not view.messages) and (not short or not self.reading or view.lost or more):
            out.append((f"lost {more}{view.lost:,}", "warning" if view.lost or more else "dim"))
        worst = view.noted.worst
        sign, style = (("·", "dim"), ("·", "dim"), ("!", "warning"), ("✗", "error"))[worst]
        findings = count(len(view.findings), "finding") if words else f"{len(view.findings):,}"
        if view.learned or view.findings:
            out.append((f"{sign} {findings}" + " found" * (not words) + "…" * (not view.learned), style))
        elif not short or not self.reading:
            out.append((self.checking, "dim"))
        return out


def brief(words: str) -> str:
    """The beginning of what is said of the reading, for where the counts need the room: ``reading 43%``."""
    return words.partition(" of ")[0].partition(", ")[0]


def _size(parts: list[tuple[str, str]]) -> int:
    return sum(cell_len(text) + 3 for text, _ in parts)


class StatusBar(Bar):
    """What just happened on the left, the keys on the right."""

    message = ""
    severity = ""
    filter = ""

    def say(self, message: str, severity: str = "") -> None:
        """Show a message until the next one."""
        if (message, severity) != (self.message, self.severity):
            self.message, self.severity = message, severity
            self.refresh()

    def show_filter(self, words: str) -> None:
        """Show a filter in words, none where they are empty."""
        if words != self.filter:
            self.filter = words
            self.refresh()

    def draw(self, out: Line) -> Line:
        """Message or filter, then as many keys as fit."""
        out.add(" ")
        if self.message:
            sign = {"error": "✗ ", "warning": "! "}.get(self.severity, "")
            out.add(sign + self.message, self.severity, limit=max(out.width - 10, 1)).add("  ")
        elif self.filter:
            out.add("filter: ", "key").add(self.filter, "", limit=max(out.width // 2, 20)).add("  ")
        keys = list(_KEYS)
        while keys and sum(len(k) + len(t) + 3 for k, t in keys) > out.width - out.at:
            keys.pop(-2 if len(keys) > 2 else -1)
        size = sum(len(k) + len(t) + 3 for k, t in keys)
        out.to(out.width - size)
        for key, text in keys:
            out.add(f" {key}", "key").add(f" {text} ", "dim")
        return out
