"""Two captures compared: which calls belong together, in what they differ, and which difference matters first."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..correlate.anchors import I64, NONE
from ..correlate.words import span
from .align import align, alike
from .normal import AT_ONCE, Normal, normal
from .objects import roles
from .pages import pages
from .pointers import moved, moved_pointers
from .rows import Details, Row, Rows
from .values import Difference, compare

if TYPE_CHECKING:
    from ..capture.model import Capture
    from ..lifecycle.model import Sequence as Span

WHAT = ("order", "status", "parameter", "output", "state", "memory", "message", "sequence", "time")
"""Kinds of differences."""
MINOR = ("RMI_VERSION", "RMI_FEATURES", "RMI_PDEV_GET_STATE", "RMI_VDEV_GET_STATE", "RMI_RTT_READ_ENTRY", "RMI_RMM_STATE_GET")
"""Commands that only ask: one more or less of them is a difference, but not what the others follow from."""
_CAUSES = ("status", "parameter", "state", "message", "memory")
_WITH_GRANULES = ("realm:", "rec:", "pdev:", "vdev:")
_DEEP = 50_000
"""Pairs with memory or messages whose contents are compared."""
_SLOWER, _LEAST_NS = 3.0, 10_000_000
"""Factor and ns from which a difference in time is worth a word."""

_Told = tuple[str, tuple[str, ...]]
"""How a sequence ended, and its steps."""


@dataclass
class Comparison:
    """A and B. ``ignored``: kinds of differences that do not count.

    unread    pairs whose memory and messages were not compared, because there are too many
    left_out  calls of either side that the other one does not show by its nature
    """

    a: Normal
    b: Normal
    rows: Rows
    sequences: list[Difference]
    times: list[Difference]
    ignored: frozenset[str]
    unread: int = 0
    left_out: tuple[int, int] = (0, 0)

    @cached_property
    def roles(self) -> tuple[dict[str, str], dict[str, str]]:
        """What the objects of A and of B are called: 'pdev:0x49500000' -> 'pdev A'."""
        return roles(self.a), roles(self.b)

    @cached_property
    def called(self) -> tuple[dict[str, str], dict[str, str]]:
        """What objects and pages of A and of B are called, by address: '0x49500000' -> 'pdev A'."""
        held = [{o: r for o, r in called.items() if o.startswith(_WITH_GRANULES)} for called in self.roles]
        a, b = (pages(n) | {o.partition(":")[2]: r for o, r in of.items()} for n, of in zip((self.a, self.b), held, strict=True))
        return a, b

    def counts(self, row: Row) -> bool:
        """Whether a row is a difference that counts."""
        if row.a < 0 or row.b < 0:
            return "order" not in self.ignored
        return any(d.what not in self.ignored for d in row.differences)

    @cached_property
    def differing(self) -> list[int]:
        """Numbers of the rows that differ."""
        changed = self.rows.details.counting(self.ignored)
        if "order" not in self.ignored:
            changed = np.union1d(changed, np.flatnonzero((self.rows.a < 0) | (self.rows.b < 0)))
        return changed.tolist()  # type: ignore[no-any-return]

    @property
    def same(self) -> bool:
        """Whether nothing differs that counts."""
        told = self.sequences if "sequence" not in self.ignored else []
        return not self.differing and not told and not (self.times and "time" not in self.ignored)

    @cached_property
    def first(self) -> int:
        """The row of the first difference that others can follow from, else of the first one; -1 where there is none."""
        for k in self.differing:
            if self._matters(k):
                return k
        return self.differing[0] if self.differing else -1

    def _matters(self, k: int) -> bool:
        a, b = int(self.rows.a[k]), int(self.rows.b[k])
        if a < 0 or b < 0:
            return (self.a.capture.name_text(a) if a >= 0 else self.b.capture.name_text(b)) not in MINOR
        return any(what in _CAUSES and what not in self.ignored for what in self.rows.details.kinds_of(k))

    @cached_property
    def counted(self) -> Counter[str]:
        """How many calls differ in what, the calls of one side alone as 'only in A' and 'only in B'."""
        out: Counter[str] = Counter()
        for k in self.differing:
            a, b = self.rows.a[k], self.rows.b[k]
            if a < 0 or b < 0:
                out["only in B" if a < 0 else "only in A"] += 1
            else:
                out.update([what for what in self.rows.details.kinds_of(k) if what not in self.ignored])
        return out


def compare_captures(a: Capture, b: Capture, ignored: frozenset[str] = frozenset(("time",))) -> Comparison:
    """Compare two captures call by call."""
    from .visible import shown_by_both

    rows_a, rows_b = shown_by_both(a, b)
    left_out = len(a.calls) - len(rows_a), len(b.calls) - len(rows_b)
    x, y = normal(a, rows_a), normal(b, rows_b)
    i, j = align(x, y)
    one_side = left_out == (0, 0)
    elsewhere = moved_pointers(x, y, i, j)
    equal = alike(x, y, i, j)
    deep = (_has_more(a, x.seqs(i)) | _has_more(b, y.seqs(j))) & one_side
    looked_at = ~equal | deep
    looked_at[list(elsewhere)] = True
    beyond = looked_at & equal
    beyond[:_DEEP] = False

    def differences(n: int) -> tuple[Difference, ...]:
        p, q = int(i[n]), int(j[n])
        return (*moved(x, y, p, q, elsewhere.get(n, ())), *compare(x, p, y, q, deep=bool(deep[n])))

    pairs = array("q")
    details = Details(lambda at: differences(pairs[at]))
    for n in np.flatnonzero(looked_at & ~beyond).tolist():
        found = differences(n)
        if found:
            pairs.append(n)
            details.put(found)
    del equal, looked_at
    left, right, places = interleaved(len(x), len(y), i, j)
    details.rows = places[np.array(pairs, dtype=np.int64)]
    del places
    rows = Rows(_numbers(x, left), _numbers(y, right), details)
    return Comparison(x, y, rows, _sequences(x, y, one_side), _times(x, y, i, j), ignored, int(beyond.sum()), left_out)


def _numbers(n: Normal, places: I64) -> I64:
    """The numbers of the calls at some places, -1 for those that are -1."""
    if n.chosen is None or not len(n):
        return places
    out: I64 = np.where(places >= 0, n.chosen[places], -1)
    return out


def _has_more(capture: Capture, seqs: I64) -> npt.NDArray[np.bool_]:
    """Which calls have memory or messages beside their registers."""
    c = capture.calls
    memory = np.array([s.format == "calls-jsonl" for s in capture.sources], dtype=bool)
    found = np.zeros(len(c), dtype=bool)
    found[np.fromiter(capture.conversations.by_call, dtype=np.int64)] = True
    found = found[seqs]
    if memory.any():
        found |= memory[np.asarray(c.source[seqs])]
    return found


def interleaved(n: int, m: int, i: I64, j: I64) -> tuple[I64, I64, I64]:
    """Two sequences of ``n`` and ``m`` with their pairs in one order, what only the first has before what only the second has:
    the places in each by row (-1 none), and the rows of the pairs."""
    left, right = (np.full(n + m - len(i), -1, dtype=np.int64) for _ in range(2))
    pairs = i + j - np.arange(len(i))
    left[pairs], right[pairs] = i, j
    only = _others(n, i)
    gap = np.searchsorted(i, only)
    left[only + np.append(0, j + 1)[gap] - gap] = only
    only = _others(m, j)
    gap = np.searchsorted(j, only)
    right[only + np.append(i, n)[gap] - gap] = only
    return left, right, pairs


def _others(count: int, places: I64) -> I64:
    """The numbers below ``count`` that are none of the places."""
    free = np.ones(count, dtype=bool)
    free[places] = False
    return np.flatnonzero(free)


def _sequences(x: Normal, y: Normal, one_side: bool) -> list[Difference]:
    """Connects, attaches, Realm builds and so on that ended otherwise, or are on one side only. ``one_side``: both captures
    show the same kinds of calls; else only those that both have are compared, and by their outcome."""
    told: dict[_Told, _Told] = {}
    a, b = (_named(n, told) for n in (x, y))
    found = []
    for key in chain(a, (k for k in b if k not in a)):
        p, q = a.get(key), b.get(key)
        if not one_side and (p is None or q is None):
            continue
        here, there = ("missing" if s is None else s[0] for s in (p, q))
        if here != there:
            found.append(Difference("sequence", key[0] if not key[1] else f"{key[0]} ({key[1] + 1}.)", here, there))
        elif one_side and p is not None and q is not None and p[1] != q[1]:
            found.append(Difference("sequence", f"steps of {key[0]}", ", ".join(p[1]), ", ".join(q[1])))
    return found


def _named(n: Normal, told: dict[_Told, _Told]) -> dict[tuple[str, int], _Told]:
    """The sequences of a capture by kind and role of their object, and which time it is. ``told``: what was told already, so
    that it is there once."""
    called = roles(n)
    seen: Counter[str] = Counter()
    out: dict[tuple[str, int], _Told] = {}
    for s in n.capture.sequences:
        name = f"{s.kind} {called.get(s.object, s.object.split(':')[0])}"
        this = _ending(s), tuple(t.name for t in s.steps)
        out[name, seen[name]] = told.setdefault(this, this)
        seen[name] += 1
    return out


def _ending(s: Span) -> str:
    bad = next((t.name for t in s.steps if t.outcome == "failed"), "") if s.outcome != "ok" else ""
    return s.outcome + (f" at {bad}" if bad else "")


def _times(x: Normal, y: Normal, i: I64, j: I64) -> list[Difference]:
    """Commands that take much longer on one side: by the median of the calls that both have."""
    called, *took = (np.concatenate(c) for c in zip(*_timed(x, y, i, j), strict=True))
    found = []
    for name in np.unique(called).tolist():
        at = called == name
        medians = [int(np.median(d[at])) for d in took]
        if abs(medians[0] - medians[1]) >= _LEAST_NS and max(medians) >= _SLOWER * max(min(medians), 1):
            found.append(Difference("time", f"median of {x.capture.names[name]}", *(span(m) for m in medians)))
    return found


def _timed(x: Normal, y: Normal, i: I64, j: I64) -> Iterator[tuple[npt.NDArray[np.int32], I64, I64]]:
    """Command (as A names it) and ns in A and in B of the pairs of which these are known, some at a time."""
    yield np.zeros(0, dtype=np.int32), NONE, NONE
    for start in range(0, len(i), AT_ONCE):
        p, q = x.seqs(i[start : start + AT_ONCE]), y.seqs(j[start : start + AT_ONCE])
        here, there = x.capture.calls.dur[p], y.capture.calls.dur[q]
        timed = (here >= 0) & (there >= 0)
        yield x.capture.calls.name[p[timed]], here[timed], there[timed]
