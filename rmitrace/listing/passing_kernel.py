"""What passes a filter, counted by a kernel: the rows of the list, and the calls of each lane."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.kernel_steps import ones, word

_CALL, _LINE = 0, 3
"""See segments.RowKind."""


def flagged(flags: Any, at: Any, end: Any) -> Any:
    """How many of the flags from one to in front of another are set, each a byte of 0 or 1."""
    many = np.int64(0)
    while at + 8 <= end:
        many += ones(word(flags, at))
        at += 8
    while at < end:
        many += np.int64(flags[at])
        at += 1
    return many


def rows(
    kind: Any, place: Any, sequence: Any, step: Any, count: Any, end: Any, flags: Any, every: Any, lines: Any,
    folded_sequence: Any, folded_step: Any, block: Any, of_sequence: Any, of_step: Any, totals: Any,
) -> None:  # fmt: skip
    """Count the rows of calls and of log lines that are visible of some segments, and note what has calls that pass.

    kind, place, sequence, step   columns of ``count`` segments; ``end``: the place of the one behind them
    flags       which calls pass, by their places; ``every``: all do
    lines       whether log lines are shown
    folded_*    which sequences and steps are folded, counted from 0 in the capture
    of_*        takes 1 for each sequence and step that has a call that passes
    totals      takes the rows of each ``block`` segments
    """
    for i in range(count):
        what = kind[i]
        if what != _CALL and (what != _LINE or not lines):
            continue
        s, t = sequence[i], step[i]
        many = np.int64(1)
        if what == _CALL:
            behind = place[i + 1] if i + 1 < count else end
            many = behind - place[i] if every else flagged(flags, place[i], behind)
            if many == 0:
                continue
            if s >= 0:
                of_sequence[s] = 1
            if t >= 0:
                of_step[t] = 1
        if (s < 0 or not folded_sequence[s]) and (t < 0 or not folded_step[t]):
            totals[i // block] += many


def lanes(lane: Any, flags: Any, count: Any, of: Any, every: Any, out: Any) -> None:
    """Count the calls that pass of each of ``of`` lanes, ``every`` calls into a row of ``out`` (flat) of their own."""
    at = row = 0
    while at < count:
        stop = min(at + every, count)
        for i in range(at, stop):
            out[row + lane[i]] += flags[i]
        at, row = stop, row + of


STEPS = (flagged,)
