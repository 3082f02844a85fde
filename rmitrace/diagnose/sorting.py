"""Numbers of 64 bits put in order without having them all in memory: sorted runs of them stand in files without a name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..capture.shelf import Shelf

U64 = npt.NDArray[np.uint64]

RUN = 1 << 20
"""Numbers that are sorted together."""
AT_ONCE = 1 << 17
"""Numbers that are given back together, about."""


class Sorter:
    """Takes numbers, and gives them back in ascending order."""

    def __init__(self) -> None:
        self._shelf = Shelf()
        self._runs: list[U64] = []
        self._run = np.empty(0, dtype=np.uint64)
        self._used = 0

    def add(self, words: U64) -> None:
        """Put some behind the others."""
        at = 0
        while at < len(words):
            if self._used == len(self._run):
                self._grow()
            some = words[at : at + len(self._run) - self._used]
            self._run[self._used : self._used + len(some)] = some
            self._used += len(some)
            at += len(some)

    def _grow(self) -> None:
        """Make room behind the last number."""
        size = len(self._run)
        if size < RUN:
            more = np.empty(min(max(2 * size, 1 << 12), RUN), dtype=np.uint64)
            more[:size] = self._run
            self._run = more
            return
        self._run.sort()
        kept = self._shelf.put(self._run)
        self._runs.append(kept)
        if kept is self._run:
            self._run = np.empty(RUN, dtype=np.uint64)
        self._used = 0

    def __len__(self) -> int:
        return sum(map(len, self._runs)) + self._used

    def parts(self) -> Iterator[U64]:
        """All of them, some at a time; nothing can be added any more."""
        last = self._run[: self._used]
        last.sort()
        runs = [*self._runs, last] if len(last) else self._runs
        if len(runs) < 2:
            for run in runs:
                for start in range(0, len(run), AT_ONCE):
                    yield run[start : start + AT_ONCE].copy()
            return
        step = max(AT_ONCE // (2 * len(runs)), 1)
        marks = np.sort(np.concatenate([run[::step] for run in runs]))[len(runs) :: len(runs)]
        begin = [0] * len(runs)
        for mark in [*marks, None]:
            end = [len(run) if mark is None else int(run.searchsorted(mark)) for run in runs]
            words = np.concatenate([run[a:b] for run, a, b in zip(runs, begin, end, strict=True)])
            begin = end
            if len(words):
                words.sort()
                yield words
