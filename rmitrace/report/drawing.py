"""Where everything of the picture lies: coordinates in px of a drawing that the template writes as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .model import Event, Picture, Span

GUTTER = 104
"""Width of the names of the lanes."""
WIDTH = 1120
"""What a picture of few columns is stretched to."""
_MIN_COLUMN, _MAX_COLUMN = 22, 62
_RIGHT = 96
"""Room for the slanted names of the last columns."""
STEP_Y, STEP_H = 30, 24
_CHAR = 6.3
"""Mean width of a character of the small text."""


class Box(NamedTuple):
    """A step or a state. text: empty where it does not fit in; title: the whole."""

    x: float
    width: float
    text: str
    title: str
    css: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column. x: its middle; label: of the call; talk: names of the messages."""

    x: float
    event: Event
    label: str
    title: str
    talk: str
    css: str
    dense: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """The picture with all places; y_*: the middle of each lane."""

    width: int
    height: int
    column: float
    columns: tuple[Column, ...]
    steps: tuple[Box, ...]
    states: tuple[Box, ...]
    y_host: float
    y_rmm: float
    y_state: float
    y_talk: float
    lanes: tuple[tuple[str, float], ...]
    main_x: float | None
    bottom: float


def drawing(p: Picture) -> Drawing:
    """Lay the picture out."""
    n = max(1, len(p.events))
    column = max(_MIN_COLUMN, min(_MAX_COLUMN, (WIDTH - GUTTER - _RIGHT) / n))
    width = round(max(720, GUTTER + n * column + _RIGHT))
    talks = any(e.talks for e in p.events)
    longest = max((len(_label(e)) for e in p.events), default=0)
    up = min(longest, 30) * _CHAR * 0.79 + 10
    y_host = STEP_Y + STEP_H + up + 10
    statuses = max((len(e.status) for e in p.events), default=0)
    y_rmm = y_host + 44
    down = 16 + (min(statuses, 24) * _CHAR * 0.79 if statuses else 0)
    y_state = y_rmm + down + 26 if p.states else y_rmm + down - 10
    y_talk = y_state + 44
    longest_talk = max((len(_talk(e)) for e in p.events), default=0)
    bottom = y_talk + 20 + min(longest_talk, 30) * _CHAR * 0.79 if talks else y_state + 26
    x = [GUTTER + (i + 0.5) * column for i in range(n)]
    columns = tuple(Column(x[i], e, _label(e), _title(e), _talk(e), _css(e), column < 30) for i, e in enumerate(p.events))
    steps = tuple(_box(s, column, s.outcome, f"{s.name} {s.took}".strip()) for s in p.steps)
    states = tuple(_box(s, column, "failed" if "ERROR" in s.name else f"state{i % 2}", s.name) for i, s in enumerate(p.states))
    lanes = [("host", y_host), ("RMM", y_rmm)]
    lanes += [("state", y_state)] if p.states else []
    lanes += [("device", y_talk)] if talks else []
    main = next((i for i, e in enumerate(p.events) if e.main), None)
    return Drawing(
        width,
        round(bottom + 8),
        column,
        columns,
        steps,
        states,
        y_host,
        y_rmm,
        y_state,
        y_talk,
        tuple(lanes),
        None if main is None else x[main],
        bottom,
    )


def _box(s: Span, column: float, css: str, text: str) -> Box:
    x, width = GUTTER + s.first * column, (s.last - s.first + 1) * column
    fits = _width(text) <= width
    short = s.name if _width(s.name) <= width else ""
    title = f"{s.name}{' (' + s.outcome + ')' if s.outcome else ''}{' ' + s.took if s.took else ''}"
    return Box(x, width, text if fits else short, title + (" (inferred)" if s.inferred else ""), css)


def _width(text: str) -> float:
    """px that the text of a box takes, about."""
    return 5 + sum(7.6 if c.isupper() else 5.9 for c in text)


def _label(e: Event) -> str:
    name = e.name if len(e.name) <= 30 else e.name[:29] + "…"
    return f"{name} ×{e.count}" if e.count > 1 else name


def _talk(e: Event) -> str:
    names = [name for _, name in e.talks]
    text = " / ".join(dict.fromkeys(names)) if e.bad_talk or len(names) == 1 else names[0] if names else ""
    return text if len(text) <= 30 else text[:29] + "…"


def _title(e: Event) -> str:
    from .words import numbers

    if e.gap:
        return f"{e.gap} calls left out"
    at = f" at {e.when}" if e.when else ""
    return f"{numbers(e)}{at}: {e.name}" + (f" returns {e.status}" if e.status else "")


def _css(e: Event) -> str:
    return "bad" if e.failed or e.main else "gap" if e.gap else "mild" if e.status else "ok"
