"""Pages some megabytes at a time, and times as trace-cmd works them out."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from rmitrace.formats import trace_dat_batches
from rmitrace.formats.trace_dat_batches import batches, times
from rmitrace.formats.trace_dat_file import read_file
from rmitrace.formats.trace_dat_options import Options, take_option
from tests.rmitrace.formats import trace_dat_build as build

PAGES = b"".join(build.page(1000 * i, build.event(build.record(9, 1, i))) for i in range(1, 26))


@pytest.mark.parametrize("compression", ["none", "zstd", "zlib"])
@pytest.mark.parametrize("step", [4096, 3 * 4096, 1 << 20])
@pytest.mark.parametrize("per_chunk", [1, 10])
def test_every_page_once(compression: str, step: int, per_chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_dat_batches, "BATCH", step)
    data = build.v7(build.Trace([build.probe_format("e", 9, ["a0"])], {0: PAGES}), compression, per_chunk)
    file = read_file(data, 0, len(data))
    (ring,) = file.rings
    (area,) = ring.areas
    got, expected_at, told = b"", area.offset, []
    for at, pages, valid in batches(file, data, ring, area, lambda *a: told.append(a), None):
        assert at == expected_at
        assert len(pages) == valid
        assert file.unpacked[at : at + valid] == pages.tobytes()
        expected_at += valid
        got += pages.tobytes()
    assert got == PAGES
    assert told == []


def test_a_chunk_that_is_damaged_leaves_the_others() -> None:
    data = bytearray(build.v7(build.Trace([], {0: PAGES}), "zstd"))
    file = read_file(bytes(data), 0, len(data))
    chunk = file.rings[0].areas[0].chunks[1]
    data[chunk.offset + 4 : chunk.offset + chunk.packed] = b"\xff" * (chunk.packed - 4)
    file = read_file(bytes(data), 0, len(data))
    told: list[tuple] = []
    got = b"".join(
        p.tobytes()
        for _, p, _ in batches(file, bytes(data), file.rings[0], file.rings[0].areas[0], lambda *a: told.append(a), None)
    )
    assert got == PAGES[: 10 * 4096] + bytes(10 * 4096) + PAGES[20 * 4096 :]
    assert [(t[0], t[1], t[2]) for t in told] == [(chunk.offset, chunk.packed, 0)]


def of(*options: tuple[int, bytes]) -> Options:
    out = Options()
    for ident, value in options:
        take_option(out, ident, value)
    return out


def told(options: Options, *ts: int, cpu: int = 0) -> list[int]:
    shift = options.shifts[cpu] if cpu < len(options.shifts) else None
    return times(options, shift, np.array(ts, dtype=np.uint64)).tolist()


def test_offsets() -> None:
    assert told(of(), 5, 6) == [5, 6]
    assert told(of((7, b"100\0")), 5) == [105]
    assert told(of((7, b"-3\0")), 5) == [2]


def test_ticks_to_ns() -> None:
    # 2^33 + 8 ticks at 3/2 ns: (8 * 3 >> 1) + (2 * 3 << 31) = 12 + 12884901888
    assert told(of((14, struct.pack("<IIQ", 3, 1, 0))), (1 << 33) + 8) == [12 + 3 * (1 << 32)]


def samples(flags: int, *rows: tuple[int, int]) -> tuple[int, bytes]:
    t, o = zip(*rows, strict=True)
    n = len(rows)
    return 12, struct.pack("<QIII", 9, flags, 1, n) + struct.pack(f"<{n}q{n}q{n}q{n}q", *t, *o, *[1] * n, *[0] * n)


def test_a_guests_clock() -> None:
    """timestamp_correction_calc(): with one sample its offset; else between the two around it, rounded to the nearest ns."""
    assert told(of(samples(1, (1000, -40))), 5000) == [4960]
    two = of(samples(1, (1000, 100), (2000, 200)))
    assert told(two, 1000, 1500, 1504, 1505, 2000, 2500) == [1100, 1650, 1654, 1656, 2200, 2750]
    three = of(samples(1, (1000, 0), (2000, -10), (3000, 90)))
    # falling: (500 * -10 + 500) / 1000 = -4500 / 1000, cut to -4; rising: -10 + (500 * 100 + 500) / 1000 = 40
    assert told(three, 1500, 2500, 3500) == [1496, 2540, 3640]
    steps = of(samples(0, (1000, 0), (2000, -10), (3000, 90)))
    assert told(steps, 1500, 2500, 3500) == [1500, 2490, 3490]
