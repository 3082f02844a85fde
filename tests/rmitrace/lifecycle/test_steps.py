from __future__ import annotations

from itertools import groupby, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.lifecycle.steps import MAX_RUNS, lasting_failures, runs

EVERY = list(product(range(4), range(4), range(3), (False, True)))
"""Sequence, label, name, failed: each call is one draw, which on a busy machine four are too slow for Hypothesis."""
calls = st.lists(st.sampled_from(EVERY), max_size=120).map(lambda rows: sorted(rows, key=lambda r: r[0]))


def one_by_one(labels: list[int]) -> list[list[int]]:
    """The places of the calls of each step of one sequence."""
    found = [[i for i, _ in g] for _, g in groupby(enumerate(labels), key=lambda p: p[1])]
    if len(found) <= MAX_RUNS:
        return found
    return [[i for i, label in enumerate(labels) if label == first] for first in dict.fromkeys(labels)]


@settings(deadline=None)
@given(calls)
def test_steps_are_those_of_each_sequence_by_itself(rows: list[tuple[int, int, int, bool]]) -> None:
    sequence, label = (np.array([r[k] for r in rows], dtype=np.int64) for k in (0, 1))
    names, owners, step = runs(sequence, label)
    want = []
    for s, part in groupby(rows, key=lambda r: r[0]):
        labels = [r[1] for r in part]
        start = next(i for i, r in enumerate(rows) if r[0] == s)
        want += [(s, labels[places[0]], [start + p for p in places]) for places in one_by_one(labels)]
    got = [(int(owners[i]), int(names[i]), np.flatnonzero(step == i).tolist()) for i in range(len(names))]
    assert got == want


def test_many_runs_become_one_step_a_purpose() -> None:
    few, many = [1, 2] * (MAX_RUNS // 2), [1, 2] * MAX_RUNS
    names, owners, step = runs(np.array([0] * len(few) + [1] * len(many)), np.array(few + many))
    assert owners.tolist() == [0] * MAX_RUNS + [1, 1]
    assert names.tolist() == [*few, 1, 2]
    assert np.bincount(step).tolist() == [1] * MAX_RUNS + [MAX_RUNS] * 2


@settings(deadline=None)
@given(calls)
def test_a_failure_lasts_where_the_call_did_not_succeed_later(rows: list[tuple[int, int, int, bool]]) -> None:
    step, name, failed = (np.array([r[k] for r in rows], dtype=t) for k, t in ((0, np.int64), (2, np.int32), (3, bool)))
    want = {}
    for i, (s, _, n, bad) in enumerate(rows):
        if bad and s not in want and not any(r[0] == s and r[2] == n and not r[3] for r in rows[i + 1 :]):
            want[s] = i
    assert lasting_failures(step, name, failed) == want
