"""The line at the top: where there is little room the words are fewer, the counts stay."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.style import Style

from rmitrace.tui.bars import Header
from rmitrace.tui.text import Line


def head(width: int, reading: str, **more: Any) -> str:
    view = {
        "capture": SimpleNamespace(
            revision=SimpleNamespace(name="2.0-bet3", evidence=()), sources=[SimpleNamespace(name="trace.txt")], complete=True
        ),
        "calls": 10_002_167, "messages": 0, "failed": 190_750, "lost": 0, "lost_at_least": False, "learned": False,
        "findings": [], "noted": SimpleNamespace(worst=0), "conversation_alone": False,
    }  # fmt: skip
    shown = Header(cast(Any, SimpleNamespace(**{**view, **more})))
    shown.reading = reading
    return shown.draw(Line(width, lambda name: Style())).strip().text


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ("reading 43% of 3,219 MB, 512 MB/s", "reading 43%"),
        ("3,219 MB read, pairing calls", "3,219 MB read"),
        ("following objects… 12 s", "following objects… 12 s"),
        ("not followed any more", "not followed any more"),
    ],
)
def test_counts_are_whole_at_80_columns(reading: str, said: str) -> None:
    shown = head(80, reading)
    assert f"│ {said} │ 10,002,167 calls │ ✗ 190,750" in shown
    assert not shown.rstrip().endswith("…")
    assert f"│ {reading} │ 10,002,167 calls │ ✗ 190,750 failed │ lost 0 │ checking…" in head(160, reading)


def test_what_was_lost_is_told_while_reading() -> None:
    assert "lost ≥7" in head(80, "reading 43% of 3,219 MB, 512 MB/s", lost=7, lost_at_least=True)
