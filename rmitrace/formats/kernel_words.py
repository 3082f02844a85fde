"""Words that a kernel looks up in text: a table of names by their bytes, and an automaton that finds any of some words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from .kernel_steps import HIGH, lowest, word

SLOTS = 1 << 14
_WORD, _WEAK, _CONTEXT = 1, 2, 4
HIT = 1
"""State of an automaton that has found a word."""
_SPREAD, _SPREAD_2, _DOWN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(50)
_ABOVE_BLANK = np.uint64(0x2121212121212121)
_ONE = np.uint64(1)


class Words:
    """Names with numbers from 0 on, as many as ``size``; of one to 128 bytes each, so that first and last eight tell most."""

    def __init__(self, size: int) -> None:
        self.index: dict[bytes, int] = {}
        self.size = size
        self.slots = np.full(SLOTS, -1, dtype=np.int32)
        self.blob = np.zeros(1 << 12, dtype=np.uint8)
        self.used = 0
        self.at = np.zeros(size, dtype=np.int64)
        self.length = np.zeros(size, dtype=np.int64)
        self.first = np.zeros(size, dtype=np.uint64)
        self.last = np.zeros(size, dtype=np.uint64)

    def add(self, text: bytes) -> int:
        """The number of a name, added where new; -1 where the table is full."""
        at = self.index.get(text)
        if at is not None:
            return at
        if len(self.index) >= self.size:
            return -1
        at = self.index[text] = len(self.index)
        self.at[at], self.length[at] = self.store(text), len(text)
        self.first[at], self.last[at] = number(text[:8]), number(text[-8:])
        with np.errstate(over="ignore"):
            slot = int(slot_of(self.first[at], self.last[at], len(text)))
        while self.slots[slot] >= 0:
            slot = (slot + 1) % SLOTS
        self.slots[slot] = at
        return at

    def store(self, text: bytes) -> int:
        """Put bytes into the blob; returns where they are."""
        at, self.used = self.used, self.used + len(text)
        while self.used > len(self.blob):
            self.blob = np.append(self.blob, np.zeros_like(self.blob))
        self.blob[at : self.used] = np.frombuffer(text, dtype=np.uint8)
        return at

    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """What find_word() takes, in its order."""
        return self.slots, self.blob, self.at, self.length, self.first, self.last


def number(text: bytes) -> int:
    """Up to eight bytes as kernel_steps.word() has them, NUL behind fewer."""
    return int.from_bytes(text, "little")


def slot_of(first: Any, last: Any, size: Any) -> Any:
    """Where in the table of slots a name is looked for: by its first and last eight bytes (all of a shorter one, twice)."""
    return np.int64((first * _SPREAD ^ last * _SPREAD_2 ^ np.uint64(size)) >> _DOWN)


def find_word(buf: Any, begin: Any, stop: Any, slots: Any, blob: Any, at: Any, length: Any, first: Any, last: Any) -> Any:
    """The number of the name between two offsets, -1 where it is not in the table."""
    size = stop - begin
    head = word(buf, begin)
    tail = head
    if size < 8:
        head &= (_ONE << np.uint64(8 * size)) - _ONE
        tail = head
    else:
        tail = word(buf, stop - 8)
    slot = slot_of(head, tail, size)
    while slots[slot] >= 0:
        i = slots[slot]
        if first[i] == head and last[i] == tail and length[i] == size:
            k = 8
            while k < size - 8 and blob[at[i] + k] == buf[begin + k]:
                k += 1
            if k >= size - 8:
                return np.int64(i)
        slot = (slot + 1) % SLOTS
    return np.int64(-1)


def token_end(buf: Any, p: Any, most: Any) -> Any:
    """The first blank or control character at or behind ``p``; -1 where more than ``most`` bytes are before it."""
    begin = p
    while p - begin <= most:
        w = word(buf, p)
        found = (w - _ABOVE_BLANK) & ~w & HIGH
        if found != 0:
            p += lowest(found)
            return p if p - begin <= most else -1
        p += 8
    return -1


def automaton(words: Iterable[bytes], weak: Iterable[bytes] = (), context: Iterable[bytes] = ()) -> npt.NDArray[np.uint16]:
    """The automaton that finds any of the words, or one that is weak and one of the context (Aho and Corasick): next state by
    state * 256 + byte. State 0 is the first; HIT is never left. With weak words every state is there three times: nothing,
    something weak, or something of the context was met before."""
    steps, told = _tree([(w, _WORD) for w in words] + [(w, _WEAK) for w in weak] + [(w, _CONTEXT) for w in context])
    plain: npt.NDArray[np.int64] = np.zeros((len(steps), 256), dtype=np.int64)
    todo: deque[tuple[int, int]] = deque([(0, 0)])
    while todo:
        state, back = todo.popleft()  # back: the state after the longest end of what was read that begins a word, too
        if state:
            plain[state] = plain[back]
            told[state] |= told[back]
        for byte, after in steps[state].items():
            todo.append((after, int(plain[back, byte]) if state else 0))
            plain[state, byte] = after
    met: npt.NDArray[np.int64] = np.array(told)[plain]
    several = 3 if (met & (_WEAK | _CONTEXT)).any() else 1
    table = np.zeros((several, len(steps) + 1, 256), dtype=np.uint16)
    shown = np.where(plain >= HIT, plain + 1, plain)  # state 1 is HIT
    for flag in range(several):
        both = flag | np.where(met & _WEAK, 1, 0) | np.where(met & _CONTEXT, 2, 0)
        hit = (met & _WORD != 0) | (both == 3)
        rows = np.where(hit, HIT, shown + np.where(hit, 0, both) * (len(steps) + 1))
        table[flag, [0, *range(2, len(steps) + 1)]] = rows
    table[0, HIT] = HIT
    return table.ravel()


def _tree(words: list[tuple[bytes, int]]) -> tuple[list[dict[int, int]], list[int]]:
    """The steps from each state by byte, and what the words are that end there."""
    steps: list[dict[int, int]] = [{}]
    told = [0]
    for text, kind in words:
        state = 0
        for byte in text:
            if byte not in steps[state]:
                steps[state][byte] = len(steps)
                steps.append({})
                told.append(0)
            state = steps[state][byte]
        told[state] |= kind
    return steps, told


def hit_from(buf: Any, p: Any, table: Any) -> Any:
    """Where in a line a word of the automaton ends, the offset of the line end where there is none. There is a line end."""
    state = np.int64(0)
    while buf[p] != 10:
        state = np.int64(table[state * 256 + buf[p]])
        if state == HIT:
            return p
        p += 1
    return p


WORDS = (slot_of, find_word, token_end, hit_from)
"""The steps of this module."""
