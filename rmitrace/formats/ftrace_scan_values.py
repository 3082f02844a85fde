"""The values of an event for the kernel over trace text: the place of the probe, named numbers, registers of a breakpoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from .kernel_steps import hexadecimal, word

_PLACE_MAX = 512
_TOP = np.uint64(0xFFFFFFFFFFFFFFFF)
_MINUS_MOST = np.uint64(0x8000000000000000)
_0X0, _THREE = np.uint64(0x307830), np.uint64(0xFFFFFF)
_0X, _TWO = np.uint64(0x7830), np.uint64(0xFFFF)
_FOURTH, _BELOW_0 = np.uint64(0xFF000000), np.uint64(0x30000000)
_ZERO, _ONE, _TEN, _FOUR = (np.uint64(n) for n in (0, 1, 10, 4))


def place_end(buf: Any, p: Any, end: Any, arrow: Any) -> Any:
    """The offset behind the ``(place)`` of a probe, -1 where there is none or where it is not of that kind.

    arrow  it is printed as ``(a <- b)``
    """
    while p < end and buf[p] == 32:
        p += 1
    if p >= end or buf[p] != 40:
        return -1
    begin = p + 1
    p += 1
    back = 0
    while p < end and p - begin <= _PLACE_MAX:
        c = int(buf[p])
        if c == 41 or c == 40 or c == 10:
            break
        if c == 60 and buf[p - 1] == 32 and p + 2 < end and buf[p + 1] == 45 and buf[p + 2] == 32:
            back = 1
        p += 1
    if p >= end or buf[p] != 41 or p == begin or p - begin > _PLACE_MAX or back != arrow:
        return -1
    return p + 1


def hex_of(buf: Any, p: Any, end: Any, upper: Any) -> tuple[Any, Any]:
    """(value, offset behind it) of hexadecimal digits (``upper``: of either case); the offset is -1 where there is none or
    where there are more than 16."""
    value, begin = np.uint64(0), p
    while p < end and p - begin < 17:
        c = int(buf[p])
        if 48 <= c <= 57:
            c -= 48
        elif 97 <= c <= 102:
            c -= 87
        elif upper and 65 <= c <= 70:
            c -= 55
        else:
            break
        value = value << _FOUR | np.uint64(c)
        p += 1
    return value, p if 0 < p - begin <= 16 else -1


def number_of(buf: Any, p: Any, end: Any) -> tuple[Any, Any]:
    """(value, offset behind it) of a number as ftrace_line.number() reads it; the offset is -1 where there is none."""
    if p + 1 < end and buf[p] == 48 and buf[p + 1] == 120:
        return hex_of(buf, p + 2, end, True)
    value = np.uint64(0)
    minus = p < end and buf[p] == 45
    if minus:
        p += 1
    begin = p
    while p < end and 48 <= buf[p] <= 57 and p - begin < 20:
        digit = np.uint64(int(buf[p]) - 48)
        if value > (_TOP - digit) // _TEN:
            return value, -1
        value = value * _TEN + digit
        p += 1
    if p == begin or (minus and value > _MINUS_MOST):
        return value, -1
    if minus and value > _ZERO:
        value = _TOP - value + _ONE
    return value, p


def array(buf: Any, p: Any, end: Any, count: Any, reg: Any, o_regs: Any, n: Any) -> Any:
    """Read ``{v,v,...}`` of so many elements; the offset behind it, -1 where it is none, or has nothing but zeros, which may be
    what libtraceevent makes of an array."""
    if p >= end or buf[p] != 123:
        return -1
    p += 1
    something = False
    for i in range(count):
        value, p = number_of(buf, p, end)
        if p < 0 or p >= end or buf[p] != (44 if i < count - 1 else 125):
            return -1
        p += 1
        if 0 <= reg < 8:
            o_regs[n + reg] = value
        if reg >= 0:
            reg += 1
        something |= value > _ZERO
    return p if something else -1


def values(
    buf: Any, p: Any, end: Any, field: Any, last: Any, blob: Any, field_at: Any, field_len: Any, field_word: Any,
    field_mask: Any, field_zero: Any, zero_mask: Any, field_reg: Any, field_count: Any, o_regs: Any, n: Any,
) -> Any:  # fmt: skip
    """Read `` name=value`` of the fields from ``field`` to before ``last`` into the registers from ``n`` on; the offset behind
    them, -1 where something else stands there."""
    while field < last:
        size, reg = field_len[field], field_reg[field]
        w = word(buf, p)
        if w & zero_mask[field] == field_zero[field] and p + size + 3 < end:  # 0x0: most of them are
            c = buf[p + size + 3]
            if c == 32 or c == 10 or c == 13:
                if 0 <= reg < 8:
                    o_regs[n + reg] = _ZERO
                p += size + 3
                field += 1
                continue
        if p + size >= end or w & field_mask[field] != field_word[field]:
            return -1
        for i in range(8, size):
            if buf[p + i] != blob[field_at[field] + i]:
                return -1
        p += size
        if field_count[field] > 0:
            p = array(buf, p, end, field_count[field], reg, o_regs, n)
            if p < 0:
                return -1
        else:
            w = word(buf, p)
            value, digits = np.uint64(0), np.int64(0)
            if w & _THREE == _0X0 and w & _FOURTH < _BELOW_0:  # 0x0
                digits = np.int64(1)
            elif w & _TWO == _0X:
                value, digits = hexadecimal(buf, p + 2)
            if digits > 0:
                p += 2 + digits
            else:
                value, p = number_of(buf, p, end)
                if p < 0:
                    return -1
            if 0 <= reg < 8:
                o_regs[n + reg] = value
        if p < end and buf[p] != 32 and buf[p] != 10 and buf[p] != 13:
            return -1
        field += 1
    return p


def interrupt(buf: Any, p: Any, pos: Any, end: Any, o_regs: Any, n: Any, known: Any) -> Any:
    """Read ``ABI:2 x0:0x.. x1:0x.. .. pc:0x..`` somewhere behind ``p`` into the registers from ``n`` on; the offset of the line's
    end, -1 where they are not there or are not the registers ``known``."""
    while p + 5 < end and buf[p] != 10:
        if buf[p] == 65 and buf[p + 1] == 66 and buf[p + 2] == 73 and buf[p + 3] == 58:
            break
        p += 1
    if p + 5 >= end or buf[p] == 10 or not 48 <= buf[p + 4] <= 57 or buf[p + 5] != 32:
        return -1
    p += 5
    mask = 0
    while p < end and buf[p] != 10 and buf[p] != 13 and p - pos < 4096:
        if buf[p] == 32:
            p += 1
        elif buf[p] != 120:  # lr, sp, pc: not asked for
            while p < end and buf[p] > 32:
                p += 1
            if p < end and buf[p] != 32 and buf[p] != 10 and buf[p] != 13:
                return -1
        else:
            p += 1
            reg, digits = 0, p
            while p < end and 48 <= buf[p] <= 57 and p - digits < 2:
                reg = reg * 10 + int(buf[p]) - 48
                p += 1
            if p == digits or p + 2 >= end or buf[p] != 58 or buf[p + 1] != 48 or buf[p + 2] != 120:
                return -1
            value, p = hex_of(buf, p + 3, end, False)
            if p < 0 or (p < end and buf[p] != 32 and buf[p] != 10 and buf[p] != 13):
                return -1
            if reg < 8:
                o_regs[n + reg] = value
            if reg < 18:
                mask |= 1 << reg
    if mask != known or (p < end and buf[p] != 10 and buf[p] != 13):
        return -1
    return p


VALUES = (place_end, hex_of, number_of, array, values, interrupt)
"""The steps of this module."""
