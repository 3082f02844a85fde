"""What happened to keyed things, sorted by key and then by call: for a key and a call, what came last before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.shelf import Shelf
from .sorting import AT_ONCE, I64, U64, Rows, in_order

NEVER = 1 << 62
"""Instead of a call that is not there."""


def events(*parts: tuple[Any, Any, int]) -> tuple[U64, I64, npt.NDArray[np.int16]]:
    """Keys, calls and codes of several lists, sorted by key, by call, and by the list in which a code stands first. Not to be
    written to."""
    given = [(np.asarray(k, dtype=np.uint64), np.asarray(s, dtype=np.int64), c) for k, s, c in parts if len(k)]
    codes = {c: i for i, c in enumerate(dict.fromkeys(c for _, _, c in given))}
    together = int(np.bitwise_or.reduce([np.bitwise_or.reduce(k) for k, _, _ in given])) if given else 0
    last = max((int(s.max()) for _, s, _ in given), default=0)

    def rows() -> Iterator[Rows]:
        for k, s, c in given:
            for start in range(0, len(k), AT_ONCE):
                key = k[start : start + AT_ONCE]
                yield key, s[start : start + AT_ONCE], np.full(len(key), codes[c])

    shelf, count, at = Shelf(), sum(len(k) for k, _, _ in given), 0
    key, seq, code = shelf.room(count, np.uint64), shelf.room(count, np.int64), shelf.room(count, np.int16)
    of = np.array(list(codes), dtype=np.int16)
    for keys, calls, number in in_order(rows(), last + 1, len(codes), together):
        some = slice(at, at + len(keys))
        key[some], seq[some], code[some] = keys, calls, of[number]
        at += len(keys)
    return key, seq, code


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
