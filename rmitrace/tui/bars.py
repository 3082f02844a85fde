"""The line at the top (what is open) and the line at the bottom (what just happened, and the keys)."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from .text import Line, count
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


_RANK = {"note": 1, "warning": 2, "error": 3}


class Bar(Widget):
    """One line of styled words."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"bar--{n}" for n in ("title", "key", "error", "warning", "ok", "dim")}

    def style_of(self, name: str) -> Style:
        """The style of a component by its short name."""
        return self.get_component_rich_style(f"bar--{name}", partial=True) if name else self.rich_style

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

    def draw(self, out: Line) -> Line:
        """What is open."""
        view = self.model
        capture = view.capture
        names = [s.name for s in capture.sources]
        tail: list[tuple[str, str]] = [(count(view.calls, "call"), "")]
        if view.messages and (not view.calls or out.width >= 120):
            tail.append((count(view.messages, "message"), ""))
        tail.append((f"✗ {view.failed:,} failed", "error" if view.failed else "dim"))
        more = "≥" if view.lost_at_least else ""
        tail.append((f"lost {more}{view.lost:,}", "warning" if view.lost or more else "dim"))
        worst = int(max((_RANK[f.severity] for f in view.findings), default=0))
        sign, style = (("·", "dim"), ("·", "dim"), ("!", "warning"), ("✗", "error"))[worst]
        tail.append((f"{sign} {count(len(view.findings), 'finding')}", style) if view.learned else ("checking…", "dim"))
        if self.problem:
            tail.append((self.problem, "error"))
        elif self.reading or not capture.complete:
            tail.append((self.reading or "first part only", "warning"))
        out.add(" ")
        rest = sum(cell_len(t) + 3 for t, _ in tail)
        revision = capture.revision.name
        room = out.width - rest - len(revision) - 5
        out.add(" + ".join(names), "title", limit=max(room, 12))
        out.add(" │ ", "dim").add(revision, "ok").add("~" if capture.revision.evidence else "?", "dim")
        for text, style in tail:
            out.add(" │ ", "dim").add(text, style)
        hint = next(iter(capture.revision.evidence), "")
        left = out.width - out.at - 4
        if hint and left > 24:
            out.add("  ~ ", "dim").add(hint, "dim", limit=left)
        return out


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
