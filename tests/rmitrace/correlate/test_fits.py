"""One sequence inside another, against trying every way of fitting it in."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.correlate.fits import certain, earliest

WORDS = st.text("abc", max_size=7)


def ways(part: str, whole: str) -> list[tuple[int, ...]]:
    return [c for c in combinations(range(len(whole)), len(part)) if "".join(whole[i] for i in c) == part]


@settings(deadline=None)
@given(WORDS, WORDS)
def test_what_is_certain_is_so_in_every_way(part: str, whole: str):
    every = ways(part, whole)
    got = certain(part, whole)
    if not every:
        assert got is None
    else:
        assert got == [(i, every[0][i]) for i in range(len(part)) if len({w[i] for w in every}) == 1]


@settings(deadline=None)
@given(WORDS, WORDS)
def test_the_earliest_way(part: str, whole: str):
    every = ways(part, whole)
    assert earliest(part, whole) == (list(min(every)) if every else None)
