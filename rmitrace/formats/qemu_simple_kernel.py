"""The kernel over QEMU's simple trace files: calls go straight into columns, events of no interest are passed over, and it
stops at everything else."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kernels
from .kernel_code import Kernel
from .kernel_steps import AHEAD, ahead, word, word4

IDS = 1 << 16
"""Event ids that it knows."""
SKIP, CALL, ASK = 0, 1, 2
"""What an event is: of no interest; a call; something that the reader has to look at."""
HEAD, CALL_SIZE = 32, 72
"""Bytes in front of the arguments, and of a call: five arguments."""
MOST = 1 << 20
"""Bytes of a record at most."""
_EVENT = np.uint64(1)
_IDS, _MOST = np.uint64(IDS), np.uint64(MOST - 8)
_LAST = np.uint64(2**63 - 1)
_CPU = np.uint64(0x7FFFFFFF)


def scan(
    buf: Any, at: Any, limit: Any, end: Any, classes: Any, n: Any, room: Any, o_offset: Any, o_ts: Any, o_cpu: Any, o_regs: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Read records from ``at`` on, up to the first that begins at or behind ``limit``.

    end      where the file ends
    classes  of IDS events: SKIP, CALL, ASK
    n        calls that are in the columns already, which have room for ``room``
    o_regs   8 registers a call
    Returns (place of the next record, calls in the columns, records read): it stops before a record that is no event, is cut,
    too long, or of an event that it does not know, before a call that has other arguments, and when there is no room left.
    """
    count = 0
    while at < limit and n < room and at + HEAD <= end:
        ahead(buf, at + AHEAD)
        ident, length = word(buf, at + 8), word4(buf, at + 24)
        if word(buf, at) != _EVENT or ident >= _IDS or length > _MOST:
            break
        size, what = 8 + np.int64(length), classes[np.int64(ident)]
        if what == ASK or size < HEAD or at + size > end:
            break
        if what == CALL:
            if size != CALL_SIZE:
                break
            ns = word(buf, at + 16)
            o_offset[n], o_ts[n] = at, min(ns, _LAST)
            o_cpu[n] = word(buf, at + HEAD + 32) & _CPU
            for k in range(4):
                o_regs[8 * n + k] = word(buf, at + HEAD + 8 * k)
                o_regs[8 * n + 4 + k] = np.uint64(0)
            n += 1
        count += 1
        at += size
    return at, n, count


STEPS = ()


def compiled() -> Kernel:
    """scan() as machine code."""
    return kernels.compiled(scan, STEPS, behind=True)


def repaid(size: int) -> bool:
    """Whether so many bytes repay it."""
    return kernels.repaid(size, scan, STEPS)
