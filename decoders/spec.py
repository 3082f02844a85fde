"""How a call is described: the tables of every service are made of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reg:
    """An argument or result register.

    reg       register number, 1 for x1
    name      the spec's name
    type      the spec's type: 'Address', 'UInt64', 'Bits64', an enum or a bit field set of the same revision
    valid_on  statuses with which an output means something; empty: the successful one
    desc      one line for people
    """

    reg: int
    name: str
    type: str = "Bits64"
    valid_on: tuple[str, ...] = ()
    desc: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A call of a service.

    fid       function id as the caller passes it (SVE hint bit 16 clear)
    service   'RMI', 'RSI', 'PSCI', 'TRNG', 'ARCH', 'FF-A', 'SDEI', 'RMM-EL3', ...
    args      x1.. in
    outputs   x1.. out (x0 is the result and not listed)
    codes     meaning of x0 as a signed number, for the services with such a list
    secret    registers that carry key material and are never printed
    """

    name: str
    fid: int
    service: str
    summary: str = ""
    args: tuple[Reg, ...] = ()
    outputs: tuple[Reg, ...] = ()
    codes: Mapping[int, str] = field(default_factory=dict)
    secret: frozenset[int] = frozenset()
    returns: str = "code"
    """What x0 is: 'code' (one of codes), 'value' (a number on success, a negative code on failure), 'none'
    (the call does not return)."""
