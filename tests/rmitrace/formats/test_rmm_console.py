"""RMM consoles as a whole: rows of real logs against a plain reader and the caller's own recording; reports with their dirt."""

from __future__ import annotations

import json
import lzma
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rmitrace.capture.records import NO_TIME, Kind, Records
from rmitrace.formats.base import ReadOptions, Unreadable
from rmitrace.formats.rmm_console import FORMAT

ROOT = Path(__file__).parents[3]
CAPTURES = ROOT / "captures"
REPORTS = ROOT / "tests" / "data" / "reports"
OPTIONS = ReadOptions()

ROW = re.compile(rb"(?: {6})?SMC_RM[IM]_([A-Z0-9_]+) *((?: [0-9a-f ]+)?) > (RMI_[A-Z_]+|[0-9a-f]+)((?: [0-9a-f ]+)?)\r?")
"""A plain reader of clean rows, which shares nothing with the format's: name, arguments, status, values."""


def load(name: str) -> bytes:
    data = (CAPTURES / name).read_bytes()
    return lzma.decompress(data) if name.endswith(".xz") else data


def read(data: bytes) -> Records:
    return FORMAT.read(data, 0, len(data), OPTIONS)


def registers(r: Records, i: int) -> list[int | None]:
    """x0.. of a record as far as its columns go; x8.. are there only to be counted."""
    known = int(r.known[i])
    return [int(r.regs[i, k]) if k < 8 and known >> k & 1 else None for k in range(known.bit_length())]


def calls(data: bytes) -> list[tuple[str, list[int | None], list[int | None] | None]]:
    """(name, x0.. in, x0.. out or None) of each row."""
    r = read(data)
    out = []
    for i in (r.kind == Kind.WHOLE_IN).nonzero()[0].tolist():
        answered = i + 1 < len(r) and r.kind[i + 1] == Kind.WHOLE_OUT
        if answered:
            assert r.offset[i + 1] == r.offset[i]
        out.append((r.names[r.name[i]], registers(r, i), registers(r, i + 1) if answered else None))
    return out


def marks(data: bytes) -> list[tuple[str, bytes]]:
    r = read(data)
    at = (r.kind == Kind.MARK).nonzero()[0].tolist()
    return [(r.names[r.name[i]], data[r.offset[i] : r.offset[i] + r.length[i]]) for i in at]


LOGS = (
    "rmm/tf-rmm-pre1.log.xz",
    "rmm/tf-rmm-eac5-nominal.log.xz",
    "rmm/tf-rmm-rel0-nominal.log.xz",
    "rmm/tf-rmm-mid-nominal.log.xz",
    "rmm/tf-rmm-head-errors.log.xz",
    "rmm/tf-rmm-head-loglevel40.log",
    "mixed/rme-uart0.log",
)


@pytest.mark.parametrize("name", LOGS)
def test_every_row_of_a_clean_log(name: str) -> None:
    data = load(name)
    want = [m for line in data.split(b"\n") if (m := ROW.fullmatch(line))]
    got = [c for c in calls(data) if c[0].startswith("RMI_")]
    assert len(got) == len(want) > 0
    for m, (row, x, r) in zip(want, got, strict=True):
        assert row == "RMI_" + m[1].decode()
        assert x[1:] == [int(v, 16) for v in m[2].split()]
        assert r is not None
        values = [int(v, 16) for v in m[4].split()]
        if m[3] == b"RMI_ERROR_RTT" or (m[3] == b"RMI_ERROR_REALM" and m[1] == b"REC_ENTER"):
            assert r[0] == {b"RMI_ERROR_RTT": 4, b"RMI_ERROR_REALM": 2}[m[3]] | values.pop(0) << 8
        assert r[1:] == values


@pytest.mark.parametrize("run", ["head-errors", "mid-nominal", "rel0-nominal", "eac5-nominal"])
def test_registers_are_what_the_caller_saw(run: str) -> None:
    """Each row against the caller's recording of that call. Above its low byte the X0 of INCOMPLETE is not printed."""
    recorded = [json.loads(line) for line in load(f"rmm/tf-rmm-{run}.calls.jsonl.xz").splitlines()]
    printed = [c for c in recorded if re.search(r"^ *SMC_RM[IM]_", c["log"], re.M)]
    rows = [c for c in calls(load(f"rmm/tf-rmm-{run}.log.xz")) if c[0].startswith("RMI_")]
    assert len(rows) == len(printed) > 0
    for call, (name, x, r) in zip(printed, rows, strict=True):
        sent = [int(v, 16) for v in call["in"]]
        assert x == [sent[0] & ~0x10000, *sent[1 : len(x)]], name  # the SVE hint is not printed
        assert r is not None
        came = [int(v, 16) for v in call["out"]]
        mask = 0xFF if came[0] & 0xFF == 13 else (1 << 64) - 1
        assert [r[0], *r[1:]] == [came[0] & mask, *came[1 : len(r)]], name


def test_realm_calls_with_and_without_a_result() -> None:
    data = load("rmm/tf-rmm-head-errors.log.xz")
    want = re.findall(rb"^SMC_RSI_[A-Z_]+ .*$", data, re.M)
    got = [c for c in calls(data) if c[0].startswith("RSI_")]
    assert len(got) == len(want) == 15
    assert [r is None for _, _, r in got] == [b" > " not in line for line in want]
    init = next(x for name, x, _ in got if name == "RSI_ATTEST_TOKEN_INIT")
    assert len(init) == 9  # function id and the eight words of the challenge


def test_rows_torn_apart_by_block_buffering() -> None:
    """The name is cut behind SMC_RMI_PDEV_C; what follows stands 4 KiB later behind half a line of libspdm's."""
    data = load("rmm/tf-rmm-alp16-blockbuffered.log.xz")
    assert data.count(b"\nSMC_RMI_PDEV_Cdev assign") == data.count(b"msg SPDM_VOMMUNICATE ") == 1
    clean = [m for line in data.split(b"\n") if (m := ROW.fullmatch(line))]
    r = read(data)
    rows = [i for i in (r.kind == Kind.WHOLE_IN).nonzero()[0].tolist() if r.names[r.name[i]].startswith("RMI_")]
    assert len(rows) == len(clean) + 1
    start, end = data.index(b"SMC_RMI_PDEV_Cdev"), data.index(b"\n", data.index(b"SPDM_VOMMUNICATE"))
    torn = [i for i in rows if r.offset[i] == start]
    assert [r.names[r.name[i]] for i in torn] == ["RMI_PDEV_COMMUNICATE"]
    assert r.length[torn[0]] == end - start
    assert [f"{v:x}" for v in registers(r, torn[0])] == ["c4000175", "563852280000", "563852282000"]
    raw = data[start:end]
    assert FORMAT.detail(raw, False, OPTIONS).event == "RMI_PDEV_COMMUNICATE"
    assert FORMAT.detail(raw, True, OPTIONS).regs == {0: 0}


def parsed(line: str) -> tuple[str, list[int | None], list[int | None] | None]:
    """``NAME arg .. = x0 out ..`` of a .rows file; '?' is unknown, '-' stands for no result."""
    left, _, right = line.partition(" =")
    name, *args = left.removesuffix(" -").split()
    values = [[None if t == "?" else int(t, 16) for t in part] for part in (args, right.split())]
    return name, values[0], None if left.endswith(" -") else values[1]


def report(rows: Path) -> bytes:
    text = REPORTS / f"{rows.stem}.txt"
    return (text if text.exists() else CAPTURES / "mixed" / text.name).read_bytes()


@pytest.mark.parametrize("rows", sorted(REPORTS.glob("*.rows")), ids=lambda p: p.stem)
def test_reports(rows: Path) -> None:
    """Every row of a report, none made up; arguments and results as a person reads them out of the text."""
    want = [parsed(line) for line in rows.read_text().splitlines()]
    for (name, x, r), w in zip(calls(report(rows)), want, strict=True):
        args = x[1:]
        args += [None] * (len(w[1]) - len(args))  # values unknown at the end of a row are not in it
        assert (name, args, r) == w


@pytest.mark.parametrize("rows", sorted(REPORTS.glob("*.rows")), ids=lambda p: p.stem)
def test_records_can_be_read_again(rows: Path) -> None:
    data = report(rows)
    r = read(data)
    for i in range(len(r)):
        if r.kind[i] in (Kind.WHOLE_IN, Kind.WHOLE_OUT):
            raw = data[r.offset[i] : r.offset[i] + r.length[i]]
            detail = FORMAT.detail(raw, r.kind[i] == Kind.WHOLE_OUT, OPTIONS)
            assert detail.event == r.names[r.name[i]]
            assert detail.regs == {k: v for k, v in enumerate(registers(r, i)) if v is not None}
            assert detail.text == raw.decode("utf-8", "surrogateescape").rstrip("\r\n")


def test_nothing_in_what_only_looks_like_it() -> None:
    data = (REPORTS / "negatives.txt").read_bytes()
    assert len(read(data)) == 0
    assert FORMAT.sniff(data) == 0
    assert read(data).facts["ignored"] == read(data).facts["lines"] == data.count(b"\n")


def test_recognised_by_what_it_holds() -> None:
    assert FORMAT.sniff(load("mixed/rme-uart0.log")) > 0.9
    assert FORMAT.sniff(b"SMC_RMI_VERSION 10000 > RMI_SUCCESS 10000 10000\n") > 0.8
    assert FORMAT.sniff(load("rmm/tf-rmm-head-release.log")) == 0.6  # a banner and no rows
    assert FORMAT.sniff(b"KVM_CAP_ARM_RME: Invalid argument\n") == 0.3
    assert FORMAT.sniff(load("rmm/tf-rmm-rel0-nominal.calls.jsonl.xz")[: 1 << 18]) < 0.2  # rows inside another format
    assert FORMAT.sniff(b"") == FORMAT.sniff(b"\n" * 99) == 0


def test_marks_of_a_shared_uart() -> None:
    found = marks(load("mixed/rme-uart0.log"))
    kinds = [k for k, _ in found]
    assert kinds.count("banner") == 5
    assert ("rmm", b"Creating secure session failed with status 0x80040001") in found
    r = read(load("mixed/rme-uart0.log"))
    unknown = (r.name == r.names.index("unknown-fid")).nonzero()[0]
    assert [int(r.regs[i, 0]) for i in unknown] == [0xC40001EE]
    assert r.facts["banner"] == [
        {
            "offset": load("mixed/rme-uart0.log").index(b"Booting RMM"),
            "rmm": "0.9.0",
            "build": "release",
            "commit": "tf-rmm-v0.9.0-139-g9a7f8ef4-dirty",
            "built": "Nov 22 2026 20:03:28",
            "compiler": "GCC 16.2.0",
            "el3": "2.0",
            "manifest": "0.5",
            "rmi": "2.0",
            "rsi": "1.1",
        }
    ]
    assert (r.facts["kernel_first_ns"], r.facts["kernel_last_ns"]) == (0, 46_596_280_000)
    assert (r.ts[r.kind == Kind.WHOLE_IN] == NO_TIME).all()  # the kernel's stamps are not the rows'


def test_crash_dumps_are_one_mark_each_and_the_rmms_own() -> None:
    data = load("mixed/report-crash.txt")
    crashes = [text for kind, text in marks(data) if kind == "crash"]
    assert len(crashes) == 2
    assert crashes[0].startswith(b"Unexpected exception on CPU #3:")
    assert crashes[0].endswith(b"\t\t0x0000000040108000")
    assert crashes[1] == b"Unexpected exception:\nESR_EL2:\t0x0000000096000004"
    r = read(data)
    assert r.cpu[(r.name == r.names.index("crash")).nonzero()[0]].tolist() == [3, -1]
    aborts = [text for kind, text in marks(data) if kind == "rmm"]
    assert [t.splitlines()[-1] for t in aborts] == [b"  HPFAR:           8000000"]


def test_times() -> None:
    """Stamps become ns since 1970; a row without one, and one on another clock, has none."""
    r = read((REPORTS / "stamps.txt").read_bytes())
    ten = int(datetime(2026, 11, 22, 9, tzinfo=UTC).timestamp()) * 10**9  # 10:00 at +01:00
    want = [ten + 250_000_000, ten + 10**9, NO_TIME, NO_TIME]
    assert r.ts[r.kind == Kind.WHOLE_IN].tolist() == want
    assert r.ts[r.kind == Kind.WHOLE_OUT].tolist() == want
    assert r.facts["clock"] == "utc"


def test_a_row_cut_off_by_the_end_is_kept() -> None:
    data = b"SMC_RMI_REC_CREATE                89ced6000 89ced5000\n"
    assert calls(data) == [("RMI_REC_CREATE", [0xC400015A, 0x89CED6000, 0x89CED5000], None)]
    assert [(f.rule, f.offset) for f in read(data).findings] == [("ROW-CUT", 0)]


def test_the_end_of_a_row_alone_is_damage() -> None:
    data = b"hello\n89ced6000 89ced5000 > RMI_SUCCESS\n"
    r = read(data)
    assert r.kind.tolist() == [Kind.DAMAGED]
    assert r.offset.tolist() == [6]
    assert [f.rule for f in r.findings] == ["ROW-CUT"]


def test_unknown_names_and_statuses() -> None:
    data = b"SMC_RMI_FOO_BAR 1 2 > RMI_ERROR_IN_USE\nSMC_RSI_<unsupported>             > ffffffffffffffff\n"
    assert calls(data) == [("RMI_FOO_BAR", [None, 1, 2], []), ("RSI_<unsupported>", [], [2**64 - 1])]
    assert [f.rule for f in read(data).findings] == ["STATUS-UNKNOWN"]


def test_long_lines_are_cut_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    row = b"SMC_RMI_VERSION 10000 > RMI_SUCCESS 10000 10000\n"
    data = row + b"x" * 70_000 + row + row
    r = read(data)
    assert r.offset[r.kind == Kind.WHOLE_IN].tolist() == [0, len(data) - len(row)]
    assert [(f.rule, f.offset) for f in r.findings] == [("LINE-TOO-LONG", len(row))]
    monkeypatch.setattr("rmitrace.formats.kernels.PIECE", 8192)  # longer than a piece of the file
    r = read(data)
    assert r.offset[r.kind == Kind.WHOLE_IN].tolist() == [0, len(data) - len(row)]
    assert [(f.rule, f.offset) for f in r.findings] == [("LINE-TOO-LONG", len(row))]


@pytest.mark.parametrize("name", ["mixed/report-shared-uart.txt", "rmm/tf-rmm-alp16-blockbuffered.log.xz", "mixed/report-ci.txt"])
def test_pieces_of_the_file_do_not_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load(name)
    whole = read(data)
    monkeypatch.setattr("rmitrace.formats.kernels.PIECE", 200)
    monkeypatch.setattr("rmitrace.formats.rmm_console_scan.SPILL", 2)
    pieces = read(data)
    for column in ("offset", "length", "ts", "kind", "known"):
        assert (getattr(pieces, column) == getattr(whole, column)).all()
    assert [pieces.names[i] for i in pieces.name] == [whole.names[i] for i in whole.name]
    assert pieces.regs.tolist() == whole.regs.tolist()
    assert pieces.facts == whole.facts


def test_part_of_a_file() -> None:
    row = b"SMC_RMI_PDEV_STOP 1 > RMI_SUCCESS\n"
    r = FORMAT.read(row * 4, len(row), 3 * len(row), OPTIONS)
    assert r.offset[r.kind == Kind.WHOLE_IN].tolist() == [len(row), 2 * len(row)]
    assert r.facts["lines"] == 2


def test_utf16_is_refused_with_a_reason() -> None:
    data = b"\xff\xfe" + "SMC_RMI_VERSION 10000 > RMI_SUCCESS 10000 10000\n".encode("utf-16-le")
    assert FORMAT.sniff(data) > 0.5
    with pytest.raises(Unreadable, match="iconv"):
        read(data)


def test_what_the_row_does_not_tell() -> None:
    row = b"SMC_RMI_REC_CREATE                7f5079449000 7f507944a000 7f507944b000 > RMI_INCOMPLETE 0 40"
    detail = FORMAT.detail(row, True, OPTIONS)
    assert detail.regs == {0: 13, 1: 0, 2: 0x40}  # status, handle, donation asked for
    assert detail.fields == {"status": "RMI_INCOMPLETE", "x0_bits": "7:0"}
    row = b"SMC_RMI_RTT_DESTROY               7f40b2bd5000 200000 3 > RMI_ERROR_RTT 2 0 40000000"
    detail = FORMAT.detail(row, True, OPTIONS)
    assert detail.regs == {0: 4 | 2 << 8, 1: 0, 2: 0x40000000}
    assert detail.fields == {"status": "RMI_ERROR_RTT", "index": "2"}


def test_progress_can_stop_it() -> None:
    class Stop(Exception):
        pass

    def stop(done: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        FORMAT.read(b"SMC_RMI_PDEV_STOP 1 > RMI_SUCCESS\n", 0, 34, ReadOptions(progress=stop))
