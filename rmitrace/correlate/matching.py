"""Which calls of two sides are the same call: only what is beyond doubt.

A call that comes again and again (PDEV_COMMUNICATE, GET_STATE) tells nothing by itself, and a side may have lost some of
them. So first it is found out which side lost calls at all, from the stretches between calls that are there once on each
side; then

- where neither lost any, every call between the first and the last common one has its partner;
- where one side is complete, the other is a part of it, and a call has its partner where it has the same one in every way
  of fitting that part in;
- where both lost calls, two that look the same may both be halves of lost pairs. How many such there would be is
  estimated from the losses; where that is not next to none, only calls that cannot come twice in a row are paired
  (a PDEV_CREATE that succeeded), and what repeats stays unclear.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from .anchors import I64, NONE, U64, Pairs, anchors, joined, mixed, once, rising, runs
from .fits import certain

Bools = npt.NDArray[np.bool_]
Alike = Callable[[int, int], int]
"""What a call of the first and one of the second side differ in, as a number for each kind of difference; 0 where they
cannot be one call."""

_FALSE_PAIRS = 0.001
"""Wrong pairs that are expected at most in a capture for repeated calls to be paired where calls were lost."""
_MANY_REPEATS = 20
"""Repeated calls from which a loss that is not seen makes a wrong pair somewhere as often as it can."""
_TWICE = 0.1
"""Share of calls that are seen once and were made twice all the same."""
_SAME_RUN = 0.3
"""Share of the calls in the common stretch that are found on both sides, from which two sources show one run."""
_PLAIN_FOR_CHANGED = 20
"""Plain pairs that are wanted for each kind of changed call: a call of which a value changed looks like two lost ones."""
_CHANGED = 64
"""Changed calls in a row that are looked for at most."""


class Seen(IntEnum):
    """What is known of a call on the other side."""

    NOT_COMPARED = 0
    BOTH = 1
    ONLY = 2  # the other side would show it and does not
    SILENT = 3  # the other side does not show such calls
    UNCLEAR = 4  # one of several alike: which one it is on the other side cannot be told
    OUTSIDE = 5  # before or after what the other side covers


@dataclass(frozen=True, slots=True)
class Side:
    """Calls of one side in order. ``key``: command, arguments and result in one number; ``command``: the command alone;
    ``lasting``: a call that cannot be made twice in a row."""

    key: U64
    command: U64
    lasting: Bools


@dataclass(frozen=True, slots=True)
class Match:
    """Pairs of places, ascending; those in ``changed`` differ in a value. ``state_a``, ``state_b``: Seen of every call.
    ``lost_a``, ``lost_b``: calls that one side lost, as far as the other shows them."""

    a: I64
    b: I64
    changed: Bools
    state_a: npt.NDArray[np.uint8]
    state_b: npt.NDArray[np.uint8]
    lost_a: int = 0
    lost_b: int = 0


@dataclass(slots=True)
class _Gaps:
    """What lies between common points.

    equal    stretches that are equal; fitted  of those where calls are missing on one side, what fits in one way only;
    changed  calls that differ in a value where nothing else can be meant
    lost     calls that each side shows too few of; common  those that are there on both, paired or not
    told     calls of which a loss on either side would be seen
    """

    equal: Pairs
    fitted: Pairs
    changed: Pairs
    lost: tuple[int, int]
    common: int
    told: int


def match(a: Side, b: Side, alike: Alike) -> Match:
    """The calls of two sides that are the same."""
    points = anchors(a.key, b.key)
    repeats = not len(points[0])
    if repeats:  # nothing tells a call from others like it: long stretches may, where nothing is lost
        points = runs(a.key, b.key)
    if repeats and len(a.key) == len(b.key) and bool((a.key == b.key).all()):
        points = np.arange(len(a.key)), np.arange(len(a.key))
    gaps = _between(a, b, points, alike)
    if not _one_run(points, gaps) or (repeats and gaps.lost != (0, 0)):
        return _match(a, b, (NONE, NONE), (NONE, NONE))
    level = _level(a, b, points, gaps)
    if level == 0:
        i, j = once(a.key, b.key)
        keep = a.lasting[i]
        return _match(a, b, rising(i[keep], j[keep]), (NONE, NONE), gaps.lost, strict=True)
    pairs = joined(points, gaps.equal, *([gaps.fitted, gaps.changed] if level == 2 else []))
    if gaps.lost == (0, 0):
        pairs = _outwards(a.key, b.key, pairs)
    return _match(a, b, pairs, gaps.changed if level == 2 else (NONE, NONE), gaps.lost)


def _level(a: Side, b: Side, points: Pairs, gaps: _Gaps) -> int:
    """What may be believed: 2 everything that was found, 1 calls that are there as often on both sides, 0 only calls that
    cannot come twice in a row.

    A repeated call is paired wrongly where each side lost another one of a row of them. A side that is not seen to have
    lost anything may still have, as often as the other one, and then no loss of it is among the ``told`` calls. How often
    that makes wrong pairs was measured on recorded runs with calls taken out (tests/rmitrace/correlate).
    """
    if gaps.lost == (0, 0):
        return 2
    repeated = _repeated(a, b, np.concatenate([points[0], gaps.equal[0]]))
    seen = len(points[0]) + gaps.common
    rate_a, rate_b = (n / (seen + n) for n in gaps.lost)
    if rate_a and rate_b:
        return 1 if 2 * repeated * rate_a * rate_b <= _FALSE_PAIRS / 3 else 0
    rate = rate_a + rate_b
    unseen = (1 - rate) ** (len(points[0]) + gaps.told)
    return 2 if unseen * rate * rate * min(repeated / _MANY_REPEATS, 1) <= _FALSE_PAIRS else 0


def _repeated(a: Side, b: Side, pairs: I64) -> float:
    """How many of some calls of ``a`` are one of several alike: those of which there are more on either side, and a small
    share of the others that can be made twice."""
    able = a.key[pairs[~a.lasting[pairs]]]
    again = np.zeros(len(able), dtype=bool)
    for side in (a, b):
        keys, counts = np.unique(side.key, return_counts=True)
        again |= np.isin(able, keys[counts > 1])
    return float(again.sum() + _TWICE * (~again).sum())


def _one_run(points: Pairs, gaps: _Gaps) -> bool:
    i, j = points
    if not len(i):
        return False
    span = min(int(i[-1] - i[0]), int(j[-1] - j[0])) + 1
    return len(i) + gaps.common >= _SAME_RUN * span


def _between(a: Side, b: Side, points: Pairs, alike: Alike) -> _Gaps:
    """What lies in the inner gaps of the points."""
    i, j = points
    la, lb = np.diff(i) - 1, np.diff(j) - 1
    same = np.flatnonzero((la == lb) & (la > 0))
    equal: Pairs = NONE, NONE
    other = np.flatnonzero((la != lb) & ((la > 0) | (lb > 0)))
    if len(same):
        n = la[same]
        starts = np.cumsum(n) - n
        flat = np.arange(int(n.sum())) - np.repeat(starts, n)
        p, q = np.repeat(i[same] + 1, n) + flat, np.repeat(j[same] + 1, n) + flat
        good = np.logical_and.reduceat(a.key[p] == b.key[q], starts)
        equal = p[np.repeat(good, n)], q[np.repeat(good, n)]
        other = np.sort(np.concatenate([other, same[~good]]))
    gaps = _Gaps(equal, (NONE, NONE), (NONE, NONE), (0, 0), len(equal[0]), len(equal[0]))
    fitted: list[tuple[int, int]] = []
    changed: list[tuple[int, int]] = []
    stretches: list[tuple[int, int, int]] = []
    for g in other.tolist():
        at = int(i[g]) + 1, int(j[g]) + 1
        left, right = a.key[at[0] : i[g + 1]].tolist(), b.key[at[1] : j[g + 1]].tolist()
        sure = _gap(gaps, left, right)
        if sure is not None:
            fitted += [(at[0] + x, at[1] + y) for x, y in sure]
            continue
        found = _changes(left, right, lambda x, at=at: alike(at[0] + x, at[1] + x))  # type: ignore[misc]
        if found is not None:
            stretches.append((*at, len(left)))
            changed += [(at[0] + x, at[1] + x) for x in found]
            gaps.common += len(left)
            gaps.told += len(left) - len(found)
            continue
        _count(gaps, left, right)
    kinds = len({alike(x, y) for x, y in changed})
    if _PLAIN_FOR_CHANGED * kinds > len(i) + gaps.common - len(changed):
        gaps.lost = gaps.lost[0] + len(changed), gaps.lost[1] + len(changed)
    else:
        gaps.changed = _columns(changed)
        there = set(changed)
        fitted += [(p + x, q + x) for p, q, n in stretches for x in range(n) if (p + x, q + x) not in there]
    gaps.fitted = _columns(fitted)
    return gaps


def _gap(gaps: _Gaps, left: list[int], right: list[int]) -> list[tuple[int, int]] | None:
    """The sure pairs of a gap in which one side shows a part of what the other does; None where it does not."""
    whole, part = (left, right) if len(left) >= len(right) else (right, left)
    sure = certain(part, whole)
    if sure is None:
        return None
    _count(gaps, left, right, len(sure))
    return [(y, x) for x, y in sure] if whole is left else sure


def _count(gaps: _Gaps, left: list[int], right: list[int], told: int = 0) -> None:
    """Count what is there on both sides of a gap, and what is missing on one."""
    both = sum((Counter(left) & Counter(right)).values())
    gaps.common += both
    gaps.told += told
    gaps.lost = gaps.lost[0] + len(right) - both, gaps.lost[1] + len(left) - both


def _changes(left: list[int], right: list[int], alike: Callable[[int], int]) -> set[int] | None:
    """The places where two stretches of one length differ, where in each the calls can be the same with another value."""
    if len(left) != len(right):
        return None
    places = {x for x in range(len(left)) if left[x] != right[x]}
    return places if len(places) <= _CHANGED and all(alike(x) for x in places) else None


def _columns(pairs: list[tuple[int, int]]) -> Pairs:
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _outwards(a: U64, b: U64, inner: Pairs) -> Pairs:
    """Pairs with those before the first and behind the last one, as long as they are equal. Nothing was lost."""
    i, j = inner
    before = min(int(i[0]), int(j[0]))
    behind = min(len(a) - int(i[-1]), len(b) - int(j[-1])) - 1
    up = _equal(a[: i[0]][::-1][:before], b[: j[0]][::-1][:before])
    down = _equal(a[i[-1] + 1 :][:behind], b[j[-1] + 1 :][:behind])
    return (
        np.concatenate([np.arange(i[0] - up, i[0]), i, np.arange(i[-1] + 1, i[-1] + 1 + down)]),
        np.concatenate([np.arange(j[0] - up, j[0]), j, np.arange(j[-1] + 1, j[-1] + 1 + down)]),
    )


def _equal(a: U64, b: U64) -> int:
    """How many are equal from the start."""
    other = np.flatnonzero(a != b)
    return int(other[0]) if len(other) else len(a)


def _match(a: Side, b: Side, pairs: Pairs, changed: Pairs, lost: tuple[int, int] = (0, 0), *, strict: bool = False) -> Match:
    i, j = pairs
    state_a, state_b = _states(a, b, i, j, strict), _states(b, a, j, i, strict)
    return Match(i, j, np.isin(i, changed[0]), state_a, state_b, *lost)


def _states(own: Side, other: Side, i: I64, j: I64, strict: bool) -> npt.NDArray[np.uint8]:
    """Seen of every call of ``own``."""
    state = np.full(len(own.key), Seen.OUTSIDE, dtype=np.uint8)
    if not len(i):
        return state
    state[i[0] : i[-1] + 1] = Seen.ONLY
    open_ = np.flatnonzero(_unpaired(len(other.key), j))
    theirs = np.searchsorted(j, open_).astype(np.uint64)
    mine = np.searchsorted(i, np.arange(len(own.key))).astype(np.uint64)
    columns = [(own.key, other.key), *([(own.command, other.command)] if strict else [])]
    for here, there in columns:
        again = np.isin(mixed(here, mine), mixed(there[open_], theirs))
        state[again & (state == Seen.ONLY)] = Seen.UNCLEAR
    state[i] = Seen.BOTH
    return state


def _unpaired(n: int, taken: I64) -> Bools:
    out = np.ones(n, dtype=bool)
    out[taken] = False
    return out


def losses(m: Match) -> Iterator[str]:
    """How many calls each side lost, in words."""
    for n, which in ((m.lost_a, "first"), (m.lost_b, "second")):
        if n:
            yield f"{n} missing on the {which} side"
