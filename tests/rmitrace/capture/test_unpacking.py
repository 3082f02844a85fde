"""The kernel that unpacks gives the values that .encoding does, and refuses what it refuses, as it stands and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture import unpacking_kernel
from rmitrace.capture.encoding import FEW, MIXED, NEAR, SAME, pack, unpack
from rmitrace.capture.unpacking import Unpacker
from rmitrace.formats import kernels
from rmitrace.formats.kernel_code import Compiled

from .test_encoding import REGISTERS
from .test_encoding_kernel import columns

DTYPES = (np.bool_, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64)


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return unpacking_kernel.unpack(*args)


@pytest.fixture(scope="module")
def machine() -> Compiled:
    return kernels.compiled(unpacking_kernel.unpack, unpacking_kernel.STEPS)


def refused(work: Any) -> bool:
    try:
        work()
    except ValueError:
        return True
    return False


def same(piece: bytes, count: int, kernel: Any, dtype: Any = np.uint64) -> bool:
    """Both give the same values, or both refuse the piece; whether it is one."""
    out = np.zeros(count, dtype=dtype)
    no = refused(lambda: Unpacker().by(kernel, piece, [len(piece)], count, out))
    slow = np.zeros(count, dtype=dtype)
    assert no == refused(lambda: Unpacker().into(piece, [len(piece)], slow))
    assert no or np.array_equal(out.view(np.uint8), slow.view(np.uint8))
    return not no


@given(st.lists(REGISTERS, min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_registers(values: list[int]) -> None:
    column = np.array(values, dtype=np.uint64)
    assert same(pack(column), len(column), as_it_stands)


@given(st.integers(-(2**31), 2**31 - 70_000), st.lists(st.integers(0, 300).map(lambda n: n * 200), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_codes(base: int, distances: list[int]) -> None:
    column = np.array([base + d for d in distances])
    assert same(pack(column), len(column), as_it_stands, np.int64)
    out = np.zeros_like(column)
    Unpacker().by(as_it_stands, pack(column), [len(pack(column))], len(column), out)
    assert np.array_equal(out, column)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_form_into_every_type(dtype: Any, machine: Compiled) -> None:
    n, forms = 331, set()
    for column in columns(n):
        piece = pack(column)
        forms.add(piece[0])
        assert same(piece, n, machine, dtype)
        other = pack(column[::-1])
        values = np.zeros(2 * n, dtype=column.dtype)
        Unpacker().by(machine, piece + other, [len(piece), len(other)], n, values)
        assert np.array_equal(values, np.concatenate([column, column[::-1]]))
        assert np.array_equal(unpack(piece).astype(column.dtype), column)
    assert forms == {SAME, FEW, NEAR, MIXED}
    assert list(machine._entries) == [tuple(unpacking_kernel.KINDS.split())]  # as which it is made before it is asked for


def test_damaged_pieces_are_refused_alike(machine: Compiled) -> None:
    """Cut, longer, and with a bit turned: what is no piece is refused, what still is one reads the same."""
    random = np.random.default_rng(5)
    told = [0, 0]
    for column in columns(37):
        piece = pack(column)
        bad = [piece[:-1], piece + b"\0", piece[:17], piece[:16]]
        for _ in range(40):
            at, bit = int(random.integers(len(piece))), int(random.integers(8))
            bad.append(piece[:at] + bytes([piece[at] ^ 1 << bit]) + piece[at + 1 :])
        for some in bad:
            for kernel in (machine, as_it_stands):
                told[same(some, 37, kernel)] += 1
    assert min(told) > 100


def test_loaded_only_where_much_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(kernels, "repaid", lambda size, *_: asked.append(size))
    unpacker, piece, out = Unpacker(), pack(np.arange(1 << 14) % 2), np.empty(1 << 14, dtype=np.int64)
    for _ in range(3 << 4):
        unpacker.into(piece, [len(piece)], out)
    assert asked == [kernels.LOAD_FROM, 2 * kernels.LOAD_FROM, 4 * kernels.LOAD_FROM]
