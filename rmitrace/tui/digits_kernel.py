"""Digits looked for in many numbers, by a kernel: see digits.within for what is found."""

from __future__ import annotations

from typing import Any

import numpy as np

_TEN = np.uint64(10)
_0, _1, _4, _16 = (np.uint64(n) for n in (0, 1, 4, 16))


def holds(
    values: Any, count: Any, wanted: Any, modulus: Any, least: Any, places: Any, base: Any, whole: Any, zero: Any, out: Any
) -> Any:
    """Note in ``out`` which numbers hold digits; how many do.

    wanted   the digits as a number; ``modulus``: the base to the power of how many they are, 0 above 64 bits
    least    the least number of so many digits, from which on zeros in front of others are written
    places   how many digits may stand behind them
    whole    they stand at the beginning of the number; ``zero``: they begin with a zero
    """
    many = np.int64(0)
    for i in range(count):
        left = values[i]
        hit = False
        for _ in range(places):
            if left < wanted:
                break
            here = left == wanted if whole or modulus == _0 else left % modulus == wanted
            if here and (not zero or left >= least or (least == _1 and values[i] == _0)):
                hit = True
                break
            left = left >> _4 if base == _16 else left // _TEN
        out[i] = hit
        many += np.int64(hit)
    return many


STEPS = ()
