"""What the kernel over RMM consoles is given and what it fills: names and statuses met so far, and room for records."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from ..capture.records import N_REGS, NO_TIME, Records
from .kernel_words import Words, automaton
from .rmm_console_kernel import TOKEN
from .rmm_console_marks import CONTEXT, STRONG, WEAK
from .rmm_console_names import arg_counts, fid_of, most_outputs, status_number
from .rmm_console_reader import MOST_REPEATED
from .rmm_console_steps import MOST, TEXTS

_NAMES, _STATUSES = 4096, 256
_NAME = re.compile(rb"SMC_(RM[IM]|RSI)_([A-Z](?:(?!SMC_)[A-Z0-9_]){0,47})")
_STATUS = re.compile(rb"R[MS]I_[A-Z_]{2,32}")
_LINE = re.compile(rb"(?: {6})?([\x21-\xff]{1,%d})(?: +[0-9a-f ]*> (R[\x21-\xff]{0,%d}))?" % (TOKEN, TOKEN - 1))
_INCOMPLETE, _ANSWERED, _REFUSED = 0, 1, 2


class Table:
    """Grows with the names and statuses that a log has. ``name_id`` numbers the names of records."""

    def __init__(self, name_id: Callable[[str], int]) -> None:
        self.name_id = name_id
        self.names, self.statuses = Words(_NAMES), Words(_STATUSES)
        self.name = np.full(_NAMES, -1, dtype=np.int32)
        self.fid = np.zeros(_NAMES, dtype=np.uint64)
        self.most = np.zeros(_NAMES, dtype=np.int64)
        self.args = np.zeros(_NAMES, dtype=np.int64)
        self.code = np.zeros(_STATUSES, dtype=np.uint64)
        self.kind = np.full(_STATUSES, -1, dtype=np.int8)
        self.index = np.zeros(_STATUSES, dtype=np.uint8)
        self.lines = Words(MOST_REPEATED)
        self.mark = np.full(MOST_REPEATED, -1, dtype=np.int32)
        self.spdm = name_id("spdm")
        self.triggers = automaton(STRONG, WEAK, CONTEXT)
        self.texts = np.frombuffer(b"".join(TEXTS), dtype=np.uint8)
        self.texts_at = np.cumsum([0, *map(len, TEXTS)]).astype(np.int64)

    def learn(self, line: bytes) -> None:
        """Take the name and the status of a row's line into the tables, whatever they are."""
        m = _LINE.match(line)
        if m is None:
            return
        self._name(m[1])
        if m[2] is not None:
            self._status(m[2])

    def know(self, lines: dict[bytes, str]) -> bool:
        """Take lines of which it is known what mark each is ('' none), but for those taken before; whether there are some."""
        before = len(self.lines.index)
        for line, mark in islice(lines.items(), before, MOST_REPEATED):
            at = self.lines.add(line)
            if mark:
                self.mark[at] = self.name_id(mark)
        return len(self.lines.index) > before

    def _name(self, text: bytes) -> None:
        if text in self.names.index or (at := self.names.add(text)) < 0:
            return
        m = _NAME.fullmatch(text)
        row = ("RSI_" if m[1] == b"RSI" else "RMI_") + m[2].decode("ascii") if m is not None else ""
        fid = fid_of(row) if row else None
        if fid is not None:
            most = most_outputs(row)
            counts = arg_counts(row)  # more than a command has are enough, too
            self.args[at] = sum(1 << n for n in range(MOST + 1) if n in counts or n > max(counts, default=0))
            self.name[at], self.fid[at], self.most[at] = self.name_id(row), fid, -1 - most if row == "RMI_REC_ENTER" else most

    def _status(self, text: bytes) -> None:
        if text in self.statuses.index or (at := self.statuses.add(text)) < 0:
            return
        word = text.decode("ascii", "replace").rstrip("_")
        code = status_number(word) if _STATUS.fullmatch(text) else None
        if code is not None:
            self.code[at], self.index[at] = code, {"RMI_ERROR_RTT": 1, "RMI_ERROR_REALM": 2}.get(word, 0)
            answered = word in ("RMI_SUCCESS", "RMI_ERROR_RTT")
            self.kind[at] = _INCOMPLETE if word == "RMI_INCOMPLETE" else _ANSWERED if answered else _REFUSED

    def arrays(self) -> tuple[Any, ...]:
        """What scan() takes, in its order: a copy, which stays as it is while other threads read it."""
        tables = (
            *self.names.arrays(),
            self.name,
            self.fid,
            self.most,
            self.args,
            *self.statuses.arrays(),
            self.code,
            self.kind,
            self.index,
            *self.lines.arrays(),
            self.mark,
        )
        full = len(self.names.index) == _NAMES or len(self.statuses.index) == _STATUSES
        return self.triggers, self.texts, self.texts_at, *(a.copy() for a in tables), self.spdm, int(full)


class Room:
    """Room for what scan() reads: ``size`` records, ``slow`` lines that it gives back."""

    def __init__(self, size: int, slow: int) -> None:
        self.offset = np.empty(size, dtype=np.int64)
        self.length = np.empty(size, dtype=np.int32)
        self.kind = np.empty(size, dtype=np.uint8)
        self.name = np.empty(size, dtype=np.int32)
        self.known = np.empty(size, dtype=np.uint32)
        self.regs = np.empty(size * N_REGS, dtype=np.uint64)
        self.slow = np.empty(slow, dtype=np.int64)

    def arrays(self) -> tuple[Any, ...]:
        """What scan() takes, in its order, and how much room there is."""
        room = len(self.offset), len(self.slow)
        return self.offset, self.length, self.kind, self.name, self.known, self.regs, self.slow, *room

    def records(self, n: int) -> Records:
        """The first records, views of the room. They have no time, CPU or task."""
        none = np.broadcast_to(np.int32(-1), n)
        return Records(
            self.offset[:n], self.length[:n], np.broadcast_to(np.int64(NO_TIME), n), none, none,
            self.kind[:n], self.name[:n], self.known[:n], self.regs[: n * N_REGS].reshape(n, N_REGS),
        )  # fmt: skip
