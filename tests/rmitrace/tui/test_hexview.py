"""Wrapping of raw text and the places of its characters."""

from __future__ import annotations

from rmitrace.tui.hexview import Wrapped


def lines(w: Wrapped) -> list[str]:
    return [w.text[slice(*w.line(i))] for i in range(len(w.starts))]


def test_wraps_after_a_blank_where_one_is_near() -> None:
    assert lines(Wrapped("aaaa bbbb cccc", 11)) == ["aaaa bbbb ", "cccc"]
    assert lines(Wrapped("a" * 25, 10)) == ["a" * 10, "a" * 10, "a" * 5]
    assert lines(Wrapped("", 10)) == [""]


def test_nothing_is_lost_and_no_line_is_too_long() -> None:
    text = "word " * 30 + "x" * 40 + " tail"
    w = Wrapped(text, 17)
    assert "".join(lines(w)) == text
    assert max(map(len, lines(w))) <= 17


def test_wide_characters_count_two_cells() -> None:
    assert lines(Wrapped("中文字中文字", 6)) == ["中文字", "中文字"]


def test_raw_places_become_places_of_the_safe_text() -> None:
    w = Wrapped("a\x9bb", 20)
    assert w.text == "a\\x9bb"
    assert [w.shown(i) for i in range(4)] == [0, 1, 5, 6]


def test_a_long_row_is_wrapped_in_linear_time() -> None:
    w = Wrapped("0" * 60_000 + " ", 74)
    assert len(w.starts) == 811  # 60001 / 74, rounded up
