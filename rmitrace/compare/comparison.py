"""Two captures compared: which calls belong together, in what they differ, and which difference matters first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from ..correlate.anchors import I64
from ..correlate.words import span
from .align import align
from .normal import Normal, normal
from .objects import roles
from .pages import pages
from .pointers import moved_pointers
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


@dataclass(frozen=True, slots=True)
class Row:
    """Two calls side by side, or one alone: their numbers in the captures, -1 where a side has none."""

    a: int
    b: int
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both are there and do not differ."""
        return self.a >= 0 and self.b >= 0 and not self.differences


class Rows(Sequence[Row]):
    """Every call of both captures in order. Of a row only its numbers are kept, and what differs where something does.

    a, b      the calls of each row, -1 where a side has none
    details   row -> in what its calls differ
    """

    def __init__(self, a: I64, b: I64, details: dict[int, tuple[Difference, ...]]) -> None:
        self.a = a
        self.b = b
        self.details = details

    def __len__(self) -> int:
        return len(self.a)

    @overload
    def __getitem__(self, k: int) -> Row: ...
    @overload
    def __getitem__(self, k: slice) -> list[Row]: ...
    def __getitem__(self, k: int | slice) -> Row | list[Row]:
        if isinstance(k, slice):
            return [self[n] for n in range(*k.indices(len(self)))]
        return Row(int(self.a[k]), int(self.b[k]), self.details.get(k if k >= 0 else len(self) + k, ()))


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
    def called(self) -> tuple[dict[str, str], dict[str, str]]:
        """What objects and pages of A and of B are called, by address: '0x49500000' -> 'pdev A'."""
        held = [{o: r for o, r in roles(n).items() if o.startswith(_WITH_GRANULES)} for n in (self.a, self.b)]
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
        alone = [] if "order" in self.ignored else np.flatnonzero((self.rows.a < 0) | (self.rows.b < 0)).tolist()
        changed = [k for k, found in self.rows.details.items() if any(d.what not in self.ignored for d in found)]
        return sorted({*alone, *changed})

    @property
    def same(self) -> bool:
        """Whether nothing differs that counts."""
        told = self.sequences if "sequence" not in self.ignored else []
        return not self.differing and not told and not (self.times and "time" not in self.ignored)

    @cached_property
    def first(self) -> int:
        """The row of the first difference that others can follow from, else of the first one; -1 where there is none."""
        for k in self.differing:
            if self._matters(self.rows[k]):
                return k
        return self.differing[0] if self.differing else -1

    def _matters(self, row: Row) -> bool:
        side, seq = (self.a, row.a) if row.a >= 0 else (self.b, row.b)
        if row.a < 0 or row.b < 0:
            return side.capture.name_text(seq) not in MINOR
        return any(d.what in _CAUSES and d.what not in self.ignored for d in row.differences)

    @cached_property
    def counted(self) -> Counter[str]:
        """How many calls differ in what, the calls of one side alone as 'only in A' and 'only in B'."""
        out: Counter[str] = Counter()
        for k in self.differing:
            r = self.rows[k]
            if r.a < 0 or r.b < 0:
                out["only in B" if r.a < 0 else "only in A"] += 1
            else:
                out.update([*dict.fromkeys(d.what for d in r.differences if d.what not in self.ignored)])
        return out


def compare_captures(a: Capture, b: Capture, ignored: frozenset[str] = frozenset(("time",))) -> Comparison:
    """Compare two captures call by call."""
    from .visible import shown_by_both

    rows_a, rows_b = shown_by_both(a, b)
    left_out = len(a.calls) - len(rows_a), len(b.calls) - len(rows_b)
    x, y = normal(a, rows_a), normal(b, rows_b)
    i, j = align(x, y)
    one_side = left_out == (0, 0)
    details: dict[int, tuple[Difference, ...]] = {}
    elsewhere = moved_pointers(x, y, i, j)
    equal = x.tight[i] == y.tight[j]
    deep = (_has_more(a, x.call[i]) | _has_more(b, y.call[j])) & one_side
    looked_at = ~equal | deep
    looked_at[list(elsewhere)] = True
    beyond = looked_at & equal & (np.arange(len(i)) >= _DEEP)
    for n in np.flatnonzero(looked_at & ~beyond).tolist():
        found = [*elsewhere.get(n, ()), *compare(x, int(i[n]), y, int(j[n]), deep=bool(deep[n]))]
        if found:
            details[n] = tuple(found)
    left, right, places = interleaved(len(x), len(y), i, j)
    rows = Rows(
        np.where(left >= 0, x.call[left], -1) if len(x) else left,
        np.where(right >= 0, y.call[right], -1) if len(y) else right,
        {int(places[n]): found for n, found in details.items()},
    )
    return Comparison(x, y, rows, _sequences(x, y, one_side), _times(x, y, i, j), ignored, int(beyond.sum()), left_out)


def _has_more(capture: Capture, seqs: I64) -> npt.NDArray[np.bool_]:
    """Which calls have memory or messages beside their registers."""
    c = capture.calls
    memory = [n for n, s in enumerate(capture.sources) if s.format == "calls-jsonl"]
    found: npt.NDArray[np.bool_] = np.isin(np.asarray(c.source[seqs]), memory)
    found |= np.isin(seqs, np.fromiter(capture.conversations.by_call, dtype=np.int64))
    return found


def interleaved(n: int, m: int, i: I64, j: I64) -> tuple[I64, I64, I64]:
    """Two sequences of ``n`` and ``m`` with their pairs in one order, what only the first has before what only the second has:
    the places in each by row (-1 none), and the rows of the pairs."""
    left, right = (np.full(n + m - len(i), -1, dtype=np.int64) for _ in range(2))
    pairs = i + j - np.arange(len(i))
    left[pairs], right[pairs] = i, j
    only = np.setdiff1d(np.arange(n), i, assume_unique=True)
    gap = np.searchsorted(i, only)
    left[only + np.append(0, j + 1)[gap] - gap] = only
    only = np.setdiff1d(np.arange(m), j, assume_unique=True)
    gap = np.searchsorted(j, only)
    right[only + np.append(i, n)[gap] - gap] = only
    return left, right, pairs


def _sequences(x: Normal, y: Normal, one_side: bool) -> list[Difference]:
    """Connects, attaches, Realm builds and so on that ended otherwise, or are on one side only. ``one_side``: both captures
    show the same kinds of calls; else only those that both have are compared, and by their outcome."""
    a, b = (_named(n) for n in (x, y))
    found = []
    for key in dict.fromkeys((*a, *b)):
        p, q = a.get(key), b.get(key)
        if not one_side and (p is None or q is None):
            continue
        here, there = ("missing" if s is None else _ending(s) for s in (p, q))
        if here != there:
            found.append(Difference("sequence", key[0] if not key[1] else f"{key[0]} ({key[1] + 1}.)", here, there))
        elif one_side and p is not None and q is not None and [s.name for s in p.steps] != [s.name for s in q.steps]:
            steps = (", ".join(s.name for s in seq.steps) for seq in (p, q))
            found.append(Difference("sequence", f"steps of {key[0]}", *steps))
    return found


def _named(n: Normal) -> dict[tuple[str, int], Span]:
    """The sequences of a capture by kind and role of their object, and which time it is."""
    called = roles(n)
    seen: Counter[str] = Counter()
    out: dict[tuple[str, int], Span] = {}
    for s in n.capture.sequences:
        name = f"{s.kind} {called.get(s.object, s.object.split(':')[0])}"
        out[name, seen[name]] = s
        seen[name] += 1
    return out


def _ending(s: Span) -> str:
    bad = next((t.name for t in s.steps if t.outcome == "failed"), "") if s.outcome != "ok" else ""
    return s.outcome + (f" at {bad}" if bad else "")


def _times(x: Normal, y: Normal, i: I64, j: I64) -> list[Difference]:
    """Commands that take much longer on one side: by the median of the calls that both have."""
    called = np.asarray(x.capture.calls.name)[x.call[i]]
    here, there = (np.asarray(n.capture.calls.dur)[n.call[k]] for n, k in ((x, i), (y, j)))
    timed = (here >= 0) & (there >= 0)
    found = []
    for name in np.unique(called[timed]).tolist():
        at = timed & (called == name)
        medians = [int(np.median(d[at])) for d in (here, there)]
        if abs(medians[0] - medians[1]) >= _LEAST_NS and max(medians) >= _SLOWER * max(min(medians), 1):
            found.append(Difference("time", f"median of {x.capture.names[name]}", *(span(m) for m in medians)))
    return found
