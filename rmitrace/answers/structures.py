"""Which structure of the ABI some bytes are: every structure of every revision tried, the likeliest first."""

from __future__ import annotations

import re
from dataclasses import dataclass

import decoders
from decoders.abi import StructField
from decoders.layout import structs
from decoders.tree import Node

_PAGE = 4096
_COMMON = (
    *(
        "RmiRealmParams",
        "RmiRecParams",
        "RmiRecRun",
        "RmiPdevParams",
        "RmiPublicKeyParams",
        "RmiPdevStreamParams",
        "RmiVdevParams",
    ),
    "RmiDevCommData",
)
_SMALL = re.compile(r"len|num_|count|delay|timeout|offset|level|order|index")
_LARGEST = 1 << 24
"""A length, count or time above it is none."""
MAX_BYTES = 64 << 10
"""Bytes that are tried: no structure is larger than a page."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How bytes fit a structure.

    revisions  those in which it has this layout
    points     more is better: what speaks for it less what speaks against it
    told       fields that are set and make sense
    against    notes of the fields that do not, the first few
    """

    name: str
    revisions: tuple[str, ...]
    points: float
    told: int
    against: tuple[str, ...]


def ranked(data: bytes, revision: str | None = None) -> list[Fit]:
    """The structures that bytes can be, the likeliest first; those that nothing speaks for are left out.

    The bytes may be cut behind the last one that is not zero.
    """
    if not data or len(data) > MAX_BYTES:
        return []
    found: dict[tuple[str, tuple[StructField, ...]], Fit] = {}
    for r in reversed((revision,) if revision else decoders.REVISIONS):
        for name in structs(r):
            s = decoders.profile(r, "RSI" if name.startswith("Rsi") else "RMI").structs.get(name)
            if s is None:  # a list of words without a layout of its own: it fits anything
                continue
            key = name, s.fields
            fit = _fit(name, data.ljust(s.size, b"\0"), r, s.size)
            if key in found and found[key].points >= fit.points:
                old = found[key]
                if old.points == fit.points:
                    found[key] = Fit(name, (r, *old.revisions), old.points, old.told, old.against)
            else:
                found[key] = fit
    fits = [f for f in found.values() if f.told and f.points > 0]
    return sorted(fits, key=lambda f: (-f.points, f.name))


def _fit(name: str, data: bytes, revision: str, size: int) -> Fit:
    tree = decoders.decode_struct(name, data, revision=revision)
    set_bytes = sum(b != 0 for b in data)
    good = bad = 0.0
    told, against = 0, []
    for leaf in _whole_fields(tree):
        piece = data[leaf.offset : leaf.offset + leaf.size] if leaf.offset is not None else b""
        n = sum(b != 0 for b in piece)
        if not n:
            continue
        number = leaf.value if isinstance(leaf.value, int) else 0
        if _SMALL.search(leaf.name) and number > _LARGEST:
            bad += n
            against.append(f"{leaf.name}: {leaf.text}")
            continue
        notes = [f"{x.name}: {x.note}" for x in leaf.walk() if x.note and x.severity in ("warning", "error")]
        if notes:
            bad += n
            against.append(notes[0])
        elif leaf.name.startswith(("reserved", "padding", "trailing", "(")) or leaf.name == "":
            bad += n
            against.append(f"{n} bytes set at {leaf.offset:#x}, where no field is")
        else:
            good += n * _weight(leaf, data)
            told += 1
    beyond = sum(b != 0 for b in data[size:])
    if beyond:
        bad += beyond
        against.append(f"{beyond} bytes set beyond its {size} bytes")
    points = (good - 2 * bad) / max(set_bytes, 1) + _prior(name)
    return Fit(name, (revision,), round(points, 3), told, tuple(against[:3]))


def _prior(name: str) -> float:
    """What people paste is a page that a host handed over, seldom a part of one, and seldom a Realm's."""
    return (0.1 if name in _COMMON else 0.0) - (0.25 if name.startswith("Rsi") else 0.0)


def _whole_fields(node: Node) -> list[Node]:
    """The fields that lie in the bytes by themselves: not the bits of a word, not a structure with fields of its own."""
    out = []
    for c in node.children:
        inner = [x for x in c.children if x.offset is not None and x.size and (x.offset, x.size) != (c.offset, c.size)]
        out += _whole_fields(c) if inner and sum(x.size for x in inner) >= c.size else [c]
    return out


def _weight(leaf: Node, data: bytes) -> float:
    """How much a field that is set says: an address in the middle of a page, or a number wider than its field, says little."""
    value = leaf.value if isinstance(leaf.value, int) else None
    if value is None:
        return 0.4
    name = leaf.name
    if name.endswith(("_addr", "_base", "_ptr", "_pa")) or name in ("addr", "aux", "rtt_base", "hb_base"):
        return 1.0 if value % _PAGE == 0 and value else 0.1
    if leaf.children or not leaf.text.startswith("0x"):
        return 1.0
    return 0.7
