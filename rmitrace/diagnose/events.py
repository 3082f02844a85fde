"""What happened to keyed things, sorted by key and then by call: for a key and a call, what came last before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.shelf import Shelf
from .sorting import Sorter

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
NEVER = 1 << 62
"""Instead of a call that is not there."""
_AT_ONCE = 1 << 17
_USUAL = 12, 28
"""Bits that are clear in the address of a granule, and of the number of a call: with these, addresses have up to 48 bits."""


def events(*parts: tuple[Any, Any, int]) -> tuple[U64, I64, npt.NDArray[np.int16]]:
    """Keys, calls and codes of several lists, sorted by key, by call, and by the list in which a code stands first. Not to be
    written to."""
    given = [(np.asarray(k, dtype=np.uint64), np.asarray(s, dtype=np.int64), c) for k, s, c in parts if len(k)]
    if not given:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int16)
    if (fast := _sorted(given)) is not None:
        return fast
    key = np.concatenate([k for k, _, _ in given])
    seq = np.concatenate([s for _, s, _ in given])
    code = np.concatenate([np.full(len(k), c, dtype=np.int16) for k, _, c in given])
    order = np.lexsort((seq, key))
    return key[order], seq[order], code[order]


def _sorted(given: list[tuple[U64, I64, int]]) -> tuple[U64, I64, npt.NDArray[np.int16]] | None:
    """The same by sorting single numbers, in which key, call and the number of the code stand side by side; None where 64 bits
    are too few for that."""
    together = int(np.bitwise_or.reduce([np.bitwise_or.reduce(k) for k, _, _ in given]))
    codes = {c: i for i, c in enumerate(dict.fromkeys(c for _, _, c in given))}
    down, last = _zeros(together), max(int(s.max()) for _, s, _ in given)
    of_code, of_call = (len(codes) - 1).bit_length(), max(last, 0).bit_length()
    fits = of_code <= 16 and (together >> down).bit_length() + of_code + of_call <= 64
    if not fits or min(int(s.min()) for _, s, _ in given) < 0:
        return None
    sorter = Sorter()
    for k, s, c in given:
        for start in range(0, len(k), _AT_ONCE):
            words = k[start : start + _AT_ONCE] >> np.uint64(down)
            words <<= np.uint64(of_call)
            words |= s[start : start + _AT_ONCE].view(np.uint64)
            words <<= np.uint64(of_code)
            words |= np.uint64(codes[c])
            sorter.add(words)
    shelf, count = Shelf(), len(sorter)
    key, seq, code = shelf.room(count, np.uint64), shelf.room(count, np.int64), shelf.room(count, np.int16)
    of, at = np.array(list(codes), dtype=np.int16), 0
    for words in sorter.parts():
        some = slice(at, at + len(words))
        code[some] = of[(words & np.uint64((1 << of_code) - 1)).astype(np.uint16)]
        words >>= np.uint64(of_code)
        seq[some] = (words & np.uint64((1 << of_call) - 1)).view(np.int64)
        words >>= np.uint64(of_call)
        np.left_shift(words, np.uint64(down), out=key[some])
        at += len(words)
    return key, seq, code


def _zeros(together: int) -> int:
    """How many of the low bits are clear in all keys, of which the bits that are set in one are given."""
    return min((together & -together).bit_length() - 1, 63) if together else 0


_Pairs = Callable[[], Iterator[tuple[U64, I64]]]


def sorted_pairs(pairs: _Pairs) -> Iterator[tuple[U64, I64]]:
    """Keys and calls, sorted by key and then by call, some at a time. They are asked for once where keys are addresses of
    granules of the usual width and calls not many, up to three times where not."""
    down, of_call = _USUAL
    sorter = _words(pairs, down, of_call)
    if sorter is None:
        together, last = 0, 0
        for key, seq in pairs():
            if len(key):
                together, last = together | int(np.bitwise_or.reduce(key)), max(last, int(seq.max()))
        down, of_call = _zeros(together), last.bit_length()
        sorter = _words(pairs, down, of_call)
    if sorter is None:
        every, calls = (np.concatenate(columns) for columns in zip(*pairs(), strict=True))
        order = np.lexsort((calls, every))
        for start in range(0, len(order), _AT_ONCE):
            some = order[start : start + _AT_ONCE]
            yield every[some], calls[some]
        return
    for word in sorter.parts():
        yield word >> np.uint64(of_call) << np.uint64(down), (word & np.uint64((1 << of_call) - 1)).view(np.int64)


def _words(pairs: _Pairs, down: int, of_call: int) -> Sorter | None:
    """Each pair as one number; None where one has bits for which there is no room."""
    sorter = Sorter()
    for key, seq in pairs():
        if not len(key):
            continue
        together = int(np.bitwise_or.reduce(key))
        if together & (1 << down) - 1 or (together >> down).bit_length() + of_call > 64 or int(seq.max()) >> of_call:
            return None
        words = key >> np.uint64(down)
        words <<= np.uint64(of_call)
        words |= seq.view(np.uint64)
        sorter.add(words)
    return sorter


class Events:
    """What happened to keyed things, in order: for a key and a call, what came last before it."""

    def __init__(self, *parts: tuple[Any, Any, int]) -> None:
        self.key, self.seq, self.code = events(*parts)

    def span(self, key: int) -> tuple[int, int]:
        """First and behind the last event of a key."""
        k = np.uint64(key)
        return int(self.key.searchsorted(k, "left")), int(self.key.searchsorted(k, "right"))

    def before(self, key: int, seq: int) -> tuple[int, int] | None:
        """Code and call of the last event of a key before a call, None where there is none."""
        a, b = self.span(key)
        i = a + int(self.seq[a:b].searchsorted(seq, "left")) - 1
        return (int(self.code[i]), int(self.seq[i])) if i >= a else None

    def after(self, key: int, seq: int) -> tuple[int, int] | None:
        """Code and call of the first event of a key behind a call."""
        a, b = self.span(key)
        i = a + int(self.seq[a:b].searchsorted(seq, "right"))
        return (int(self.code[i]), int(self.seq[i])) if i < b else None

    def behind(self, keys: U64, seqs: I64) -> I64:
        """For each of many keys and calls the call of the first event of the key behind the call, NEVER where there is none."""
        out = np.full(len(keys), NEVER, dtype=np.int64)
        if not len(self.key) or not len(keys):
            return out
        first = np.concatenate([[True], self.key[1:] != self.key[:-1]])
        rank, of = np.cumsum(first) - 1, self.key[first]
        at = np.searchsorted(of, keys)
        at[of[np.minimum(at, len(of) - 1)] != keys] = len(of)
        width = int(max(self.seq.max(), seqs.max())) + 1  # key and call in one number
        found = np.searchsorted(rank * width + self.seq, at * width + seqs, "right")
        good = found < len(self.key)
        good[good] = rank[found[good]] == at[good]
        out[good] = self.seq[found[good]]
        return out

    def since(self, key: int, seq: int) -> tuple[int, int] | None:
        """The same, with the call since when it is so: the first of those that say the same in a row."""
        a, b = self.span(key)
        i = a + int(self.seq[a:b].searchsorted(seq, "left"))
        if i == a:
            return None
        other = np.flatnonzero(self.code[a:i] != self.code[i - 1])
        return int(self.code[i - 1]), int(self.seq[a + (int(other[-1]) + 1 if len(other) else 0)])

    def of(self, key: int) -> list[tuple[int, int]]:
        """All of a key: code and call."""
        a, b = self.span(key)
        return list(zip(self.code[a:b].tolist(), self.seq[a:b].tolist(), strict=True))
