"""Packing of records as a kernel: a piece of each of their columns in one call, as .record_pack lays them down."""

from __future__ import annotations

from typing import Any

from ..capture import encoding_kernel
from ..capture.encoding_kernel import piece

COLUMNS = 16
"""Columns of a record: offset, length, ts, cpu, pid, kind, name, known, x0 to x7."""
REGS = 8
"""The first of them that is a register."""


def plain(values: Any, at: Any, count: Any, signed: Any, to: Any) -> None:
    """Put some integers behind others."""
    for i in range(count):
        signed[to + i] = values[at + i]


def looked_up(table: Any, event: Any, by_event: Any, at: Any, count: Any, signed: Any, to: Any) -> None:
    """The same of what a table says of the event of each record, or of the record itself."""
    if by_event:
        for i in range(count):
            signed[to + i] = table[event[at + i]]
    else:
        for i in range(count):
            signed[to + i] = table[at + i]


def spaced(regs: Any, first: Any, step: Any, count: Any, wide: Any, to: Any) -> None:
    """The same of registers that stand so far from each other."""
    for i in range(count):
        wide[to + i] = regs[first + i * step]


def take(
    have: Any, r_offset: Any, r_length: Any, r_ts: Any, r_cpu: Any, r_pid: Any, r_kind: Any, r_name: Any, r_known: Any,
    r_regs: Any, offset: Any, length: Any, ts: Any, cpu: Any, pid: Any, event: Any, kind: Any, name: Any, known: Any, regs: Any,
    row: Any, column: Any, by_event: Any, at: Any, count: Any, full: Any, wide: Any, signed: Any, codes: Any, many: Any,
    some: Any, apart: Any, out: Any, sizes: Any,
) -> Any:  # fmt: skip
    """Take records, from number ``at`` on, as far as there are ``count`` of them: where they fill up a piece of ``full``, write
    that; where they do not, put them behind those that wait. Returns how many were taken, fewer than ``count`` only where there
    is a piece; of ``count`` and a piece, too, none waits.

    have         records that wait, in the arrays r_*; r_regs has each register of ``full`` records behind the one before
    offset ..    the records; kind, name and known by the number in ``event`` where ``by_event``, else of each record
    row, column  how far registers stand from those of the next record, and from the next register
    wide         room for ``full`` uint64; signed: the same room as int64
    codes ..     see encoding_kernel.pack; out: room for a piece of each column; sizes: takes how many bytes each has
    """
    if have + count < full:
        plain(offset, at, count, r_offset, have)
        plain(length, at, count, r_length, have)
        plain(ts, at, count, r_ts, have)
        plain(cpu, at, count, r_cpu, have)
        plain(pid, at, count, r_pid, have)
        looked_up(kind, event, by_event, at, count, r_kind, have)
        looked_up(name, event, by_event, at, count, r_name, have)
        looked_up(known, event, by_event, at, count, r_known, have)
        for k in range(COLUMNS - REGS):
            spaced(regs, at * row + k * column, row, count, r_regs, k * full + have)
        return count
    used, end = full - have, 0
    for c in range(COLUMNS):
        if c == 0:
            plain(r_offset, 0, have, signed, 0)
            plain(offset, at, used, signed, have)
        elif c == 1:
            plain(r_length, 0, have, signed, 0)
            plain(length, at, used, signed, have)
        elif c == 2:
            plain(r_ts, 0, have, signed, 0)
            plain(ts, at, used, signed, have)
        elif c == 3:
            plain(r_cpu, 0, have, signed, 0)
            plain(cpu, at, used, signed, have)
        elif c == 4:
            plain(r_pid, 0, have, signed, 0)
            plain(pid, at, used, signed, have)
        elif c == 5:
            plain(r_kind, 0, have, signed, 0)
            looked_up(kind, event, by_event, at, used, signed, have)
        elif c == 6:
            plain(r_name, 0, have, signed, 0)
            looked_up(name, event, by_event, at, used, signed, have)
        elif c == 7:
            plain(r_known, 0, have, signed, 0)
            looked_up(known, event, by_event, at, used, signed, have)
        else:
            k = c - REGS
            spaced(r_regs, k * full, 1, have, wide, 0)
            spaced(regs, at * row + k * column, row, used, wide, have)
        begin = end
        end = piece(wide, full, c >= REGS, codes, many, some, apart, out, begin)
        sizes[c] = end - begin
    return used


STEPS = (plain, looked_up, spaced, *encoding_kernel.PIECE)
KINDS = "q *l *i *l *i *i *B *i *I *L *l *i *l *i *i *i *B *i *I *L q q q q q q *L *l *B *l *L *L *B *l"
"""What it is called with, see kernel_code."""
