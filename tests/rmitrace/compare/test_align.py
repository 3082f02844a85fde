"""The longest common part of two sequences, against a table filled cell by cell."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.compare.align import common as common_keys

WORDS = st.lists(st.integers(0, 3), max_size=12)


def common(a: list[int], b: list[int], *most: int) -> tuple[list[tuple[int, int]], int]:
    (i, j), edits = common_keys(*(np.array(k, dtype=np.uint64) for k in (a, b)), *most)
    return list(zip(i.tolist(), j.tolist(), strict=True)), edits


def longest(a: list[int], b: list[int]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@settings(deadline=None)
@given(WORDS, WORDS)
def test_it_is_common_rising_and_the_longest(a: list[int], b: list[int]):
    got, _ = common(a, b)
    assert all(a[i] == b[j] for i, j in got)
    assert all(p[0] < q[0] and p[1] < q[1] for p, q in pairwise(got))
    assert len(got) == longest(a, b)


def test_where_everything_differs_the_ends_are_found():
    a, b = [1, *range(10, 3000), 2], [1, *range(5000, 8000), 2]
    assert common(a, b)[0] == [(0, 0), (len(a) - 1, len(b) - 1)]


def test_no_more_is_looked_for_than_allowed():
    a, b = [1, 2, 3, 4, 5, 9], [1, 5, 4, 3, 2, 9]
    assert common(a, b, 2)[0] == [(0, 0), (5, 5)]
    assert len(common(a, b, 6)[0]) == 3
