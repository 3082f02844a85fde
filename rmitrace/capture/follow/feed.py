"""Records out of a text that grows: a format's own reader is given what is new, and a little of what was before it.

A record may still change while the lines behind it are to come (a row that goes on, a sample whose registers stand further
down), and a reader may need lines in front to make sense of one. How much of both is the format's ``growth``. A format that
does not say so is read from the beginning each time.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ...formats import registry
from ...formats.base import Data, Format, Growth, ReadOptions, Unreadable
from ..errors import CaptureError
from ..records import COLUMNS, NO_TIME, Finding, Kind, RecordBuilder, Records
from .tail import Tail

STEP = 1 << 25
"""Bytes read at once."""
QUIET_S = 0.3
"""Time after which a text that did not grow is taken as complete so far."""
_ENOUGH_TO_TELL = 1 << 16
"""Bytes after which a format is taken even where it is not sure."""
HEAD = 4096
_PACKED = (b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_MAY_COME_LATE = (Kind.ENTER, Kind.EXIT, Kind.BUFFER, Kind.WRAP_ENTER, Kind.WRAP_EXIT)


def nothing() -> Records:
    """No records."""
    return RecordBuilder().finish()


class Feed:
    """Reads one source as it grows.

    lines, used   lines read, and lines in which records begin
    findings      what the reader had to say, each once
    read_to       byte offset up to which the text is read
    """

    def __init__(self, tail: Tail, options: ReadOptions, wanted: str | None = None) -> None:
        self.tail = tail
        self.options = options
        self._format: Format | None = None
        self._wanted = wanted
        self.lines = self.used = 0
        self.findings: list[Finding] = []
        self.facts: dict[str, Any] = {}
        self.names: dict[str, int] = {}
        self.read_to = 0
        self._known = 0
        self._seen: list[int] = []
        """Offsets of the records in the part that is read again."""
        self._asked = 0
        self._new_at = time.monotonic()
        self._said: set[tuple[str, str]] = set()
        self._end_ns = 0

    @property
    def behind(self) -> bool:
        """Whether there is text that was not read though it could be."""
        return self.format is not None and self.read_to < self._stop()

    @property
    def quiet(self) -> bool:
        """Whether nothing came for a while."""
        return time.monotonic() - self._new_at > QUIET_S

    def grown(self) -> None:
        """Note that there is more to read."""
        self._new_at = time.monotonic()

    def take(self, *, end: bool = False) -> Records:
        """The next records, at most STEP bytes of text further on; those that may still change are kept back, unless this is
        the ``end``.

        Raises CaptureError where the source is in a form that cannot be read.
        """
        end = end or self.tail.ended or self.quiet
        if self.format is None and not self._recognise(end):
            return nothing()
        assert self.format is not None
        data, stop = self.tail.spool.data(), self._stop()
        if stop <= self.read_to:
            return nothing()
        if self._growth is None:
            return self._again(data, end)
        growth = self._growth
        if stop - self.read_to > STEP:
            step = self.read_to + STEP
            stop = data.rfind(b"\n", self.read_to, step) + 1 or data.find(b"\n", step) + 1 or stop
            end = False
        upto = stop if end else _lines_back(data, stop, growth.ahead, self.read_to)
        if upto <= self.read_to:
            return nothing()
        start = _line_start(data, self.read_to - growth.context) if growth.context else self.read_to
        found = self._read(data, start, stop)
        self._note([f for f in found.findings if f.offset < 0 or self.read_to <= f.offset < upto])
        new = (found.offset >= self.read_to) & (found.offset < upto)
        if growth.late and self._seen:
            late = (found.offset < self.read_to) & np.isin(found.kind, _MAY_COME_LATE)
            new |= late & ~np.isin(found.offset, self._seen)
        taken = self._pick(found, np.flatnonzero(new))
        again = _line_start(data, upto - growth.context) if growth.context else upto
        self._seen = [o for o in self._seen if o >= again] + taken.offset[taken.offset >= again].tolist() if growth.late else []
        self._count(data, upto, taken)
        return taken

    def _stop(self) -> int:
        """Where the text that can be read ends: behind the last whole line, or, once nothing will come, at its end."""
        data = self.tail.spool.data()
        if self.tail.ended or (self.format is not None and self._growth is None):
            return len(data)
        return data.rfind(b"\n", self.read_to) + 1 or self.read_to

    def _read(self, data: Data, start: int, stop: int) -> Records:
        assert self.format is not None
        try:
            found = self.format.read(data, start, stop, self.options)
        except Unreadable as e:
            if start or self.lines or not self.tail.ended:
                return nothing()  # the lines that make it readable may be still to come
            raise CaptureError(f"{self.tail.path}: {e}") from None
        if "end_ns" in found.facts:  # times count from the first line read
            found.ts[found.ts != NO_TIME] += self._end_ns
            self._end_ns += int(found.facts["end_ns"])
        for name, value in found.facts.items():
            if isinstance(value, str):
                self.facts.setdefault(name, value)
        return found

    def _note(self, found: list[Finding]) -> None:
        """Keep findings; of those about no place, whose numbers grow with the text, one a rule."""
        for f in found:
            known = (f.rule, "" if f.offset < 0 else f"{f.offset} {f.message}")
            if known not in self._said:
                self._said.add(known)
                self.findings.append(f)

    def _pick(self, found: Records, rows: Any) -> Records:
        """These rows, with their names as numbers of ``names``."""
        ids = np.array([*(self.names.setdefault(n, len(self.names)) for n in found.names), -1], dtype=np.int32)
        columns: dict[str, Any] = {c: getattr(found, c)[rows] for c in (*COLUMNS, "regs")}
        columns["name"] = ids[columns["name"]]
        return Records(**columns, names=list(self.names))

    def _count(self, data: Data, upto: int, taken: Records) -> None:
        at = self.read_to
        self.lines += sum(bytes(data[i : min(i + (1 << 20), upto)]).count(b"\n") for i in range(at, upto, 1 << 20))
        self.lines += upto > at and data[upto - 1 : upto] != b"\n"
        self.used += len(np.unique(taken.offset))
        self.read_to = upto

    def _again(self, data: Data, end: bool) -> Records:
        """All of it once more: the records behind those that are known already."""
        found = self._read(data, 0, len(data))
        upto = len(found)
        while not end and upto and self._may_go_on(found, upto - 1, len(data)):
            upto -= 1
        self.findings = list(found.findings) if end else []
        taken = self._pick(found, np.arange(min(self._known, upto), upto))
        self._known = max(upto, self._known)
        self._count(data, len(data), taken)
        if upto < len(found):
            self.read_to = int(found.offset[upto])
        return taken

    @staticmethod
    def _may_go_on(found: Records, last: int, size: int) -> bool:
        """Whether a record may only not be whole yet."""
        return bool(found.kind[last] == Kind.DAMAGED or found.offset[last] + found.length[last] >= size)

    def recount(self) -> None:
        """At the end: say what a reader says that sees all of a text at once, where that is no long one."""
        data = self.tail.spool.data()
        if self.format is None or self._growth is None or len(data) > STEP:
            return
        found = self._read(data, 0, self.read_to)
        self.findings, self.facts = list(found.findings), dict(found.facts)

    def _recognise(self, end: bool) -> bool:
        """Find the format, asking again whenever there is half as much text again."""
        data = self.tail.spool.data()
        head = bytes(data[:HEAD])
        stop = len(data) if self.tail.ended or b"\0" in head else data.rfind(b"\n") + 1
        if not stop or (stop <= self._asked * 3 // 2 and not end) or stop == self._asked:
            return False
        self._asked = stop
        if head.startswith(_PACKED):
            raise CaptureError(f"{self.tail.path}: is compressed, and what is compressed cannot be followed")
        if self._wanted is not None:
            self.format = registry.by_name(self._wanted)
            return True
        found = registry.scores(bytes(data[:stop]) if stop < min(len(data), registry.HEAD) else data)
        if not found or found[0][0] < registry.ENOUGH:
            return False
        if found[0][0] < registry.SURE and stop < _ENOUGH_TO_TELL and not end:
            self._asked = 0
            return False
        self.format = found[0][1]
        return True

    @property
    def format(self) -> Format | None:
        """The format, None as long as it is not recognised. Setting one that cannot be followed raises CaptureError."""
        return self._format

    @format.setter
    def format(self, format: Format) -> None:
        why = getattr(format, "closed", None)
        if why is not None:
            raise CaptureError(f"{self.tail.path}: {why}")
        self._format = format
        text = b"\0" not in bytes(self.tail.spool.data()[:HEAD])
        self._growth: Growth | None = getattr(format, "growth", None) if text else None


def _line_start(data: Data, at: int) -> int:
    """Where the line of an offset begins."""
    return data.rfind(b"\n", 0, at) + 1 if at > 0 else 0


def _lines_back(data: Data, stop: int, lines: int, least: int) -> int:
    """Where the line begins that is so many lines before ``stop``."""
    for _ in range(lines):
        if stop <= least:
            break
        stop = data.rfind(b"\n", least, stop - 1) + 1 or least
    return max(stop, least)
