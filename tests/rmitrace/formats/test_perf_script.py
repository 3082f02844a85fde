from __future__ import annotations

import re
from itertools import pairwise

import pytest

from rmitrace.capture.records import NO_TIME
from rmitrace.formats.base import ReadOptions, Unreadable
from rmitrace.formats.eventmap import family
from rmitrace.formats.ftrace import FORMAT as FTRACE
from rmitrace.formats.perf_line import breakpoint_roles, interrupt_registers, parse_head
from rmitrace.formats.perf_script import FORMAT
from tests.rmitrace.formats.trace_text import CAPTURES, UNREADABLE, found, kinds, names, read, regs, said

TEXTS = sorted((CAPTURES / "perf").glob("*.txt"))
HEAD = b"              sh    2753 [001]  1725.129450: "
ENTER = HEAD + b"smccc:smc12_enter: (ffff80008002bf38) a0=0xc4000150 a1=0x20000 a2=0x0\n"
EXIT = HEAD + b" smccc:smc12_exit: (ffff80008002bf38 <- ffff800078ea00c8) fid=0xc4000150 a0=0xffffffffffffffff a1=0x20000\n"
SMC = 0xFFFF80008004A640


def hit(address: int, x0: int, x1: int = 0, pid: int = 152) -> bytes:
    columns = b"              sh     152/%d     [001]    35.213286: mem:0x%x:x:  %x arm_smccc_1_2_smc " % (pid, address, address)
    return columns + b"ABI:2    x0:0x%x    x1:0x%x \n" % (x0, x1)


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_every_smc_event_is_a_record(path) -> None:
    data = path.read_bytes()
    assert FORMAT.sniff(data) > 0.8
    assert FTRACE.sniff(data) < 0.2
    records = read(FORMAT, data)
    if path.name != "trace.txt":
        assert found(records) == said(data)
    assert "DAMAGED" not in kinds(records)


@pytest.mark.parametrize(
    ("columns", "comm", "pid", "cpu", "ts"),
    [
        (HEAD, b"sh", 2753, 1, 1_725_129_450_000),
        (b"              sh    2332/2333    [000]  1062.859837: ", b"sh", 2333, 0, 1_062_859_837_000),
        (b"              sh    2332 [000]  1062.859837994:           ", b"sh", 2332, 0, 1_062_859_837_994),
        (b"              sh    1387 [000]   501.416933:          1 ", b"sh", 1387, 0, 501_416_933_000),
        (b"         swapper       0 [003]     1.500000: ", b"swapper", 0, 3, 1_500_000_000),
        (b"   a 12 [0] 1.0:    2753 [001]  1725.129450: ", b"a 12 [0] 1.0:", 2753, 1, 1_725_129_450_000),
        (b"              sh    2753  1725.129450: ", b"sh", 2753, -1, 1_725_129_450_000),
        (b"kworker/0:1-events_unbound    91 [000]  1725.129450: ", b"kworker/0:1-events_unbound", 91, 0, 1_725_129_450_000),
        (b"  1062.859837: ", None, -1, -1, 1_062_859_837_000),
        (b"[002]  1062.859837: ", None, -1, 2, 1_062_859_837_000),
    ],
)  # fmt: skip
def test_columns(columns: bytes, comm: bytes | None, pid: int, cpu: int, ts: int) -> None:
    line = columns + b"smccc:smc12_enter: (ffff80008002bf38) a0=0xc4000150"
    head = parse_head(line)
    assert head is not None
    assert (head.comm, head.pid, head.cpu, head.ts) == (comm, pid, cpu, ts)
    assert line[head.body :].startswith(b"smccc:")


def test_kprobe_samples() -> None:
    records = read(FORMAT, ENTER + EXIT)
    assert kinds(records) == ["ENTER", "EXIT"]
    assert regs(records, 0) == {0: 0xC4000150, 1: 0x20000, 2: 0}
    assert regs(records, 1) == {0: (1 << 64) - 1, 1: 0x20000}
    assert family(str(names(records)[0])) == family(str(names(records)[1]))
    detail = FORMAT.detail(EXIT.strip(), False, ReadOptions())
    # the task's name is what stands left of the columns, so a stripped line still has it
    assert (detail.event, detail.fields["fid"]) == ("smc12_exit", "0xc4000150")
    assert FORMAT.detail(EXIT.rstrip(), False, ReadOptions()).task == "sh"


def test_call_chains_and_symbols_behind_the_values() -> None:
    chain = b"\tffff80008002bf38 arm_smccc_1_2_smc+0x0 ([kernel.kallsyms])\n\tffff800078ea00c8 rs_invoke12+0x30 ([rmishape])\n\n"
    records = read(FORMAT, ENTER + chain + EXIT[:-1] + b" ffff91308eca83bc rs_call.constprop.0\n" + chain)
    assert kinds(records) == ["ENTER", "EXIT"]
    assert regs(records, 1) == {0: (1 << 64) - 1, 1: 0x20000}


def test_warnings_in_front() -> None:
    data = (CAPTURES / "perf/script-F.txt").read_bytes()
    assert data.startswith(b"'trace' not valid")
    assert kinds(read(FORMAT, data))[0] == "ENTER"


def test_zero_arrays() -> None:
    data = (CAPTURES / "perf/script.txt").read_bytes()
    assert read(FORMAT, data).facts["zero_arrays"] == data.count(b"smc:arr: ") == 73


@pytest.mark.parametrize("name", ["breakpoints.txt", "breakpoints-6.12.txt"])
def test_breakpoints(name: str) -> None:
    """The lower address is the SMC, the higher one the instruction after it; a sample like the one before is its double."""
    data = (CAPTURES / "perf" / name).read_bytes()
    lines = [
        (int(a, 16), {int(i): int(v, 16) for i, v in re.findall(r" x(\d):0x([0-9a-f]+)", r)})
        for a, r in re.findall(r"mem:0x([0-9a-f]+):x:.*?ABI:2(.*)", data.decode())
    ]
    doubles = sum(a == b for a, b in pairwise(lines))
    assert doubles >= 1
    want = [lines[0], *(b for a, b in pairwise(lines) if a != b)]
    lower = min(a for a, _ in lines)
    records = read(FORMAT, data)
    assert len(records) == len(want)
    for i, (address, x) in enumerate(want):
        assert kinds(records)[i] == ("ENTER" if address == lower else "EXIT")
        assert regs(records, i) == {n: v for n, v in x.items() if n < 8}
    assert records.facts["duplicates"] == doubles
    assert len(records) + doubles + records.facts["ignored"] == records.facts["lines"]
    assert {family(str(n)) for n in names(records)} == {f"@0x{lower:x}"}


def test_breakpoint_roles() -> None:
    a, b = 0x1000, 0x2004
    assert breakpoint_roles([a + 4, a, b, b + 4]) == {a: (False, a), a + 4: (True, a), b: (False, b), b + 4: (True, b)}
    assert breakpoint_roles([a + 8, a, b, b + 8]) == {a: (False, a), a + 8: (True, a), b: (False, b), b + 8: (True, b)}
    assert breakpoint_roles([a, a + 8]) == {a: (False, a), a + 8: (True, a)}
    assert breakpoint_roles([a]) == {a: (None, a)}
    assert breakpoint_roles([]) == {}


def test_doubles_are_told_from_repeated_calls() -> None:
    enter, leave = hit(SMC, 0xC4000165), hit(SMC + 4, 0)
    assert kinds(read(FORMAT, enter + enter + leave + enter + leave)) == ["ENTER", "EXIT", "ENTER", "EXIT"]
    assert kinds(read(FORMAT, enter + hit(SMC, 0xC4000165, pid=153) + leave)) == ["ENTER", "ENTER", "EXIT"]
    # with one breakpoint only there is nothing to tell a double by
    assert kinds(read(FORMAT, enter + enter)) == ["ENTER", "ENTER"]


def test_two_stubs() -> None:
    data = hit(SMC, 0xC4000150) + hit(SMC + 4, 0) + hit(0x1000, 0x84000002) + hit(0x1004, 1)
    records = read(FORMAT, data)
    assert kinds(records) == ["ENTER", "EXIT", "ENTER", "EXIT"]
    assert len({family(str(n)) for n in names(records)}) == 2


def test_registers_behind_a_call_chain() -> None:
    head, _, rest = hit(SMC, 0xC4000150, 0x20000).partition(b" ffff")
    chain = b"\n\tffff80008004a640 arm_smccc_1_2_smc+0x30 ([kernel.kallsyms])\n"
    data = head + chain + rest[rest.index(b" ABI") :] + b"\n" + hit(SMC + 4, 0)
    records = read(FORMAT, data)
    assert kinds(records) == ["ENTER", "EXIT"]
    assert regs(records, 0) == {0: 0xC4000150, 1: 0x20000}
    raw = data[: int(records.length[0])]
    assert FORMAT.detail(raw, False, ReadOptions()).regs == {0: 0xC4000150, 1: 0x20000}


def test_breakpoints_without_registers() -> None:
    data = (UNREADABLE / "breakpoints-no-registers.txt").read_bytes()
    assert FORMAT.sniff(data) > 0.8
    with pytest.raises(Unreadable, match="--intr-regs"):
        read(FORMAT, data)
    mixed = data.splitlines(keepends=True)[0] + hit(SMC, 0xC4000150) + hit(SMC + 4, 0)
    records = read(FORMAT, mixed)
    assert kinds(records) == ["DAMAGED", "ENTER", "EXIT"]


def test_interrupt_registers() -> None:
    assert interrupt_registers(b"  x0:0x1  x2:0xff x17:0x3 x18:0x4 x19:0x5 lr:0x6 sp:0x7") == [1, None, 255, *[None] * 14, 3]
    assert interrupt_registers(b"    x0:0xzz ") == []
    full = (CAPTURES / "perf/breakpoints.txt").read_bytes().partition(b"\n")[0]
    assert sorted(FORMAT.detail(full, False, ReadOptions()).regs) == list(range(9))


def test_perf_trace() -> None:
    data = (CAPTURES / "perf/trace.txt").read_bytes()
    records = read(FORMAT, data)
    # RMI_VERSION(0x20000), RMI_FEATURES(0), RMI_FEATURES(1); each is answered with -1; zeros are not printed
    assert kinds(records) == ["ENTER", "EXIT"] * 3
    assert [regs(records, i)[0] for i in (0, 2, 4)] == [0xC4000150, 0xC4000165, 0xC4000165]
    assert [regs(records, i)[1] for i in (0, 2, 4)] == [0x20000, 0, 1]
    assert [regs(records, i)[0] for i in (1, 3, 5)] == [(1 << 64) - 1] * 3
    assert records.ts[:2].tolist() == [212_000, 4_908_000]
    assert records.facts["clock"] == "relative"
    assert set(records.pid.tolist()) == {2348}
    success = b"     5.243 sh/2348 smc:smc_exit(__probe_func: -121837236617016, __probe_ret_ip: -121837236616260, a1: 7)\n"
    records = read(FORMAT, data + success)
    assert regs(records, 6) == {0: 0, 1: 7}


def test_lost_samples() -> None:
    data = ENTER + HEAD + b"PERF_RECORD_LOST lost 12\n" + EXIT
    assert kinds(read(FORMAT, data)) == ["ENTER", "LOST", "EXIT"]
    records = read(FORMAT, ENTER + b"Warning:\nProcessed 9999 events and lost 3 chunks!\n" + EXIT)
    assert kinds(records) == ["ENTER", "LOST", "EXIT"]
    assert records.facts["lost"] == 3


def test_damage() -> None:
    records = read(FORMAT, ENTER + ENTER.replace(b"a1=0x20000", b"a1=0x2zz") + ENTER[30:] + EXIT)
    assert kinds(records) == ["ENTER", "DAMAGED", "DAMAGED", "EXIT"]


def test_a_line_without_time_has_none() -> None:
    records = read(FORMAT, b"smccc:smc12_enter: (ffff80008002bf38) a0=0xc4000150\n")
    assert kinds(records) == ["ENTER"]
    assert records.ts.tolist() == [NO_TIME]


def test_binary_files_are_not_text() -> None:
    assert FORMAT.sniff(b"PERFILE2" + b"\0" * 100) == 0.0
    assert FORMAT.sniff(b"\x17\x08\x44tracing7\0") == 0.0
    assert FORMAT.sniff(b'{\n  "linux-perf-json-version": 1,\n') == 0.0
