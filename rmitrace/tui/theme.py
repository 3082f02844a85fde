"""The two colour themes, and the styles of text in them. Every meaning that has a colour has a sign as well.

The styles are no component classes of the widgets: Textual works out each of those again, of every pane, whenever the focus moves
or a pane is shown or hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

DARK = Theme(
    name="rmitrace-dark",
    dark=True,
    primary="#6cb6ff",
    secondary="#8aa4c8",
    accent="#d2a8ff",
    success="#7ecf8a",
    warning="#e3b341",
    error="#ff7b72",
    foreground="#d6dee8",
    background="#0f141a",
    surface="#0f141a",
    panel="#1b2430",
    variables={
        "dim": "#8593a3",
        "cursor": "#26425f",
        "cursor-blur": "#1d2937",
        "field": "#e3b341",
        "span-ok": "#16331f",
        "span-failed": "#4a1d1f",
        "span-incomplete": "#3d3213",
        "bar": "#1b2430",
    },
)

LIGHT = Theme(
    name="rmitrace-light",
    dark=False,
    primary="#0b57a4",
    secondary="#44617f",
    accent="#7a3ea8",
    success="#1a6f2e",
    warning="#855300",
    error="#b3141f",
    foreground="#1c232b",
    background="#fbfbf9",
    surface="#fbfbf9",
    panel="#e9ecef",
    variables={
        "dim": "#5d6873",
        "cursor": "#bcd7f2",
        "cursor-blur": "#dfe6ec",
        "field": "#ffd257",
        "span-ok": "#d2ecd6",
        "span-failed": "#f7d0d0",
        "span-incomplete": "#f3e5bd",
        "bar": "#e3e8ed",
    },
)

_STYLES = {
    "title": ("", "", True),
    "key": ("primary", "", True),
    "ok": ("success", "", False),
    "error": ("error", "", True),
    "warning": ("warning", "", False),
    "warned": ("warning", "", True),
    "dim": ("dim", "", False),
    "frame": ("frame", "", False),
    "name": ("primary", "", False),
    "heading": ("", "", True),
    "object": ("accent", "", False),
    "value": ("foreground", "", False),
    "mark": ("warning", "", True),
    "cursor": ("", "cursor", False),
    "cursor-blur": ("", "cursor-blur", False),
    "field": ("#000000", "field", True),
    "span-ok": ("success", "span-ok", False),
    "span-failed": ("error", "span-failed", True),
    "span-incomplete": ("warning", "span-incomplete", False),
    "selected": ("background", "primary", True),
    "primary": ("primary", "", False),
}
"""Name to foreground and background, each a colour of the theme, and whether it is bold."""


@cache
def styles(dark: bool) -> Mapping[str, Style]:
    """The styles of text in a dark theme or a light one."""
    theme = DARK if dark else LIGHT
    frame = Color.parse(str(theme.background)) + Color.parse(theme.variables["dim"]).multiply_alpha(0.5)

    def colour(word: str) -> str | None:
        return frame.hex if word == "frame" else theme.variables.get(word) or getattr(theme, word, word) or None

    return MappingProxyType(
        {n: Style(color=colour(front), bgcolor=colour(back), bold=bold or None) for n, (front, back, bold) in _STYLES.items()}
    )
