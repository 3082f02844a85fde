from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture.packed import Column
from rmitrace.capture.records import COLUMNS, NO_TIME, Kind, RecordBuilder, Records
from rmitrace.capture.registers import Registers


def made(n: int) -> Records:
    builder = RecordBuilder()
    for i in range(n):
        builder.add(Kind.ENTER, 100 * i, 90, ts=NO_TIME if i % 5 else i, pid=i % 3, name="e", regs=range(i % 9))
    return builder.finish()


@pytest.mark.parametrize("packed", [False, True])
def test_take_keeps_these_rows_in_this_order(packed: bool) -> None:
    records = made(4)
    if packed:
        records.pack()
    records.take(np.array([2, 0]))
    assert records.offset.tolist() == [200, 0]
    assert records.known.tolist() == [0b11, 0]
    assert records.regs.tolist() == [[0, 1, 0, 0, 0, 0, 0, 0], [0] * 8]
    records.take(np.array([True, False]))
    assert records.ts.tolist() == [NO_TIME]


def test_packed_records_read_like_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Column, "PIECE", 250)
    plain, packed = made(1000), made(1000)
    packed.pack()
    for name in COLUMNS:
        assert isinstance(getattr(packed, name), Column)
        assert getattr(packed, name).dtype == getattr(plain, name).dtype
        assert getattr(packed, name).tolist() == getattr(plain, name).tolist()
    assert isinstance(packed.regs, Registers)
    at = np.array([999, 3, 8])
    for rows in (7, -1, slice(2, 30), at, plain.kind == 1):
        for which in (0, 5, slice(1, 4)):
            assert np.array_equal(packed.regs[rows, which], plain.regs[rows, which])
        assert np.array_equal(packed.regs[rows], plain.regs[rows])
    assert packed.regs.shape == plain.regs.shape == (1000, 8)
    packed.regs[at, 2] = 77
    packed.regs[5] = np.arange(8)
    assert packed.regs[at, 2].tolist() == [77] * 3
    assert packed.regs[5].tolist() == list(range(8))
    assert packed.nbytes < plain.nbytes / 4
