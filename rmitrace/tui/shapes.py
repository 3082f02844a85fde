"""Which calls hold a text, for millions of them: calls that differ only in numbers are decoded once.

The line of a call follows from its command, its status and the registers that it shows. Calls of which no word is in the text
are passed over by their columns alone; of the others those that look alike are decoded once, and the digits of their numbers
looked at together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from decoders.tree import Node

from ..capture.call_registers import CallRegisters
from ..capture.call_tree import call_line
from ..capture.model import Capture
from ..capture.records import N_REGS
from .callkinds import CallKinds, among
from .digits import within
from .gaps import Gap, Layout, Part, Register, Shape, decimal, layout, match, only_in_numbers, possible

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_NEVER, _ALWAYS, _LOOK, _NUMBERS = range(4)
_RARE = 64
"""Calls that are decoded one by one: what they have in common takes longer to find out."""
_RESULT = Register(True, 0)


class Shapes:
    """Looks for one text, in small letters."""

    def __init__(self, capture: Capture, needle: str) -> None:
        self._capture = capture
        self._needle = needle
        self._decimal = decimal(needle)
        self._anywhere = Part(Gap(_RESULT, ""), needle, False, False)
        self._known: dict[int, Shape] = {}
        self._verdicts: dict[int, int] = {}
        """Of each kind of call (see CallKinds) whether the text is never, always or sometimes in its line."""
        self.kinds = CallKinds(capture)

    def hits(self, calls: Ints) -> Flags:
        """Which of some calls, ascending, hold the text in their lines."""
        kind = self.kinds.of(calls)
        out = np.zeros(len(calls), dtype=bool)
        looked: list[tuple[int, Ints]] = []
        numbers: list[tuple[int, Ints]] = []
        for k in among(kind):
            verdict = self._verdict_of(k)
            if verdict == _ALWAYS:
                out[kind == k] = True
            elif verdict != _NEVER:
                (looked if verdict == _LOOK else numbers).append((k, np.flatnonzero(kind == k)))
        if sum(len(rows) for _, rows in looked) <= _RARE:
            for _, rows in looked:
                out[rows] = [self._in_line(int(s)) for s in calls[rows]]
        elif looked:
            at, place = _together(rows for _, rows in looked)
            registers = _Registers(self._capture, calls[at])
            for k, rows in looked:
                out[rows] = self._look(calls[rows], place[rows], k, registers)
        if numbers:
            self._in_numbers(calls, numbers, out)
        return out

    # -- by command and status

    def may_be_in(self, kinds: Iterable[int]) -> bool:
        """Whether a call of some kinds may hold the text."""
        return any(self._verdict_of(k) != _NEVER for k in kinds)

    def _verdict_of(self, kind: int) -> int:
        verdict = self._verdicts.get(kind)
        if verdict is None:
            verdict = self._verdicts[kind] = self._verdict(kind)
        return verdict

    def _layout(self, name: str, status: str, source: int) -> Layout:
        return layout(name, self._capture.revision.at(source).of(name), status)

    def _verdict(self, kind: int) -> int:
        name, status, inferred, source = self.kinds.parts(kind)
        if self._needle in name.casefold() or self._needle in status.casefold():
            return _ALWAYS
        shown = self._layout(name, status, source)
        if not possible(self._needle, shown.words):
            return _NEVER
        return _NUMBERS if status and not inferred and only_in_numbers(self._needle, shown) else _LOOK

    # -- by their numbers alone

    def _in_numbers(self, calls: Ints, kinds: list[tuple[int, Ints]], out: Flags) -> None:
        """Which calls of some kinds hold the text in one of their numbers; a register that is shown as words and as a number is
        a matter of decoding where the text may be in it."""
        at, place = _together(rows for _, rows in kinds)
        registers = _Registers(self._capture, calls[at])
        sure: dict[Gap, list[Ints]] = {}
        told: dict[Register, list[tuple[int, Ints]]] = {}
        for k, rows in kinds:
            name, status, _, source = self.kinds.parts(k)
            shown = self._layout(name, status, source)
            for gap in shown.gaps:
                if gap.register not in shown.told and (gap.base == 16 or self._decimal):
                    sure.setdefault(gap._replace(name=""), []).append(rows)
            for register in shown.told:
                told.setdefault(register, []).append((k, rows))
        for gap, parts in sure.items():
            part = Part(gap, self._needle, False, False)
            if registers.may(gap.register.number, part, partial(within, part=part)):
                rows = np.concatenate(parts)
                rows = rows[~out[rows]]
                value, known = registers.some(gap.register, place[rows])
                out[rows[known & within(value, part)]] = True
        for register, of in told.items():
            if registers.may(register.number, self._anywhere, self._perhaps):
                for k, rows in of:
                    rows = rows[~out[rows]]
                    value, known = registers.some(register, place[rows])
                    rows = rows[known & self._perhaps(value)]
                    if len(rows):
                        out[rows] |= self._look(calls[rows], place[rows], k, registers)

    def _perhaps(self, values: Any) -> Flags:
        """Which numbers may be shown with the text in them: one shows a part of itself, in hexadecimal or in decimal."""
        if self._decimal:
            return values >= np.uint64(min(int(self._needle), (1 << 64) - 1))  # type: ignore[no-any-return]
        return within(values, self._anywhere)

    # -- by what stands in the registers

    def _look(self, calls: Ints, at: Ints, kind: int, registers: _Registers) -> Flags:
        """Which of some calls of one kind hold the text; ``at``: their places in ``registers``."""
        name, status, inferred, source = self.kinds.parts(kind)
        hits = np.zeros(len(calls), dtype=bool)
        if inferred:  # what is shown stands in no register
            hits[:] = [self._in_line(int(s)) for s in calls]
            return hits
        shown = self._layout(name, status, source)
        keys, first, which = np.unique(self._keys(at, kind, shown, registers), return_index=True, return_inverse=True)
        which = which.reshape(-1)
        for i, k in enumerate(keys.tolist()):
            shape = self._known.get(k)
            if shape is None:
                shape = self._known[k] = self._shape(int(calls[first[i]]), shown.gaps)
            if not (shape.holds or shape.ways or shape.each):
                continue
            mine = np.flatnonzero(which == i)
            if shape.holds:
                hits[mine] = True
            elif shape.each:
                hits[mine] = [self._in_line(int(s)) for s in calls[mine]]
            for way in shape.ways:
                hits[mine] |= self._way(way, at[mine], registers)
        return hits

    @staticmethod
    def _keys(at: Ints, kind: int, shown: Layout, registers: _Registers) -> Any:
        """A number for each call that is the same for those that look alike."""
        key = _mix(np.full(len(at), kind, dtype=np.uint64), registers.fid[at])
        for register in dict.fromkeys((Register(False, 0), _RESULT, *shown.told, *(g.register for g in shown.gaps))):
            value, known = registers.some(register, at)
            key = _mix(key, known)
            gap = next((g for g in shown.gaps if g.register == register), None)
            if gap is not None and register in shown.told:
                mask = np.uint64(gap.mask)
                key = _mix(_mix(key, value & ~mask), value & mask != 0)
            elif gap is None and register != (False, 0):
                key = _mix(key, value)
        return key

    @staticmethod
    def _way(way: tuple[Part, ...], at: Ints, registers: _Registers) -> Flags:
        out = np.ones(len(at), dtype=bool)
        for part in way:
            value, known = registers.some(part.gap.register, at)
            out &= known & within(value, part)
        return out

    def _in_line(self, call: int) -> bool:
        return self._needle in self._capture.call(call).line.casefold()

    def _shape(self, call: int, shown: tuple[Gap, ...]) -> Shape:
        full = self._capture.call(call)
        known = {(g.register.out, g.name): g for g in shown}
        gaps: list[Gap] = []

        def without(node: Node | None, out: bool) -> Node | None:
            if node is None:
                return None
            children = []
            for child in node.children:
                gap = known.get((out, child.name))
                text = None if gap is None else _with_gap(child, gap)
                if gap is not None and text is not None:
                    gaps.append(gap)
                    child = replace(child, text=text)
                elif gap is not None and child.value is not None and _differs(child, gap):
                    raise _Unknown
                children.append(child)
            return replace(node, children=tuple(children))

        try:
            args, results = without(full.tree.child("args"), False), without(full.tree.child("results"), True)
        except _Unknown:
            return Shape(False, each=True)
        kept = tuple(
            args if n.name == "args" and args else results if n.name == "results" and results else n for n in full.tree.children
        )
        answered = full.r is not None or full.exit_offset is not None
        name = self._capture.name_text(call)
        line = call_line(name, replace(full.tree, children=kept), full.status, full.index, answered, full.paired == "whole")
        return match(line.casefold(), self._needle, gaps)


class _Unknown(Exception):
    """A number stands where it was not expected."""


def _number(node: Node, gap: Gap) -> str:
    value = node.value & gap.mask if isinstance(node.value, int) else 0
    return f"{value:#x}" if gap.base == 16 else str(value)


def _with_gap(node: Node, gap: Gap) -> str | None:
    """The text of a register with a gap in it; None where its number does not stand there."""
    if not isinstance(node.value, int) or not node.text:
        return None
    number = _number(node, gap)
    if node.text == number:
        return "\0"
    before, equals, behind = node.text.partition(f"={number}")
    return f"{before}=\0{behind}" if equals and not behind[:1].isalnum() else None


def _differs(node: Node, gap: Gap) -> bool:
    """Whether a register is shown in a way that others with another number in it may not be."""
    return not isinstance(node.value, int) or bool(node.value & gap.mask)


class _Registers(CallRegisters):
    """The registers of some calls, and of some of these."""

    def __init__(self, capture: Capture, calls: Ints) -> None:
        super().__init__(capture, calls)
        self.fid = capture.calls.fid[calls]
        self._may: dict[tuple[int, Gap], bool] = {}

    def may(self, number: int, part: Part, hits: Callable[[Any], Flags]) -> bool:
        """Whether a register of one of the calls can have a value that hits, which ``part`` says: a look at all records from the
        first to the last, where they are not far apart, takes less than to find those of the calls."""
        if self._records is None or number >= N_REGS:
            return True
        key = number, part.gap._replace(register=_RESULT)
        found = self._may.get(key)
        if found is None:
            found = self._may[key] = bool(hits(self._block(number)).any())
        return found

    def some(self, register: Register, at: Ints) -> tuple[Any, Flags]:
        """Values of some of the calls (0 where unknown), and whether each is known."""
        value, known = self.of(register.number, out=register.out)
        return value[at], known[at]


def _together(parts: Iterable[Ints]) -> tuple[Ints, Ints]:
    """The numbers of all parts, ascending, and for each number where it stands among them."""
    every = list(parts)
    there = np.zeros(max(int(p[-1]) for p in every) + 1, dtype=bool)
    for part in every:
        there[part] = True
    return np.flatnonzero(there), np.cumsum(there, dtype=np.int64) - 1


def _mix(key: Any, values: Any) -> Any:
    """Keys that take other values into account."""
    more = np.asarray(values).astype(np.int64, copy=False).view(np.uint64) if values.dtype != np.uint64 else values
    key = (key ^ more) * _SPREAD
    return key ^ key >> np.uint64(29)
