"""What happened to keyed things, sorted by key and then by call: for a key and a call, what came last before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
NEVER = 1 << 62
"""Instead of a call that is not there."""
_AT_ONCE = 1 << 17


def events(*parts: tuple[Any, Any, int]) -> tuple[U64, I64, npt.NDArray[np.int16]]:
    """Keys, calls and codes of several lists, sorted by key and then by call."""
    if not parts:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int16)
    if (fast := _sorted(parts)) is not None:
        return fast
    key = np.concatenate([np.asarray(k, dtype=np.uint64) for k, _, _ in parts])
    seq = np.concatenate([np.asarray(s, dtype=np.int64) for _, s, _ in parts])
    code = np.concatenate([np.full(len(k), c, dtype=np.int16) for k, _, c in parts])
    order = np.lexsort((seq, key))
    return key[order], seq[order], code[order]


def _sorted(parts: tuple[tuple[Any, Any, int], ...]) -> tuple[U64, I64, npt.NDArray[np.int16]] | None:
    """The same by sorting single numbers, in which key, call and number of the list stand side by side; None where 64 bits
    are too few for that."""
    several = [(np.asarray(k, dtype=np.uint64), np.asarray(s, dtype=np.int64), c) for k, s, c in parts if len(k)]
    if not several:
        return None
    together = np.bitwise_or.reduce([np.bitwise_or.reduce(k) for k, _, _ in several])
    down = min((int(together) & -int(together)).bit_length() - 1, 63) if together else 0
    last = max(int(s.max()) for _, s, _ in several)
    of_list, of_call = (len(several) - 1).bit_length(), max(last, 0).bit_length()
    fits = of_list <= 16 and (int(together) >> down).bit_length() + of_list + of_call <= 64
    if not fits or min(int(s.min()) for _, s, _ in several) < 0:
        return None
    packed = np.empty(sum(len(k) for k, _, _ in several), dtype=np.uint64)
    at = 0
    for i, (k, s, _) in enumerate(several):
        mine = packed[at : at + len(k)]
        np.right_shift(k, np.uint64(down), out=mine)
        mine <<= np.uint64(of_call)
        mine |= s.view(np.uint64)
        mine <<= np.uint64(of_list)
        mine |= np.uint64(i)
        at += len(k)
    packed.sort()
    of = (packed & np.uint64((1 << of_list) - 1)).astype(np.uint16)
    code = np.array([c for _, _, c in several], dtype=np.int16)[of]
    packed >>= np.uint64(of_list)
    seq = (packed & np.uint64((1 << of_call) - 1)).view(np.int64)
    packed >>= np.uint64(of_call)
    packed <<= np.uint64(down)
    return packed, seq, code


def sorted_pairs(pairs: Callable[[], Iterator[tuple[U64, I64]]]) -> Iterator[tuple[U64, I64]]:
    """Keys and calls, sorted by key and then by call, some at a time. They are asked for twice."""
    together, last, count = 0, 0, 0
    for key, seq in pairs():
        if len(key):
            together |= int(np.bitwise_or.reduce(key))
            last, count = max(last, int(seq.max())), count + len(key)
    down = min((together & -together).bit_length() - 1, 63) if together else 0
    of_call = last.bit_length()
    if (together >> down).bit_length() + of_call > 64:
        every, calls = (np.concatenate(columns) for columns in zip(*pairs(), strict=True))
        order = np.lexsort((calls, every))
        for start in range(0, count, _AT_ONCE):
            some = order[start : start + _AT_ONCE]
            yield every[some], calls[some]
        return
    packed = np.empty(count, dtype=np.uint64)
    at = 0
    for key, seq in pairs():
        packed[at : at + len(key)] = key >> np.uint64(down) << np.uint64(of_call) | seq.view(np.uint64)
        at += len(key)
    packed.sort()
    for start in range(0, count, _AT_ONCE):
        word = packed[start : start + _AT_ONCE]
        yield word >> np.uint64(of_call) << np.uint64(down), (word & np.uint64((1 << of_call) - 1)).view(np.int64)


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
