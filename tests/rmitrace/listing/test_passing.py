"""The kernels that count what passes a filter, as they stand and compiled, say what counting one by one says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rmitrace.formats import kernels
from rmitrace.listing import passing, passing_kernel
from rmitrace.listing.laneset import LaneSet
from rmitrace.listing.segments import RowKind, Segments


def forms(name: str) -> list[Any]:
    """A kernel as it stands, and compiled."""
    function = getattr(passing_kernel, name)
    return [function, kernels.compiled(function, passing_kernel.STEPS)]


def random_segments(rng: Any, count: int, calls: int) -> Segments:
    """Runs of calls, some of none, with headings and lines between them."""
    out = Segments(calls)
    kind = rng.choice([RowKind.CALL] * 5 + [RowKind.SEQUENCE, RowKind.STEP, RowKind.LINE], count)
    place = np.sort(rng.integers(0, calls + 1, count))
    place[0] = 0
    step = rng.integers(-1, 40, count)
    for column, values in (
        (out.kind, kind),
        (out.ref, np.zeros(count)),
        (out.place, place),
        (out.sequence, np.where(step >= 0, step // 2, rng.integers(-1, 20, count))),
        (out.step, step),
    ):
        column.append(values)
    return out


@pytest.mark.parametrize("shown", [0.0, 0.02, 0.7, None])
@pytest.mark.parametrize("lines", [True, False])
def test_rows_of_blocks(shown: float | None, lines: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    monkeypatch.setattr(passing, "_AT_ONCE", 64)  # several parts, on all cores
    s = random_segments(rng, 1001, 30_000)
    flags = None if shown is None else rng.random(30_000) < shown
    folded = rng.random(20) < 0.6, rng.random(40) < 0.6
    totals, sequences, steps = [0] * 126, set(), set()
    for i in range(1001):
        begin, end = int(s.place[i]), int(s.place[i + 1]) if i < 1000 else 30_000
        kind, of, step = s.kind[i], int(s.sequence[i]), int(s.step[i])
        if kind == RowKind.CALL:
            many = end - begin if flags is None else sum(flags[begin:end].tolist())
            if many:
                sequences.add(of)
                steps.add(step)
        elif kind == RowKind.LINE:
            many = int(lines)
        else:
            continue
        if (of < 0 or not folded[0][of]) and (step < 0 or not folded[1][step]):
            totals[i // 8] += many
    for kernel in forms("rows"):
        found = passing.rows_by(kernel, s, flags, folded, 8, lines=lines)
        assert found.totals.tolist() == totals
        assert set(np.flatnonzero(found.sequences).tolist()) == sequences - {-1}
        assert set(np.flatnonzero(found.steps).tolist()) == steps - {-1}


@pytest.mark.parametrize("calls", [1, 15, 16, 1000])
def test_calls_of_lanes(calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(calls)
    monkeypatch.setattr(passing, "_AT_ONCE", 32)
    lane = rng.integers(0, 7, calls).astype(np.int16)
    flags = rng.random(calls) < 0.5
    for kernel in forms("lanes"):
        before = passing.lanes_by(kernel, lane, flags, 7, 16)
        assert len(before) == -(-calls // 16) + 1
        for i, row in enumerate(before.tolist()):
            assert row == [int(np.count_nonzero(flags[: i * 16] & (lane[: i * 16] == k))) for k in range(7)]


def test_places_of_calls_that_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "_AT_ONCE", 16)
    rng = np.random.default_rng(2)
    s, mask, order = random_segments(rng, 3, 100), rng.random(100) < 0.5, rng.permutation(100)
    assert passing.places(s, mask).tolist() == mask.tolist()
    s.order = order
    assert passing.places(s, mask).tolist() == [bool(mask[c]) for c in order.tolist()]


def test_a_set_of_calls_with_a_flag_keeps_their_lanes() -> None:
    lane, mask = np.array([3, 1, 2, 1, 0], dtype=np.int16), np.array([True, False, True, True, False])
    some = LaneSet(lane, 4, calls=np.array([0, 1, 3])).of_these(mask)
    assert some.cells(np.array([0, 2, 5])).tolist() == [[0, 0], [0, 1], [0, 0], [1, 0]]
    assert (some.first(1, 0, 5), some.last(3, 0, 5), some.first(2, 0, 5)) == (3, 0, None)


def test_kernels_are_made_ahead_only_where_that_is_repaid(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def compiled(function: Any, steps: Any, **_: Any) -> Any:
        asked.append(function.__name__)
        return function

    monkeypatch.setattr(kernels, "compiled", compiled)
    passing.prepare(1000)
    assert asked == []
    passing.prepare(10_000_000)
    assert asked == ["rows", "lanes"]
