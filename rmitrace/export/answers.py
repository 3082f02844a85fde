"""Answers to a pasted text, as text and as JSON objects."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import IO, Any

from ..answers import Answer
from ..display import safe

_ABOUT = 200
WIDTH = 120
"""Columns of prose where there is no terminal."""


def write(found: Iterable[Answer], out: IO[str], width: int | None = None) -> None:
    """Each answer below the line that it is about; wrapped to ``width`` columns."""
    for a in found:
        where = f"line {a.line}: " if a.line is not None else ""
        about = a.about if len(a.about) <= _ABOUT else a.about[: _ABOUT - 1] + "\u2026"
        _put(out, f"  {where}{about}", width, "    ")
        for line in a.said:
            _put(out, f"      {line}", width, "  ")
        for i, line in enumerate(a.next):
            _put(out, f"      {'next: ' if not i else '      '}{line}", width, "      ")


def _put(out: IO[str], line: str, width: int | None, deeper: str) -> None:
    line = safe(line)
    if width is None or len(line) <= width:
        out.write(line + "\n")
        return
    indent = " " * (len(line) - len(line.lstrip()))
    parts = textwrap.wrap(
        line.strip(), max(width - len(indent), 40), subsequent_indent=deeper, break_on_hyphens=False, break_long_words=False
    )
    out.write("".join(f"{indent}{p}\n" for p in parts))


def to_json(a: Answer, source: int | None = None) -> dict[str, Any]:
    """``{"type":"answer","topic","about","said":[...],"next":[...],"line"}``."""
    where = {} if source is None else {"source": source}
    return {
        "type": "answer",
        "topic": a.topic,
        **where,
        "line": a.line,
        "about": a.about,
        "said": list(a.said),
        "next": list(a.next),
    }
