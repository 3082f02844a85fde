from __future__ import annotations

import gc

import pytest

from rmitrace.capture import pieces
from rmitrace.capture.pieces import Pieces


def test_a_file_only_where_all_together_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()
    monkeypatch.setattr(pieces, "BUDGET", Pieces._together + 1000)
    some, others = Pieces(100), Pieces(100)
    for _ in range(9):
        some.append(b"a" * 100)
    assert (some.file, some.in_memory) == (None, 900)
    others.append(b"b" * 100)
    others.append(b"c" * 50)  # more than there is room for, and than its own share
    assert others.file is not None
    assert (others.in_memory, others.run(0, 2)) == (0, b"b" * 100 + b"c" * 50)
    del some
    others.append(b"d" * 100)
    others.append(b"e" * 800)
    assert others.in_memory == 900
    assert [others.read(i)[:1] for i in range(4)] == [b"b", b"c", b"d", b"e"]
    assert others.run(1, 3) == b"c" * 50 + b"d" * 100 + b"e" * 800
