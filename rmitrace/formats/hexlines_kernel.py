"""The kernel that looks for lines of hex dumps: the places where the bytes of one may begin."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kernel_steps, kernels
from .kernel_code import Kernel
from .kernel_steps import HIGH, LINE_ENDS, LOW, lowest, word

LONGEST = 2048
"""Digits in a row at most."""
INDENT = 16
"""Blanks in front of the bytes at most."""
_COLONS = np.uint64(0x3A3A3A3A3A3A3A3A)
_ONE = np.uint64(1)


def is_hex(b: Any) -> Any:
    """Whether a byte is a hexadecimal digit."""
    return 48 <= b <= 57 or 65 <= b <= 70 or 97 <= b <= 102


def begins(buf: Any, at: Any, end: Any) -> Any:
    """Whether two or more digits stand behind a colon and a blank, or a line end and blanks, and end there."""
    first, q = buf[at], at + 1
    if first == 58:
        if q >= end or buf[q] != 32:
            return False
        q += 1
    elif first == 10:
        while q < end and q <= at + INDENT and (buf[q] == 32 or buf[q] == 9):
            q += 1
    else:
        return False
    begin = q
    while q < end and q - begin <= LONGEST and is_hex(buf[q]):
        q += 1
    if q - begin < 2:
        return False
    if q >= end:
        return True
    b = buf[q]
    return b == 32 or b == 9 or b == 10 or b == 13 or (first == 58 and (b == 58 or b == 45))


def places(buf: Any, at: Any, end: Any, out: Any, room: Any) -> tuple[Any, Any]:
    """Put the places of colons and line ends behind which a dump's bytes may begin into ``out``; returns how far it got, and how
    many they are. It stops where there is no ``room`` for more, and less than eight bytes before the end."""
    n = 0
    while at + 8 <= end and n + 8 <= room:
        w = word(buf, at)
        c, e = w ^ _COLONS, w ^ LINE_ENDS
        flags = ((c - LOW) & ~c | (e - LOW) & ~e) & HIGH
        while flags != 0:
            p = at + lowest(flags)
            flags &= flags - _ONE
            if begins(buf, p, end):
                out[n] = p
                n += 1
        at += 8
    return at, n


STEPS = (*kernel_steps.STEPS, is_hex, begins)


def compiled() -> Kernel:
    """places() as machine code."""
    return kernels.compiled(places, STEPS)


def repaid(size: int) -> bool:
    """Whether so many bytes repay it."""
    return kernels.repaid(size, places, STEPS)
