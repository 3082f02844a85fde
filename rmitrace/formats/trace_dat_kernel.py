"""The events of ring-buffer pages to rows and registers, in one pass: a kernel for pages without damage.

It does what trace_dat_pages.walk() and trace_dat_plan.load() do, and gives up where it finds what it does not know; those
take the pages then. One event after the other, as libtraceevent's src/kbuffer-parse.c does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .kernel_steps import AHEAD, ahead, word, word2, word4
from .trace_dat_pages import MIN_PAYLOAD

DONE, FULL, NEW, ODD = range(4)
"""Why it stopped: all is read, no room, an event of a new id, something that it does not know."""
SKIP, ROW, GIVE_UP = range(3)
"""What to do with an event: count it, make it a row, leave the pages alone."""
PAGE, AT, ROWS, IDENT = range(4)
"""Numbers that scan() goes on from: page and place in it (0: its begin), rows so far; the new id."""
_PADDING, _EXTEND, _STAMP = 29, 30, 31
_31, _FIVE, _27 = np.uint64(31), np.uint64(5), np.uint64(27)
_HIGH, _CARRY, _0 = np.uint64(0xF8 << 56), np.uint64(1 << 59), np.uint64(0)
_SIGN1, _SIGN2, _SIGN4 = (np.uint64(1 << n) for n in (7, 15, 31))


def number(buf: Any, at: Any, size: Any, signed: Any) -> Any:
    """A number of 1, 2, 4 or 8 bytes as a register."""
    if size == 8:
        return word(buf, at)
    if size == 4:
        sign = _SIGN4 if signed else _0
        return (word4(buf, at) ^ sign) - sign
    if size == 2:
        sign = _SIGN2 if signed else _0
        return (word2(buf, at) ^ sign) - sign
    sign = _SIGN1 if signed else _0
    return (np.uint64(buf[at]) ^ sign) - sign


def stamped(wide: Any, before: Any) -> Any:
    """The time of an absolute time stamp, which has 59 bits: see trace_dat_pages."""
    absolute = wide | before & _HIGH
    return absolute + _CARRY if before & _HIGH != _0 and absolute < before else absolute


def scan(
    buf: Any, pages: Any, begin: Any, stop: Any, stamp: Any, state: Any, time: Any, numbers: Any, cls: Any, need: Any,
    most: Any, first: Any, last: Any, run_reg: Any, run_at: Any, run_size: Any, run_signed: Any, run_count: Any, seen: Any,
    o_at: Any, o_length: Any, o_ts: Any, o_pid: Any, o_ident: Any, o_regs: Any, room: Any, base: Any,
) -> Any:  # fmt: skip
    """Read so many pages, of which each has its events from ``begin`` to ``stop`` and its time ``stamp``; returns DONE, FULL,
    NEW or ODD.

    base     what is added to a place to make it one of the file
    state    where to go on, see PAGE; time: the time there
    numbers  id -> number of the event, -1 where it is new; then, by that number:
    cls      SKIP, ROW, GIVE_UP
    need     bytes of a record, at least, and at most
    first    its runs, up to before ``last``: registers from ``reg`` on, ``count`` of them, each of ``size`` bytes
    seen     events are counted, by number
    o_regs   8 registers a row
    room     rows that there is room for
    """
    page, at, n, ts = state[PAGE], state[AT], state[ROWS], time[0]
    status = DONE
    while page < pages and status == DONE:
        end = stop[page]
        if at == 0:
            at, ts = begin[page], stamp[page]
        while at < end:
            if at + 4 > end:
                status = ODD
                break
            ahead(buf, at + AHEAD)
            head = word4(buf, at)
            kind, delta = np.int64(head & _31), head >> _FIVE
            size, body = kind * 4, at + 4
            if kind == 0 or kind >= _PADDING:
                if kind == _PADDING and delta == _0:  # the rest is free
                    break
                if at + 8 > end:
                    status = ODD
                    break
                following = word4(buf, at + 4)
                if kind >= _EXTEND:
                    wide = (following << _27) + delta
                    ts = ts + wide if kind == _EXTEND else stamped(wide, ts)
                    at += 8
                    continue
                size = np.int64(following)
                if kind == _PADDING:
                    if at + 4 + size > end:
                        status = ODD
                        break
                    ts += delta
                    at += 4 + size
                    continue
                if size < 4:  # the length counts its own word
                    status = ODD
                    break
                size, body = (size - 1) // 4 * 4, at + 8
            if size < MIN_PAYLOAD or body + size > end:
                status = ODD
                break
            ident = np.int64(word2(buf, body))
            plan = numbers[ident]
            if plan < 0:
                state[IDENT] = ident
                status = NEW
                break
            if cls[plan] == SKIP:
                seen[plan] += 1
                ts += delta
                at = body + size
                continue
            if cls[plan] != ROW or size < need[plan] or size > most[plan]:
                status = ODD
                break
            if n >= room:
                status = FULL
                break
            seen[plan] += 1
            ts += delta
            o_at[n], o_length[n], o_ts[n], o_ident[n] = base + at, body - at + size, ts, ident
            o_pid[n] = word4(buf, body + 4)
            for k in range(8):
                o_regs[8 * n + k] = _0
            for run in range(first[plan], last[plan]):
                reg, place = 8 * n + run_reg[run], body + run_at[run]
                if run_size[run] == 8:
                    for k in range(run_count[run]):
                        o_regs[reg + k] = word(buf, place + 8 * k)
                else:
                    o_regs[reg] = number(buf, place, run_size[run], run_signed[run])
            n += 1
            at = body + size
        if status == DONE:
            page += 1
            at = 0
    state[PAGE], state[AT], state[ROWS], time[0] = page, at, n, ts
    return status


STEPS = (number, stamped)
