"""The scanner compiled, the scanner uncompiled and the line reader alone give the same records, whatever the text."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.records import COLUMNS, Records
from rmitrace.formats import ftrace_batch, ftrace_scan, kernels
from rmitrace.formats.base import ReadOptions, Unreadable
from rmitrace.formats.ftrace_reader import Reader
from rmitrace.formats.ftrace_scan import compiled, scan
from rmitrace.formats.perf_reader import Reader as PerfReader
from tests.rmitrace.formats.trace_text import CAPTURES, ENTER, EXIT, HEAD, kinds

JUNK = [
    b"\n", b"\r\n", b"\0", b" ", b"-", b"[", b"]", b":", b": ", b"(", b")", b"{", b"}", b"=", b"0x", b"\xff", b"# ", b" => ",
    b"|", b"9" * 30, b" <- ", b"a0=0x", b"smc_enter: ", b"tracing_mark_write: ", b"CPU:0 [LOST 3 EVENTS]\n", b"# tracer: nop\n",
    b"-0", b"x",
]  # fmt: skip


def everything(records: Records | None) -> Any:
    """All of a reader's result, comparable."""
    if records is None:
        return None
    columns = {c: getattr(records, c).tolist() for c in (*COLUMNS, "regs") if c != "name"}
    names = [records.names[i] if i >= 0 else None for i in records.name.tolist()]
    return columns, names, records.findings, records.facts


def read_with(reader: type[Reader] | type[PerfReader], data: bytes, scanner: Any, threads: int = 1) -> Any:
    try:
        return everything(reader(data, 0, len(data), ReadOptions()).read(scanner, threads))
    except Unreadable:
        return None


def check(reader: type[Reader] | type[PerfReader], data: bytes, *, uncompiled: bool = True) -> None:
    alone = read_with(reader, data, None)
    assert read_with(reader, data, compiled()) == alone
    assert read_with(reader, data, compiled(), 3) == alone
    if uncompiled:
        assert read_with(reader, data, scan) == alone


def mutated(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 40)):
        if not out:
            break
        at, what = rng.randrange(len(out)), rng.random()
        if what < 0.3:
            out[at] = rng.randrange(256)
        elif what < 0.5:
            del out[at : at + rng.choice((1, 1, 2, 5, 40))]
        elif what < 0.8:
            out[at:at] = rng.choice(JUNK)
        else:
            other = rng.randrange(len(out))
            out[at:at] = out[other : other + rng.randint(1, 200)]
    return bytes(out)


SAMPLES = [(Reader, p) for p in sorted((CAPTURES / "ftrace").glob("*.txt"))] + [
    (PerfReader, p) for p in sorted((CAPTURES / "perf").glob("*.txt"))
]


@pytest.mark.parametrize(("reader", "path"), SAMPLES, ids=lambda x: getattr(x, "name", ""))
def test_captures(reader: type[Reader] | type[PerfReader], path) -> None:
    check(reader, path.read_bytes(), uncompiled=path.stat().st_size < 30_000)


@pytest.mark.parametrize(("reader", "path"), SAMPLES, ids=lambda x: getattr(x, "name", ""))
def test_mutated_captures(reader: type[Reader] | type[PerfReader], path) -> None:
    rng = random.Random(path.name)
    data = path.read_bytes()[:6000]
    for i in range(4):
        check(reader, mutated(data, rng), uncompiled=i == 0)


# Lines of the common form and close to it: the parts are drawn one by one.
COMM = st.sampled_from([b"sh", b"<idle>", b"a-1 [000] 1.5: ", b"=> hidden task", b"new\nline", b"", b"x [001] 1.2: y"])
PID = st.sampled_from([b"1603   ", b"0      ", b"4194304", b"1234567890", b"x", b"12", b""])
TGID = st.sampled_from([b"", b"", b"(   1603) ", b"(-------) ", b"(", b"() "])
CPU = st.sampled_from([b"[000]", b"[1023]", b"[]", b"[1234567]", b"000"])
FLAGS = st.sampled_from([b" d....", b" d..1.", b" dNh1", b"", b" ......", b" d.", b" d......", b" 12345"])
TIME = st.sampled_from(
    [b"601.999902", b"1.5", b"67.885097923", b"4", b"9999999999.1", b"99999999999.1", b"1.0000000001", b".5", b"1."]
)
DIFF = st.sampled_from([b"", b"", b"(+117)   ", b"(+)", b"(+1) "])
NAME = st.sampled_from([
    b"smc_enter: ", b"smc_exit: ", b"smc12_enter:          ", b"go: ", b"irq: ", b"rmi_version <-x", b"f <-g", b"f <-g a0=0x1",
    b"", b"x:",
])  # fmt: skip
PLACE = st.sampled_from(
    [b"(f+0x0/0x80 [m])", b"(g+0x4/0x8 [m] <- f)", b"(ffff80008002bf38)", b"(a <- b)", b"()", b"(", b"((f)", b""]
)
NUMBER = st.sampled_from([
    b"0xc4000150", b"0x0", b"0xFf", b"0x", b"0x" + b"f" * 17, b"-1", b"-", b"18446744073709551615", b"18446744073709551616",
    b"-9223372036854775808", b"-9223372036854775809", b"00012", b"3288334672", b"(fault)", b"1_0", b"",
    b"{0xc4000150,0x2}", b"{0xc4000150,-1}", b"{0x0,0x0}", b"{0xc4000150,0x2", b"{0xc4000150}", b"{", b"{0xc4000150,}", b"{}",
])  # fmt: skip
FIELDS = st.lists(
    st.tuples(st.sampled_from([b"a0", b"a1", b"a2", b"a9", b"fid", b"x0", b"ret", b"a", b"regs"]), NUMBER), max_size=4
)
END = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r\r\n", b" \n", b"\n\n", b""])


@st.composite
def line(draw: st.DrawFn) -> bytes:
    head = b"%16s-" % draw(COMM) + draw(PID) + b" " + draw(TGID) + draw(CPU) + draw(FLAGS) + b"   " + draw(TIME) + b": "
    fields = b"".join(b" " + n + b"=" + v for n, v in draw(FIELDS))
    return head + draw(DIFF) + draw(NAME) + draw(PLACE) + fields + draw(END)


ARRAYS = b"smc_enter_arr: (f+0x0/0x8) a={0xc4000150,0x1,0x2} n=1"
GOOD = st.sampled_from([HEAD + e + b"\n" for e in (ENTER, EXIT, ARRAYS)])


@st.composite
def hurt(draw: st.DrawFn) -> bytes:
    """A good line with a piece replaced."""
    whole = draw(GOOD)
    at = draw(st.integers(0, len(whole)))
    return (
        whole[:at]
        + draw(st.sampled_from([b"", b"\n", b"}", b"{", b",", b"-", b"0x", b" ", b"\r", b"zz"]))
        + whole[at + draw(st.integers(0, 4)) :]
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(line(), GOOD, GOOD, hurt()), max_size=12))
def test_lines_near_the_common_form(lines: list[bytes]) -> None:
    check(Reader, b"".join(lines))


# Lines that begin as others did before them, up to the seconds, and differ in what comes then.
HEADS = [
    b"              sh-1603    [000] d....   601.", b"              sh-1603    [001] d....   601.",
    b"              sh-1603    [000] d..1.   602.", b"            a-sh-7       [000] d....   601.",
    b"          <idle>-0       [000] d....  1601.", b"         new\nline-7       [000] d....   601.",
]  # fmt: skip
FRACTION = st.sampled_from([b"999902: ", b"000001: ", b"9: ", b"123456789: ", b"1234567890: ", b": ", b"99x: ", b"99:", b"99 : "])
PLACED = st.sampled_from(
    [b"smc_enter: (f+0x0/0x80 [m])", b"smc_exit: (g+0x4/0x8 [m] <- f)", b"smc_exit: (g+0x4/0x8)", b"smc_enterr: (f)", b"irq: x"]
)
VALUE = st.sampled_from(
    [
        b"0x0",
        b"0x0",
        b"0x0",
        b"0xc4000150",
        b"0x00",
        b"0",
        b"0x0x",
        b"0x0\0",
        b"0x0\r",
        b"0x01",
        b"0x",
        b"0x0 ",
        b"0x" + b"1" * 17,
    ]
)


@st.composite
def alike(draw: st.DrawFn) -> bytes:
    """A line of few heads, events and values."""
    values = draw(st.lists(VALUE, max_size=4))
    fields = b"".join(b" a%d=" % i + v for i, v in enumerate(values))
    return (
        draw(st.sampled_from(HEADS))
        + draw(FRACTION)
        + draw(PLACED)
        + fields
        + draw(st.sampled_from([b"\n", b"\n", b"\r\n", b""]))
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(alike(), alike(), GOOD), min_size=4, max_size=30))
def test_lines_that_begin_alike(lines: list[bytes]) -> None:
    check(Reader, HEAD + ENTER + b"\n" + HEAD + EXIT + b"\n" + b"".join(lines) + HEAD + EXIT + b"\n")


def test_a_head_is_remembered_of_each_event() -> None:
    """Task, CPU and seconds of a line are its own, not those of the line that the scanner expected there."""
    begin = b"%16s-%-7d [%03d] d....   %d.000001: "
    events = (b"smc_enter: (f+0x0/0x80 [m]) a0=0xc4000150", b"smc_exit: (g+0x4/0x8 [m] <- f) a0=0x0")
    wanted = [(7 + i // 8, i // 4 % 2, 600 + i // 16, i % 2) for i in range(64)]
    data = b"".join(begin % (b"t", pid, cpu, s) + events[e] + b"\n" for pid, cpu, s, e in wanted)
    records = Reader(data, 0, len(data), ReadOptions()).read(compiled(), 1)
    found = zip(records.pid.tolist(), records.cpu.tolist(), records.ts.tolist(), strict=True)
    assert list(found) == [(pid, cpu, s * 10**9 + 1000) for pid, cpu, s, _ in wanted]


@pytest.mark.parametrize("piece", [b"\n", b"\r", b"", b" ", b"}", b"0x", b"-", b"A", b"\xff"])
def test_a_line_hurt_at_every_byte(piece: bytes) -> None:
    """Each variant of a good line is followed by a good one: a scanner that runs past a line's end would lose it."""
    good = [HEAD + e + b"\n" for e in (ENTER, EXIT, ARRAYS)]
    hurts = [line_[:at] + piece + line_[at + drop :] for line_ in good for at in range(len(line_)) for drop in (0, 1)]
    check(Reader, b"".join(good) + b"".join(h + good[0] for h in hurts), uncompiled=False)


@pytest.mark.parametrize("piece", [b"\n", b"\r", b"", b" ", b":", b"0x", b"x3:", b"A", b"\t", b"\xff"])
def test_a_breakpoint_sample_hurt_at_every_byte(piece: bytes) -> None:
    head = b"              sh     152/152     [001]    35.213286: "
    regs = b"x:  ffff8000 stub+0x30 ABI:2    x0:0x%x    x1:0x20000   x17:0x5   x19:0x7    lr:0x1    sp:0x2    pc:0x3 \n"
    good = [head + b"mem:0x%x:" % a + regs % x0 for a, x0 in ((0x8000A640, 0xC4000150), (0x8000A644, 0))]
    hurts = [line_[:at] + piece + line_[at + drop :] for line_ in good for at in range(len(line_)) for drop in (0, 1)]
    check(PerfReader, b"".join(good) + b"".join(h + good[0] + good[1] for h in hurts), uncompiled=False)


PERF_HEAD = st.sampled_from([
    b"              sh    2753 [001]  1725.129450: ", b"              sh     152/153     [001]    35.213286: ",
    b"   a 12 [0] 1.0:     2753 [001]  1725.129450: ", b"              sh    2753  1725.129450: ",
    b"              sh    2753 [001]: ", b"sh 2753 [001] 1725.1: ", b"              sh    2753 [001]  1725.129450:          1 ",
])  # fmt: skip
PERF_NAME = st.sampled_from([
    b"smccc:smc12_enter: ", b" smccc:smc12_exit: ", b"smc:arr: ", b"mem:0xffff80008004a640:x:  ", b"smc12_enter: ", b"a:b:c: ",
])  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(PERF_HEAD, PERF_NAME, PLACE, FIELDS, END), max_size=10))
def test_perf_lines_near_the_common_form(lines: list[tuple[bytes, bytes, bytes, list[tuple[bytes, bytes]], bytes]]) -> None:
    text = b"".join(h + n + p + b"".join(b" " + f + b"=" + v for f, v in fields) + end for h, n, p, fields, end in lines)
    check(PerfReader, text)


@pytest.mark.parametrize("threads", [1, 3])
def test_many_pieces(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Records keep their order over pieces, and lines between them find what came before."""
    monkeypatch.setattr(kernels, "PIECE", 700)
    monkeypatch.setattr(ftrace_batch, "LEARN", 700)
    data = (CAPTURES / "ftrace/odd-comms.trace.txt").read_bytes()[:60_000] + (CAPTURES / "ftrace/markers.trace.txt").read_bytes()
    assert read_with(Reader, data, compiled(), threads) == read_with(Reader, data, None)


def test_an_event_that_begins_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces that were scanned ahead before an event was known give the same records."""
    monkeypatch.setattr(kernels, "PIECE", 2000)
    monkeypatch.setattr(ftrace_batch, "LEARN", 500)
    data = (HEAD + b"sched_waking: comm=x pid=1\n") * 100 + (HEAD + ENTER + b"\n" + HEAD + EXIT + b"\n") * 100
    check(Reader, data + data, uncompiled=False)


def test_columns_that_are_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of lines shorter than there is room for, a piece takes several turns."""
    monkeypatch.setattr(kernels, "PIECE", 4000)
    data = b"".join(HEAD + b"smc_enter: (f) a0=0xc4000150\n" + b"x\n" * 40 for _ in range(60))
    check(Reader, data, uncompiled=False)


def test_empty_lines_change_nothing() -> None:
    data = (CAPTURES / "ftrace/markers.trace.txt").read_bytes()[:20_000]
    check(Reader, data.replace(b"\n", b"\n\n\n"), uncompiled=False)
    data = (CAPTURES / "perf/breakpoints.txt").read_bytes()[:8000]
    check(PerfReader, data.replace(b"\n", b"\n\n"), uncompiled=False)


def test_the_common_lines_are_read_by_the_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a plain capture only the header and the first lines of each event are left to the line reader."""
    left: list[int] = []
    keep = Reader.line
    monkeypatch.setattr(Reader, "line", lambda self, at, stop: (left.append(at), keep(self, at, stop))[1])
    data = b"".join(HEAD + e + b"\n" for e in (ENTER, ARRAYS, EXIT, b"sched_waking: comm=x pid=1")) * 1000
    records = Reader(data, 0, len(data), ReadOptions()).read(compiled())
    assert kinds(records) == ["ENTER", "ENTER", "EXIT"] * 1000
    assert records.regs[1, :4].tolist() == [0xC4000150, 1, 2, 0]
    assert len(left) < 10
    assert records.facts["ignored_events"] == {"sched_waking": 1000}


def test_small_files_do_not_import_numba(tmp_path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from rmitrace.formats.ftrace import FORMAT; from rmitrace.formats.base import ReadOptions\n"
        f"d = open({str(CAPTURES / 'ftrace/connect.trace.txt')!r}, 'rb').read()\n"
        "FORMAT.read(d, 0, len(d), ReadOptions()); sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_big_files_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (HEAD + ENTER + b"\n" + HEAD + EXIT + b"\n") * 500
    monkeypatch.setattr(kernels, "COMPILE_FROM", len(data))
    used: list[bool] = []
    machine = compiled()
    monkeypatch.setattr(ftrace_scan, "compiled", lambda: used.append(True) or machine)
    assert len(Reader(data, 0, len(data), ReadOptions()).read()) == 1000
    assert used == [True]
    assert len(Reader(data, 0, len(data) - 1, ReadOptions()).read()) == 1000
    assert used == [True]


def test_columns_have_the_declared_types() -> None:
    data = (HEAD + ENTER + b"\n") * 3
    for scanner in (None, compiled()):
        records = Reader(data, 0, len(data), ReadOptions()).read(scanner)
        for column, kind in COLUMNS.items():
            assert getattr(records, column).dtype == np.dtype(kind), column
        assert records.regs.dtype == np.uint64
