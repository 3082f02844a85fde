"""What the versions of trace.dat have in common: numbers and strings in a row, the texts, the places of ring buffers."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import NamedTuple

from .base import Data
from .trace_dat_options import Options
from .trace_dat_unpack import Budget, Chunk, Unpacked

MAX_CPUS = 1 << 14
MAX_OPTIONS = 1 << 16


PAGE_SIZES = range(512, (4 << 20) + 1)
"""Bytes that a page of a ring buffer may have (buffer_subbuf_size_kb makes them larger than those of memory)."""


class Short(Exception):
    """The bytes end before what is being read does."""


class Cursor:
    """Reads little-endian numbers and strings one after the other. Raises Short at the end."""

    def __init__(self, data: Data, at: int, end: int) -> None:
        self.data, self.at, self.end = data, at, end

    def skip(self, size: int) -> int:
        """Go over so many bytes; returns where they began."""
        at = self.at
        if size > self.end - at:
            raise Short
        self.at = at + size
        return at

    def take(self, size: int) -> bytes:
        """The next bytes."""
        at = self.skip(size)
        return bytes(self.data[at : at + size])

    def number(self, size: int) -> int:
        """The next unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def string(self, limit: int = 256) -> bytes:
        """The bytes up to a NUL, which is gone over too."""
        end = self.data.find(b"\0", self.at, min(self.end, self.at + limit))
        if end < 0:
            raise Short
        text = bytes(self.data[self.at : end])
        self.at = end + 1
        return text


class Problem(NamedTuple):
    """What could not be read: byte offset in the file, bytes (0 unknown), and a reason without text of the capture."""

    offset: int
    length: int
    reason: str


@dataclass(slots=True)
class Area:
    """The ring-buffer pages of one CPU (-1 unknown): a range of the file, or chunks of TraceFile.unpacked."""

    cpu: int
    offset: int
    size: int
    chunks: list[Chunk] = field(default_factory=list)


@dataclass(slots=True)
class Ring:
    """The buffers of one tracing instance; the top one has no name. ``page_size`` in bytes."""

    name: str
    clock: str
    page_size: int
    areas: list[Area] = field(default_factory=list)


@dataclass(slots=True)
class TraceFile:
    """What is in a trace.dat.

    page_size    of the traced machine, bytes
    header_page  the text of events/header_page
    formats      pieces that hold the text of event formats
    kallsyms, printk, cmdlines   the tracefs texts
    latency      there is a buffer kept as text
    unpacked     the file with its compressed trace data behind it
    """

    version: int
    page_size: int
    compression: str
    unpacked: Unpacked
    header_page: bytes = b""
    formats: list[bytes] = field(default_factory=list)
    kallsyms: bytes = b""
    printk: bytes = b""
    cmdlines: bytes = b""
    rings: list[Ring] = field(default_factory=list)
    options: Options = field(default_factory=Options)
    latency: bool = False
    problems: list[Problem] = field(default_factory=list)


class Parts:
    """Reads the parts of one file into ``file``; what is damaged goes to its problems."""

    def __init__(self, data: Data, start: int, end: int, file: TraceFile) -> None:
        self.data, self.start, self.end, self.file = data, start, end, file
        self.budget = Budget(end - start)
        self.taken: list[tuple[int, int]] = []

    def read(self, c: Cursor) -> None:
        """Read everything behind the header. Raises Short, or Unreadable."""
        raise NotImplementedError

    def problem(self, offset: int, length: int, reason: str) -> None:
        """Tell of a place that cannot be read (the first thousand of them)."""
        if len(self.file.problems) < 1000:
            self.file.problems.append(Problem(offset, max(0, min(length, (1 << 31) - 1)), reason))

    def count_taken(self, offset: int, size: int) -> bool:
        """Whether a range of the file is not yet part of another area."""
        i = bisect_left(self.taken, (offset, 0))
        if (i and self.taken[i - 1][1] > offset) or (i < len(self.taken) and self.taken[i][0] < offset + size):
            return False
        self.taken.insert(i, (offset, offset + size))
        return True

    # texts, the same in both versions

    def headers(self, c: Cursor) -> None:
        """Take header_page and header_event."""
        if c.take(12) != b"header_page\0":
            raise Short
        self.file.header_page = c.take(c.number(8))
        if c.take(13) != b"header_event\0":
            raise Short
        c.skip(c.number(8))

    def ftrace(self, c: Cursor) -> None:
        """Take the formats of the tracer's own events."""
        for _ in range(c.number(4)):
            self.file.formats.append(c.take(c.number(8)))

    def events(self, c: Cursor) -> None:
        """Take the formats of every other event, group by group."""
        for _ in range(c.number(4)):
            c.string()
            for _ in range(c.number(4)):
                self.file.formats.append(c.take(c.number(8)))

    def kallsyms(self, c: Cursor) -> None:
        """Take /proc/kallsyms."""
        self.file.kallsyms = self.text(c, 4)

    def printk(self, c: Cursor) -> None:
        """Take printk_formats."""
        self.file.printk = self.text(c, 4)

    def cmdlines(self, c: Cursor) -> None:
        """Take saved_cmdlines."""
        self.file.cmdlines = self.text(c, 8)

    def text(self, c: Cursor, size: int) -> bytes:
        """A text behind its length of so many bytes."""
        length = c.number(size)
        text = c.take(min(length, c.end - c.at))  # of a text that is cut off, what there is
        if len(text) < length:
            self.problem(min(c.at, self.end), 0, "a text is cut off")
        return text

    def plain(self, ring: Ring, cpu: int, offset: int, size: int) -> None:
        """An area that is not compressed, as far as it is in the file."""
        if not size:
            return
        here = max(0, min(size, self.end - self.start - offset))
        if here < size:
            self.problem(min(self.start + offset, self.end), here, "the file ends before the trace data of a CPU does")
        if here and not self.count_taken(offset, here):
            self.problem(self.start + offset, here, "trace data of two CPUs in one place")
        elif here:
            ring.areas.append(Area(cpu, self.start + offset, here))
