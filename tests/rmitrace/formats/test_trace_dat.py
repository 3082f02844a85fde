"""Whole files against what trace-cmd and the kernel printed of the same events, and against the readers of trace text."""

from __future__ import annotations

import lzma
import re

import numpy as np
import pytest

from rmitrace.capture import open_capture
from rmitrace.capture.records import NO_TIME, Kind
from rmitrace.formats import registry
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.ftrace import FORMAT as TEXT
from rmitrace.formats.trace_dat import FORMAT
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.trace_dat_encode import encode
from tests.rmitrace.formats.trace_text import CAPTURES, ROOT, kinds, names, read, regs

FOLDER = CAPTURES / "trace-dat"
TRUTH = ROOT / "tests" / "data" / "trace-dat"
SAMPLES = sorted(FOLDER.glob("*.dat"))
_REPORT = re.compile(r"^ *(.{0,15}?)-(\d+) +\[(\d+)\](?: \S{5})? +(\d+)\.(\d{6,9}): +(\w+): +(?:\(.*?\))?(.*)$")


def truth(name: str) -> str:
    data = (TRUTH / name).read_bytes()
    return (lzma.decompress(data) if name.endswith(".xz") else data).decode()


def smc_lines(report: str) -> list[tuple]:
    """(comm, pid, cpu, ns, digits of the time, event, registers) of the scalar SMC events of a report."""
    out = []
    for line in report.splitlines():
        m = _REPORT.match(line)
        if m and re.match(r"smc(?:12)?_(?:enter|exit)$", m[6]):
            values = {int(n): int(v, 16) for n, v in re.findall(r"\ba(\d+)=0x([0-9a-f]+)", m[7])}
            ns = int(m[4]) * 10**9 + int(m[5].ljust(9, "0"))
            out.append((m[1].strip(), int(m[2]), int(m[3]), ns, len(m[5]), m[6], values))
    return out


def detail(records, data, row: int):
    at, length = int(records.offset[row]), int(records.length[row])
    raw = bytes(records.facts.get("data", data)[at : at + length])
    assert len(raw) == length
    return records.facts["detail"](row, raw, False)


def rows_of(records) -> list[tuple]:
    """Everything of the records but where they are."""
    return [
        (k, n, *map(int, (records.cpu[i], records.pid[i], records.known[i])), tuple(map(int, records.regs[i])),
         NO_TIME if k == "LOST" else int(records.ts[i]))
        for i, (k, n) in enumerate(zip(kinds(records), names(records), strict=True))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("capture", "report"),
    [
        ("connect.dat", CAPTURES / "ftrace/trace-cmd-3.4.report.txt"),
        ("connect.dat", TRUTH / "connect.report.txt.xz"),
        ("arrays.dat", CAPTURES / "ftrace/trace-cmd-arrays.report.txt"),
        ("arrays.dat", TRUTH / "arrays.report.txt.xz"),
        ("version-6.dat", TRUTH / "version-6.report.txt.xz"),
        ("uncompressed.dat", TRUTH / "uncompressed.report.txt.xz"),
        ("pages-64k.dat", TRUTH / "pages-64k.report.txt.xz"),
        ("repeated.dat", TRUTH / "pages-64k.report.txt.xz"),
    ],
    ids=lambda p: getattr(p, "name", p),
)
def test_equals_the_report_of_trace_cmd(capture: str, report) -> None:
    """Events, registers x0..x17, task, CPU and time, one by one."""
    data = (FOLDER / capture).read_bytes()
    records = read(FORMAT, data)
    text = lzma.decompress(report.read_bytes()) if report.suffix == ".xz" else report.read_bytes()
    expected = smc_lines(text.decode())
    assert len(expected) >= 90
    kind = kinds(records)
    rows = [i for i, (k, n) in enumerate(zip(kind, names(records), strict=True)) if k in ("ENTER", "EXIT") and n != "arr"]
    assert len(rows) == len(expected)
    for row, (comm, pid, cpu, ns, digits, name, values) in zip(rows, expected, strict=True):
        step = 10 ** (9 - digits)
        d = detail(records, data, row)
        assert (d.task, d.event, d.regs) == (comm, name, values)
        assert regs(records, row) == {n: v for n, v in values.items() if n < 8}
        assert int(records.known[row]) == sum(1 << n for n in values)
        assert (int(records.pid[row]), int(records.cpu[row])) == (pid, cpu)
        assert (int(records.ts[row]) + step // 2) // step == ns // step
        assert kind[row] == ("EXIT" if name.endswith("exit") else "ENTER")


def test_arrays_hold_what_the_scalars_beside_them_say() -> None:
    """libtraceevent prints them as zeros: the probe on the same instruction with scalars, right behind, is the truth."""
    data = (FOLDER / "arrays.dat").read_bytes()
    records = read(FORMAT, data)
    which = names(records)
    arrays = [i for i, n in enumerate(which) if n == "arr"]
    assert len(arrays) == 73
    for i in arrays:
        assert which[i + 1] == "smc_enter"
        assert regs(records, i) == regs(records, i + 1)
        assert int(records.known[i]) == (1 << 18) - 1
        assert len(detail(records, data, i).regs) == 18
    assert records.facts["ignored_events"] == {"ipi_entry": 8, "ipi_exit": 8, "ipi_raise": 8, "ipi_send_cpu": 8}


def test_wrapper_probes_and_symbols() -> None:
    data = (FOLDER / "arrays.dat").read_bytes()
    records = read(FORMAT, data)
    wrapped = [i for i, k in enumerate(kinds(records)) if k.startswith("WRAP")]
    assert [kinds(records)[i] for i in wrapped] == ["WRAP_ENTER", "WRAP_EXIT"] * 17
    assert {names(records)[i] for i in wrapped} == {"rmi_pdev_communicate"}
    # of the report: pdev_comm_ret: (ffff91308eca860c <- ffff91308eca88a4) p=1189085184 d=1189093376 ret=0xffffffffffffffff
    assert regs(records, wrapped[1]) == {0: 0xFFFFFFFFFFFFFFFF}
    shown = detail(records, data, wrapped[1]).text
    assert re.search(
        r"pdev_comm_ret: \(\S+\+0x\w+/0x\w+ \[rmishape\] <- rmi_pdev_communicate\) p=1189085184 d=1189093376 ret=0xf{16}$", shown
    )


def test_equals_the_text_of_the_kernel() -> None:
    """The tracefs text of the same run: every line, with the symbols, flags and (to its precision) the time."""
    data = (FOLDER / "repeated.dat").read_bytes()
    records = read(FORMAT, data)
    lines = truth("repeated.trace.txt.xz").splitlines()
    assert len(records) == len(lines) == 2120
    for row, line in enumerate(lines):
        found = re.fullmatch(r"(.{37}) *(\d+)\.(\d{9}): (.*)", detail(records, data, row).text)
        assert found is not None
        us = (int(found[2]) * 10**9 + int(found[3]) + 500) // 1000
        assert f"{found[1]}{us // 10**6:>5}.{us % 10**6:06}: {found[4]}" == line


def test_the_middle_of_a_run_in_zlib() -> None:
    data = (FOLDER / "zlib.dat").read_bytes()
    records = read(FORMAT, data)
    all_records = read(FORMAT, (FOLDER / "repeated.dat").read_bytes())
    first = int(np.flatnonzero(all_records.ts == records.ts[0])[0])
    assert rows_of(records) == rows_of(all_records)[first : first + len(records)]
    assert detail(records, data, 5).text in {detail(all_records, (FOLDER / "repeated.dat").read_bytes(), first + 5).text}


@pytest.mark.parametrize(
    "name",
    [
        "connect.trace.txt", "connect-arrays.trace.txt", "clock-mono.trace.txt", "doe.trace.txt", "lost.trace_pipe.txt",
        "markers.trace.txt", "mixed-6.12.trace.txt", "nooverwrite.trace.txt", "option-noirq-info.trace.txt",
        "option-record-tgid.trace.txt", "option-stacktrace.trace.txt", "pdev-connect.trace.txt", "recommended.trace.txt",
    ],
)  # fmt: skip
@pytest.mark.parametrize("write", [build.v6, build.v7], ids=["6", "7"])
def test_means_what_its_text_means(name: str, write) -> None:
    """A text put into ring-buffer pages: the same records, and the same of each in full, as from the text."""
    text = (CAPTURES / "ftrace" / name).read_bytes()
    data = write(encode(text, "call_write"))
    records, expected = read(FORMAT, data), read(TEXT, text)
    kind = kinds(records)
    assert len(expected) >= 5
    assert rows_of(records) == rows_of(expected)
    for i in range(len(records)):
        at, length = int(expected.offset[i]), int(expected.length[i])
        mine, its = detail(records, data, i), TEXT.detail(text[at : at + length], False, ReadOptions())
        assert (mine.regs, mine.fields, mine.buffers, mine.task, mine.event) == (
            its.regs,
            its.fields,
            its.buffers,
            its.task,
            its.event,
        )
        if kind[i] != "LOST":
            assert mine.text.split(": ", 1)[1] == its.text.split(": ", 1)[1]
    assert [(f.rule, f.message) for f in records.findings] == [
        (f.rule, f.message) for f in expected.findings if f.rule != "RING-WRAPPED"
    ]


def test_lost_events_as_trace_cmd_counts_them() -> None:
    data = (FOLDER / "lost.dat").read_bytes()
    records = read(FORMAT, data)
    said = re.findall(r"^CPU:(\d+) \[(?:(\d+) )?EVENTS DROPPED\]\n.*?(\d+)\.(\d{9}): (\w+):", truth("lost.report.txt.xz"), re.M)
    assert len(said) >= 2
    rows = np.flatnonzero(records.kind == Kind.LOST).tolist()
    assert [(int(records.cpu[i]), int(records.regs[i, 0])) for i in rows] == [(int(c), int(n or 0)) for c, n, *_ in said]
    for i, (_, _, seconds, ns, name) in zip(rows, said, strict=True):
        assert names(records)[i + 1] == name
        assert int(records.ts[i + 1]) == int(seconds) * 10**9 + int(ns)
    assert detail(records, data, rows[0]).text in ("CPU:1 [LOST EVENTS]", f"CPU:1 [LOST {said[0][1]} EVENTS]")


def test_a_capture_opens() -> None:
    capture = open_capture([str(FOLDER / "pdev-connect.dat")])
    text = open_capture([str(CAPTURES / "ftrace/pdev-connect.trace.txt")])
    assert len(capture) == len(text) == 61
    assert [capture.call(i).line for i in range(61)] == [text.call(i).line for i in range(61)]
    assert [m.text.partition(": ")[2] for m in capture.marks()] == [m.text.partition(": ")[2] for m in text.marks()]
    with_data = [(i, b.data) for i in range(61) for b, _ in capture.call(i).buffers]
    assert with_data == [(i, b.data) for i in range(61) for b, _ in text.call(i).buffers]
    assert capture.sources[0].format == "trace-dat"


def test_registers_above_x7_of_many_calls() -> None:
    capture = open_capture([str(FOLDER / "connect.dat")])
    for number in (0, 7, 8, 17):
        value, known = capture.regs(np.arange(len(capture)), number)
        assert known.all()
        assert value.tolist() == [capture.call(i).x[number] for i in range(len(capture))]


def test_recognised_by_its_first_bytes() -> None:
    for path in SAMPLES:
        head = path.read_bytes()[: registry.HEAD]
        assert registry.scores(head)[0][1] is FORMAT
        assert FORMAT.sniff(head) == 1.0
    assert FORMAT.sniff(b"") == FORMAT.sniff(b"\x17\x08\x44tracin") == FORMAT.sniff(b"tracing") == 0.0


def test_without_the_formats_the_bytes_are_shown() -> None:
    raw = build.event(build.record(1144, 7, 0xC4000150))
    assert FORMAT.detail(raw, False, ReadOptions()).text == raw.hex(" ")
    assert FORMAT.detail(raw, False, ReadOptions()).fields == {"common_type": "1144"}
    assert FORMAT.detail(b"", False, ReadOptions()).fields == {}
