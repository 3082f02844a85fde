"""Numbers as text, and lines cut at their width."""

from __future__ import annotations

import pytest
from rich.style import Style

from rmitrace.display import count
from rmitrace.tui.text import Line, duration, seconds


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0ns"),
        (999, "999ns"),
        (42_100, "42.1us"),
        (1_234_000, "1.23ms"),
        (999_000, "999us"),
        (2_500_000_000, "2.50s"),
        (99_000_000_000, "99.0s"),
    ],
)
def test_duration(ns: int, text: str) -> None:
    assert duration(ns) == text
    assert len(text) <= 7


def test_seconds() -> None:
    assert seconds(12_345_678_000) == "12.345678"
    assert seconds(-1_500) == "-0.000002"
    assert seconds(999_999_999) == "1.000000"


def test_count() -> None:
    assert (count(1, "call"), count(0, "call"), count(1234, "call")) == ("1 call", "0 calls", "1,234 calls")


def plain(name: str) -> Style:
    return Style()


def test_a_line_is_as_wide_as_asked_and_cut_with_an_ellipsis() -> None:
    line = Line(10, plain).add("abcdefghijkl").strip()
    assert line.text == "abcdefghi…"
    assert Line(10, plain).add("ab").strip().text == "ab        "
    assert Line(10, plain).add("abcdef", limit=4).add("x").strip().text == "abc…x     "
    assert Line(10, plain).add("a").right("42", "", 10).strip().text == "a       42"
    assert Line(5, plain).add("abc").right("1234", "", 5).strip().text == "abc1…"


def test_wide_characters_and_escapes() -> None:
    line = Line(6, plain).add("中文字中").strip()
    assert line.cell_length == 6
    assert line.text.startswith("中文")
    assert Line(10, plain).add("a\x1b[2J").strip().text == "a␛[2J     "
