"""What the pages are for that the host hands over or points to: data of pdev A, aux 3 of rec B."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ..capture.naming import FID_MASK
from ..capture.records import N_REGS
from .normal import Normal
from .registers import Holds, kinds, names, role

if TYPE_CHECKING:
    from ..capture.model import Call

_NEAREST = ("vdev", "rec", "pdev", "psmmu", "vsmmu", "realm")
"""Of several objects in one call the one whose the page is."""
_MOST = 20_000
"""Pages that get a name."""
_CREATES = 256
"""Calls that make an object, of one kind, whose parameters are looked into."""


def pages(n: Normal) -> dict[str, str]:
    """What pages are called, by address ('0x88001000'). A page that serves several objects has no name."""
    found: dict[int, list[tuple[int, str, str]]] = {}
    for at, (args, _, objects) in n.groups:
        of = min(
            (r for r in objects if objects[r] in _NEAREST and r < N_REGS), key=lambda r: _NEAREST.index(objects[r]), default=0
        )
        if not of:
            continue
        call = n.capture.call(int(n.call[at[0]]))
        called = names((call.fid or 0) & FID_MASK, n.capture.revision.at(call.source).of(call.name))
        for reg, how in args.items():
            if how is Holds.ADDRESS and reg < N_REGS:
                both = np.stack([n.x[at, reg], n.objects[at, of].astype(np.int64).astype(np.uint64)])
                unique, first = np.unique(both, axis=1, return_index=True)
                for k in range(min(unique.shape[1], _MOST)):
                    owner = role(objects[of], int(n.objects[at[first[k]], of]))
                    found.setdefault(int(unique[0, k]), []).append((int(at[first[k]]), called[reg].removesuffix("_ptr"), owner))
        if (call.name or "").endswith("_CREATE"):
            for k in at[:_CREATES].tolist():
                for index, address in _auxiliary(n, k):
                    found.setdefault(address, []).append((k, f"aux {index}", role(objects[of], int(n.objects[k, of]))))
    return _named(found)


def _auxiliary(n: Normal, at: int) -> list[tuple[int, int]]:
    """The auxiliary granules in the parameters of a call that makes an object: index and address."""
    for _, tree in n.capture.call(int(n.call[at])).buffers:
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
    at = int(np.searchsorted(n.call, call.seq))
    revision = n.capture.revision.at(call.source).of(call.name)
    args, _, objects = kinds((call.fid or 0) & FID_MASK, revision)
    by_name = {name: reg for reg, name in names((call.fid or 0) & FID_MASK, revision).items()}
    found = []
    for a in call.args:
        reg = by_name.get(a.name, -1)
        if reg in objects and reg < N_REGS and n.objects[at, reg] >= 0:
            found.append((a.name, a.text, role(objects[reg], int(n.objects[at, reg]))))
        elif args.get(reg) is Holds.ADDRESS and a.text in called:
            found.append((a.name, a.text, called[a.text]))
    return found
