"""The calls of a capture as they are compared: addresses taken for what they are (the first PDEV, a parameter page), so that
two runs at other addresses are alike.

Registers stay where the records have them, and are read some calls at a time.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..capture.naming import FID_MASK
from ..capture.packed import Column
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
AT_ONCE = 1 << 16
"""Calls that are worked on at a time."""
_NONE: U64 = np.zeros(0, dtype=np.uint64)


class Command(NamedTuple):
    """A command by its function id: the place of its first call, the name of that, and how its registers are compared."""

    first: int
    name: str
    args: dict[int, Holds]
    outs: tuple[Output, ...]
    objects: dict[int, str]


class Side(NamedTuple):
    """Registers of some calls before or after the SMC, (n, N_REGS), and which of them are known (bit n: xn)."""

    value: U64
    known: npt.NDArray[np.uint32]

    def has(self, at: Any, reg: int) -> npt.NDArray[np.bool_]:
        """Which calls have a register."""
        out: npt.NDArray[np.bool_] = (self.known[at] >> np.uint32(reg) & np.uint32(1)).astype(bool)
        return out


class Piece(NamedTuple):
    """Some calls one behind the other: the place of the first, their numbers, and of each command in the order of function ids
    which of them are calls of it."""

    start: int
    seqs: I64
    groups: list[tuple[Command, I64]]


@dataclass(slots=True)
class Normal:
    """The calls of a capture, in its order: a call has a place here and a number there.

    chosen    their numbers, None: all
    commands  by function id, ascending
    bare      command, status, all values that are compared and outputs as one number
    objects   register -> the number of the object of its kind that it names in each call, -1 none; for those that name any
    ordinals  of each kind of object: number -> the first address that it has
    granules  ranges of pages that the host handed over or pointed to: first, behind the last, rising
    """

    capture: Capture
    chosen: I64 | None
    commands: dict[int, Command] = field(default_factory=dict)
    bare: U64 = field(default_factory=lambda: _NONE)
    objects: dict[int, Column] = field(default_factory=dict)
    ordinals: dict[str, dict[int, int]] = field(default_factory=dict)
    granules: U64 = field(default_factory=lambda: _NONE)

    def __len__(self) -> int:
        return len(self.capture.calls) if self.chosen is None else len(self.chosen)

    def seqs(self, at: I64) -> I64:
        """The numbers of the calls at some places."""
        return at if self.chosen is None else self.chosen[at]

    def seq(self, at: int) -> int:
        """The number of the call at a place."""
        return at if self.chosen is None else int(self.chosen[at])

    def place(self, seq: int) -> int:
        """The place of a call."""
        return seq if self.chosen is None else int(np.searchsorted(self.chosen, seq))

    def blocks(self) -> Iterator[I64]:
        """All places, some at a time."""
        for start in range(0, len(self), AT_ONCE):
            yield np.arange(start, min(start + AT_ONCE, len(self)), dtype=np.int64)

    def fids(self, seqs: I64) -> U64:
        """Function ids of some calls, 0 where there is none."""
        out: U64 = self.capture.calls.fid[seqs] & np.uint64(FID_MASK)
        return out

    def pieces(self) -> Iterator[Piece]:
        """All calls, some at a time."""
        for places in self.blocks():
            seqs = self.seqs(places)
            fid = self.fids(seqs)
            order = np.argsort(fid, kind="stable").astype(np.int64)
            values, begin = np.unique(fid[order], return_index=True)
            groups = zip(values.tolist(), np.split(order, begin[1:]), strict=True)
            yield Piece(int(places[0]), seqs, [(self.commands[f], at) for f, at in groups if f])

    def side(self, seqs: I64, out: bool) -> Side:
        """The registers of some calls."""
        calls, sources = self.capture.calls, self.capture.sources
        record = (calls.exit if out else calls.enter)[seqs]
        found = Side(np.zeros((len(seqs), N_REGS), dtype=np.uint64), np.zeros(len(seqs), dtype=np.uint32))
        source = calls.source[seqs] if len(sources) > 1 else np.zeros(len(seqs), dtype=np.int16)
        for s in np.unique(source).tolist():
            mine = np.flatnonzero((record >= 0) & (source == s))
            if len(mine):
                records = sources[s].records
                found.value[mine], found.known[mine] = records.regs[record[mine]], records.known[record[mine]]
        return found

    def registers(self, at: int) -> tuple[Side, Side]:
        """The registers of the call at a place, before and after."""
        seqs = np.array([self.seq(at)])
        return self.side(seqs, False), self.side(seqs, True)

    def objects_of(self, at: I64, reg: int) -> npt.NDArray[np.int32]:
        """The number of the object that a register names in the calls at some places, -1 none."""
        column = self.objects.get(reg)
        out: npt.NDArray[np.int32] = np.full(len(at), -1, dtype=np.int32) if column is None else column[at]
        return out

    def object_of(self, at: int, reg: int) -> int:
        """The same of one call."""
        return int(self.objects_of(np.array([at]), reg)[0])

    def names(self, at: I64) -> U64:
        """Hashes of the names of commands, and of the objects beside them nothing."""
        names = _hashed(self.capture.names)
        out: U64 = names[self.capture.calls.name[self.seqs(at)]]
        return out

    def loose(self, at: I64) -> U64:
        """Command and objects of calls as one number."""
        return self._with_objects(self.names(at), at)

    def tight(self, at: I64) -> U64:
        """The same of all that is compared."""
        return self._with_objects(self.bare[at], at)

    def _with_objects(self, keys: U64, at: I64) -> U64:
        for reg in sorted(self.objects):
            number = self.objects_of(at, reg)
            there = np.flatnonzero(number >= 0)
            keys[there] = mixed(keys[there], number[there].astype(np.uint64) + np.uint64(reg << 48))
        return keys

    def is_granule(self, value: U64) -> npt.NDArray[np.bool_]:
        """Which values are an address in one of the ``granules``, whatever stands beside it."""
        at = np.searchsorted(self.granules, (value & _PAGE_BITS) >> PAGE, side="right")
        found: npt.NDArray[np.bool_] = (at & 1).astype(bool)
        return found

    def compared(self, value: U64, how: Holds, x1: U64, seqs: I64) -> U64:
        """What of a register of some calls is compared by value; ``x1``: what they have in x1."""
        out = np.zeros_like(value)
        if how is Holds.SIZE:
            out = value - x1
        elif how is Holds.DESCRIPTOR:
            out = value & ~_PAGE_BITS
        elif how is Holds.SCALAR or how is Holds.IPA:
            granule = self.is_granule(value)
            if how is Holds.IPA:
                granule &= np.asarray(self.capture.calls.failed[seqs], dtype=bool)
            out = np.where(granule, value & ~_PAGE_BITS, value)
        return out


def normal(capture: Capture, chosen: I64 | None = None) -> Normal:
    """The calls of a capture ready to be compared."""
    n = Normal(capture, chosen)
    n.commands = _commands(n)
    number_objects(n)
    n.granules = _granules(n)
    n.bare = np.zeros(len(n), dtype=np.uint64)
    for piece in n.pieces():
        n.bare[piece.start : piece.start + len(piece.seqs)] = _bare(n, piece)
    return n


def _hashed(words: list[str]) -> U64:
    """Hashes of words, the last one of -1."""
    return np.array([zlib.crc32(w.encode("utf-8", "backslashreplace")) for w in [*words, ""]], dtype=np.uint64)


def _bare(n: Normal, piece: Piece) -> U64:
    """The keys of some calls that know no objects."""
    calls, seqs = n.capture.calls, piece.seqs
    x, r = (n.side(seqs, out) for out in (False, True))
    status = calls.status[seqs]
    keys = mixed(_hashed(n.capture.names)[calls.name[seqs]], _hashed(n.capture.statuses)[status])
    for command, at in piece.groups:
        for reg, how in command.args.items():
            if reg < N_REGS and how is not Holds.OBJECT:
                value = n.compared(x.value[at, reg], how, x.value[at, 1], seqs[at])
                keys[at] = mixed(keys[at], np.where(x.has(at, reg), value, np.uint64(0)))
        for o in command.outs:
            if o.reg < N_REGS:
                good = [i for i, s in enumerate(n.capture.statuses) if s in o.valid_on]
                valid = np.isin(status[at], good) & r.has(at, o.reg)
                value = n.compared(r.value[at, o.reg], o.how, x.value[at, 1], seqs[at])
                keys[at] = mixed(keys[at], np.where(valid, value, np.uint64(0)))
    return keys


def _commands(n: Normal) -> dict[int, Command]:
    """The commands of a capture."""
    first: dict[int, int] = {}
    for places in n.blocks():
        values, at = np.unique(n.fids(n.seqs(places)), return_index=True)
        for value, place in zip(values.tolist(), places[at].tolist(), strict=True):
            first.setdefault(value, place)
    out = {}
    for value in sorted(first.keys() - {0}):
        seq = n.seq(first[value])
        name = n.capture.name_text(seq)
        revision = n.capture.revision.at(int(n.capture.calls.source[seq])).of(name)
        out[value] = Command(first[value], name, *kinds(value, revision))
    return out


def _granules(n: Normal) -> U64:
    """The pages in arguments that are addresses, and in ranges of granules of calls that succeeded."""
    succeeded = [i for i, s in enumerate(n.capture.statuses) if s in OK]
    found = _NONE
    for piece in n.pieces():
        x = n.side(piece.seqs, False).value
        good = np.isin(n.capture.calls.status[piece.seqs], succeeded)
        first, last = [found[::2]], [found[1::2]]
        for command, at in piece.groups:
            for reg, how in command.args.items():
                if reg >= N_REGS or how not in (Holds.OBJECT, Holds.ADDRESS, Holds.DESCRIPTOR, Holds.SIZE):
                    continue
                rows = at[good[at]] if how is Holds.SIZE else at
                page = (x[rows, reg] & _PAGE_BITS) >> PAGE
                first.append(np.minimum((x[rows, 1] & _PAGE_BITS) >> PAGE, page) if how is Holds.SIZE else page)
                last.append(page if how is Holds.SIZE else page + np.uint64(1))
        found = _merged(np.concatenate(first), np.concatenate(last))
    return found


def _merged(begins: U64, ends: U64) -> U64:
    """Ranges of pages, those that touch as one."""
    real = begins >= np.uint64(ADDRESS >> 12)
    begins, ends = begins[real], ends[real]
    if not len(begins):
        return _NONE
    order = np.lexsort((ends, begins))
    begins, ends = begins[order], np.maximum.accumulate(ends[order])
    new = np.append(True, begins[1:] > ends[:-1])
    closing = np.append(new[1:], True)
    out: U64 = np.stack([begins[new], ends[closing]], axis=1).reshape(-1)
    return out
