"""The kernel, compiled and not, gives what the regular expressions give, whatever the text."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.records import COLUMNS, Records
from rmitrace.formats import kernels, qemu_log, qemu_log_kernel
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.qemu_log import read_with
from rmitrace.formats.qemu_log_kernel import compiled, scan

CAPTURES = Path(__file__).parents[3] / "captures" / "qemu"
CALL = b"arm_psci_call PSCI Call x0=0x00000000c4000150 x1=0x0000000000020000 x2=0x1 x3=0xffffffffffffffff cpuid=0x1\n"
PCI = b"pci_cfg_read nvme 00:03.0 @0x100 -> 0x1002e\n", b"pci_cfg_write nvme 00:03.0 @0x110 <- 0x8410\n"
STAMPS = b"2026-11-22T19:26:19.083670Z ", b"2695@1795375614.946544:"


def everything(records: Records) -> Any:
    columns = {c: getattr(records, c).tolist() for c in (*COLUMNS, "regs") if c != "name"}
    return columns, [records.names[i] if i >= 0 else None for i in records.name.tolist()], records.findings, records.facts


def check(data: bytes, *, slowly: bool = True) -> None:
    plain = everything(read_with(None, data, 0, len(data), ReadOptions()))
    for kernel, piece, threads in ((compiled(), 4 << 20, 1), (compiled(), 300, 3), (scan, 4 << 20, 1)):
        if kernel is not scan or slowly:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(kernels, "PIECE", piece)
                assert everything(read_with(kernel, data, 0, len(data), ReadOptions(), threads)) == plain


SAMPLES = [CAPTURES / n for n in ("trace-log.txt", "trace-log-timestamp.txt", "execlog.txt", "simpletrace.txt", "d-int.txt")]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_captures(path: Path) -> None:
    check(path.read_bytes()[:80_000], slowly=False)
    check(path.read_bytes()[:4000])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_mutated_captures(path: Path) -> None:
    rng = random.Random(path.name)
    data = path.read_bytes()[:8000]
    junk = [
        b"\n",
        b"\r\n",
        b"\r",
        b" ",
        b"0x",
        b"arm_psci_call",
        b"arm_powerctl_x 1",
        b"pci_cfg_",
        b"@0x110",
        CALL,
        *PCI,
        *STAMPS,
        b"\xff",
        b"0, 0x",
    ]
    for _ in range(6):
        out = bytearray(data)
        for _ in range(rng.randint(1, 60)):
            at, what = rng.randrange(len(out)), rng.random()
            if what < 0.3:
                out[at] = rng.randrange(256)
            elif what < 0.5:
                del out[at : at + rng.choice((1, 1, 2, 5, 40))]
            else:
                out[at:at] = rng.choice(junk)
        check(bytes(out), slowly=False)


@pytest.mark.parametrize("stamp", [b"", *STAMPS])
def test_a_line_hurt_at_every_byte(stamp: bytes) -> None:
    """Each variant of a good line is followed by a good one: a kernel that runs past a line's end would lose it."""
    for line in (stamp + CALL, stamp + PCI[0], stamp + b"arm_powerctl_set_cpu_on cpu 1\n"):
        for piece in (b"\n", b"\r", b"", b" ", b"9", b"g", b"A", b"0x", b"\xff"):
            hurts = [line[:at] + piece + line[at + drop :] for at in range(len(line)) for drop in (0, 1)]
            check(PCI[0] + b"".join(h + stamp + CALL for h in hurts), slowly=False)


DATES = st.sampled_from(
    [
        b"2026-11-22",
        b"2024-02-29",
        b"2023-02-29",
        b"1969-12-31",
        b"1970-01-01",
        b"2099-12-31",
        b"2100-03-01",
        b"9999-01-01",
        b"0000-01-01",
        b"2026-13-01",
        b"2026-00-10",
        b"2026-04-31",
        b"2026-4-1",
    ]
)
TIMES = st.sampled_from([b"19:26:19.083670", b"99:99:99.000001", b"00:00:00.5", b"00:00:00.123456789", b"1:2:3.4"])
ZONES = st.sampled_from([b"Z ", b"+01:00 ", b"-0330 ", b"Z", b" "])
PIDS = st.sampled_from([
    b"1@1.000001:", b"12345678901@1795375614.946544:", b"1@4000000000.000000:", b"1@999999999999.000000:",
    b"1@3999999999.999999:", b"1@1.5:", b"@1.000001:", b"7@.000001:",
])  # fmt: skip
END = st.sampled_from([b"\n", b"\r\n", b" more\n", b"", b"x\n", b" arm_psci_call PSCI Call x0=0x1\n", b"\n\n"])


ISO = st.tuples(DATES, st.just(b"T"), TIMES, ZONES).map(b"".join)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(PIDS, st.tuples(DATES, st.just(b"T"), TIMES, ZONES).map(b"".join), st.just(b"")), END), max_size=10
    )
)
def test_times(lines: list[tuple[bytes, bytes]]) -> None:
    check(b"".join(stamp + CALL[:-1] + end for stamp, end in lines) + CALL)


def test_the_common_lines_are_read_by_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []
    event = qemu_log._event
    monkeypatch.setattr(
        qemu_log, "_event", lambda b, data, pos, name, *a: (looked.append(name), event(b, data, pos, name, *a))[1]
    )
    data = (CALL + STAMPS[0] + CALL + STAMPS[1] + CALL + b"pci_cfg_read gpex-root 00:00.0 @0x0 -> 0x81b36\n") * 500
    records = read_with(compiled(), data, 0, len(data), ReadOptions())
    assert len(records) == 1500
    assert records.facts["events"] == {"arm_psci_call": 1500}
    assert records.facts["lines"] == 2000
    assert records.facts["ignored"] == 500
    assert not looked


def test_big_logs_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    data = CALL * 100
    used: list[bool] = []
    machine = compiled()
    monkeypatch.setattr(kernels, "COMPILE_FROM", len(data))
    monkeypatch.setattr(qemu_log_kernel, "compiled", lambda: used.append(True) or machine)
    assert len(qemu_log.FORMAT.read(data, 0, len(data), ReadOptions())) == 100
    assert used == [True]


def test_times_that_no_clock_shows() -> None:
    """Years beyond 2116 have more ns than fit; the calls are there all the same."""
    data = b"1@999999999999.000000:" + CALL + b"9999-01-01T00:00:00.000001Z " + CALL
    records = read_with(None, data, 0, len(data), ReadOptions())
    assert (records.ts < 0).tolist() == [True, True]
