"""The names of the tasks of many calls. In a text the name stands at the beginning of a record, in front of the pid: records that
begin alike up to there are of one task, and one of them is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from ..formats.base import HEAD, NO_TASK, PID
from ..formats.kernels import cores, in_order
from .packed import Column

if TYPE_CHECKING:
    from .model import Capture

Ints = npt.NDArray[np.int64]

_WORD = 8
_LONGEST = 96
"""Bytes up to the end of the pid that are compared."""
_BEGINNINGS = 32
"""Beginnings of records of one pid that are kept; where there are more, records are read one by one."""


MOST = 1 << 16
"""Names up to which the name of every call is kept."""
_AT_ONCE = 1 << 16
"""Calls that are looked up together where all are."""


class Tasks:
    """Looks up names of tasks; from several threads, too."""

    numbers: Column | None = None
    """For each call the number of its task's name, where that was worked out of all."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._names: dict[str | None, int] = {}
        self._lock = Lock()
        self._begin: dict[tuple[int, int], list[tuple[bytes, int]]] = {}
        """By source and pid: how records begin, and the number of the task's name."""

    @classmethod
    def known(cls, capture: Capture, names: list[str | None], numbers: Column) -> Self:
        """Those of all calls, as they were worked out before."""
        out = cls(capture)
        out._names = {name: i for i, name in enumerate(names)}
        out.numbers = numbers
        return out

    def settle(self) -> None:
        """Work them out of all calls, where they do not have too many names."""
        if self.numbers is not None:
            return
        out, count = Column(np.int32), len(self._capture.calls)
        parts = ((at, min(at + _AT_ONCE, count)) for at in range(0, count, _AT_ONCE))
        with closing(in_order(self.of, parts, cores() if count > _AT_ONCE else 1)) as looked:
            for _, _, numbers in looked:
                out.append(numbers)
                if len(self._names) > MOST:
                    return
        self.numbers = out

    @property
    def names(self) -> list[str | None]:
        """The names found so far."""
        return list(self._names)

    def of(self, start: int, stop: int) -> Any:
        """For each call from one to in front of another the number of its task's name in ``names``."""
        if self.numbers is not None:
            return self.numbers[start:stop]
        calls = self._capture.calls
        enter = calls.enter[start:stop]
        record = np.where(enter >= 0, enter, calls.exit[start:stop])
        return self.of_records(calls.source[start:stop], record)

    def of_calls(self, calls: Ints) -> Any:
        """The same of some calls, by their numbers."""
        if self.numbers is not None:
            return self.numbers[calls]
        columns = self._capture.calls
        enter = columns.enter[calls]
        return self.of_records(columns.source[calls], np.where(enter >= 0, enter, columns.exit[calls]))

    def of_records(self, source: Any, record: Ints) -> Any:
        """The same of records of calls, by their sources and numbers."""
        out = np.zeros(len(record), dtype=np.int32)
        for s in np.unique(source).tolist():
            mine = np.flatnonzero(source == s)
            out[mine] = self._of_records(s, record[mine])
        return out

    def _number(self, name: str | None) -> int:
        with self._lock:
            return self._names.setdefault(name, len(self._names))

    def _read(self, source: int, record: int) -> str | None:
        return self._capture.detail(source, record, False).task

    def _each(self, source: int, records: Ints) -> list[int]:
        return [self._number(self._read(source, r)) for r in records.tolist()]

    def _of_records(self, source: int, records: Ints) -> Any:
        by = getattr(self._capture.sources[source].reader, "task_by", None)
        if by == NO_TASK:
            return self._number(None)
        if by not in (HEAD, PID):
            return self._each(source, records)
        out = np.zeros(len(records), dtype=np.int32)
        pids = self._capture.sources[source].records.pid[records]
        for pid, rows in _groups(pids):
            known = self._begin.setdefault((source, pid), [])
            if by == HEAD and pid >= 0:
                out[rows] = self._of_pid(source, pid, records[rows], known)
            elif by == PID:
                known[:] = known or [(b"", self._number(self._read(source, int(records[rows[0]]))))]
                out[rows] = known[0][1]
            else:
                out[rows] = self._each(source, records[rows])
        return out

    def _of_pid(self, source: int, pid: int, records: Ints, known: list[tuple[bytes, int]]) -> Any:
        """The same of records of one pid."""
        out = np.zeros(len(records), dtype=np.int32)
        left = np.arange(len(records))
        beginnings = _Beginnings(self._capture.sources[source], records)
        at = 0
        while len(left):
            if at == len(known):
                begin = b"" if at >= _BEGINNINGS else self._beginning(source, pid, int(records[left[0]]))
                if not begin:
                    out[left] = self._each(source, records[left])
                    break
                known.append((begin, self._number(self._read(source, int(records[left[0]])))))
            begin, name = known[at]
            alike = beginnings.are(begin, left)
            out[left[alike]] = name
            left = left[~alike]
            at += 1
        return out

    def _beginning(self, source: int, pid: int, record: int) -> bytes:
        """A record up to the byte behind its pid; empty where the task does not stand in front of that."""
        src = self._capture.sources[source]
        raw = src.raw(int(src.records.offset[record]), min(int(src.records.length[record]), _LONGEST))
        name = (self._read(source, record) or "").encode("utf-8", "surrogateescape")
        start = raw.find(name)
        digits = str(pid).encode()
        end = raw.find(digits, start + len(name)) + len(digits) if start >= 0 and name else 0
        return raw[: end + 1] if _WORD <= end < len(raw) and not raw[end : end + 1].isdigit() else b""


class _Beginnings:
    """How some records of a source begin."""

    def __init__(self, source: Any, records: Ints) -> None:
        self._offset, self._length = source.records.offset[records], source.records.length[records]
        bytes_ = np.frombuffer(source.data, dtype=np.uint8)
        self._words = np.ndarray((max(len(bytes_) - _WORD + 1, 0),), dtype="<u8", buffer=bytes_, strides=(1,))
        """The eight bytes from each byte on."""

    def are(self, begin: bytes, which: Ints) -> Any:
        """Which of some of them begin in a way."""
        out = self._length[which] >= len(begin)
        for at in [*range(0, len(begin) - _WORD, _WORD), len(begin) - _WORD]:
            word = int.from_bytes(begin[at : at + _WORD], "little")
            out[out] = self._words[self._offset[which[out]] + at] == np.uint64(word)
        return out


def _groups(pids: Any) -> Iterator[tuple[int, Ints]]:
    """Each pid, and where it stands."""
    if bool((pids == pids[0]).all()):
        yield int(pids[0]), np.arange(len(pids))
        return
    order = np.argsort(pids, kind="stable")
    cuts = np.flatnonzero(np.diff(pids[order])) + 1
    for a, b in pairwise([0, *cuts.tolist(), len(pids)]):
        yield int(pids[order[a]]), order[a:b]
