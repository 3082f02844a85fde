"""Pointers that change from call to call in one run and not in the other: a page that is not the one given before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..capture.records import N_REGS
from ..correlate.anchors import I64, U64, mixed
from .normal import AT_ONCE, PAGE, Command, Normal
from .registers import Holds, names
from .values import Difference

Bools = npt.NDArray[np.bool_]
_PARTS = 16
"""Parts, a power of two, in which many calls of a command are looked at."""


def moved_pointers(a: Normal, b: Normal, i: I64, j: I64) -> dict[int, tuple[int, ...]]:
    """Of pairs of calls on one object those in which a pointer is another page than the one that stands for it elsewhere: the
    number of the pair -> its registers. Granules that are delegated and mapped may be any."""
    out: dict[int, tuple[int, ...]] = {}
    pointers = {fid: _pointers(command) for fid, command in a.commands.items()}
    wanted = np.array([f for f, regs in pointers.items() if regs], dtype=np.uint64)
    found: dict[int, list[I64]] = {}
    for start in range(0, len(i), AT_ONCE):
        fids = a.fids(a.seqs(i[start : start + AT_ONCE]))
        for fid in np.intersect1d(fids, wanted).tolist():
            found.setdefault(fid, []).append(np.flatnonzero(fids == np.uint64(fid)) + start)
    for fid in sorted(found):
        at = np.concatenate(found.pop(fid))
        for reg in pointers[fid]:
            for pair in at[_odd(a, b, i[at], j[at], reg)].tolist():
                out[pair] = (*out.get(pair, ()), reg)
    return out


def _pointers(command: Command) -> list[int]:
    """The registers of a command on an object that point to a page."""
    return [reg for reg, how in command.args.items() if how is Holds.ADDRESS and reg < N_REGS] if command.objects else []


def moved(a: Normal, b: Normal, i: int, j: int, registers: tuple[int, ...]) -> list[Difference]:
    """What moved_pointers found in a pair."""
    if not registers:
        return []
    (x, _), (y, _) = a.registers(i), b.registers(j)
    seq = np.array([a.seq(i)])
    revision = a.capture.revision.at(int(a.capture.calls.source[seq][0])).of(a.capture.name_text(int(seq[0])))
    called = names(int(a.fids(seq)[0]), revision)
    return [
        Difference(
            "parameter",
            called[n],
            f"0x{int(x.value[0, n]):x}",
            f"0x{int(y.value[0, n]):x}, elsewhere another page stands for that of A",
        )
        for n in registers
    ]


def _odd(a: Normal, b: Normal, i: I64, j: I64, register: int) -> I64:
    """Which of some pairs have a page of B that is not the usual one for the page and objects of A."""
    both, key, there = np.empty(len(i), dtype=bool), np.empty(len(i), dtype=np.uint64), np.empty(len(i), dtype=np.uint64)
    for start in range(0, len(i), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        x, y = a.side(a.seqs(i[some]), False), b.side(b.seqs(j[some]), False)
        here, there[some] = x.value[:, register] >> PAGE, y.value[:, register] >> PAGE
        known = x.has(slice(None), register) & y.has(slice(None), register)
        both[some], key[some] = known & (here != 0) & (there[some] != 0), mixed(a.loose(i[some]), here)
    if len(i) <= AT_ONCE:
        return _unusual(both, key, there)
    parts = (np.flatnonzero(key & np.uint64(_PARTS - 1) == np.uint64(k)) for k in range(_PARTS))
    return np.sort(np.concatenate([at[_unusual(both[at], key[at], there[at])] for at in parts]))


def _unusual(both: Bools, key: U64, there: U64) -> I64:
    """Which of the pages that stand for one, told by its key, are not the one that most often does."""
    _, which = np.unique(key, return_inverse=True)
    pairs, place, counts = np.unique(np.stack([which.astype(np.uint64), there]), axis=1, return_inverse=True, return_counts=True)
    groups, size = np.unique(pairs[0], return_counts=True)
    several = np.isin(which.astype(np.uint64), groups[size > 1])
    most = np.zeros(int(which.max(initial=-1)) + 1, dtype=np.int64)
    np.maximum.at(most, pairs[0].astype(np.int64), counts)
    odd: I64 = np.flatnonzero(both & several & (counts[place.reshape(-1)] < most[which]))
    return odd
