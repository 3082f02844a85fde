"""Text of the register types that the SMCCC services use beside addresses and plain numbers.

Bit fields of the RMM-EL3 interface are those of TF-A include/services/rmmd_svc.h, FIRME key set ids those of
TF-RMM include/firme.h; the PCI function id is DEN0115's, the SDEI version DEN0054's.
"""

from __future__ import annotations

from collections.abc import Callable

from .el3 import BOOT_CODES
from .el3 import CODES as EL3_CODES
from .ffa import ERROR_CODES as FFA_CODES
from .psci import CODES as PSCI_CODES

_U64 = 0xFFFFFFFFFFFFFFFF


def signed(value: int, smc64: bool = True) -> int:
    """A register as a signed number. Of an SMC32 call only w0 counts, however the upper half was filled."""
    bits = 64 if smc64 else 32
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def either_signed(value: int) -> int:
    """A register as a signed number where the width of the call is not known: 0xffffffff and 64 ones are both -1."""
    value &= _U64
    return signed(value, smc64=value > 0xFFFFFFFF)


def bits(value: int, lsb: int, msb: int) -> int:
    """Bits [msb:lsb] of a value."""
    return value >> lsb & (1 << (msb - lsb + 1)) - 1


def _code(names: dict[int, str]) -> Callable[[int], str]:
    def text(value: int) -> str:
        number = either_signed(value)
        return f"{names[number]} ({number})" if number in names else f"unknown ({number})"

    return text


def _choice(*names: str, first: int = 0) -> Callable[[int], str]:
    def text(value: int) -> str:
        i = value - first
        return f"{names[i]} ({value})" if 0 <= i < len(names) else f"unknown ({value:#x})"

    return text


def _fields(*layout: tuple[str, int, int]) -> Callable[[int], str]:
    known = sum(((1 << (msb - lsb + 1)) - 1) << lsb for _, lsb, msb in layout)

    def text(value: int) -> str:
        said = [f"{name}={bits(value, lsb, msb):#x}" for name, lsb, msb in layout]
        if value & ~known:
            said.append(f"undefined={value & ~known:#x}")
        return f"{value:#x} ({' '.join(said)})"

    return text


def _version16(value: int) -> str:
    if either_signed(value) == -1:
        return "NOT_SUPPORTED (-1)"
    return f"{bits(value, 16, 30)}.{bits(value, 0, 15)}"


def _mpidr(value: int) -> str:
    affinity = (bits(value, 32, 39), bits(value, 16, 23), bits(value, 8, 15), bits(value, 0, 7))
    return f"{value:#x} ({'.'.join(map(str, affinity))})"


def _pci_function(value: int) -> str:
    return f"{value:#x} ({bits(value, 16, 31):04x}:{bits(value, 8, 15):02x}:{bits(value, 3, 7):02x}.{bits(value, 0, 2)})"


def _sdei_version(value: int) -> str:
    if either_signed(value) == -1:
        return "NOT_SUPPORTED (-1)"
    return f"{bits(value, 48, 62)}.{bits(value, 32, 47)}" + (f" vendor {value & 0xFFFFFFFF:#x}" if value & 0xFFFFFFFF else "")


def _flags(*names: str) -> Callable[[int], str]:
    def text(value: int) -> str:
        on = [name for i, name in enumerate(names) if value >> i & 1]
        if value >> len(names):
            on.append(f"{value >> len(names) << len(names):#x}")
        return f"{value:#x} ({' | '.join(on)})" if on else f"{value:#x}"

    return text


def _stream_info(value: int) -> str:
    sub = ("PR", "NPR", "CPL")
    number = bits(value, 8, 10)
    said = (
        f"stream_id={bits(value, 0, 7):#x} substream={sub[number] if number < len(sub) else number}"
        f" direction={bits(value, 11, 11)} key_set={bits(value, 12, 12)}"
    )
    return f"{value:#x} ({said})" if value >> 13 == 0 else f"{value:#x} ({said} undefined={value >> 13 << 13:#x})"


TEXT: dict[str, Callable[[int], str]] = {
    "Address": lambda v: f"{v:#x}",
    "Bits32": lambda v: f"{v & 0xFFFFFFFF:#x}",
    "UInt64": str,
    "Int64": lambda v: str(either_signed(v)),
    "Ignored": lambda v: f"{v:#x} (no result)",
    "Version16": _version16,
    "SdeiVersion": _sdei_version,
    "SdeiEventStatus": _flags("registered", "enabled", "running"),
    "Mpidr": _mpidr,
    "PsciReturnCode": _code(PSCI_CODES),
    "FfaErrorCode": _code(FFA_CODES),
    "RmmEl3Code": _code(EL3_CODES),
    "RmmBootCode": _code(BOOT_CODES),
    "FfaEndpoints": _fields(("sender", 16, 31), ("receiver", 0, 15)),
    "SocIdType": _choice("version", "revision", "name"),
    "SuspendMode": _choice("platform coordinated", "OS initiated"),
    "TokenSignOpcode": _choice("PUSH_REQ", "PULL_RESP", "GET_RAK_PUB", first=1),
    "FirmeGpi": lambda v: {0x9: "Non-secure (0x9)", 0xB: "Realm (0xb)"}.get(v, f"{v:#x}"),
    "PciFunctionId": _pci_function,
    "PciRoutingId": lambda v: f"{v:#x} ({bits(v, 8, 15):02x}:{bits(v, 3, 7):02x}.{bits(v, 0, 2)})",
    "PciBusRange": lambda v: f"{bits(v, 0, 7):02x}-{bits(v, 8, 15):02x}",
    "IdeStreamInfo": _stream_info,
    "MecRefresh": _fields(("mecid", 32, 47), ("reason", 0, 0)),
    "ReserveMemoryArgs": _fields(("alignment", 56, 63), ("flags", 1, 31), ("local_cpu", 0, 0)),
    "FirmeKeysetId": _fields(
        ("segment", 30, 37),
        ("rootport_id", 14, 29),
        ("stream_id", 6, 13),
        ("substream_id", 2, 5),
        ("direction", 1, 1),
        ("key_set", 0, 0),
    ),
}
"""Type name -> text of a non-negative 64-bit value. Types not here read as hexadecimal."""
