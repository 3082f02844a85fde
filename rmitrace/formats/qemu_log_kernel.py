"""The kernel over QEMU's log: lines of ``arm_psci_call`` go straight into columns, lines of other events are passed over.

Given back are lines with anything else that the reader may want: other events of the CPU, an odd or cut form, execlog's
lines; and, apart, accesses to a PCI configuration space above 0xff, where DOE mailboxes are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kernel_steps, kernels
from .kernel_code import Kernel
from .kernel_steps import AHEAD, ahead, decimal, hexadecimal, line_end_from, word
from .kernel_words import WORDS, automaton, hit_from

NO_TIME = -(2**63)
_CALL = b"arm_psci_call PSCI Call x0=0x"
_C0, _C1, _C2, _C3 = (np.uint64(int.from_bytes(_CALL[i : i + 8], "little")) for i in (0, 8, 16, 21))
_X1, _X2, _X3 = (np.uint64(int.from_bytes(b" x%d=0x" % n, "little")) for n in (1, 2, 3))
_SIX = np.uint64(0xFFFFFFFFFFFF)
_CPU = np.uint64(int.from_bytes(b" cpuid=0", "little"))
EVENTS = automaton((b"arm_psci_call", b"arm_powerctl_", b"arm_cpu_reset", b"pci_cfg_"))
_TOP_SECOND = np.uint64(4_000_000_000)
_DAYS = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365], dtype=np.int64)


def number(buf: Any, p: Any, size: Any) -> Any:
    """So many decimal digits, -1 where one is none."""
    value = 0
    for i in range(p, p + size):
        if not 48 <= buf[i] <= 57:
            return -1
        value = value * 10 + int(buf[i]) - 48
    return value


def midnight(y: Any, m: Any, d: Any) -> Any:
    """Days from 1970 to a date, -1 where there is none or where it is not from 1970 to 2099."""
    leap = 1 if y % 4 == 0 else 0
    if not 1970 <= y < 2100 or not 1 <= m <= 12 or d < 1 or d > _DAYS[m] - _DAYS[m - 1] + (leap if m == 2 else 0):
        return -1
    before = y - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719162
    return days + _DAYS[m - 1] + (leap if m > 2 else 0) + d - 1


def stamp(buf: Any, p: Any) -> tuple[Any, Any]:
    """(offset behind the time of a line, ns since 1970) of ``2026-11-22T19:26:19.083670Z `` and ``2695@1795375614.946544:``;
    (p, NO_TIME) where there is none of these."""
    if not 48 <= buf[p] <= 57:
        return p, NO_TIME
    if buf[p + 4] == 45 and buf[p + 7] == 45 and buf[p + 10] == 84:
        y, m, d = number(buf, p, 4), number(buf, p + 5, 2), number(buf, p + 8, 2)
        h, mi, s, us = number(buf, p + 11, 2), number(buf, p + 14, 2), number(buf, p + 17, 2), number(buf, p + 20, 6)
        colons = buf[p + 13] == 58 and buf[p + 16] == 58 and buf[p + 19] == 46 and buf[p + 26] == 90 and buf[p + 27] == 32
        if min(y, m, d, h, mi, s, us) < 0 or not colons:
            return p, NO_TIME
        days = midnight(y, m, d)
        if days < 0:
            return p, NO_TIME
        return p + 28, ((days * 24 + h) * 3600 + mi * 60 + s) * 1_000_000_000 + us * 1000
    q = p
    while 48 <= buf[q] <= 57 and q - p < 11:
        q += 1
    if q - p > 10 or buf[q] != 64:
        return p, NO_TIME
    seconds, size = decimal(buf, q + 1)
    q += 1 + size
    if size == 0 or size > 10 or buf[q] != 46 or seconds >= _TOP_SECOND:
        return p, NO_TIME
    us = number(buf, q + 1, 6)
    if us < 0 or buf[q + 7] != 58:
        return p, NO_TIME
    return q + 8, np.int64(seconds) * 1_000_000_000 + us * 1000


def far_access(buf: Any, p: Any) -> Any:
    """Whether a line has an offset of three digits or more behind ``@0x`` or ``offs=0x``."""
    p += 2
    while buf[p] != 10 and buf[p - 1] != 10:
        if buf[p] == 48 and buf[p + 1] == 120 and (buf[p - 1] == 64 or (buf[p - 1] == 61 and buf[p - 2] == 115)):
            n = 0
            while n < 3 and (48 <= buf[p + 2 + n] <= 57 or 97 <= buf[p + 2 + n] <= 102):
                n += 1
            if n == 3:
                return True
        p += 1
    return False


def is_execlog(buf: Any, p: Any) -> Any:
    """Whether a line begins as those of execlog: ``0, 0x..``."""
    q = p
    while 48 <= buf[q] <= 57 and q - p < 6:
        q += 1
    return q > p and buf[q] == 44 and buf[q + 1] == 32 and buf[q + 2] == 48 and buf[q + 3] == 120


def _scan(
    buf: Any, pos: Any, end: Any, events: Any,
    o_offset: Any, o_length: Any, o_ts: Any, o_cpu: Any, o_regs: Any, o_slow: Any, o_pci: Any, size: Any, slow_size: Any,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """Read lines from ``pos`` (the start of a line) on. Behind ``end`` there are SLACK bytes more.

    events  the automaton EVENTS
    o_regs  four a record
    size    room for records; slow_size: in o_slow and in o_pci
    Returns (position of the next line, records, lines in o_slow, lines in o_pci, lines read).
    """
    lines = n = slow = pci = 0
    while pos < end and n < size and slow < slow_size and pci < slow_size:
        lines += 1
        for k in range(2):
            ahead(buf, pos + AHEAD + 64 * k)
        p = pos
        read = False
        q, ts = stamp(buf, pos)
        if word(buf, q) == _C0 and word(buf, q + 8) == _C1 and word(buf, q + 16) == _C2 and word(buf, q + 21) == _C3:
            q += 29
            good = True
            for reg in range(4):
                value, digits = hexadecimal(buf, q)
                q += digits
                w = word(buf, q)
                if digits == 0 or (w != _CPU if reg == 3 else w & _SIX != (_X1 if reg == 0 else _X2 if reg == 1 else _X3)):
                    good = False
                    break
                o_regs[4 * n + reg] = value
                q += 8 if reg == 3 else 6
            if good and buf[q] == 120:
                value, digits = hexadecimal(buf, q + 1)
                q += 1 + digits
                stop = q
                if buf[q] == 13:
                    q += 1
                if 0 < digits <= 8 and buf[q] == 10:
                    o_offset[n], o_length[n], o_ts[n] = pos, stop - pos, ts
                    o_cpu[n] = np.int32(value) if value < np.uint64(1 << 31) else np.int32(-1)
                    read = value < np.uint64(1 << 31)
                    p = q
        if read:
            n += 1
        else:
            p = hit_from(buf, pos, events)
            if buf[p] != 10 and far_access(buf, pos):
                o_pci[pci] = pos
                pci += 1
            wanted = is_execlog(buf, pos)
            if buf[p] != 10:
                wanted |= buf[p - 1] != 103  # not pci_cfg_, behind which another word may stand
                k = p
                while not wanted and buf[k] != 10:
                    wanted = buf[k] == 97 and buf[k + 1] == 114 and buf[k + 2] == 109
                    k += 1
            if wanted:
                o_slow[slow] = pos
                slow += 1
        pos = line_end_from(buf, p, end) + 1
    return pos, n, slow, pci, lines


STEPS = (*kernel_steps.STEPS, *WORDS, number, midnight, stamp, far_access, is_execlog)


def scan(*args: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The kernel as it stands, for tests."""
    with np.errstate(over="ignore"):
        return _scan(*args)


def compiled() -> Kernel:
    """scan() as machine code."""
    return kernels.compiled(_scan, STEPS, behind=True)


def repaid(size: int) -> bool:
    """Whether so many bytes repay loading the compiled form."""
    return kernels.repaid(size, _scan, STEPS)
