"""What passes a filter of a long list, counted on all cores by compiled code where that is repaid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.encoding_fast import Repaid
from ..formats.kernel_code import Kernel
from ..formats.kernels import cores, in_order
from . import passing_kernel
from .segments import Segments

Flags = npt.NDArray[np.bool_]

_ROWS = Repaid(passing_kernel.rows, passing_kernel.STEPS, waits=False)
_LANES = Repaid(passing_kernel.lanes, passing_kernel.STEPS, waits=False)
_AT_ONCE = 1 << 16
"""Segments, or calls, that are counted together: their columns stay in the processor's cache."""


class Passing:
    """What passes, by the segments of a list.

    sequences, steps   which have a call that passes
    totals             visible rows of calls and lines of each ``block`` segments
    """

    def __init__(self, sequences: int, steps: int, blocks: int) -> None:
        self.sequences, self.steps = np.zeros(sequences, dtype=bool), np.zeros(steps, dtype=bool)
        self.totals = np.zeros(blocks, dtype=np.int64)


def rows_kernel(calls: int) -> Kernel | None:
    """What counts rows of so many calls, None where it is not repaid."""
    return _ROWS.kernel(calls)  # type: ignore[no-any-return]


def rows_by(
    kernel: Kernel, segments: Segments, flags: Flags | None, folded: tuple[Flags, Flags], block: int, *, lines: bool
) -> Passing:
    """Count by a form of passing_kernel.rows. ``flags``: the calls that pass, by their places, None: all; ``folded``: sequences
    and steps that are."""
    out = Passing(len(folded[0]), len(folded[1]), -(-len(segments) // block))
    each = max(_AT_ONCE // block, 1) * block
    passing = np.zeros(1, dtype=bool) if flags is None else flags

    def count(start: int, stop: int) -> None:
        s = segments
        end = int(s.place[stop]) if stop < len(s) else s.calls
        kernel(
            s.kind[start:stop], s.place[start:stop], s.sequence[start:stop], s.step[start:stop], stop - start, end,
            passing.view(np.uint8), int(flags is None), int(lines), *folded, block, out.sequences, out.steps,
            out.totals[start // block :],
        )  # fmt: skip

    _all(count, len(segments), each)
    return out


def lanes_kernel(calls: int) -> Kernel | None:
    """What counts so many calls by their lanes, None where it is not repaid."""
    return _LANES.kernel(calls)  # type: ignore[no-any-return]


def lanes_by(kernel: Kernel, lane_of: Any, flags: Flags, lanes: int, every: int) -> npt.NDArray[np.int32]:
    """Count by a form of passing_kernel.lanes: how many calls of each lane pass before each ``every`` calls, and behind the
    last."""
    calls = len(flags)
    before = np.zeros((-(-calls // every) + 1, lanes), dtype=np.int32)
    each = max(_AT_ONCE // every, 1) * every

    def count(start: int, stop: int) -> None:
        out = before[start // every + 1 : -(-stop // every) + 1].reshape(-1)
        kernel(lane_of[start:stop], flags[start:stop], stop - start, lanes, every, out)

    _all(count, calls, each)
    return np.cumsum(before, axis=0, out=before)


def _all(count: Any, total: int, each: int) -> None:
    parts = ((at, min(at + each, total)) for at in range(0, total, each))
    for _ in in_order(count, parts, cores() if total > each else 1):
        pass


def places(segments: Segments, mask: Flags) -> Flags:
    """Which places of a list hold calls that pass, of which calls do."""
    order = segments.order
    if order is None:
        return mask
    out = np.empty(len(mask), dtype=bool)

    def take(start: int, stop: int) -> None:
        np.take(mask, order[start:stop], out=out[start:stop], mode="clip")

    _all(take, len(mask), _AT_ONCE)
    return out


def prepare(calls: int) -> None:
    """Have compiled code made where it will be repaid by so many calls: in a process that nobody waits for."""
    one, segments = np.zeros(1, dtype=bool), Segments(1)
    for column in (segments.kind, segments.ref, segments.place, segments.sequence, segments.step):
        column.append([0])
    if (rows := _ROWS.compiled(calls)) is not None:
        rows_by(rows, segments, None, (one, one), 1, lines=False)
    if (lanes := _LANES.compiled(calls)) is not None:
        lanes_by(lanes, np.zeros(1, dtype=np.int16), one, 1, 1)
