"""Texts of calls are found by their number; columns that cannot be texts are refused."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture.texts import Texts


def test_each_call_has_its_lines() -> None:
    texts = Texts.given({9: b"one\ntwo", 3: b"", 4: "\N{GREEK SMALL LETTER MU}s".encode()})
    assert texts.seq.tolist() == [3, 4, 9]
    assert [texts.lines_of(c) for c in (3, 4, 9)] == [[], ["\N{GREEK SMALL LETTER MU}s"], ["one", "two"]]
    assert texts.lines_of(5) is texts.lines_of(10) is None
    assert Texts.given({}).bytes_of(0) is None


@pytest.mark.parametrize("text", [b"\x1b[31m", b"a\rb", b"\xff", b"\xed\xa0\x80", "\N{RIGHT-TO-LEFT OVERRIDE}".encode()])
def test_what_must_not_be_shown_is_no_line(text: bytes) -> None:
    assert Texts.given({1: b"fine\n" + text}).lines_of(1) is None


@pytest.mark.parametrize(
    ("seq", "end", "size"),
    [([1, 1], [1, 2], 2), ([2, 1], [1, 2], 2), ([1, 2], [2, 1], 2), ([1], [-1], 2), ([1], [3], 2), ([1], [], 2)],
)
def test_columns_that_do_not_fit(seq: list[int], end: list[int], size: int) -> None:
    with pytest.raises(ValueError, match="texts"):
        Texts(np.array(seq, dtype=np.int64), np.array(end, dtype=np.int64), np.zeros(size, dtype=np.uint8))
