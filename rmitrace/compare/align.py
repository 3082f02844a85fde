"""Two runs laid beside each other: the calls that are the same in both, those that changed, those of one alone."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import isqrt

import numpy as np
import numpy.typing as npt

from ..correlate.anchors import I64, NONE, U64, Pairs, anchors, joined, rising, runs
from .normal import AT_ONCE, Normal
from .objects import renumbered

Keys = Callable[[int, int], U64]
"""The keys from one place to another."""

_MOST_EDITS = 1200
"""Calls of one side alone that are looked for between two common ones; beyond, what is there is taken for replaced."""
_MOST_STEPS = 30_000_000
"""Steps of all searches for the shortest edit; their number is the square of that of the edits."""


def align(a: Normal, b: Normal) -> Pairs:
    """Places in both that belong together, rising on both sides. Where the objects in the order of their making do not fit (one
    more or less was made), those of ``b`` are numbered like what stands in their place in ``a``."""
    found = aligned(_all(a, Normal.tight), _all(b, Normal.tight), _some(a, Normal.loose), _some(b, Normal.loose))
    equal = _equal(a, b, found)
    if equal == len(a) == len(b):
        return found
    before = b.objects, b.ordinals
    by_name = aligned(a.bare, b.bare, _some(a, Normal.names), _some(b, Normal.names))
    b.objects, b.ordinals = renumbered(a, b, *by_name)
    del by_name
    other = aligned(_all(a, Normal.tight), _all(b, Normal.tight), _some(a, Normal.loose), _some(b, Normal.loose))
    if _equal(a, b, other) > equal:
        return other
    b.objects, b.ordinals = before
    return found


def alike(a: Normal, b: Normal, i: I64, j: I64) -> npt.NDArray[np.bool_]:
    """Which pairs of calls have the same of all that is compared."""
    out = np.empty(len(i), dtype=bool)
    for start in range(0, len(i), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        out[some] = a.tight(i[some]) == b.tight(j[some])
    return out


def _equal(a: Normal, b: Normal, pairs: Pairs) -> int:
    return int(np.count_nonzero(alike(a, b, *pairs)))


def _all(n: Normal, key: Callable[[Normal, I64], U64]) -> U64:
    out = np.empty(len(n), dtype=np.uint64)
    for places in n.blocks():
        out[places[0] : places[-1] + 1] = key(n, places)
    return out


def _some(n: Normal, key: Callable[[Normal, I64], U64]) -> Keys:
    return lambda start, stop: key(n, np.arange(start, stop, dtype=np.int64))


def aligned(a: U64, b: U64, other_a: Keys, other_b: Keys) -> Pairs:
    """Places with equal keys, rising on both sides: by their first keys, and between those by others."""
    i, j = rising(*joined(anchors(a, b), runs(a, b)))
    i, j = _between((len(a), len(b)), lambda start, stop: a[start:stop], lambda start, stop: b[start:stop], i, j)
    return _between((len(a), len(b)), other_a, other_b, i, j)


def _between(count: tuple[int, int], a: Keys, b: Keys, i: I64, j: I64) -> Pairs:
    """The pairs, and those that the shortest edit finds between them. ``count``: how many places each side has."""
    more = [(i, j)]
    apart = [np.flatnonzero(np.diff(k, prepend=-1, append=n) > 1) for k, n in zip((i, j), count, strict=True)]
    left = _MOST_STEPS
    for k in np.intersect1d(apart[0], apart[1], assume_unique=True).tolist():
        p, q = (int(pair[k - 1]) + 1 if k else 0 for pair in (i, j))
        end_p, end_q = (int(pair[k]) if k < len(i) else n for pair, n in zip((i, j), count, strict=True))
        found, edits = common(a(p, end_p), b(q, end_q), min(_MOST_EDITS, isqrt(left)))
        more.append((found[0] + p, found[1] + q))
        left -= edits * edits
    return joined(*more) if len(more) > 1 else (i, j)


def common(a: U64, b: U64, most: int = _MOST_EDITS) -> tuple[Pairs, int]:
    """A longest common part of two sequences, by the shortest edit (Myers 1986); where that has more than ``most`` steps only
    what is equal at both ends. And how many steps were looked at."""
    head = _equal_places(a, b)
    tail = _equal_places(a[head:][::-1], b[head:][::-1])
    n, m = len(a) - tail, len(b) - tail
    (i, j), edits = _shortest(a[head:n].data, b[head:m].data, most)
    first, last = np.arange(head), np.arange(tail)
    return (np.concatenate([first, i + head, last + n]), np.concatenate([first, j + head, last + m])), edits


def _equal_places(a: U64, b: U64) -> int:
    """How many keys are equal from the beginning on."""
    size = min(len(a), len(b))
    for start in range(0, size, AT_ONCE):
        stop = min(start + AT_ONCE, size)
        other = a[start:stop] != b[start:stop]
        if other.any():
            return start + int(other.argmax())
    return size


def _shortest(a: memoryview[int], b: memoryview[int], most: int) -> tuple[Pairs, int]:
    n, m = len(a), len(b)
    if not n or not m:
        return (NONE, NONE), 0
    far = {1: 0}
    trail: list[dict[int, int]] = []
    for d in range(min(n + m, most) + 1):
        trail.append(dict(far))
        for k in range(-d, d + 1, 2):
            down = k == -d or (k != d and far.get(k - 1, -1) < far.get(k + 1, -1))
            x = far.get(k + 1, 0) if down else far.get(k - 1, 0) + 1
            y = x - k
            while x < n and y < m and a[x] == b[y]:
                x, y = x + 1, y + 1
            far[k] = x
            if x >= n and y >= m:
                return _walk_back(trail, n, m), d
    return (NONE, NONE), most


def _walk_back(trail: list[dict[int, int]], x: int, y: int) -> Pairs:
    out = array("q"), array("q")
    for d in range(len(trail) - 1, -1, -1):
        far = trail[d]
        k = x - y
        down = k == -d or (k != d and far.get(k - 1, -1) < far.get(k + 1, -1))
        before = k + 1 if down else k - 1
        px = far.get(before, 0)
        py = px - before
        while x > px and y > py and x > 0 and y > 0:
            x, y = x - 1, y - 1
            out[0].append(x)
            out[1].append(y)
        if d:
            x, y = px, py
    i, j = (np.array(k, dtype=np.int64)[::-1] for k in out)
    return i, j
