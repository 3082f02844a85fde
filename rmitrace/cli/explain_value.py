"""What one value, or the registers of a call, mean: as text lines and as JSON."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import Any

import decoders
from decoders import smccc
from decoders.esr import decode_esr
from decoders.fields import decode
from decoders.sysreg import register_name, spelled
from decoders.tree import Node

from . import abi_show
from .common import UserError

_ALL_ONES = 0xFFFFFFFFFFFFFFFF
_REGISTER_SET = re.compile(r"\A[xwr]\d{1,2}\s*[:=]")
_ONE_OF_A_SET = re.compile(r"([xwr])(\d{1,2})\s*[:=]\s*(?:0x)?([0-9a-fA-F]{1,16})\b")
_ESR = re.compile(r"\A(?:esr|ESR)(?:_?[eE][lL][0-3]2?)?\Z")
_FEATURE = re.compile(r"\A(?:Rmi)?(?:rmm_)?feat(?:ure)?_?(?:reg)?(?:ister)?_?([0-4])\Z", re.IGNORECASE)
_SYSREG = re.compile(r"\AS[0-3]_[0-7]_C\d{1,2}_C\d{1,2}_[0-7]\Z", re.IGNORECASE)
_STATUS = ("status", "x0", "RmiResult", "RmiCommandReturnCode")


@dataclass
class Reading:
    """One way to read a value. ``title``: 'as ESR_ELx'; ``lines`` and ``tree`` are what it means."""

    title: str
    lines: list[str] = field(default_factory=list)
    tree: Node | None = None

    def to_json(self) -> dict[str, Any]:
        """title, lines, tree."""
        return {"as": self.title, "lines": self.lines, "tree": self.tree.to_json() if self.tree is not None else None}


def number(word: str) -> int:
    """A number of at most 64 bits, negative ones as registers hold them. Raises UserError."""
    try:
        value = int(word.rstrip(",;"), 0)
    except ValueError:
        raise UserError(f"{word}: not a number (hexadecimal begins with 0x)") from None
    if not -(1 << 63) <= value < 1 << 64:
        raise UserError(f"{word}: more than 64 bits")
    return value & _ALL_ONES


def is_number(word: str) -> bool:
    """Whether a word is one."""
    with contextlib.suppress(ValueError):
        int(word.rstrip(",;"), 0)
        return True
    return False


def named(name: str, word: str, revision: str | None) -> list[Reading]:
    """A value whose kind is named: ``ESR_EL2 0x96000006``, ``rmm_feat_reg0=0x...``, ``RmiPdevFlags 0x3``. Raises UserError."""
    value = number(word)
    if _ESR.match(name):
        return [Reading(f"{name} {value:#x}", tree=decode_esr(value))]
    if name in _STATUS:
        return status(value, revision)
    if m := _FEATURE.match(name):
        from ..answers import features

        lines = list(features.told(int(m[1]), value, revision))
        if not lines:
            raise UserError(f"{name}: {revision or 'no revision'} has no such feature register")
        tree = features.tree(int(m[1]), value, revision) if revision else None
        return [Reading(f"feature register {m[1]}", lines, tree)]
    return _typed(name, value, revision)


def _typed(name: str, value: int, revision: str | None) -> list[Reading]:
    """A value of an enumeration or a bit field set, once for all revisions that read it alike."""
    found: dict[str, tuple[list[str], Node]] = {}
    for r in (revision,) if revision else tuple(reversed(decoders.REVISIONS)):
        for profile in abi_show.profiles(r):
            wanted = {name.lower(), f"rmi{name}".lower(), f"rsi{name}".lower()}
            kind = next((t for t in (*profile.bitfields, *profile.enums) if t.lower() in wanted), None)
            if kind is not None:
                tree = decode(profile, kind, kind, value)
                key = repr([(n.name, n.text, n.note) for n in tree.walk()])
                found.setdefault(key, ([], tree))[0].append(r)
    if not found:
        where = f" in {revision}" if revision else ""
        raise UserError(f"{name}: no enumeration, flags or register of that name{where} (rmitrace abi list --abi REV has them)")
    return [Reading(f"{', '.join(reversed(rs))}", tree=tree) for rs, tree in found.values()]


def status(value: int, revision: str | None) -> list[Reading]:
    """x0 of an RMI call in every revision."""
    if value == _ALL_ONES:
        return [
            Reading("as x0", [f"{value:#x} (-1): nobody handles the function id (SMCCC NOT_SUPPORTED), no status of the RMM"])
        ]
    found: dict[str, list[str]] = {}
    for r in (revision,) if revision else tuple(decoders.REVISIONS):
        profile = decoders.profile(r)
        name = profile.statuses.get(value & 0xFF)
        if name is None:
            text = f"no status {value & 0xFF}"
        else:
            fields = profile.packing.get(name, profile.packing.get("", ()))
            parts = [f"{f.name} {(value & f.mask) >> f.lsb}" for f in fields]
            left = value & ~0xFF & ~sum(f.mask for f in fields)
            text = ", ".join([name, *parts]) + (f"; bits {left:#x} are not defined" if left else "")
        found.setdefault(text, []).append(r)
    lines = [f"{', '.join(revisions)}: {text}" for text, revisions in found.items()]
    return [Reading("as x0 of an RMI call", [*lines, "(--command NAME adds what its other registers mean)"])]


def single(word: str, revision: str | None) -> list[Reading]:
    """A word alone: a name, an encoding of a register, or a number in each way in which it makes sense. Raises UserError."""
    if _SYSREG.match(word):
        name = spelled(word.upper())
        return [Reading("as a system register", [f"{word}: {name or register_name_of(word)}"])]
    if not is_number(word):
        try:
            return [Reading("", abi_show.explain(word, revision))]
        except LookupError as e:
            raise UserError(str(e).strip("'\"")) from None
    return of_number(number(word), word, revision)


def register_name_of(word: str) -> str:
    """What an encoding without a name is."""
    parts = [int(p.lstrip("SCsc")) for p in word.split("_")]
    op0, op1, crn, crm, op2 = parts
    return f"no name is known here for {register_name(*parts)}: op0 {op0}, op1 {op1}, CRn {crn}, CRm {crm}, op2 {op2}"


def of_number(value: int, word: str, revision: str | None) -> list[Reading]:
    """A number as function id, status, syndrome, feature register: whatever it can be."""
    out: list[Reading] = []
    lines: list[str] = []
    if 1 << 31 <= value < 1 << 32:
        with contextlib.suppress(LookupError):
            lines = abi_show.explain(word, revision)
        tree = smccc.decode_fid(value)
        if lines or value >> 30 == 3 or value >> 24 in (0x80, 0x84, 0x82, 0x86):
            out.append(Reading(_fid_text(word, tree), lines or [f"  {tree.text}"], tree))
    if lines:
        return out
    if value == _ALL_ONES or value < 1 << 16:
        out += status(value, revision)
    if value < 1 << 56 and value >> 25 & 1:  # IL: every A64 instruction is 32 bits long
        tree = decode_esr(value)
        if tree.severity is None and value >> 26 & 0x3F:
            out.append(Reading("as ESR_ELx", tree=tree))
    out += _as_feature_register(value, revision)
    if not out:
        raise UserError(
            f"{word}: no function id, status, ESR or feature register; say what it is: rmitrace explain ESR_EL2 {word}"
        )
    return out


def _fid_text(word: str, tree: Node) -> str:
    fields = ", ".join(c.text for c in tree.children if c.name in ("fast", "smc64", "owner"))
    function = tree.child("function")
    hint = tree.child("sve_hint")
    said = f"{word}: {fields}, function {function.text if function is not None else '?'}"
    return said + (f", {hint.text}" if hint is not None and hint.value else "")


def _as_feature_register(value: int, revision: str | None) -> list[Reading]:
    from ..answers import features

    fits = [x for x in features.layouts(0, value) if not x.odd and (revision is None or revision in x.names)]
    return [Reading("as feature register 0", list(features.told(0, value, revision)))] if fits and value >> 8 else []


def registers(text: str) -> tuple[list[int | None], list[int | None]] | None:
    """``x0=... x1=...`` in front of and behind ``=``, ``->`` or ``>``: what went in and what came out; None for other text.

    Values are hexadecimal, with or without 0x, as register dumps have them.
    """
    if _REGISTER_SET.match(text.strip()) is None:
        return None
    inside: dict[int, int] = {}
    outside: dict[int, int] = {}
    for m in _ONE_OF_A_SET.finditer(text):
        n = int(m[2])
        side = outside if m[1] == "r" or n in inside or outside else inside
        if n < 18:
            side[n] = int(m[3], 16)
    return _row(inside), _row(outside)


def _row(values: dict[int, int]) -> list[int | None]:
    return [values.get(i) for i in range(max(values) + 1)] if values else []


def call(x: list[int | None], r: list[int | None] | None, revision: str | None) -> Node:
    """The registers of a call. Raises UserError where x0 is no function id."""
    fid = x[0] if x else None
    if fid is None:
        raise UserError("x0 is missing: it has the function id (what a command returned: --command NAME)")
    known = revision or next((v for v in reversed(decoders.REVISIONS) if decoders.name_of(fid, v)[0]), decoders.REVISIONS[-1])
    if not decoders.name_of(fid, known)[0] and not 1 << 31 <= fid < 1 << 32:
        raise UserError(f"x0 {fid:#x}: no function id; for what a command returned say --command NAME")
    return decoders.decode_call(x, r, revision=known)
