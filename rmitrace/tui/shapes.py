"""Which calls hold a text, for millions of them: calls that differ only in addresses are decoded once.

The line of a call follows from its command, its status and the registers that it shows. Registers that the ABI calls addresses
are shown as hexadecimal numbers, so a text is looked for in the line of one call with its addresses taken out, and in the
addresses of all calls like it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import decoders
from decoders.tree import Node

from ..capture.model import Capture, call_line

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_GAP = "\u2400"
"""Stands for an address in the line of a shape: what becomes of NUL."""
_DIGITS = frozenset("0123456789abcdef")
_POWERS = np.array([16**k for k in range(1, 16)], dtype=np.uint64)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_TWO_FORMS = ("RMI_VDEV_ABORT", "RMI_PSCI_COMPLETE")
"""Commands whose arguments are told by what is in them."""


class Register(NamedTuple):
    """A register of a command: after the SMC where ``out``, and the name it is shown by."""

    out: bool
    number: int
    name: str


class Part(NamedTuple):
    """A piece of text that lies in an address: at its start, at its end."""

    register: Register
    text: str
    start: bool
    end: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of calls that look alike: whether all hold the text; else where an address makes them hold it; whether that
    has to be looked at in each of them."""

    holds: bool
    parts: tuple[Part, ...] = ()
    each: bool = False


@cache
def registers(name: str, revision: str) -> tuple[tuple[Register, ...], tuple[Register, ...]]:
    """The registers of a command that are shown in other ways than as a plain number, and its addresses."""
    command = None if name.startswith("unknown") else decoders.command(name, revision)
    if command is None or name in _TWO_FORMS:
        every = [Register(out, i, "") for out in (False, True) for i in range(1, 8)]
        return tuple(every), ()
    told: list[Register] = []
    addresses: list[Register] = []
    outputs = getattr(command, "outputs", ())
    for out, regs in ((False, command.args), (True, outputs)):
        for r in regs:
            (addresses if r.type == "Address" else told).append(Register(out, r.reg, r.name))
    if not outputs and command.service not in ("RMI", "RSI"):
        told += [Register(True, i, "") for i in range(1, 4)]
    # a register that is an address with one status and something else with another is no plain number
    plain = {(a.out, a.number) for a in addresses} - {(t.out, t.number) for t in told}
    return tuple(told), tuple(a for a in addresses if (a.out, a.number) in plain)


class Shapes:
    """Looks for one text, without regard to case."""

    def __init__(self, capture: Capture, needle: str) -> None:
        self._capture = capture
        self._needle = needle
        self._known: dict[int, Shape] = {}

    def hits(self, calls: Ints) -> Flags:
        """Which of some calls (ascending or not) hold the text in their lines."""
        columns = self._capture.calls
        out = np.zeros(len(calls), dtype=bool)
        kind = columns.name[calls].astype(np.int64) * 256 + columns.source[calls]
        for value in np.unique(kind).tolist():
            at = np.flatnonzero(kind == value)
            out[at] = self._of_command(calls[at], value // 256, value % 256)
        return out

    def _of_command(self, calls: Ints, name: int, source: int) -> Flags:
        capture = self._capture
        text = capture.names[name]
        told, addresses = registers(text, capture.revision.at(source).of(text))
        key = np.full(len(calls), name * 256 + source, dtype=np.uint64)
        c = capture.calls
        for column in (c.status, c.paired, c.inferred, c.fid):
            key = _mix(key, column[calls])
        values: dict[tuple[bool, int], Any] = {}
        for out, number in {(False, 0), (True, 0), *((r.out, r.number) for r in (*told, *addresses))}:
            value, known = capture.regs(calls, number, out=out)
            values[out, number] = value
            key = _mix(key, known)
            if (out, number) == (True, 0) or any((r.out, r.number) == (out, number) for r in told):
                key = _mix(key, value)
        keys, first, which = np.unique(key, return_index=True, return_inverse=True)
        hits = np.zeros(len(calls), dtype=bool)
        for i, k in enumerate(keys.tolist()):
            shape = self._known.get(k)
            if shape is None:
                shape = self._known[k] = self._shape(int(calls[first[i]]), addresses)
            if not (shape.holds or shape.parts or shape.each):
                continue
            mine = np.flatnonzero(which.reshape(-1) == i)
            hits[mine] = shape.holds
            for part in shape.parts:
                hits[mine] |= _within(values[part.register.out, part.register.number][mine], part)
            if shape.each and not shape.holds:
                rest = mine[~hits[mine]]
                hits[rest] = [self._needle in capture.call(int(s)).line.casefold() for s in calls[rest]]
        return hits

    def _shape(self, call: int, addresses: tuple[Register, ...]) -> Shape:
        full = self._capture.call(call)
        known = {(a.out, a.name): a for a in addresses}
        gaps: list[Register] = []

        def without(node: Node | None, out: bool) -> Node | None:
            if node is None:
                return None
            children = []
            for child in node.children:
                register = known.get((out, child.name))
                if register is not None and isinstance(child.value, int):
                    gaps.append(register)
                    child = replace(child, text="\0")
                children.append(child)
            return replace(node, children=tuple(children))

        args, results = without(full.tree.child("args"), False), without(full.tree.child("results"), True)
        kept = tuple(
            args if n.name == "args" and args else results if n.name == "results" and results else n for n in full.tree.children
        )
        tree = replace(full.tree, children=kept)
        answered = full.r is not None or full.exit_offset is not None
        name = self._capture.name_text(call)
        line = call_line(name, tree, full.status, full.index, answered, full.paired == "whole")
        return match(line.casefold(), self._needle, gaps)


def match(line: str, needle: str, gaps: list[Register]) -> Shape:
    """Where a text can be in a line with gaps for addresses, in the order of ``gaps``."""
    if needle in line:
        return Shape(True)
    parts: list[Part] = []
    each = False
    at = -1
    for register in gaps:
        at = line.find(_GAP, at + 1)
        if at < 0:
            return Shape(False, each=True)
        left, right = line[:at], line[at + 1 :]
        for i in range(len(needle)):
            before = needle[:i]
            if not left.endswith(before):
                continue
            if _GAP in before:
                each = True
                continue
            for j in range(i + 1, len(needle) + 1):
                if not _hexadecimal(needle[i:j]):
                    break
                behind = needle[j:]
                if not right[: len(behind)].startswith(behind.partition(_GAP)[0]) and _GAP not in right[: len(behind)]:
                    continue
                if _GAP in right[: len(behind)]:
                    each = True
                    continue
                parts.append(Part(register, needle[i:j], bool(before), bool(behind)))
    return Shape(False, tuple(dict.fromkeys(parts)), each)


def _hexadecimal(text: str) -> bool:
    return all(c in _DIGITS or c == "x" for c in text)


def _mix(key: Any, values: Any) -> Any:
    """Keys that take other values into account."""
    more = np.asarray(values).astype(np.int64, copy=False).view(np.uint64) if values.dtype != np.uint64 else values
    key = (key ^ more) * _SPREAD
    return key ^ key >> np.uint64(29)


def _within(values: Any, part: Part) -> Any:
    """In which of some numbers, written as 0x1f, a text is found."""
    text = part.text
    start = part.start or text[:1] == "x" or text[:2] == "0x"
    if start:
        text = "0x" + text[1:] if text[:1] == "x" and not part.start else text
        if len(text) <= 2:
            return np.full(len(values), "0x".startswith(text) and not part.end, dtype=bool)
        if text[:2] != "0x":
            return np.zeros(len(values), dtype=bool)
        text = text[2:]
    if "x" in text:
        return np.zeros(len(values), dtype=bool)
    digits = np.searchsorted(_POWERS, values, "right") + 1
    wanted, size = np.uint64(int(text, 16)) if len(text) <= 16 else None, len(text)
    if wanted is None:
        return np.zeros(len(values), dtype=bool)
    if start:
        shift = (4 * np.maximum(digits - size, 0)).astype(np.uint64)
        found = (digits >= size) & (values >> shift == wanted)
        return found & (digits == size) if part.end else found
    if text == "0" and not part.end:
        return np.ones(len(values), dtype=bool)
    mask = np.uint64((1 << 4 * size) - 1)
    found = np.zeros(len(values), dtype=bool)
    for at in range(1 if part.end else 17 - size):
        found |= (digits >= size + at) & (values >> np.uint64(4 * at) & mask == wanted)
    return found
