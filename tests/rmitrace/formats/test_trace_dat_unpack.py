"""Chunks: packed by the libraries themselves, sliced like bytes, bounded."""

from __future__ import annotations

import random
import zlib

import pytest
import zstandard

from rmitrace.formats.trace_dat_unpack import Budget, Unpacked, Unsound, unpacker

PLAIN = bytes(range(256)) * 16


@pytest.mark.parametrize(
    ("algorithm", "packed"),
    [
        ("zstd", zstandard.ZstdCompressor(write_content_size=False).compress(PLAIN)),
        ("zstd", zstandard.ZstdCompressor().compress(PLAIN)),
        ("zlib", zlib.compress(PLAIN)),
    ],
    ids=["zstd", "zstd-with-size", "zlib"],
)
def test_unpacks(algorithm: str, packed: bytes) -> None:
    unpack = unpacker(algorithm)
    assert unpack(packed, len(PLAIN)) == PLAIN
    for size in (len(PLAIN) - 1, len(PLAIN) + 1):
        with pytest.raises(Unsound):
            unpack(packed, size)
    for damaged in (packed[:-5], packed[3:], b"", b"\xff" * 40):
        with pytest.raises(Unsound):
            unpack(damaged, len(PLAIN))


def test_what_a_frame_says_is_not_believed() -> None:
    """A frame that would unpack to more than its chunk says is refused before anything is unpacked."""
    with pytest.raises(Unsound, match="more than the 64 declared"):
        unpacker("zstd")(zstandard.ZstdCompressor().compress(bytes(1 << 20)), 64)
    with pytest.raises(Unsound, match="no compression"):
        unpacker("none")(b"abc", 3)


def test_slices_like_the_file_with_its_chunks_behind() -> None:
    parts = [bytes([i]) * n for i, n in enumerate((100, 1, 4096, 7), 1)]
    packed = [zlib.compress(p) for p in parts]
    data = b"head" + b"".join(packed) + b"tail"
    both = Unpacked(data, len(data), "zlib")
    at = 4
    for p, c in zip(parts, packed, strict=True):
        both.add(at, len(c), len(p))
        at += len(c)
    whole = data + b"".join(parts)
    assert len(both) == len(whole)
    assert both[:] == whole
    rng = random.Random(1)
    for _ in range(300):
        a, b = rng.randrange(len(whole) + 9), rng.randrange(len(whole) + 9)
        assert both[a:b] == whole[a:b]


def test_a_chunk_that_cannot_be_unpacked_reads_as_zeros() -> None:
    both = Unpacked(b"x" * 20, 20, "zstd")
    both.add(5, 10, 64)
    assert both[18:30] == b"xx" + bytes(10)
    plain = Unpacked(b"only the file", 13, "none")
    assert (len(plain), plain[5:8]) == (13, b"the")


def test_the_budget() -> None:
    small, large = Budget(1000), Budget(1 << 20)
    assert small.take(64 << 20)
    assert not small.take(1)
    assert large.take(400 << 20)
    assert not large.take(1)
