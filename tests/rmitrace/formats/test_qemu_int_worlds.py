"""Whose SMC is whose, on logs made from a model of EL3: the model knows, the log does not say."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from rmitrace.capture.records import Kind, Records
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.qemu_int import FORMAT
from rmitrace.formats.qemu_int_worlds import Sides

KERNEL = 0xFFFF80008004A644
LOADER = 0x60012344
RMM_LOOP = 0x401601A0
RMM_GTSI = 0x4018D758
RMM_ENTRY = 0x40100000
TOS = 0x0E20_4568


@dataclass
class Log:
    """Writes the lines that QEMU would; keeps what each SMC is."""

    text: str = ""
    worlds: list[str] = field(default_factory=list)
    returned: int = 0

    def smc(self, world: str, elr: int, cpu: int = 0, levels: str = "EL2 to EL3", spsr: int = 0x1402009) -> None:
        self.worlds.append(world)
        self.text += (
            f"Taking exception 13 [Secure Monitor Call] on CPU {cpu}\n...from {levels}\n...with ESR 0x17/0x5e000000\n"
            f"...with SPSR 0x{spsr:x}\n...with ELR 0x{elr:x}\n...to EL{levels[-1]} PC 0xe09ac00 PSTATE 0x4023cd\n"
        )

    def eret(self, pc: int, level: int = 2) -> None:
        self.text += f"Exception return from AArch64 EL3 to AArch64 EL{level} PC 0x{pc:x}\n"

    def irq(self, cpu: int = 0) -> None:
        self.text += (
            f"Taking exception 5 [IRQ] on CPU {cpu}\n...from EL2 to EL2\n...with ESR 0x17/0x5e000000\n"
            "...with SPSR 0x40000009\n...with ELR 0xffff80008270138c\n...to EL2 PC 0xffff800080010a80 PSTATE 0x23c9\n"
        )

    def rmi(self, elr: int = KERNEL, cpu: int = 0, inner: int = 0, spsr: int = 0x1402009) -> None:
        """One RMI call: two SMCs, and one more with a return for each call of the RMM to EL3."""
        self.smc("smc", elr, cpu, spsr=spsr)
        self.eret(RMM_LOOP)
        for _ in range(inner):
            self.smc("realm-smc", RMM_GTSI, cpu, spsr=0x3C9)
            self.eret(RMM_GTSI)
        self.smc("realm-smc", RMM_LOOP, cpu, spsr=0x3C9)
        self.eret(elr)
        self.returned += 1

    def psci(self, elr: int = KERNEL, cpu: int = 0) -> None:
        """A call that EL3 answers itself."""
        self.smc("smc", elr, cpu)
        self.eret(elr)
        self.returned += 1

    def read(self) -> Records:
        data = self.text.encode()
        return FORMAT.read(data, 0, len(data), ReadOptions())

    def check(self) -> None:
        records = self.read()
        kinds = records.kind.tolist()
        names = [records.names[n] for n in records.name.tolist()]
        assert [n for n, k in zip(names, kinds, strict=True) if k != Kind.EXIT] == self.worlds
        assert kinds.count(Kind.EXIT) == self.returned
        assert {n for n, k in zip(names, kinds, strict=True) if k == Kind.EXIT} <= {"smc"}


def test_a_window_of_rmi_calls() -> None:
    log = Log()
    log.rmi()
    log.irq()
    log.rmi(inner=3)
    log.psci()
    log.rmi()
    log.check()


def test_a_window_that_begins_inside_the_rmm() -> None:
    log = Log()
    log.smc("realm-smc", RMM_GTSI)
    log.eret(RMM_GTSI)
    log.smc("realm-smc", RMM_LOOP)
    log.eret(KERNEL)
    log.rmi(inner=1)
    log.check()


def test_a_window_that_ends_inside_the_rmm() -> None:
    log = Log()
    log.rmi()
    log.smc("smc", KERNEL)
    log.eret(RMM_LOOP)
    log.smc("realm-smc", RMM_GTSI)
    log.check()


def boot(log: Log) -> None:
    log.text += "Exception return from AArch64 EL3 to AArch64 EL3 PC 0xe05b000\n"
    log.eret(RMM_ENTRY)
    for _ in range(4):
        log.smc("realm-smc", RMM_GTSI, spsr=0x3C9)
        log.eret(RMM_GTSI)
    log.smc("realm-smc", RMM_LOOP, spsr=0x3C9)


def test_boot_then_a_loader_at_low_addresses() -> None:
    # nothing but the order tells: the loader too runs at low addresses with all interrupts masked
    log = Log()
    boot(log)
    log.eret(0x60000000)
    log.psci(LOADER)
    log.rmi(LOADER, inner=1, spsr=0x3C9)
    log.check()


def test_second_cpu_starts_in_the_rmm() -> None:
    log = Log()
    boot(log)
    log.eret(0x60000000)
    log.psci()
    log.smc("smc", KERNEL, 0)  # CPU_ON; meanwhile CPU 1 starts
    log.eret(KERNEL)
    log.returned += 1
    log.eret(RMM_ENTRY)
    log.smc("realm-smc", RMM_LOOP, 1, spsr=0x3C9)
    log.eret(0x626F55B0)
    log.rmi(cpu=1)
    log.rmi(cpu=0, inner=1)
    log.check()


def test_two_cpus_in_the_rmm_at_once() -> None:
    log = Log()
    log.rmi(cpu=0)
    log.rmi(cpu=1)
    log.smc("smc", KERNEL, 0)
    log.eret(RMM_LOOP)
    log.smc("smc", KERNEL, 1)
    log.eret(RMM_LOOP)
    log.smc("realm-smc", RMM_LOOP, 1)
    log.eret(KERNEL)
    log.smc("realm-smc", RMM_LOOP, 0)
    log.eret(KERNEL)
    log.returned += 2
    log.check()


def test_no_rmm_and_a_cpu_that_resumes_elsewhere() -> None:
    # CPU_SUSPEND: EL3 returns to the resume address, not to the SMC; that is no other world
    log = Log()
    for _ in range(3):
        log.psci()
        log.smc("smc", KERNEL)
        log.eret(0x40A00000)
        log.psci()
    log.check()


def test_only_a_loader_without_rmm() -> None:
    log = Log()
    for i in range(50):
        log.smc("smc", LOADER + 16 * i, spsr=0x3C9)
        log.eret(LOADER + 16 * i)
    log.returned = 50
    log.check()


def test_reset_and_boot_again() -> None:
    log = Log()
    for _ in range(2):
        boot(log)
        log.eret(0x60000000)
        log.psci()
        log.rmi(inner=1)
    log.check()


def test_windows_put_together() -> None:
    # the first ends in the RMM, the next begins in the host: the seam looks as if both were one program
    log = Log()
    log.rmi()
    log.rmi()
    log.smc("smc", KERNEL)
    log.eret(RMM_LOOP)
    log.rmi()
    log.rmi()
    log.check()


def test_exception_inside_el3() -> None:
    log = Log()
    log.rmi()
    log.smc("smc", KERNEL)
    log.smc("el3-smc", 0x0E0A0000, levels="EL3 to EL3")
    log.text += "Exception return from AArch64 EL3 to AArch64 EL3 PC 0xe0a0000\n"
    log.eret(RMM_LOOP)
    log.smc("realm-smc", RMM_LOOP)
    log.eret(KERNEL)
    log.returned += 1
    log.check()


def test_trusted_os() -> None:
    log = Log()
    for _ in range(2):
        log.smc("smc", KERNEL)
        log.eret(TOS, level=1)
        log.smc("secure-smc", TOS, levels="EL1 to EL3")
        log.eret(KERNEL)
        log.returned += 1
    log.check()


def test_guest_and_firmware_smcs() -> None:
    log = Log()
    log.smc("guest-smc", 0xFFFF800080012344, levels="EL1 to EL2")
    log.smc("el3-smc", 0x0E0A0000, levels="EL3 to EL3")
    log.psci()
    log.check()


def test_interrupt_taken_to_el3_from_the_rmm() -> None:
    log = Log()
    log.rmi()
    log.smc("smc", KERNEL)
    log.eret(RMM_LOOP)
    log.text += (
        "Taking exception 6 [FIQ] on CPU 0\n...from EL2 to EL3\n...with ESR 0x17/0x5e000000\n"
        "...with SPSR 0x3c9\n...with ELR 0x40150000\n...to EL3 PC 0xe09ac00 PSTATE 0x4023cd\n"
    )
    log.eret(0x40150000)
    log.smc("realm-smc", RMM_LOOP)
    log.eret(KERNEL)
    log.returned += 1
    log.check()


def dump(pc: int, x0: int) -> str:
    return (
        f" PC={pc:016x} X00={x0:016x} X01={1:016x}\nX02={0:016x}\nPSTATE=0000000001402009 ---- EL2h  SVCR=00000000 --  BTYPE=0\n"
    )


def test_function_ids_decide_over_addresses() -> None:
    # a host at low addresses and an RMM in the upper half: only the function ids tell
    host, rmm = 0x40012344, 0xFFFFFFC000012344
    log = Log()
    for _ in range(2):
        log.text += dump(host - 4, 0xC4000150)
        log.smc("smc", host)
        log.eret(rmm)
        log.text += dump(rmm - 4, 0xC400018F)
        log.smc("realm-smc", rmm)
        log.eret(host)
        log.text += dump(host, 0)
        log.returned += 1
    log.check()
    records = log.read()
    enter = records.regs[records.kind == Kind.ENTER]
    exits = records.regs[records.kind == Kind.EXIT]
    assert enter[:, 0].tolist() == [0xC4000150] * 2
    assert exits[:, :2].tolist() == [[0, 1]] * 2
    assert records.regs[records.kind == Kind.MARK][:, 0].tolist() == [0xC400018F] * 2


def test_return_line_and_dump_are_one_record() -> None:
    log = Log()
    log.text += dump(KERNEL - 4, 0xC4000150)
    log.smc("smc", KERNEL)
    log.eret(KERNEL)
    log.text += dump(KERNEL, 7)
    records = log.read()
    data = log.text.encode()
    assert data[records.offset[1] :][: records.length[1]] == data[data.index(b"Exception return") :].rstrip(b"\n")
    detail = FORMAT.detail(data[records.offset[1] :][: records.length[1]], True, ReadOptions())
    assert detail.regs[0] == 7


@pytest.mark.parametrize("seed", range(5))
def test_sides_hold_what_was_said_first(seed: int) -> None:
    nodes = [(2, i) for i in range(20)]
    sides = Sides()
    truth = [(i * 7 + seed) % 3 == 0 for i in range(20)]
    for i in range(1, 20):
        sides.join(nodes[(i * 5 + seed) % i], nodes[i], truth[(i * 5 + seed) % i] ^ truth[i])
    sides.join(nodes[0], nodes[1], not (truth[0] ^ truth[1]))
    roots = {sides.find(n)[0] for n in nodes}
    assert len(roots) == 1
    for i in range(20):
        assert (sides.find(nodes[i])[1] == sides.find(nodes[0])[1]) == (truth[i] == truth[0])
