"""A column that is filled when it is first read: once, whole for whoever reads it, and not before."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from rmitrace.capture import open_capture
from rmitrace.capture.later import LaterColumn
from rmitrace.capture.packed import Column
from tests.rmitrace.formats.trace_text import CAPTURES


def column(rows: list[int], filled: list[int], wait: float = 0) -> LaterColumn:
    def fill() -> None:
        filled.append(len(out))
        time.sleep(wait)
        out[np.array(rows)] = np.array(rows) * 2

    out = LaterColumn.of(np.int64, -1, 100, fill)
    return out


def expected(rows: list[int]) -> list[int]:
    return [2 * i if i in rows else -1 for i in range(100)]


def test_filled_once_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Column, "PIECE", 32)
    filled: list[int] = []
    some = column([0, 31, 32, 98], filled)
    assert not filled
    assert some[98] == 196
    assert some.tolist() == expected([0, 31, 32, 98])
    assert filled == [100]


@pytest.mark.parametrize(
    "read",
    [
        lambda c: c[3], lambda c: c[2:5].tolist(), lambda c: c[np.array([3])].tolist(), lambda c: c.places(6).tolist(),
        lambda c: int(c.max()), lambda c: len(list(c.packed())), lambda c: c.take(np.array([3])).tolist(),
        lambda c: (c == 6).sum(),
    ],
)  # fmt: skip
def test_every_way_to_read_it_fills_it(read, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(Column, "PIECE", 32)
    plain = Column(np.int64, expected([3, 40]))
    filled: list[int] = []
    assert read(column([3, 40], filled)) == read(plain)
    assert filled == [100]


def test_others_wait_until_it_is_filled() -> None:
    filled: list[int] = []
    some = column([7], filled, 0.1)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(int(some[7]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [14] * 4
    assert filled == [100]


def test_a_failure_is_not_taken_for_an_answer() -> None:
    def fill() -> None:
        raise ZeroDivisionError

    some = LaterColumn.of(np.int64, -1, 3, fill)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            some[0]


def test_operations_of_a_capture_are_joined_when_asked_for() -> None:
    capture = open_capture([str(CAPTURES / "ftrace" / "pdev-connect.trace.txt")])
    assert isinstance(capture.calls.parent, LaterColumn)
    goes_on = [i for i, n in enumerate(capture.names) if n == "RMI_OP_CONTINUE"]
    works = np.isin(np.asarray(capture.calls.name), goes_on)
    assert works.any()
    assert (np.asarray(capture.calls.parent)[works] >= 0).any()
