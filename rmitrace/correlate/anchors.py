"""Places that two sequences of keys surely or probably have in common: keys that are there once, in ascending order.

Everything works on columns of 64-bit keys. Time is that of sorting; nothing is compared with everything else.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Pairs = tuple[I64, I64]
"""Places in the first and in the second sequence, ascending in both."""

NONE: I64 = np.zeros(0, dtype=np.int64)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint64(0x94D049BB133111EB)
_LONGEST = 64
"""Keys of the longest run that is looked for as a whole."""


def mixed(h: U64, v: U64) -> U64:
    """A key from a key and one more value (the steps of splitmix64, once before and once behind the value)."""
    with np.errstate(over="ignore"):
        z = h * _ODD
        z = ((z ^ (z >> np.uint64(30))) * _MIX) ^ v
        z = (z ^ (z >> np.uint64(27))) * _LAST
        out: U64 = z ^ (z >> np.uint64(31))
        return out


def once(a: U64, b: U64) -> Pairs:
    """Places of the keys that each sequence has exactly once, in the order of the first."""
    ka, ia, na = np.unique(a, return_index=True, return_counts=True)
    kb, ib, nb = np.unique(b, return_index=True, return_counts=True)
    ka, ia = ka[na == 1], ia[na == 1]
    kb, ib = kb[nb == 1], ib[nb == 1]
    _, p, q = np.intersect1d(ka, kb, assume_unique=True, return_indices=True)
    i, j = ia[p].astype(np.int64), ib[q].astype(np.int64)
    order = np.argsort(i)
    return i[order], j[order]


def rising(i: I64, j: I64) -> Pairs:
    """The longest part of pairs that rises on both sides. ``i`` does not fall; of equal places one is kept."""
    if len(i) < 2 or bool(((np.diff(j) > 0) & (np.diff(i) > 0)).all()):
        return i, j
    order = np.lexsort((-j, i))  # of several with one place on the left at most one can be part of a row that rises
    i, j = i[order], j[order]
    tails: list[int] = []
    rows: list[int] = []
    before = np.full(len(j), -1, dtype=np.int64)
    for n, v in enumerate(j.tolist()):
        p = bisect_left(tails, v)
        if p:
            before[n] = rows[p - 1]
        if p == len(tails):
            tails.append(v)
            rows.append(n)
        else:
            tails[p], rows[p] = v, n
    kept = []
    n = rows[-1]
    while n >= 0:
        kept.append(n)
        n = int(before[n])
    at = np.array(kept[::-1], dtype=np.int64)
    return i[at], j[at]


def anchors(a: U64, b: U64) -> Pairs:
    """Keys that are there once on each side, in a rising row; then those that are there once between two such, until
    nothing is found any more."""
    i, j = rising(*once(a, b))
    left, right = np.arange(len(a)), np.arange(len(b))
    while len(i):
        left, right = _between(left, i), _between(right, j)
        gap_a, gap_b = np.searchsorted(i, left), np.searchsorted(j, right)
        open_a, open_b = np.isin(gap_a, gap_b), np.isin(gap_b, gap_a)
        left, right, gap_a, gap_b = left[open_a], right[open_b], gap_a[open_a], gap_b[open_b]
        p, q = once(mixed(a[left], gap_a.astype(np.uint64)), mixed(b[right], gap_b.astype(np.uint64)))
        p, q = rising(left[p], right[q])
        if not len(p):
            break
        i, j = joined((i, j), (p, q))
    return i, j


def _between(places: I64, points: I64) -> I64:
    """Places without those of points, both ascending."""
    at = np.minimum(np.searchsorted(points, places), len(points) - 1)
    out: I64 = places[points[at] != places]
    return out


def joined(*parts: Pairs) -> Pairs:
    """All of them in the order of the left side; of those that are equal one is kept."""
    i, j = (np.concatenate([p[side] for p in parts]) for side in (0, 1))
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    new = np.ones(len(i), dtype=bool)
    new[1:] = (np.diff(i) != 0) | (np.diff(j) != 0)
    return i[new], j[new]


def runs(a: U64, b: U64) -> Pairs:
    """First and last places of runs of 2, 4, ... keys that are there once on each side as a whole; for sequences in
    which most keys come again and again. In a rising row."""
    ra, rb, n = a, b, 1
    found: Pairs = NONE, NONE
    while n < _LONGEST and len(ra) > n and len(rb) > n:
        ra, rb = mixed(ra[:-n], ra[n:]), mixed(rb[:-n], rb[n:])
        n *= 2
        i, j = once(ra, rb)
        found = joined(found, (i, j), (i + n - 1, j + n - 1))
    return rising(*found)
