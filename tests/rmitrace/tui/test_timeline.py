"""What is drawn on the timeline, without a screen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rmitrace.tui.timeline import axis_text, nice, short, span_text


@pytest.mark.parametrize(
    ("outcome", "width", "text"),
    [
        ("ok", 1, "✓"),
        ("failed", 1, "✗"),
        ("incomplete", 1, "…"),
        ("failed", 2, "├✗"),
        ("ok", 3, "├✓┤"),
        ("ok", 6, "├con✓┤"),
        ("failed", 16, "├connect ✗─────┤"),
    ],
)
def test_span(outcome: str, width: int, text: str) -> None:
    assert span_text("connect", outcome, width, True, True) == text
    assert len(text) == width


def test_span_cut_by_the_window() -> None:
    assert span_text("connect", "ok", 14, False, False) == "─connect ✓────"


def test_a_name_goes_where_it_can_be_read() -> None:
    taken = [False] * 20
    taken[4] = True
    assert span_text("connect", "failed", 20, True, True, taken) == "├────connect ✗─────┤"
    assert span_text("connect", "failed", 20, True, True, [i % 3 == 0 for i in range(20)]) == "├──────────────────┤"
    assert span_text("connect", "ok", 5, True, True, [False, True, False, False, False]) == "├───┤"


def timeline(lo: float, hi: float, ordered: bool = False) -> Any:
    return SimpleNamespace(window=(lo, hi), ordered=ordered, cell=lambda place, width: int((place - lo) / (hi - lo) * width))


def test_axis_has_round_times() -> None:
    assert axis_text(timeline(0, 10e6), 56, 0) == "╵0ms                        ╵5ms                        "
    assert axis_text(timeline(0, 3), 42, 0).split("╵")[1:] == ["0ns" + " " * 10, "1ns" + " " * 10, "2ns" + " " * 10]
    assert "╵1.5s" in axis_text(timeline(0, 2e9), 70, 0)


def test_axis_of_absolute_times_and_of_order() -> None:
    assert "╵12.002s" in axis_text(timeline(0, 10e6), 80, 12_000_000_000)
    assert axis_text(timeline(0, 20, True), 40, 0).startswith("╵#0")


def test_round_steps() -> None:
    assert [nice(v) for v in (0.9, 1.1, 3, 6, 11)] == [1, 2, 5, 10, 20]


def test_short_lane_names_keep_what_differs() -> None:
    assert short("pdev:0x88001000", 15) == "pdev:0x88001000"
    assert short("pdev:0x55d2c792d000", 15) == "pdev:…2c792d000"
    assert short("other calls", 6) == "other…"
