"""Why things failed, by their numbers: read like a dict; a text is made when it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, ItemsView, Iterator, Mapping
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]


class Whys(Mapping[int, str]):
    """Texts of some numbers, ascending.

    which   for each number what ``say`` is asked
    """

    def __init__(self, numbers: I64, which: I64, say: Callable[[int], str]) -> None:
        order = np.argsort(numbers, kind="stable")
        self._numbers, self._which, self._say = numbers[order], which[order], say

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers.tolist())

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self._place(number) >= 0

    def __getitem__(self, number: int) -> str:
        at = self._place(number)
        if at < 0:
            raise KeyError(number)
        return self._say(int(self._which[at]))

    def items(self) -> ItemsView[int, str]:
        """Numbers and texts; no number is looked for on the way."""
        return _Items(self)

    def texts(self) -> Iterator[str]:
        """The texts, in the order of their numbers."""
        return map(self._say, self._which.tolist())

    def between(self, start: int, stop: int) -> dict[int, str]:
        """Those of the numbers from ``start`` to ``stop``."""
        a, b = np.searchsorted(self._numbers, [start, stop]).tolist()
        return dict(zip(self._numbers[a:b].tolist(), map(self._say, self._which[a:b].tolist()), strict=True))

    def _place(self, number: int) -> int:
        at = int(np.searchsorted(self._numbers, number))
        return at if at < len(self._numbers) and self._numbers[at] == number else -1


class _Items(ItemsView[int, str]):
    _mapping: Whys

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return zip(self._mapping, self._mapping.texts(), strict=True)


def between(texts: Mapping[int, str], start: int, stop: int) -> Mapping[int, str]:
    """The texts of at least the numbers from ``start`` to ``stop``; of those of a Whys none is looked for alone."""
    return texts.between(start, stop) if isinstance(texts, Whys) else texts


def moved(given: list[tuple[Mapping[int, str], Any]]) -> Whys:
    """Some such texts as one; with each ``place``: what its numbers are now."""
    keys = [np.fromiter(texts, dtype=np.int64, count=len(texts)) for texts, _ in given]
    base = [0, *accumulate(map(len, keys))]

    asked = [(t._say, t._which) if isinstance(t, Whys) else (t.__getitem__, k) for (t, _), k in zip(given, keys, strict=True)]

    def say(at: int) -> str:
        part = bisect_right(base, at) - 1
        tell, what = asked[part]
        return tell(int(what[at - base[part]]))

    numbers = [place[k] for k, (_, place) in zip(keys, given, strict=True)]
    return Whys(np.concatenate([*numbers, np.zeros(0, dtype=np.int64)]), np.arange(base[-1]), say)
