"""Ranges of granules: the last call before another one that moved an address, as looking at every range tells it."""

from __future__ import annotations

import random

import numpy as np

from rmitrace.diagnose.granules import _Ranges


def test_the_last_range_that_holds_an_address() -> None:
    """Ranges of any length, also of 2**64 - 1 bytes, that overlap; calls that were through in another order than made."""
    generator = random.Random(5)
    ranges = []
    for _ in range(300):
        base = generator.randrange(64) << 12
        length = generator.choice((1, 2, 3, 4, 7, 8, 40, (1 << 52) - 64)) << 12
        ranges.append((base, min(base + length, (1 << 64) - 1), generator.randrange(1000)))
    base, top = (np.array([r[i] for r in ranges], dtype=np.uint64) for i in (0, 1))
    of = _Ranges(base, top, np.array([r[2] for r in ranges], dtype=np.int64), 0)
    for _ in range(2000):
        address, seq = generator.randrange(120) << 12, generator.randrange(1000)
        expected = [call for a, b, call in ranges if a <= address < b and call < seq]
        assert of.last(address, seq) == (expected[-1] if expected else None)
