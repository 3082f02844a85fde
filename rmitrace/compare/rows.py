"""The calls of two captures side by side, and in what they differ: a few bytes a call."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ..correlate.anchors import I64
from .values import Difference

_KEPT = 10_000
"""Rows of which what differs is kept."""


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


class Details:
    """In what the calls of rows differ. Of very many rows only the kinds of their differences are kept, and what they are is
    found anew for one that is asked for."""

    def __init__(self, again: Callable[[int], tuple[Difference, ...]]) -> None:
        """``again``: what differs in the pair of a row, by its place in the order in which they were put here."""
        self.rows: I64 = np.zeros(0, dtype=np.int64)
        """The rows, ascending."""
        self._again = again
        self._kinds: dict[tuple[str, ...], int] = {}
        self._kind = array("H")
        self._kept: list[tuple[Difference, ...]] = []

    def put(self, found: tuple[Difference, ...]) -> None:
        """What differs in one more pair."""
        kinds = tuple(dict.fromkeys(d.what for d in found))
        self._kind.append(self._kinds.setdefault(kinds, len(self._kinds)))
        if len(self._kept) < _KEPT:
            self._kept.append(found)

    def of(self, row: int) -> tuple[Difference, ...]:
        """What differs in a row."""
        at = self._place(row)
        if at < 0:
            return ()
        return self._kept[at] if at < len(self._kept) else self._again(at)

    def kinds_of(self, row: int) -> tuple[str, ...]:
        """In what kinds of things the calls of a row differ."""
        at = self._place(row)
        return list(self._kinds)[self._kind[at]] if at >= 0 else ()

    def counting(self, ignored: frozenset[str]) -> I64:
        """The rows in which something differs that is not ignored."""
        counts = np.array([bool(set(kinds) - ignored) for kinds in self._kinds], dtype=bool)
        return self.rows[counts[np.frombuffer(self._kind, dtype=np.uint16)]] if len(self._kind) else self.rows

    def _place(self, row: int) -> int:
        at = int(np.searchsorted(self.rows, row))
        return at if at < len(self.rows) and self.rows[at] == row else -1


class Rows(Sequence[Row]):
    """Every call of both captures in order. Of a row only its numbers are kept, and what differs where something does.

    a, b      the calls of each row, -1 where a side has none
    details   in what the calls of rows differ
    """

    def __init__(self, a: I64, b: I64, details: Details) -> None:
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
        return Row(int(self.a[k]), int(self.b[k]), self.details.of(k if k >= 0 else len(self) + k))
