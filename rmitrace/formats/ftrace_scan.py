"""The hot path over big trace text: a kernel for the common line.

scan() reads lines of the normal form whose event has a known layout (numbers and arrays of numbers under the field
names of the event's first line) straight into columns and skips events that carry no SMC. It gives back the place of every other
line; the line reader takes those. What it takes it takes as the line reader would, so that it does not matter which of
them read a line, nor how much of the table was known then.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kernel_steps, kernels
from .ftrace_scan_head import HEAD, clock, group_end, is_name, is_stack, name_end, seconds_of, task
from .ftrace_scan_values import VALUES, interrupt, place_end, values
from .kernel_code import Kernel
from .kernel_steps import AHEAD, ahead, line_end_from, same
from .kernel_words import WORDS, find_word

MORE, NEW_EVENT = 0, 1


def _scan(
    buf: Any, pos: Any, end: Any, perf: Any,
    slots: Any, blob: Any, name_at: Any, name_len: Any, name_first: Any, name_last: Any, cls: Any, arrow: Any, known: Any,
    first: Any, fields: Any, field_at: Any, field_len: Any, field_word: Any, field_mask: Any, field_zero: Any, zero_mask: Any,
    field_reg: Any, field_count: Any,
    o_offset: Any, o_length: Any, o_ts: Any, o_cpu: Any, o_pid: Any, o_event: Any, o_regs: Any, o_slow: Any, o_gap: Any,
    seen: Any, text_at: Any, text_size: Any, follow: Any, head_at: Any, head_size: Any, head_seconds: Any, head_pid: Any,
    head_cpu: Any, size: Any, slow_size: Any,
) -> tuple[Any, Any, Any, Any, Any, Any]:  # fmt: skip
    """Read lines from ``pos`` (the start of a line) on. Behind ``end`` there are SLACK bytes more.

    perf     1: the columns are those of perf script (a blank after the name, pid/tid, no flags, group:event)
    o_gap    for each line of o_slow whether one that was read or skipped here lies between it and the one before
    seen     lines taken here are counted, by event
    text_at, text_size, follow, head_at, .. head_cpu   zeros: for what is remembered of every event
    size, slow_size  room for records, and in o_slow
    Returns (position of the next line, records, lines in o_slow, lines read, whether one was taken behind the last of o_slow,
    MORE or NEW_EVENT): it stops at ``end``, when there is no room left, or after a line (the last in o_slow) with an event
    that is not in the table.
    """
    lines = n = slow = 0
    gap, status = False, MORE
    task_at, task_size, task_pid, task_cpu = np.int64(0), np.int64(0), 0, 0
    before = np.int64(0)
    while pos < end and n < size and slow < slow_size and status == MORE:
        lines += 1
        for k in range(3):
            ahead(buf, pos + AHEAD + 64 * k)
        # 0: give the line to the line reader, 1: skip it, 2: it is read, 3: a line of a stack trace, to skip
        verdict = 0
        p = pos
        ev = guess = follow[before]
        known_head = head_size[ev] > 0 and pos + head_size[ev] < end and same(buf, pos, head_at[ev], head_size[ev])
        if not known_head and buf[pos] == 10:
            gap |= perf == 1
            pos += 1
            continue
        while True:  # once; left by break
            if known_head:  # all up to the seconds as on the last line of the event that followed the one before
                q, seconds, pid, cpu = pos + head_size[ev], np.uint64(head_seconds[ev]), head_pid[ev], head_cpu[ev]
            else:
                if pos + 24 >= end or buf[pos] == 35 or (perf and buf[pos] == 9):  # '#', a call chain
                    break
                if not perf and buf[pos] == 32 and buf[pos + 1] == 61 and buf[pos + 2] == 62 and buf[pos + 3] == 32:
                    if is_stack(buf, pos, end):
                        verdict = 3
                    break
                if buf[pos + 16] != (32 if perf else 45):  # '-'
                    break
                if task_size > 0 and pos + task_size < end and same(buf, pos, task_at, task_size):  # as on the line before
                    q = pos + task_size
                else:
                    q, task_pid, task_cpu = task(buf, pos, end, perf)
                    if q < 0:
                        task_size = np.int64(0)
                        break
                    task_at, task_size = pos, q - pos
                pid, cpu = task_pid, task_cpu
                q, seconds = seconds_of(buf, q, end, perf)
                if q < 0:
                    break
            clock_at = q
            q, ts = clock(buf, q, end, perf, seconds)
            if q < 0:
                break
            begin = q
            if text_size[ev] > 0 and q + text_size[ev] < end and same(buf, q, text_at[ev], text_size[ev]):
                q += text_size[ev]  # event and place as on its line before
            else:
                hit = False
                if perf:
                    q, hit = group_end(buf, q, end)
                    if q < 0:
                        break
                stop = name_end(buf, q, end, hit)
                if stop <= q or stop + 1 >= end:
                    break
                if buf[stop] == 32:
                    # the function tracer's 'func <-parent', of no function whose name begins with r, p or f (rmi_, rsi_, psci_)
                    if (
                        not perf
                        and buf[stop + 1] == 60
                        and buf[q] != 114
                        and buf[q] != 112
                        and buf[q] != 102
                        and is_name(buf, q, stop)
                    ):
                        p = stop
                        while p < end and buf[p] != 10 and buf[p] != 61:
                            p += 1
                        if p >= end or buf[p] == 10:
                            verdict = 1
                    break
                if buf[stop] != 58 or buf[stop + 1] != 32:
                    break
                ev = find_word(buf, q, stop, slots, blob, name_at, name_len, name_first, name_last)
                if ev < 0:
                    if hit or is_name(buf, q, stop):
                        status = NEW_EVENT
                    break
                q = stop + 1
                if cls[ev] == 1:
                    seen[ev] += 1
                    verdict = 1
                if cls[ev] < 2:
                    break
                if cls[ev] < 4:
                    q = place_end(buf, q, end, arrow[ev])
                    if q < 0:
                        break
                    text_at[ev], text_size[ev] = begin, q - begin
                    follow[before] = ev
            for i in range(8 * n, 8 * n + 8):
                o_regs[i] = 0
            if cls[ev] >= 4:
                q = interrupt(buf, q, pos, end, o_regs, 8 * n, known[ev])
            else:
                q = values(
                    buf, q, end, first[ev], first[ev] + fields[ev], blob, field_at, field_len, field_word, field_mask,
                    field_zero, zero_mask, field_reg, field_count, o_regs, 8 * n,
                )  # fmt: skip
            if q < 0:
                break
            stop = q
            if q < end and buf[q] == 13:
                q += 1
            if q >= end or buf[q] != 10:
                break
            o_offset[n], o_length[n], o_ts[n] = pos, stop - pos, ts
            o_cpu[n], o_pid[n], o_event[n] = cpu, pid, ev
            n += 1
            seen[ev] += 1
            verdict = 2
            before = ev
            if not known_head or ev != guess:
                head_at[ev], head_size[ev], head_seconds[ev] = pos, clock_at - pos, np.int64(seconds)
                head_pid[ev], head_cpu[ev] = pid, cpu
            p = q
            break
        if verdict == 0:
            o_slow[slow], o_gap[slow] = pos, 1 if gap else 0
            slow += 1
            gap = False
        else:
            gap |= verdict < 3
        pos = (p if verdict == 2 else line_end_from(buf, p, end)) + 1
    return pos, n, slow, lines, gap, status


STEPS = (*kernel_steps.STEPS, *WORDS, *HEAD, *VALUES)


def scan(*args: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """The kernel as it stands, for tests."""
    with np.errstate(over="ignore"):
        return _scan(*args)


def compiled() -> Kernel:
    """scan() as machine code."""
    return kernels.compiled(_scan, STEPS, behind=True)


def repaid(size: int) -> bool:
    """Whether so many bytes repay loading the compiled form."""
    return kernels.repaid(size, _scan, STEPS)
