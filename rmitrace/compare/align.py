"""Two runs laid beside each other: the calls that are the same in both, those that changed, those of one alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import numpy as np

from ..correlate.anchors import I64, U64, Pairs, anchors, joined, rising, runs
from .normal import Normal, with_objects
from .objects import renumbered

_MOST_EDITS = 1200
"""Calls of one side alone that are looked for between two common ones; beyond, what is there is taken for replaced."""
_MOST_STEPS = 30_000_000
"""Steps of all searches for the shortest edit; their number is the square of that of the edits."""


def align(a: Normal, b: Normal) -> Pairs:
    """Places in both that belong together, rising on both sides. Where the objects in the order of their making do not fit (one
    more or less was made), those of ``b`` are numbered like what stands in their place in ``a``."""
    found = aligned((a.tight, a.loose), (b.tight, b.loose))
    equal = _equal(a, b, found)
    if equal == len(a) == len(b):
        return found
    before = b.objects, b.ordinals
    with_objects(b, *renumbered(a, b, *aligned((a.bare, a.name), (b.bare, b.name))))
    other = aligned((a.tight, a.loose), (b.tight, b.loose))
    if _equal(a, b, other) > equal:
        return other
    with_objects(b, *before)
    return found


def _equal(a: Normal, b: Normal, pairs: Pairs) -> int:
    return int((a.tight[pairs[0]] == b.tight[pairs[1]]).sum())


def aligned(a: tuple[U64, U64], b: tuple[U64, U64]) -> Pairs:
    """Places with equal keys, rising on both sides: by their first keys, and between those by their second."""
    i, j = rising(*joined(anchors(a[0], b[0]), runs(a[0], b[0])))
    i, j = _between(a[0], b[0], i, j)
    return _between(a[1], b[1], i, j)


def _between(a: U64, b: U64, i: I64, j: I64) -> Pairs:
    """The pairs, and those that the shortest edit finds between them."""
    more: list[tuple[int, int]] = []
    edges_a, edges_b = (np.concatenate(([-1], k, [n])) for k, n in ((i, len(a)), (j, len(b))))
    left = _MOST_STEPS
    for k in np.flatnonzero((np.diff(edges_a) > 1) & (np.diff(edges_b) > 1)).tolist():
        p, q = int(edges_a[k]) + 1, int(edges_b[k]) + 1
        here, there = a[p : edges_a[k + 1]].tolist(), b[q : edges_b[k + 1]].tolist()
        found, edits = common(here, there, min(_MOST_EDITS, isqrt(left)))
        more += [(p + x, q + y) for x, y in found]
        left -= edits * edits
    if not more:
        return i, j
    new = np.array(more, dtype=np.int64)
    return joined((i, j), (new[:, 0], new[:, 1]))


def common(a: Sequence[int], b: Sequence[int], most: int = _MOST_EDITS) -> tuple[list[tuple[int, int]], int]:
    """A longest common part of two sequences, by the shortest edit (Myers 1986); where that has more than ``most`` steps only
    what is equal at both ends. And how many steps were looked at."""
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    n, m = len(a) - head - tail, len(b) - head - tail
    found = [(k, k) for k in range(head)]
    middle, edits = _shortest(a[head : head + n], b[head : head + m], most)
    found += [(head + x, head + y) for x, y in middle]
    return found + [(len(a) - tail + k, len(b) - tail + k) for k in range(tail)], edits


def _shortest(a: Sequence[int], b: Sequence[int], most: int) -> tuple[list[tuple[int, int]], int]:
    n, m = len(a), len(b)
    if not n or not m:
        return [], 0
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
    return [], most


def _walk_back(trail: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for d in range(len(trail) - 1, -1, -1):
        far = trail[d]
        k = x - y
        down = k == -d or (k != d and far.get(k - 1, -1) < far.get(k + 1, -1))
        before = k + 1 if down else k - 1
        px = far.get(before, 0)
        py = px - before
        while x > px and y > py and x > 0 and y > 0:
            x, y = x - 1, y - 1
            out.append((x, y))
        if d:
            x, y = px, py
    return out[::-1]
