"""Which records of a growing source can become calls now, and which have to wait for their other half.

An entry waits for its exit, and with it everything of its task behind it: of nested probes one call is made, and what is seen
between belongs to it. It waits no longer when the same task enters again by the same probe, when its CPU loses events, when
too much waits behind it, or when the source has not shown a single exit for a while.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from ...formats import eventmap
from ..naming import wrapped_command
from ..pairing import match, task_keys
from ..records import COLUMNS, Kind, Records

MOST = 512
"""Records of one task that wait."""
PATIENCE_S = 1.0
"""Time that entries of a source wait which shows no exits."""
_OF_TASKS = (Kind.ENTER, Kind.EXIT, Kind.WRAP_ENTER, Kind.WRAP_EXIT, Kind.BUFFER)
_ENTRIES = (Kind.ENTER, Kind.WRAP_ENTER)
_NOWHERE = np.int64(1 << 62)

I64 = npt.NDArray[np.int64]


class Holding:
    """The waiting records of one source."""

    def __init__(self, records: Records) -> None:
        self.waiting = records
        self._exits = self._wrap_exits = False
        self._since = time.monotonic()

    def add(self, new: Records, *, end: bool = False) -> Records:
        """The records that can become calls, in the order of the source. ``end``: nothing more will come."""
        both = joined([self.waiting, new])
        kind = both.kind
        self._exits |= bool((kind == Kind.EXIT).any())
        self._wrap_exits |= bool((kind == Kind.WRAP_EXIT).any())
        if not len(self.waiting):
            self._since = time.monotonic()
        if end or not len(both):
            self.waiting = rows(both, np.zeros(0, dtype=np.int64))
            return both
        wait = self._waits(both, time.monotonic() - self._since > PATIENCE_S)
        self.waiting = rows(both, np.flatnonzero(wait))
        return rows(both, np.flatnonzero(~wait))

    def _waits(self, rec: Records, tired: bool) -> npt.NDArray[np.bool_]:
        wait = np.zeros(len(rec), dtype=bool)
        of_tasks = np.flatnonzero(np.isin(rec.kind, _OF_TASKS)).astype(np.int64)
        if not len(of_tasks):
            return wait
        task = task_keys(rec, of_tasks)
        probe = self._probes(rec)[rec.name[of_tasks]]
        some = np.flatnonzero(self._counts(rec.kind[of_tasks], probe, tired))
        open_ = some[self._open(rec, of_tasks[some], task[some], probe[some])]
        if not len(open_):
            return wait
        names, index = np.unique(task, return_inverse=True)
        first = np.full(len(names), _NOWHERE)
        np.minimum.at(first, index[open_], open_)
        self._take_in_what_is_around(rec.kind[of_tasks], some, index, probe, first)
        held = np.arange(len(of_tasks)) >= first[index]
        many = np.bincount(index[held], minlength=len(names)) > MOST
        wait[of_tasks[held & ~many[index]]] = True
        return wait

    def _counts(self, kind: Any, probe: I64, tired: bool) -> npt.NDArray[np.bool_]:
        """Which records are halves of something. ``tired``: where no exit has come for a while, none will."""
        wraps = (kind == Kind.WRAP_ENTER) | (kind == Kind.WRAP_EXIT)
        waits = np.where(wraps, (probe >= 0) & (self._wrap_exits or not tired), self._exits or not tired)
        return np.asarray((kind != Kind.BUFFER) & waits)

    @staticmethod
    def _open(rec: Records, at: I64, task: I64, probe: I64) -> I64:
        """Entries that may still return, as numbers into ``at``: of each probe of each task the last record, where it is one."""
        if not len(at):
            return at
        order = np.lexsort((at, probe, task))
        last = np.ones(len(order), dtype=bool)
        last[:-1] = (task[order[1:]] != task[order[:-1]]) | (probe[order[1:]] != probe[order[:-1]])
        end = order[last]
        found = end[np.isin(rec.kind[at[end]], _ENTRIES)]
        lost = np.flatnonzero(rec.kind == Kind.LOST)
        if len(lost) and len(found):
            cpus = rec.cpu[at[found]]
            after = np.zeros(len(found), dtype=bool)
            for place, cpu in zip(lost.tolist(), rec.cpu[lost].tolist(), strict=True):
                after |= (at[found] < place) & ((cpus == cpu) | (cpu < 0))
            found = found[~after]
        return np.asarray(found, dtype=np.int64)

    @staticmethod
    def _take_in_what_is_around(kind: Any, some: I64, index: Any, probe: I64, first: I64) -> None:
        """Move ``first``, where each task's waiting records begin, to in front of what encloses them."""
        keys = index[some].astype(np.int64) * 4096 + probe[some] % 4096
        partner = match(keys, ~np.isin(kind[some], _ENTRIES), None, lambda which: np.zeros(len(which), dtype=bool))
        begins = np.where(partner >= 0, some[partner], _NOWHERE)
        while True:
            around = (some >= first[index[some]]) & (begins < first[index[some]])
            if not around.any():
                return
            np.minimum.at(first, index[some[around]], begins[around])

    def _probes(self, rec: Records) -> I64:
        """For each name, and last for none, a number of the probe that it belongs to; -1: a function around no SMC."""
        numbers: dict[str, int] = {}
        smc = {i for k in (Kind.ENTER, Kind.EXIT) for i in np.unique(rec.name[rec.kind == k]).tolist()}
        wrap = {i for k in (Kind.WRAP_ENTER, Kind.WRAP_EXIT) for i in np.unique(rec.name[rec.kind == k]).tolist()}
        enters = set(np.unique(rec.name[rec.kind == Kind.ENTER]).tolist())
        exits = set(np.unique(rec.name[rec.kind == Kind.EXIT]).tolist())
        one = len(enters) <= 1 and len(exits) <= 1
        out = np.zeros(len(rec.names) + 1, dtype=np.int64)
        for i in range(len(rec.names)):
            name = rec.names[i]
            if i in smc:
                out[i] = 0 if one else numbers.setdefault("smc " + eventmap.family(name), len(numbers) + 1)
            elif i in wrap:
                out[i] = -1 if wrapped_command(name) is None else numbers.setdefault("wrap " + name, len(numbers) + 1)
        return out


def joined(parts: list[Records]) -> Records:
    """The rows of several in one, in their order; the names of each begin with those of the ones before."""
    columns: dict[str, Any] = {c: np.concatenate([getattr(p, c) for p in parts]) for c in (*COLUMNS, "regs")}
    return Records(**columns, names=max((p.names for p in parts), key=len))


def rows(records: Records, which: I64) -> Records:
    """These rows of every column."""
    columns: dict[str, Any] = {c: getattr(records, c)[which] for c in (*COLUMNS, "regs")}
    return Records(**columns, names=records.names)
