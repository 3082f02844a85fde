from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture import pieces
from rmitrace.capture.packed import Column, few

DTYPES = (np.bool_, np.uint8, np.int16, np.int32, np.int64, np.uint64)


class Short(Column):
    """Pieces of eight, and a file from 64 bytes on: a few values reach every path."""

    PIECE = 8
    IN_MEMORY = 64


@pytest.fixture(autouse=True)
def each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BUDGET", 0)


def values(dtype: Any, numbers: list[int]) -> np.ndarray:
    return np.array(numbers, dtype=np.uint64).astype(dtype)


numbers = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 40) | st.integers(0, 99).map(lambda v: v << 12), max_size=150)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(DTYPES), st.lists(numbers, max_size=4), st.data())
def test_a_column_reads_like_an_array(dtype: Any, parts: list[list[int]], data: st.DataObject) -> None:
    column = Short(dtype)
    plain = np.zeros(0, dtype=dtype)
    for part in parts:
        column.append(values(dtype, part))
        plain = np.concatenate([plain, values(dtype, part)])
        if data.draw(st.booleans()) and len(plain):
            at = data.draw(st.integers(-len(plain), len(plain) - 1))
            assert column[at] == plain[at]
    n = len(plain)
    assert len(column) == n
    assert column.dtype == plain.dtype
    assert np.array_equal(np.asarray(column), plain)
    assert column.astype(np.int64).tolist() == plain.astype(np.int64).tolist()
    for a, b, step in ((0, n, 1), (n // 3, n // 2, 1), (5, 3, 1), (n, 0, -3)):
        assert np.array_equal(column[a:b:step], plain[a:b:step])
    first, last = sorted((data.draw(st.integers(0, n)), data.draw(st.integers(0, n))))
    for values_of in (column, plain):
        found = few(values_of, first, last)
        assert found.dtype == plain.dtype
        assert np.array_equal(found, plain[first:last])
    flags = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    assert np.array_equal(column[flags], plain[flags])
    if not n:
        return
    rows = np.array(data.draw(st.lists(st.integers(-n, n - 1), max_size=120)), dtype=np.int64)
    assert np.array_equal(column[rows], plain[rows])
    assert np.array_equal(column[np.sort(rows)], plain[np.sort(rows)])
    assert np.array_equal(column[rows.reshape(1, -1)], plain[rows.reshape(1, -1)])
    assert np.array_equal(column.take(rows), plain[rows])
    assert np.array_equal(column == plain[0], plain == plain[0])
    assert np.array_equal(plain[-1] <= column, plain[-1] <= plain)
    assert np.array_equal((column != 0) & (column == column), plain != 0)
    assert (column.min(), column.max(), column.any(), column.all()) == (plain.min(), plain.max(), plain.any(), plain.all())
    some = np.unique(rows % n)
    column[some] = plain[some] = plain[::-1][: len(some)].copy()
    column[0] = plain[0] = plain[-1]
    assert np.array_equal(np.asarray(column), plain)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_far_apart_and_close_together(dtype: Any) -> None:
    """Of pieces of which one value is asked for, some, and all."""
    plain = values(dtype, [(i * 2654435761) % 2**64 if i % 3 else i << 12 for i in range(2000)])
    column = Short(dtype, plain)
    for rows in (np.arange(0, 2000, 17), np.arange(3, 1999, 2), np.concatenate([np.arange(0, 900, 9), np.arange(900, 1100)])):
        assert np.array_equal(column[rows], plain[rows])


def test_numbers_outside_raise_as_of_an_array() -> None:
    column = Short(np.int32, range(20))
    for bad in (20, -21, np.array([0, 20]), np.array([-21])):
        with pytest.raises(IndexError):
            column[bad]
    with pytest.raises(IndexError):
        column[np.zeros(19, dtype=bool)]
    assert column[np.int64(3)] == 3
    assert len(Short(np.int32)) == 0
    assert Short(np.int32)[np.zeros(0, dtype=np.int64)].tolist() == []


def test_numpy_takes_a_column_for_an_array() -> None:
    plain = np.arange(100) % 7
    column = Short(np.int64, plain)
    assert np.array_equal(np.isin(column, [3, 5]), np.isin(plain, [3, 5]))
    assert np.unique(column).tolist() == list(range(7))
    assert np.flatnonzero(column == 6).tolist() == np.flatnonzero(plain == 6).tolist()
    assert np.array_equal(np.where(column > 3, column, -1), np.where(plain > 3, plain, -1))
    assert np.array_equal(column + plain, 2 * plain)
    assert int(np.add.reduce(column)) == plain.sum() == column.sum()
    mask = np.ones(100, dtype=bool)
    mask &= column == 2
    assert np.array_equal(mask, plain == 2)
    with pytest.raises(TypeError):
        column += 1


def test_what_is_long_lies_in_a_file_and_goes_with_the_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    plain = np.random.default_rng(1).integers(0, 1 << 60, 5000)
    column = Short(np.int64, plain)
    assert column._pieces.file is not None
    number = column._pieces.file.fileno()
    assert os.listdir(tmp_path) == []  # it has no name
    assert column._pieces.in_memory <= Short.IN_MEMORY
    assert np.array_equal(np.asarray(column), plain)
    column[4000:] = 5
    column.append(plain[:3])
    assert column[-4:].tolist() == [5, *plain[:3].tolist()]
    del column
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_without_room_for_the_file_it_stays_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_folder", lambda: str(tmp_path / "missing"))
    plain = np.arange(5000) ** 3
    column = Short(np.int64, plain)
    assert np.array_equal(np.asarray(column), plain)
    assert column._pieces.in_memory == column.nbytes


def test_pieces_come_back_from_a_file(tmp_path: Path) -> None:
    plain = np.random.default_rng(2).integers(0, 1 << 44, 777).astype(np.uint64)
    column = Short(np.uint64, plain)
    path = tmp_path / "columns"
    sizes = [len(p) for p in column.packed()]
    path.write_bytes(b"head" + b"".join(column.packed()))
    file = path.open("rb")
    again = Short.mapped(np.uint64, 777, file, 4, sizes)
    assert np.array_equal(np.asarray(again), plain)
    assert again[700] == plain[700]
    again[3] = 9  # what is written lies in memory: the file stays as it is
    assert again[2:5].tolist() == [plain[2], 9, plain[4]]
    assert path.read_bytes() == b"head" + b"".join(column.packed())
    for wrong in (sizes[:-1], [*sizes[:-1], -1]):
        with pytest.raises(ValueError, match="do not fit"):
            Short.mapped(np.uint64, 777, file, 4, wrong)
    with pytest.raises(ValueError, match=r"piece|header"):
        Short.mapped(np.uint64, 777, file, 5, sizes)
    with pytest.raises(ValueError, match=r"piece|header"):
        np.asarray(Short.mapped(np.uint64, 776, file, 5, sizes[:-1]))


def test_bounds_are_checked_and_low_pieces_found(tmp_path: Path) -> None:
    n = Short.PIECE
    values = np.concatenate([np.arange(n) + 5, np.full(n, 7), np.arange(n) * 70_000 - 3, [11, -2]])
    column = Short(np.int64, values)
    column.check()
    column.check(-3, int(values.max()) + 1)
    for least, end in ((-2, 1 << 40), (-3, int(values.max()))):
        with pytest.raises(ValueError, match="cannot be"):
            column.check(least, end)
    assert list(column.below(0)) == [(2 * n, 3 * n), (3 * n, 3 * n + 2)]
    path = tmp_path / "columns"
    path.write_bytes(b"".join([*Short(np.int32, range(n)).packed(), *Short(np.int32, range(n // 2)).packed()]))
    sizes = [len(next(Short(np.int32, range(k)).packed())) for k in (n, n // 2)]
    with path.open("rb") as file:
        bad = Short.mapped(np.int32, n, file, sizes[0], sizes[1:])
        with pytest.raises(ValueError, match="another length"):
            bad.check()


def test_a_piece_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "columns"
    path.write_bytes(b"".join([*Short(np.int32, range(8)).packed(), *Short(np.int32, range(4)).packed()]))
    file = path.open("rb")
    sizes = [len(next(Short(np.int32, range(n)).packed())) for n in (8, 4)]
    with pytest.raises(ValueError, match="another length"):
        np.asarray(Short.mapped(np.int32, 8, file, sizes[0], sizes[1:]))
    with pytest.raises(ValueError, match="another length"):
        Short.mapped(np.int32, 13, file, 0, sizes)
