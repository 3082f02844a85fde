"""How far the writing is."""

from __future__ import annotations

import io

import numpy as np
import pytest

from rmitrace.cli.writing import Writing


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_is_told_from_the_first_second_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.5, 2.0, 2.1, 4.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr("sys.stderr", said := Terminal())
    writing = Writing(1_000_000)
    writing.out = io.BytesIO(bytes(3 << 20))
    writing.out.seek(0, 2)
    with writing.listening():
        for done in (1, 20_000, 30_000, 500_000):
            assert writing.going(done)
    shown = [line.removesuffix("\x1b[K") for line in said.getvalue().split("\r")[1:]]
    assert shown == [
        "writing call 20,000 of 1,000,000 2 % (3 MiB, 10,000 a second)",
        "writing call 500,000 of 1,000,000 50 % (3 MiB, 125,000 a second)",
        "",
    ]


def test_all_of_them_and_none() -> None:
    writing = Writing(10_000)
    assert list(writing.each(np.arange(10_000))) == list(range(10_000))
    assert (writing.done, writing.stopped) == (10_000, False)
    assert list(Writing(0).each(np.arange(0))) == []
