"""What the registers of a command hold, as far as that says how two runs of it are compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import decoders
from decoders.abi import RmmCommand
from decoders.spec import Command, Reg

OBJECTS = {
    "rd": "realm",
    "rec": "rec",
    "rec_ptr": "rec",
    "calling_rec": "rec",
    "calling_rec_ptr": "rec",
    "target_rec": "rec",
    "target_rec_ptr": "rec",
    "pdev_ptr": "pdev",
    "pdev_1_ptr": "pdev",
    "pdev_2_ptr": "pdev",
    "vdev_ptr": "vdev",
    "vdev_1_ptr": "vdev",
    "vdev_2_ptr": "vdev",
    "psmmu": "psmmu",
    "psmmu_ptr": "psmmu",
    "vsmmu_ptr": "vsmmu",
    "stream_hnd": "stream",
}
"""Arguments that name an object, and the kind of it."""
_HANDLES = ("handle", "stream_hnd")
_RANDOM = ("challenge_",)
"""What a Realm draws anew for each attestation token."""
_IPA = ("ipa", "fipa")
_RANGE = ("base", "top", "out_top")
_DESCRIPTORS = ("RmiAddrSetDesc", "RmiAddrRangeDesc")
OK = ("RMI_SUCCESS", "RMI_INCOMPLETE")
"""Statuses of calls that did what they were to do."""


class Holds(IntEnum):
    """How a register is compared."""

    SCALAR = 0  # by its value, and where that is a granule of the run like DESCRIPTOR
    OBJECT = 1  # by which object of its kind it is
    ADDRESS = 2  # by what stands in its place in the other run
    DESCRIPTOR = 3  # likewise, the bits beside the address by value
    SIZE = 4  # the end of a range of granules: by its distance from x1
    IGNORED = 5  # a number that the RMM chooses
    IPA = 6  # by its value; in a call that failed like SCALAR


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a command: register, name, how it is compared, and the statuses with which it means something."""

    reg: int
    name: str
    how: Holds
    valid_on: tuple[str, ...]


@lru_cache(maxsize=4096)
def kinds(fid: int, revision: str) -> tuple[dict[int, Holds], tuple[Output, ...], dict[int, str]]:
    """How the arguments of a command are compared, its outputs, and the kind of object of the arguments that name one."""
    command = decoders.command(fid, revision)
    if command is None:
        return {}, (), {}
    of_realm = any(a.name == "rd" for a in command.args)
    args = {a.reg: _holds(a, command, of_realm) for a in command.args}
    success = tuple(dict.fromkeys((f"{command.service}_SUCCESS", "PSCI_SUCCESS")))
    outs = tuple(Output(o.reg, o.name, _holds(o, command, of_realm, out=True), o.valid_on or success) for o in command.outputs)
    return args, outs, {a.reg: OBJECTS[a.name] for a in command.args if args[a.reg] is Holds.OBJECT}


def _holds(r: Reg, command: Command, of_realm: bool, out: bool = False) -> Holds:
    if r.name.startswith(_RANDOM):
        return Holds.IGNORED
    if not isinstance(command, RmmCommand) or not command.name.startswith("RMI_"):
        return Holds.SCALAR
    if r.name in OBJECTS and not out:
        return Holds.OBJECT
    if r.name in _HANDLES:
        return Holds.IGNORED
    if r.type in _DESCRIPTORS:
        return Holds.DESCRIPTOR
    if r.name in _IPA or (r.name in _RANGE and of_realm):
        return Holds.IPA
    if r.type != "Address":
        return Holds.SCALAR
    return Holds.SIZE if r.name in ("top", "out_top") else Holds.ADDRESS


@lru_cache(maxsize=4096)
def names(fid: int, revision: str) -> dict[int, str]:
    """Names of the arguments by register."""
    command = decoders.command(fid, revision)
    return {} if command is None else {a.reg: a.name for a in command.args}


def role(kind: str, number: int) -> str:
    """'pdev A', 'realm B'; an object that has none: '-'."""
    if number < 0:
        return "-"
    letters = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return f"{kind} {letters}"
