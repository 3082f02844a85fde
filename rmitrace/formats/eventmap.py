"""Which trace event carries which SMC registers: the rules behind ``--map`` and what holds without it.

Kernel probes have the names their author gave them. This module turns an event (name, place of the probe, named
values) into what it says about an SMC. The rules are described for users in docs/event-mapping.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .base import Unreadable

MAX_REGS = 18
"""x0..x17: what SMCCC 1.2 passes and returns."""

REALM_FIDS = range(0xC4000150, 0xC40002D0)
"""Function ids of RMI and RSI in every revision (DEN0137)."""

_REGISTER = re.compile(r"(?:[axrw]|reg)(\d{1,2})$")
_UNNAMED = re.compile(r"arg(\d{1,2})$")
_FID_NAMES = frozenset({"fid", "func_id", "function_id", "smc_fid", "smc_id"})
_RET_NAMES = frozenset({"ret", "retval", "res", "result", "status"})
_ARRAY_NAMES = frozenset({"a", "args", "x", "r", "regs", "reg", "res"})
_ENTER = ("enter", "entry")
_EXIT = ("exit", "return", "ret")
_SUFFIX = re.compile(r"(?:^|_)(enter|entry|exit|return|ret)(?=_|$)")
_SMC_EVENT = re.compile(r"(?:(?:smc|smc12|smccc|hvc)|arm_smccc_\w+)_(?:enter|entry|exit|return|ret)(?:_\w+)?$")
_STUB = re.compile(r"_{0,2}arm_smccc_(?:1_[12]_)?(?:smc|hvc)$")
_WRAPPER = re.compile(
    r"(?:rmi_\w+|rsi_\w+|psci_0_[12]_\w+|psci_affinity_info|psci_cpu_\w+|psci_migrate\w*|psci_sys\w+|psci_get_version)$"
)
_INVOKER = re.compile(r"r[ms]i_(?:\w+_)?(?:smccc|invoke|call|smc)(?:_\w+)?$")
_FIXED_FAMILY = {"inv": "inv", "invx": "inv", "arr": "arr"}
WRAPPER_EVENTS: Mapping[str, str] = {"pdev_comm": "rmi_pdev_communicate", "pdev_comm_ret": "rmi_pdev_communicate"}
"""Wrapper probes known by event name, for text that prints the probe's place as a bare address."""


class BadMap(Unreadable):
    """A ``--map`` that does not parse; the message quotes it and says what is expected."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """One ``--map``: what an event is and which field is which register.

    kind     'enter', 'exit' or 'ignore'
    fields   field name -> register number; empty: the built-in field names
    """

    kind: str
    fields: Mapping[str, int]


def parse_maps(maps: Sequence[str]) -> dict[str, EventRule]:
    """The rules of ``--map`` strings by event name.

    The form is ``EVENT:enter|exit|ignore[:FIELD=xN[,FIELD=xN...]]``. EVENT may have its group in front
    (``smccc:call``), which is not compared. An array field fills the registers from xN on.
    Raises BadMap.
    """
    out: dict[str, EventRule] = {}
    for text in maps:
        parts = text.split(":")
        at = max((i for i, p in enumerate(parts) if p in ("enter", "exit", "ignore")), default=0)
        if at == 0 or len(parts) > at + 2 or not parts[at - 1]:
            raise BadMap(f"--map {text!r}: expected EVENT:enter|exit|ignore[:FIELD=x0,FIELD=x1,...]")
        fields: dict[str, int] = {}
        for item in parts[at + 1].split(",") if len(parts) == at + 2 and parts[at + 1] else ():
            name, _, reg = item.strip().partition("=")
            number = int(reg[1:]) if re.fullmatch(r"[xX]\d{1,2}", reg) else MAX_REGS
            if not name or number >= MAX_REGS:
                raise BadMap(f"--map {text!r}: {item!r} is not FIELD=x0..x{MAX_REGS - 1}")
            fields[name] = number
        out[parts[at - 1]] = EventRule(parts[at], fields)
    return out


def family(name: str) -> str:
    """The part that the enter and the exit event of one probe pair have in common: what calls are paired within.

    ``smc_enter`` and ``smc_exit`` -> ``smc``; ``smc_enter_arr`` and ``smc_exit_arr`` -> ``smc_arr``; ``inv`` and
    ``invx`` -> ``inv``; ``begin@do_smc`` and ``done@do_smc`` (names the readers give to events that belong
    together because they sit on one function) -> ``@do_smc``; any other name is its own family.
    """
    if "@" in name:
        return name[name.index("@") :]
    if name in _FIXED_FAMILY:
        return _FIXED_FAMILY[name]
    found = _SUFFIX.search(name)
    return (name[: found.start()] + name[found.end() :]).strip("_") or "call" if found else name


def direction(name: str) -> str | None:
    """'enter' or 'exit' as the event's name says, else None."""
    if name in ("inv", "invx"):
        return "exit" if name == "invx" else "enter"
    found = _SUFFIX.search(name)
    if found is None:
        return None
    return "enter" if found[1] in _ENTER else "exit"


def is_smc_event(name: str) -> bool:
    """Whether the name alone says that the event is the entry or the return of an SMC (``smc_enter``,
    ``smc12_exit``, ``smc_enter_arr``, ``inv``, ``invx``)."""
    return name in ("inv", "invx") or _SMC_EVENT.match(name) is not None


def is_stub(func: str | None) -> bool:
    """Whether a kernel function does nothing but the SMC (or HVC): ``arm_smccc_1_2_smc``, ``__arm_smccc_smc``."""
    return func is not None and _STUB.match(func) is not None


def is_wrapper(func: str | None) -> bool:
    """Whether a kernel function stands around one particular command: ``rmi_pdev_communicate``, ``psci_0_2_cpu_on``."""
    return func is not None and _WRAPPER.match(func) is not None and _INVOKER.match(func) is None


def plausible_fid(value: int) -> bool:
    """Whether a register value looks like the function id of a fast call (DEN0028 2.5): bit 31 set, bits 23:17
    clear, a service that is assigned, and in the standard secure service a number below 0x400 (all of PSCI, SDEI,
    TRNG, FF-A, RMI and RSI lie there), so that a page address is not taken for one."""
    if value >> 32 not in (0, 0xFFFFFFFF):
        return False
    value &= 0xFFFFFFFF
    if not value & 0x80000000 or value & 0x00FE0000:
        return False
    service = value >> 24 & 0x3F
    return value & 0xFFFF < 0x400 if service == 4 else service <= 6 or service >= 0x30


@lru_cache(maxsize=512)
def plan(names: tuple[str, ...], out: bool, rule: tuple[tuple[str, int], ...] = ()) -> tuple[int, ...]:
    """For each field name the register it holds, -1 for none; an array fills the registers from there on.

    out   the event is a return: ``ret`` is x0 and ``fid`` is not
    rule  field names of a ``--map``; given, they are the only ones
    """
    if rule:
        given = dict(rule)
        return tuple(given.get(n, -1) for n in names)
    regs = [-1] * len(names)
    for i, n in enumerate(names):
        found = _REGISTER.match(n)
        if found and int(found[1]) < MAX_REGS:
            regs[i] = int(found[1])
    shift = 0 if 0 in regs else -1
    if 0 not in regs:
        alias = _RET_NAMES if out else _FID_NAMES
        first = next((i for i, n in enumerate(names) if n in alias), None)
        if first is not None:
            regs[first], shift = 0, 0
    for i, n in enumerate(names):
        found = _UNNAMED.match(n)
        if found and regs[i] < 0 and 0 <= int(found[1]) + shift < MAX_REGS:
            regs[i] = int(found[1]) + shift
    if 0 not in regs:
        first = next((i for i, n in enumerate(names) if n in _ARRAY_NAMES), None)
        if first is not None:
            regs = [0 if i == first else -1 for i in range(len(names))]
    return tuple(regs)


def fits(name: str, value: bytes) -> bool:
    """Whether a value may be the register that its name stands for: ``a``, ``args``, ``regs`` and such are arrays."""
    return name not in _ARRAY_NAMES or name in _RET_NAMES or value[:1] == b"{"


def may_hold_registers(names: Sequence[str]) -> bool:
    """Whether a register x0 (or an array of registers) is among the fields."""
    return 0 in plan(tuple(names), False)
