"""The calls of a capture as they are compared: addresses taken for what they are (the first PDEV, a parameter page), so that
two runs at other addresses are alike."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..capture.naming import FID_MASK
from ..capture.records import N_REGS
from ..correlate.anchors import I64, U64, mixed
from .objects import number_objects
from .registers import OK, Holds, Output, kinds

if TYPE_CHECKING:
    from ..capture.model import Capture

PAGE = np.uint64(12)
_PAGE_BITS = np.uint64(0x000FFFFFFFFFF000)
ADDRESS = 1 << 20
"""Values from here on can be addresses."""
Group = tuple[I64, tuple[dict[int, Holds], tuple[Output, ...], dict[int, str]]]
"""The places of one command, and how its registers are compared."""


@dataclass(slots=True)
class Normal:
    """The calls of a capture, in its order.

    call      their numbers
    name      hash of the command's name
    objects   (n, N_REGS) int32: the number of the object of its kind that a register in names, -1 none
    bare      command, status, all values that are compared and outputs as one number
    loose     command and objects as one number
    tight     both
    x, r      the registers before and after, kx, kr which of them are known (bit n: xn)
    """

    capture: Capture
    call: I64
    objects: npt.NDArray[np.int32]
    name: U64
    bare: U64
    loose: U64
    tight: U64
    x: U64
    r: U64
    kx: npt.NDArray[np.uint32]
    kr: npt.NDArray[np.uint32]
    groups: list[Group] = field(default_factory=list)
    ordinals: dict[str, dict[int, int]] = field(default_factory=dict)
    """Of each kind of object: number -> the first address that it has."""
    granules: U64 = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    """Ranges of pages that the host handed over or pointed to: first, behind the last, rising."""

    def __len__(self) -> int:
        return len(self.call)

    def is_granule(self, value: U64) -> npt.NDArray[np.bool_]:
        """Which values are an address in one of the ``granules``, whatever stands beside it."""
        at = np.searchsorted(self.granules, (value & _PAGE_BITS) >> PAGE, side="right")
        found: npt.NDArray[np.bool_] = (at & 1).astype(bool)
        return found

    def compared(self, value: U64, how: Holds, at: I64) -> U64:
        """What of a register of the calls at some places is compared by value."""
        out = np.zeros_like(value)
        if how is Holds.SIZE:
            out = value - self.x[at, 1]
        elif how is Holds.DESCRIPTOR:
            out = value & ~_PAGE_BITS
        elif how is Holds.SCALAR or how is Holds.IPA:
            granule = self.is_granule(value)
            if how is Holds.IPA:
                granule &= np.asarray(self.capture.calls.failed[self.call[at]], dtype=bool)
            out = np.where(granule, value & ~_PAGE_BITS, value)
        return out


def normal(capture: Capture, chosen: I64 | None = None) -> Normal:
    """The calls of a capture ready to be compared."""
    rows = np.arange(len(capture.calls), dtype=np.int64) if chosen is None else chosen
    sides = []
    for out in (False, True):
        values = np.zeros((len(rows), N_REGS), dtype=np.uint64)
        known = np.zeros(len(rows), dtype=np.uint32)
        for n in range(N_REGS):
            value, has = capture.regs(rows, n, out=out)
            values[:, n] = value
            known |= has.astype(np.uint32) << np.uint32(n)
        sides.append((values, known))
    (x, kx), (r, kr) = sides
    none = np.zeros(0, dtype=np.uint64)
    out_ = Normal(capture, rows, np.full((len(rows), N_REGS), -1, dtype=np.int32), none, none, none, none, x, r, kx, kr)
    out_.groups = _by_fid(capture, rows)
    number_objects(out_)
    out_.granules = _granules(out_)
    _bare(out_)
    with_objects(out_, out_.objects, out_.ordinals)
    return out_


def _bare(n: Normal) -> None:
    """Fill in the keys that know no objects."""
    capture, rows = n.capture, n.call
    names = np.array([zlib.crc32(w.encode("utf-8", "backslashreplace")) for w in [*capture.names, ""]], dtype=np.uint64)
    statuses = np.array([zlib.crc32(w.encode()) for w in [*capture.statuses, ""]], dtype=np.uint64)
    n.name = names[np.asarray(capture.calls.name[rows])]
    n.bare = mixed(n.name, statuses[np.asarray(capture.calls.status[rows])])
    for at, (args, outs, _) in n.groups:
        for reg, how in args.items():
            if reg < N_REGS and how is not Holds.OBJECT:
                known = (n.kx[at] >> np.uint32(reg) & np.uint32(1)).astype(bool)
                n.bare[at] = mixed(n.bare[at], np.where(known, n.compared(n.x[at, reg], how, at), np.uint64(0)))
        for o in outs:
            if o.reg < N_REGS:
                good = [i for i, s in enumerate(capture.statuses) if s in o.valid_on]
                valid = np.isin(np.asarray(capture.calls.status[rows[at]]), good)
                valid &= (n.kr[at] >> np.uint32(o.reg) & np.uint32(1)).astype(bool)
                n.bare[at] = mixed(n.bare[at], np.where(valid, n.compared(n.r[at, o.reg], o.how, at), np.uint64(0)))


def with_objects(n: Normal, objects: npt.NDArray[np.int32], ordinals: dict[str, dict[int, int]]) -> None:
    """Give the objects of the calls these numbers."""
    n.objects, n.ordinals = objects, ordinals
    n.loose, n.tight = n.name.copy(), n.bare.copy()
    for reg in range(N_REGS):
        at = np.flatnonzero(objects[:, reg] >= 0)
        number = objects[at, reg].astype(np.uint64) + np.uint64(reg << 48)
        n.loose[at], n.tight[at] = mixed(n.loose[at], number), mixed(n.tight[at], number)


def _by_fid(capture: Capture, rows: I64) -> list[Group]:
    """The rows of each command with how its registers are compared."""
    c = capture.calls
    fid = np.asarray(c.fid[rows]) & np.uint64(FID_MASK)
    source = np.asarray(c.source[rows])
    out = []
    for value in np.unique(fid[fid != 0]).tolist():
        at = np.flatnonzero(fid == np.uint64(value)).astype(np.int64)
        name = capture.name_text(int(rows[at[0]]))
        out.append((at, kinds(int(value), capture.revision.at(int(source[at[0]])).of(name))))
    return out


def _granules(n: Normal) -> U64:
    """The pages in arguments that are addresses, and in ranges of granules of calls that succeeded."""
    good = np.isin(np.asarray(n.capture.calls.status[n.call]), [i for i, s in enumerate(n.capture.statuses) if s in OK])
    first: list[U64] = [np.zeros(0, dtype=np.uint64)]
    last: list[U64] = [np.zeros(0, dtype=np.uint64)]
    for at, (args, _, _) in n.groups:
        for reg, how in args.items():
            if reg >= N_REGS or how not in (Holds.OBJECT, Holds.ADDRESS, Holds.DESCRIPTOR, Holds.SIZE):
                continue
            rows = at[good[at]] if how is Holds.SIZE else at
            page = (n.x[rows, reg] & _PAGE_BITS) >> PAGE
            begin = np.minimum((n.x[rows, 1] & _PAGE_BITS) >> PAGE, page) if how is Holds.SIZE else page
            first.append(begin)
            last.append(page if how is Holds.SIZE else page + np.uint64(1))
    begins, ends = np.concatenate(first), np.concatenate(last)
    real = begins >= np.uint64(ADDRESS >> 12)
    both = np.unique(np.stack([begins[real], ends[real]], axis=1), axis=0)
    begins, ends = both[:, 0], np.maximum.accumulate(both[:, 1]) if len(both) else both[:, 1]
    new = np.append(True, begins[1:] > ends[:-1]) if len(both) else np.zeros(0, dtype=bool)
    closing = np.append(new[1:], True) if len(both) else new
    out: U64 = np.stack([begins[new], ends[closing]], axis=1).reshape(-1)
    return out
