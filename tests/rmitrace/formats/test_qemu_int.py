"""``-d int`` logs: real ones, and logs by hand where the lines of CPUs and of the console are mixed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rmitrace.capture.records import NO_TIME, Kind, Records
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.qemu_int import FORMAT

CAPTURES = Path(__file__).parents[3] / "captures" / "qemu"
STUB = 0xFFFF80008004A640


def read(data: bytes) -> Records:
    return FORMAT.read(data, 0, len(data), ReadOptions())


def kinds(records: Records) -> list[str]:
    return [Kind(k).name for k in records.kind.tolist()]


def raw(data: bytes, records: Records, i: int) -> bytes:
    return data[records.offset[i] :][: records.length[i]]


def dump(pc: int, *regs: int) -> str:
    """A register dump as target/arm/cpu.c prints it: PC and X00, X01 in the first line, then three a line."""
    x = [*regs, *([0] * (31 - len(regs)))]
    cells = [f" PC={pc:016x}", *(f"X{i:02d}={v:016x}" for i, v in enumerate(x)), " SP=ffff80008370b520"]
    lines = [" ".join(cells[i : i + 3]) for i in range(0, len(cells), 3)]
    return "\n".join(lines) + "\nPSTATE=0000000001402009 ---- EL2h  SVCR=00000000 --  BTYPE=0\n"


def block(
    cpu: int | None, elr: int | None, levels: str = "EL2 to EL3", number: int = 13, what: str = "Secure Monitor Call"
) -> str:
    """A ``Taking exception`` block; without elr handled by QEMU's PSCI."""
    where = "" if cpu is None else f" on CPU {cpu}"
    head = f"Taking exception {number} [{what}]{where}\n...from {levels}\n...with ESR 0x17/0x5e000000\n"
    if elr is None:
        return head + "...handled as PSCI call\n"
    target = levels[-1]
    return head + f"...with SPSR 0x1402009\n...with ELR 0x{elr:x}\n...to EL{target} PC 0xe09ac00 PSTATE 0x4023cd\n"


def back(pc: int, level: int = 2) -> str:
    return f"Exception return from AArch64 EL3 to AArch64 EL{level} PC 0x{pc:x}\n"


@pytest.mark.parametrize("name", ["d-int-cpu-one-insn.txt", "d-int-cpu-rmi.txt"])
def test_registers_of_real_logs(name: str) -> None:
    data = (CAPTURES / name).read_bytes()
    records = read(data)
    # an entry is the dump in front of a block, a return the dump behind it
    pattern = (
        rb"( PC=[^\n]*\n(?:X[^\n]*\n)+PSTATE[^\n]*\n)Taking exception 13[^\n]*\n(?:\.\.\.[^\n]*\n)+( PC=[^\n]*\n(?:X[^\n]*\n?)+)"
    )
    expected = []
    for m in re.finditer(pattern, data):
        for text in m.groups():
            expected.append((int(text[4:20], 16), [int(v, 16) for v in re.findall(rb"X\d\d=([0-9a-f]{16})", text)[:8]]))
    assert len(expected) == 2 * data.count(b"Taking exception 13")
    assert kinds(records) == ["ENTER", "EXIT"] * (len(expected) // 2)
    for i, (pc, regs) in enumerate(expected):
        assert records.regs[i].tolist() == regs
        assert records.known[i] == (1 << 18) - 1
        detail = FORMAT.detail(raw(data, records, i), False, ReadOptions())
        assert detail.fields["pc"] == f"{pc:#x}"
        assert sorted(detail.regs) == list(range(18))
        assert [detail.regs[r] for r in range(8)] == regs
    assert (records.ts == NO_TIME).all()
    assert (records.cpu == 0).all()
    assert records.facts["lines"] == len(data.splitlines())


def test_real_log_without_registers() -> None:
    data = (CAPTURES / "d-int.txt").read_bytes()
    records = read(data)
    assert kinds(records) == ["ENTER"] * data.count(b"Taking exception 13")
    assert (records.known == 0).all()
    assert [f.rule for f in records.findings] == ["NO-REGISTERS"]
    assert records.facts["hvc"] == data.count(b"[Hypervisor Call]")
    # four lines a block: Taking, from, ESR, handled
    assert records.facts["ignored"] == data.count(b"\n") - 4 * 8
    for i in range(8):
        text = raw(data, records, i)
        assert text.startswith(b"Taking exception 13")
        assert text.endswith(b"...handled as PSCI call")
    detail = FORMAT.detail(raw(data, records, 0), False, ReadOptions())
    assert detail.fields == {"cpu": "0", "from": "EL2", "to": "EL3", "esr": "0x17/0x5e000000", "handled": "PSCI"}
    assert detail.regs == {}


def test_real_boot_with_the_rmm() -> None:
    data = (CAPTURES / "d-int-rme-boot.txt").read_bytes()
    records = read(data)
    # by hand: the RMM of this boot runs at 0x401xxxxx, the host in the upper half
    elrs = re.findall(rb"Taking exception 13 (?:[^\n]*\n){4}\.\.\.with ELR 0x([0-9a-f]+)", data)
    assert len(elrs) == 34
    smcs = [i for i, k in enumerate(kinds(records)) if k != "EXIT"]
    assert [records.names[records.name[i]] for i in smcs] == ["realm-smc" if elr.startswith(b"401") else "smc" for elr in elrs]
    for i, elr in zip(smcs, elrs, strict=True):
        detail = FORMAT.detail(raw(data, records, i), False, ReadOptions())
        assert detail.fields["elr"] == "0x" + elr.decode()
        assert records.kind[i] == (Kind.MARK if elr.startswith(b"401") else Kind.ENTER)
    exits = [i for i, k in enumerate(kinds(records)) if k == "EXIT"]
    assert len(exits) == 15  # every host SMC of the boot returned
    for i in exits:
        assert re.match(rb"Exception return from AArch64 EL3 to AArch64 EL2 PC 0xffff\w+$", raw(data, records, i))
    assert records.facts["smc"] == 15
    assert records.facts["realm-smc"] == 19
    again = read(data * 3)  # a machine that was reset, its logs in one file
    assert (again.facts["smc"], again.facts["realm-smc"]) == (45, 57)
    assert kinds(again).count("EXIT") == 45


def test_psci_call_by_hand() -> None:
    text = dump(STUB, 0xC4000150, 0x20000) + block(1, None) + dump(STUB + 4, 2**64 - 1, 0x20000)
    records = read(text.encode())
    assert kinds(records) == ["ENTER", "EXIT"]
    assert records.regs[:, :2].tolist() == [[0xC4000150, 0x20000], [2**64 - 1, 0x20000]]
    assert records.cpu.tolist() == [1, 1]
    assert records.offset.tolist() == [0, text.rindex(" PC=")]


def test_without_one_insn_per_tb_only_results_are_known() -> None:
    # the filter lets only the return block be dumped: no dump in front of an SMC is its own
    text = (block(0, None) + dump(STUB + 4, 5)) * 3
    records = read(text.encode())
    assert kinds(records) == ["ENTER", "EXIT"] * 3
    assert records.known.tolist() == [0, (1 << 18) - 1] * 3
    assert records.regs[1::2, 0].tolist() == [5, 5, 5]


def test_dump_at_the_start_of_the_block_is_not_the_arguments() -> None:
    # without a filter the translation block begins 0x30 in front of the SMC, where x0 is a pointer
    text = dump(STUB, 0xFFFF80008370B600) + block(0, None) + dump(STUB + 0x34, 7)
    records = read(text.encode())
    assert kinds(records) == ["ENTER", "EXIT"]
    assert records.known[0] == 0
    assert records.regs[1, 0] == 7
    # and where nothing comes back
    records = read((dump(STUB, 0xFFFF80008370B600) + block(0, None)).encode())
    assert records.known.tolist() == [0]


def test_call_that_does_not_return() -> None:
    off = dump(STUB, 0x84000002) + block(1, None)
    on = dump(STUB, 0xC4000004) + block(0, None) + dump(STUB + 4, 1)
    records = read((off + on + on).encode())
    assert kinds(records) == ["ENTER", "ENTER", "EXIT", "ENTER", "EXIT"]
    assert records.cpu.tolist() == [1, 0, 0, 0, 0]
    assert records.regs[:, 0].tolist() == [0x84000002, 0xC4000004, 1, 0xC4000004, 1]


def test_step_taken_twice_is_no_return_of_another_cpu() -> None:
    """A guest with a breakpoint behind the SMC runs that instruction twice; CPU_OFF before it stays without a return."""
    off = dump(STUB, 0x84000002) + block(1, None)
    on = dump(STUB, 0xC4000004) + block(0, None) + dump(STUB + 4, 1) + dump(STUB + 4, 1)
    records = read((off + on).encode())
    assert kinds(records) == ["ENTER", "ENTER", "EXIT"]
    # refused, it returns at once: DENIED is -3 (DEN0022 5.2.2)
    records = read((off + dump(STUB + 4, -3 % (1 << 64))).encode())
    assert kinds(records) == ["ENTER", "EXIT"]
    assert records.cpu.tolist() == [1, 1]


def test_two_cpus_at_once() -> None:
    one, two = block(0, None).splitlines(True), block(1, None).splitlines(True)
    mixed = "".join(line for pair in zip(one, two, strict=True) for line in pair)
    text = dump(STUB, 0xC4000150, 0xA) + dump(STUB, 0xC4000150, 0xB) + mixed + dump(STUB + 4, 1, 0xA) + dump(STUB + 4, 2, 0xB)
    records = read(text.encode())
    assert sorted(kinds(records)) == ["ENTER", "ENTER", "EXIT", "EXIT"]
    by_cpu = {
        cpu: [
            (Kind(k).name, r)
            for k, r, c in zip(records.kind.tolist(), records.regs[:, 1].tolist(), records.cpu, strict=True)
            if c == cpu
        ]
        for cpu in (0, 1)
    }
    assert by_cpu == {0: [("ENTER", 0xA), ("EXIT", 0xA)], 1: [("ENTER", 0xB), ("EXIT", 0xB)]}


def test_an_interrupt_between_the_dump_and_the_smc() -> None:
    # the instruction was about to run (dump), was interrupted, and ran later with other registers
    irq = block(0, STUB, "EL2 to EL2", 5, "IRQ")
    text = dump(STUB, 0xC4000150, 1) + irq + dump(STUB, 0xC4000151, 2) + block(0, None) + dump(STUB + 4, 0)
    records = read(text.encode())
    assert kinds(records) == ["ENTER", "EXIT"]
    assert records.regs[0, :2].tolist() == [0xC4000151, 2]


@pytest.mark.parametrize("irq_first", [True, False])
def test_a_block_of_another_cpu_in_between(irq_first: bool) -> None:
    p = STUB + 4
    smc = block(0, p).splitlines(True)
    irq = block(1, 0xFFFF800080001000, "EL2 to EL2", 5, "IRQ").splitlines(True)
    pairs = zip(irq, smc, strict=True) if irq_first else zip(smc, irq, strict=True)
    text = "".join(line for pair in pairs for line in pair) + back(p)
    records = read(text.encode())
    assert kinds(records) == ["ENTER", "EXIT"]
    detail = FORMAT.detail(raw(text.encode(), records, 0), False, ReadOptions())
    assert records.cpu.tolist() == [0, 0]
    assert detail.text.count("Taking exception 13") == 1


def test_console_text_and_prefixes() -> None:
    text = dump(STUB, 0xC4000150) + block(0, None) + dump(STUB + 4, 0)
    noisy = text.replace("...with ESR", "[    0.5] console: text\n...with ESR")
    noisy = "".join(f"[qemu] {line}\r\n" for line in noisy.splitlines())
    noisy = "NOTICE:  Booting Trusted Firmware\n" + noisy + "[    1.0] Taking a break\n"
    records = read(noisy.encode())
    assert kinds(records) == ["ENTER", "EXIT"]
    assert records.regs[:, 0].tolist() == [0xC4000150, 0]
    assert noisy.encode()[: records.offset[0]] == b"NOTICE:  Booting Trusted Firmware\n"
    assert records.facts["ignored"] == 2


def test_arm_psci_call_inside_the_block_gives_registers() -> None:
    line = "arm_psci_call PSCI Call x0=0x00000000c4000150 x1=0x0000000000020000 x2=0x1 x3=0x2 cpuid=0x0\n"
    text = block(0, None).replace("...handled", line + "...handled")
    records = read(text.encode())
    assert kinds(records) == ["ENTER"]
    assert records.regs[0, :4].tolist() == [0xC4000150, 0x20000, 1, 2]
    assert records.known[0] == 0b1111
    assert FORMAT.detail(text.encode(), False, ReadOptions()).regs == {0: 0xC4000150, 1: 0x20000, 2: 1, 3: 2}


def test_old_line_without_cpu() -> None:
    records = read((block(None, None) + block(None, STUB + 4) + back(STUB + 4)).encode())
    assert kinds(records) == ["ENTER", "ENTER", "EXIT"]
    assert records.cpu.tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Taking exception 13 [Secure Moni", "line cut"),
        ("Taking exception 13 [Secure Monitor Call] on CPU 0\n...from EL2 to E", "end of the capture"),
        ("Taking exception 13 [Secure Monitor Call] on CPU 0\n...from EL2 to EL3\n...with ESR 0x17/0x5e0", "end of the capture"),
        ("...with ESR 0x17/0x5e000000\n...handled as PSCI call\n", "first line"),
    ],
)
def test_damage(text: str, why: str) -> None:
    whole = dump(STUB, 0xC4000150) + block(0, None) + dump(STUB + 4, 0)
    for data in ((whole + text).encode(), *([(text + whole).encode()] if text.endswith("\n") else [])):
        records = read(data)
        assert sorted(kinds(records)) == ["DAMAGED", "ENTER", "EXIT"]
        bad = kinds(records).index("DAMAGED")
        assert why in records.names[records.name[bad]]
        assert raw(data, records, bad) in text.encode()


def test_orphans_of_their_own() -> None:
    one = "...from EL2 to EL3\n...with ESR 0x17/0x5e000000\n...handled as PSCI call\n"
    records = read((one * 3).encode())
    assert kinds(records) == ["DAMAGED"] * 3
    assert records.offset.tolist() == [0, len(one), 2 * len(one)]
    assert records.facts["ignored"] == 0


def test_garbled_line_does_not_take_the_next_block() -> None:
    text = "Taking exception 13 [Secure [    0.1] text\n" + block(0, None)
    records = read(text.encode())
    assert kinds(records) == ["DAMAGED", "ENTER"]


def test_hvc_is_counted() -> None:
    hvc = "Taking exception 11 [Hypervisor Call] on CPU 0\n...from EL1 to EL2\n...with ESR 0x16/0x5a000000\n"
    text = dump(0x1000, 0xC6000002) + hvc + "...handled as PSCI call\n" + hvc + "...with ELR 0x1004\n"
    records = read(text.encode())
    assert len(records) == 0
    assert (records.facts["hvc"], records.facts["hvc_smccc"]) == (2, 1)


def test_every_prefix_is_accounted_for() -> None:
    text = (dump(STUB, 0xC4000150) + block(0, None) + dump(STUB + 4, 0) + block(0, STUB + 4) + back(STUB + 4)).encode()
    for n in range(0, len(text), 5):
        records = read(text[:n])
        smcs = text[:n].count(b"Taking exception 13")
        assert sum(k in ("ENTER", "DAMAGED") for k in kinds(records)) == smcs
        assert (records.offset + records.length <= n).all()


def test_hostile_bytes() -> None:
    for data in (
        b"",
        b" PC=" * 5000,
        b"Taking exception 13" * 3000,
        b" EL3 to AArch" * 3000,
        b"\xff" * 9999,
        b" to EL3\n" * 3000,
    ):
        records = read(data)
        assert (records.offset + records.length <= len(data)).all()
        assert FORMAT.sniff(data) == 0


def test_sniff() -> None:
    for name in ("d-int.txt", "d-int-rme-boot.txt", "d-int-cpu-rmi.txt"):
        assert FORMAT.sniff((CAPTURES / name).read_bytes()) > 0.9
    for name in ("trace-log.txt", "simpletrace.txt", "execlog.txt", "simple.trace"):
        assert FORMAT.sniff((CAPTURES / name).read_bytes()) == 0
    rows = b"SMC_RMI_VERSION                   20000 > RMI_SUCCESS 20000 20000\n"
    assert 0 < FORMAT.sniff(rows + block(0, None).encode()) < 0.5
