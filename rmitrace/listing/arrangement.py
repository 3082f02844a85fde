"""What the screen needs to know of all calls before it can show some: where each stands in the list, and in which lane."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import numpy as np
import numpy.typing as npt

from ..formats.kernels import cores
from ..lifecycle.table import SequenceTable
from .assigning import Assigned, by_object
from .laneset import LaneSet
from .overview import Overview, overview
from .segments import Ints, Segments, cut

_MANY = 200_000
"""Calls from which on their objects are looked up on the other core."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The calls of a capture in the order of its list, and by the objects that they are about.

    lines      ascending, the call before which each line stands that is no call (the number of calls: at the end)
    segments   the list, with these lines in it
    assigned   the lanes of objects
    before     of each lane the calls before every LaneSet.EVERY ones; shape (blocks + 1, lanes)
    overview   what is told of all calls
    """

    lines: Ints
    segments: Segments
    assigned: Assigned
    before: npt.NDArray[np.int32]
    overview: Overview


def arrange(capture: Any, sequences: SequenceTable) -> Arrangement:
    """The calls of a capture under these sequences of it."""
    calls = len(capture.calls)
    lines = lines_of(capture)
    with _objects_meanwhile(capture):
        segments = cut(calls, sequences, lines)
    assigned = by_object(capture, segments.owner, sequences)
    return Arrangement(lines, segments, assigned, LaneSet(assigned[1], len(assigned[0])).before, overview(capture.calls))


def lines_of(capture: Any) -> Ints:
    """Ascending, the call before which each line of a capture stands that is no call."""
    return np.clip(np.sort(capture.marks().before_call), 0, len(capture.calls))  # type: ignore[no-any-return]


@contextmanager
def _objects_meanwhile(capture: Any) -> Iterator[None]:
    """Look up the objects of a long capture on the other core."""
    looking = Thread(target=capture.objects, daemon=True) if len(capture.calls) > _MANY and cores() > 1 else None
    if looking is not None:
        looking.start()
    yield
    if looking is not None:
        looking.join()
