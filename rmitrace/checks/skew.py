"""Kernel and firmware that speak different revisions of the ABI, and each call or structure in which that shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..capture.records import Finding
from ..correlate.skew import bites, skews
from ..correlate.skew.words import said
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

_DIFF = "`rmitrace abi diff` of both revisions for all that changed"
_SPEC = "DEN0137 1.0-rel0, 1.1-alp17, 2.0-bet1, 2.0-bet3 laid beside each other"


def _rule(kind: str, severity: str, title: str, why: str, next: str = _DIFF, needs: str = "calls") -> Rule:
    return Rule(f"SKEW-{kind}", severity, title, why, next, _SPEC, needs)


REVISION_SKEW = Rule(
    "REVISION-SKEW",
    "error",
    "kernel and firmware speak different revisions",
    "the version number does not tell drafts apart: RMI_VERSION succeeds, and registers, structures and states mean "
    "something else on each side",
    "`rmitrace abi of` for the evidence; a kernel and a firmware of one revision",
    _SPEC,
)
COMMAND = _rule(
    "COMMAND", "warning", "a command that the firmware lacks or takes for another", "it is refused, or does something else"
)
REGISTERS = _rule(
    "REGISTERS", "warning", "a command whose registers are others for the firmware", "an argument is taken for another one"
)
STRUCTURE = _rule(
    "STRUCTURE",
    "warning",
    "a structure whose fields lie elsewhere for the firmware",
    "the firmware reads another field, or zeros, where the kernel wrote this one",
)
FLAGS = _rule("FLAGS", "warning", "flags whose bits mean something else to the firmware", "what is asked for is not what is got")
STATE = _rule(
    "STATE", "warning", "a state that the kernel takes for another", "the kernel goes on, or gives up, in the wrong state"
)
STATUS = _rule(
    "STATUS",
    "warning",
    "a status that the kernel's revision has not, or means otherwise",
    "the kernel takes it for another result",
)
FEATURES = _rule(
    "FEATURES",
    "warning",
    "feature bits that mean something else to the kernel",
    "the kernel uses what is not there, or does without",
)
_KINDS = {
    "command": COMMAND,
    "registers": REGISTERS,
    "structure": STRUCTURE,
    "flags": FLAGS,
    "state": STATE,
    "status": STATUS,
    "features": FEATURES,
}


def spoken(capture: Capture) -> Iterable[Finding]:
    """REVISION-SKEW once for each group of commands, SKEW-* for each thing in which it bites."""
    for s in skews(capture):
        found = list(bites(capture, s))
        calls = tuple(sorted({b.calls[0] for b in found if b.calls}))
        severity = "error" if s.group in ("core", "device") else "warning"
        yield Finding("REVISION-SKEW", severity, said(capture, s), -1, -1, None, calls, _SPEC)
        for b in found:
            times = "" if b.count == 1 else f" ({b.count} calls)"
            yield Finding(_KINDS[b.kind].id, "warning", b.text + times, *_place(capture, b.calls), None, b.calls, _SPEC)


def _place(capture: Capture, calls: tuple[int, ...]) -> tuple[int, int]:
    if not calls:
        return -1, -1
    first = capture.call(calls[0])
    return first.source, first.offset


CHECKS = (Check(spoken, (REVISION_SKEW, *_KINDS.values())),)
