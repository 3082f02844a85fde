"""The steps of the kernel over RMM consoles: how a line begins, its numbers, a line of libspdm."""

from __future__ import annotations

from typing import Any

import numpy as np

from .kernel_steps import hexadecimal, word

MOST = 17
"""Arguments or outputs of a row, at most."""
KNOWN_LINE = 128
"""Bytes of a line that is known as a whole, at most."""
INDENT, SIX = np.uint64(0x202020202020), np.uint64(0xFFFFFFFFFFFF)
"""Six blanks, in front of rows of OP_* commands, and the mask of six bytes."""
TEXTS = (b"send_spdm_request[", b"receive_spdm_response[", b"] msg SPDM_", b"), size (0x")
"""What a line of libspdm is made of behind its first eight bytes; the first two begin it."""
_SMC, _PSCI = (np.uint64(int.from_bytes(t, "little")) for t in (b"SMC_", b"PSCI_"))
_FOUR, _FIVE = np.uint64(0xFFFFFFFF), np.uint64(0xFFFFFFFFFF)


def begins_row(buf: Any, p: Any) -> Any:
    """Whether a line begins as a row does."""
    w = word(buf, p)
    if w & SIX == INDENT:
        w = word(buf, p + 6)
        return w & _FOUR == _SMC
    return w & _FOUR == _SMC or w & _FIVE == _PSCI


def is_apart(buf: Any, p: Any) -> Any:
    """Whether a line, as it begins, is no continuation of a row that has its answer: it is empty, or its first word (behind
    blanks and quote marks) is no hexadecimal number, and holds nothing that some tool may have put there."""
    c = int(buf[p])
    if c == 10 or (c == 13 and buf[p + 1] == 10):
        return True
    begin = p
    while (c == 32 or c == 9 or c == 62) and p - begin < 8:
        p += 1
        c = int(buf[p])
    if c == 35 or c == 91 or 103 <= c <= 122:
        return True
    if 65 <= c <= 90:
        for i in range(1, 4):  # AB>
            c = int(buf[p + i])
            if c == 10 or c == 13:
                return True
            # & < = > \ ^ ` |
            if c < 32 or c > 126 or c == 38 or 60 <= c <= 62 or c == 92 or c == 94 or c == 96 or c == 124:
                return False
        return True
    for i in range(16):
        c = int(buf[p + i])
        if c == 95 or 65 <= c <= 90 or 103 <= c <= 122:
            return i > 0
        if not (97 <= c <= 102 or (48 <= c <= 57 and i > 0)):
            return False
    return False


def holds_answer(buf: Any, p: Any) -> Any:
    """Whether a line has what may be the end of a row without an answer: ``>``, or ``RMI_`` or ``RSI_``."""
    while buf[p] != 10:
        c = buf[p]
        if c == 62 or c == 38 or c > 126 or (c == 82 and (buf[p + 1] == 77 or buf[p + 1] == 83) and buf[p + 2] == 73):
            return True
        p += 1
    return False


def same_text(buf: Any, p: Any, text: Any, begin: Any, size: Any) -> Any:
    """Whether these bytes of ``text`` stand at ``p``."""
    i = 0
    while i < size and buf[p + i] == text[begin + i]:
        i += 1
    return i == size


def spdm_end(buf: Any, p: Any, texts: Any, texts_at: Any) -> Any:
    """Where a line of libspdm (``libspdm_send_spdm_request[0] msg SPDM_GET_VERSION(0x84), size (0x4): ``) ends, -1 where it is
    none, or not in that very form. Text 0 and 1 begin it, 2 and 3 stand behind the session and behind the number."""
    p += 8
    which = 0
    while which < 2 and not same_text(buf, p, texts, texts_at[which], texts_at[which + 1] - texts_at[which]):
        which += 1
    if which == 2:
        return -1
    p += texts_at[which + 1] - texts_at[which]
    begin = p
    while (48 <= buf[p] <= 57 or 97 <= buf[p] <= 102) and p - begin < 9:
        p += 1
    size = texts_at[3] - texts_at[2]
    if p == begin or p - begin > 8 or not same_text(buf, p, texts, texts_at[2], size):
        return -1
    p += size
    begin = p
    while (65 <= buf[p] <= 90 or buf[p] == 95 or 48 <= buf[p] <= 57) and p - begin < 64:
        if buf[p] == 95 and buf[p - 1] == 67:  # SMC_, the name of a row
            return -1
        p += 1
    if p == begin or buf[p] != 40 or buf[p + 1] != 48 or buf[p + 2] != 120:
        return -1
    p += 3
    begin = p
    while (48 <= buf[p] <= 57 or 97 <= buf[p] <= 102) and p - begin < 9:
        p += 1
    size = texts_at[4] - texts_at[3]
    if p == begin or not same_text(buf, p, texts, texts_at[3], size):
        return -1
    p += size
    begin = p
    while (48 <= buf[p] <= 57 or 97 <= buf[p] <= 102) and p - begin < 9:
        p += 1
    if p == begin or buf[p] != 41 or buf[p + 1] != 58:
        return -1
    p += 2
    return p + 1 if buf[p] == 32 else p


def numbers(buf: Any, p: Any, o_regs: Any, at: Any, count: Any) -> tuple[Any, Any]:
    """Read hexadecimal numbers with blanks between them into the registers from ``at + count`` on, x7 the last: (offset of the
    first byte that is neither, count with them). The offset is -1 where a number is none, or there are too many."""
    while True:
        while buf[p] == 32:
            p += 1
        c = int(buf[p])
        if not (48 <= c <= 57 or 97 <= c <= 102):
            return p, count
        value, digits = hexadecimal(buf, p)
        if digits == 0 or count > MOST:
            return -1, count
        if count < 8:
            o_regs[at + count] = value
        count += 1
        p += digits


def in_columns(buf: Any, p: Any, end: Any) -> Any:
    """Whether several blanks stand between two numbers: rows of 2022 are in fixed columns."""
    values = False
    while p < end and buf[p] != 32:
        p += 1
    for i in range(p, end - 1):
        if buf[i] != 32:
            values = True
            continue
        if values and buf[i + 1] == 32:
            k = i + 1
            while k < end and buf[k] == 32:
                k += 1
            if k < end:
                return True
    return False


ROWS = (begins_row, is_apart, holds_answer, same_text, spdm_end, numbers, in_columns)
"""The steps of this module."""
