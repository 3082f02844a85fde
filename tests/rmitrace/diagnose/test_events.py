"""Events by key: in their order, and the first of each key behind a call, for many at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.diagnose.events import NEVER, Events

KEYS = st.sampled_from([0, 0x88001000, 2**64 - 1])


@given(st.lists(st.tuples(KEYS, st.integers(0, 12)), max_size=12), st.lists(st.tuples(KEYS, st.integers(0, 13)), max_size=8))
def test_behind(happened: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    events = Events((np.array([k for k, _ in happened], dtype=np.uint64), np.array([q for _, q in happened], dtype=np.int64), 0))
    found = events.behind(np.array([k for k, _ in asked], dtype=np.uint64), np.array([q for _, q in asked], dtype=np.int64))
    assert found.tolist() == [min((q for k, q in happened if k == key and q > seq), default=NEVER) for key, seq in asked]


ADDRESSES = st.one_of(st.sampled_from([0x1000, 0x88001000, 2**40, 2**52 - 4096]), st.integers(0, 2**64 - 1))


@given(st.lists(st.lists(st.tuples(ADDRESSES, st.integers(0, 2**24)), max_size=6), max_size=5))
def test_sorted_by_key_then_by_call_then_as_given(lists: list[list[tuple[int, int]]]) -> None:
    """Whether key, call and list fit 64 bits or not."""
    parts = [
        (np.array([k for k, _ in x], dtype=np.uint64), np.array([q for _, q in x], dtype=np.int64), code)
        for code, x in enumerate(lists)
    ]
    events = Events(*parts)
    wanted = sorted((k, q, code) for code, x in enumerate(lists) for k, q in x)
    assert list(zip(events.key.tolist(), events.seq.tolist(), events.code.tolist(), strict=True)) == wanted
