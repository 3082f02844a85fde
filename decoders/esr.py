"""ESR_ELx: what an exception was, from its syndrome.

Arm ARM (DDI 0487) D24.2.40 "ESR_EL2, Exception Syndrome Register": EC [31:26], IL [25], ISS [24:0], ISS2 [55:32]; the fields of
ISS by class, the fault status codes of aborts.
"""

from __future__ import annotations

from .sysreg import register_name
from .tree import Node

_CLASSES = {
    0x00: "unknown reason",
    0x01: "trapped WFI or WFE",
    0x03: "trapped MCR or MRC, coproc 15 (AArch32)",
    0x04: "trapped MCRR or MRRC, coproc 15 (AArch32)",
    0x05: "trapped MCR or MRC, coproc 14 (AArch32)",
    0x06: "trapped LDC or STC (AArch32)",
    0x07: "trapped access to SVE, SIMD or floating point",
    0x08: "trapped VMRS (AArch32)",
    0x09: "trapped pointer authentication",
    0x0A: "trapped LD64B or ST64B, or another instruction of its kind",
    0x0C: "trapped MRRC, coproc 14 (AArch32)",
    0x0D: "branch target exception",
    0x0E: "illegal execution state",
    0x11: "SVC (AArch32)",
    0x12: "HVC (AArch32)",
    0x13: "SMC (AArch32)",
    0x14: "trapped MSRR, MRRS or 128-bit SYSP",
    0x15: "SVC",
    0x16: "HVC",
    0x17: "SMC",
    0x18: "trapped MSR, MRS or system instruction",
    0x19: "trapped access to SVE",
    0x1A: "trapped ERET",
    0x1B: "TSTART that failed",
    0x1C: "pointer authentication failed",
    0x1D: "trapped access to SME",
    0x1E: "granule protection check",
    0x1F: "implementation defined, to EL3",
    0x20: "instruction abort from a lower exception level",
    0x21: "instruction abort from the same exception level",
    0x22: "PC not aligned",
    0x24: "data abort from a lower exception level",
    0x25: "data abort from the same exception level",
    0x26: "SP not aligned",
    0x27: "memory copy or memory set",
    0x28: "floating point (AArch32)",
    0x2C: "floating point",
    0x2D: "guarded control stack",
    0x2F: "SError",
    0x30: "breakpoint from a lower exception level",
    0x31: "breakpoint from the same exception level",
    0x32: "software step from a lower exception level",
    0x33: "software step from the same exception level",
    0x34: "watchpoint from a lower exception level",
    0x35: "watchpoint from the same exception level",
    0x38: "BKPT (AArch32)",
    0x3A: "vector catch (AArch32)",
    0x3C: "BRK",
    0x3D: "profiling exception",
}
_FAULTS = {
    0x10: "external abort, not on a table walk",
    0x11: "tag check fault",
    0x13: "external abort on a table walk, level -1",
    0x18: "parity or ECC error, not on a table walk",
    0x1B: "parity or ECC error on a table walk, level -1",
    0x21: "alignment fault",
    0x23: "granule protection fault on a table walk, level -1",
    0x28: "granule protection fault, not on a table walk",
    0x29: "address size fault, level -1",
    0x2B: "translation fault, level -1",
    0x30: "TLB conflict",
    0x31: "hardware update of a table not supported",
    0x34: "implementation defined (lockdown)",
    0x35: "implementation defined (unsupported exclusive or atomic access)",
}
_LEVELS = {
    0x00: "address size fault",
    0x04: "translation fault",
    0x08: "access flag fault",
    0x0C: "permission fault",
    0x14: "external abort on a table walk",
    0x1C: "parity or ECC error on a table walk",
    0x24: "granule protection fault on a table walk",
}
_ACCESS = ("byte", "halfword", "word", "doubleword")
_RECOVERY = {0: "uncontainable", 1: "unrecoverable", 2: "restartable", 3: "recoverable", 6: "corrected"}

INSTRUCTION_ABORTS = (0x20, 0x21)
DATA_ABORTS = (0x24, 0x25)


def fault_text(code: int) -> str:
    """What IFSC or DFSC says: 'translation fault, level 2'."""
    said = _FAULTS.get(code)
    if said is None and code & ~3 in _LEVELS:
        said = f"{_LEVELS[code & ~3]}, level {code & 3}"
    return said or f"reserved ({code:#x})"


def decode_esr(value: int) -> Node:
    """The tree of a syndrome. Never raises; its text says the exception in one line."""
    ec, iss = value >> 26 & 0x3F, value & 0x1FFFFFF
    said = _CLASSES.get(ec, "reserved")
    fields = _iss(ec, iss)
    head = [
        Node("EC", ec, f"{said} ({ec:#x})"),
        Node("IL", value >> 25 & 1, "32-bit instruction (1)" if value >> 25 & 1 else "16-bit instruction (0)"),
        Node("ISS", iss, f"{iss:#x}", children=tuple(fields)),
    ]
    if value >> 32:
        head.append(Node("ISS2", value >> 32 & 0xFFFFFF, f"{value >> 32 & 0xFFFFFF:#x}"))
    node = Node("ESR", value, _sentence(ec, said, fields), children=tuple(head))
    if ec not in _CLASSES:
        node = node.noted(f"EC {ec:#x} is reserved", "warning")
    return node.noted(f"bits not defined in ESR: {value >> 56 << 56:#x}", "warning") if value >> 56 else node


def _sentence(ec: int, said: str, fields: list[Node]) -> str:
    by_name = {f.name: f for f in fields}
    if ec in DATA_ABORTS:
        return f"{said}: {'write' if by_name['WnR'].value else 'read'}, {fault_text(_value(by_name['DFSC']))}"
    if ec in INSTRUCTION_ABORTS:
        return f"{said}: {fault_text(_value(by_name['IFSC']))}"
    if "register" in by_name:
        return f"{said}: {by_name['register'].text}"
    if "imm16" in by_name or "comment" in by_name:
        return f"{said} #{_value(by_name.get('imm16') or by_name['comment']):#x}"
    return said


def _value(node: Node) -> int:
    return node.value if isinstance(node.value, int) else 0


def _field(name: str, iss: int, msb: int, lsb: int | None = None) -> Node:
    low = msb if lsb is None else lsb
    value = iss >> low & (1 << msb - low + 1) - 1
    return Node(name, value, str(value) if value < 10 else f"{value:#x}")


def _iss(ec: int, iss: int) -> list[Node]:
    if ec in DATA_ABORTS:
        return _data_abort(iss)
    if ec in INSTRUCTION_ABORTS:
        return [*_flags(iss, SET=(12, 11), FnV=10, EA=9, S1PTW=7), _fault("IFSC", iss)]
    if ec in (0x11, 0x12, 0x13, 0x15, 0x16, 0x17):
        return [_field("imm16", iss, 15, 0)]
    if ec == 0x18:
        return _system_register(iss)
    if ec == 0x3C:
        return [_field("comment", iss, 15, 0)]
    if ec == 0x01:
        what = ("WFI", "WFE", "WFIT", "WFET")[iss & 3]
        return [*_flags(iss, CV=24, COND=(23, 20), RN=(9, 5), RV=2), Node("TI", iss & 3, f"{what} ({iss & 3})")]
    if ec == 0x07:
        return _flags(iss, CV=24, COND=(23, 20))
    if ec == 0x2F:
        aet = iss >> 10 & 7
        return [
            *_flags(iss, IDS=24, IESB=13),
            Node("AET", aet, f"{_RECOVERY.get(aet, 'reserved')} ({aet})"),
            *_flags(iss, EA=9),
            _field("DFSC", iss, 5, 0),
        ]
    if ec == 0x1E:
        code = iss & 0x3F
        return [*_flags(iss, S2PTW=21, InD=20, GPCSC=(19, 14), CM=8, S1PTW=7, WnR=6), Node("xFSC", code, fault_text(code))]
    if ec in (0x32, 0x33):
        return _flags(iss, ISV=24, EX=6)
    if ec in (0x34, 0x35):
        return _flags(iss, WPT=(23, 18), WPTV=17, FnV=10, CM=8, WnR=6)
    if ec == 0x1A:
        return [_field("ERET", iss, 1), _field("ERETA", iss, 0)]
    if ec == 0x0D:
        return [_field("BTYPE", iss, 1, 0)]
    return []


def _flags(iss: int, **places: int | tuple[int, int]) -> list[Node]:
    return [_field(n, iss, *(p if isinstance(p, tuple) else (p,))) for n, p in places.items()]


def _fault(name: str, iss: int) -> Node:
    code = iss & 0x3F
    return Node(name, code, f"{fault_text(code)} ({code:#x})")


def _data_abort(iss: int) -> list[Node]:
    fields = [_field("ISV", iss, 24)]
    if iss >> 24 & 1:
        size, target = iss >> 22 & 3, iss >> 16 & 31
        fields += [
            Node("SAS", size, f"{_ACCESS[size]} ({size})"),
            _field("SSE", iss, 21),
            Node("SRT", target, f"x{target}" if target < 31 else "xzr"),
            *_flags(iss, SF=15, AR=14),
        ]
    wnr = iss >> 6 & 1
    fields += _flags(iss, VNCR=13, SET=(12, 11), FnV=10, EA=9, CM=8, S1PTW=7)
    return [*fields, Node("WnR", wnr, "write (1)" if wnr else "read (0)"), _fault("DFSC", iss)]


def _system_register(iss: int) -> list[Node]:
    op0, op2, op1, crn, crm = iss >> 20 & 3, iss >> 17 & 7, iss >> 14 & 7, iss >> 10 & 15, iss >> 1 & 15
    reads, rt = iss & 1, iss >> 5 & 31
    name = register_name(op0, op1, crn, crm, op2)
    target = f"x{rt}" if rt < 31 else "xzr"
    return [
        Node("register", None, f"MRS {target}, {name}" if reads else f"MSR {name}, {target}"),
        *_flags(iss, Op0=(21, 20), Op2=(19, 17), Op1=(16, 14), CRn=(13, 10), Rt=(9, 5), CRm=(4, 1)),
        Node("Direction", reads, "read (1)" if reads else "write (0)"),
    ]
