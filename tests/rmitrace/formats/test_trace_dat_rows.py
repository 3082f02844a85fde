"""Rows of all batches: arrays that grow, sorted by time; numbers and where they stand."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.formats import trace_dat_batches
from rmitrace.formats.trace_dat import FORMAT
from rmitrace.formats.trace_dat_rows import Rows, groups
from tests.rmitrace.formats.test_trace_dat import FOLDER, rows_of
from tests.rmitrace.formats.trace_text import read


def test_groups() -> None:
    ident = np.array([7, 3, 7, 65535, 3, 0], dtype=np.uint16)
    assert [(n, at.tolist()) for n, at in groups(ident)] == [(0, [5]), (3, [1, 4]), (7, [0, 2]), (65535, [3])]
    assert list(groups(ident[:0])) == []


def test_grows_and_sorts_by_time() -> None:
    rows = Rows()
    for i in range(50):
        where = rows.add(i, 0.01 * i, at=np.arange(i) + 1000 * i, ts=np.arange(i)[::-1], cpu=i)
        rows.regs[where, 3] = i
    rows.finish()
    total = 50 * 49 // 2
    assert [len(c) for c in (*rows.columns.values(), rows.regs)] == [total] * 11
    ts = rows.columns["ts"].astype(np.int64)
    assert (np.diff(ts) >= 0).all()
    assert (rows.regs[:, 3] == rows.columns["cpu"]).all()
    # rows of one time are in the order in which they came
    assert all((np.diff(rows.columns["at"][ts == t]) > 0).all() for t in range(49))


@pytest.mark.parametrize("batch", [4096, 5 * 4096])
@pytest.mark.parametrize("name", ["arrays.dat", "lost.dat", "repeated.dat"])
def test_batches_make_no_difference(name: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (FOLDER / name).read_bytes()
    expected = read(FORMAT, data)
    monkeypatch.setattr(trace_dat_batches, "BATCH", batch)
    records = read(FORMAT, data)
    assert rows_of(records) == rows_of(expected)
    assert records.offset.tolist() == expected.offset.tolist()
