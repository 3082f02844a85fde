"""The container: both versions, what is refused, and files that are cut off or damaged anywhere."""

from __future__ import annotations

import struct
import time

import pytest

from rmitrace.formats.base import Unreadable
from rmitrace.formats.trace_dat_file import read_file
from rmitrace.formats.trace_dat_parts import TraceFile
from tests.rmitrace.formats import trace_dat_build as build

PAGE = build.page(1000, build.event(build.record(9, 1, 5)))
TRACE = build.Trace(
    [build.probe_format("e", 9, ["a0"]), build.probe_format("f", 10, ["a0"])],
    {0: PAGE * 3, 2: PAGE},
    {"inst": {1: PAGE * 2}},
    ftrace=[build.event_format("print", 5, [("unsigned long ip", 8, 8, 0)], "%ps", "REC->ip")],
    kallsyms=b"ffff800080001000 T f\n", printk=b'0x12 : "x"\n', cmdlines=b"1 sh\n", options=[(8, struct.pack("<I", 3))],
)  # fmt: skip
WRITERS = {"6": build.v6, "7": lambda t: build.v7(t, "none"), "7-zstd": build.v7, "7-zlib": lambda t: build.v7(t, "zlib")}


def areas(f: TraceFile) -> list[tuple]:
    return [
        (r.name, r.clock, r.page_size, a.cpu, bytes(f.unpacked[a.offset : a.offset + a.size])) for r in f.rings for a in r.areas
    ]


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_parts(write) -> None:
    data = write(TRACE)
    f = read_file(data, 0, len(data))
    assert f.problems == []
    assert areas(f) == [("", "local", 4096, 0, PAGE * 3), ("", "local", 4096, 2, PAGE), ("inst", "local", 4096, 1, PAGE * 2)]
    assert sorted(t.decode() for t in f.formats) == sorted([*TRACE.ftrace, *TRACE.formats])
    assert (f.kallsyms, f.printk, f.cmdlines) == (TRACE.kallsyms, TRACE.printk, TRACE.cmdlines)
    assert f.header_page.startswith(b"\tfield: u64 timestamp;")
    assert (f.options.uname, f.options.clock) == ("Linux guest 7.3.4 aarch64", "local")


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_in_the_middle_of_other_bytes(write) -> None:
    data = write(TRACE)
    f = read_file(b"#" * 777 + data + b"#" * 5000, 777, 777 + len(data))
    assert f.problems == []
    assert [a[4] for a in areas(f)] == [PAGE * 3, PAGE, PAGE * 2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((10, b"8"), "another version"),
        ((12, b"\1"), "big-endian"),
        ((18, b"lz4\0"), "another method"),
    ],
)
def test_refused_with_advice(change: tuple[int, bytes], said: str) -> None:
    data = bytearray(build.v7(TRACE))
    data[change[0] : change[0] + len(change[1])] = change[1]
    with pytest.raises(Unreadable, match=said):
        read_file(bytes(data), 0, len(data))


def test_a_32_bit_kernel_is_refused() -> None:
    data = build.v7(TRACE, "none").replace(b"data;\toffset:16;\tsize:4080;", b"data;\toffset:12;\tsize:4084;")
    with pytest.raises(Unreadable, match="32-bit"):
        read_file(data, 0, len(data))


@pytest.mark.parametrize("length", [0, 10, 11, 13, 17, 20, 30])
def test_shorter_than_its_header(length: int) -> None:
    data = build.v7(TRACE)[:length]
    with pytest.raises(Unreadable, match=r"ends within its header|another"):
        read_file(data, 0, len(data))


def test_a_page_size_that_is_none_is_taken_from_the_page_header() -> None:
    data = bytearray(build.v6(TRACE))
    struct.pack_into("<I", data, 14, 3)
    f = read_file(bytes(data), 0, len(data))
    assert [r.page_size for r in f.rings] == [4096, 4096]
    assert [p.reason for p in f.problems] == ["trace buffer pages of 3 bytes"] * 2


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_without_the_options_at_the_end(compression: str) -> None:
    """What a copy that did not finish lacks first is the table of CPUs: their pages are still found."""
    one = build.Trace(TRACE.formats, {1: PAGE * 25}, kallsyms=TRACE.kallsyms)
    data = build.v7(one, compression)
    whole = read_file(data, 0, len(data)).rings[0].areas[0]
    end = whole.offset + whole.size if compression == "none" else whole.chunks[-1].offset + whole.chunks[-1].packed
    f = read_file(data, 0, end)
    assert areas(f) == [("", "local", 4096, -1, PAGE * 25)]
    assert "no table says which CPU" in f.problems[-1].reason
    f = read_file(data, 0, end - 10)
    assert [a[4][: 20 * 4096] for a in areas(f)] == [PAGE * 20]
    assert "the file ends before the trace data of a CPU does" in [p.reason for p in f.problems]


def test_version_6_cut_within_the_trace_data() -> None:
    data = build.v6(TRACE)
    f = read_file(data, 0, len(data) - 4096 - 100)
    assert [a[4] for a in areas(f)] == [PAGE * 3, PAGE, (PAGE * 2)[: 4096 - 100]]
    assert [p.reason for p in f.problems] == ["the file ends before the trace data of a CPU does"]


def test_version_6_with_damage_in_its_texts() -> None:
    data = bytearray(build.v6(TRACE))
    at = data.index(b"smccc\0") + 10
    data[at : at + 8] = b"\xff" * 8  # the length of a format
    f = read_file(bytes(data), 0, len(data))
    assert [a[4] for a in areas(f)] == [PAGE * 3, PAGE, PAGE * 2]
    assert f.problems[0].reason == "the texts in front of the trace data are damaged"
    assert TRACE.formats[1].encode() in f.formats[0]


def test_places_that_overlap_are_read_once() -> None:
    data = bytearray(build.v6(build.Trace(TRACE.formats, {0: PAGE * 3, 1: PAGE})))
    table = data.index(b"flyrecord\0") + 10
    data[table + 16 : table + 32] = data[table : table + 16]
    f = read_file(bytes(data), 0, len(data))
    assert [a[3] for a in areas(f)] == [0]
    assert [p.reason for p in f.problems] == ["trace data of two CPUs in one place"]


def test_options_in_a_circle() -> None:
    data = bytearray(build.v7(TRACE))
    (first,) = struct.unpack_from("<Q", data, 18 + 5 + 6)
    last = data.rindex(struct.pack("<HIQ", 0, 8, 0))
    struct.pack_into("<Q", data, last + 6, first)
    f = read_file(bytes(data), 0, len(data))
    assert len(areas(f)) == 3
    assert [p.reason for p in f.problems] == ["option sections that lead back to themselves"]


def test_a_chunk_that_would_unpack_to_too_much() -> None:
    data = bytearray(build.v7(TRACE))
    f = read_file(bytes(data), 0, len(data))
    chunk = f.rings[0].areas[0].chunks[0]
    struct.pack_into("<I", data, chunk.offset - 4, 2**32 - 1)
    f = read_file(bytes(data), 0, len(data))
    assert [a[3] for a in areas(f)] == [2, 1]
    assert [(p.offset, p.reason) for p in f.problems] == [
        (chunk.offset - 8, "a chunk of trace data that would unpack to too much")
    ]


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_cut_anywhere(write) -> None:
    data = write(TRACE)
    began = time.process_time()
    for end in [*range(0, min(len(data), 3000), 17), *range(3000, len(data), 997)]:
        try:
            f = read_file(data, 0, end)
        except Unreadable:
            assert end < 64
            continue
        for _, _, _, _, pages in areas(f):
            assert len(pages) <= 5 * 4096  # the pages of both CPUs, where no table parts them
        assert all(0 <= p.offset <= end for p in f.problems)
        assert f.problems or not areas(f) or end > len(data) - 4096
    assert time.process_time() - began < 10


def test_huge_counts_end_with_the_file() -> None:
    began = time.process_time()
    data = build.v7(TRACE, "none")
    for name in (b"header_page\0", b"smccc\0"):
        at = data.index(name) + len(name)
        for width in (4, 8):
            evil = data[:at] + b"\xff" * width + data[at + width :]
            assert read_file(evil, 0, len(evil)).problems
    six = bytearray(build.v6(TRACE))
    at = six.index(b"options  \0")
    six[at - 4 : at] = b"\xff" * 4
    assert len(areas(read_file(bytes(six), 0, len(six)))) == 3  # the option has the count
    assert time.process_time() - began < 5
