"""The way through a console log: rows that stand alone go straight to the columns, what is between them to the reader.

A log of a debug build is dense with rows, a shared UART is nearly free of them, and both can be long: neither pays for
the care that a torn row needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from .base import Data, ReadOptions
from .rmm_console_columns import Columns
from .rmm_console_lines import MAX_LINE
from .rmm_console_marks import lines_of_interest
from .rmm_console_names import fid_of
from .rmm_console_reader import SPILL, Reader
from .rmm_console_rows import Row, put_answer

CHUNK = 4 << 20
_CLEAN = re.compile(
    rb"SMC_(?:(?<=\nSMC_)|(?<=\n      SMC_))(RM[IM]|RSI)_([A-Z](?:(?!SMC_)[A-Z0-9_]){0,47}) ([0-9a-f ]*)"
    rb"> (?:(R[MS]I_[A-Z_]{2,32})|([0-9a-f]{1,16}))([0-9a-f ]*)\r?\n(?=SMC_|      SMC_|PSCI_)"
)
"""A whole row alone on its line, and another row below it: nothing can belong to it but what it holds."""
_MAX_REGS = 18


def scan(data: Data, start: int, end: int, reader: Reader, columns: Columns, options: ReadOptions) -> None:
    """Read the lines between two offsets into ``columns``; the caller finishes the reader. A big file is never copied whole."""
    for chunk, base in _chunks(data, start, end, reader):
        at = 0
        for m in _CLEAN.finditer(chunk):
            begin = m.start() - 6 * (chunk[m.start() - 1] == 0x20)
            if at < begin:
                _between(chunk, at, begin, base, reader)
            if reader.idle and _straight(m, base + begin, base + m.end(6), columns):
                reader.passed_row()
            else:
                reader.feed(chunk[begin : m.end()], base + begin)
            at = m.end()
            if len(reader.items) > SPILL:
                columns.add(reader.spill())
        _between(chunk, at, len(chunk), base, reader)
        columns.add(reader.spill())
        if options.progress is not None:
            options.progress(base + len(chunk) - start)


def _chunks(data: Data, start: int, end: int, reader: Reader) -> Iterator[tuple[bytes, int]]:
    """Pieces that end at line ends, each with its offset; of a line longer than a piece only the beginning."""
    pos = start
    while pos < end:
        stop = min(pos + CHUNK, end)
        cut = data.rfind(b"\n", pos, stop) + 1 if stop < end else stop
        if cut > pos:
            yield bytes(data[pos:cut]), pos
            pos = cut
            continue
        nxt = data.find(b"\n", stop, end) + 1 or end
        reader.feed(bytes(data[pos : pos + MAX_LINE]), pos, nxt - pos)
        pos = nxt


def _straight(m: re.Match[bytes], start: int, end: int, columns: Columns) -> bool:
    """The row of a match of _CLEAN as two records; False where it needs a second look."""
    service, name, args, word, number, outs = m.groups()
    known = _result(service, name, word)
    if known is None or (outs and outs[:1] != b" "):
        return False
    row_name, fid, code, indexed = known
    x = [fid, *[int(v, 16) for v in args.split()]]
    r = [code, *[int(v, 16) for v in outs.split()]]
    if number is not None:
        r[0] = int(number, 16)
    elif indexed and len(r) > 1:
        r[0] |= r.pop(1) << 8
    if max(len(x), len(r)) > _MAX_REGS or max(x) >> 64 or max(r) >> 64:
        return False
    columns.put(start, end - start, row_name, x, r)
    return True


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


def _between(chunk: bytes, begin: int, end: int, base: int, reader: Reader) -> None:
    """Lines that are no plain rows: those of interest, and whatever follows a row that may go on; the others are counted."""
    part = chunk[begin:end]
    base += begin
    at = 0
    for interest in (*lines_of_interest(part), len(part)):
        while reader.waiting and at < interest:
            at = _feed(part, at, base, reader)
        if at <= interest < len(part):
            reader.lines += part.count(b"\n", at, interest)
            at = _feed(part, interest, base, reader)
    if at < len(part):
        reader.lines += part.count(b"\n", at) + (not part.endswith(b"\n"))


def _feed(part: bytes, at: int, base: int, reader: Reader) -> int:
    end = part.find(b"\n", at) + 1 or len(part)
    reader.feed(part[at:end], base + at)
    return end
