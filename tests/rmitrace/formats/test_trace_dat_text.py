"""Records as lines: every type that a probe can have, as the kernel printed it; markers, trace_printk(), functions, flags."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest

from rmitrace.formats.trace_dat_detail import payload
from rmitrace.formats.trace_dat_formats import find_formats, parse_format
from rmitrace.formats.trace_dat_names import Symbols
from rmitrace.formats.trace_dat_pages import walk
from rmitrace.formats.trace_dat_text import Renderer, array, flags, line_head
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.trace_dat_encode import encode
from tests.rmitrace.formats.trace_text import CAPTURES, ROOT

SYMBOLS = b"ffff800080001000 T rmi_pdev_create\t[host]\nffff800080001040 T next\nffff800080002000 t tracing_mark_write\n"
FUNC, MARK = 0xFFFF800080001000, 0xFFFF800080002010


def render(kind: str, data: bytes, texts: dict[int, bytes] | None = None) -> tuple[str, bytes]:
    parsed = parse_format(kind.encode())
    assert parsed is not None
    return Renderer(Symbols(SYMBOLS), texts or {}).event(parsed, data)


@pytest.mark.parametrize("name", ["argument-types.trace.txt", "connect.trace.txt", "doe.trace.txt", "pdev-connect.trace.txt"])
def test_prints_what_the_kernel_printed(name: str) -> None:
    """u8 to s64, hex and decimal, characters, arrays, strings, fetches that failed: line by line."""
    text = (CAPTURES / "ftrace" / name).read_bytes()
    expected = re.findall(rb"^.{16}-\d+ .*?\d+\.\d{6}: ([a-z]\w*): (\([^)]*\+0x.*)$", text, re.M)
    expected = [e for e in expected if not e[1].count(b'"') % 2]  # a string with a line end in it
    assert len(expected) >= 20
    trace = encode(text)
    formats = {i: parse_format(t) for i, t in find_formats([f.encode() for f in trace.formats]).items()}
    printer = Renderer(Symbols(trace.kallsyms), {})
    shown = []
    for pages in trace.cpus.values():
        e = walk(np.frombuffer(pages, np.uint8), 4096, len(pages)).events
        for at, body, size, ts in zip(e.at.tolist(), e.body.tolist(), e.size.tolist(), e.ts.tolist(), strict=True):
            data = payload(pages[at : body + size])
            assert data == pages[body : body + size]
            kind = formats.get(struct.unpack_from("<H", data)[0])
            if kind is not None:
                shown.append((ts, printer.event(kind, data)))
    assert [(n, t) for _, (n, t) in sorted(shown, key=lambda s: s[0])] == [(n.decode(), t) for n, t in expected]


def test_offsets_of_a_real_format() -> None:
    """A record of every integer type, packed by the offsets of the kernel's own format file."""
    texts = find_formats([(ROOT / "tests/data/trace-dat/argtypes.formats.txt").read_bytes()])
    kind = texts[1688]
    data = build.record(1688, 7, FUNC) + struct.pack(
        "<BHIQbhiqBHIQQ", 255, 65535, 2**32 - 1, 2**64 - 1, -1, -2, -3, -4, 16, 17, 18, 19, 20
    )
    assert render(kind.decode(), data)[1] == (
        b"(rmi_pdev_create+0x0/0x40 [host]) u8=255 u16=65535 u32=4294967295 u64=18446744073709551615 s8=-1 s16=-2 s32=-3 s64=-4 "
        b"x8=0x10 x16=0x11 x32=0x12 x64=0x13 dflt=0x14"
    )
    strs = texts[1690]
    # offset and length of a string are in one word; a length of 0 is a fetch that failed
    head = build.record(1690, 7, FUNC) + struct.pack("<IIIQI", 40 | 4 << 16, 44 | 3 << 16, 0, 9, 5000 | 9 << 16)
    assert render(strs.decode(), head + b"abc\0" + b'"\n\0')[1].endswith(
        b' name="abc" comm=""\n" ubuf=(fault) cnt=9 file=(fault)'
    )


def test_addresses_without_symbols_are_bare() -> None:
    name, text = render(build.probe_format("x", 99, ["a0"], ret=True), build.record(99, 7, 0x1234, 0x5678, 1))
    assert (name, text) == ("x", b"(0x5678 <- 0x1234) a0=0x1")


def test_relative_places_and_wide_elements() -> None:
    kind = parse_format(build.event_format("x", 99, [("__rel_loc u32[] v", 8, 4, 0)], "x", "0").encode())
    assert kind is not None
    # counted from behind the word that says so: 8 + 4 + 2
    assert array(kind.fields[0], build.record(99, 7) + struct.pack("<I", 2 | 8 << 16) + b"\0\0" + struct.pack("<II", 1, 2)) == (
        struct.pack("<II", 1, 2)
    )


def test_markers_and_trace_printk() -> None:
    assert render(build.PRINT, build.record(5, 7, MARK, tail=b"hello\n\0\0")) == ("tracing_mark_write", b"hello")
    assert render(build.PRINT, build.record(5, 7, FUNC + 8, tail=b"id 1\n\0")) == ("rmi_pdev_create", b"id 1")
    assert render(build.PRINT, build.record(5, 7, 99, tail=b"x\0")) == ("print", b"x")
    assert render(build.BPUTS, build.record(15, 7, FUNC, 0x77), {0x77: b"done\n"}) == ("rmi_pdev_create", b"done")
    packed = struct.pack("<IQ", 0xFFFFFFFF, 0xC4000175)
    assert render(build.BPRINT, build.record(6, 7, FUNC, 0x78, tail=packed), {0x78: b"%d fid %lx\n"}) == (
        "rmi_pdev_create",
        b"-1 fid c4000175",
    )
    assert render(build.BPRINT, build.record(6, 7, FUNC, 0x79)) == ("rmi_pdev_create", b"")
    # the line has no event name: tests/data has it from a kernel, `# 1234 buf: 00 01 02 ...`
    assert render(build.RAW_DATA, build.record(19, 7, tail=struct.pack("<I", 0x1234) + bytes(range(4)))) == (
        "",
        b"# 1234 buf: 00 01 02 03",
    )


def test_functions() -> None:
    assert render(build.FUNCTION, build.record(1, 7, FUNC + 4, MARK)) == ("function", b"rmi_pdev_create <-tracing_mark_write")
    entered = render(build.GRAPH_ENTRY, build.record(11, 7, FUNC, 1))
    assert entered == ("funcgraph_entry", b" " * 15 + b" |    rmi_pdev_create() {")
    name, text = render(build.GRAPH_EXIT, build.record(10, 7, FUNC, 2**64 - 1, 1, 1000, 24_684))
    assert (name, text) == ("funcgraph_exit", b"      23.684 us |    } /* rmi_pdev_create ret=0xffffffffffffffff */")


def test_a_probe_may_be_called_like_an_event_of_the_tracer() -> None:
    assert render(build.probe_format("print", 1700, ["ip"]), build.record(1700, 7, FUNC, 5))[1].endswith(b" ip=0x5")
    assert render(build.PRINT.replace("buf", "fub"), build.record(5, 7, MARK, tail=b"x\0")) == ("tracing_mark_write", b"")


@pytest.mark.parametrize(
    ("irq", "preempt", "shown"),
    [
        (0, 0, "....."), (1, 1, "d..1."), (0x80, 0x20, "b...2"), (0x81, 0, "D...."), (0x26, 0, ".B..."), (0x24, 0, ".N..."),
        (0x22, 0, ".L..."), (6, 0, ".b..."), (4, 0, ".n..."), (2, 0, ".l..."), (0x20, 0, ".p..."), (8, 0, "..h.."),
        (0x10, 0, "..s.."), (0x18, 0, "..H.."), (0x40, 0, "..z.."), (0x48, 0, "..Z.."), (9, 0x1F, "d.hf1"),
    ],
)  # fmt: skip
def test_flags(irq: int, preempt: int, shown: str) -> None:
    """trace_print_lat_fmt() of kernel/trace/trace_output.c: interrupts, resched, context, preemption and migration depth."""
    assert flags(irq, preempt) == shown


def test_columns_in_front() -> None:
    assert line_head("sh", 1603, 0, 1, 0, "  601.999902000") == "              sh-1603    [000] d....   601.999902000: "
    assert line_head("x", 1, -1, 0, 0, "5").endswith("-1       [???] ..... 5: ")
