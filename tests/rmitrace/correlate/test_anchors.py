"""Keys that are there once, and the longest rising row of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.correlate.anchors import anchors, mixed, once, rising, runs


def keys(word: str) -> np.ndarray:
    return np.array([ord(c) for c in word], dtype=np.uint64)


def listed(pairs) -> list[tuple[int, int]]:
    return list(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True))


def test_only_keys_that_are_there_once_on_both_sides():
    assert listed(once(keys("abcbd"), keys("dabec"))) == [(0, 1), (2, 4), (4, 0)]


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), unique=True, max_size=8), st.randoms())
def test_the_rising_row_is_the_longest(order: list[int], random):
    i, j = np.arange(len(order)), np.array(order, dtype=np.int64)
    got = listed(rising(i, j))
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(got))
    best = max(
        (len(s) for n in range(len(order) + 1) for s in itertools.combinations(order, n) if list(s) == sorted(s)), default=0
    )
    assert len(got) == best


@settings(deadline=None)
@given(*[st.lists(st.integers(0, 40), max_size=40)] * 2)
def test_many_keys_a_part_at_a_time(a: list[int], b: list[int]):
    alone = {k for k in a if a.count(k) == 1 == b.count(k)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rmitrace.correlate.anchors._AT_ONCE", 1)
        assert listed(once(*(np.array(k, dtype=np.uint64) for k in (a, b)))) == [
            (i, b.index(k)) for i, k in enumerate(a) if k in alone
        ]
        i, j = rising(*(np.array(k, dtype=np.int64) for k in (range(len(a)), a)))
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(n, a[n]) for n in i.tolist()]
    assert all(p < q for p, q in itertools.pairwise(j.tolist()))
    longest: list[int] = []
    for k in a:
        longest.append(1 + max((n for v, n in zip(a, longest, strict=False) if v < k), default=0))
    assert len(i) == max(longest, default=0)


def test_keys_that_repeat_are_found_between_those_that_do_not():
    # c is there twice on each side, but once on either side of X
    assert listed(anchors(keys("AcXcB"), keys("AcXcB"))) == [(i, i) for i in range(5)]


def test_runs_tell_what_single_keys_do_not():
    word = "abaacabcaab"
    assert listed(runs(keys(word), keys("c" + word)))[0] == (0, 1)


def test_a_key_depends_on_both_values():
    h = keys("aab")
    got = mixed(h, keys("xyx"))
    assert len(set(got.tolist())) == 3
    assert (mixed(h, keys("xyx")) == got).all()
