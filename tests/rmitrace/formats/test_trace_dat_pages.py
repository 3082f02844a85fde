"""The walk over ring-buffer pages: hand-made pages, and a second walk, one event after the other, as kbuffer-parse.c has it."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.formats import trace_dat_pages as pages
from tests.rmitrace.formats import trace_dat_build as build

T0 = 100_000_000_000
BODY = build.record(1144, 7, 1)
EVENT = build.event(BODY)


def walk(data: bytes, size: int = 4096, valid: int | None = None) -> pages.Pages:
    return pages.walk(np.frombuffer(data, np.uint8), size, len(data) if valid is None else valid)


def times(found: pages.Pages) -> list[int]:
    return [t - T0 for t in found.events.ts.tolist()]


def reference(data: bytes, size: int) -> list[tuple[int, int, int]]:
    """(payload's offset, bytes, time) of the events of whole pages, as libtraceevent 1.8 walks them."""
    out = []
    for base in range(0, len(data), size):
        ts, commit = struct.unpack_from("<QQ", data, base)
        at, end = base + 16, base + 16 + (commit & (1 << 27) - 1)
        if end > base + size:
            continue
        while at + 4 <= end:
            (word,) = struct.unpack_from("<I", data, at)
            following = struct.unpack_from("<I", data, at + 4)[0] if at + 8 <= end else None
            kind, delta = word & 31, word >> 5
            if kind == 29 and not delta:
                break
            if kind in (0, 29, 30, 31) and following is None:
                break
            if kind == 31:
                now = following << 27 | delta | ts & 0xF8 << 56
                ts = now + (1 << 59) if ts & 0xF8 << 56 and now < ts else now
                at += 8
                continue
            ts = (ts + delta + ((following << 27) if kind == 30 else 0)) & (1 << 64) - 1
            if kind == 30:
                at += 8
            elif kind == 29:
                at += 4 + following
            else:
                head = 8 if kind == 0 else 4
                length = (following - 4 + 3 & ~3) if kind == 0 else kind * 4
                if kind == 0 and following < 4:
                    break
                if at + head + length > end:
                    break
                if length >= 8:
                    out.append((at + head, length, ts))
                at += head + length
    return out


def found(p: pages.Pages) -> list[tuple[int, int, int]]:
    e = p.events
    return list(zip(e.body.tolist(), e.size.tolist(), e.ts.tolist(), strict=True))


def test_events_and_their_times() -> None:
    long = build.record(1144, 7, *range(20))  # 168 bytes: more than 28 words, so that the length is a word of its own
    p = walk(build.page(T0, build.event(BODY), build.event(long, 5), build.event(BODY, 7)))
    assert times(p) == [0, 5, 12]
    # header of 16; u32 and 16 bytes; u32, u32 and 168 bytes; u32 and 16 bytes
    assert p.events.at.tolist() == [16, 36, 212]
    assert p.events.body.tolist() == [20, 44, 216]
    assert p.events.size.tolist() == [16, 168, 16]
    assert p.damage == []
    assert len(p.lost.at) == 0


def test_longer_deltas_absolute_times_and_padding() -> None:
    p = walk(
        build.page(
            T0, EVENT, build.time_extend(1 << 28), build.event(BODY, 3), build.padding(32, 9), build.event(BODY, 1),
            build.time_stamp(T0 + 10**9), build.event(BODY, 2),
        )
    )  # fmt: skip
    # a discarded event's delta counts for those behind it
    assert times(p) == [0, (1 << 28) + 3, (1 << 28) + 13, 10**9 + 2]


def test_absolute_times_keep_the_high_bits_of_the_page() -> None:
    high = 0xA8 << 56
    p = walk(build.page(high | 5, build.time_stamp(1000), EVENT))
    assert p.events.ts.tolist() == [high | 1000]
    # the low 59 bits went round
    p = walk(build.page(high | (1 << 59) - 1, build.time_stamp(3), EVENT))
    assert p.events.ts.tolist() == [high + (1 << 59) | 3]


def test_the_rest_of_a_page_may_be_free() -> None:
    free = struct.pack("<I", 29) + b"\xff" * 40
    p = walk(build.page(T0, EVENT, free))
    assert times(p) == [0]
    assert p.damage == []


def test_pages_are_in_order_whatever_they_hold() -> None:
    data = build.page(T0, EVENT, EVENT, EVENT) + build.page(T0) + build.page(T0 + 50, EVENT) + build.page(T0 + 90, EVENT, EVENT)
    p = walk(data)
    assert p.events.at.tolist() == [16, 36, 56, 8192 + 16, 12288 + 16, 12288 + 36]
    assert times(p) == [0, 0, 0, 50, 90, 90]


@pytest.mark.parametrize("size", [4096, 16384, 65536])
def test_page_sizes(size: int) -> None:
    count = (size - 16) // len(EVENT)
    p = walk(build.page(T0, *[EVENT] * count, size=size) * 2, size)
    assert len(p.events.at) == 2 * count
    assert p.damage == []


def test_lost_events() -> None:
    data = build.page(T0, EVENT, lost=12) + build.page(T0 + 5, EVENT) + build.page(T0 + 9, EVENT, lost=-1)
    p = walk(data)
    assert p.lost.at.tolist() == [0, 8192]
    assert p.lost.count.tolist() == [12, 0]
    assert p.lost.ts.tolist() == [T0, T0 + 9]
    # a count for which there is no room behind the events is not one
    full = build.page(T0, *[EVENT] * 204)[:8] + struct.pack("<Q", 4080 | 3 << 30) + (EVENT * 204)[:4080]
    assert walk(full).lost.count.tolist() == [0]


@pytest.mark.parametrize(
    ("data", "at", "size", "reason"),
    [
        (build.page(T0, EVENT)[:8] + struct.pack("<Q", 5000) + bytes(4080), 0, 4096, "more than a page"),
        (build.page(T0, EVENT, struct.pack("<I", 20) + bytes(8)), 36, 12, "beyond its page"),
        (build.page(T0, EVENT, struct.pack("<II", 0, 3) + bytes(8)), 36, 16, "of no length"),
        (build.page(T0, EVENT, struct.pack("<II", 0, 1 << 31) + bytes(8)), 36, 16, "beyond its page"),
        (build.page(T0, EVENT, struct.pack("<II", 29 | 1 << 5, 500)), 36, 8, "beyond its page"),
        (build.page(T0, EVENT, struct.pack("<I", 30)), 36, 4, "beyond its page"),
        (build.page(T0, EVENT, struct.pack("<II", 1, 0), EVENT), 36, 8, "too short"),
    ],
)
def test_damage_is_told_by_place_and_the_rest_is_read(data: bytes, at: int, size: int, reason: str) -> None:
    p = walk(data + build.page(T0 + 1000, EVENT))
    assert [(d.at, d.size) for d in p.damage] == [(at, size)]
    assert reason in p.damage[0].reason
    assert 1000 in times(p)
    assert len(p.events.at) == (1 if at == 0 else 3 if reason == "too short" else 2)


def test_a_page_that_is_cut_off() -> None:
    data = build.page(T0, EVENT, EVENT, EVENT)
    p = walk(data[:50] + bytes(4046), valid=50)
    assert times(p) == [0]
    assert [(d.at, d.reason) for d in p.damage] == [
        (0, "trace page that is cut off"),
        (36, "trace event that goes beyond its page"),
    ]
    assert walk(data[:7] + bytes(4089), valid=7).events.at.tolist() == []


def test_damage_ends_with_the_bytes() -> None:
    full = struct.pack("<QQ", T0, 5000) + bytes(4080)
    assert [(d.at, d.size) for d in walk(full + full, valid=5000).damage] == [(0, 4096), (4096, 904)]
    header = build.page(T0, EVENT, lost=4)[:14] + bytes(4082)
    assert len(walk(header, valid=14).lost.at) == 0


def test_much_damage_is_told_in_short() -> None:
    page = build.page(T0, struct.pack("<II", 1, 0) * 500)
    p = walk(page * 5)
    assert len(p.damage) == pages.MAX_DAMAGE
    assert "more damage" in p.damage[-1].reason


_pieces = st.one_of(
    st.builds(lambda n, d: build.event(build.record(9, 1, *range(n)), d), st.integers(0, 20), st.integers(0, (1 << 27) - 1)),
    st.builds(build.time_extend, st.integers(0, 1 << 40)),
    st.builds(build.time_stamp, st.integers(0, 1 << 62)),
    st.builds(lambda n, d: build.padding(8 + 4 * n, d), st.integers(0, 9), st.integers(1, 99)),
    st.binary(min_size=4, max_size=4),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(_pieces, max_size=12), min_size=1, max_size=5), st.integers(0, (1 << 64) - 1))
def test_walks_like_the_library(parts: list[list[bytes]], ts: int) -> None:
    data = b"".join(build.page(ts, *p) for p in parts)
    assert found(walk(data)) == reference(data, 4096)


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=64, max_size=512))
def test_any_bytes(data: bytes) -> None:
    """Pages of 64 bytes that are not even half right: the same events, and none beyond the end."""
    data = data[: len(data) // 64 * 64]
    raw = bytearray(data)
    for base in range(0, len(raw), 64):
        raw[base + 8 : base + 16] = struct.pack("<Q", raw[base + 8] % 60)
    p = walk(bytes(raw), 64)
    assert found(p) == reference(bytes(raw), 64)
    assert ((p.events.body + p.events.size) <= len(raw)).all()


def test_numbers_at_every_byte() -> None:
    buf = np.frombuffer(bytes(range(16)), np.uint8)
    assert pages.everywhere(buf, "<u2").tolist()[3] == 0x0403
    assert pages.everywhere(buf, "<u2").shape == (15,)
    assert pages.everywhere(buf, "<u4", 2)[5].tolist() == [0x08070605, 0x0C0B0A09]
    assert pages.everywhere(buf[:3], "<u8").shape == (0,)
