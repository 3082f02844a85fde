"""The kernel that unpacks gives the numbers that .encoding does, and refuses what that refuses, as it stands and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture import unpacking_kernel
from rmitrace.capture.encoding import FEW, HEADER, MIXED, NEAR, SAME, pack, unpack
from rmitrace.capture.unpacking import Unpacker
from rmitrace.formats import kernels

from .test_encoding import REGISTERS
from .test_encoding_kernel import columns


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return unpacking_kernel.unpack(*args)


class With(Unpacker):
    """An unpacker that has its kernel from the start; ``taken``: how many pieces that unpacked."""

    def __init__(self, length: int, kernel: Any) -> None:
        super().__init__(length)
        self.taken = 0

        def counting(*args: Any) -> Any:
            done = kernel(*args)
            self.taken += bool(done)
            return done

        self._kernel = counting


@given(st.lists(REGISTERS, min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_registers(values: list[int]) -> None:
    piece = pack(np.array(values, dtype=np.uint64))
    unpacker = With(len(values), as_it_stands)
    assert unpacker.piece(piece).view(np.uint64).tolist() == values
    assert unpacker.taken == (piece[0] in (FEW, MIXED))


@given(st.integers(-(2**31), 2**31 - 70_000), st.lists(st.integers(0, 300).map(lambda n: n * 200), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_codes(base: int, distances: list[int]) -> None:
    values = [base + d for d in distances]
    assert With(len(values), as_it_stands).piece(pack(np.array(values))).tolist() == values


@pytest.fixture(scope="module")
def machine() -> kernels.Kernel:
    return kernels.compiled(unpacking_kernel.unpack, unpacking_kernel.STEPS)


@pytest.mark.parametrize("n", [1, 3, 500, 1 << 14])
def test_compiled(machine: kernels.Kernel, n: int) -> None:
    unpacker, forms = With(n, machine), set()
    for column in columns(n):
        piece = pack(np.ascontiguousarray(column))
        forms.add(piece[0])
        wide = column.view(np.int64) if column.dtype == np.uint64 else column.astype(np.int64)
        assert np.array_equal(unpacker.piece(piece), wide)
    assert n < 500 or (forms == {SAME, FEW, NEAR, MIXED} and unpacker.taken > 5)


def test_damaged(machine: kernels.Kernel) -> None:
    """Bytes that were changed, cut or appended: the same numbers as without the kernel, or none."""
    random = np.random.default_rng(5)
    n = 41
    refused = 0
    for column in columns(n)[-16:]:
        whole = pack(np.ascontiguousarray(column))
        for _ in range(60):
            piece = bytearray(whole)
            at = int(random.integers(0, min(len(piece), HEADER.size + 40) if random.random() < 0.7 else len(piece)))
            piece[at] = int(random.integers(0, 256))
            cut = int(random.integers(-3, 4)) if random.random() < 0.3 else 0
            piece = piece[: len(piece) + cut] + bytes(max(cut, 0))
            try:
                expected = unpack(bytes(piece))
                if len(expected) != n:
                    raise ValueError
            except ValueError:
                refused += 1
                with pytest.raises(ValueError, match=r"piece|header|code"):
                    With(n, machine).piece(bytes(piece))
            else:
                assert np.array_equal(With(n, machine).piece(bytes(piece)), expected)
    assert refused > 100


def test_loaded_only_where_much_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(kernels, "repaid", lambda size, *_: asked.append(size))
    unpacker, piece = Unpacker(1 << 14), pack(np.arange(1 << 14) % 2)
    for _ in range(3 << 6):
        unpacker.piece(piece)
    assert asked == [kernels.LOAD_FROM, 2 * kernels.LOAD_FROM, 4 * kernels.LOAD_FROM]
