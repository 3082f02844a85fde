"""Which calls belong together, on the keys of recorded runs with calls taken out of either side."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture import open_capture
from rmitrace.correlate.keys import Comparison
from rmitrace.correlate.matching import Match, Seen, Side, match

from .runs import RUNS, sides


@pytest.fixture(scope="module", params=RUNS)
def whole(request, tmp_path_factory) -> Comparison:
    """The calls of a run that both sides show, before they are matched."""
    of = sides(request.param, tmp_path_factory.mktemp(request.param))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rmitrace.correlate.arrange", lambda capture: None)
        return Comparison(open_capture(of.paths), 0, 1, ("RMI",))


def without(side: Side, keep) -> Side:
    return Side(side.key[keep], side.command[keep], side.lasting[keep])


@pytest.mark.parametrize(("lost_a", "lost_b"), [(0.1, 0.0), (0.0, 0.1), (0.1, 0.1)])
def test_pairs_are_right_whatever_is_missing(whole: Comparison, lost_a: float, lost_b: float):
    n = len(whole.a)
    assert (whole.side_a.key == whole.side_b.key).all()  # row k of one side is row k of the other
    found = possible = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        a, b = (np.flatnonzero(rng.random(n) >= lost) for lost in (lost_a, lost_b))
        m = match(without(whole.side_a, a), without(whole.side_b, b), lambda i, j, a=a, b=b: whole.alike(a[i], b[j]))
        assert (a[m.a] == b[m.b]).all(), f"seed {seed}"
        found += len(m.a)
        possible += len(np.intersect1d(a, b))
    if not lost_a or not lost_b:
        assert found > 0.2 * possible


def side_of(word: str, lasting: str = "") -> Side:
    key = np.array([ord(c) for c in word], dtype=np.uint64)
    return Side(key, key.copy(), np.array([c in lasting for c in word], dtype=bool))


def places(m: Match) -> list[tuple[int, int]]:
    return list(zip(m.a.tolist(), m.b.tolist(), strict=True))


def never(i: int, j: int) -> int:
    return 0


def test_repeats_are_paired_where_nothing_is_missing():
    assert places(match(side_of("AccgccgB"), side_of("AccgccgB"), never)) == [(i, i) for i in range(8)]


def test_calls_before_and_behind_the_common_part_are_outside():
    m = match(side_of("xyABccDE"), side_of("ABccDEzz"), never)
    assert places(m) == [(i + 2, i) for i in range(6)]
    assert m.state_a[:2].tolist() == [Seen.OUTSIDE] * 2
    assert m.state_b[6:].tolist() == [Seen.OUTSIDE] * 2


def test_a_lost_repeat_leaves_its_row_of_repeats_open():
    a, b = side_of("ABCDEFGHIJKLMcccNOPQRSTUVW"), side_of("ABCDEFGHIJKLMccNOPQRSTUVW")
    m = match(a, b, never)
    assert m.lost_b == 1
    assert [chr(int(a.key[i])) for i in np.flatnonzero(m.state_a == Seen.UNCLEAR)] == ["c"] * 3
    assert len(m.a) == 23
    assert not (m.state_a == Seen.ONLY).any()


def test_what_is_there_once_and_missing_is_said_to_be_missing():
    m = match(side_of("ABCDEFGHIJKLMNOPQRSTUVW"), side_of("ABCDEFGHIKLMNOPQRSTUVW"), never)
    assert np.flatnonzero(m.state_a == Seen.ONLY).tolist() == [9]  # J
    assert len(m.a) == 22


def test_where_both_sides_lost_much_only_what_cannot_come_twice_is_paired():
    a = side_of("AgcgBgcXgCgcgDgYcgEgg", "ABCDE")
    b = side_of("AgcggBgcgCZgcDggcgEcgW", "ABCDE")
    m = match(a, b, never)
    assert m.lost_a
    assert m.lost_b
    assert {chr(int(a.key[i])) for i in m.a} == set("ABCDE")


def test_a_changed_value_needs_plain_pairs_around_it():
    long = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def alike(i: int, j: int) -> int:
        return 1

    m = match(side_of(long), side_of(long.replace("M", "m")), alike)
    assert places(m) == [(i, i) for i in range(26)]
    assert np.flatnonzero(m.changed).tolist() == [12]
    few = match(side_of("ABCDE"), side_of("ABcDE"), alike)
    assert places(few) == [(0, 0), (1, 1), (3, 3), (4, 4)] or len(few.a) < 4  # two lost calls look the same
    assert not few.changed.any()


def test_two_sides_without_a_common_call():
    m = match(side_of("abcabc"), side_of("defdef"), never)
    assert not len(m.a)
    assert not (m.state_a == Seen.ONLY).any()
