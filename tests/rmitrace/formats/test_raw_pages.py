"""trace_pipe_raw of a kernel, with its event formats beside it; what is taken for pages and what is not."""

from __future__ import annotations

import os
import re
import shutil
import struct

import pytest

from rmitrace.capture import CaptureError, open_capture
from rmitrace.formats.base import ReadOptions, Unreadable
from rmitrace.formats.raw_pages import FORMAT, page_size
from rmitrace.formats.trace_dat import FORMAT as TRACE_DAT
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.trace_dat_encode import encode
from tests.rmitrace.formats.trace_text import CAPTURES, kinds, names, read, regs

SAMPLE = CAPTURES / "raw-pages" / "trace_pipe_raw.cpu1.bin"


def read_at(path, data: bytes | None = None):
    data = path.read_bytes() if data is None else data
    return FORMAT.read(data, 0, len(data), ReadOptions(path=str(path)))


def test_pages_of_a_kernel() -> None:
    records = read_at(SAMPLE)
    which = names(records)
    assert [n for n in which if n != "rmi_pdev_communicate"] == ["arr", "smc_enter", "smc_exit"] * 27
    assert kinds(records).count("WRAP_ENTER") == kinds(records).count("WRAP_EXIT") == 7
    assert set(records.cpu.tolist()) == {1}
    assert set(records.pid.tolist()) == {2299}
    # the first page: its time, 4036 bytes in use; u32 0 with a time delta of 0, u32 164; event 1692 (arr) of task 2299
    data = SAMPLE.read_bytes()
    assert struct.unpack_from("<QQIIHBBi", data) == (1147217341808, 4036, 0, 164, 1692, 1, 0, 2299)
    assert int(records.ts[0]) == 1147217341808
    assert int(records.offset[0]) == 16
    assert int(records.length[0]) == 4 + 164
    for i, n in enumerate(which):
        if n == "arr":
            assert regs(records, i) == regs(records, i + 1)
    assert regs(records, 1) == {0: 0xC4000150, 1: 0x20000} | dict.fromkeys(range(2, 8), 0)


def test_formats_of_another_boot_are_told_from_the_size_of_the_records(tmp_path) -> None:
    """Event ids are given anew at every boot: here 1692 is what 1690 should be."""
    path = tmp_path / "cpu1.raw"
    shutil.copy(SAMPLE, path)
    shutil.copytree(SAMPLE.parent / "events", tmp_path / "events")
    for name, ident in (("pdev_comm", "1692"), ("arr", "1690")):
        place = tmp_path / "events" / "smc" / name / "format"
        place.write_text(re.sub(r"ID: \d+", f"ID: {ident}", place.read_text()))
    records = read_at(path)
    assert set(names(records)[:3]) == {"pdev_comm: a record longer than its format says", "smc_enter", "smc_exit"}
    assert [k for k, n in zip(kinds(records), names(records), strict=True) if n and "record" in n] == ["DAMAGED"] * (27 + 7)


@pytest.mark.parametrize("size", [4096, 16384, 65536])
def test_told_by_what_the_pages_hold(size: int) -> None:
    event = build.event(build.record(1144, 7, 1), 5)
    pages = b"".join(build.page(10**9 * i, *[event] * 30 * i, size=size) for i in range(1, 5))
    assert page_size(pages) == size
    assert FORMAT.sniff(pages) > 0.8
    assert page_size(pages[: size - 1]) == 0


def test_what_is_no_page() -> None:
    for path in CAPTURES.glob("*/*"):
        if path.is_file() and path != SAMPLE:
            assert FORMAT.sniff(path.read_bytes()[: 1 << 18]) == 0, path.name
    sound = SAMPLE.read_bytes()
    for damaged in (
        b"",
        bytes(8192),
        b"\x01" * 8192,
        sound[:4095],
        sound[:8] + b"\xff" * 8 + sound[16:],
        sound[:20] + b"\xff" * 8 + sound[28:],
    ):
        assert FORMAT.sniff(damaged) == 0


def test_the_same_as_in_a_trace_dat(tmp_path) -> None:
    """Pages of one CPU with everything beside them in one folder, and in a copy of the tracefs folder."""
    trace = encode((CAPTURES / "ftrace" / "mixed-6.12.trace.txt").read_bytes())
    cpu = 1
    flat = tmp_path / "flat"
    deep = tmp_path / "tracing" / "per_cpu" / f"cpu{cpu}"
    flat.mkdir()
    deep.mkdir(parents=True)
    (flat / f"cpu{cpu}.raw").write_bytes(trace.cpus[cpu])
    (deep / "trace_pipe_raw").write_bytes(trace.cpus[cpu])
    (flat / "formats.txt").write_text("".join(trace.formats))
    for folder in (flat, tmp_path / "tracing"):
        (folder / "saved_cmdlines").write_bytes(trace.cmdlines)
        (folder / "kallsyms").write_bytes(trace.kallsyms)
        (folder / "trace_clock").write_bytes(b"local global [mono]\n")
    for i, text in enumerate(trace.formats):
        place = tmp_path / "tracing" / "events" / "smc" / f"e{i}"
        place.mkdir(parents=True)
        (place / "format").write_text(text)
    expected = read(
        TRACE_DAT, build.v6(build.Trace(trace.formats, {cpu: trace.cpus[cpu]}, kallsyms=trace.kallsyms, cmdlines=trace.cmdlines))
    )
    for path in (flat / f"cpu{cpu}.raw", deep / "trace_pipe_raw"):
        records = read_at(path)
        assert records.facts["clock"] == "mono"
        for column in ("ts", "cpu", "pid", "kind", "known", "length"):
            assert getattr(records, column).tolist() == getattr(expected, column).tolist()
        assert names(records) == names(expected)
        assert (records.regs == expected.regs).all()
        raw = path.read_bytes()[int(records.offset[0]) :][: int(records.length[0])]
        shown = records.facts["detail"](0, raw, False)
        assert shown.task == "sh"
        assert "rs_invoke12+0x0/" in shown.text


def test_without_formats_it_is_refused_with_advice(tmp_path) -> None:
    path = tmp_path / "cpu1.raw"
    shutil.copy(SAMPLE, path)
    with pytest.raises(CaptureError, match="without event formats: copy events"):
        open_capture([str(path)])
    data = SAMPLE.read_bytes()
    with pytest.raises(Unreadable):
        FORMAT.read(data, 0, len(data), ReadOptions())


def test_large_and_unreadable_files_beside_it_do_not_matter(tmp_path) -> None:
    path = tmp_path / "cpu1.raw"
    shutil.copy(SAMPLE, path)
    shutil.copytree(SAMPLE.parent / "events", tmp_path / "events")
    with (tmp_path / "disk.img").open("wb") as f:
        f.truncate(1 << 40)
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "trace_pipe")
    (tmp_path / "nowhere").symlink_to("missing")
    assert len(read_at(path)) == len(read_at(SAMPLE))


def test_shown_without_its_formats() -> None:
    assert FORMAT.detail(b"\x01\x02", False, ReadOptions()).text == "01 02"
