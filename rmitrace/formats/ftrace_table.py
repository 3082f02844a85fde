"""What the scanner (ftrace_scan) is given and what it fills: the table of known events, and room for columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.records import N_REGS
from .eventmap import MAX_REGS
from .kernel_words import Words, number

SLOW, IGNORE, ENTER, EXIT, HIT_ENTER, HIT_EXIT = 0, 1, 2, 3, 4, 5
"""Classes of events; HIT: a hardware breakpoint with registers, in perf's text."""


class Table:
    """The events that scan() knows: a hash table of names, with a class and the layout of the values.

    cls     SLOW: the line reader takes its lines; IGNORE: they are counted and skipped; ENTER, EXIT: read here
    """

    def __init__(self, events: int) -> None:
        self.index: dict[str, int] = {}
        self.words = Words(events)
        self.cls = np.zeros(events, dtype=np.uint8)
        self.arrow = np.zeros(events, dtype=np.uint8)
        self.known = np.zeros(events, dtype=np.uint32)
        self.first = np.zeros(events, dtype=np.int64)
        self.fields = np.zeros(events, dtype=np.int64)
        self.field_at = np.zeros(0, dtype=np.int64)
        self.field_len = np.zeros(0, dtype=np.int64)
        self.field_word = np.zeros(0, dtype=np.uint64)
        self.field_mask = np.zeros(0, dtype=np.uint64)
        self.field_zero = np.zeros(0, dtype=np.uint64)
        self.zero_mask = np.zeros(0, dtype=np.uint64)
        self.field_reg = np.zeros(0, dtype=np.int64)
        self.field_count = np.zeros(0, dtype=np.int64)
        self._frozen: tuple[npt.NDArray[Any], ...] | None = None

    def add(self, name: str) -> int:
        """The index of an event, added as SLOW where new; -1 where the table is full."""
        at = self.index.get(name)
        if at is None:
            at = self.words.add(name.encode("ascii"))
            if at >= 0:
                self.index[name] = at
                self._frozen = None
        return at

    def ignore(self, name: str) -> None:
        """Skip the lines of an event from now on."""
        at = self.add(name)
        if at >= 0:
            self.cls[at] = IGNORE
            self._frozen = None

    def layout(self, name: str, out: bool, arrow: bool, fields: tuple[tuple[str, int, int], ...]) -> None:
        """Read an event here from now on: (field, register or -1, elements of an array or 0) in the order of the line.

        out    it is the return; arrow: its place is printed as ``(a <- b)``
        """
        at = self.add(name)
        if at < 0 or not fields:
            return
        self.first[at], self.fields[at] = len(self.field_at), len(fields)
        texts = [f" {n}=".encode("ascii") for n, _, _ in fields]
        self.field_at = np.append(self.field_at, [self.words.store(t) for t in texts])
        self.field_len = np.append(self.field_len, [len(t) for t in texts])
        self.field_word = np.append(self.field_word, np.array([number(t[:8]) for t in texts], dtype=np.uint64))
        self.field_mask = np.append(self.field_mask, np.array([(1 << 8 * min(len(t), 8)) - 1 for t in texts], dtype=np.uint64))
        zeros = [t + b"0x0" if not c and len(t) + 3 < 8 else b"" for t, (_, _, c) in zip(texts, fields, strict=True)]
        self.field_zero = np.append(self.field_zero, np.array([number(z) or 1 for z in zeros], dtype=np.uint64))
        self.zero_mask = np.append(self.zero_mask, np.array([(1 << 8 * len(z)) - 1 for z in zeros], dtype=np.uint64))
        self.field_reg = np.append(self.field_reg, [r for _, r, _ in fields])
        self.field_count = np.append(self.field_count, [c for _, _, c in fields])
        self.known[at] = sum({1 << i for _, r, c in fields if r >= 0 for i in range(r, r + max(c, 1)) if i < MAX_REGS})
        self.arrow[at] = arrow
        self.cls[at] = EXIT if out else ENTER
        self._frozen = None

    def breakpoint(self, name: str, out: bool, known: int) -> None:
        """Read the samples of a hardware breakpoint here from now on; known: which registers are printed."""
        at = self.add(name)
        if at >= 0:
            self.cls[at], self.known[at] = HIT_EXIT if out else HIT_ENTER, known
            self._frozen = None

    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """What scan() takes, in its order: a copy, which stays as it is while other threads read it."""
        if self._frozen is None:
            arrays = (
                *self.words.arrays(), self.cls, self.arrow, self.known, self.first, self.fields, self.field_at, self.field_len,
                self.field_word, self.field_mask, self.field_zero, self.zero_mask, self.field_reg, self.field_count,
            )  # fmt: skip
            self._frozen = tuple(a.copy() for a in arrays)
        return self._frozen


class Columns:
    """Room for what scan() reads: ``size`` records, ``slow`` lines that it does not, counts of ``events``."""

    def __init__(self, size: int, slow: int, events: int) -> None:
        self.offset = np.empty(size, dtype=np.int64)
        self.length = np.empty(size, dtype=np.int32)
        self.ts = np.empty(size, dtype=np.int64)
        self.cpu = np.empty(size, dtype=np.int32)
        self.pid = np.empty(size, dtype=np.int32)
        self.event = np.empty(size, dtype=np.int32)
        self.regs = np.empty(size * N_REGS, dtype=np.uint64)
        self.slow = np.empty(slow, dtype=np.int64)
        self.gap = np.empty(slow, dtype=np.uint8)
        self.seen = np.zeros(events, dtype=np.int64)
        self.memory = np.zeros((8, events), dtype=np.int64)

    def clear(self, events: int) -> None:
        """Forget what scan() counted and remembered from line to line, of so many events."""
        self.seen[:events] = 0
        self.memory[:, :events] = 0

    def arrays(self) -> tuple[Any, ...]:
        """What scan() takes, in its order, and how much room there is."""
        return (
            self.offset, self.length, self.ts, self.cpu, self.pid, self.event, self.regs, self.slow, self.gap, self.seen,
            *self.memory, len(self.offset), len(self.slow),
        )  # fmt: skip
