"""Lines of QEMU's execlog plugin (contrib/plugins/execlog.c, with ``-plugin ...,reg=x*``).

``CPU, PC, OPCODE, "DISASSEMBLY"[, load|store, ADDR, DEVICE][, REG -> VALUE]...``: the registers are those that changed
since the last line of that CPU, so a register that is not named has the value it had there. A line is printed when
the next instruction starts: the values are those behind the instruction, for an SMC its results.
"""

from __future__ import annotations

import re

from ..capture.records import Kind, RecordBuilder
from .base import Detail

LINE = re.compile(rb'^(\d{1,5}), 0x([0-9a-f]{1,16}), 0x([0-9a-f]{1,8}), "([^"\n]{0,200})"([^\n]*)$', re.MULTILINE)
CUT = "execlog line cut or garbled"
_CHANGE = re.compile(rb"x(\d{1,2}) -> 0x([0-9a-f]{16})")
_OTHER = re.compile(rb"(?:load|store|0x[0-9a-f]+|[A-Za-wyz][\w .:@/-]*|[a-wyz]\w* -> 0x[0-9a-f]+)")
_REGS = 18
_COLUMNS = 8


def is_smc(opcode: int) -> bool:
    """Whether an A64 instruction is SMC #imm16 (Arm ARM C6.2)."""
    return opcode & 0xFFE0001F == 0xD4000003


def changes(tail: bytes) -> dict[int, int] | None:
    """x register -> value behind the disassembly of a line; None where the line is cut or garbled."""
    found: dict[int, int] = {}
    for item in tail.rstrip().split(b", ")[1:] if tail.strip() else ():
        if m := _CHANGE.fullmatch(item):
            found[int(m[1])] = int(m[2], 16)
        elif not _OTHER.fullmatch(item):
            return None
    return None if tail.rstrip()[-1:] == b"," else found


class Execlog:
    """Makes records of the SMC lines; keeps the last registers of every CPU, as far as lines told them.

    Where every instruction is logged the arguments are known too: the line before an SMC is that of the
    instruction in front of it. With a filter on the SMC and the instruction behind it only the results are.
    """

    def __init__(self, builder: RecordBuilder) -> None:
        self._b = builder
        self._regs: dict[int, dict[int, int]] = {}
        self._last_pc: dict[int, int] = {}
        self._open: dict[int, tuple[int, int, bool]] = {}
        self._returns_seen = False
        self._unreturned: list[int] = []
        self.began = False
        """There was a line: records may change at the end."""

    def add(self, m: re.Match[bytes]) -> None:
        """The next line of the plugin."""
        self.began = True
        cpu, pc, opcode = int(m[1]), int(m[2], 16), int(m[3], 16)
        state = self._regs.setdefault(cpu, {})
        if cpu in self._open:
            row, smc, changed = self._open.pop(cpu)
            returned = pc == smc + 4
            self._returns_seen |= returned
            if not returned and not changed:
                self._unreturned.append(row)
        before = [state.get(i) for i in range(_COLUMNS)] if self._last_pc.get(cpu) == pc - 4 else None
        self._last_pc[cpu] = pc
        told = changes(m[5])
        if told is None:
            state.clear()
            self._last_pc.pop(cpu)
        else:
            state.update(told)
        if not is_smc(opcode):
            return
        length = m.end() - m.start() - (m[0][-1:] == b"\r")
        if told is None:
            self._b.add(Kind.DAMAGED, m.start(), length, cpu=cpu, name=CUT)
            return
        if before is not None and before[0] is not None:
            self._b.add(Kind.WHOLE_IN, m.start(), length, cpu=cpu, name="execlog", regs=before)
        kind = Kind.EXIT if before is None or before[0] is None else Kind.WHOLE_OUT
        after = [state.get(i) if i < _COLUMNS or i in told else None for i in range(_REGS)]
        self._open[cpu] = (len(self._b.rows), pc, bool(told))
        self._b.add(kind, m.start(), length, cpu=cpu, name="execlog", regs=after)

    def finish(self) -> None:
        """What did not return (CPU_OFF, SYSTEM_OFF) is an entry: the plugin prints its line when it ends, unchanged."""
        if not self._returns_seen:
            return
        last = [row for row, _, changed in self._open.values() if not changed]
        for row in sorted([*self._unreturned, *last], reverse=True):
            offset, length, ts, cpu, pid, kind, name, _ = self._b.rows[row]
            if kind == Kind.WHOLE_OUT:
                del self._b.rows[row], self._b.regs[row]
            else:
                self._b.rows[row] = (offset, length, ts, cpu, pid, int(Kind.ENTER), name, 0)
                self._b.regs[row] = [0] * _COLUMNS


def detail(m: re.Match[bytes], text: str) -> Detail:
    """A line in full: the registers it names, ``pc``, ``opcode`` and ``disassembly`` as fields."""
    regs = {i: v for i, v in (changes(m[5]) or {}).items() if i < _REGS}
    fields = {"pc": f"0x{m[2].decode()}", "opcode": f"0x{m[3].decode()}"}
    if m[4]:
        fields["disassembly"] = m[4].decode("utf-8", "surrogateescape")
    return Detail(text, event="execlog", regs=regs, fields=fields)
