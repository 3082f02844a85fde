from __future__ import annotations

import json
import re

import pytest

from rmitrace.formats.base import ReadOptions, Unreadable
from rmitrace.formats.bpftrace import FORMAT, dumped_registers, parse_line
from rmitrace.formats.eventmap import family
from tests.rmitrace.formats.trace_text import CAPTURES, UNREADABLE, kinds, names, read, regs

ENTER = b"1957186541326 sh-2910 [001] smc_enter fid=0xc4000150 a1=0x20000 a2=0x0\n"
EXIT = b"1957186551326 sh-2910 [001] smc_exit x0=0xffffffffffffffff x1=0x20000\n"
ATTACHED = b"Attached 2 probes\n"


def test_lines() -> None:
    records = read(FORMAT, ATTACHED + ENTER + EXIT)
    assert kinds(records) == ["ENTER", "EXIT"]
    assert regs(records, 0) == {0: 0xC4000150, 1: 0x20000, 2: 0}
    assert regs(records, 1) == {0: (1 << 64) - 1, 1: 0x20000}
    assert records.ts.tolist() == [1957186541326, 1957186551326]
    assert (records.pid.tolist(), records.cpu.tolist()) == ([2910] * 2, [1] * 2)
    assert family(str(names(records)[0])) == family(str(names(records)[1]))
    detail = FORMAT.detail(ENTER.strip(), False, ReadOptions())
    assert (detail.task, detail.event, detail.regs[1]) == ("sh", "smc_enter", 0x20000)


@pytest.mark.parametrize(
    "line",
    [
        b"1957 sh 2910 [1] enter fid=0xc4000150 a1=0x20000",
        b"1957 sh-2910 [001] enter x0=c4000150 x1=20000",  # %llx without 0x
        b"1957 sh-2910 [001] enter fid=3288334672 a1=131072",
        b"1957 sh-2910 [001] smc_enter: fid=0xc4000150 a1=0x20000",
        b"1957 sh-2910 [001] do_smc a0=0xc4000150 a1=0x20000",
        b"1957 sh-2910 [001] regs \\x50\\x01\\x00\\xc4\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x00\\x00",
        b"1957 sh-2910 [001] regs P\\x01\\x00\\xc4\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x00\\x00",
        b"1957 sh-2910 [001] regs 50 01 00 c4 00 00 00 00 00 00 02 00 00 00 00 00",
        json.dumps({"type": "printf", "data": "1957 sh-2910 [001] smc_enter fid=0xc4000150 a1=0x20000\n"}).encode(),
    ],
)
def test_forms(line: bytes) -> None:
    data = ATTACHED + line + b"\n"
    assert FORMAT.sniff(data) > 0.5
    records = read(FORMAT, data)
    assert kinds(records) == ["ENTER"]
    assert regs(records, 0) == {0: 0xC4000150, 1: 0x20000}
    assert (records.ts.tolist(), records.pid.tolist(), records.cpu.tolist()) == ([1957], [2910], [1])
    detail = FORMAT.detail(line, False, ReadOptions())
    assert detail.regs == {0: 0xC4000150, 1: 0x20000}
    assert detail.task == "sh"


def test_numbers_without_0x_in_the_results() -> None:
    data = b"1 sh-2 [0] enter x0=84000002 x1=10000\n2 sh-2 [0] exit x0=0 x1=20000\n"
    records = read(FORMAT, data)
    assert regs(records, 0) == {0: 0x84000002, 1: 0x10000}
    assert regs(records, 1) == {0: 0, 1: 0x20000}


@pytest.mark.parametrize("comm", ["my prog", "a-1 [0] x", "x [001] 1.2: y", "", "a:b"])
def test_names_that_imitate_the_line(comm: str) -> None:
    found = parse_line(f"1957 {comm}-2910 [001] smc_enter fid=0x1".encode())
    assert found is not None
    assert (found[0].comm, found[0].pid, found[1]) == (comm.encode(), 2910, "smc_enter")


def test_dumped_registers() -> None:
    # 0x0000000000000041 is 'A' and seven zeros
    assert dumped_registers(b"A\\x00\\x00\\x00\\x00\\x00\\x00\\x00") == [0x41]
    assert dumped_registers(b"41 00 00 00 00 00 00 00") == [0x41]
    assert dumped_registers(b"A\\x00\\x00") is None
    assert dumped_registers(b"fid=0x1") is None
    assert dumped_registers(b"") is None


@pytest.mark.parametrize(("name", "count"), [("regs-r.txt", 8), ("regs-rx.txt", 4)])
def test_captures(name: str, count: int) -> None:
    data = (CAPTURES / "bpftrace" / name).read_bytes()
    lines = re.findall(rb"^\d+ .*\] regs (.*)$", data, re.M)
    records = read(FORMAT, data)
    assert kinds(records) == ["ENTER"] * len(lines) == ["ENTER"] * 19
    for i, line in enumerate(lines):
        memory = re.sub(rb"\\x(..)", lambda m: bytes.fromhex(m[1].decode()), line)
        assert len(memory) == count * 8
        assert regs(records, i) == {n: int.from_bytes(memory[8 * n : 8 * n + 8], "little") for n in range(count)}


def test_lost_events() -> None:
    assert kinds(read(FORMAT, ENTER + b"Lost 12 events\n" + EXIT)) == ["ENTER", "LOST", "EXIT"]
    lost = b'{"type": "lost_events", "data": {"events": 7}}\n'
    records = read(FORMAT, ENTER + lost + EXIT)
    assert kinds(records) == ["ENTER", "LOST", "EXIT"]
    assert records.facts["lost"] == 7


def test_wrappers() -> None:
    data = b"1 sh-2 [0] rmi_pdev_communicate p=0x1 d=0x2\n" + ENTER + EXIT + b"9 sh-2 [0] rmi_pdev_communicate ret=-1\n"
    records = read(FORMAT, data)
    assert kinds(records) == ["WRAP_ENTER", "ENTER", "EXIT", "WRAP_EXIT"]
    assert regs(records, 3) == {0: (1 << 64) - 1}


def test_other_output_is_refused_with_advice() -> None:
    data = (UNREADABLE / "fid-only.json.txt").read_bytes()
    assert FORMAT.sniff(data) > 0.5
    with pytest.raises(Unreadable, match=r"NSECS COMM-TID \[CPU\] EVENT FIELDS: print with printf"):
        read(FORMAT, data)


@pytest.mark.parametrize(
    "line", [b"{", b"{}", b"[" * 10000, b'{"type": "printf", "data": 3}', b'{"type": "lost_events"}', b"\xff{"]
)
def test_odd_json(line: bytes) -> None:
    assert kinds(read(FORMAT, ENTER + line + b"\n" + b"{" + line + b"\n")) == ["ENTER"]


def test_other_text_is_not_claimed() -> None:
    assert FORMAT.sniff(b"[    0.000000] Booting Linux\nhello\n") == 0.0
    assert FORMAT.sniff(b"") == 0.0
