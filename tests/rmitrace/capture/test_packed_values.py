from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rmitrace.capture.packed import Column


class Short(Column):
    PIECE = 8


@pytest.mark.parametrize("count", [0, 3, 8, 20])
@pytest.mark.parametrize(("dtype", "value"), [(np.int64, -1), (np.bool_, 0), (np.int16, 7)])
def test_filled(dtype: Any, value: int, count: int) -> None:
    column = Short.filled(dtype, value, count)
    assert column.dtype == dtype
    assert column.tolist() == [value] * count


def test_places_are_found_in_few_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.array([*([1, 2] * 8), *([1, 3, 9, 3] * 2), *([5] * 8), 3, 3])
    column = Short(np.uint8, values)
    unpacked: list[int] = []
    piece = Column._piece
    monkeypatch.setattr(Short, "_piece", lambda self, n: (unpacked.append(n), piece(self, n))[1])
    for value in (3, 9, 5, 7, 1):
        assert column.places(value).tolist() == np.flatnonzero(values == value).tolist()
    assert sorted(set(unpacked)) == [0, 1, 2, 3, 4]
    unpacked.clear()
    assert column.places(9).tolist() == [18, 22]
    assert unpacked == [2, 4]  # the last one is not packed
