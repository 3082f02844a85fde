"""pcapng blocks packed by hand (layouts of draft-ietf-opsawg-pcapng) and files that editcap converted."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.capture.records import NO_TIME
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.packets import PacketFormat
from rmitrace.formats.pcap import is_pcap, packets
from rmitrace.formats.pcapng import MAX_INTERFACES

CAPTURES = Path(__file__).parents[3] / "captures" / "spdm"


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    total = 12 + len(body)
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", total)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(linktype: int, options: bytes = b"", snaplen: int = 0, order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", linktype, 0, snaplen) + options, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(data: bytes, ticks: int, index: int = 0, order: str = "<") -> bytes:
    head = struct.pack(order + "IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data + bytes(-len(data) % 4) + option(1, b"a comment", order) + option(0, b"", order), order)


@pytest.mark.parametrize("order", ["<", ">"])
def test_enhanced_packets(order: str) -> None:
    data = (
        section(order) + interface(292, order=order) + enhanced(b"hello", 1_500_000, order=order) + enhanced(b"", 7, order=order)
    )
    assert is_pcap(data)
    reader = packets(data)
    one, two = list(reader)
    # section 28 bytes, interface 20, so the first packet block begins at 48 and its bytes 28 further on
    assert (one.offset, one.data_offset, one.captured, one.original) == (48, 76, 5, 5)
    assert data[one.data_offset : one.data_offset + 5] == b"hello"
    assert (one.ts_ns, two.ts_ns) == (1_500_000_000, 7000)  # microseconds unless told
    assert (one.linktype, two.captured) == (292, 0)
    assert reader.problems == []


@pytest.mark.parametrize(
    ("resolution", "ticks", "ns"),
    [
        (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (3, 1_700_000_000_123, 1_700_000_000_123_000_000),
        (0, 1_700_000_000, 1_700_000_000_000_000_000),
        (12, 1_234_567_890_123, 1_234_567_890),
        (0x80 | 20, 3 << 19, 1_500_000_000),  # 2^-20 s
    ],
)
def test_time_resolution(resolution: int, ticks: int, ns: int) -> None:
    data = (
        section() + interface(147, option(2, b"pci0") + option(9, bytes([resolution])) + option(0, b"")) + enhanced(b"x", ticks)
    )
    assert [p.ts_ns for p in packets(data)] == [ns]


def test_time_offset() -> None:
    data = section() + interface(147, option(14, struct.pack("<q", -3600))) + enhanced(b"x", 3_600_000_002)
    assert [p.ts_ns for p in packets(data)] == [2000]


def test_simple_and_obsolete_packet_blocks() -> None:
    simple = block(3, struct.pack("<I", 10) + b"abcd")  # snapshot length 4 of 10 bytes
    old = block(2, struct.pack("<HHIIII", 0, 3, 0, 9, 2, 2) + b"xy")
    data = section() + interface(291, snaplen=4) + simple + old
    a, b = list(packets(data))
    assert (a.ts_ns, a.captured, a.original, a.linktype) == (None, 4, 10, 291)
    assert (b.ts_ns, b.captured, data[b.data_offset : b.data_offset + 2]) == (9000, 2, b"xy")


def test_blocks_of_other_kinds_are_passed_over() -> None:
    names, unknown, custom = block(4, bytes(20)), block(0x7777, b"???"), block(0xBAD, bytes(8))
    reader = packets(section() + names + interface(292) + unknown + custom + enhanced(b"x", 1))
    assert [p.captured for p in reader] == [1]
    assert reader.problems == []


def test_sections_have_their_own_interfaces_and_byte_order() -> None:
    data = (
        section() + interface(292) + enhanced(b"a", 1) + section(">") + interface(147, order=">") + enhanced(b"b", 2, order=">")
    )
    assert [(p.linktype, p.ts_ns) for p in packets(data)] == [(292, 1000), (147, 2000)]


def test_start_keeps_the_interfaces() -> None:
    data = section() + interface(292) + enhanced(b"a", 1) + interface(147) + enhanced(b"b", 2, 1)
    every = list(packets(data))
    assert [p.linktype for p in every] == [292, 147]
    assert list(packets(data, every[1].offset)) == every[1:]


def test_interface_that_is_not_described() -> None:
    reader = packets(section() + interface(292) + enhanced(b"a", 1, index=3))
    assert [p.linktype for p in reader] == [-1]
    assert "interface 3" in reader.problems[0].message


def test_lengths_that_disagree_skip_one_block() -> None:
    first, second, third = (enhanced(c * 9, i) for i, c in enumerate((b"a", b"b", b"c")))
    broken = second[:-4] + struct.pack("<I", len(second) + 4)
    data = section() + interface(292) + first + broken + third
    reader = packets(data)
    assert [data[p.data_offset : p.data_offset + 9] for p in reader] == [b"a" * 9, b"c" * 9]
    assert [(p.offset, p.length) for p in reader.problems] == [(48 + len(first), len(broken))]


def test_captured_length_beyond_its_block() -> None:
    data = section() + interface(292) + block(6, struct.pack("<IIIII", 0, 0, 1, 4000, 4000) + b"abcd")
    reader = packets(data)
    assert [p.captured for p in reader] == [4]
    assert "4000" in reader.problems[0].message


@pytest.mark.parametrize(
    ("ticks", "ns"),
    [(9223372036854775, 9223372036854775000), (9223372036854776, None), ((1 << 64) - 1, None)],  # (1 << 63) // 1000 us
)
def test_a_time_beyond_64_bits_is_left_out(ticks: int, ns: int | None) -> None:
    data = section() + interface(292) + enhanced(b"a", ticks) + enhanced(b"b", 2)
    reader = packets(data)
    assert [p.ts_ns for p in reader] == [ns, 2000]
    assert [(p.offset, "beyond" in p.message) for p in reader.problems] == ([] if ns else [(48, True)])
    assert PacketFormat().read(data, 0, len(data), ReadOptions()).ts[:2].tolist() == [NO_TIME if ns is None else ns, 2000]


def test_file_cut() -> None:
    whole = section() + interface(292) + enhanced(b"a" * 9, 1) + enhanced(b"b" * 9, 2)
    for cut in range(len(whole)):
        reader = packets(whole[:cut])
        for p in reader:
            assert p.offset + p.length <= cut
        complete = cut in (28, 48, 48 + len(enhanced(b"a" * 9, 1)))
        assert bool(reader.problems) != complete, cut


def test_interfaces_are_bounded() -> None:
    reader = packets(section() + interface(292) * (MAX_INTERFACES + 5))
    assert list(reader) == []
    assert reader.problems


@given(st.data())
def test_mutations_never_raise_and_stay_inside(data: st.DataObject) -> None:
    order = data.draw(st.sampled_from("<>"))
    raw = bytearray(section(order) + interface(292, option(9, b"\x06", order), order=order))
    for i in range(5):
        raw += enhanced(bytes([i]) * (3 * i), i, order=order)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    for p in packets(cut):
        assert p.data_offset + p.captured <= p.offset + p.length <= len(cut)


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("doe_*.pcap"))[:3], ids=lambda p: p.stem)
def test_converted_by_editcap(path: Path, tmp_path: Path) -> None:
    if shutil.which("editcap") is None:
        pytest.skip("editcap is not installed")
    converted = tmp_path / "converted.pcapng"
    subprocess.run(["editcap", "-F", "pcapng", "-T", "user0", str(path), str(converted)], check=True, capture_output=True)
    old, new = path.read_bytes(), converted.read_bytes()
    want = [(p.ts_ns, old[p.data_offset : p.data_offset + p.captured]) for p in packets(old)]
    reader = packets(new)
    assert [(p.ts_ns, new[p.data_offset : p.data_offset + p.captured]) for p in reader] == want
    assert {p.linktype for p in reader} == {147}
    assert reader.problems == []
