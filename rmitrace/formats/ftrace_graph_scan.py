"""The hot path over the drawing of function_graph: a kernel that passes over the lines which say nothing of an SMC.

A trace of a whole kernel is millions of lines of functions that are no wrappers of a command. Such a line changes nothing
unless it stands no deeper than a wrapper that is open: then that wrapper's return was lost. What is passed over here is what
the line reader would find to be of no effect; of any other line, also of one that is merely unusual, it is given the place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import kernel_steps, kernels
from .ftrace_scan_head import blanks, digits
from .kernel_code import Kernel
from .kernel_steps import line_end_from

_ARGS, _COMMENT, _NAME, _LINE = 4000, 500, 120, 6000
"""Bytes below what the line reader allows (ftrace_graph), so that one of its patterns that might not match is not in doubt."""
Ints = npt.NDArray[np.integer[Any]]
_BAR, _DASH, _COLON = 124, 45, 58


def _columns(buf: Any, p: Any, end: Any) -> tuple[Any, Any]:
    """(offset behind the columns, pid) of a line that ends at ``end``: time, CPU, task, flags, duration. The offset is -1 where
    they are not as expected or the CPU is missing; the pid is -1 where there is none."""
    q = blanks(buf, p, end)
    number, after = digits(buf, q, end, 6)
    if after < 0:  # seconds of more than six digits
        number, after = digits(buf, q, end, 12)
    if after <= q or after >= end:
        return -1, 0
    if buf[after] == 46:  # time
        begin = after + 1
        number, after = digits(buf, begin, end, 6)
        if after != begin + 6 or after + 3 > end or buf[after] != 32 or buf[after + 1] != _BAR or buf[after + 2] != 32:
            return -1, 0
        q = blanks(buf, after + 3, end)
        number, after = digits(buf, q, end, 6)
        if after <= q or after >= end:
            return -1, 0
    if buf[after] != 41 or after - q > 6:  # 'cpu)'
        return -1, 0
    p = after + 1
    if p < end and buf[p] == 32:
        p += 1
    pid = np.int64(-1)
    flags = False
    for column in range(3):
        bar = p
        dash = np.int64(-1)
        colon = False
        while bar < end and buf[bar] != _BAR and buf[bar] != 40 and bar - p < 64:
            if buf[bar] == _DASH:
                dash = bar
            elif buf[bar] == _COLON:
                colon = True
            bar += 1
        if bar >= end or buf[bar] != _BAR:  # no column any more: the drawing has no durations
            while bar < end and buf[bar] != _BAR:
                bar += 1
            return (p if bar == end and dash < 0 and not colon else -1), pid
        first = blanks(buf, p, bar)
        last = bar
        while last > first and buf[last - 1] == 32:
            last -= 1
        if dash >= 0:  # a task
            if column > 0 or first - p > 16 or dash - first > 15 or last == bar or bar - last > 16:
                return -1, 0
            for k in range(first, last):
                if buf[k] <= 32:
                    return -1, 0
            number, after = digits(buf, dash + 1, last, 9)
            if after != last or after == dash + 1 or bar + 1 >= end or buf[bar + 1] != 32:
                return -1, 0
            pid = np.int64(number)
            p = bar + 2
            continue
        if colon:
            return -1, 0
        plain = True
        for k in range(first, last):
            plain &= buf[k] > 32
        if plain and last - first > 1:  # flags
            if flags or first - p > 4 or last - first < 4 or last - first > 6:
                return -1, 0
            if bar - last != 1 or bar + 1 >= end or buf[bar + 1] != 32:
                return -1, 0
            flags = True
            p = bar + 2
            continue
        if first - p > 24:
            return -1, 0
        if first < last:  # a duration
            k = first
            c = buf[k]
            if c == 43 or c == 33 or c == 35 or c == 42 or c == 64 or c == 36:
                k = blanks(buf, k + 1, last)
                if k - first > 9:
                    return -1, 0
            if k < last:
                begin = k
                number, after = digits(buf, begin, last, 12)
                if after <= begin or after >= last or buf[after] != 46:
                    return -1, 0
                begin = after + 1
                number, after = digits(buf, begin, last, 3)
                if after <= begin or after + 3 != last or buf[after] != 32 or buf[after + 1] != 117 or buf[after + 2] != 115:
                    return -1, 0
                if bar - last > 8:
                    return -1, 0
            elif bar - last > 8:
                return -1, 0
        elif bar - p > 32:
            return -1, 0
        p = bar + 1
        if p < end and buf[p] == 32:
            p += 1
        return p, pid
    return -1, 0


def _is_wrapper(buf: Any, p: Any, end: Any) -> Any:
    """Whether a name may be one of eventmap.is_wrapper: ``rmi_``, ``rsi_``, ``psci_``."""
    if p + 5 > end:
        return False
    a, b, c, d = buf[p], buf[p + 1], buf[p + 2], buf[p + 3]
    if a == 114:
        return (b == 109 or b == 115) and c == 105 and d == 95
    return a == 112 and b == 115 and c == 99 and d == 105


def _comment(buf: Any, p: Any, end: Any) -> Any:
    """Whether what is left of a line is nothing or a comment, with one blank in front at most."""
    if p < end and buf[p] == 32:
        p += 1
        if p == end:
            return False
    if p == end:
        return True
    size = end - p
    if size < 7 or size > _COMMENT or buf[p] != 47 or buf[p + 1] != 42 or buf[p + 2] != 32:
        return False
    return buf[end - 1] == 47 and buf[end - 2] == 42 and buf[end - 3] == 32


def _harmless(buf: Any, p: Any, end: Any) -> Any:
    """Whether a statement is of a function that is no wrapper, drawn in full."""
    if buf[p] == 125:  # '}'
        if p + 1 == end:
            return True
        if buf[p + 1] != 32 or not _comment(buf, p + 1, end):
            return False
        return not _is_wrapper(buf, p + 5, end)
    c = int(buf[p])
    if not (97 <= c <= 122 or c == 95 or 65 <= c <= 90 or c == 36) or _is_wrapper(buf, p, end):
        return False
    begin = p
    while p < end and (97 <= c <= 122 or c == 95 or 65 <= c <= 90 or 48 <= c <= 57 or c == 46 or c == 36):
        p += 1
        c = int(buf[p])
    if p - begin > _NAME:
        return False
    if p + 1 < end and buf[p] == 32 and buf[p + 1] == 91:  # ' [module]'
        begin = p = p + 2
        c = int(buf[p])
        while p < end and (97 <= c <= 122 or c == 95 or 65 <= c <= 90 or 48 <= c <= 57 or c == 46 or c == 45):
            p += 1
            c = int(buf[p])
        if p == begin or p - begin > 60 or p >= end or buf[p] != 93:
            return False
        p += 1
    if p >= end or buf[p] != 40:
        return False
    begin = p
    while p < end and buf[p] != 59 and buf[p] != 123 and buf[p] != 125:
        p += 1
    if p >= end or buf[p] == 125 or p - begin > _ARGS:
        return False
    if buf[p] == 59:
        return buf[p - 1] == 41 and _comment(buf, p + 1, end)
    return p - begin > 2 and buf[p - 1] == 32 and buf[p - 2] == 41 and _comment(buf, p + 1, end)


def _depths(buf: Any, end: Any, starts: Any, gaps: Any, first: Any, count: Any, o_depth: Any, o_pid: Any) -> None:
    """How deep the statements of some lines stand that are of no effect at that depth.

    starts, gaps     where the lines begin, from number ``first`` of ``count`` on; whether others were read in front of each: such
                     a line is not passed over
    o_depth, o_pid   takes blanks in front of each statement and the task drawn, -1 where none is; a depth of -1: the line reader
                     has to take the line
    """
    for i in range(first, count):
        o_depth[i] = -1
        if gaps[i] != 0:
            continue
        pos = starts[i]
        stop = line_end_from(buf, pos, min(pos + _LINE, end))
        if stop >= end or buf[stop] != 10 or stop - pos < 4:
            continue
        p, pid = _columns(buf, pos, stop)
        if p < 0:
            continue
        begin = p
        p = blanks(buf, p, stop)
        if p >= stop or buf[stop - 1] <= 32:
            continue
        plain = True
        for k in range(p, stop):
            plain &= buf[k] != _COLON
        if plain and _harmless(buf, p, stop):
            o_depth[i] = p - begin
            o_pid[i] = pid


STEPS = (*kernel_steps.STEPS, blanks, digits, _columns, _is_wrapper, _comment, _harmless)


def depths(*args: Any) -> Any:
    """The kernel as it stands, for tests."""
    with np.errstate(over="ignore"):
        return _depths(*args)


def compiled() -> Kernel:
    """depths() as machine code."""
    return kernels.compiled(_depths, STEPS)


class Passing:
    """The lines of a piece that are passed over.

    depth, pid   as the kernel gives them, of the lines from number ``first`` on
    """

    def __init__(self, kernel: Kernel, buf: Any, end: int, starts: Ints, gaps: Ints, first: int, count: int) -> None:
        depth, pid = (np.full(count, -1, dtype=np.int32) for _ in range(2))
        kernel(buf, end, starts, gaps, first, count, depth, pid)
        self._depth: list[int] = depth.tolist()
        self._pid: list[int] = pid.tolist()
        stops = np.flatnonzero(depth < 0)
        self._stop: list[int] = np.append(stops, count)[np.searchsorted(stops, np.arange(count))].tolist()

    def behind(self, at: int, open_: OpenDepths) -> int:
        """The first line from ``at`` on that is of an effect or not known to be of none."""
        stop = self._stop[at]
        if open_.deepest < 0:
            return stop
        depth, pid, deepest, tasks = self._depth, self._pid, open_.deepest, open_.tasks
        while at < stop:
            if depth[at] <= deepest and (pid[at] < 0 or depth[at] <= tasks.get(pid[at], -1)):
                break
            at += 1
        return at


class OpenDepths(NamedTuple):
    """How deep the wrappers that are open stand: the deepest of all (-1: none), and the deepest of each task."""

    deepest: int
    tasks: dict[int, int]
