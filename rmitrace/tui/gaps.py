"""What the line of a call is made of: words that the ABI has, and numbers that stand in registers.

A number is a gap in the line: a text is looked for in the words around it, and in the digits of the numbers of many calls at a
time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import decoders

GAP = "\u2400"
"""Stands for a number in the line of a shape: what becomes of NUL."""
WHOLE = (1 << 64) - 1
_DIGITS = {16: frozenset("0123456789abcdefx"), 10: frozenset("0123456789")}
_LONG = 5
"""Digits that stand in no word of a line, and are no index."""
_LETTERS = re.compile("[a-z]+")
_HEXADECIMAL = frozenset("abcdefx")
_TWO_FORMS = {"RMI_VDEV_ABORT": ("1.1-alp17",), "RMI_PSCI_COMPLETE": ("2.0-bet1",)}
"""Commands whose arguments are told by what is in them, and the revisions of other forms (see decoders.call)."""
_BY_INDEX = ("RMI_FEATURES", "RSI_FEATURES")
"""Commands whose result has the type that an argument says."""
_SAID = "no exit the exit was not recorded another source has the result index unknown smc_not_supported"
"""Words of lines that are of no command."""


class Register(NamedTuple):
    """A register of a command: after the SMC where ``out``."""

    out: bool
    number: int


class Gap(NamedTuple):
    """A number in the line: the bits of ``mask`` of a register, written in a base, and the name that stands before it."""

    register: Register
    name: str
    mask: int = WHOLE
    base: int = 16


class Part(NamedTuple):
    """A piece of text that lies in a number: at its start, at its end."""

    gap: Gap
    text: str
    start: bool
    end: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of lines that look alike: whether all hold the text; else which numbers make them hold it, all of one of
    ``ways``; whether that has to be looked at in each of them."""

    holds: bool
    ways: tuple[tuple[Part, ...], ...] = ()
    each: bool = False


class Layout(NamedTuple):
    """What the line of a command with a status shows.

    told   registers that decide about words of the line
    gaps   numbers in it
    words  the words that can be in it, in small letters; None where any can
    """

    told: tuple[Register, ...]
    gaps: tuple[Gap, ...] = ()
    words: str | None = None


_ANY = Layout(tuple(Register(out, i) for out in (False, True) for i in range(1, 8)))


@cache
def layout(name: str, revision: str, status: str) -> Layout:
    """What is shown of a command that had a status; both as they are in the columns of a capture."""
    command = None if name.startswith("unknown") else decoders.command(name, revision)
    if command is None:
        return _ANY
    if command.service not in ("RMI", "RSI"):
        return _of_service(command)
    _, source = decoders.found_in(command.fid, revision)
    try:
        types = decoders.profile(source, command.service)
    except LookupError:
        return _ANY
    if name in _TWO_FORMS:
        forms = [r for at in (revision, *_TWO_FORMS[name]) for r in _args(name, at)]
        words = [w for r in (*forms, *command.outputs) for w in (r.name, *_words(types, r.type))]
        return _ANY._replace(words=" ".join((name, status, _SAID, *words)).lower())
    shown = [(False, r) for r in command.args] + [(True, r) for r in command.outputs if status in r.valid_on]
    return _of_rmm(types, name, status, shown)


def _args(name: str, revision: str) -> Sequence[decoders.Reg]:
    command = decoders.command(name, revision)
    return command.args if command is not None else ()


def _of_rmm(types: decoders.Profile, name: str, status: str, shown: Sequence[tuple[bool, decoders.Reg]]) -> Layout:
    told: list[Register] = []
    gaps: list[Gap] = []
    words: list[str] | None = [name, status, _SAID]
    for out, r in shown:
        register = Register(out, r.reg)
        kind = "RmiAddrRangeDesc" if r.type == "RmiAddrSetDesc" else r.type
        kind = "RmiAddrRangeDesc4KB" if kind == "RmiAddrRangeDesc" and kind not in types.bitfields else kind
        if name in _BY_INDEX and out:
            told.append(register)
            indexed = [k for k in types.bitfields if "FeatureRegister" in k]
            words = None if words is None else [*words, r.name, *(w for k in indexed for w in _words(types, k))]
            continue
        if kind == "FunctionId":  # any name
            told.append(register)
            words = None
            continue
        if words is not None:
            words += [r.name, *_words(types, kind)]
        fields = types.bitfields.get(kind)
        if fields is not None:
            address = next((f.mask for f in fields if f.type == "Address"), 0)
            told.append(register)
            gaps += [Gap(register, r.name, address)] if address else []
        elif kind in types.enums or kind.startswith("Int"):
            told.append(register)
        else:
            bits = getattr(r, "bits", None)
            mask = WHOLE if bits is None else (1 << bits[1] + 1) - 1
            gaps.append(Gap(register, r.name, mask, 10 if kind.startswith("UInt") else 16))
    return Layout(tuple(told), tuple(gaps), None if words is None else " ".join(words).lower())


def _of_service(command: decoders.Command) -> Layout:
    told: list[Register] = []
    gaps: list[Gap] = []
    for out, regs in ((False, command.args), (True, command.outputs)):
        for r in regs:
            register = Register(out, r.reg)
            if r.type == "Address":
                gaps.append(Gap(register, r.name))
            else:
                told.append(register)
    if not command.outputs:
        told += [Register(True, i) for i in range(1, 4)]
    # a register that is an address with one status and something else with another is no plain number
    return Layout(tuple(told), tuple(g for g in gaps if g.register not in told))


def _words(types: decoders.Profile, kind: str) -> Iterator[str]:
    """The words in values of a type."""
    for f in types.bitfields.get(kind, ()):
        yield f.name
        yield from types.enums.get(f.type, {}).values()
    yield from types.enums.get(kind, {}).values()


def possible(needle: str, words: str | None) -> bool:
    """Whether a text (in small letters) can be in a line of these words and of numbers."""
    if words is None:
        return True
    if not needle.isascii():
        return False
    return all(run in words or _HEXADECIMAL.issuperset(run) for run in _LETTERS.findall(needle))


def only_in_numbers(needle: str, shown: Layout) -> bool:
    """Whether a text can be nowhere in a line but in a number: where it is no decimal one, in one written in hexadecimal."""
    if shown.words is None or not _DIGITS[16].issuperset(needle):
        return False
    if decimal(needle):
        return len(needle) >= _LONG and needle not in shown.words
    return "0x" in needle or any(run not in shown.words for run in _LETTERS.findall(needle))


def decimal(needle: str) -> bool:
    """Whether a text may be a decimal number."""
    return _DIGITS[10].issuperset(needle)


def match(line: str, needle: str, gaps: Sequence[Gap]) -> Shape:
    """Where a text can be in a line with gaps for numbers, in the order of ``gaps``."""
    if needle in line:
        return Shape(True)
    between = line.split(GAP)
    if GAP in needle or len(between) != len(gaps) + 1:
        return Shape(False, each=True)
    found: list[tuple[Part, ...]] = []
    for at in range(len(gaps)):
        for i in range(len(needle)):
            if between[at].endswith(needle[:i]):
                found += _from(between, gaps, at, needle[i:], i > 0)
    return Shape(False, tuple(dict.fromkeys(found)))


def _from(between: Sequence[str], gaps: Sequence[Gap], at: int, text: str, start: bool) -> Iterator[tuple[Part, ...]]:
    """How a text can begin in a gap, at its start or anywhere in it; ``between`` are the words around the gaps."""
    gap, right = gaps[at], between[at + 1]
    for i, digit in enumerate(text, 1):
        if digit not in _DIGITS[gap.base]:
            return
        behind = text[i:]
        if right.startswith(behind):
            yield (Part(gap, text[:i], start, bool(behind)),)
        elif behind.startswith(right) and at + 1 < len(gaps):
            for rest in _from(between, gaps, at + 1, behind[len(right) :], True):
                yield (Part(gap, text[:i], start, True), *rest)
