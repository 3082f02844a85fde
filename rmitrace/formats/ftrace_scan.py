"""The hot path over big trace text: a byte loop for the common line, compiled by Numba.

scan() reads lines of the normal form whose event has a known layout (numbers and arrays of numbers under the field
names of the event's first line) straight into columns and skips events that carry no SMC. It gives back the place of every other
line; the line reader takes those. It runs uncompiled as well (on bytes), with the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

COMPILE_FROM = 2 << 20
"""Bytes from which compiling (or loading the compiled code, some 0.5 s) is repaid."""
MORE, NEW_EVENT = 0, 1
_PLACE_MAX = 512
_NAME_MAX = 128


def _scan(
    buf: Any, pos: int, end: int, perf: int,
    slots: Any, blob: Any, name_at: Any, name_len: Any, cls: Any, arrow: Any, known: Any, first: Any, fields: Any, seen: Any,
    field_at: Any, field_len: Any, field_reg: Any, field_count: Any,
    o_offset: Any, o_length: Any, o_ts: Any, o_cpu: Any, o_pid: Any, o_event: Any, o_regs: Any, o_slow: Any,
    n: int, slow: int,
) -> tuple[int, int, int, int, int]:  # fmt: skip
    """Read lines from ``pos`` (the start of a line) on.

    perf     1: the columns are those of perf script (a blank after the name, pid/tid, no flags, group:event)
    n, slow  how much of the columns and of the slow list is in use
    Returns (position of the next line, n, slow, lines read, MORE or NEW_EVENT): it stops at ``end``, when there is no
    room left, or after a line (last in the slow list) with an event that is not in the table.
    """
    ten, top = np.uint64(10), np.uint64(0xFFFFFFFFFFFFFFFF)
    lines = 0
    size, slow_size = len(o_offset), len(o_slow)
    while pos < end and n < size and slow < slow_size:
        lines += 1
        # 0: give the line to the line reader, 1: skip it, 2: it is read, 3: its event is unknown
        verdict = 0
        p = pos
        while True:  # once; left by break
            stop = pos + 24
            if stop >= end or buf[pos] == 35 or (perf and buf[pos] == 9):  # '#', a call chain
                break
            if not perf and buf[pos] == 32 and buf[pos + 1] == 61 and buf[pos + 2] == 62 and buf[pos + 3] == 32:
                # ' => function', a line of a stack trace (but a task may have such a name)
                p = pos + 3
                while p < end and buf[p] != 10 and buf[p] != 45 and buf[p] != 61:
                    p += 1
                if p >= end or buf[p] == 10:
                    verdict = 1
                break
            if buf[pos + 16] != (32 if perf else 45):  # '-'
                break
            while p < pos + 16 and buf[p] != 10:
                p += 1
            if p < pos + 16:
                break
            # pid
            p += 1
            while perf and p < end and buf[p] == 32:
                p += 1
            pid, digits = 0, p
            while p < end and 48 <= buf[p] <= 57 and p - digits < 10:
                pid = pid * 10 + int(buf[p]) - 48
                p += 1
            if p == digits or p - digits > 9 or p >= end:
                break
            if perf and buf[p] == 47:  # pid/tid
                p += 1
                pid, digits = 0, p
                while p < end and 48 <= buf[p] <= 57 and p - digits < 10:
                    pid = pid * 10 + int(buf[p]) - 48
                    p += 1
                if p == digits or p - digits > 9 or p >= end:
                    break
            if buf[p] != 32:
                break
            while p < end and buf[p] == 32:
                p += 1
            # (tgid)
            if not perf and p < end and buf[p] == 40:
                p += 1
                while p < end and buf[p] == 32:
                    p += 1
                digits = p
                if p < end and buf[p] == 45:
                    while p < end and buf[p] == 45 and p - digits < 11:
                        p += 1
                else:
                    while p < end and 48 <= buf[p] <= 57 and p - digits < 11:
                        p += 1
                if p == digits or p - digits > 10 or p + 1 >= end or buf[p] != 41 or buf[p + 1] != 32:
                    break
                p += 1
                while p < end and buf[p] == 32:
                    p += 1
            # [cpu]
            if p >= end or buf[p] != 91:
                break
            p += 1
            cpu, digits = 0, p
            while p < end and 48 <= buf[p] <= 57 and p - digits < 7:
                cpu = cpu * 10 + int(buf[p]) - 48
                p += 1
            if p == digits or p - digits > 6 or p + 1 >= end or buf[p] != 93 or buf[p + 1] != 32:
                break
            p += 1
            while p < end and buf[p] == 32:
                p += 1
            # flags
            if not perf and p < end and not 48 <= buf[p] <= 57:
                digits = p
                while p < end and buf[p] > 32 and buf[p] != 91 and buf[p] != 40 and p - digits < 7:
                    p += 1
                if p - digits < 3 or p - digits > 6 or p >= end or buf[p] != 32:
                    break
                while p < end and buf[p] == 32:
                    p += 1
            # seconds.fraction:
            seconds, digits = 0, p
            while p < end and 48 <= buf[p] <= 57 and p - digits < 10:
                seconds = seconds * 10 + int(buf[p]) - 48
                p += 1
            if p == digits or p >= end or buf[p] != 46 or seconds >= 4_000_000_000:
                break
            p += 1
            fraction, digits = 0, p
            while p < end and 48 <= buf[p] <= 57 and p - digits < 9:
                fraction = fraction * 10 + int(buf[p]) - 48
                p += 1
            if p == digits or p >= end or buf[p] != 58:
                break
            for _ in range(9 - (p - digits)):
                fraction *= 10
            p += 1
            if perf and p < end and buf[p] != 32:
                break
            while p < end and buf[p] == 32:
                p += 1
            # (+diff)
            if not perf and p + 1 < end and buf[p] == 40 and buf[p + 1] == 43:
                p += 2
                digits = p
                while p < end and 48 <= buf[p] <= 57 and p - digits < 20:
                    p += 1
                if p == digits or p + 1 >= end or buf[p] != 41 or buf[p + 1] != 32:
                    break
                p += 1
                while p < end and buf[p] == 32:
                    p += 1
            # group:
            hit = False
            if perf:
                start = p
                while p < end and p - start < 64:
                    c = int(buf[p])
                    if not (97 <= c <= 122 or c == 95 or 65 <= c <= 90 or 45 <= c <= 46 or 48 <= c <= 57):
                        break
                    p += 1
                if p == start or p + 2 >= end or buf[p] != 58:
                    break
                hit = p - start == 3 and buf[start] == 109 and buf[p - 1] == 109 and buf[p + 1] == 48 and buf[p + 2] == 120
                if not hit:
                    p += 1
            # event:, or mem:0xADDRESS:x:
            h = 5381
            if hit:
                p = start
                while p + 1 < end and p - start < _NAME_MAX and buf[p] > 32 and not (buf[p] == 58 and buf[p + 1] == 32):
                    h = (h * 33 + int(buf[p])) & 0x3FFFFFFF
                    p += 1
            else:
                start = p
            while not hit and p < end and p - start < _NAME_MAX:
                c = int(buf[p])
                if not (97 <= c <= 122 or c == 95 or 65 <= c <= 90 or ((48 <= c <= 57 or c == 46) and p > start)):
                    break
                h = (h * 33 + c) & 0x3FFFFFFF
                p += 1
            if p == start or p + 1 >= end:
                break
            if not perf and buf[p] == 32 and buf[p + 1] == 60 and buf[start] != 114 and buf[start] != 112 and buf[start] != 102:
                # the function tracer's 'func <-parent', of no function whose name begins with r, p (rmi_, rsi_, psci_)
                while p < end and buf[p] != 10 and buf[p] != 61:
                    p += 1
                if p >= end or buf[p] == 10:
                    verdict = 1
                break
            if buf[p] != 58 or buf[p + 1] != 32:
                break
            slot = h % len(slots)
            ev = -1
            while slots[slot] >= 0:
                ev = int(slots[slot])
                same = name_len[ev] == p - start
                if same:
                    at = name_at[ev]
                    for i in range(p - start):
                        if blob[at + i] != buf[start + i]:
                            same = False
                            break
                if same:
                    break
                ev = -1
                slot = (slot + 1) % len(slots)
            if ev < 0:
                verdict = 3
                break
            kind = cls[ev]
            if kind == 0:
                break
            if kind == 1:
                seen[ev] += 1
                verdict = 1
                break
            if kind >= 4:
                # ABI:2 x0:0x.. x1:0x.. .. pc:0x..
                while p + 5 < end and buf[p] != 10:
                    if buf[p] == 65 and buf[p + 1] == 66 and buf[p + 2] == 73 and buf[p + 3] == 58:
                        break
                    p += 1
                if p + 5 >= end or buf[p] == 10 or not 48 <= buf[p + 4] <= 57 or buf[p + 5] != 32:
                    break
                p += 5
                for i in range(8):
                    o_regs[n, i] = 0
                mask = 0
                good = True
                while p < end and buf[p] != 10 and p - pos < 4096:
                    if buf[p] == 32:
                        p += 1
                    elif buf[p] == 13:
                        good = p + 1 >= end or buf[p + 1] == 10
                        if not good:
                            break
                        p += 1
                    elif buf[p] != 120:  # lr, sp, pc: not asked for
                        while p < end and buf[p] > 32:
                            p += 1
                        good = p >= end or buf[p] == 32 or buf[p] == 10 or buf[p] == 13
                        if not good:
                            break
                    else:
                        p += 1
                        reg, digits = 0, p
                        while p < end and 48 <= buf[p] <= 57 and p - digits < 2:
                            reg = reg * 10 + int(buf[p]) - 48
                            p += 1
                        good = p > digits and p + 2 < end and buf[p] == 58 and buf[p + 1] == 48 and buf[p + 2] == 120
                        if not good:
                            break
                        p += 3
                        digits = p
                        value = np.uint64(0)
                        while p < end and p - digits < 17:
                            c = int(buf[p])
                            if 48 <= c <= 57:
                                c -= 48
                            elif 97 <= c <= 102:
                                c -= 87
                            else:
                                break
                            value = (value << np.uint64(4)) | np.uint64(c)
                            p += 1
                        good = 0 < p - digits <= 16 and (p >= end or buf[p] == 32 or buf[p] == 10 or buf[p] == 13)
                        if not good:
                            break
                        if reg < 8:
                            o_regs[n, reg] = value
                        if reg < 18:
                            mask |= 1 << reg
                if not good or mask != known[ev] or (p < end and buf[p] != 10):
                    break
                o_offset[n], o_length[n] = pos, p - pos - (1 if buf[p - 1] == 13 else 0)
                o_ts[n] = seconds * 1_000_000_000 + fraction
                o_cpu[n], o_pid[n], o_event[n] = cpu, pid, ev
                n += 1
                seen[ev] += 1
                verdict = 2
                break
            p += 1
            while p < end and buf[p] == 32:
                p += 1
            # (place)
            if p >= end or buf[p] != 40:
                break
            start = p + 1
            p += 1
            back = 0
            while p < end and p - start <= _PLACE_MAX:
                c = int(buf[p])
                if c == 41 or c == 40 or c == 10:
                    break
                if c == 60 and buf[p - 1] == 32 and p + 2 < end and buf[p + 1] == 45 and buf[p + 2] == 32:
                    back = 1
                p += 1
            if p >= end or buf[p] != 41 or p == start or p - start > _PLACE_MAX or back != arrow[ev]:
                break
            p += 1
            for i in range(8):
                o_regs[n, i] = 0
            good = True
            for f in range(first[ev], first[ev] + fields[ev]):
                width, at = field_len[f], field_at[f]
                if p + width >= end:
                    good = False
                    break
                for i in range(width):
                    if buf[p + i] != blob[at + i]:
                        good = False
                        break
                if not good:
                    break
                p += width
                left = field_count[f]  # 0: one number, else an array of so many
                if left > 0:
                    good = buf[p] == 123  # '{'
                    p += good  # never past what did not fit: it may be the end of the line
                reg, something = field_reg[f], False
                while good:
                    if p >= end:
                        good = False
                        break
                    value = np.uint64(0)
                    if buf[p] == 48 and p + 1 < end and buf[p + 1] == 120:  # 0x
                        p += 2
                        digits = p
                        while p < end and p - digits < 17:
                            c = int(buf[p])
                            if 48 <= c <= 57:
                                c -= 48
                            elif 97 <= c <= 102:
                                c -= 87
                            elif 65 <= c <= 70:
                                c -= 55
                            else:
                                break
                            value = (value << np.uint64(4)) | np.uint64(c)
                            p += 1
                        if p == digits or p - digits > 16:
                            good = False
                            break
                    else:
                        minus = buf[p] == 45
                        if minus:
                            p += 1
                        digits = p
                        while p < end and 48 <= buf[p] <= 57 and p - digits < 20:
                            d = np.uint64(int(buf[p]) - 48)
                            if value > (top - d) // ten:
                                good = False
                                break
                            value = value * ten + d
                            p += 1
                        if p == digits or (minus and value > np.uint64(0x8000000000000000)):
                            good = False
                        if not good:
                            break
                        if minus and value > np.uint64(0):
                            value = (top - value) + np.uint64(1)
                    if 0 <= reg < 8:
                        o_regs[n, reg] = value
                    if reg >= 0:
                        reg += 1
                    if value > np.uint64(0):
                        something = True
                    left -= 1
                    if left <= 0:
                        break
                    good = p < end and buf[p] == 44  # ','
                    p += good
                if good and field_count[f] > 0:
                    # zeros only may be what libtraceevent makes of an array
                    good = something and p < end and buf[p] == 125
                    p += good
                if not good or (p < end and buf[p] != 32 and buf[p] != 10 and buf[p] != 13):
                    good = False
                    break
            if not good:
                break
            stop = p
            if p < end and buf[p] == 13:
                p += 1
            if p < end and buf[p] != 10:
                break
            o_offset[n], o_length[n] = pos, stop - pos
            o_ts[n] = seconds * 1_000_000_000 + fraction
            o_cpu[n], o_pid[n], o_event[n] = cpu, pid, ev
            n += 1
            seen[ev] += 1
            verdict = 2
            break
        if verdict == 0 or verdict == 3:
            o_slow[slow] = pos
            slow += 1
        while p < end and buf[p] != 10:
            p += 1
        pos = p + 1
        if verdict == 3:
            return pos, n, slow, lines, 1
    return pos, n, slow, lines, 0


@cache
def compiled() -> Callable[..., Any]:
    """scan() as machine code; without an on-disk cache where no place for one can be written."""
    from numba import njit

    try:
        return njit(cache=True, nogil=True)(_scan)  # type: ignore[no-any-return]
    except RuntimeError:
        return njit(nogil=True)(_scan)  # type: ignore[no-any-return]


scan = _scan
