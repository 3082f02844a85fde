"""SMC Calling Convention: the function id, and every service but RMI and RSI found by it (DEN0028, revisions 1.0 to 1.6).

``lookup`` finds a call by id, ``by_name`` by name, ``service_of`` says who answers an id that no table has.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import arch, el3, ffa, hypervisor, psci, sdei, standard, trng
from .hypervisor import KVM_UID
from .service import ServiceCommand
from .spec import Command
from .tree import Node
from .values import TEXT, signed

_FAST = 1 << 31
_SMC64 = 1 << 30
_SVE_HINT = 1 << 16
_RESERVED = 0x00FE0000
_U32 = 0xFFFFFFFF
_U64 = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class FunctionId:
    """The fields of a function id (DEN0028 table 2-1).

    fid         w0, SVE hint included
    owner       owning entity, 0 to 63
    owner_name  'Arm architecture', 'standard secure service', 'trusted OS', ...
    function    function number, bits [15:0]
    sve_hint    bit 16 of a fast call: the caller has no live SVE state
    """

    fid: int
    fast: bool
    smc64: bool
    owner: int
    owner_name: str
    function: int
    sve_hint: bool


_OWNERS = {
    0: ("ARCH", "Arm architecture"),
    1: ("CPU", "CPU"),
    2: ("SiP", "SiP"),
    3: ("OEM", "OEM"),
    4: ("STD", "standard secure service"),
    5: ("HYP", "standard hypervisor service"),
    6: ("VENDOR-HYP", "vendor hypervisor service"),
    7: ("VENDOR-EL3", "vendor specific EL3 monitor"),
    **dict.fromkeys(range(48, 50), ("Trusted App", "trusted applications")),
    **dict.fromkeys(range(50, 64), ("Trusted OS", "trusted OS")),
}
_UNOWNED = ("reserved", "reserved")

# Blocks of the standard secure service (owner 4): first, last function number, in SMC32, in SMC64, service.
_RANGES = (
    (0x0000, 0x001F, True, True, "PSCI"),
    (0x0020, 0x003F, True, True, "SDEI"),
    (0x0040, 0x004F, True, True, "MM"),
    (0x0050, 0x005F, True, True, "TRNG"),
    (0x0060, 0x00EF, True, True, "FF-A"),
    (0x00F0, 0x010F, True, False, "ERRATA"),
    (0x0110, 0x012F, False, True, "DRTM"),
    (0x0130, 0x014F, True, False, "PCI"),
    (0x0150, 0x018F, False, True, "RMI"),
    (0x0190, 0x01AF, False, True, "RSI"),
    (0x01B0, 0x01CF, False, True, "RMM-EL3"),
    (0x01D0, 0x02CF, False, True, "RMI"),
    (0x0400, 0x0412, False, True, "FIRME"),
)

SERVICES: dict[str, tuple[ServiceCommand, ...]] = {
    "ARCH": arch.COMMANDS,
    "PSCI": psci.COMMANDS,
    "SDEI": sdei.COMMANDS,
    "MM": standard.MM_COMMANDS,
    "TRNG": trng.COMMANDS,
    "FF-A": ffa.COMMANDS,
    "ERRATA": standard.ERRATA_COMMANDS,
    "DRTM": standard.DRTM_COMMANDS,
    "PCI": standard.PCI_COMMANDS,
    "RMM-EL3": el3.COMMANDS,
    "FIRME": el3.FIRME_COMMANDS,
    "queries": standard.QUERY_COMMANDS,
    "hypervisor": hypervisor.COMMANDS,
}
"""Every table, in the order of the function numbers; the last two hold calls of several services."""

_BY_FID = {c.fid: c for table in SERVICES.values() for c in table}
_BY_NAME: dict[str, list[ServiceCommand]] = {}
for _c in _BY_FID.values():
    _BY_NAME.setdefault(_c.name, []).append(_c)
_ALIASES = {**el3.ALIASES, **hypervisor.ALIASES}


def base_fid(fid: int) -> int:
    """The id without the SVE hint: w0 of a fast call with bit 16 clear. Yielding calls have no hint."""
    fid &= _U32
    return fid & ~_SVE_HINT if fid & _FAST else fid


def describe(fid: int) -> FunctionId:
    """The fields of a function id; bits above 31 do not count."""
    fid &= _U32
    fast = bool(fid & _FAST)
    owner = fid >> 24 & 0x3F
    name = "trusted OS (yielding)" if _yielding_trusted_os(fid) else _OWNERS.get(owner, _UNOWNED)[1]
    if not fast and fid <= 0x0100FFFF:
        name = "existing APIs (yielding)"
    return FunctionId(fid, fast, bool(fid & _SMC64), owner, name, fid & 0xFFFF, fast and bool(fid & _SVE_HINT))


def _yielding_trusted_os(fid: int) -> bool:
    return 0x02000000 <= fid <= 0x1FFFFFFF


def lookup(fid: int) -> Command | None:
    """The call with this id, with or without the SVE hint; None where no table has it (RMI and RSI are not here)."""
    return _BY_FID.get(base_fid(fid))


def by_name(name: str) -> Command | None:
    """The call of this name, the SMC64 one where there are two.

    Upper or lower case, and the spellings of TF-A (``SMC_RMM_REQ_COMPLETE``), of Linux
    (``ARM_SMCCC_ARCH_FEATURES_FUNC_ID``) and of DEN0022 (``CPU_ON``) are understood.
    """
    found = _BY_NAME.get(_canonical(name.upper()))
    return max(found, key=lambda c: c.fid & _SMC64) if found else None


def fids_of(name: str) -> tuple[int, ...]:
    """Every id of a name, SMC32 first; none where the name is not known."""
    return tuple(sorted(c.fid for c in _BY_NAME.get(_canonical(name.upper()), ())))


def _canonical(name: str) -> str:
    bare = name.removesuffix("_FUNC_ID")
    for form in (name, bare.removeprefix("ARM_"), bare.removeprefix("ARM_SMCCC_")):
        form = _ALIASES.get(form, form)
        if form in _BY_NAME:
            return form
    power = "PSCI_" + name
    return power if power in _BY_NAME and name not in ("VERSION", "FEATURES") else name


def service_of(fid: int) -> str:
    """Who answers an id: the service of its table, else by block of numbers and owner.

    'PSCI', 'SDEI', 'MM', 'TRNG', 'FF-A', 'ERRATA', 'DRTM', 'PCI', 'RMI', 'RSI', 'RMM-EL3', 'FIRME', 'STD' (another
    standard secure call), 'ARCH', 'CPU', 'SiP', 'OEM', 'HYP', 'VENDOR-HYP', 'VENDOR-EL3', 'Trusted App', 'Trusted OS',
    'legacy' (yielding calls older than the convention) or 'reserved'.
    """
    fid = base_fid(fid)
    command = _BY_FID.get(fid)
    if command is not None:
        return command.service
    if not fid & _FAST:
        if fid <= 0x0100FFFF:
            return "legacy"
        if _yielding_trusted_os(fid):
            return "Trusted OS"
    owner = fid >> 24 & 0x3F
    if owner == 4 and fid & _FAST:
        number = fid & 0xFFFF if fid & _RESERVED == 0 else -1
        for first, last, smc32, smc64, service in _RANGES:
            if first <= number <= last and (smc64 if fid & _SMC64 else smc32):
                return service
    return _OWNERS.get(owner, _UNOWNED)[0]


def decode_fid(fid: int) -> Node:
    """A function id as a tree: the bits, with what is odd about them (registers have no byte offsets)."""
    f = describe(fid)
    command = lookup(fid)
    name = command.name if command is not None else f"unknown {service_of(fid)} function"
    number = Node("function", f.function, f"{f.function:#06x}")
    children = [
        Node("fast", int(f.fast), "fast call" if f.fast else "yielding call"),
        Node("smc64", int(f.smc64), "SMC64" if f.smc64 else "SMC32"),
        Node("owner", f.owner, f"{f.owner_name} ({f.owner})"),
    ]
    if f.fast:
        reserved = f.fid & _RESERVED
        node = Node("reserved", reserved >> 17, f"{reserved >> 17:#x}")
        children.append(node.noted("reserved bits [23:17] of a fast call are not zero", "warning") if reserved else node)
        children.append(Node("sve_hint", int(f.sve_hint), "no live SVE state" if f.sve_hint else "none"))
    else:
        number = Node("function", f.fid & 0xFFFFFF, f"{f.fid & 0xFFFFFF:#08x}")
    children.append(number)
    tree = Node("function_id", fid, f"{name} ({f.fid:#010x})", children=tuple(children))
    if fid >> 32:
        tree = tree.noted(f"bits [63:32] of x0 are not zero ({fid:#x}); only w0 counts", "note")
    return tree


def decode_value(type: str, value: int) -> str:
    """A register of a service call as text; a type that is not known reads as hexadecimal.

    The types are those of the tables: 'Address', 'UInt64', 'Bits64', 'Int64', 'FunctionId', 'Mpidr', 'PsciReturnCode',
    'Version16' (major << 16 | minor) and the keys of ``decoders.values.TEXT``.
    """
    value &= _U64
    if type == "FunctionId":
        return _function_text(value)
    if type == "FfaFeature":
        return _function_text(value) if value & _FAST else f"feature {value:#x}"
    if type == "DrtmFeature":
        return f"feature {value & 0xFF}" if value >> 63 else _function_text(value)
    if type == "HypUid":
        return f"{value:#x} (KVM)" if value & _U32 == KVM_UID[0] else f"{value & _U32:#x}"
    text = TEXT.get(type)
    return text(value) if text is not None else f"{value:#x}"


def _function_text(value: int) -> str:
    command = lookup(value)
    return f"{command.name if command is not None else service_of(value)} ({value:#x})"


def _code_number(command: Command, x0: int) -> int:
    """x0 as a signed number; firmware that fills only w0 of an SMC64 call is understood where that gives an error code."""
    number = signed(x0, smc64=bool(command.fid & _SMC64))
    narrow = signed(x0, smc64=False)
    return narrow if narrow < 0 and x0 >> 32 == 0 and narrow in command.codes else number


def result_text(command: Command, x0: int) -> str:
    """x0 of a finished call as text: the name of its code, or the number in the type that the table gives it."""
    number = _code_number(command, x0)
    if number in command.codes:
        return f"{command.codes[number]} ({number})"
    if command.returns == "value":
        return decode_value(command.x0 if isinstance(command, ServiceCommand) else "Bits64", x0)
    return f"unknown ({number})" if -4096 < number < 4096 else f"unknown ({x0 & _U64:#x})"


def status_of(command: Command, x0: int) -> tuple[str | None, bool]:
    """Name of the code in x0 and whether it says that the call failed.

    No name where x0 is a number (``PSCI_VERSION``) or a code that the service has not; FF-A answers give the name of
    the reply, and ``FFA_ERROR`` is a failure. A number with its top bit set is no failure unless it is a known code.
    """
    number = _code_number(command, x0)
    if number in command.codes:
        return command.codes[number], number < 0
    if command.service == "FF-A" and command.name != "FFA_VERSION":
        reply = lookup(x0)
        return (reply.name, reply.name == "FFA_ERROR") if reply is not None and reply.service == "FF-A" else (None, False)
    return None, command.returns != "value" and number < 0
