"""Numbers in order, of which not all are in memory."""

from __future__ import annotations

import random
from functools import reduce
from operator import or_

import numpy as np
import pytest

from rmitrace.capture import pieces
from rmitrace.diagnose import sorting


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 1000])
@pytest.mark.parametrize("values", [2**64, 40, 1])
def test_as_python_sorts_them(monkeypatch, count: int, values: int) -> None:
    """In one run and in several, however often a number is there."""
    monkeypatch.setattr(sorting, "RUN", 32)
    monkeypatch.setattr(sorting, "AT_ONCE", 16)
    generator = random.Random(count + values)
    given = [generator.randrange(values) for _ in range(count)]
    sorter, at = sorting.Sorter(), 0
    while at < count:
        size = generator.randrange(1, 50)
        sorter.add(np.array(given[at : at + size], dtype=np.uint64))
        at += size
    assert len(sorter) == count
    parts = [part.tolist() for part in sorter.parts()]
    assert all(parts)
    assert [word for part in parts for word in part] == sorted(given)


def test_some_at_a_time(monkeypatch) -> None:
    """Of numbers that differ no part is much longer than it is to be, however they lie in the runs; runs stand in files."""
    monkeypatch.setattr(sorting, "RUN", 1 << 14)
    monkeypatch.setattr(sorting, "AT_ONCE", 1 << 10)
    monkeypatch.setattr(pieces, "BUDGET", 0)
    sorter = sorting.Sorter()
    for number in np.random.default_rng(5).permutation(1 << 17).reshape(64, -1):
        sorter.add(number.astype(np.uint64))
    parts = list(sorter.parts())
    assert max(map(len, parts)) <= 2 << 10
    assert np.array_equal(np.concatenate(parts), np.arange(1 << 17))


@pytest.mark.parametrize("high", [1 << 40, (1 << 64) - 1])
@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize(("calls", "numbers"), [(1 << 20, 4), (1 << 20, 1), (1 << 62, 9)])
def test_rows_in_order(monkeypatch, high: int, told: bool, calls: int, numbers: int) -> None:
    """Sorted as Python sorts them, whether key, call and number fit into 64 bits, or only those of some, or none."""
    monkeypatch.setattr(sorting, "RUN", 16)
    monkeypatch.setattr(sorting, "AT_ONCE", 4)
    generator = random.Random(3)
    keys = (0, 4096, 4097, high, high - 4096, 3 << 40)
    parts = [
        [(generator.choice(keys), generator.randrange(calls), generator.randrange(numbers)) for _ in range(n)]
        for n in (30, 0, 25, 7)
    ]
    types = (np.uint64, np.int64, np.int64)
    arrays = [tuple(np.array([row[i] for row in part], dtype=t) for i, t in enumerate(types)) for part in parts]
    together = reduce(or_, keys) if told else None
    found = [row for rows in sorting.in_order(arrays, calls, numbers, together) for row in zip(*map(list, rows), strict=True)]
    assert found == sorted(row for part in parts for row in part)
