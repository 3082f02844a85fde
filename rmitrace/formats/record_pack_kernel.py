"""Packing of records as a kernel: a piece of each of their columns in one call, as .record_pack lays them down."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..capture.encoding_kernel import PIECE, load, piece
from .kernel_steps import word4

COLUMNS = 16
"""Columns of a record: offset, length, ts, cpu, pid, kind, name, known, x0 to x7."""
REGS = 8
"""The first of them that is a register."""
_SIGN4 = np.uint64(1 << 31)


def small(table: Any, event: Any, at: Any, count: Any, wide: Any, to: Any) -> None:
    """Put the byte that a table has for the event of each record into ``wide``."""
    for i in range(count):
        wide[to + i] = np.uint64(table[event[at + i]])


def wider(table: Any, sign: Any, event: Any, at: Any, count: Any, wide: Any, to: Any) -> None:
    """The same of numbers of four bytes; ``sign``: the bit that is one, or 0."""
    for i in range(count):
        wide[to + i] = (word4(table, 4 * event[at + i]) ^ sign) - sign


def column(
    c: Any, offset: Any, length: Any, ts: Any, cpu: Any, pid: Any, event: Any, kind: Any, name: Any, known: Any, regs: Any,
    row: Any, step: Any, by_event: Any, at: Any, count: Any, wide: Any, to: Any,
) -> None:  # fmt: skip
    """Put the values of a column of some records into ``wide``, see take."""
    if c >= REGS:
        load(regs, 8 * (at * row + (c - REGS) * step), 8 * row, 8, 0, count, wide, to)
    elif c == 0:
        load(offset, 8 * at, 8, 8, 1, count, wide, to)
    elif c == 1:
        load(length, 4 * at, 4, 4, 1, count, wide, to)
    elif c == 2:
        load(ts, 8 * at, 8, 8, 1, count, wide, to)
    elif c == 3:
        load(cpu, 4 * at, 4, 4, 1, count, wide, to)
    elif c == 4:
        load(pid, 4 * at, 4, 4, 1, count, wide, to)
    elif not by_event:
        load(kind if c == 5 else name if c == 6 else known, at if c == 5 else 4 * at, 1 if c == 5 else 4, 1 if c == 5 else 4,
             1 if c == 6 else 0, count, wide, to)  # fmt: skip
    elif c == 5:
        small(kind, event, at, count, wide, to)
    elif c == 6:
        wider(name, _SIGN4, event, at, count, wide, to)
    else:
        wider(known, np.uint64(0), event, at, count, wide, to)


def take(
    have: Any, rest: Any, offset: Any, length: Any, ts: Any, cpu: Any, pid: Any, event: Any, kind: Any, name: Any, known: Any,
    regs: Any, row: Any, step: Any, by_event: Any, at: Any, count: Any, full: Any, wide: Any, codes: Any, many: Any, some: Any,
    apart: Any, out: Any, sizes: Any,
) -> Any:  # fmt: skip
    """Take records, from number ``at`` on, as far as there are ``count`` of them: where they fill up a piece of ``full``, write
    that; where they do not, put them behind those that wait. Returns how many were taken, fewer than ``count`` only where there
    is a piece; of ``count`` and a piece, too, none waits.

    have        records that wait, in ``rest``: there is room for ``full`` numbers of each column behind those of the one before
    offset ..   the records, as bytes; kind, name and known by the number in ``event`` where ``by_event``, else of each record
    row, step   how far registers stand from those of the next record, and from the next register
    wide        room for ``full`` uint64
    codes ..    see encoding_kernel.pack; out: room for a piece of each column; sizes: takes how many bytes each has
    """
    used, end = min(count, full - have), 0
    for c in range(COLUMNS):
        column(c, offset, length, ts, cpu, pid, event, kind, name, known, regs, row, step, by_event, at, used, wide, have)
        if have + count < full:
            for i in range(have, have + used):
                rest[c * full + i] = wide[i]
            continue
        for i in range(have):
            wide[i] = rest[c * full + i]
        begin = end
        end = piece(wide, full, 1 if c >= REGS else 0, codes, many, some, apart, out, begin)
        sizes[c] = end - begin
    return used


STEPS = (load, small, wider, column, *PIECE)
KINDS = "q *L *B *B *B *B *B *i *B *B *B *B q q q q q q *L *B *l *L *L *B *l"
"""What it is called with, see kernel_code."""
