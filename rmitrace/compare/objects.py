"""Which object of one run is which of the other: pdev A, realm B."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column
from ..capture.records import N_REGS
from ..correlate.anchors import I64, U64
from .registers import OK, role

if TYPE_CHECKING:
    from .normal import Normal

_USES, _MAKES, _ENDS = range(3)
_AT_ONCE = 1 << 17
"""Uses that are worked on at a time."""
_HALF, _LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)
_NO_PAIRS = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)


def number_objects(n: Normal) -> None:
    """Give each object a number among those of its kind: in the order in which they were made, then those that were only
    used. An address that is made anew, or used again after it was destroyed, is a new object."""
    found = _all_uses(n)
    columns: dict[int, npt.NDArray[np.int32]] = {}
    for kind in _kinds(n):
        uses = _Uses(*(np.concatenate(c) for c in zip(*found.pop(kind), strict=True)))
        order = np.argsort(uses.address, kind="stable").astype(np.int64)
        order = order[np.count_nonzero(uses.address == 0) :]  # 0 is no object
        if not len(order):
            continue
        object_, first, made = _objects(uses, order)
        number = np.empty(len(first), dtype=np.int32)
        number[np.lexsort((uses.row[first], ~made))] = np.arange(len(first), dtype=np.int32)
        for reg in np.unique(uses.reg).tolist():
            mine = uses.reg[order] == reg
            column = columns.setdefault(reg, np.full(len(n), -1, dtype=np.int32))
            column[uses.row[order[mine]]] = number[object_[mine]]
        n.ordinals[kind] = dict(zip(number.tolist(), uses.address[first].tolist(), strict=True))
    n.objects = {reg: Column(np.int32, columns.pop(reg)) for reg in sorted(columns)}


class _Uses(NamedTuple):
    """Where objects of a kind are named, in the order of the calls: place, register, what is done, whether it succeeded."""

    row: npt.NDArray[np.int64]
    reg: npt.NDArray[np.uint8]
    does: npt.NDArray[np.uint8]
    good: npt.NDArray[np.bool_]
    address: U64


def _kinds(n: Normal) -> list[str]:
    """The kinds of objects that are named."""
    return list(dict.fromkeys(kind for c in n.commands.values() for reg, kind in c.objects.items() if reg < N_REGS))


def _all_uses(n: Normal) -> dict[str, list[_Uses]]:
    """The uses of each kind of objects, some calls at a time."""
    succeeded = [i for i, s in enumerate(n.capture.statuses) if s in OK]
    dtype = np.int32 if len(n) < 1 << 31 else np.int64
    found: dict[str, list[_Uses]] = {}
    for piece in n.pieces():
        x = n.side(piece.seqs, False).value
        good = np.isin(n.capture.calls.status[piece.seqs], succeeded)
        here: dict[str, list[_Uses]] = {}
        for command, at in piece.groups:
            for reg, kind in command.objects.items():
                if reg < N_REGS:
                    does = {f"RMI_{kind.upper()}_CREATE": _MAKES, f"RMI_{kind.upper()}_DESTROY": _ENDS}.get(command.name, _USES)
                    reg_, does_ = (np.full(len(at), v, dtype=np.uint8) for v in (reg, does))
                    here.setdefault(kind, []).append(_Uses(at, reg_, does_, good[at], x[at, reg]))
        for kind, uses in here.items():
            row, *rest = (np.concatenate(c) for c in zip(*uses, strict=True))
            order = np.argsort(row, kind="stable")
            found.setdefault(kind, []).append(_Uses((row[order] + piece.start).astype(dtype), *(c[order] for c in rest)))
    return found


def _objects(uses: _Uses, order: I64) -> tuple[npt.NDArray[np.int32], I64, npt.NDArray[np.bool_]]:
    """Which object each use is of, numbered by address and time; of each object its first use, and whether it was made.
    ``order``: the uses by address and time."""
    object_ = np.empty(len(order), dtype=np.int32)
    first: list[I64] = []
    made: list[npt.NDArray[np.int32]] = []
    count, address, before = 0, 0, (0, 0, 0)
    for start in range(0, len(order), _AT_ONCE):
        some = order[start : start + _AT_ONCE]
        addresses = uses.address[some]
        new = np.append(int(addresses[0]) != address, addresses[1:] != addresses[:-1])
        good, does = uses.good[some], uses.does[some]
        life, behind = _lives(new, good, (does == _MAKES) & good, (does == _ENDS) & good, before)
        begins = new | np.append(life[0] != before[2], life[1:] != life[:-1])
        before, address = behind, int(addresses[-1])
        object_[start : start + len(some)] = count + np.cumsum(begins) - 1
        made.append(object_[start : start + len(some)][(does == _MAKES) & good])
        first.append(some[begins])
        count += int(np.count_nonzero(begins))
    was_made = np.zeros(count, dtype=bool)
    was_made[np.concatenate(made)] = True
    return object_, np.concatenate(first), was_made


def _lives(
    new: npt.NDArray[np.bool_],
    good: npt.NDArray[np.bool_],
    makes: npt.NDArray[np.bool_],
    ends: npt.NDArray[np.bool_],
    before: tuple[int, int, int],
) -> tuple[I64, tuple[int, int, int]]:
    """The how manieth object at its address each use is of, uses sorted by address (``new`` begins one) and time. A call that
    failed is of the object before. ``before``: how many were made and ended at the address before these uses, and which one
    the last of them is of; the same is returned for those that follow."""
    of = np.cumsum(new)
    made, ended = np.cumsum(makes), np.cumsum(ends)
    at = np.flatnonzero(new)
    made = made - np.append(-before[0], (made - makes)[at])[of]
    ended = ended - ends - np.append(-before[1], (ended - ends)[at])[of]
    life = np.where(good, np.where(ended > 0, np.maximum(made, ended + 1), made), 0)
    life[of == 0] = np.maximum(life[of == 0], before[2])
    wide = np.int64(1 << 40)
    out: I64 = np.maximum.accumulate(life + of * wide) - of * wide
    return out, (int(made[-1]), int(ended[-1] + ends[-1]), int(out[-1]))


def renumbered(a: Normal, b: Normal, i: I64, j: I64) -> tuple[dict[int, Column], dict[str, dict[int, int]]]:
    """The objects of B with the numbers of those of A that stand in the same places, by most of the pairs (i, j) of calls; what
    stands nowhere gets a number behind those of A. Numbers by register and call, and of each kind number -> address."""
    seen = _standing(a, b, i, j)
    ordinals: dict[str, dict[int, int]] = {}
    tables: dict[str, npt.NDArray[np.int32]] = {}
    for kind in _kinds(b):
        pairs, count = seen.get(kind, _NO_PAIRS)
        left, right = (pairs >> _HALF).astype(np.int64), (pairs & _LOWER).astype(np.int64)
        new: dict[int, int] = {}
        taken: set[int] = set()
        for k in np.lexsort((np.abs(left - right), -count)).tolist():
            p, q = int(left[k]), int(right[k])
            if p not in taken and q not in new:
                new[q] = p
                taken.add(p)
        free = 1 + max(a.ordinals.get(kind, {}), default=-1)
        for q in sorted(b.ordinals.get(kind, {})):
            if q not in new:
                new[q], free = free, free + 1
        tables[kind] = np.array([new.get(q, -1) for q in range(max((*new, -1)) + 1)] + [-1], dtype=np.int32)
        ordinals[kind] = {new[q]: address for q, address in b.ordinals.get(kind, {}).items()}
    columns = {reg: Column(np.int32) for reg in b.objects}
    for piece in b.pieces():
        for reg, column in columns.items():
            old = b.objects_of(piece.start + np.arange(len(piece.seqs)), reg)
            numbers = np.full_like(old, -1)
            for command, at in piece.groups:
                if reg in command.objects:
                    numbers[at] = tables[command.objects[reg]][old[at]]
            column.append(numbers)
    return columns, ordinals


def _standing(a: Normal, b: Normal, i: I64, j: I64) -> dict[str, tuple[U64, I64]]:
    """Of each kind the objects of A and of B that stand in the same places, both in one number, ascending, and how often."""
    seen: dict[str, tuple[U64, I64]] = {}
    for piece in b.pieces():
        found: dict[str, list[U64]] = {}
        for command, at in piece.groups:
            places = at + piece.start
            pair = np.minimum(np.searchsorted(j, places), max(len(j) - 1, 0))
            there = j[pair] == places if len(j) else np.zeros(len(at), dtype=bool)
            for reg, kind in command.objects.items():
                if reg < N_REGS:
                    p, q = a.objects_of(i[pair[there]], reg), b.objects_of(places[there], reg)
                    both = (p >= 0) & (q >= 0)
                    found.setdefault(kind, []).append(p[both].astype(np.uint64) << _HALF | q[both].astype(np.uint64))
        for kind, pairs in found.items():
            before, times = seen.get(kind, _NO_PAIRS)
            new, count = np.unique(np.concatenate(pairs), return_counts=True)
            all_, which = np.unique(np.concatenate([before, new]), return_inverse=True)
            sums = np.zeros(len(all_), dtype=np.int64)
            np.add.at(sums, which, np.concatenate([times, count]))
            seen[kind] = all_, sums
    return seen


def roles(n: Normal) -> dict[str, str]:
    """What an object is called in the comparison: 'pdev:0x49500000' -> 'pdev A'; of several that had one address the first."""
    out: dict[str, str] = {}
    for kind, numbers in n.ordinals.items():
        for number, address in sorted(numbers.items()):
            out.setdefault(f"{kind}:0x{address:x}", role(kind, number))
    return out
