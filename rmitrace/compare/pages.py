"""What the pages are for that the host hands over or points to: data of pdev A, aux 3 of rec B."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ..capture.naming import FID_MASK
from ..capture.records import N_REGS
from ..correlate.anchors import I64, U64
from .normal import Command, Normal
from .registers import Holds, kinds, names, role

if TYPE_CHECKING:
    from ..capture.model import Call

_NEAREST = ("vdev", "rec", "pdev", "psmmu", "vsmmu", "realm")
"""Of several objects in one call the one whose the page is."""
_MOST = 20_000
"""Pages that get a name."""
_CREATES = 256
"""Calls that make an object, of one kind, whose parameters are looked into."""
_Uses = tuple[U64, U64, I64]
_NO_USES: _Uses = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)


def pages(n: Normal) -> dict[str, str]:
    """What pages are called, by address ('0x88001000'). A page that serves several objects has no name."""
    owners = {fid: _owner(c) for fid, c in n.commands.items()}
    uses: dict[tuple[int, int], _Uses] = {}
    made: dict[int, list[int]] = {}
    of_command = {c.first: fid for fid, c in n.commands.items()}
    for piece in n.pieces():
        x = n.side(piece.seqs, False).value
        for command, at in piece.groups:
            fid = of_command[command.first]
            of = owners[fid]
            if not of:
                continue
            owner = n.objects_of(at + piece.start, of).astype(np.int64).astype(np.uint64)
            for reg, how in command.args.items():
                if how is Holds.ADDRESS and reg < N_REGS:
                    uses[fid, reg] = _first(uses.get((fid, reg), _NO_USES), (x[at, reg], owner, at + piece.start))
            some = made.setdefault(fid, [])
            some += (at[: _CREATES - len(some)] + piece.start).tolist()
    found: dict[int, list[tuple[int, str, str]]] = {}
    for fid, command in n.commands.items():
        of = owners[fid]
        if not of:
            continue
        kind = command.objects[of]
        call = n.capture.call(n.seq(command.first))
        called = names((call.fid or 0) & FID_MASK, n.capture.revision.at(call.source).of(call.name))
        for reg in command.args:
            pages_, whose, place = uses.get((fid, reg), _NO_USES)
            for page, number, k in zip(pages_.tolist(), whose.view(np.int64).tolist(), place.tolist(), strict=True):
                found.setdefault(page, []).append((k, called[reg].removesuffix("_ptr"), role(kind, number)))
        if (call.name or "").endswith("_CREATE"):
            for k in made[fid]:
                for index, address in _auxiliary(n, k):
                    found.setdefault(address, []).append((k, f"aux {index}", role(kind, n.object_of(k, of))))
    return _named(found)


def _owner(command: Command) -> int:
    """The register of a command that names the object whose its pages are; 0 where there is none."""
    near = (reg for reg, kind in command.objects.items() if kind in _NEAREST and reg < N_REGS)
    return min(near, key=lambda reg: _NEAREST.index(command.objects[reg]), default=0)


def _first(*parts: _Uses) -> _Uses:
    """Pages, whose they are, and the place of the first call that has both, ascending."""
    address, owner, place = (np.concatenate(c) for c in zip(*parts, strict=True))
    order = np.lexsort((place, owner, address))
    address, owner, place = address[order], owner[order], place[order]
    new = np.append(True, (address[1:] != address[:-1]) | (owner[1:] != owner[:-1]))
    at = np.flatnonzero(new[: len(address)])[:_MOST]
    return address[at], owner[at], place[at]


def _auxiliary(n: Normal, at: int) -> list[tuple[int, int]]:
    """The auxiliary granules in the parameters of a call that makes an object: index and address."""
    for _, tree in n.capture.call(n.seq(at)).buffers:
        aux = None if tree is None else tree.find("aux")
        if aux is not None:
            return [(k, c.value) for k, c in enumerate(aux.children) if isinstance(c.value, int) and c.value]
    return []


def _named(found: dict[int, list[tuple[int, str, str]]]) -> dict[str, str]:
    """A name for each page that serves one object only; pages of one name are numbered in the order of their use."""
    mine = {a: min(uses) for a, uses in found.items() if a and len({whose for _, _, whose in uses}) == 1}
    called = {a: f"{what} of {whose}" for a, (_, what, whose) in mine.items()}
    many = Counter(called.values())
    number: Counter[str] = Counter()
    out: dict[str, str] = {}
    for a in sorted(mine, key=lambda a: mine[a]):
        name = called[a]
        if many[name] > 1:
            number[name] += 1
            what, _, whose = name.partition(" of ")
            name = f"{what} {number[name]} of {whose}"
        out[f"0x{a:x}"] = name
    return out


def objects_in(n: Normal, call: Call, called: dict[str, str]) -> list[tuple[str, str, str]]:
    """The arguments of a call that are objects or their pages: name, address and what it is called."""
    at = n.place(call.seq)
    revision = n.capture.revision.at(call.source).of(call.name)
    args, _, objects = kinds((call.fid or 0) & FID_MASK, revision)
    by_name = {name: reg for reg, name in names((call.fid or 0) & FID_MASK, revision).items()}
    found = []
    for a in call.args:
        reg = by_name.get(a.name, -1)
        number = n.object_of(at, reg) if reg in objects and reg < N_REGS else -1
        if number >= 0:
            found.append((a.name, a.text, role(objects[reg], number)))
        elif args.get(reg) is Holds.ADDRESS and a.text in called:
            found.append((a.name, a.text, called[a.text]))
    return found
