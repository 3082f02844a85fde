"""Registers of calls, read together, are those of each call as it is decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import OpenOptions, open_capture
from rmitrace.capture.call_registers import CallRegisters

CAPTURES = Path(__file__).parents[3] / "captures"


@pytest.mark.parametrize(
    "name", ["ftrace/lost.trace_pipe.txt", "ftrace/recommended.trace.txt", "rmm/tf-rmm-head-errors.calls.jsonl.xz"]
)
@pytest.mark.parametrize("every", [1, 3, 40])
def test_as_each_call_has_them(name: str, every: int) -> None:
    capture = open_capture([str(CAPTURES / name)], OpenOptions(cache=False))
    n = len(capture)
    some = np.arange(0, n, every)
    for calls, of in ((some, some.tolist()), (slice(n // 3, n), range(n // 3, n))):
        registers = CallRegisters(capture, calls)
        for number in (0, 1, 4, 9):
            for out in (False, True):
                values, known = registers.of(number, out=out)
                sides = [(c.r if out else c.x) or () for c in map(capture.call, of)]
                expected = [s[number] if number < len(s) else None for s in sides]
                assert [int(v) if k else None for v, k in zip(values, known, strict=True)] == expected
                assert not values[~known].any()
                for wanted in (0, 5, next((v for v in expected if v), 1)):
                    these = registers.those(number, lambda values, w=wanted: values == np.uint64(w), out=out)  # type: ignore[misc]
                    assert these.tolist() == [v == wanted for v in expected]
