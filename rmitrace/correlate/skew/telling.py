"""The calls of a source that can tell which revision is spoken: few of many, looked for some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ...capture.model import SourceCalls
from ...capture.naming import FID_MASK
from ...capture.records import first_register
from ...capture.revision import GET_STATE, NAMES, TELLING_FIDS, TELLING_STATES, TELLING_STATUSES
from ...capture.shelf import Shelf
from ..keys import ALL_ONES

if TYPE_CHECKING:
    from ...capture.model import Capture

I64 = npt.NDArray[np.int64]

FIRST = 1000
"""Calls at the beginning that are looked at whatever they are."""
VERSION, PSCI_COMPLETE, DEV_VALIDATE = (0xC4000000 + n for n in (0x150, 0x164, 0x163))
_LOOKED_AT = np.array([VERSION, PSCI_COMPLETE, DEV_VALIDATE], dtype=np.uint64)
_LOW = np.uint64(0xFFFF)
_AT_ONCE = 1 << 16


class Said(IntEnum):
    """What came back of a call: nothing that is known, a result, or -1."""

    NOTHING = 0
    ANSWERED = 1
    REFUSED = 2


class Telling(NamedTuple):
    """In the order of the records.

    said   the RMI function ids (without the SVE hint) with what was said to them
    calls  what Signs.from_calls has to look at
    rows   the first FIRST, and the calls whose arguments are looked at besides
    """

    said: set[tuple[int, Said]]
    calls: SourceCalls
    rows: SourceCalls


def telling(capture: Capture, source: int) -> Telling:
    """What of a source can tell a revision."""
    records = capture.sources[source].records
    rmi = capture.services.index("RMI") if "RMI" in capture.services else -1
    named = np.array([*(n in NAMES for n in records.names), False], dtype=bool)
    fids, statuses = np.array(TELLING_FIDS, dtype=np.uint64), np.array([*TELLING_STATUSES], dtype=np.uint8)
    said: set[tuple[int, Said]] = set()
    shelf = Shelf()
    kept: list[SourceCalls] = []
    few: list[SourceCalls] = []
    seen = np.full(4 * (int(_LOW) + 1), ALL_ONES)
    """For each end of a function id and what was said to it the id that was looked at last."""
    none = np.zeros(0, dtype=np.int64)
    begun = SourceCalls(none, none, none, none.astype(np.int32))
    for shown in _shown(capture, source):
        fid = capture.calls.fid[shown.rows]
        plain = fid & np.uint64(FID_MASK)
        x0, known = first_register(records, shown.exit)
        how = np.where(known, np.where(x0 == ALL_ONES, np.uint64(Said.REFUSED), np.uint64(Said.ANSWERED)), np.uint64(0))
        mine = (capture.calls.service[shown.rows] == rmi) & (fid != 0)
        place = ((plain & _LOW) << np.uint64(2) | how).astype(np.int64)
        fresh = np.flatnonzero(mine & (seen[place] != plain))
        seen[place[fresh]] = plain[fresh]
        said |= {(v >> 2, Said(v & 3)) for v in np.unique(plain[fresh] << np.uint64(2) | how[fresh]).tolist()}
        asked = first_register(records, shown.enter)[0] & np.uint64(FID_MASK)
        tells = _one_of(plain, fids) | _one_of(asked, fids)
        reads = np.flatnonzero((asked == GET_STATE) & (shown.exit >= 0))
        tells[reads] = np.isin(records.regs[shown.exit[reads], 1], TELLING_STATES)
        tells |= known & np.isin(x0.astype(np.uint8), statuses)
        if named.any():
            tells |= (shown.enter >= 0) & named[records.name[shown.enter]]
        kept.append(SourceCalls(*(shelf.put(column) for column in _columns(_some(shown, tells)))))
        few.append(_some(shown, _one_of(plain, _LOOKED_AT)))
        begun = _joined([begun, _some(shown, mine)])
        begun = _some(begun, np.argsort(begun.first, kind="stable")[:FIRST])
    return Telling(said, _in_order(kept, begun), _in_order(few, begun))


def _one_of(values: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """np.isin of function ids: those that end like none that is wanted are many, and told at once."""
    ends = np.zeros(int(_LOW) + 1, dtype=bool)
    ends[(wanted & _LOW).astype(np.int64)] = True
    out: npt.NDArray[np.bool_] = ends[(values & _LOW).astype(np.int64)]
    at = np.flatnonzero(out)
    out[at] = np.isin(values[at], wanted)
    return out


def _in_order(parts: list[SourceCalls], begun: SourceCalls) -> SourceCalls:
    """All of them, each once; ``begun``: the first calls, which stand in front of most others where these are in order."""
    highest = [int(p.first.max()) if len(p.rows) else -1 for p in (begun, *parts)]
    reached = list(accumulate(highest, max))
    """The last record of those before each part and of ``begun``."""
    behind = len(parts)
    while behind and _follows(parts[behind - 1], reached[behind - 1]):
        behind -= 1
    front = _joined([*parts[:behind], begun])
    order = np.lexsort((front.rows, front.first))
    first, rows = front.first[order], front.rows[order]
    again = np.concatenate([[False], (first[1:] == first[:-1]) & (rows[1:] == rows[:-1])])[: len(order)]
    return _joined([_some(front, order[~again]), *parts[behind:]])


def _follows(part: SourceCalls, last: int) -> bool:
    """Whether calls are in order, and behind a record."""
    first = part.first
    return not len(first) or (int(first[0]) > last and not bool((first[1:] <= first[:-1]).any()))


def _shown(capture: Capture, source: int) -> Iterator[SourceCalls]:
    """The calls that a source shows, some at a time, in any order."""
    if capture.correlation is not None:
        shown = capture.of_source(source)
        for start in range(0, len(shown.rows), _AT_ONCE):
            yield _some(shown, slice(start, start + _AT_ONCE))
        return
    c = capture.calls
    for start in range(0, len(c), _AT_ONCE):
        rows = np.flatnonzero(c.source[start : start + _AT_ONCE] == source) + start
        yield SourceCalls(rows, c.enter[rows], c.exit[rows], c.pid[rows])


def _some(shown: SourceCalls, at: I64 | npt.NDArray[np.bool_] | slice) -> SourceCalls:
    return SourceCalls(shown.rows[at], shown.enter[at], shown.exit[at], shown.pid[at])


def _columns(shown: SourceCalls) -> tuple[I64, I64, I64, npt.NDArray[np.int32]]:
    return shown.rows, shown.enter, shown.exit, shown.pid


def _joined(parts: list[SourceCalls]) -> SourceCalls:
    rows, enter, exit_, pid = zip(*map(_columns, parts), strict=True)
    return SourceCalls(np.concatenate(rows), np.concatenate(enter), np.concatenate(exit_), np.concatenate(pid))
