"""The kernel that packs writes the bytes that .encoding does, as it stands and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture import encoding_kernel
from rmitrace.capture.encoding import FEW, MIXED, NEAR, SAME, pack
from rmitrace.capture.encoding_fast import Packer
from rmitrace.capture.packed import Column
from rmitrace.capture.registers import Registers
from rmitrace.formats import kernels
from rmitrace.formats.kernel_code import Compiled

from .test_encoding import REGISTERS


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return encoding_kernel.pack(*args)


class With(Packer):
    """A packer that has its kernel from the start."""

    def __init__(self, length: int, kernel: Any) -> None:
        super().__init__(length)
        self.repaid.ready = kernel


def packed(values: np.ndarray, kernel: Any = as_it_stands, length: int | None = None) -> list[bytes]:
    return list(With(length or len(values), kernel).pieces(values))


@given(st.lists(REGISTERS, min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_registers(values: list[int]) -> None:
    column = np.array(values, dtype=np.uint64)
    assert packed(column) == [pack(column)]


@given(st.lists(st.integers(5000 - 2**63, 2**63 - 1), min_size=1, max_size=30), st.sampled_from([1, 1000, 4096]))
@settings(max_examples=60, deadline=None)
def test_numbers(values: list[int], unit: int) -> None:
    column = np.array([v // unit * unit for v in values], dtype=np.int64)
    assert packed(column) == [pack(column)]


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
@pytest.mark.parametrize("stride", [1, 3])
def test_every_type_and_stride(dtype: Any, stride: int) -> None:
    random = np.random.default_rng(7)
    top = 2 if dtype == np.bool_ else int(np.iinfo(dtype).max)
    for limit in (1, 3, 200, 40_000):
        values = random.integers(-min(limit, top) if np.dtype(dtype).kind == "i" else 0, min(limit, top), 8 * stride)
        column = values.astype(dtype)[::stride]
        assert packed(column, length=4) == [pack(np.ascontiguousarray(column[i : i + 4])) for i in (0, 4)]


@pytest.fixture(scope="module")
def machine() -> Compiled:
    return kernels.compiled(encoding_kernel.pack, encoding_kernel.STEPS)


def columns(n: int) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    at = np.arange(n, dtype=np.int64)
    pages = random.integers(0, 1 << 36, n) << 12
    anything = random.integers(0, 2**64, n, dtype=np.uint64)
    return [
        np.full(n, -5),
        *((at * ((1 << bits) // n + 1)) for bits in range(2, 63)),
        *((random.integers(0, few, n) * 150 - 7).astype(np.int32) for few in (2, 3, 4, 5, 16, 17, 256, 300)),
        np.cumsum(random.integers(0, 5000, n)) * 1000,
        np.where(at % 3 == 0, 0, pages).astype(np.uint64),
        np.where(at % 3 == 0, pages.astype(np.uint64), random.choice(anything, n)),
        np.where(at % 2 == 0, np.uint64(0xC4000150), random.integers(0, 4096, n).astype(np.uint64)),
        anything,
        anything.view(np.int64),
        at % 7 == 0,
    ]


def test_compiled(machine: Compiled) -> None:
    n, forms = 500, set()
    for column in columns(3 * n):
        expected = [pack(np.ascontiguousarray(column[i * n : i * n + n])) for i in range(3)]
        forms |= {piece[0] for piece in expected}
        assert packed(column, machine, n) == expected
        assert packed(np.stack([column, column], axis=1)[:, 1], machine, n) == expected
    assert forms == {SAME, FEW, NEAR, MIXED}
    assert list(machine._entries) == [tuple(encoding_kernel.KINDS.split())]  # as which it is made before it is asked for


def test_rows_of_registers(machine: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at a time: before the first whole piece, in several, behind the last one."""
    n = 64
    values = np.array([c.astype(np.uint64, copy=False) for c in columns(5 * n + 9)[-8:]]).T
    monkeypatch.setattr(Column, "PIECE", n)
    for kernel in (None, machine):
        monkeypatch.setattr("rmitrace.capture.registers.packer", lambda size, k=kernel: With(size, k))
        regs = Registers()
        for start, stop in ((0, 3), (3, 3), (3, 200), (200, 5 * n + 9)):
            regs.append(values[start:stop])
        assert np.array_equal(np.asarray(regs), values)
        assert [c._pieces.sizes for c in regs.columns] == [[len(p) for p in c.packed()][:5] for c in regs.columns]
        assert [len(c._pieces) for c in regs.columns] == [5] * 8


def test_loaded_only_where_much_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(kernels, "repaid", lambda size, *_: asked.append(size))
    packer = Packer(1 << 10)
    for _ in range(3 << 8):
        list(packer.pieces(np.arange(1 << 10)))
    first = kernels.LOAD_FROM
    assert asked == [first, 2 * first, 4 * first]
