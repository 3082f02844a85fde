"""How the tables of the SMCCC services are written: one row a function, each with its SMC32 and SMC64 ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .spec import Command, Reg


@dataclass(frozen=True, slots=True)
class ServiceCommand(Command):
    """A call of a service other than RMI and RSI.

    x0   type of x0 where ``returns`` is 'value': 'Version16', 'Mpidr', 'UInt64', 'Bits64', 'Uuid',
         'FunctionId' (FF-A answers with a function id), 'Ignored' (x0 carries nothing);
         ``decoders.smccc.decode_value`` knows them all
    """

    x0: str = "Bits64"


def arg(reg: int, name: str, type: str = "Bits64", desc: str = "") -> Reg:
    """A register by number, name, type and one line for people."""
    return Reg(reg, name, type, (), desc)


@dataclass(frozen=True, slots=True)
class Service:
    """A family of calls with one list of result codes.

    name   as ``Command.service`` has it
    title  for people, with the document that defines it
    codes  x0 as a signed number -> name, zero and positive ones included
    """

    name: str
    title: str
    codes: Mapping[int, str]

    @property
    def errors(self) -> dict[int, str]:
        """The codes below zero: what x0 may be where it is a number otherwise."""
        return {k: v for k, v in self.codes.items() if k < 0}

    def call(
        self,
        name: str,
        fids: int | tuple[int, int],
        summary: str,
        args: Sequence[Reg] = (),
        outputs: Sequence[Reg] = (),
        *,
        secret: Sequence[int] = (),
    ) -> tuple[ServiceCommand, ...]:
        """A function whose x0 is one of the codes. ``fids`` is one id, or (SMC32, SMC64)."""
        return self._rows(name, fids, summary, args, outputs, self.codes, "code", "Bits64", secret)

    def value(
        self,
        name: str,
        fids: int | tuple[int, int],
        summary: str,
        args: Sequence[Reg] = (),
        outputs: Sequence[Reg] = (),
        *,
        x0: str = "UInt64",
    ) -> tuple[ServiceCommand, ...]:
        """A function whose x0 is a number, or an error below zero."""
        return self._rows(name, fids, summary, args, outputs, self.errors, "value", x0, ())

    def state(
        self, name: str, fids: int | tuple[int, int], summary: str, args: Sequence[Reg], states: Mapping[int, str]
    ) -> tuple[ServiceCommand, ...]:
        """A function whose x0 is one of a few states, or an error below zero."""
        return self._rows(name, fids, summary, args, (), {**self.errors, **states}, "code", "Bits64", ())

    def leave(self, name: str, fids: int | tuple[int, int], summary: str, args: Sequence[Reg] = ()) -> tuple[ServiceCommand, ...]:
        """A function that comes back only when it fails."""
        return self._rows(name, fids, summary, args, (), self.errors, "none", "Bits64", ())

    def _rows(
        self,
        name: str,
        fids: int | tuple[int, int],
        summary: str,
        args: Sequence[Reg],
        outputs: Sequence[Reg],
        codes: Mapping[int, str],
        returns: str,
        x0: str,
        secret: Sequence[int],
    ) -> tuple[ServiceCommand, ...]:
        both = (fids,) if isinstance(fids, int) else fids
        return tuple(
            ServiceCommand(
                name, fid, self.name, summary, tuple(args), tuple(outputs), codes, frozenset(secret), returns=returns, x0=x0
            )
            for fid in both
        )
