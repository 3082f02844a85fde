"""Steps of many sequences at once: calls with one purpose behind each other, and which failures of theirs lasted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

MAX_RUNS = 24
"""Runs of one purpose that are steps of their own; where there are more, a step is all calls of its purpose."""


def runs(sequence: I64, label: I64) -> tuple[I64, I64, I64]:
    """The steps of sequences whose calls lie behind each other: label and sequence of each step, and the step of each call.

    sequence, label   of each call, the sequences ascending
    """
    if not len(sequence):
        return label, sequence, label
    head = np.concatenate([[True], (sequence[1:] != sequence[:-1]) | (label[1:] != label[:-1])])
    step = np.cumsum(head, dtype=sequence.dtype) - 1
    first = np.flatnonzero(head)
    many = np.bincount(sequence[first], minlength=int(sequence[-1]) + 1) > MAX_RUNS
    if not many.any():
        return label[first], sequence[first], step
    # all calls of one purpose, in order of the first of them
    key = np.where(many[sequence[first]], label[first], np.arange(len(first)) + int(label.max()) + 1)
    width = int(key.max()) + 1
    _, earliest, same = np.unique(sequence[first].astype(np.int64) * width + key, return_index=True, return_inverse=True)
    order = np.argsort(earliest, kind="stable")
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    kept = first[earliest[order]]
    return label[kept], sequence[kept], number[same.reshape(-1)][step]


def lasting_failures(step: I64, name: Any, failed: npt.NDArray[np.bool_]) -> dict[int, int]:
    """For each step with one, the first call that failed and was not done again with success; place in the arrays."""
    bad = np.flatnonzero(failed)
    if not len(bad):
        return {}
    width = int(name.max()) + 1
    near = np.zeros(int(step.max()) + 1, dtype=bool)
    near[step[bad]] = True
    wrong = step[bad].astype(np.int64) * width + name[bad]
    keys = np.unique(wrong)
    good = np.flatnonzero(~failed & near[step])
    right = step[good].astype(np.int64) * width + name[good]
    good, right = (c[np.isin(right, keys)] for c in (good, right))
    last_good = np.full(len(keys), -1, dtype=np.int64)
    np.maximum.at(last_good, np.searchsorted(keys, right), good)
    lasting = bad[bad > last_good[np.searchsorted(keys, wrong)]]
    steps, first = np.unique(step[lasting], return_index=True)
    return dict(zip(steps.tolist(), lasting[first].tolist(), strict=True))
