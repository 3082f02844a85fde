"""The order and number of rows, worked out by hand for small cases and by counting for large ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from rmitrace.lifecycle.members import table_of
from rmitrace.lifecycle.model import Sequence, Step
from rmitrace.listing import passing, passing_kernel, segments
from rmitrace.tui import blocks, kept, rows
from rmitrace.tui.rows import Row, RowKind, Rows

C, S, T, L = RowKind.CALL, RowKind.SEQUENCE, RowKind.STEP, RowKind.LINE


@pytest.fixture(autouse=True, params=["long", "short", "by a kernel"])
def lengths(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything three times: all in one block and stretch, in as many as there can be, and these counted by a kernel."""
    if request.param == "by a kernel":
        monkeypatch.setattr(passing._ROWS, "ready", passing_kernel.rows)
        monkeypatch.setattr(passing, "_AT_ONCE", 4)
    if request.param != "long":
        for module, name, value in (
            (rows, "BLOCK", 2),
            (blocks, "BLOCK", 2),
            (blocks, "_TOGETHER", 2),
            (segments, "STRETCH", 1),
            (kept, "_EVERY", 3),
        ):
            monkeypatch.setattr(module, name, value)
    return


def seq(*steps: list[int], outcome: str = "ok", loose: tuple[int, ...] = ()) -> Sequence:
    calls = np.array(sorted({c for s in steps for c in s} | set(loose)))
    parts = tuple(Step("s", s[0], s[-1], outcome, "", np.array(s)) for s in steps)
    return Sequence("connect", "pdev:0x1000", int(calls[0]), int(calls[-1]), None, None, outcome, parts, "", 0, calls)


def made(n: int, sequences: list[Sequence], lines: np.ndarray | None = None, *, grouped: bool = True) -> Rows:
    return Rows(n, table_of(sequences), lines, grouped=grouped)


def shown(rows: Rows) -> list[tuple[RowKind, int, int]]:
    return [(r.kind, r.ref, r.depth) for r in (rows.at(i) for i in range(len(rows)))]


def unfolded(n: int, sequences: list[Sequence], lines: list[int] | None = None, **kw: bool) -> Rows:
    rows = made(n, sequences, np.array(lines or [], dtype=np.int64), **kw)
    rows.fold_all(False)
    return rows


def test_calls_alone() -> None:
    assert shown(made(3, [])) == [(C, 0, 0), (C, 1, 0), (C, 2, 0)]


def test_nothing() -> None:
    rows = made(0, [])
    assert len(rows) == 0
    assert rows.row_of_call(0) == 0
    with pytest.raises(IndexError):
        rows.at(0)


def test_sequence_with_steps_between_calls() -> None:
    rows = unfolded(6, [seq([1, 2], [3])])
    assert shown(rows) == [(C, 0, 0), (S, 0, 0), (T, 0, 1), (C, 1, 2), (C, 2, 2), (T, 1, 1), (C, 3, 2), (C, 4, 0), (C, 5, 0)]
    assert rows.at(5) == Row(T, 1, 1, 0, 1)


def test_folded_sequence_is_one_row_and_its_calls_are_found_there() -> None:
    rows = made(6, [seq([1, 2], [3])])
    assert shown(rows) == [(C, 0, 0), (S, 0, 0), (C, 4, 0), (C, 5, 0)]
    assert [rows.row_of_call(c) for c in range(6)] == [0, 1, 1, 1, 2, 3]


def test_folded_step() -> None:
    rows = unfolded(4, [seq([0, 1], [2, 3])])
    rows.fold(rows.at(1), True)
    assert shown(rows) == [(S, 0, 0), (T, 0, 1), (T, 1, 1), (C, 2, 2), (C, 3, 2)]
    assert rows.row_of_call(1) == 1
    rows.reveal(1)
    assert rows.row_of_call(1) == 3


def test_interleaved_sequences_are_each_in_one_piece() -> None:
    rows = unfolded(5, [seq([0, 2, 4]), seq([1, 3])])
    assert shown(rows) == [(S, 0, 0), (T, 0, 1), (C, 0, 2), (C, 2, 2), (C, 4, 2), (S, 1, 0), (T, 1, 1), (C, 1, 2), (C, 3, 2)]


def test_interleaved_steps_are_each_in_one_piece() -> None:
    rows = unfolded(4, [seq([0, 2], [1, 3])])
    assert [r[1] for r in shown(rows) if r[0] is C] == [0, 2, 1, 3]


def test_calls_of_a_sequence_outside_its_steps() -> None:
    rows = unfolded(3, [seq([1], loose=(0, 2))])
    assert shown(rows) == [(S, 0, 0), (C, 0, 1), (T, 0, 1), (C, 1, 2), (C, 2, 1)]


def test_overlapping_sequences_show_every_call_once() -> None:
    rows = unfolded(6, [seq([0, 1, 2, 3, 4]), seq([2, 3])])
    calls = [r[1] for r in shown(rows) if r[0] is C]
    assert sorted(calls) == [0, 1, 2, 3, 4, 5]
    assert rows.owner.tolist() == [0, 0, 1, 1, 0, -1]


def test_sequence_without_calls_of_its_own_keeps_its_heading() -> None:
    rows = unfolded(3, [seq([0, 1]), seq([0, 1])])
    assert [r for r in shown(rows) if r[0] is S] == [(S, 0, 0), (S, 1, 0)]


def test_lines_stand_before_their_call_at_the_right_depth() -> None:
    # before the first call; before a sequence; inside a step; before a step; at the end
    rows = unfolded(6, [seq([1, 2], [3, 4])], [0, 1, 2, 3, 6])
    assert shown(rows) == [
        (L, 0, 0),
        (C, 0, 0),
        (L, 1, 0),
        (S, 0, 0),
        (T, 0, 1),
        (C, 1, 2),
        (L, 2, 2),
        (C, 2, 2),
        (L, 3, 1),
        (T, 1, 1),
        (C, 3, 2),
        (C, 4, 2),
        (C, 5, 0),
        (L, 4, 0),
    ]
    rows.set_lines(False)
    assert not [r for r in shown(rows) if r[0] is L]
    assert len(rows) == 9


def test_lines_in_a_folded_sequence_are_folded() -> None:
    rows = made(4, [seq([1, 2])], np.array([2]))
    assert shown(rows) == [(C, 0, 0), (S, 0, 0), (C, 3, 0)]
    assert rows.row_of_line(0) == -1
    rows.reveal(2)
    assert rows.at(rows.row_of_line(0)).kind is L


def test_filter_keeps_headings_of_what_passes() -> None:
    rows = unfolded(8, [seq([1, 2], [3]), seq([5, 6])], [0])
    mask = np.zeros(8, dtype=bool)
    mask[[0, 3, 7]] = True
    rows.set_filter(mask)
    assert shown(rows) == [(C, 0, 0), (S, 0, 0), (T, 1, 1), (C, 3, 2), (C, 7, 0)]
    assert rows.row_of_call(3) == 3
    assert rows.row_of_call(5) in (3, 4)  # filtered out: a neighbour
    rows.set_filter(None)
    assert len(rows) == 8 + 2 + 3 + 1


def test_filter_that_nothing_passes() -> None:
    rows = unfolded(3, [seq([0, 1])])
    rows.set_filter(np.zeros(3, dtype=bool))
    assert len(rows) == 0
    assert rows.next_sequence(0, 1) == -1


def test_next_and_previous_sequence() -> None:
    rows = made(8, [seq([1, 2]), seq([4, 5])])  # rows: 0 | seq | 3 | seq | 6 7
    assert rows.next_sequence(0, 1) == 1
    assert rows.next_sequence(1, 1) == 3
    assert rows.next_sequence(3, 1) == -1
    assert rows.next_sequence(5, -1) == 3
    assert rows.next_sequence(1, -1) == -1


def test_only_the_first_failure_is_open_at_first() -> None:
    bad = seq([2], [3], outcome="failed")
    rows = made(8, [seq([0, 1]), bad, seq([5, 6], outcome="failed")])
    assert shown(rows) == [(S, 0, 0), (S, 1, 0), (T, 1, 1), (C, 2, 2), (T, 2, 1), (C, 4, 0), (S, 2, 0), (C, 7, 0)]


def test_ungrouped_is_the_order_of_calls() -> None:
    rows = made(4, [seq([0, 2])], grouped=False)
    assert shown(rows) == [(C, i, 0) for i in range(4)]


def test_calls_outside_the_capture_are_left_out() -> None:
    rows = unfolded(3, [seq([1, 2, 7])])
    assert [r[1] for r in shown(rows) if r[0] is C] == [0, 1, 2]


def test_row_of_call_and_at_agree_on_random_folds() -> None:
    rng = np.random.default_rng(1)
    n = 400
    free = np.arange(n)
    sequences = []
    for _ in range(20):
        take = np.sort(rng.choice(free, size=8, replace=False))
        free = np.setdiff1d(free, take)
        sequences.append(seq(take[:3].tolist(), take[3:].tolist()))
    rows = made(n, sequences, np.sort(rng.integers(0, n + 1, 30)))
    rows.folded_sequence = rng.random(20) < 0.5
    rows.folded_step = rng.random(40) < 0.5
    mask = rng.random(n) < 0.7
    for m in (None, mask):
        rows.set_filter(m)
        listed = [rows.at(i) for i in range(len(rows))]
        calls = [r.ref for r in listed if r.kind is C]
        assert len(set(calls)) == len(calls)
        for i, r in enumerate(listed):
            if r.kind is C:
                assert rows.row_of_call(r.ref) == i
            elif r.kind is not L:
                assert rows.row_of_sequence(r.sequence, r.step) == i
        hidden = set(np.flatnonzero(mask).tolist() if m is not None else range(n)) - set(calls)
        for c in hidden:
            heading = rows.at(rows.row_of_call(c))
            assert heading.kind in (S, T)
            assert rows.is_folded(heading)


@pytest.mark.parametrize("folded", [None, True, False])
@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("passing", [None, (0, 3, 7)])
def test_what_is_counted_before_it_is_shown(folded: bool | None, lines: bool, passing: tuple[int, ...] | None) -> None:
    parts = [seq([1, 2], [3]), seq([5, 6])]
    rows, wanted = made(8, parts, np.array([0, 4])), made(8, parts, np.array([0, 4]))
    mask = None if passing is None else np.isin(np.arange(8), passing)
    before = shown(rows)
    counted = rows.counted(None if mask is None else rows.kept(mask), lines=lines, folded=folded)
    assert shown(rows) == before
    rows.show(counted)
    if folded is not None:
        wanted.folded_sequence[:] = wanted.folded_step[:] = folded
    wanted.show_lines = lines
    wanted.set_filter(mask)
    assert shown(rows) == shown(wanted)


def test_what_is_folded_while_rows_are_counted_stays_folded() -> None:
    rows = unfolded(4, [seq([1, 2])])
    counted = rows.counted(None)
    rows.fold(rows.at(1), True)
    rows.show(counted)
    assert shown(rows) == [(C, 0, 0), (S, 0, 0), (C, 3, 0)]


def test_ten_million_calls_fold_and_jump(lengths: None, request: pytest.FixtureRequest) -> None:
    """Only what a fold changes is counted again."""
    if "long" not in request.node.name:
        return
    n = 10_000_000
    sequences = []
    for a in range(0, n, 1_000_000):
        calls = np.arange(a, a + 900_000)
        steps = (Step("s", a, a + 999, "ok", "", calls[:1000]),)
        sequences.append(Sequence("run", "realm:0x1000", a, a + 899_999, None, None, "ok", steps, "", 0, calls))
    listed = made(n, sequences)
    assert len(listed) == 10 * (1 + 100_000)
    assert listed.segments.owner.nbytes + listed.segments.owning.nbytes < n / 4
    assert listed.segments.order is None
    columns = ("kind", "ref", "place", "sequence", "step", "owner", "owning")
    assert sum(getattr(listed.segments, c).nbytes for c in columns) < n  # a byte a call
    listed.fold(listed.at(0), False)
    assert listed.at(len(listed) - 1) == Row(C, n - 1, 0, -1, -1)
    assert listed.at(listed.row_of_call(5_950_000)) == Row(C, 5_950_000, 0, -1, -1)
