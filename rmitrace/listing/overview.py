"""What is told of the calls of a capture as a whole, worked out some of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..capture.records import NO_TIME, Kind

_AT_ONCE = 1 << 17


@dataclass(frozen=True, slots=True)
class Overview:
    """first_ns     the earliest time of a call, None where none has one
    rising       every call has a time, and none an earlier one than the call before it
    cpus, tasks  whether there are no (0), one or several (2) different ones
    failed       calls that failed
    """

    first_ns: int | None
    rising: bool
    cpus: int
    tasks: int
    failed: int


def overview(calls: Any) -> Overview:
    """What is told of the columns of some calls."""
    first, rising = times(calls.ts)
    failed = sum(int(np.count_nonzero(part)) for part in parts(calls.failed))
    return Overview(first, rising, kinds(calls.cpu), kinds(calls.pid), failed)


def times(ts: Any) -> tuple[int | None, bool]:
    """The earliest of some times, None where there is none, and whether all are known and none is below the one before it."""
    first, rising, last = None, True, NO_TIME
    for part in parts(ts):
        known = part[part != NO_TIME]
        if len(known):
            first = int(known.min()) if first is None else min(first, int(known.min()))
        rising &= len(known) == len(part) and int(part[0]) >= last and bool((part[1:] >= part[:-1]).all())
        last = int(part[-1])
    return first, rising


def kinds(values: Any) -> int:
    """Whether there are no (0), one or several (2) different values from 0 on."""
    least = most = -1
    for part in parts(values):
        known = part[part >= 0]
        if len(known):
            least, most = min(least, int(known.min())) if least >= 0 else int(known.min()), max(most, int(known.max()))
    return 0 if most < 0 else 1 if least == most else 2


def lost(capture: Any) -> tuple[int, bool]:
    """How many events the tracers say they lost, and whether it can be more."""
    total, more = 0, False
    for s in capture.sources:
        values = s.records.regs[s.records.of_kind(Kind.LOST), 0]
        total += int(values.sum(dtype=np.uint64)) if len(values) else 0
        more |= bool((values == 0).any())
    return total, more


def parts(values: Any) -> Iterator[Any]:
    """Values of a column, some at a time."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
