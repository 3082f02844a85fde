"""Options, written by trace-cmd.dat.v7(5)."""

from __future__ import annotations

import struct

import pytest

from rmitrace.formats.trace_dat_options import BufferPlace, Options, Stats, take_option

STAT = (
    b"CPU: 1\nentries: 5\noverrun: 7\ncommit overrun: 2\nbytes: 0\noldest event ts:     0.000000\nnow ts:   717.557070\n"
    b"dropped events: 3\nread events: 1080000\n\0"
)


def taken(*options: tuple[int, bytes]) -> Options:
    out = Options()
    for ident, value in options:
        take_option(out, ident, value)
    return out


def test_texts_and_numbers() -> None:
    o = taken(
        (4, b"local global [mono_raw] boot\n\0"), (5, b"Linux guest 7.3.4 aarch64\0"), (9, b"3.4.0\0"), (8, struct.pack("<I", 6)),
        (11, struct.pack("<Q", 0xABCD)), (2, STAT), (16, struct.pack("<Q", 37)), (21, struct.pack("<Q", 99)), (99, b"?"),
    )  # fmt: skip
    assert (o.clock, o.uname, o.version, o.cpus, o.trace_id) == ("mono_raw", "Linux guest 7.3.4 aarch64", "3.4.0", 6, 0xABCD)
    assert o.stats == [Stats(1, 5, 9, 3, 1080000)]
    assert o.sections == {16: 37, 21: 99}


def test_buffers() -> None:
    head = struct.pack("<Q", 4096)
    o = taken(
        (
            3,
            head
            + b"\0local\0"
            + struct.pack("<II", 4096, 2)
            + struct.pack("<IQQ", 0, 8192, 5)
            + struct.pack("<IQQ", 3, 12288, 7),
        ),
        (3, head + b"inst\0mono\0" + struct.pack("<II", 65536, 0)),
        (22, head + b"lat\0local\0"),
        (3, head + b"old\0"),
    )
    assert o.buffers == [
        BufferPlace(4096, "", "local", 4096, ((0, 8192, 5), (3, 12288, 7)), False),
        BufferPlace(4096, "inst", "mono", 65536, (), False),
        BufferPlace(4096, "lat", "local", 0, (), True),
    ]
    assert o.instances == [(4096, "old")]  # version 6 has nothing behind the name


def test_times() -> None:
    o = taken((1, b"0x10\0"), (7, b"-5\0"), (14, struct.pack("<IIQ", 10, 3, 99)))
    assert o.ts_offset == 16 * 1000 - 5  # DATE in us, OFFSET in ns
    assert o.tsc == (10, 3)
    # two samples on CPU 0, out of order, one on CPU 1, then the fractions
    sample = struct.pack("<QII", 77, 1, 2)
    cpu0 = struct.pack("<I6Q", 2, 2000, 1000, 30, 2**64 - 10, 1, 1)
    cpu1 = struct.pack("<I3Q", 1, 5, 6, 1)
    o = taken((12, sample + cpu0 + cpu1 + struct.pack("<3Q", 0, 0, 0)), (13, b"guest-1\0" + bytes(12)))
    assert (o.peer, o.interpolate, o.guests) == (77, True, ["guest-1"])
    assert [s.time.tolist() for s in o.shifts] == [[1000, 2000], [5]]
    assert [s.offset.tolist() for s in o.shifts] == [[-10, 30], [6]]


@pytest.mark.parametrize("ident", [1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 16, 22])
def test_what_is_too_short_or_no_number(ident: int) -> None:
    for value in (b"", b"\0", b"\xff", b"x" * 7, b"\xff" * 64, struct.pack("<QII", 1, 1, 2**32 - 1), b"9" * 5000):
        o = taken((ident, value))
        assert len(o.buffers) + len(o.shifts) + len(o.stats) <= 1
        assert o.buffers == [] or len(o.buffers[0].cpus) <= 3


def test_counts_are_bounded_by_what_is_there() -> None:
    value = bytes(8) + b"\0local\0" + struct.pack("<II", 4096, 2**32 - 1) + struct.pack("<IQQ", 0, 1, 2)
    assert taken((3, value)).buffers[0].cpus == ((0, 1, 2),)
    assert taken((12, struct.pack("<QIII", 1, 1, 9, 2**31))).shifts == []
