"""Pointers that change from call to call in one run and not in the other: a page that is not the one given before."""

from __future__ import annotations

import numpy as np

from ..capture.naming import FID_MASK
from ..capture.records import N_REGS
from ..correlate.anchors import I64, mixed
from .normal import PAGE, Normal
from .registers import Holds, kinds, names
from .values import Difference


def moved_pointers(a: Normal, b: Normal, i: I64, j: I64) -> dict[int, list[Difference]]:
    """Of pairs of calls on one object those in which a pointer is another page than the one that stands for it elsewhere, by
    the number of the pair. Granules that are delegated and mapped may be any."""
    out: dict[int, list[Difference]] = {}
    c = a.capture.calls
    fids = np.asarray(c.fid[a.call[i]]) & np.uint64(FID_MASK)
    for fid in np.unique(fids[fids != 0]).tolist():
        at = np.flatnonzero(fids == np.uint64(fid))
        seq = int(a.call[i[at[0]]])
        revision = a.capture.revision.at(int(c.source[seq])).of(a.capture.name_text(seq))
        args, _, objects = kinds(int(fid), revision)
        if not objects:
            continue
        for n, how in args.items():
            if how is Holds.ADDRESS and n < N_REGS:
                for pair in at[_odd(a, b, i[at], j[at], n)].tolist():
                    p, q = int(a.x[i[pair], n]), int(b.x[j[pair], n])
                    name = names(int(fid), revision)[n]
                    told = Difference("parameter", name, f"0x{p:x}", f"0x{q:x}, elsewhere another page stands for that of A")
                    out.setdefault(pair, []).append(told)
    return out


def _odd(a: Normal, b: Normal, i: I64, j: I64, register: int) -> I64:
    """Which of some pairs have a page of B that is not the usual one for the page and objects of A."""
    both = ((a.kx[i] & b.kx[j]) >> np.uint32(register) & np.uint32(1)).astype(bool)
    here, there = a.x[i, register] >> PAGE, b.x[j, register] >> PAGE
    both &= (here != 0) & (there != 0)
    key = mixed(a.loose[i], here)
    _, which = np.unique(key, return_inverse=True)
    pairs, place, counts = np.unique(np.stack([which.astype(np.uint64), there]), axis=1, return_inverse=True, return_counts=True)
    groups, size = np.unique(pairs[0], return_counts=True)
    several = np.isin(which.astype(np.uint64), groups[size > 1])
    most = np.zeros(int(which.max(initial=-1)) + 1, dtype=np.int64)
    np.maximum.at(most, pairs[0].astype(np.int64), counts)
    odd: I64 = np.flatnonzero(both & several & (counts[place.reshape(-1)] < most[which]))
    return odd
