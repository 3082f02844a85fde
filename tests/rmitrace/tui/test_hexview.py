"""Wrapping of raw text and the places of its characters."""

from __future__ import annotations

from rmitrace.tui.details import Place
from rmitrace.tui.hexview import MAX_BYTES, HexPane, Wrapped


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


def dump(data: bytes, place: Place | None = None, width: int = 40) -> list[tuple[str, int, int]]:
    pane = HexPane(id="bytes")
    pane.place = place
    pane.__class__ = type("Fixed", (HexPane,), {"line_width": width})
    return [(line.kind, line.at, line.size) for line in pane._dump(0, data)]


def test_equal_lines_are_left_out() -> None:
    assert dump(b"") == []
    assert dump(b"abc") == [("hex", 0, 3)]
    assert dump(bytes(8) + b"x" * 8) == [("hex", 0, 8), ("hex", 8, 8)]
    assert dump(bytes(40) + b"end") == [("hex", 0, 8), ("same", 8, 32), ("hex", 40, 3)]
    assert dump(bytes(24)) == [("hex", 0, 8), ("same", 8, 16)]
    assert dump(bytes(27)) == [("hex", 0, 8), ("same", 8, 16), ("hex", 24, 3)]


def test_a_marked_line_is_never_left_out() -> None:
    assert dump(bytes(64), Place(0, 32, 8)) == [("hex", 0, 8), ("same", 8, 24), ("hex", 32, 8), ("same", 40, 24)]
    assert dump(bytes(32), Place(0, 15, 2)) == [("hex", 0, 8), ("hex", 8, 8), ("hex", 16, 8), ("same", 24, 8)]
    assert dump(bytes(32), Place(1, 0, 32)) == [("hex", 0, 8), ("same", 8, 24)]


def test_every_byte_is_in_one_line() -> None:
    data = bytes(range(50)) + bytes(500) + b"\xff" * 77
    lines = dump(data, Place(0, 300, 40), 80)
    assert [at for _, at, _ in lines] == [0, *(at + size for _, at, size in lines)][:-1]
    assert sum(size for _, _, size in lines) == len(data)


def test_a_huge_buffer_is_cut_and_says_so() -> None:
    assert dump(bytes(MAX_BYTES + 5))[-1] == ("cut", MAX_BYTES, 5)
