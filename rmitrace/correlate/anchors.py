"""Places that two sequences of keys surely or probably have in common: keys that are there once, in ascending order.

Everything works on columns of 64-bit keys. Time is that of sorting; nothing is compared with everything else. Beside what is
given and found, some 50 bytes a key are needed at most.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Any

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
_PARTS = 16
"""Parts, a power of two, in which the keys of long sequences are looked at."""
_AT_ONCE = 1 << 17
"""Keys or pairs that are worked on at a time."""
_HALF, _LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)


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
    return _unpacked(_once(a, b))


def _once(a: U64, b: U64) -> U64:
    """The same as pairs packed in order; of long sequences a part of the keys at a time, by their last bits."""
    if len(a) + len(b) <= _AT_ONCE:
        return _sorted([_packed(*_once_each(a, b))])
    found = []
    low = [np.ascontiguousarray(k.astype("<u8", copy=False)).view(np.uint8)[::8] & np.uint8(_PARTS - 1) for k in (a, b)]
    for part in range(_PARTS):
        left, right = (np.flatnonzero(k == part) for k in low)
        p, q = _once_each(a[left], b[right])
        found.append(_packed(left[p], right[q]))
    return _sorted(found)


def _once_each(a: U64, b: U64) -> Pairs:
    ka, ia, na = np.unique(a, return_index=True, return_counts=True)
    kb, ib, nb = np.unique(b, return_index=True, return_counts=True)
    ka, ia = ka[na == 1], ia[na == 1]
    kb, ib = kb[nb == 1], ib[nb == 1]
    _, p, q = np.intersect1d(ka, kb, assume_unique=True, return_indices=True)
    return ia[p], ib[q]


def _packed(i: I64, j: I64) -> U64:
    """Pairs as one number each, to be sorted: places are below 2^32."""
    out: U64 = i.astype(np.uint64)
    out <<= _HALF
    out |= j.astype(np.uint64)
    return out


def _unpacked(pairs: U64) -> Pairs:
    return (pairs >> _HALF).astype(np.int64), (pairs & _LOWER).astype(np.int64)


def _sorted(parts: list[U64]) -> U64:
    """Packed pairs in order; of those that are equal one is kept. ``parts`` is used up."""
    out = np.concatenate(parts)
    parts.clear()
    out.sort()
    again = out[1:] == out[:-1]
    return out[np.append(True, ~again)] if again.any() else out


def rising(i: I64, j: I64) -> Pairs:
    """The longest part of pairs that rises on both sides. ``i`` does not fall; of equal places one is kept."""
    if len(i) < 2 or bool(((j[1:] > j[:-1]) & (i[1:] > i[:-1])).all()):
        return i, j
    # what lies between two places where all before is lower than all behind is looked at alone
    parted = np.maximum.accumulate(j)[:-1] < np.minimum.accumulate(j[::-1])[::-1][1:]
    parted &= i[1:] > i[:-1]
    cuts = np.concatenate([[0], np.flatnonzero(parted) + 1, [len(i)]])
    kept = np.ones(len(i), dtype=bool)
    for k in np.flatnonzero(np.diff(cuts) > 1).tolist():
        part = slice(int(cuts[k]), int(cuts[k + 1]))
        kept[part] = False
        kept[part.start + _rising(i[part], j[part])] = True
    return i[kept], j[kept]


def _rising(i: I64, j: I64) -> I64:
    """Which of some pairs are the longest part that rises."""
    order = np.lexsort((-j, i))  # of several with one place on the left at most one can be part of a row that rises
    tails, rows = array("q"), array("q")
    before = np.full(len(j), -1, dtype=np.int64)
    for start in range(0, len(j), _AT_ONCE):
        for n, v in enumerate(j[order[start : start + _AT_ONCE]].tolist(), start):
            p = bisect_left(tails, v)
            if p:
                before[n] = rows[p - 1]
            if p == len(tails):
                tails.append(v)
                rows.append(n)
            else:
                tails[p], rows[p] = v, n
    kept = array("q")
    n = rows[-1]
    while n >= 0:
        kept.append(n)
        n = int(before[n])
    out: I64 = order[np.frombuffer(kept, dtype=np.int64)[::-1]]
    return out


def anchors(a: U64, b: U64) -> Pairs:
    """Keys that are there once on each side, in a rising row; then those that are there once between two such, until
    nothing is found any more."""
    i, j = rising(*once(a, b))
    if not len(i):
        return i, j
    left, right = (_without(_places(len(k)), at, len(k)) for k, at in ((a, i), (b, j)))
    while True:
        gap_a, gap_b = (np.searchsorted(at, k).astype(k.dtype) for at, k in ((i, left), (j, right)))
        left, gap_a, right, gap_b = *_open(left, gap_a, gap_b, len(i)), *_open(right, gap_b, gap_a, len(i))
        p, q = _unpacked(_once(_in_gaps(a, left, gap_a), _in_gaps(b, right, gap_b)))
        p, q = rising(left[p].astype(np.int64), right[q].astype(np.int64))
        if not len(p):
            return i, j
        i, j = joined((i, j), (p, q))
        left, right = _without(left, p, len(a)), _without(right, q, len(b))


def _places(count: int) -> npt.NDArray[Any]:
    return np.arange(count, dtype=np.int32 if count < 1 << 31 else np.int64)


def _without(places: npt.NDArray[Any], points: I64, count: int) -> npt.NDArray[Any]:
    """Places without those of points; all are below ``count``."""
    kept = np.ones(count, dtype=bool)
    kept[points] = False
    out: npt.NDArray[Any] = places[kept[places]]
    return out


def _open(
    places: npt.NDArray[Any], gap: npt.NDArray[Any], other: npt.NDArray[Any], last: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Places in gaps that have something on the other side, too, and their gaps, which are numbered to ``last``."""
    there = np.zeros(last + 1, dtype=bool)
    there[other] = True
    there = there[gap]
    return places[there], gap[there]


def _in_gaps(keys: U64, places: npt.NDArray[Any], gap: npt.NDArray[Any]) -> U64:
    """Keys of what stands at some places, other ones in each gap."""
    out = np.empty(len(places), dtype=np.uint64)
    for start in range(0, len(out), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        out[some] = mixed(keys[places[some]], gap[some].astype(np.uint64))
    return out


def joined(*parts: Pairs) -> Pairs:
    """All of them in the order of the left side; of those that are equal one is kept."""
    return _unpacked(_sorted([_packed(i, j) for i, j in parts]))


def runs(a: U64, b: U64) -> Pairs:
    """First and last places of runs of 2, 4, ... keys that are there once on each side as a whole; for sequences in
    which most keys come again and again. In a rising row."""
    ra, rb, n = a.copy(), b.copy(), 1
    found = np.zeros(0, dtype=np.uint64)
    while n < _LONGEST and len(ra) > n and len(rb) > n:
        ra, rb = _doubled(ra, n), _doubled(rb, n)
        n *= 2
        pairs = _once(ra, rb)
        found = _sorted([found, pairs])
        pairs += np.uint64((n - 1 << 32) + n - 1)
        found = _sorted([found, pairs])
    del ra, rb
    return rising(*_unpacked(found))


def _doubled(keys: U64, n: int) -> U64:
    """Keys of runs twice as long as those of ``n``, in the place of these."""
    for start in range(0, len(keys) - n, _AT_ONCE):
        stop = min(start + _AT_ONCE, len(keys) - n)
        keys[start:stop] = mixed(keys[start:stop], keys[start + n : stop + n])
    return keys[:-n]
