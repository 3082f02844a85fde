"""Numbers of 64 bits put in order without having them all in memory: sorted runs of them stand in files without a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ..capture.shelf import Shelf

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
Rows = tuple[U64, I64, Numbers]
"""Keys, calls, and a small number of each."""

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


def in_order(rows: Iterable[Rows], calls: int, numbers: int, together: int | None = None) -> Iterator[Rows]:
    """Keys with calls and numbers, sorted by all three, some at a time; calls and numbers are below those that are told.

    together  the bits that are set in one of the keys, where they are known; else keys are taken for addresses of granules

    Key, call and number side by side are one number where 64 bits are enough. Those of which they are not, and which are
    expected to be few, are sorted apart.
    """
    of_call, of_number = (max(n - 1, 0).bit_length() for n in (calls, numbers))
    room = 64 - of_call - of_number
    down = _PAGE if together is None else min((together & -together).bit_length() - 1, 63) if together else 0
    if together is not None and (together >> down).bit_length() > room:
        down = _PAGE
    sorter, other = Sorter(), [_NONE]
    for row in rows:
        other += _take(sorter, row, down, room, (of_call, of_number))
    key, call, number = (np.concatenate(columns) for columns in zip(*other, strict=True))
    order = np.lexsort((number, call, key))
    rest: Rows = key[order], call[order], number[order]
    begin = 0
    for words in sorter.parts():
        number = (words & np.uint64((1 << of_number) - 1)).astype(np.int64)
        words >>= np.uint64(of_number)
        call = (words & np.uint64((1 << of_call) - 1)).astype(np.int64)
        words >>= np.uint64(of_call)
        words <<= np.uint64(down)
        end = int(rest[0].searchsorted(words[-1]))
        if begin < end:  # no key is in both
            mine = [np.concatenate([a, b[begin:end]]) for a, b in zip((words, call, number), rest, strict=True)]
            order = np.lexsort(tuple(reversed(mine)))
            words, call, number = (column[order] for column in mine)
            begin = end
        yield words, call, number
    for start in range(begin, len(rest[0]), AT_ONCE):
        yield rest[0][start : start + AT_ONCE], rest[1][start : start + AT_ONCE], rest[2][start : start + AT_ONCE]


_PAGE = 12
_NONE: Rows = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


def _take(sorter: Sorter, row: Rows, down: int, room: int, of: tuple[int, int]) -> list[Rows]:
    """Give a sorter the rows whose keys have no more bits than there is room for; the others. ``of``: bits of calls and of
    numbers."""
    key, call, number = row
    words = key >> np.uint64(down)
    fits = words << np.uint64(down) == key
    if room < 64 - down:
        fits &= (words >> np.uint64(max(room, 0)) == 0) & (room >= 0)
    other = []
    if not fits.all():
        other = [(key[~fits], call[~fits], number[~fits])]
        words, call, number = words[fits], call[fits], number[fits]
    words <<= np.uint64(of[0])
    words |= call.view(np.uint64)
    words <<= np.uint64(of[1])
    words |= number.view(np.uint64)
    sorter.add(words)
    return other
