"""The different values of a column and where each stands, held against numpy's sorting."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture.distinct import distinct


@pytest.mark.parametrize("several", [1, 2, 40, 100_000])
def test_values_and_places(several: int) -> None:
    rng = np.random.default_rng(several)
    some = rng.integers(0, 1 << 64, several, dtype=np.uint64)
    values = rng.choice(some, 200_000)
    found, which = distinct(values)
    assert found.tolist() == sorted(set(values.tolist()))
    assert (found[which] == values).all()


def test_values_that_share_a_slot() -> None:
    """70,000 values have no more than 65,536 slots."""
    values = np.arange(70_000, dtype=np.uint64)[::-1].repeat(2)
    found, which = distinct(values)
    assert (found[which] == values).all()
    assert found.tolist() == sorted(set(values.tolist()))


def test_nothing() -> None:
    found, which = distinct(np.zeros(0, dtype=np.uint64))
    assert len(found) == len(which) == 0
