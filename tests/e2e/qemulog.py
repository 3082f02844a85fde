"""What QEMU's log (``-d int,cpu``, an instruction a block) says of SMCs, read without rmitrace: the other witness."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CPU_OFF = 0x84000002
"""PSCI_CPU_OFF: does not return (DEN0022 5.5)."""
_REG = re.compile(r"X(\d\d)=([0-9a-f]{16})")
_PC = re.compile(r"^ PC=([0-9a-f]{16}) ")
_SMC = re.compile(r"^Taking exception 13 \[Secure Monitor Call\] on CPU (\d+)$")


@dataclass
class Smc:
    """One SMC: CPU, address of the instruction, registers x0..x17 before it, and behind it (empty where it did not return)."""

    cpu: int
    address: int
    before: list[int]
    after: list[int] = field(default_factory=list)


def smcs(text: str) -> list[Smc]:
    """The SMCs in the order of the log: the block of registers right before an exception is of the SMC that was taken, the
    next one of the instruction behind it has the results."""
    out: list[Smc] = []
    waiting: list[Smc] = []
    pc, regs = 0, {}

    def block() -> list[int]:
        return [regs[n] for n in range(18)]

    for line in text.splitlines():
        if m := _PC.match(line):
            pc, regs = int(m[1], 16), {}
        regs |= {int(n): int(v, 16) for n, v in _REG.findall(line)}
        if 17 in regs and (first := next((s for s in waiting if s.address + 4 == pc), None)) is not None:
            first.after = block()
            waiting.remove(first)
        if m := _SMC.match(line):
            out.append(Smc(int(m[1]), pc, block()))
            if out[-1].before[0] != CPU_OFF:
                waiting.append(out[-1])
    return out
