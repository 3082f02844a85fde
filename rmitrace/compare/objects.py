"""Which object of one run is which of the other: pdev A, realm B."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..capture.records import N_REGS
from ..correlate.anchors import I64
from .registers import OK, role

if TYPE_CHECKING:
    from .normal import Normal

_USES, _MAKES, _ENDS = range(3)


def number_objects(n: Normal) -> None:
    """Give each object a number among those of its kind: in the order in which they were made, then those that were only
    used. An address that is made anew, or used again after it was destroyed, is a new object."""
    good = np.isin(np.asarray(n.capture.calls.status[n.call]), [i for i, s in enumerate(n.capture.statuses) if s in OK])
    for kind, places in _named(n).items():
        rows = np.concatenate([at for at, _ in places])
        regs = np.concatenate([np.full(len(at), reg) for at, reg in places])
        does = np.concatenate([np.full(len(at), _does(n, kind, at)) for at, _ in places])
        address = n.x[rows, regs]
        order = np.lexsort((rows, address))[np.count_nonzero(address == 0) :]  # 0 is no object
        rows, regs, does, address = rows[order], regs[order], does[order], address[order]
        if not len(rows):
            continue
        new = np.append(True, address[1:] != address[:-1])
        life = _lives(new, good[rows], (does == _MAKES) & good[rows], (does == _ENDS) & good[rows])
        object_ = np.cumsum(new | np.append(True, life[1:] != life[:-1])) - 1
        first = np.flatnonzero(np.append(True, object_[1:] != object_[:-1]))
        made = np.zeros(len(first), dtype=bool)
        made[object_[(does == _MAKES) & good[rows]]] = True
        number = np.empty(len(first), dtype=np.int32)
        number[np.lexsort((rows[first], ~made))] = np.arange(len(first))
        n.objects[rows, regs] = number[object_]
        n.ordinals[kind] = dict(zip(number.tolist(), address[first].tolist(), strict=True))


def _does(n: Normal, kind: str, at: I64) -> int:
    """What the command at some places does to objects of a kind."""
    name = n.capture.name_text(int(n.call[at[0]]))
    return {f"RMI_{kind.upper()}_CREATE": _MAKES, f"RMI_{kind.upper()}_DESTROY": _ENDS}.get(name, _USES)


def _lives(
    new: npt.NDArray[np.bool_], good: npt.NDArray[np.bool_], makes: npt.NDArray[np.bool_], ends: npt.NDArray[np.bool_]
) -> I64:
    """The how manieth object at its address each use is of, uses sorted by address (``new`` begins one) and time. A call that
    failed is of the object before."""
    start = np.flatnonzero(new)[np.cumsum(new) - 1]
    made, ended = (np.cumsum(v) for v in (makes, ends))
    made = made - (made - makes)[start]
    ended = ended - ends - (ended - ends)[start]
    life = np.where(good, np.where(ended > 0, np.maximum(made, ended + 1), made), 0)
    wide = np.int64(len(new) + 2)
    out: I64 = np.maximum.accumulate(life + np.cumsum(new) * wide) - np.cumsum(new) * wide
    return out


def _named(n: Normal) -> dict[str, list[tuple[I64, int]]]:
    """Of each kind of object the places and registers in which one is named."""
    out: dict[str, list[tuple[I64, int]]] = {}
    for at, (_, _, objects) in n.groups:
        for reg, kind in objects.items():
            if reg < N_REGS:
                out.setdefault(kind, []).append((at, reg))
    return out


def renumbered(a: Normal, b: Normal, i: I64, j: I64) -> tuple[npt.NDArray[np.int32], dict[str, dict[int, int]]]:
    """The objects of B with the numbers of those of A that stand in the same places, by most of the pairs (i, j) of calls; what
    stands nowhere gets a number behind those of A. Numbers by call and register, and of each kind number -> address."""
    objects = np.full_like(b.objects, -1)
    ordinals: dict[str, dict[int, int]] = {}
    where = np.full(len(b), -1, dtype=np.int64)
    where[j] = i
    for kind, places in _named(b).items():
        seen: list[I64] = [np.zeros((2, 0), dtype=np.int64)]
        for at, reg in places:
            other = where[at]
            both = np.stack([a.objects[other, reg], b.objects[at, reg]]).astype(np.int64) if len(a) else seen[0]
            seen.append(both[:, (other >= 0) & (both >= 0).all(axis=0)] if len(a) else both)
        pairs, count = np.unique(np.concatenate(seen, axis=1), axis=1, return_counts=True)
        new: dict[int, int] = {}
        taken: set[int] = set()
        for k in np.lexsort((np.abs(pairs[0] - pairs[1]), -count)).tolist():
            p, q = int(pairs[0, k]), int(pairs[1, k])
            if p not in taken and q not in new:
                new[q] = p
                taken.add(p)
        free = 1 + max((*a.ordinals.get(kind, {}), -1))
        for q in sorted(b.ordinals.get(kind, {})):
            if q not in new:
                new[q], free = free, free + 1
        table = np.array([new.get(q, -1) for q in range(max((*new, -1)) + 1)] + [-1], dtype=np.int32)
        for at, reg in places:
            objects[at, reg] = table[b.objects[at, reg]]
        ordinals[kind] = {new[q]: address for q, address in b.ordinals.get(kind, {}).items()}
    return objects, ordinals


def roles(n: Normal) -> dict[str, str]:
    """What an object is called in the comparison: 'pdev:0x49500000' -> 'pdev A'; of several that had one address the first."""
    out: dict[str, str] = {}
    for kind, numbers in n.ordinals.items():
        for number, address in sorted(numbers.items()):
            out.setdefault(f"{kind}:0x{address:x}", role(kind, number))
    return out
