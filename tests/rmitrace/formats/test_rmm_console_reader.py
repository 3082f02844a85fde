"""Lines in, rows and marks out: what stands beside a row, limits, and time on hostile input."""

from __future__ import annotations

import time

import pytest

from rmitrace.formats.rmm_console_finds import MAX_FINDINGS
from rmitrace.formats.rmm_console_reader import Reader

ROW = b"SMC_RMI_PDEV_STOP                 88200000 > RMI_SUCCESS"


def read(text: bytes) -> Reader:
    reader = Reader()
    at = 0
    for line in text.split(b"\n"):
        reader.feed(line, at)
        at += len(line) + 1
    reader.finish()
    return reader


def spans(reader: Reader) -> list[tuple[int, int, str]]:
    return [(i.start, i.end, i.row.name if i.row is not None else i.mark) for i in sorted(reader.items, key=lambda i: i.start)]


def test_two_rows_in_a_line_are_two_records() -> None:
    text = ROW + b" " + ROW
    assert spans(read(text)) == [(0, len(ROW) + 1, "RMI_PDEV_STOP"), (len(ROW) + 1, len(text), "RMI_PDEV_STOP")]


def test_rows_in_a_line_are_found_where_they_stand() -> None:
    """Entities and escapes are longer in the file than in the text that is parsed."""
    rows = [b"SMC_RMI_PDEV_STOP %x \\u003e RMI_SUCCESS\\r\\n" % i for i in range(40)]
    text = b'{"log":"' + b"".join(rows) + b'"}'
    starts = [0, *(text.index(row) for row in rows[1:])]
    assert [(s, e) for s, e, _ in spans(read(text))] == list(zip(starts, [*starts[1:], len(text)], strict=True))


def test_a_record_holds_the_whole_line() -> None:
    text = b"> 2026-03-14 09:26:53,680: [   rmm ] " + ROW + b"  "
    assert spans(read(text)) == [(0, len(text), "RMI_PDEV_STOP")]


def test_a_kernel_line_around_a_row_lends_it_no_time() -> None:
    inside = read(b"[   41.160003] usb 1-1: new high-sp" + ROW + b"\need device").items
    assert [i.stamps for i in inside] == [()]
    front = read(b"[   41.160003] " + ROW).items
    assert [i.stamps for i in front] == [(("boot", 41_160_003_000),)]


def test_a_kernel_line_behind_a_row_is_looked_at() -> None:
    reader = read(ROW + b"[    0.812345] kvm [1]: RMI ABI version 1.0\n")
    assert {i.mark for i in reader.items if i.row is None} == {"kernel"}
    assert len([i for i in reader.items if i.row is not None]) == 1


def test_lines_are_counted() -> None:
    reader = read(b"hello\n" + ROW + b"\nworld\n" + b"RMM is in invalid state")
    assert (reader.lines, reader.used) == (4, 2)


def test_findings_of_one_kind_are_limited() -> None:
    reader = read(b"SMC_RMI_PDEV_STOP 1 > RMI_NO_SUCH_STATUS\nx\n" * (MAX_FINDINGS + 20))
    assert len(reader.findings) == MAX_FINDINGS
    assert reader.counts["STATUS-UNKNOWN"] == MAX_FINDINGS + 20
    assert len(reader.items) == MAX_FINDINGS + 20


def test_items_leave_the_reader() -> None:
    reader = Reader()
    for i in range(5):
        reader.feed(ROW + b"\n", i * 60)
    assert [i.start for i in reader.spill()] == [0, 60, 120, 180, 240]
    assert reader.items == []


def test_islet_prints_a_failed_call_twice() -> None:
    told = b"islet_rmm::event -- RMI: REALM_CREATE [1, 2] > [1]"
    assert len(read(b"[TRACE]" + told + b"\n[WARN]" + told).items) == 1
    assert len(read(b"[TRACE]" + told + b"\n[TRACE]" + told).items) == 2


def test_what_was_found_last_is_known_when_it_has_left() -> None:
    told = b"islet_rmm::event -- RMI: REALM_CREATE [1, 2] > [1]"
    for passed, left in ((0, 0), (1, 1)):
        reader = Reader()
        reader.feed(b"[TRACE]" + told, 0)
        reader.spill()
        if passed:
            reader.passed(passed)
        reader.feed(b"[WARN]" + told, 100)
        assert len(reader.items) == left


def test_lines_met_before_are_the_same_marks() -> None:
    lines = [
        b"PSMMU[0] activated",
        b"hello",
        b"RMI ABI revision v2.0",
        b"[    1.000000] kvm [1]: realm 1",
        ROW,
        b"RMM is in invalid state",
    ]
    once = [Reader() for _ in lines]
    for reader, line in zip(once, lines, strict=True):
        reader.feed(line, 0)
        reader.finish()
    again = Reader()
    for i in range(3):
        for k, line in enumerate(lines):
            again.feed(line, 100 * k + 1000 * i)
    again.finish()
    single = [(i.mark, i.end - i.start, i.stamps, i.value) for r in once for i in r.items]
    assert [(i.mark, i.end - i.start, i.stamps, i.value) for i in again.items] == single * 3
    assert len(again.abi) == 3
    assert (again.lines, again.used) == (18, 15)


HOSTILE = (
    b"SMC_RMI_A ", b"SMC_RMI_PDEV_STOP 1 > RMI_SUCCESS ", b"a1 ", b"> RMI_SUCCESS ", b"[    1.123456] ", b"Assertion ' ",
    b"(((", b"RMI_A(1,2) = RMI_SUCCESS ", b"RMI: A [1] > [0] ", b"SMC_", b"[a] ", b"2026-03-14 09:26:53 ", b"a/b.log:",
    b"&amp;", b"\x1b[3", b"<span ", b"kvm ", b"INFO: RM ", b"SMC_RMI_PDEV_STOP 1\n", b"SMC_RSI_VERSION 1\n> ", b"SMC_8\n",
    b"Unexpected exception:\n", b"SMC_RMI_PDEV_STOP 1 =\n", b"SMC_RMI_PDEV_CREATE 1[    1.123456] x\n", b"SMC_RMI_PDEV_STOP 1\r",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_time_on_hostile_input(piece: bytes) -> None:
    """60 kB of the same piece; the slowest take about 0.3 s."""
    began = time.process_time()
    read(piece * (60_000 // len(piece)))
    assert time.process_time() - began < 3
