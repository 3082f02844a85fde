"""The kernel that looks through pieces says what .encoding does of them, as it stands and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rmitrace.capture import checking, checking_kernel
from rmitrace.capture.encoding import FEW, MIXED, NEAR, SAME, bounds, pack, unpack
from rmitrace.capture.pieces import Pieces
from rmitrace.formats import kernels

from .test_encoding_kernel import columns


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return checking_kernel.check(*args)


@pytest.fixture(scope="module")
def machine() -> kernels.Kernel:
    return kernels.compiled(checking_kernel.check, checking_kernel.STEPS)


def said(kernel: Any, piece: bytes, count: int, limits: tuple[int, int] | None) -> str:
    """What a kernel, or without one .encoding, says of a piece."""
    pieces = Pieces(1 << 20)
    pieces.append(piece)
    data = np.frombuffer(piece, dtype=np.uint8)
    try:
        if kernel is None:
            found = checking.doubtful(None, pieces, count, limits)
        else:
            found = checking.by(kernel, data, pieces.sizes, count, limits)
    except ValueError:
        return "none"
    return "closer" if found else "fine"


def limits_around(column: Any) -> list[tuple[int, int] | None]:
    """Limits that all values are within, exactly and just not, and none."""
    values = column.view(np.int64) if column.dtype == np.uint64 else column.astype(np.int64)
    least, most = int(values.min()), int(values.max())
    return [None, (least, most + 1), (least + 1, most + 1), (least, most), (-(1 << 63), 1 << 63), (-1, 1 << 63), (5, 5)]


def test_pieces_of_every_form(machine: kernels.Kernel) -> None:
    n, forms, told = 331, set(), set()
    for column in columns(n):
        piece = pack(column)
        forms.add(piece[0])
        for limits in limits_around(column):
            wanted = said(None, piece, n, limits)
            told.add(wanted)
            for kernel in (machine, as_it_stands):
                assert said(kernel, piece, n, limits) == wanted
    assert forms == {SAME, FEW, NEAR, MIXED}
    assert told == {"fine", "closer"}


def test_what_is_fine_is_within_the_limits(machine: kernels.Kernel) -> None:
    """A turned bit may leave a piece: what is said to be fine is, by its values."""
    random, told = np.random.default_rng(11), {"fine": 0, "closer": 0, "none": 0}
    for column in columns(37):
        piece = pack(column)
        limits = limits_around(column)[1]
        assert limits is not None
        for _ in range(40):
            at, bit = int(random.integers(len(piece))), int(random.integers(8))
            bad = piece[:at] + bytes([piece[at] ^ 1 << bit]) + piece[at + 1 :]
            found = said(machine, bad, 37, limits)
            assert found == said(as_it_stands, bad, 37, limits) == said(None, bad, 37, limits)
            told[found] += 1
            if found == "fine":
                values = unpack(bad)
                assert limits[0] <= int(values.min()) <= int(values.max()) < limits[1]
                assert bounds(bad) is not None
    assert min(told.values()) > 20


def test_pieces_one_behind_the_other(machine: kernels.Kernel) -> None:
    """Each is judged by itself: 0 to 9, all the same, 0 to 90, no piece."""
    small, same, large = (pack(np.arange(10) * k) for k in (1, 0, 10))
    data = np.frombuffer(small + same + large, dtype=np.uint8)
    sizes = [len(small), len(same), len(large)]
    assert checking.by(machine, data, sizes, 10, (0, 10)) == [2]
    assert checking.by(machine, data, sizes, 10, None) == []
    with pytest.raises(ValueError, match="no packed piece"):
        checking.by(machine, data, [*sizes[:2], sizes[2] - 1], 10, (0, 10))
