"""Lanes, cells and windows of the timeline, with places worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from rmitrace.capture.records import NO_TIME
from rmitrace.lifecycle.members import table_of
from rmitrace.lifecycle.model import Sequence
from rmitrace.lifecycle.objects import KINDS
from rmitrace.tui.axis import time_axis
from rmitrace.tui.lanes import GRANULES, MAX_LANES, MORE, MORE_CPUS, OTHER, Span, Timeline


class Columns(SimpleNamespace):
    def __len__(self) -> int:
        return len(self.ts)


def capture(
    ts: list[int],
    objects: list[str] | None = None,
    failed: tuple[int, ...] = (),
    cpu: list[int] | None = None,
    sequences: tuple[Any, ...] = (),
    dur: int = -1,
) -> Any:
    n = len(ts)
    names = objects or [""] * n
    kind = np.array([KINDS.index(o.partition(":")[0]) for o in names], dtype=np.int8)
    addr = np.array([int(o.partition(":")[2] or "0", 16) for o in names], dtype=np.uint64)
    bad = np.zeros(n, dtype=bool)
    bad[list(failed)] = True
    calls = Columns(
        ts=np.array(ts, dtype=np.int64),
        dur=np.full(n, dur, dtype=np.int64),
        cpu=np.array(cpu if cpu is not None else [0] * n, dtype=np.int32),
        failed=bad,
    )
    return SimpleNamespace(calls=calls, sequences=table_of(sequences), objects=lambda: SimpleNamespace(kind=kind, addr=addr))


def drawn(of: Any, owner: Any, **kw: Any) -> Timeline:
    return Timeline(of, owner, of.sequences, **kw)


def seq(obj: str, first: int, last: int, outcome: str = "ok") -> Sequence:
    return Sequence("connect", obj, first, last, None, None, outcome, (), "", 0, np.array([first, last]))


def lone(n: int) -> Any:
    return np.full(n, -1, dtype=np.int32)


def noted(n: int) -> Any:
    return np.arange(n)


def none(n: int) -> Any:
    return np.zeros(n, dtype=bool)


def test_axis_starts_at_the_first_time_and_fills_gaps() -> None:
    axis = time_axis(np.array([NO_TIME, 1000, NO_TIME, 3000, 2500]))
    assert axis is not None
    assert axis[np.arange(5)].tolist() == [0, 0, 0, 2000, 2000]
    assert time_axis(np.array([NO_TIME, NO_TIME])) is None
    assert time_axis(np.array([5, 5])) is None


def test_without_times_the_axis_is_the_order() -> None:
    t = drawn(capture([NO_TIME] * 4), lone(4))
    assert t.ordered
    assert not t.timed
    assert t.full == (0.0, 3.0)


def test_cells_count_and_an_error_always_shows() -> None:
    # 0..99 ns over 10 cells of 9.9 ns: call 25 (failed) falls into cell 2, call 99 into the last
    t = drawn(capture(list(range(100)), failed=(25,)), lone(100))
    cells = t.cells(10)
    assert cells.calls.tolist() == [[10] * 10]
    assert cells.failed.tolist() == [[i == 2 for i in range(10)]]
    one = t.cells(1)
    assert one.failed.tolist() == [[True]]


def many(n: int, failed: tuple[int, ...] = ()) -> Any:
    """Calls every microsecond, about a hundred objects in turn."""
    calls = np.arange(n)
    bad = np.isin(calls, failed)
    columns = Columns(ts=calls * 1000, dur=np.full(n, -1), cpu=np.zeros(n, dtype=np.int32), failed=bad)
    objects = SimpleNamespace(
        kind=np.full(n, KINDS.index("pdev"), dtype=np.int8), addr=(calls // 7 % 100 + 1).astype(np.uint64) * np.uint64(0x1000)
    )
    return SimpleNamespace(calls=columns, sequences=table_of([]), objects=lambda: objects)


def test_one_error_in_a_million_calls_shows_at_any_zoom() -> None:
    n, bad = 1_000_000, 654_321
    t = drawn(many(n, (bad,)), lone(n))
    lane = bad // 7 % 100
    while True:
        lo, hi = t.window
        cells = t.cells(79)
        # the cell of 654321 us among 79 between lo and hi
        assert np.argwhere(cells.failed).tolist() == [[lane, int((bad * 1000 - lo) / (hi - lo) * 79)]]
        assert t.call_at(lane, int(np.flatnonzero(cells.failed[lane])[0]), 79) == bad
        t.zoom(7.0, bad * 1000.0)
        if t.window == (lo, hi):
            break
    assert hi - lo == 10.0
    assert cells.calls.sum() == 1


def test_the_timeline_of_a_million_calls_takes_few_bytes_a_call() -> None:
    n = 1_000_000
    t = drawn(many(n), lone(n))
    assert len(t.lanes) == 100
    counts = t._all.before
    assert t.lane_of.nbytes + counts.nbytes < 2 * n
    assert counts.dtype == np.int32


def test_filter_leaves_out_of_the_cells() -> None:
    t = drawn(capture(list(range(10)), failed=(3,)), lone(10), noted=noted(10))
    mask = none(10)
    mask[7] = True
    t.filter(mask)
    cells = t.cells(10)
    assert cells.calls.sum() == 1
    assert not cells.failed.any()
    assert cells.noted.sum() == 1


def test_findings_that_come_under_a_filter_show_where_it_lets_them_through() -> None:
    t = drawn(capture(list(range(10)), failed=(3, 8)), lone(10))
    mask = np.arange(10) >= 5
    t.filter(mask)
    t.note(t.listed(np.array([2, 7])), mask)
    cells = t.cells(10)
    assert np.flatnonzero(cells.noted[0]).tolist() == [7]
    assert np.flatnonzero(cells.failed[0]).tolist() == [8]
    assert np.flatnonzero(cells.calls[0]).tolist() == [5, 6, 7, 8, 9]
    t.filter(None)
    assert np.flatnonzero(t.cells(10).noted[0]).tolist() == [2, 7]


def test_a_gap_of_a_year_costs_nothing() -> None:
    year = 365 * 24 * 3600 * 10**9
    t = drawn(capture([0, 1, 2, year]), lone(4))
    assert t.cells(80).calls.tolist()[0] == [3] + [0] * 78 + [1]
    t.zoom(1e18, 0)
    lo, hi = t.window
    assert hi - lo == 10.0
    assert t.cells(10).calls.sum() == 3


def test_zoom_keeps_its_centre_and_pan_stays_inside() -> None:
    t = drawn(capture(list(range(0, 1001, 10))), lone(101))
    t.zoom(2, 500)
    assert t.window == (250.0, 750.0)
    assert t.magnification == 2
    t.pan(0.5)
    assert t.window == (500.0, 1000.0)
    t.pan(5)
    assert t.window == (500.0, 1000.0)
    t.pan(-9)
    assert t.window == (0.0, 500.0)
    assert t.follow(900)
    assert t.window == (500.0, 1000.0)
    assert not t.follow(600)
    t.whole()
    assert t.window == (0.0, 1000.0)
    t.zoom(0.5, 0)
    assert t.window == (0.0, 1000.0)


def test_lanes_by_object() -> None:
    names = ["", "granule:0x1000", "pdev:0x2000", "granule:0x3000", "vdev:0x4000", "pdev:0x2000", ""]
    t = drawn(capture(list(range(7)), names), lone(7))
    assert [lane.label for lane in t.lanes] == ["pdev:0x2000", "vdev:0x4000", GRANULES, OTHER]
    assert t.lane_of.tolist() == [3, 2, 0, 2, 1, 0, 3]


def test_a_call_in_a_sequence_is_in_the_lane_of_its_object() -> None:
    owner = lone(3)
    owner[1:] = 0
    t = drawn(capture([0, 1, 2], ["", "granule:0x1000", ""], sequences=(seq("pdev:0x2000", 1, 2),)), owner)
    assert [lane.label for lane in t.lanes] == ["pdev:0x2000", OTHER]
    assert t.lane_of.tolist() == [1, 0, 0]


def test_lanes_by_cpu() -> None:
    t = drawn(capture([0, 1, 2], cpu=[3, -1, 0], sequences=(seq("pdev:0x1", 0, 2),)), lone(3), cpus=True)
    assert [lane.label for lane in t.lanes] == ["CPU 3", "CPU unknown", "CPU 0"]
    assert t.lanes[0].sequences.tolist() == [0]


def test_a_hostile_capture_does_not_get_a_lane_for_each_call() -> None:
    n = 5000
    t = drawn(capture(list(range(n)), [f"pdev:0x{i:x}000" for i in range(n)]), lone(n))
    assert len(t.lanes) == MAX_LANES + 1
    assert t.lanes[-1].label == MORE
    assert int((t.lane_of == MAX_LANES).sum()) == n - MAX_LANES
    c = drawn(capture(list(range(n)), cpu=list(range(n))), lone(n), cpus=True)
    assert len(c.lanes) == MAX_LANES + 1
    assert MORE_CPUS in [lane.label for lane in c.lanes]


def test_spans_in_the_window() -> None:
    # 0..100 ns over 10 cells
    c = capture(
        list(range(0, 101, 10)), ["pdev:0x1000"] * 11, sequences=(seq("pdev:0x1000", 0, 3), seq("pdev:0x1000", 5, 10, "failed"))
    )
    t = drawn(c, lone(11))
    assert t.spans(0, 10) == [Span(0, 0, 3), Span(1, 5, 9)]
    t.zoom(2, 0)  # 0..50: the second one begins in the last cell and ends outside
    assert t.spans(0, 10) == [Span(0, 0, 6), Span(1, 9, 10)]


def test_of_spans_in_one_cell_the_failed_one_shows() -> None:
    seqs = tuple(seq("pdev:0x1000", i, i, "failed" if i == 40 else "ok") for i in range(100))
    t = drawn(capture(list(range(100)), ["pdev:0x1000"] * 100, sequences=seqs), lone(100))
    spans = t.spans(0, 2)
    assert len(spans) == 2
    assert Span(40, 0, 0) in spans


def test_call_at_prefers_the_failed_one() -> None:
    t = drawn(capture(list(range(100)), failed=(25, 27)), lone(100))
    assert t.call_at(0, 2, 10) == 25
    assert t.call_at(0, 0, 10) == 0
    mask = none(100)
    mask[[1, 99]] = True
    t.filter(mask)
    assert t.call_at(0, 0, 10) == 1
    assert t.call_at(0, 2, 10) is None
    assert t.call_at(0, 9, 10) == 99
