"""Measurement blocks, written by hand: index, specification 1, size, and the measurement."""

from __future__ import annotations

from decoders.spdm.summary import ALL, MAX_RECORDS, Blocks


def block(index: int, measurement: bytes) -> bytes:
    return bytes((index, 1)) + len(measurement).to_bytes(2, "little") + measurement


def test_blocks_one_by_one() -> None:
    blocks = Blocks()
    assert blocks.by_index() == {}
    blocks.add(0, 2, 0, b"")
    blocks.add(2, 0, 1, block(2, b"two"))
    assert (blocks.total, blocks.by_index()) == (2, {2: block(2, b"two")})
    blocks.add(1, 0, 1, block(1, b"one"))
    found = blocks.by_index()
    assert found is not None
    assert list(found.items()) == [(1, block(1, b"one")), (2, block(2, b"two"))]


def test_all_blocks_at_once() -> None:
    blocks = Blocks()
    blocks.add(ALL, 0, 2, block(1, b"a") + block(0xFD, b"b"))
    blocks.add(1, 0, 1, block(1, b"a"))
    assert blocks.total == 2
    assert list(blocks.by_index() or ()) == [1, 0xFD]


def test_blocks_that_changed_or_cannot_be_read() -> None:
    blocks = Blocks()
    blocks.add(1, 0, 1, block(1, b"a"))
    assert blocks.by_index() is not None
    blocks.add(1, 0, 1, block(1, b"b"))
    assert blocks.by_index() is None
    for record in (block(1, b"abc")[:-1], block(1, b"a") + b"\x02", bytes(MAX_RECORDS + 1)):
        blocks = Blocks()
        blocks.add(ALL, 0, 1, record)
        assert blocks.by_index() is None
