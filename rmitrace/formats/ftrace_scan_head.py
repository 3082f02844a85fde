"""The columns in front of an event and its name, for the kernel over trace text."""

from __future__ import annotations

from typing import Any

import numpy as np

from .kernel_steps import HIGH, LINE_ENDS, LOW, decimal, lowest, word

NAME_MAX = 128
_COLONS = np.uint64(0x3A3A3A3A3A3A3A3A)
_ABOVE_BLANK = np.uint64(0x2121212121212121)
_SECOND = np.uint64(1_000_000_000)
_TOP_SECOND = np.uint64(4_000_000_000)
_POWERS = np.array([10**n for n in range(10)], dtype=np.uint64)


def blanks(buf: Any, p: Any, end: Any) -> Any:
    """The first byte from ``p`` on that is no blank."""
    while p < end and buf[p] == 32:
        p += 1
    return p


def digits(buf: Any, p: Any, end: Any, most: Any) -> tuple[Any, Any]:
    """(number, offset behind it) of up to ``most`` digits; behind more of them the offset is -1, without one it is ``p``."""
    value, begin = 0, p
    while p < end and 48 <= buf[p] <= 57 and p - begin < most:
        value = value * 10 + int(buf[p]) - 48
        p += 1
    return value, -1 if p < end and 48 <= buf[p] <= 57 else p


def task(buf: Any, pos: Any, end: Any, perf: Any) -> tuple[Any, Any, Any]:
    """(offset behind ``[CPU] ``, pid, CPU) of a line; the offset is -1 where it has no such columns."""
    for i in range(0, 16, 8):  # the name may hold a line end
        x = word(buf, pos + i) ^ LINE_ENDS
        if (x - LOW) & ~x & HIGH != 0:
            return -1, 0, 0
    p = blanks(buf, pos + 17, end) if perf else pos + 17
    begin = p
    pid, p = digits(buf, p, end, 9)
    if p <= begin or p >= end:
        return -1, 0, 0
    if perf and buf[p] == 47:  # pid/tid
        begin = p + 1
        pid, p = digits(buf, begin, end, 9)
        if p <= begin or p >= end:
            return -1, 0, 0
    if buf[p] != 32:
        return -1, 0, 0
    p = blanks(buf, p, end)
    if not perf and p < end and buf[p] == 40:  # (tgid)
        begin = p = blanks(buf, p + 1, end)
        if p < end and buf[p] == 45:
            while p < end and buf[p] == 45 and p - begin < 11:
                p += 1
        else:
            _, p = digits(buf, p, end, 10)
        if p <= begin or p - begin > 10 or p + 1 >= end or buf[p] != 41 or buf[p + 1] != 32:
            return -1, 0, 0
        p = blanks(buf, p + 1, end)
    if p >= end or buf[p] != 91:  # [cpu]
        return -1, 0, 0
    begin = p + 1
    cpu, p = digits(buf, begin, end, 6)
    if p <= begin or p + 1 >= end or buf[p] != 93 or buf[p + 1] != 32:
        return -1, 0, 0
    return p + 2, pid, cpu


def seconds_of(buf: Any, p: Any, end: Any, perf: Any) -> tuple[Any, Any]:
    """(offset behind ``seconds.``, seconds) from what stands behind ``[CPU] ``; the offset is -1 where it is not as expected."""
    p = blanks(buf, p, end)
    if not perf and p < end and not 48 <= buf[p] <= 57:  # flags
        begin = p
        while p < end and buf[p] > 32 and buf[p] != 91 and buf[p] != 40 and p - begin < 7:
            p += 1
        if p - begin < 3 or p - begin > 6 or p >= end or buf[p] != 32:
            return -1, np.uint64(0)
        p = blanks(buf, p, end)
    seconds, size = decimal(buf, p)
    p += size
    if size == 0 or size > 10 or p >= end or buf[p] != 46 or seconds >= _TOP_SECOND:
        return -1, np.uint64(0)
    return p + 1, seconds


def clock(buf: Any, p: Any, end: Any, perf: Any, seconds: Any) -> tuple[Any, Any]:
    """(offset of the event, ns) from what stands behind ``seconds.``; the offset is -1 where it is not as expected."""
    fraction, size = decimal(buf, p)
    p += size
    if size == 0 or size > 9 or p >= end or buf[p] != 58:
        return -1, 0
    ts = np.int64(seconds * _SECOND + fraction * _POWERS[9 - size])
    p += 1
    if perf and p < end and buf[p] != 32:
        return -1, 0
    p = blanks(buf, p, end)
    if not perf and p + 1 < end and buf[p] == 40 and buf[p + 1] == 43:  # (+diff)
        begin = p + 2
        _, p = digits(buf, begin, end, 20)
        if p <= begin or p + 1 >= end or buf[p] != 41 or buf[p + 1] != 32:
            return -1, 0
        p = blanks(buf, p + 1, end)
    return p, ts


def group_end(buf: Any, p: Any, end: Any) -> tuple[Any, Any]:
    """(offset of the event's name, whether it is a hardware breakpoint) behind perf's ``group:``, an offset of -1 without one.
    Of a breakpoint, ``mem:0xADDRESS:x:``, all of it is the name."""
    begin = p
    while p < end and p - begin < 64:
        c = int(buf[p])
        if not (97 <= c <= 122 or c == 95 or 65 <= c <= 90 or 45 <= c <= 46 or 48 <= c <= 57):
            break
        p += 1
    if p == begin or p + 2 >= end or buf[p] != 58:
        return -1, False
    if p - begin == 3 and buf[begin] == 109 and buf[p - 1] == 109 and buf[p + 1] == 48 and buf[p + 2] == 120:
        return begin, True
    return p + 1, False


def name_end(buf: Any, p: Any, end: Any, hit: Any) -> Any:
    """Where the event's name ends: at a ``:`` (of a breakpoint the one with a blank behind it), a blank or a control character;
    -1 where that is far away."""
    begin = p
    while p - begin <= NAME_MAX and p < end:
        w = word(buf, p)
        x = w ^ _COLONS
        found = ((x - LOW) & ~x | (w - _ABOVE_BLANK) & ~w) & HIGH
        if found == 0:
            p += 8
            continue
        p += lowest(found)
        if not hit or p + 1 >= end or buf[p] != 58 or buf[p + 1] == 32:
            return p if p < end and p - begin <= NAME_MAX else -1
        p += 1
    return -1


def is_name(buf: Any, p: Any, end: Any) -> Any:
    """Whether the bytes are a name: letters, digits, ``_`` and ``.``, the first a letter or ``_``."""
    for i in range(p, end):
        c = int(buf[i])
        if not (97 <= c <= 122 or c == 95 or 65 <= c <= 90 or ((48 <= c <= 57 or c == 46) and i > p)):
            return False
    return p < end


def is_stack(buf: Any, pos: Any, end: Any) -> Any:
    """Whether a line that begins with `` => `` is one of a stack trace: a task may have such a name."""
    p = pos + 3
    while p < end and buf[p] != 10 and buf[p] != 45 and buf[p] != 61:
        p += 1
    return p >= end or buf[p] == 10


HEAD = (blanks, digits, task, seconds_of, clock, group_end, name_end, is_name, is_stack)
"""The steps of this module."""
