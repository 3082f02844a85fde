"""Texts looked for in the digits of many numbers, without writing them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.encoding_fast import Repaid
from ..formats.kernel_code import Kernel
from . import digits_kernel
from .gaps import WHOLE, Part

Flags = npt.NDArray[np.bool_]

_LONGEST = {16: 16, 10: 20}
_REPAID = Repaid(digits_kernel.holds, digits_kernel.STEPS, waits=False)


def within(values: Any, part: Part) -> Flags:
    """In which of some numbers a text is found, as ``part.gap`` writes them: 0x1f, or 31."""
    text, base = part.text, part.gap.base
    values = values if part.gap.mask == WHOLE else values & np.uint64(part.gap.mask)
    nowhere = np.zeros(len(values), dtype=bool)
    start = part.start
    if base == 16:
        start = start or text[:1] == "x" or text[:2] == "0x"
        if start:
            text = "0" + text if text[:1] == "x" and not part.start else text
            if len(text) <= 2:
                return np.full(len(values), "0x".startswith(text) and not part.end, dtype=bool)
            if text[:2] != "0x":
                return nowhere
            text = text[2:]
        if "x" in text:
            return nowhere
    if text == "0" and base == 16 and not start and not part.end:  # all begin with 0x
        return ~nowhere
    size = len(text)
    if size > _LONGEST[base] or int(text, base) > WHOLE:
        return nowhere
    return _digits_in(values, text, base, start, part.end) if len(values) else nowhere


def _digits_in(values: Any, text: str, base: int, start: bool, end: bool) -> Flags:
    """In which of some numbers digits are found: at their beginning, at their end, or anywhere."""
    kernel = _REPAID.kernel(len(values))
    if kernel is not None:
        return by(kernel, values, text, base, start, end)
    wanted, size, highest = int(text, base), len(text), int(values.max())
    found: Flags = np.zeros(len(values), dtype=bool)
    for at in range(1 if end else _LONGEST[base] + 1 - size):
        low, step = wanted * base**at, base**at
        if low > highest:
            break
        if start:  # the numbers from low on that have ``at`` more digits
            if text[0] != "0":
                found |= (values >= np.uint64(low)) & (values - np.uint64(low) < np.uint64(step))
            elif text == "0" and at == 0:
                found |= values == 0
            continue
        hits = _lowest(_above(values, at, base), size, base) == np.uint64(wanted)
        if text[0] == "0" and size + at > 1:  # 0x1f is not written with zeros in front
            hits &= values >= np.uint64(min(base ** (size + at - 1), WHOLE))
        found |= hits
    return found


def by(kernel: Kernel, values: Any, text: str, base: int, start: bool, end: bool) -> Flags:
    """The same by a form of digits_kernel.holds."""
    wanted, size = int(text, base), len(text)
    places = 1 if end else _LONGEST[base] + 1 - size
    if start and text[0] == "0":
        places = int(text == "0")
        values = np.minimum(values, np.uint64(1))  # no other number begins with it
    modulus = base**size if base**size <= WHOLE else 0
    out = np.empty(len(values), dtype=bool)
    numbers = (np.uint64(n) for n in (wanted, modulus, base ** (size - 1)))
    kernel(np.ascontiguousarray(values), len(values), *numbers, places, np.uint64(base), int(start), int(text[0] == "0"), out)
    return out


def prepare(calls: int) -> None:
    """Have compiled code made where it will be repaid by so many calls: in a process that nobody waits for."""
    if (kernel := _REPAID.compiled(calls)) is not None:
        by(kernel, np.zeros(1, dtype=np.uint64), "1", 16, False, False)


def _above(values: Any, at: int, base: int) -> Any:
    """The digits of numbers in front of the last ``at``, which is less than how many they can have."""
    if at == 0:
        return values
    return values >> np.uint64(4 * at) if base == 16 else values // np.uint64(10**at)


def _lowest(values: Any, size: int, base: int) -> Any:
    """The last digits of numbers."""
    if base**size > WHOLE:
        return values
    return values & np.uint64(16**size - 1) if base == 16 else values % np.uint64(10**size)
