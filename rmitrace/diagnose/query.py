"""A failed call and the questions that its conditions are answered from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from decoders.abi import Failure
from decoders.tree import Node

from . import pages
from .devices import Snapshot
from .granules import Known
from .world import World

if TYPE_CHECKING:
    from ..capture.model import Capture

GRANULE = 4096
"""Bytes; 2.0 may be configured for others, no firmware seen is."""


class Answer(NamedTuple):
    """Whether a condition holds (None: the trace does not tell), in half a sentence why, and the calls that show it."""

    holds: bool | None
    text: str = ""
    calls: tuple[int, ...] = ()


OPEN = Answer(None)


def yes(text: str, *calls: int) -> Answer:
    """The condition holds."""
    return Answer(True, text, tuple(c for c in calls if c >= 0))


def no(text: str, *calls: int) -> Answer:
    """The condition does not hold."""
    return Answer(False, text, tuple(c for c in calls if c >= 0))


def unknown(text: str, *calls: int) -> Answer:
    """The trace leaves it open, with what it says about it."""
    return Answer(None, text, tuple(c for c in calls if c >= 0))


class Query:
    """One call: its arguments by name, its parameter page, and the world when it was made."""

    def __init__(self, capture: Capture, seq: int, world: World, conditions: tuple[Failure, ...] = ()) -> None:
        self.capture = capture
        self.seq = seq
        self.world = world
        self.conditions = conditions
        self.call = capture.call(seq)
        self.name = self.call.name or ""
        self.command = self.name.removeprefix("RMI_")
        self.revision = capture.revision.at(self.call.source).of(self.call.name)
        self.two = self.revision.startswith("2.")
        self._args = {a.name: a.value for a in self.call.args if isinstance(a.value, int)}
        self._granules: dict[int, Known | None] = {}
        """Those that were asked for: several conditions are about one."""

    def arg(self, *names: str) -> int | None:
        """An argument by one of its names."""
        return next((self._args[n] for n in names if n in self._args), None)

    def result(self, *names: str) -> int | None:
        """An output by one of its names."""
        return next((r.value for r in self.call.results if r.name in names and isinstance(r.value, int)), None)

    @cached_property
    def page(self) -> Node | None:
        """The parameter page, decoded."""
        return pages.params(self.capture, self.seq)

    def field(self, path: str) -> int | None:
        """A number in the parameter page."""
        return pages.field(self.page, path)

    @cached_property
    def exchange(self) -> pages.Exchange | None:
        """The shared page of a communicate call."""
        return pages.exchange(self.capture, self.seq) if self.command.endswith("_COMMUNICATE") else None

    def granule(self, address: int) -> Known | None:
        """The state of a granule when the call is made."""
        if address not in self._granules:
            self._granules[address] = self.world.granules.at(address, self.seq)
        return self._granules[address]

    def has(self, condition: str) -> bool:
        """Whether the list of this command has a condition."""
        return any(f.id == condition for f in self.conditions)

    # the objects that a call names

    @property
    def rd(self) -> int | None:
        """The Realm."""
        return self.arg("rd")

    @property
    def rec(self) -> int | None:
        """The REC."""
        return self.arg("rec_ptr", "rec", "calling_rec_ptr", "calling_rec")

    def pdev_address(self, which: str = "") -> int | None:
        """The PDEV ('1' or '2' where there are two)."""
        if which:
            value = self.arg(f"pdev_{which}_ptr")
            return value if value is not None else self.field(f"pdev_{which}")
        return self.arg("pdev_ptr")

    @property
    def vdev_address(self) -> int | None:
        """The VDEV."""
        return self.arg("vdev_ptr")

    def pdev(self, which: str = "") -> Snapshot | None:
        """The PDEV when the call is made."""
        address = self.pdev_address(which)
        return self.world.pdev(address, self.seq) if address is not None else None

    def vdev(self) -> Snapshot | None:
        """The VDEV when the call is made."""
        address = self.vdev_address
        return self.world.vdev(address, self.seq) if address is not None else None


def hexa(value: int) -> str:
    """An address as people write it."""
    return f"0x{value:x}"


def at(call: int) -> str:
    """' by call 12', empty where there is none."""
    return f" by call {call}" if call >= 0 else ""
