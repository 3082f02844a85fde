"""The clock of one source against that of another, from calls that both saw: offset and drift.

A straight line through the pairs of times by least squares, with those left out that lie far from it (a log that is
written late); computed on differences from the first pair, so that times of 1.8e18 ns keep their digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

_ROUNDS = 4
_FAR = 5.0
"""Median distances from the line beyond which a pair is left out."""
_FOR_DRIFT = 8
"""Pairs from which a drift is looked for; fewer give an offset only."""
_SURE = 4.0
"""Standard errors that a drift is away from none before it is believed."""
SAME_NS = 1_000_000
"""Offset in ns below which two clocks that do not drift are taken for one."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How a source's clock runs against the reference: at ``at_ns`` of its own it shows ``offset_ns`` more, and it gains
    ``drift_ppm`` microseconds a second.

    spread_ns   median distance of the pairs from that
    pairs       how many there are
    drifts      the drift is more than chance
    """

    at_ns: int
    offset_ns: int
    drift_ppm: float
    spread_ns: int
    pairs: int
    drifts: bool

    @property
    def same(self) -> bool:
        """Whether it is the reference's clock."""
        return abs(self.offset_ns) <= max(SAME_NS, 2 * self.spread_ns) and not self.drifts

    def to_reference(self, own: I64) -> I64:
        """Times of the source in ns as the reference's clock would have shown them."""
        out: I64 = own - self.offset_ns
        if self.drifts:
            rate = self.drift_ppm * 1e-6
            out = out - np.rint((own - self.at_ns) * (rate / (1 + rate))).astype(np.int64)
        return out


def fit(own: I64, reference: I64) -> Clock | None:
    """The clock that takes ``reference`` to ``own``, times in ns of the same moments; None where there is no pair."""
    if not len(own):
        return None
    order = np.argsort(reference, kind="stable")
    own, reference = own[order], reference[order]
    x = (reference - reference[0]).astype(np.float64)
    y = (own - own[0] - (reference - reference[0])).astype(np.float64)
    keep = np.ones(len(x), dtype=bool)
    slope, level = 0.0, float(np.median(y))
    for _ in range(_ROUNDS):
        if keep.sum() >= _FOR_DRIFT and np.ptp(x[keep]) > 0:
            slope, level = _line(x[keep], y[keep])
        else:
            slope, level = 0.0, float(np.median(y[keep]))
        away = np.abs(y - level - slope * x)
        keep = away <= max(_FAR * float(np.median(away)), 1.0)
    spread = float(np.median(away))
    width = float(np.std(x[keep])) * np.sqrt(max(int(keep.sum()), 1))
    error = max(float(np.std((y - level - slope * x)[keep])), 0.5) / width if width > 0 else np.inf
    drifts = bool(keep.sum() >= _FOR_DRIFT and abs(slope) > _SURE * error)
    if not drifts:
        slope, level = 0.0, float(np.median(y[keep]))
    at = int(own[0])
    # y is own minus reference, less that of the first pair; the line holds at x = 0, the first pair's reference time
    offset = int(own[0]) - int(reference[0]) + round(level)
    return Clock(at + round(level), offset, slope * 1e6, round(spread), len(own), drifts)


def _line(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    mx, my = float(x.mean()), float(y.mean())
    slope = float(((x - mx) * (y - my)).sum() / ((x - mx) ** 2).sum())
    return slope, my - slope * mx
