"""The kernel that joins operations does, as it stands and compiled, what lists of open commands do."""

from __future__ import annotations

from typing import Any

import numpy as np

from rmitrace.formats import kernels
from rmitrace.lifecycle import operations_kernel
from rmitrace.lifecycle.operations import _joined


def by_lists(working: Any, over: Any, wrong: Any, wants: Any, handles: Any, unsaid: Any) -> tuple[list[int], list[int]]:
    """The command of each call, and the commands left open: each handle with a list of open commands, the latest last."""
    open_by: dict[int, list[int]] = {}
    waits, parent = wants.tolist(), [-1] * len(working)
    for k in range(len(working)):
        if not working[k]:
            open_by.setdefault(int(handles[k]), []).append(k)
            continue
        started = open_by.get(int(handles[k])) or open_by.get(int(unsaid[k]))
        if not started:
            continue
        parent[k] = started[-1]
        if wants[k] >= 0:
            waits[started[-1]] = int(wants[k])
        if over[k] and not (wrong[k] and waits[started[-1]] > 0):
            started.pop()
    return parent, sorted(k for started in open_by.values() for k in started)


def test_as_by_lists() -> None:
    """Of a few handles in two runs, some of them not said, some calls refused."""
    rng = np.random.default_rng(11)
    compiled = kernels.compiled(operations_kernel.join, operations_kernel.STEPS)
    for n in range(200):
        count = 1 + n % 30
        working, over, wrong = (rng.random(count) < p for p in (0.6, 0.4, 0.2))
        unsaid = rng.integers(0, 2, count) * 4
        handles = unsaid + rng.integers(0, 4, count)
        wants = rng.integers(-1, 3, count)
        before = wants.copy()
        expected = by_lists(working, over, wrong, wants, handles, unsaid)
        for kernel in (None, compiled, operations_kernel.join):
            found = _joined(working, over, wrong, wants, handles, unsaid, kernel)
            assert (found[0].tolist(), found[1].tolist()) == expected
        assert np.array_equal(wants, before)
