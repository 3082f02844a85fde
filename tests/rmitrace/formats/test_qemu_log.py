"""Trace events of QEMU's log backend, on real logs and on lines by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rmitrace.capture.records import NO_TIME, Kind, Records
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.qemu_log import FORMAT

CAPTURES = Path(__file__).parents[3] / "captures" / "qemu"
CALL = (
    b"arm_psci_call PSCI Call x0=0x00000000c4000150 x1=0x0000000000020000 x2=0x0000000000000001 x3=0xffffffffffffffff cpuid=0x1"
)


def read(data: bytes, start: int = 0) -> Records:
    return FORMAT.read(data, start, len(data), ReadOptions())


def kinds(records: Records) -> list[tuple[str, str]]:
    return [
        (Kind(k).name, records.names[n] if n >= 0 else "")
        for k, n in zip(records.kind.tolist(), records.name.tolist(), strict=True)
    ]


def test_every_call_of_a_real_log() -> None:
    data = (CAPTURES / "trace-log.txt").read_bytes()
    lines = data.split(b"\n")
    records = read(data)
    calls = [line for line in lines if line.startswith(b"arm_psci_call ")]
    enter = records.kind == Kind.ENTER
    assert enter.sum() == len(calls) == 97
    for i, line in zip(enter.nonzero()[0].tolist(), calls, strict=True):
        offset, length = int(records.offset[i]), int(records.length[i])
        assert data[offset : offset + length] == line
        numbers = [int(n, 16) for n in re.findall(rb"=0x([0-9a-f]+)", line)]
        assert records.regs[i, :4].tolist() == numbers[:4]
        assert records.cpu[i] == numbers[4]
        assert records.known[i] == 0b1111
        detail = FORMAT.detail(line, False, ReadOptions())
        assert list(detail.regs.values()) == numbers[:4]
        assert detail.text == line.decode()
    marks = [n for k, n in kinds(records) if k == "MARK"]
    for name in ("arm_cpu_reset", "arm_powerctl_set_cpu_on", "arm_powerctl_set_cpu_off"):
        assert marks.count(name) == sum(line.startswith(name.encode() + b" ") for line in lines) > 0
    assert (records.ts == NO_TIME).all()
    assert records.facts["lines"] == data.count(b"\n")
    assert records.facts["ignored"] == data.count(b"\n") - len(records)


def test_doe_accesses_are_counted() -> None:
    for name in ("trace-log.txt", "trace-log-timestamp.txt"):
        data = (CAPTURES / name).read_bytes()
        behind = data[data.index(b"nvme 00:03.0 @0x100 -> 0x1002e") :]
        expected = len(re.findall(rb" nvme 00:03\.0 @0x1(?:08|0c|10|14) ", behind))
        assert read(data).facts["doe_accesses"] == expected > 0


def test_both_time_stamps() -> None:
    # 2026-11-22T00:00:00Z is day 20779 of the epoch: 56 years of 365 days, 14 leap days (1972..2024), and 325 days of 2026
    day = 56 * 365 + 14 + 31 + 28 + 31 + 30 + 31 + 30 + 31 + 31 + 30 + 31 + 21
    noon = (day * 86400 + 19 * 3600 + 26 * 60 + 19) * 10**9 + 83670 * 1000
    data = b"\n".join(
        [
            b"2026-11-22T19:26:19.083670Z " + CALL,
            b"2695@1795375614.946544:" + CALL,
            b"2026-11-22T21:26:19.083670+02:00 " + CALL,
            b"2026-13-22T19:26:19.083670Z " + CALL,
            b"[qemu] " + CALL,
            b"2026-11-22T19:26:19.083670Z arm_cpu_reset cpu 3",
            b"",
        ]
    )
    records = read(data)
    assert records.ts.tolist() == [noon, 1795375614946544000, noon, NO_TIME, NO_TIME, noon]
    assert records.cpu.tolist() == [1, 1, 1, 1, 1, 3]
    assert kinds(records)[-1] == ("MARK", "arm_cpu_reset")
    assert records.offset.tolist() == [0, *(m.end() for m in re.finditer(rb"\n", data))][:-1]
    assert records.facts["clock"] == "host wall clock"


@pytest.mark.parametrize("cut", range(len(b"arm_psci_call PSC"), len(CALL) - len(b"0x1"), 7))
def test_a_cut_line_is_damaged_and_the_next_is_read(cut: int) -> None:
    records = read(CALL[:cut] + b"\n" + CALL + b"\n")
    assert [k for k, _ in kinds(records)] == ["DAMAGED", "ENTER"]
    assert records.offset.tolist() == [0, cut + 1]


@pytest.mark.parametrize("cut", [5, 10, 13, 14, 20, 40])
def test_a_cut_at_the_end_of_the_file(cut: int) -> None:
    data = CALL + b"\n2695@1795375614.946544:" + CALL[:cut]
    records = read(data)
    assert [k for k, _ in kinds(records)] == ["ENTER", "DAMAGED"]
    assert records.offset[1] == len(CALL) + 1
    assert records.offset[1] + records.length[1] == len(data)


def test_console_text_between_and_inside_lines() -> None:
    data = b"\r\n".join(
        [
            b"[    0.1] smp: Bringing up secondary CPUs ...",
            CALL,
            b"qemu-system-aarch64 -trace arm_psci_call -trace arm_cpu_reset",
            b"[    0.2] CPU1: Booted " + CALL,
            CALL[:60] + b"[    0.3] printk",
            b"",
        ]
    )
    records = read(data)
    assert [k for k, _ in kinds(records)] == ["ENTER", "ENTER", "DAMAGED"]
    assert data[records.offset[0] : records.offset[0] + records.length[0]] == CALL
    assert records.facts == {
        "lines": 5,
        "ignored": 2,
        "events": {"arm_psci_call": 3},
        "doe_accesses": 0,
        "clock": "none",
    }


def test_between_two_offsets() -> None:
    data = CALL + b"\n" + CALL + b"\n" + CALL + b"\n"
    one = len(CALL) + 1
    records = FORMAT.read(data, one, 2 * one, ReadOptions())
    assert records.offset.tolist() == [one]
    assert records.facts["lines"] == 1


def test_sniff() -> None:
    for name in ("trace-log.txt", "trace-log-timestamp.txt", "execlog.txt"):
        assert FORMAT.sniff((CAPTURES / name).read_bytes()) > 0.5
    for name in ("d-int.txt", "d-int-rme-boot.txt", "simpletrace.txt", "simple.trace"):
        assert FORMAT.sniff((CAPTURES / name).read_bytes()) < 0.2
    assert FORMAT.sniff(b"# tracer: nop\n  <...>-1 [000] ..... 1.0: tracing_mark_write: " + CALL + b"\n") == 0
    assert FORMAT.sniff(b"") == 0
    assert FORMAT.sniff(bytes(range(256)) * 64) == 0


def test_progress_may_stop() -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FORMAT.read(CALL + b"\n", 0, len(CALL) + 1, ReadOptions(progress=stop))
