"""The different values of a column and where each stands, held against numpy's sorting."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from rmitrace.capture import distinct as module
from rmitrace.capture import distinct_kernel
from rmitrace.capture.distinct import distinct, numbered
from rmitrace.formats import kernels


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


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return distinct_kernel.number(*args)


@pytest.fixture(scope="module", params=["sorted", "as it stands", "compiled"])
def pairs(request: pytest.FixtureRequest) -> Any:
    """What numbers pairs: by sorting, and by the kernel."""
    if request.param == "sorted":
        return numbered
    kernel = kernels.compiled(distinct_kernel.number, distinct_kernel.STEPS)
    return partial(module.by, as_it_stands if request.param == "as it stands" else kernel)


@pytest.mark.parametrize("several", [1, 3, 500, 1 << 60])
def test_pairs(pairs: Any, several: int) -> None:
    rng = np.random.default_rng(7)
    values, kinds = rng.integers(0, several, 3000, dtype=np.uint64) << np.uint64(4), rng.integers(0, 3, 3000).astype(np.int8)
    for n in (3000, 1, 2, 0):  # the table is used again
        first, which = pairs(values[:n], kinds[:n])
        each = list(zip(values[:n].tolist(), kinds[:n].tolist(), strict=True))
        assert [each[first[i]] for i in which.tolist()] == each
        assert len(first) == len(set(each))


def test_numbers_chosen_to_share_a_place_are_left_to_sorting() -> None:
    """Values whose product with the constant is below 2^32 are all put at the first place."""
    back = pow(0x9E3779B97F4A7C15, -1, 1 << 64)
    values = np.array([i * back % (1 << 64) for i in range(2000)], dtype=np.uint64)
    kinds = np.zeros(2000, dtype=np.int8)
    assert module.by(as_it_stands, values, kinds) is None
    first, which = numbered(values, kinds)
    assert (values[first[which]] == values).all()
    after = module.by(as_it_stands, np.array([5, 5], dtype=np.uint64), kinds[:2])
    assert after is not None
    assert after[1].tolist() == [0, 0]
