"""The way through a console log: rows that stand alone go straight to the columns, what is between them to the reader.

A log of a debug build is dense with rows, a shared UART is nearly free of them, and both can be long: neither pays for
the care that a torn row needs. Where to look is found piece by piece: by a kernel in big logs, by regular expressions in
others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..capture.records import N_REGS, Kind, Records
from . import kernels, rmm_console_kernel
from .base import Data, ReadOptions
from .kernel_steps import SLACK
from .rmm_console_columns import Columns
from .rmm_console_kernel import LONG_LINE, NEW_WORD
from .rmm_console_lines import MAX_LINE
from .rmm_console_marks import lines_of_interest
from .rmm_console_names import fid_of
from .rmm_console_reader import SPILL, Reader
from .rmm_console_rows import Row, put_answer
from .rmm_console_table import Room, Table

MANY = 16 << 20
"""Bytes from which several cores are used."""
_SHORTEST, _SHORTEST_SLOW = 32, 64
"""Bytes a record and a line given back for which there is room; of shorter ones a piece takes several turns."""
_CLEAN = re.compile(
    rb"SMC_(?:(?<=\nSMC_)|(?<=\n      SMC_))(RM[IM]|RSI)_([A-Z](?:(?!SMC_)[A-Z0-9_]){0,47}) ([0-9a-f ]*)"
    rb"> (?:(R[MS]I_[A-Z_]{2,32})|([0-9a-f]{1,16}))([0-9a-f ]*)\r?\n(?=SMC_|      SMC_|PSCI_)"
)
"""A whole row alone on its line, and another row below it: nothing can belong to it but what it holds."""
_MAX_REGS = 18


class Found(NamedTuple):
    """What is in a piece of a log.

    at       offset behind it
    lines    lines in it
    slow     offsets of the lines that the reader has to see, in order
    records  rows and marks of other lines, in order
    """

    at: int
    lines: int
    slow: list[int]
    records: Records


def scan(
    data: Data, start: int, end: int, reader: Reader, columns: Columns, options: ReadOptions,
    kernel: Callable[..., Any] | None = None, threads: int | None = None,
) -> None:  # fmt: skip
    """Read the lines between two offsets into ``columns``; the caller finishes the reader. A big file is never copied whole.

    kernel, threads  a form of rmm_console_kernel.scan, in how many threads; by size where None
    """
    size = end - start
    if kernel is None and rmm_console_kernel.repaid(size):
        kernel = rmm_console_kernel.compiled()
    merge = Merge(data, start, end, reader, columns)
    if kernel is None:
        found: Iterator[Found] = (_plain(data, a, b, columns.name_id) for a, b in kernels.pieces(data, start, end))
    else:
        threads = threads or (kernels.cores() if size >= MANY else 1)
        found = _scanned(data, start, end, reader, Table(columns.name_id), kernel, threads)
    for part in found:
        merge.take(part)
        if options.progress is not None:
            options.progress(part.at - start)
    merge.finish()


class Merge:
    """Puts together what was found piece by piece and what the reader makes of the lines that were left to it."""

    def __init__(self, data: Data, start: int, end: int, reader: Reader, columns: Columns) -> None:
        self.data, self.start, self.end, self.reader, self.columns = data, start, end, reader, columns
        self.at = start
        self.lines = 0
        self._places = np.zeros(0, dtype=np.int64)
        self._kinds = np.zeros(0, dtype=np.uint8)
        """Where each find of the piece is, and what."""
        self._gone: list[tuple[int, int]] = []

    def take(self, found: Found) -> None:
        """The next piece."""
        records = found.records
        heads = np.flatnonzero(records.kind != Kind.WHOLE_OUT)
        self._places, self._kinds, self._gone = records.offset[heads], records.kind[heads], []
        before = np.searchsorted(self._places, np.array(found.slow, dtype=np.int64)).tolist()
        reader = self.reader
        done = self._while_waiting(found.at, 0) if reader.waiting else 0
        for slow, first in zip(found.slow, before, strict=True):
            if slow >= self.at:
                done = self._pass(first, done)
                self.at = self._feed(slow)
                if reader.waiting:
                    done = self._while_waiting(found.at, done)
        self._pass(len(self._places), done)
        self.at = found.at
        self.lines += found.lines
        if self._gone:
            keep = np.ones(len(records), dtype=bool)
            bounds = np.append(heads, len(records))
            for first, last in self._gone:
                keep[bounds[first] : bounds[last]] = False
            records.take(keep)
        self.columns.add(self.reader.spill())
        self.columns.put(records)

    def _pass(self, first: int, done: int) -> int:
        """Accept the finds before one; the first ``done`` were dealt with. Returns how many are then."""
        if first > done:
            self.reader.passed(first - done)
        return max(first, done)

    def _while_waiting(self, end: int, done: int) -> int:
        """Give lines to the reader as long as it waits for the rest of something: what was found in them is none."""
        first, places, count = done, self._places, len(self._places)
        while done < count and places[done] < self.at:
            done += 1
        while self.reader.waiting and self.at < end:
            if done < count and places[done] == self.at and self._kinds[done] == Kind.WHOLE_IN and self.reader.idle:
                break
            self.at = self._feed(self.at)
            while done < count and places[done] < self.at:
                done += 1
        if done > first:
            self._gone.append((first, done))
        return done

    def _feed(self, at: int) -> int:
        stop = self.data.find(b"\n", at, self.end) + 1 or self.end
        self.reader.feed(bytes(self.data[at : min(stop, at + MAX_LINE)]), at, stop - at)
        if len(self.reader.items) > SPILL:
            self.columns.add(self.reader.spill())
        return stop

    def finish(self) -> None:
        """The lines behind the last piece, which are few."""
        while self.at < self.end:
            self.at = self._feed(self.at)
            self.lines += 1
        self.reader.lines = self.lines
        self.columns.add(self.reader.spill())


def _scanned(
    data: Data, start: int, end: int, reader: Reader, table: Table, kernel: Callable[..., Any], threads: int
) -> Iterator[Found]:
    """The pieces as a kernel sees them; it learns what lines the reader met again."""
    buf: Any = data if kernel is rmm_console_kernel.scan else np.frombuffer(data, dtype=np.uint8)
    known = table.arrays()
    free: list[Room] = []
    size = max(kernels.PIECE, 4 * _SHORTEST_SLOW)

    def one(at: int, stop: int) -> tuple[Room, tuple[int, int, int, int, int]]:
        room = free.pop() if free else Room(size // _SHORTEST, size // _SHORTEST_SLOW)
        return room, kernel(buf, at, stop, *known, *room.arrays())

    last = kernels.line_start(data, start, max(end - SLACK, start))  # the kernel looks at bytes behind the end it is given
    for at, stop, (room, result) in kernels.in_order(one, kernels.pieces(data, start, last), threads):
        while True:
            at, n, slow, lines, status = (int(r) for r in result)
            left = room.slow[:slow].tolist()
            if status == NEW_WORD:
                table.learn(bytes(data[left[-1] : left[-1] + 1024]).partition(b"\n")[0])
                known = table.arrays()
            yield Found(at, lines, left, room.records(n))
            free.append(room)
            if table.know(reader.repeated):
                known = table.arrays()
            if at >= stop:
                break
            room, result = one(at, stop)


def _plain(data: Data, start: int, end: int, name_id: Callable[[str], int]) -> Found:
    """A piece as regular expressions see it."""
    chunk = bytes(data[start:end])
    rows: list[tuple[int, int, int, list[int], list[int]]] = []
    slow: list[int] = []
    at = 0
    for m in _CLEAN.finditer(chunk):
        begin = m.start() - 6 * (chunk[m.start() - 1] == 0x20)
        slow += lines_of_interest(chunk, at, begin)
        row = _straight(m)
        if row is None:
            slow.append(begin)
        else:
            rows.append((start + begin, m.end(6) - begin, name_id(row[0]), row[1], row[2]))
        at = m.end()
    slow += lines_of_interest(chunk, at, len(chunk))
    if len(chunk) > LONG_LINE and (long := kernels.line_start(chunk, 0, len(chunk) - 1)) not in slow[-1:]:
        slow.append(long)
    lines = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
    return Found(end, lines, [start + s for s in slow], _records(rows))


def _records(rows: list[tuple[int, int, int, list[int], list[int]]]) -> Records:
    """Two records a row, from (offset, length, name, registers in, registers out)."""
    room = Room(2 * len(rows), 0)
    room.regs[:] = 0
    regs = room.regs.reshape(-1, N_REGS)
    for i, (offset, length, name, *both) in enumerate(rows):
        for k, values in enumerate(both):
            r = 2 * i + k
            room.offset[r], room.length[r], room.name[r] = offset, length, name
            room.kind[r], room.known[r] = Kind.WHOLE_IN + k, (1 << len(values)) - 1
            regs[r, : len(values)] = values[:N_REGS]
    return room.records(2 * len(rows))


def _straight(m: re.Match[bytes]) -> tuple[str, list[int], list[int]] | None:
    """(name, x0.. in, x0.. out) of the row of a match of _CLEAN; None where it needs a second look."""
    service, name, args, word, number, outs = m.groups()
    known = _result(service, name, word)
    if known is None or (outs and outs[:1] != b" "):
        return None
    row_name, fid, code, indexed = known
    x = [fid, *[int(v, 16) for v in args.split()]]
    r = [code, *[int(v, 16) for v in outs.split()]]
    if number is not None:
        r[0] = int(number, 16)
    elif indexed and len(r) > 1:
        r[0] |= r.pop(1) << 8
    if max(len(x), len(r)) > _MAX_REGS or max(x) >> 64 or max(r) >> 64:
        return None
    return row_name, x, r


@lru_cache(maxsize=4096)
def _result(service: bytes, name: bytes, word: bytes | None) -> tuple[str, int, int, bool] | None:
    """Row name, function id, number of the status, and whether an index follows it; None for unknown names and statuses."""
    row = Row(("RSI_" if service == b"RSI" else "RMI_") + name.decode("ascii"))
    fid = fid_of(row.name)
    if fid is None:
        return None
    if word is None:
        return row.name, fid, 0, False
    put_answer(row, word, None, [1])
    return None if row.x0 is None else (row.name, fid, row.x0 & 0xFF, row.index is not None)
