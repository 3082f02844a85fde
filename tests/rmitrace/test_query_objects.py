"""Objects as conditions see them, held against what Python writes."""

from __future__ import annotations

import numpy as np

from rmitrace.lifecycle.objects import KINDS
from rmitrace.query_objects import different, object_texts


def test_objects_are_written_with_their_addresses() -> None:
    kinds = np.array([KINDS.index("pdev"), 0, KINDS.index("granule"), KINDS.index("realm"), KINDS.index("vdev")])
    addresses = np.array([0x49500000, 0x1000, 0, 2**64 - 1, 0x1_0000_0000_0001], dtype=np.uint64)
    assert object_texts(kinds, addresses).to_list() == [
        "pdev:0x49500000",
        None,
        "granule:0x0",
        "realm:0xffffffffffffffff",
        "vdev:0x1000000000001",
    ]


def test_objects_of_addresses_that_are_as_long_as_a_register() -> None:
    """No physical address is; what differs in the highest bits, or in its kind alone, is told apart."""
    addr = np.array([1 << 63, 0, 1 << 63, 1 << 60, 0], dtype=np.uint64)
    kind = np.array([2, 2, 4, 2, 2], dtype=np.int8)
    codes, texts = different(kind, addr)
    found = texts.gather(codes.astype(np.uint32)).to_list()
    assert found == ["pdev:0x8000000000000000", "pdev:0x0", "realm:0x8000000000000000", "pdev:0x1000000000000000", "pdev:0x0"]


def test_as_python_writes_numbers() -> None:
    rng = np.random.default_rng(3)
    addresses = rng.integers(0, 1 << 64, 3000, dtype=np.uint64) >> rng.integers(0, 64, 3000, dtype=np.uint64)
    kinds = rng.integers(0, len(KINDS), 3000).astype(np.int8)
    for least in (1 << 64, 1 << 48, 1 << 33, 1 << 16, 10):  # with as many digits as there are, and fewer
        some = addresses < least
        wanted = [
            f"{KINDS[k]}:{a:#x}" if k else None for k, a in zip(kinds[some].tolist(), addresses[some].tolist(), strict=True)
        ]
        assert object_texts(kinds[some], addresses[some]).to_list() == wanted
        codes, texts = different(kinds[some], addresses[some])
        assert texts.gather(codes.astype(np.uint32)).to_list() == wanted
