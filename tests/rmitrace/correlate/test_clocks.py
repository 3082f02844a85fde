"""Offset and drift that were put in are found again."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.correlate.clocks import fit

DAY = 1_795_377_563_142_101_000
"""ns since 1970, as recorded captures have it: more digits than a float holds."""


def moments(n: int, seed: int = 0, span_s: float = 30.0) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).integers(0, int(span_s * 1e9), n)) + DAY


@pytest.mark.parametrize("offset", [-DAY + 12_345_678, 5_000_000, 3_600_000_000_000])
@pytest.mark.parametrize("ppm", [0.0, 20.0, -150.0])
def test_offset_and_drift_are_recovered(offset: int, ppm: float):
    reference = moments(400)
    elapsed = reference - reference[0]
    own = reference + offset + np.rint(elapsed * ppm * 1e-6).astype(np.int64)
    clock = fit(own, reference)
    assert clock.drift_ppm == pytest.approx(ppm, abs=0.001)
    assert clock.drifts == bool(ppm)
    assert abs(clock.offset_ns - offset) <= 2
    assert np.abs(clock.to_reference(own) - reference).max() <= 4


def test_late_rows_and_noise_do_not_move_the_line():
    rng = np.random.default_rng(5)
    reference = moments(500, 1)
    own = (
        reference - 7_000_000_000 + rng.integers(-2000, 2000, 500) + np.rint((reference - reference[0]) * 50e-6).astype(np.int64)
    )
    own[::25] += 200_000_000  # one row in 25 was written 0.2 s late
    clock = fit(own, reference)
    # 480 times within 2 us over 30 s: a slope to within 2 us / (30 s / sqrt(12) * sqrt(480)) = 0.01 ppm
    assert clock.drift_ppm == pytest.approx(50, abs=0.05)
    assert abs(clock.offset_ns + 7_000_000_000) < 5000
    assert 200 < clock.spread_ns < 4000


def test_few_pairs_give_an_offset_and_no_drift():
    reference = moments(3)
    clock = fit(reference + 1_500_000_000, reference)
    assert (clock.offset_ns, clock.drifts, clock.pairs) == (1_500_000_000, False, 3)


def test_one_clock_is_known_as_such():
    reference = moments(50)
    assert fit(reference + 400, reference).same
    assert not fit(reference + 2_000_000, reference).same
    assert fit(reference[:0], reference[:0]) is None
