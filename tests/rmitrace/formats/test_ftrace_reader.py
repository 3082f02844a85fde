"""Single lines and small texts: markers, lost events, damage, headers."""

from __future__ import annotations

from typing import Any

import pytest

from rmitrace.formats.base import ReadOptions
from rmitrace.formats.ftrace import FORMAT
from rmitrace.formats.ftrace_reader import Reader
from rmitrace.formats.ftrace_scan import scan
from tests.rmitrace.formats.trace_text import CAPTURES, ENTER, EXIT, HEAD, kinds, names, read, regs

LINE = HEAD + ENTER + b"\n"
BACK = HEAD + EXIT + b"\n"


@pytest.mark.parametrize(
    ("line", "cpu", "count"),
    [
        (b"CPU:1 [LOST 674 EVENTS]", 1, 674),
        (b"CPU:1 [LOST EVENTS]", 1, 0),
        (b"CPU:0 [EVENTS DROPPED]", 0, 0),
        (b"CPU:12 [45 EVENTS DROPPED]", 12, 45),
        (b"CPU 0: 123 EVENTS DROPPED", 0, 123),
        (b"guest: CPU:3 [LOST 5 EVENTS]", 3, 5),
    ],
)
def test_lost_events(line: bytes, cpu: int, count: int) -> None:
    records = read(FORMAT, LINE + line + b"\n" + BACK)
    assert kinds(records) == ["ENTER", "LOST", "EXIT"]
    assert (int(records.cpu[1]), regs(records, 1)) == (cpu, {0: count})
    assert records.facts.get("lost", 0) == count


def test_lost_events_of_a_capture() -> None:
    data = (CAPTURES / "ftrace/lost.trace_pipe.txt").read_bytes()
    records = read(FORMAT, data)
    assert kinds(records).count("LOST") == data.count(b" EVENTS]\n") > 3


@pytest.mark.parametrize(
    "text",
    [
        b"tracing_mark_write: " + ENTER,
        b"tracing_mark_write: " + LINE.strip(),
        b"print:                tracing_mark_write: " + ENTER,  # trace-cmd
        b"bprint:               call_write: " + ENTER,
        b"tracing_mark_write: two\n" + ENTER,
        b"tracing_mark_write: three\nx\n" + ENTER,
        b"# 1234 buf: 00 01 02 03",
        b"call_write: rmi-comm: 10 84 00 00",
        b"call_write: 10 84 00 00 12 e1 00 00",
    ],
)
def test_a_marker_is_no_call(text: bytes) -> None:
    records = read(FORMAT, LINE + HEAD + text + b"\n" + BACK)
    assert kinds(records) == ["ENTER", "MARK", "EXIT"]
    assert names(records)[1] == "marker"


@pytest.mark.parametrize("scanner", [None, scan])
def test_whether_a_mailbox_was_written_to_is_told(scanner: Any) -> None:
    write = b"tracing_mark_write: pci_cfg_write nvme 00:03.0 @0x110 <- 0x10001\n"
    for text, told in ((LINE + BACK, False), ((LINE + BACK) * 50 + HEAD + write + BACK, True), (b"x" * (1 << 17) + write, True)):
        assert Reader(text, 0, len(text), ReadOptions()).read(scanner).facts["mailboxes"] is told


def test_other_kernel_events_are_counted() -> None:
    noise = HEAD + b"sched_switch: prev_comm=rmi prev_pid=1 ==> next_comm=doe next_pid=2\n"
    records = read(FORMAT, noise * 100 + LINE)
    assert kinds(records) == ["ENTER"]
    assert records.facts["ignored"] == 100
    assert records.facts["ignored_events"] == {"sched_switch": 100}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (LINE.replace(b"a3=0x0", b"a3=0xzz"), "smc_enter: a3 is not a number"),
        (LINE.replace(b"a3=0x0", b"a3="), "smc_enter: a3 is not a number"),
        (LINE.replace(b"a3=0x0", b"a3=0x10000000000000000"), "smc_enter: a3 is not a number"),
        (LINE.replace(b"a3=0x0", b"\xff\xfe"), "smc_enter: bytes that are no field"),
        (LINE.replace(b"a0=0xc4000150 ", b""), "smc_enter: no function id x0"),
        (LINE[: LINE.index(b" a0")] + b"\n", "smc_enter: no function id x0"),
        (LINE[: LINE.index(b" a3")] + b"\n", "smc_enter: the line is cut short"),
        (LINE[20:], "smc_enter: no readable columns in front"),
        (LINE.replace(b"601.9", b"6x1.9"), "smc_enter: no readable columns in front"),
        (LINE.replace(b"smc_enter: ", b"\x01\x02 "), "no event name"),
        (b"1603 1 604441858289 type: 1688\n", "event without arguments, as the options raw and hex print it"),
        (b"00000643 00000001 0000008cbb8ad0f1 type: 1688\n", "event without arguments, as the options raw and hex print it"),
    ],
)
def test_a_damaged_line_says_why_and_the_rest_is_read(line: bytes, reason: str) -> None:
    data = LINE + BACK + line + BACK + LINE + BACK
    records = read(FORMAT, data)
    assert kinds(records) == ["ENTER", "EXIT", "DAMAGED", "EXIT", "ENTER", "EXIT"]
    assert names(records)[2] == reason
    assert int(records.offset[2]) == len(LINE + BACK)


def test_a_line_run_into_the_next_one() -> None:
    """A writer was interrupted: what is left of its line and the whole next line stand in one."""
    cut = LINE[: LINE.index(b"0x20000") + 4]
    records = read(FORMAT, LINE + BACK + cut + BACK + LINE)
    assert kinds(records) == ["ENTER", "EXIT", "DAMAGED", "EXIT", "ENTER"]
    assert int(records.offset[3]) == len(LINE + BACK + cut)
    assert regs(records, 3)[0] == 0xFFFFFFFFFFFFFFFF


def test_the_last_line_may_lack_its_end_but_not_its_fields() -> None:
    assert kinds(read(FORMAT, LINE + BACK + LINE[:-1])) == ["ENTER", "EXIT", "ENTER"]
    records = read(FORMAT, LINE + BACK + LINE[: LINE.index(b" a5")])
    assert kinds(records) == ["ENTER", "EXIT", "DAMAGED"]


def test_definitions_may_change_between_files() -> None:
    short = LINE[: LINE.index(b" a3")] + b"\n"
    records = read(FORMAT, (LINE + BACK) * 3 + b"# tracer: nop\n" + (short + BACK) * 3)
    assert kinds(records) == ["ENTER", "EXIT"] * 6
    assert [len(regs(records, i)) for i in (0, 6)] == [8, 3]


def test_carriage_returns() -> None:
    records = read(FORMAT, (LINE + BACK).replace(b"\n", b"\r\n"))
    assert kinds(records) == ["ENTER", "EXIT"]
    assert records.length.tolist() == [len(LINE) - 1, len(BACK) - 1]


def test_a_wrapped_ring() -> None:
    header = b"# tracer: nop\n#\n# entries-in-buffer/entries-written: 86/1900   #P:2\n#\n"
    records = read(FORMAT, header + LINE)
    assert (records.facts["entries_in_buffer"], records.facts["entries_written"]) == (86, 1900)
    finding = records.findings[0]
    assert (finding.rule, finding.offset) == ("RING-WRAPPED", header.index(b"# entries"))
    assert "1814 of 1900" in finding.message
    whole = read(FORMAT, header.replace(b"86/1900", b"2/2") + LINE)
    assert whole.findings == []


def test_the_kernel_is_named_by_a_latency_header() -> None:
    records = read(FORMAT, (CAPTURES / "ftrace/option-latency-format.trace.txt").read_bytes())
    assert records.facts["kernel"] == "7.3.4+deb13-arm64"


def test_part_of_a_file() -> None:
    data = b"From: someone\n" + LINE + BACK + b"-- \nregards\n"
    start, end = data.index(LINE), data.index(b"-- ")
    records = FORMAT.read(data, start, end, ReadOptions())
    assert kinds(records) == ["ENTER", "EXIT"]
    assert records.offset.tolist() == [start, start + len(LINE)]
    assert records.facts["lines"] == 2


def test_progress_is_told_and_may_stop_the_reading() -> None:
    seen: list[int] = []
    data = LINE * 9000
    FORMAT.read(data, 0, len(data), ReadOptions(progress=seen.append))
    assert seen == sorted(seen)
    assert 0 < len(seen) < 100

    def stop(at: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FORMAT.read(data, 0, len(data), ReadOptions(progress=stop))


def test_every_line_is_accounted_for() -> None:
    for path in sorted((CAPTURES / "ftrace").glob("*.txt")):
        data = path.read_bytes()
        records = read(FORMAT, data)
        lines = data.count(b"\n") + (not data.endswith(b"\n"))
        assert records.facts["lines"] == lines, path.name
        taken = len(set(records.offset.tolist()))
        assert taken + records.facts["ignored"] + records.facts.get("duplicates", 0) == lines, path.name


def test_a_line_without_end() -> None:
    data = LINE + b"x" * 3_000_000
    records = Reader(data, 0, len(data), ReadOptions()).read()
    assert kinds(records) == ["ENTER"]
    long = HEAD + ENTER + b" b=" + b"1" * 100_000 + b"\n"
    records = read(FORMAT, LINE + long + LINE)
    assert kinds(records) == ["ENTER", "DAMAGED", "ENTER"]
    assert int(records.length[1]) == len(long) - 1
