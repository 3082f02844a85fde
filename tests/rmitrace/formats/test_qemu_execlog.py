"""Lines of the execlog plugin: results from register changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rmitrace.capture.records import Kind, Records
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.qemu_execlog import changes, is_smc
from rmitrace.formats.qemu_log import FORMAT

CAPTURES = Path(__file__).parents[3] / "captures" / "qemu"


def read(data: bytes) -> Records:
    return FORMAT.read(data, 0, len(data), ReadOptions())


def kinds(records: Records) -> list[str]:
    return [Kind(k).name for k in records.kind.tolist()]


def test_real_log() -> None:
    data = (CAPTURES / "execlog.txt").read_bytes()
    records = read(data)
    lines = data.split(b"\n")
    smc = [i for i, line in enumerate(lines) if b", 0xd4000003, " in line]
    assert len(records) == len(smc) == 92
    # the CPU goes on behind 91 of them; the last is SYSTEM_OFF
    back = [i for i in smc if i + 1 < len(lines) and re.match(rb"0, 0x[0-9a-f]+, 0xf94003", lines[i + 1])]
    assert kinds(records) == ["EXIT"] * len(back) + ["ENTER"]
    assert records.known[-1] == 0
    x0 = None
    for n, i in enumerate(smc[:-1]):
        # what no line names is unchanged since the line before
        for line in lines[smc[n - 1] + 1 if n else 0 : i + 1]:
            if found := re.search(rb"\bx0 -> 0x([0-9a-f]{16})", line):
                x0 = int(found[1], 16)
        assert records.regs[n, 0] == x0, lines[i]
        assert records.known[n] & 1
    # PSCI_VERSION answers 1.1 and RMI_VERSION, which QEMU's PSCI does not know, -1
    assert records.regs[0, 0] == 0x10001


def test_arguments_where_every_instruction_is_logged() -> None:
    v = "0x{:016x}".format
    data = (
        f'1, 0xffff800080000000, 0xd2800000, "mov x0, #0", x0 -> {v(0xC4000150)}, x1 -> {v(0x10000)}\n'
        f'1, 0xffff800080000004, 0xd4000003, "smc #0", x0 -> {v(0)}, x9 -> {v(7)}\n'
        f'1, 0xffff800080000008, 0xd503201f, "nop"\n'
    ).encode()
    records = read(data)
    assert kinds(records) == ["WHOLE_IN", "WHOLE_OUT"]
    assert records.regs[:, 0].tolist() == [0xC4000150, 0]
    assert records.regs[:, 1].tolist() == [0x10000, 0x10000]
    assert records.offset[0] == records.offset[1] == data.index(b"\n") + 1
    assert records.cpu.tolist() == [1, 1]
    detail = FORMAT.detail(data.split(b"\n")[1], True, ReadOptions())
    assert detail.regs == {0: 0, 9: 7}
    assert detail.fields == {"pc": "0xffff800080000004", "opcode": "0xd4000003", "disassembly": "smc #0"}
    assert records.known[1] == 0b1000000011


def test_cpus_are_kept_apart() -> None:
    line = '{}, 0x{:x}, 0x{:08x}, "", x0 -> 0x{:016x}\n'.format
    data = "".join([line(0, 0x1000, 0xD4000003, 1), line(1, 0x1000, 0xD4000003, 2), line(1, 0x1004, 0xF94003F3, 5)])
    data += '0, 0x1004, 0xf94003f3, ""\n0, 0x1000, 0xd4000003, ""\n0, 0x1004, 0xf94003f3, ""\n'
    records = read(data.encode())
    assert kinds(records) == ["EXIT"] * 3
    assert records.cpu.tolist() == [0, 1, 0]
    assert records.regs[:, 0].tolist() == [1, 2, 1]


@pytest.mark.parametrize("cut", [1, 5, 16, 18, 22, 24, 25])
def test_cut_line(cut: int) -> None:
    whole = b'0, 0x1000, 0xd4000003, "", x1 -> 0x0000000000000007, x0 -> 0x0000000000000001'
    records = read(whole[:-cut])
    assert kinds(records) == ["DAMAGED"]
    assert read(whole).regs[0, :2].tolist() == [1, 7]


def test_after_a_damaged_line_old_values_are_forgotten() -> None:
    good = b'0, 0x1000, 0xd4000003, "", x0 -> 0x0000000000000001\n'
    bad = b'0, 0x1000, 0xd4000003, "", x0 -> 0x00[   1.0] text\n'
    same = b'0, 0x1000, 0xd4000003, ""\n'
    records = read(good + same + bad + same)
    assert kinds(records) == ["EXIT", "EXIT", "DAMAGED", "EXIT"]
    assert records.known.tolist() == [1, 1, 0, 0]


def test_changes_and_opcodes() -> None:
    assert changes(b"") == {}
    assert changes(b", load, 0x42d03ca0, RAM, x4 -> 0xffff800082b03cb8") == {4: 0xFFFF800082B03CB8}
    assert changes(b", store, 0x9000000, pl011, sp -> 0x0000000000000010, cpsr -> 0x60000009") == {}
    assert changes(b", x4 -> 0xffff") is None
    # smc #imm16: 1101 0100 000 imm16 000 11
    assert is_smc(0xD4000003)
    assert is_smc(0xD4000003 | 0x1234 << 5)
    assert not is_smc(0xD4000002)  # hvc #0
    assert not is_smc(0xF94003E4)
