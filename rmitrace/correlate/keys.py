"""What two sources say of the same call, as keys to compare: command, arguments and result, as far as both show them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..capture.naming import FID_MASK
from ..capture.records import N_REGS
from ..formats.rmm_console_names import arg_counts, most_outputs
from .anchors import I64, U64, mixed
from .matching import Bools, Side
from .visibility import shown

if TYPE_CHECKING:
    from ..capture.model import Capture, SourceCalls

_LASTING = re.compile(
    r"RMI_(?:.*_)?(?:CREATE|DESTROY|ACTIVATE|DEACTIVATE|DELEGATE|UNDELEGATE|CONNECT|DISCONNECT|STOP|LOCK|START|SET_PUBKEY"
    r"|CREATE_UNKNOWN|MAP|UNMAP|MAP_INIT|MAP_PROTECTED|MAP_UNPROTECTED|UNMAP_PROTECTED|UNMAP_UNPROTECTED|FOLD|TERMINATE)"
)
"""Commands that change something on success, so that the same call cannot succeed again before it was undone."""
ALL_ONES = np.uint64(2**64 - 1)
NO_RESULT = np.uint64(0xFFFF)
SUCCESS, INCOMPLETE = 0, 13
"""RmiStatusCode."""
ADDRESS = np.uint64(1 << 20)
"""Arguments from here on are taken for addresses: they tell one run from another."""
NOT_RECORDED = 3
"""Calls of a command of which the other source has none: from so many on it does not record that command."""


@dataclass(slots=True)
class Rows:
    """Calls of one source.

    call    their rows in Calls, in the order of the source
    fid     function id without the SVE hint
    x, r    registers in and out, (n, N_REGS); ``kx``, ``kr``: bit i set: register i is known
    status  low byte of x0, or ALL_ONES; NO_RESULT where it is not known
    """

    call: I64
    fid: U64
    x: U64
    r: U64
    kx: npt.NDArray[np.uint32]
    kr: npt.NDArray[np.uint32]
    status: U64

    def __len__(self) -> int:
        return len(self.call)

    def take(self, at: Any) -> Rows:
        """Some of them."""
        return Rows(*(getattr(self, f)[at] for f in Rows.__slots__))


def rows_of(capture: Capture, source: int, services: tuple[str, ...], shown: SourceCalls | None = None) -> Rows:
    """The calls of a source of which the function id is known, in the order of its records; only of those ``shown``, where
    some are told."""
    c, rec = capture.calls, capture.sources[source].records
    wanted = [i for i, s in enumerate(capture.services) if s in services]
    shown = capture.of_source(source) if shown is None else shown
    mine = np.flatnonzero(np.isin(c.service[shown.rows], wanted) & (c.fid[shown.rows] != 0))
    at, enter, exit_ = shown.rows[mine], shown.enter[mine], shown.exit[mine]
    sides = []
    for side in (enter, exit_):
        has = side >= 0
        regs = np.zeros((len(at), N_REGS), dtype=np.uint64)
        known = np.zeros(len(at), dtype=np.uint32)
        regs[has], known[has] = rec.regs[side[has]], rec.known[side[has]] & np.uint32(0xFF)
        sides.append((regs, known))
    (x, kx), (r, kr) = sides
    kx[c.inferred[at]] = 0
    status = np.where(r[:, 0] == ALL_ONES, ALL_ONES, r[:, 0] & np.uint64(0xFF))
    status = np.where((kr & 1) != 0, status, NO_RESULT)
    return Rows(at.astype(np.int64), c.fid[at] & np.uint64(FID_MASK), x, r, kx, kr, status)


@cache
def registers(name: str) -> tuple[int, int]:
    """The registers that hold arguments and outputs of a command in any revision, as bits."""
    args = max(arg_counts(name), default=N_REGS - 1)
    outs = most_outputs(name) or N_REGS - 1
    return (1 << min(args, N_REGS - 1) + 1) - 2, (1 << min(outs, N_REGS - 1) + 1) - 2


def _usual(known: npt.NDArray[np.uint32]) -> int:
    """The registers that most of some calls show; none where there are no calls."""
    values, counts = np.unique(known, return_counts=True)
    return int(values[np.argmax(counts)]) if len(values) else 0


class Comparison:
    """The calls of two sources that both would show, ready to be matched.

    a, b            those calls; side_a, side_b  their keys
    silent_a, _b    rows in Calls that the other source does not show by its nature
    """

    def __init__(self, capture: Capture, source_a: int, source_b: int, services: tuple[str, ...]) -> None:
        self._name: dict[int, str] = {}
        a, b = (rows_of(capture, s, services) for s in (source_a, source_b))
        for rows in (a, b):
            values, at = np.unique(rows.fid, return_index=True)
            self._name |= {int(v): capture.name_text(int(rows.call[i])) for v, i in zip(values, at, strict=True)}
        common = _recorded(a, b), _recorded(b, a)
        if capture.sources[source_b].format == "rmm-console":
            common = common[0] & shown(a, self._name, b), common[1]
        if capture.sources[source_a].format == "rmm-console":
            common = common[0], common[1] & shown(b, self._name, a)
        self.silent_a, self.silent_b = a.call[~common[0]], b.call[~common[1]]
        self.a, self.b = a.take(common[0]), b.take(common[1])
        self.side_a, self.side_b = self._sides()

    def _sides(self) -> tuple[Side, Side]:
        both = self.a, self.b
        keys = [mixed(rows.fid, rows.status) for rows in both]
        whole = [np.ones(len(rows), dtype=bool) for rows in both]
        lasting = [np.zeros(len(rows), dtype=bool) for rows in both]
        for fid in np.union1d(self.a.fid, self.b.fid).tolist():
            name = self._name[fid]
            args, outs = registers(name)
            here = [np.flatnonzero(rows.fid == np.uint64(fid)) for rows in both]
            mask = args & _usual(both[0].kx[here[0]]) & _usual(both[1].kx[here[1]])
            for n, rows in enumerate(both):
                _mix(keys[n], whole[n], here[n], rows.x, rows.kx, mask)
            for status in np.union1d(self.a.status[here[0]], self.b.status[here[1]]).tolist():
                some = [h[rows.status[h] == np.uint64(status)] for h, rows in zip(here, both, strict=True)]
                mask = outs & _usual(both[0].kr[some[0]]) & _usual(both[1].kr[some[1]])
                for n, rows in enumerate(both):
                    _mix(keys[n], whole[n], some[n], rows.r, rows.kr, mask)
                    if status in (SUCCESS, INCOMPLETE) and _LASTING.fullmatch(name):
                        lasting[n][some[n]] = True
        for n, rows in enumerate(both):
            part = np.flatnonzero(~whole[n] | (rows.status == NO_RESULT))
            keys[n][part] = mixed(keys[n][part], rows.call[part].astype(np.uint64) + np.uint64(1 << 40))
        first, second = (Side(keys[n], both[n].fid, lasting[n]) for n in (0, 1))
        return first, second

    def differences(self, i: int, j: int) -> int:
        """The registers in which two calls differ, as far as both show them: bit n for xn in, bit 16 + n for xn out."""
        a, b = self.a, self.b
        args, outs = registers(self._name[int(a.fid[i])])
        both = int(a.kx[i] & b.kx[j]) & args
        out = sum(1 << n for n in range(1, N_REGS) if both >> n & 1 and a.x[i, n] != b.x[j, n])
        if NO_RESULT in (a.status[i], b.status[j]):
            return out
        if a.status[i] != b.status[j]:
            return out | 1 << 16
        both = int(a.kr[i] & b.kr[j]) & outs
        return out | sum(1 << 16 + n for n in range(1, N_REGS) if both >> n & 1 and a.r[i, n] != b.r[j, n])

    def alike(self, i: int, j: int) -> int:
        """What two calls differ in where they can be one of which a value was changed on its way: the command, and at least
        half of the arguments and the status are equal. Command and registers as a number; 0: they are different calls."""
        a, b = self.a, self.b
        if a.fid[i] != b.fid[j]:
            return 0
        args, _ = registers(self._name[int(a.fid[i])])
        other = self.differences(i, j)
        compared = (int(a.kx[i] & b.kx[j]) & args).bit_count() + (NO_RESULT not in (a.status[i], b.status[j]))
        return int(a.fid[i]) << 32 | other if 2 * (other & 0x1FFFF).bit_count() <= compared else 0

    def one_run(self, i: I64) -> bool:
        """Whether pairs (places in ``a``) show that both sources are of one run: one holds an address, where calls do."""
        held = [bool((rows.x[:, 1:4] >= ADDRESS).any()) for rows in (self.a.take(i), self.a, self.b)]
        return held[0] or not (held[1] and held[2])


def _recorded(rows: Rows, other: Rows) -> Bools:
    """Not those of commands of which the other source has none although they are frequent here: it does not record them."""
    fids, where, counts = np.unique(rows.fid, return_inverse=True, return_counts=True)
    keep = np.isin(fids, other.fid) | (counts < NOT_RECORDED)
    out: Bools = keep[where.reshape(-1)]
    return out


def _mix(key: U64, whole: Bools, at: I64, regs: U64, known: npt.NDArray[np.uint32], mask: int) -> None:
    """Put the registers of ``mask`` into the keys of some rows; those that do not show all of them are not whole."""
    if not len(at):
        return
    for n in range(N_REGS):
        if mask >> n & 1:
            key[at] = mixed(key[at], regs[at, n])
    whole[at] &= (known[at] & np.uint32(mask)) == mask
