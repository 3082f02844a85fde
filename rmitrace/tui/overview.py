"""What is told of a capture as a whole, worked out some values at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..capture.model import Capture
from ..capture.records import Kind

_AT_ONCE = 1 << 17


def least(values: Any, none: int) -> int | None:
    """The least value that is not ``none``; None where there is none."""
    found = None
    for start in range(0, len(values), _AT_ONCE):
        part = values[start : start + _AT_ONCE]
        known = part[part != none]
        if len(known):
            found = int(known.min()) if found is None else min(found, int(known.min()))
    return found


def kinds(values: Any) -> int:
    """Whether there are no (0), one or several (2) different values from 0 on."""
    most = int(values.max()) if len(values) else -1
    if most < 0:
        return 0
    return 1 if least(values, -1) == most else 2


def lost(capture: Capture) -> tuple[int, bool]:
    """How many events the tracers say they lost, and whether it can be more."""
    total, more = 0, False
    for s in capture.sources:
        at = np.flatnonzero(s.records.kind == Kind.LOST)
        values = s.records.regs[at, 0]
        total += int(values.sum(dtype=np.uint64)) if len(values) else 0
        more |= bool((values == 0).any())
    return total, more
