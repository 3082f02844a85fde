from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.capture.encoding import FEW, HEADER, MIXED, NEAR, SAME, bounds, header, one, pack, some, unpack

U64 = st.integers(0, 2**64 - 1)
# registers: zeros, pages, small values, function ids, and anything
REGISTERS = st.one_of(st.just(0), st.integers(0, 1 << 40).map(lambda p: p << 12 & 2**64 - 1), st.integers(0, 5000),
                      st.integers(0xC4000150, 0xC40002CF), U64, st.just(2**64 - 1))  # fmt: skip


def reader(piece: bytes) -> object:
    return lambda start, stop: piece[start:stop]


def check(values: np.ndarray) -> int:
    """Packed and unpacked it is the same; returns the form."""
    piece = pack(values)
    wide = values.view(np.int64) if values.dtype == np.uint64 else values.astype(np.int64)
    assert unpack(piece).tolist() == wide.tolist()
    if piece[0] == MIXED:
        assert bounds(piece) is None
    else:
        least, most = bounds(piece)  # type: ignore[misc]
        assert least == min(wide.tolist())
        assert most == max(wide.tolist()) if piece[1] in (1, 2, 4, 8) else most >= max(wide.tolist())
    for i in {0, len(values) // 2, len(values) - 1}:
        found = one(header(piece), reader(piece), i)  # type: ignore[arg-type]
        assert found is None if piece[0] == MIXED else found == int(wide[i])
    for start, stop in {(0, len(values)), (len(values) // 3, len(values) // 2), (len(values) // 2, len(values))}:
        part = some(header(piece), reader(piece), start, stop)  # type: ignore[arg-type]
        assert part is None if piece[0] == MIXED else part is not None and part.tolist() == wide[start:stop].tolist()
    return piece[0]


@given(st.lists(REGISTERS, min_size=1, max_size=200))
def test_registers(values: list[int]) -> None:
    check(np.array(values, dtype=np.uint64))


@given(st.lists(st.integers(5000 - 2**63, 2**63 - 1), min_size=1, max_size=50), st.sampled_from([1, 1000, 4096]))
def test_numbers(values: list[int], unit: int) -> None:
    check(np.array([v // unit * unit for v in values], dtype=np.int64))


@given(st.integers(-(2**31), 2**31 - 70_000), st.lists(st.integers(0, 69_999), min_size=1, max_size=300))
def test_small_numbers(base: int, distances: list[int]) -> None:
    check(np.array([base + d for d in distances], dtype=np.int32))


def test_forms() -> None:
    n = 1000
    spread = np.arange(n, dtype=np.int64)
    assert check(np.full(n, -(2**63), dtype=np.int64)) == SAME
    assert check(np.array([True, False] * n)) == FEW
    assert check(spread) == NEAR
    for bits in range(1, 64):  # every width there is
        assert check(spread * (((1 << bits) - 1) // n) + 1) in (SAME, NEAR)
    for few in (2, 3, 4, 5, 16, 17, 256, 257):
        assert check(spread % few * 200) == (FEW if few <= 256 else NEAR)
    assert check(np.where(spread % 3 == 0, 0, 0x7FC5_0000_0000 + (spread << 12)).astype(np.uint64)) == MIXED


def test_sizes() -> None:
    """A million page addresses within 16 GB take three bytes each, flags a bit."""
    pages = (np.arange(1 << 14, dtype=np.uint64) << np.uint64(20)) + np.uint64(1 << 40)
    pages[::2] = 0
    assert len(pack(pages)) < (1 << 14) * (2 / 8 + 3 / 2) + 64
    assert len(pack(np.arange(1 << 14) % 2 == 0)) < (1 << 14) / 8 + 64
    ts = np.arange(1 << 14, dtype=np.int64) * 65_535_000  # us in ns: 18 minutes need 30 bits
    assert len(pack(ts)) < (1 << 14) * 4 + 64


@given(st.binary(max_size=80))
def test_what_is_no_piece_is_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert len(unpack(data)) <= 1 << 20
    with contextlib.suppress(ValueError):
        one(header(data), reader(data), 3)  # type: ignore[arg-type]
    with contextlib.suppress(ValueError):
        some(header(data), reader(data), 3, 9)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [[1, 2, 3] * 9, range(300), [0, 1 << 12, 5, 2**64 - 1] * 8])
def test_damaged_pieces_are_refused_or_read(values: list[int]) -> None:
    piece = pack(np.array(values, dtype=np.uint64))
    for cut in range(len(piece)):
        for read in (unpack, bounds):
            with pytest.raises(ValueError, match=r"piece|header|code"):
                read(piece[:cut])
    for at in range(len(piece)):
        for bit in range(8):
            bad = bytearray(piece)
            bad[at] ^= 1 << bit
            try:
                numbers = unpack(bytes(bad))
            except ValueError:
                with pytest.raises(ValueError, match=r"piece|header|code"):
                    bounds(bytes(bad))
                continue
            found = bounds(bytes(bad))
            assert (
                not len(numbers) or found is None or found[1] >= 1 << 63 or found[0] <= numbers.min() <= numbers.max() <= found[1]
            )


def test_a_count_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="no packed piece"):
        unpack(HEADER.pack(SAME, 0, 0, 1 << 30, 0))
