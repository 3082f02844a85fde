"""Classic pcap against files packed by hand and against tshark's own list of frames."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.formats.pcap import MAX_PROBLEMS, Packet, is_pcap, messages, packets

CAPTURES = Path(__file__).parents[3] / "captures" / "spdm"
PCAPS = [CAPTURES / f"{name}.pcap" for name in ("doe_v12_measall", "err_raw_v12_doe", "tf-rmm-head-nominal")]
FRAMES = [b"\x01\0\x01\0\x03\0\0\0\x10\x84\0\0", b"first" * 9, b"x", b"", b"y" * 300]


def classic(frames: list[bytes], order: str = "<", magic: int = 0xA1B2C3D4, linktype: int = 292, header: str = "IIII") -> bytes:
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65536, linktype)
    for i, f in enumerate(frames):
        out += struct.pack(order + header, 1_700_000_000 + i, 250_000 + i, len(f), len(f), *([0] * (len(header) - 4))) + f
    return out


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "tick", "header"), [(0xA1B2C3D4, 1000, "IIII"), (0xA1B23C4D, 1, "IIII"), (0xA1B2CD34, 1000, "IIIIIHBB")]
)
def test_every_magic_and_byte_order(order: str, magic: int, tick: int, header: str) -> None:
    data = classic(FRAMES, order, magic, header=header)
    assert is_pcap(data)
    reader = packets(data)
    got = list(reader)
    assert [data[p.data_offset : p.data_offset + p.captured] for p in got] == FRAMES
    assert [p.ts_ns for p in got] == [(1_700_000_000 + i) * 10**9 + (250_000 + i) * tick for i in range(len(FRAMES))]
    assert {p.linktype for p in got} == {292}
    assert reader.problems == []
    assert got[0].offset == 24
    assert all(b.offset == a.offset + a.length for a, b in pairwise(got))


def test_one_packet_field_by_field() -> None:
    # file header 24, record header 16, so the packet's bytes begin at 40; 3 of 9 captured
    data = classic([]) + struct.pack("<IIII", 5, 7, 3, 9) + b"abc"
    assert list(packets(data)) == [
        Packet(offset=24, length=19, ts_ns=5_000_007_000, linktype=292, data_offset=40, captured=3, original=9, interface=0)
    ]


def test_link_type_without_its_upper_bits() -> None:
    data = classic([b"ab"], linktype=0x1400_0000 | 147)  # frames end in a checksum of 4 bytes, USER0
    assert [p.linktype for p in packets(data)] == [147]


def test_start_at_a_record() -> None:
    data = classic(FRAMES)
    every = list(packets(data))
    assert list(packets(data, every[2].offset)) == every[2:]


@pytest.mark.parametrize("cut", [25, 39, 41, 50])
def test_file_cut(cut: int) -> None:
    data = classic([b"a" * 12, b"b" * 12])[:cut]
    reader = packets(data)
    got = list(reader)
    assert sum(p.length for p in got) + sum(p.length for p in reader.problems if not got) + 24 >= min(cut, 40)
    assert len(reader.problems) == 1
    if cut > 40:  # the packet that is cut is given with the bytes that are there
        assert [(p.data_offset, p.captured, p.original) for p in got] == [(40, cut - 40, 12)]
        assert reader.problems[0].offset == 24
        assert f"{cut - 40} of 12 bytes" in reader.problems[0].message


def test_damaged_length_swallows_nothing() -> None:
    """A length field that covers the next record too: the record behind it is found again."""
    data = bytearray(classic([bytes([i]) * 40 for i in range(8)]))
    third = 24 + 2 * 56
    struct.pack_into("<II", data, third + 8, 40 + 30, 40 + 30)
    reader = packets(bytes(data))
    got = list(reader)
    assert [data[p.data_offset] for p in got] == list(range(8))
    assert got[2].captured == 40
    assert [p.offset for p in reader.problems] == [third]
    assert "70 bytes" in reader.problems[0].message


def test_damaged_header_is_skipped() -> None:
    data = bytearray(classic([bytes([i]) * 40 for i in range(8)]))
    third = 24 + 2 * 56
    data[third : third + 16] = b"\xff" * 16
    reader = packets(bytes(data))
    got = list(reader)
    assert [data[p.data_offset] for p in got] == [0, 1, 3, 4, 5, 6, 7]
    assert [(p.offset, p.length) for p in reader.problems] == [(third, 56)]


def test_bytes_lost_in_the_middle() -> None:
    data = classic([bytes([i]) * 400 for i in range(10)])
    hole = data[: 24 + 3 * 416 + 100] + data[24 + 5 * 416 + 33 :]
    got = [hole[p.data_offset] for p in packets(hole)]
    assert got[:3] == [0, 1, 2]
    assert got[-4:] == [6, 7, 8, 9]


def test_fraction_of_a_second_out_of_range_loses_no_packet() -> None:
    data = classic([]) + struct.pack("<IIII", 5, 2_000_000, 3, 3) + b"abc" + struct.pack("<IIII", 8, 0, 2, 2) + b"de"
    reader = packets(data)
    assert [p.captured for p in reader] == [3, 2]
    assert [p.offset for p in reader.problems] == [24]


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3", b"\xd4\xc3\xb2\xa1", b"# tracer: nop\n", bytes(100)])
def test_not_a_capture(data: bytes) -> None:
    reader = packets(data)
    assert list(reader) == []
    assert len(reader.problems) == 1


def test_problems_are_bounded() -> None:
    data = classic([b"z" * 20] * 3) + random.Random(1).randbytes(200_000)
    reader = packets(data)
    list(reader)
    assert len(reader.problems) <= MAX_PROBLEMS


@given(st.data())
def test_mutations_never_raise_and_stay_inside(data: st.DataObject) -> None:
    raw = bytearray(classic([bytes([i]) * (10 + 7 * i) for i in range(6)], data.draw(st.sampled_from("<>"))))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(4, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    reader = packets(cut)
    at = 0
    for p in reader:
        assert p.offset >= at
        assert p.data_offset + p.captured <= p.offset + p.length <= len(cut)
        at = p.offset + p.length
        messages(cut[p.data_offset : p.data_offset + p.captured], p.linktype)
    # every byte behind the file header is in a packet or named in a problem
    covered = sum(p.length for p in reader) + sum(p.length for p in reader.problems)
    assert covered >= len(cut) - 24 or len(cut) < 24


@pytest.mark.parametrize("path", PCAPS, ids=lambda p: p.stem)
def test_shipped_captures_have_the_frames_tshark_lists(path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    data = path.read_bytes()
    got = [(p.ts_ns, p.captured, p.original) for p in packets(data)]
    command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.cap_len", "-e", "frame.len"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    want = []
    for line in filter(None, listed):
        ts, captured, original = line.split("\t")
        sec, frac = ts.split(".")
        want.append((int(sec) * 10**9 + int(frac), int(captured), int(original)))
    assert got == want


def test_start_beyond_and_inside_the_header() -> None:
    data = classic(FRAMES)
    assert list(packets(data, 3)) == list(packets(data))
    assert list(packets(data, len(data))) == []
