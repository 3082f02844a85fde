"""Realms and RECs: build, run and teardown, over columns (a realm that boots makes millions of calls)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..capture.shelf import Shelf
from .members import SEQUENCES_AT_ONCE, Found, number_type, ranges
from .model import FAILED, INCOMPLETE, OK
from .operations import operations
from .steps import lasting_failures, runs
from .table import OUTCOMES, PREFIXES, SequenceTable, StateTable

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]
"""Numbers of calls, in four bytes where there are not too many."""

_AT_ONCE = 1 << 18
KINDS = ("realm build", "realm run", "realm teardown")
_BUILD, _RUN, _TEARDOWN = range(3)
_OTHER = ("populate", "map", "unmap")
"""The purpose, within each kind, of calls that have no name of their own."""
_TEARDOWN_COMMANDS = ("RMI_REALM_TERMINATE", "RMI_REALM_DESTROY", "RMI_REC_DESTROY", "RMI_DATA_DESTROY", "RMI_RTT_DESTROY")
_FINAL = ("RMI_REC_DESTROY", "RMI_REALM_DESTROY", "RMI_REALM_TERMINATE")
_STEP = {
    "RMI_REALM_CREATE": "create",
    "RMI_REC_CREATE": "rec create",
    "RMI_REC_AUX_COUNT": "rec create",
    "RMI_REALM_ACTIVATE": "activate",
    "RMI_REC_ENTER": "enter",
    "RMI_PSCI_COMPLETE": "enter",
    "RMI_REALM_TERMINATE": "terminate",
    "RMI_REC_DESTROY": "rec destroy",
    "RMI_REALM_DESTROY": "destroy",
}
_STATES = (("RMI_REALM_CREATE", "NEW"), ("RMI_REALM_ACTIVATE", "ACTIVE"), ("RMI_REALM_TERMINATE", "TERMINATED"),
           ("RMI_REALM_DESTROY", "destroyed"))  # fmt: skip
_PROBING = ("RMI_ERROR_RTT",)
"""What a walk over a table answers on its way: not a failure of the sequence (DEN0137, RTT walk)."""
_FAR = np.int64(1 << 62)


@dataclass(slots=True)
class _Realms:
    """The calls of all realms of a source, realm by realm.

    rows     numbers of the calls
    start    where each realm begins; one more than there are realms
    realm    the realm of each call; place: its place in the realm
    rd       address of each realm
    good     which calls did what they were made for, with the OP_* calls that they needed
    """

    capture: Capture
    rows: Numbers
    start: I64
    realm: Numbers
    place: Numbers
    rd: Any
    name: Any
    good: Flags

    def of(self, *commands: str) -> Flags:
        """Which of the calls are one of these commands."""
        wanted = np.array([n in commands for n in self.capture.names], dtype=bool)
        found: Flags = wanted[self.name]
        return found

    def first(self, flags: Flags) -> I64:
        """For each realm the place of the first call with a flag, _FAR where there is none."""
        return np.minimum.reduceat(np.where(flags, self.place, _FAR), self.start[:-1])

    def last(self, flags: Flags) -> I64:
        """For each realm the place of the last call with a flag, -1 where there is none."""
        return np.maximum.reduceat(np.where(flags, self.place, -1), self.start[:-1])


def follow_realms(capture: Capture, source: int) -> tuple[Found, StateTable]:
    """The sequences and states of the realms in one source, and in those that show the same run."""
    r = _realms(capture, source)
    if not len(r.rows):
        return Found(SequenceTable(), r.rows, []), StateTable()
    active = r.first(r.of("RMI_REALM_ACTIVATE") & r.good)
    is_active = active < _FAR
    created = r.last(r.of("RMI_REALM_CREATE")) >= 0
    end_build = np.where(is_active, active + 1, 0)
    torn = _torn(r, end_build, is_active, created)
    size = np.diff(r.start)
    stop = np.minimum(torn, size)
    until = np.where(created, np.where(is_active, np.minimum(end_build, stop), stop), 0)
    entered = r.of("RMI_REC_ENTER") & (r.place >= end_build[r.realm]) & (r.place < stop[r.realm])
    ran = (is_active | ~created) & (r.last(entered) >= 0)
    is_torn = torn < _FAR
    gone = r.last(r.of("RMI_REALM_DESTROY") & r.good & (r.place >= torn[r.realm])) >= 0
    zero = np.zeros(len(size), dtype=np.int64)
    # of each kind: where it is, from which place to which, whether it reached its aim
    kinds = ((until > 0, zero, until, is_active), (ran, end_build, stop, is_torn), (is_torn, torn, size, gone))
    table = _sequences(r, source, kinds, is_torn)
    return table, _states(r, until > 0)


def _torn(r: _Realms, end_build: I64, is_active: Flags, created: Flags) -> I64:
    """For each realm the place where its teardown begins, _FAR where there is none.

    Data taken out while RECs still run is ballooning: teardown starts behind the last REC_ENTER, and it is one only where a
    REC or the realm itself goes.
    """
    tears = r.of(*_TEARDOWN_COMMANDS) & (r.place >= end_build[r.realm]) & (is_active | ~created)[r.realm]
    final = r.of(*_FINAL)
    behind = r.first(tears & (r.place > r.last(r.of("RMI_REC_ENTER"))[r.realm]))
    ends = r.last(final)
    none = (ends < 0) | ((behind < _FAR) & (ends < behind))
    behind = np.where(none, _FAR, behind)
    return np.where((behind == _FAR) & ~is_active, r.first(final), behind)


def _sequences(r: _Realms, source: int, kinds: Any, is_torn: Flags) -> Found:
    """The sequences of all realms; their steps are runs of commands with one purpose."""
    cap = r.capture
    realm = np.concatenate([np.flatnonzero(k[0]) for k in kinds])
    kind = np.concatenate([np.full(int(k[0].sum()), i) for i, k in enumerate(kinds)])
    done = np.concatenate([k[3][k[0]] for k in kinds])
    begin = r.start[realm] + np.concatenate([k[1][k[0]] for k in kinds])
    end = r.start[realm] + np.concatenate([k[2][k[0]] for k in kinds])
    order = np.argsort(begin, kind="stable")
    realm, kind, done, begin, end = (c[order] for c in (realm, kind, done, begin, end))
    size = end - begin
    sequence = np.repeat(np.arange(len(size), dtype=r.rows.dtype), size)
    at = ranges(begin, size)
    names = sorted({*_STEP.values(), *_OTHER})
    purpose = np.array([[names.index(_STEP.get(n, other)) for n in cap.names] for other in _OTHER], dtype=np.int16)
    label = purpose[kind[sequence], r.name[at]]
    label = _with_parents(cap, r.rows[at], label, sequence)
    step_name, step_sequence, step = runs(sequence, label)
    probing = [i for i, n in enumerate(cap.statuses) if n in _PROBING]
    failed = cap.calls.failed[r.rows[at]] & ~np.isin(cap.calls.status[r.rows[at]], probing)
    bad = lasting_failures(step, r.name[at], failed)
    outcome = np.full(len(step_name), OUTCOMES.index(OK), dtype=np.uint8)
    step_why: dict[int, str] = {}
    why: dict[int, str] = {}
    for s, k in bad.items():
        seq = int(r.rows[at[k]])
        step_why[s] = f"{cap.name_text(seq)} returned {cap.status_text(seq) or 'an error'}"
        outcome[s] = OUTCOMES.index(FAILED)
    broken = np.zeros(len(size), dtype=bool)
    broken[step_sequence[np.array(sorted(bad), dtype=np.int64)]] = True
    wrong = broken | ((kind == _BUILD) & is_torn[realm])
    ended = np.where(done, OUTCOMES.index(OK), np.where(wrong, OUTCOMES.index(FAILED), OUTCOMES.index(INCOMPLETE)))
    first_step = np.searchsorted(step_sequence, np.arange(len(size) + 1))
    for s in sorted(bad):
        if ended[step_sequence[s]] == OUTCOMES.index(FAILED):
            why.setdefault(int(step_sequence[s]), step_why[s])
    for i in np.flatnonzero(ended == OUTCOMES.index(FAILED)).tolist():
        why.setdefault(i, "the realm was torn down before RMI_REALM_ACTIVATE succeeded")
    last = first_step[1:] - 1
    outcome[last] = np.where(done | (outcome[last] != OUTCOMES.index(OK)), outcome[last], ended)
    table = SequenceTable(
        kinds=list(KINDS),
        names=names,
        kind=kind.astype(np.int16),
        prefix=np.full(len(kind), PREFIXES.index("realm"), dtype=np.uint8),
        address=r.rd[realm],
        source=np.full(len(kind), source, dtype=np.int16),
        outcome=ended.astype(np.uint8),
        first_step=first_step,
        step_name=step_name.astype(np.int16),
        step_outcome=outcome,
        why=why,
        step_why=step_why,
    )
    cuts = np.searchsorted(sequence, [*range(0, len(table), SEQUENCES_AT_ONCE), len(table)])
    dtype = r.rows.dtype
    shelf = Shelf()
    parts: list[tuple[Any, Any]] = [
        (shelf.put(step[a:b].astype(dtype)), shelf.put(r.rows[at[a:b]].astype(dtype)))
        for a, b in pairwise(cuts.tolist())
        if a < b
    ]
    return Found(table, np.arange(len(step_name)), parts)


def _with_parents(capture: Capture, rows: I64, label: I64, sequence: I64) -> I64:
    """The purpose of each call, of OP_* calls that of their command where it is in the same sequence."""
    parent = capture.calls.parent[rows]
    child = np.flatnonzero(parent >= 0)
    if not len(child):
        return label
    order = np.argsort(rows, kind="stable")
    found = np.searchsorted(rows[order], parent[child])
    found = order[np.minimum(found, len(rows) - 1)]
    mine = (rows[found] == parent[child]) & (sequence[found] == sequence[child])
    label[child[mine]] = label[found[mine]]
    return label


def _states(r: _Realms, shown: Flags) -> StateTable:
    """The states, realm by realm as they come about."""
    names = [to for _, to in _STATES]
    before = np.full(len(shown), -1, dtype=np.int16)
    parts: list[tuple[Any, ...]] = []
    for number, (command, _) in enumerate(_STATES):
        first = r.first(r.of(command) & r.good)
        realm = np.flatnonzero(shown & (first < _FAR))
        parts.append((r.rd[realm], r.rows[r.start[realm] + first[realm]], before[realm], np.full(len(realm), number, np.int16)))
        before[realm] = number
    address, call, frm, to = (np.concatenate(c) for c in zip(*parts, strict=True))
    prefix = np.full(len(call), PREFIXES.index("realm"), dtype=np.uint8)
    return StateTable(names, prefix, address, call.astype(np.int64), frm, to, np.ones(len(call), dtype=bool))


# -- which calls are about which realm


def _realms(capture: Capture, source: int) -> _Realms:
    c, names = capture.calls, capture.names
    rows, rd = _realm_rows(capture, source)
    create = names.index("RMI_REALM_CREATE") if "RMI_REALM_CREATE" in names else -1
    order = np.argsort(rd, kind="stable")
    rows, rd = rows[order], rd[order]
    del order
    name = c.name[rows]
    new = np.concatenate([[True], (rd[1:] != rd[:-1]) | (name[1:] == create)]) if len(rows) else np.zeros(0, dtype=bool)
    begin = np.flatnonzero(new)
    realm = np.cumsum(new, dtype=rows.dtype) - 1
    place = np.arange(len(rows), dtype=rows.dtype) - begin.astype(rows.dtype)[realm]
    # an operation that was started is as good as it ended
    incomplete = capture.statuses.index("RMI_INCOMPLETE") if "RMI_INCOMPLETE" in capture.statuses else -2
    status = c.status[rows]
    open_ = np.flatnonzero(status == incomplete)
    status[open_] = c.status[operations(capture).end(rows[open_].astype(np.int64))]
    good = status == (capture.statuses.index("RMI_SUCCESS") if "RMI_SUCCESS" in capture.statuses else -2)
    return _Realms(capture, rows, np.append(begin, len(rows)), realm, place, rd[begin], name, good)


def _realm_rows(capture: Capture, source: int) -> tuple[I64, Any]:
    """The calls that are about a realm, ascending, with its rd: those whose first argument is one, RECs by their REC_CREATE."""
    c, names = capture.calls, capture.names
    takes_rd = [i for i, n in enumerate(names) if n.startswith(("RMI_REALM_", "RMI_RTT_", "RMI_DATA_", "RMI_REC_CREATE"))]
    takes_rd += [i for i, n in enumerate(names) if n == "RMI_REC_AUX_COUNT"]
    takes_rec = [i for i, n in enumerate(names) if n in ("RMI_REC_ENTER", "RMI_REC_DESTROY", "RMI_PSCI_COMPLETE")]
    direct, by_rec = _named(capture, source, takes_rd, takes_rec)
    # the data of a page is an argument before rd in no revision: x1 is rd in all of these
    rd, known = capture.regs(direct, 1)
    direct, rd = direct[known], rd[known]
    kinds = c.name[direct]
    made = direct[np.isin(kinds, [i for i, n in enumerate(names) if n == "RMI_REC_CREATE"])]
    made_rec, made_rd = capture.regs(made, 2)[0], capture.regs(made, 1)[0]
    living = [i for i, n in enumerate(names) if n.startswith("RMI_REALM_")]
    realms = np.unique(np.concatenate([rd[np.isin(kinds, living)], made_rd]))
    if not len(realms):
        direct, rd = direct[:0], rd[:0]
    real = realms[np.minimum(np.searchsorted(realms, rd), len(realms) - 1)] == rd
    direct, rd = direct[real], rd[real]
    rec_rd = _owners(made, made_rec, made_rd, by_rec, capture.regs(by_rec, 1)[0])
    children, parents = operations(capture).children(direct)
    at = np.searchsorted(direct, parents)
    all_rows = np.concatenate([direct, by_rec[rec_rd != 0], children])
    all_rd = np.concatenate([rd, rec_rd[rec_rd != 0], rd[at]])
    order = np.argsort(all_rows, kind="stable")
    return all_rows[order].astype(number_type(len(c))), all_rd[order]


def _named(capture: Capture, source: int, *wanted: list[int]) -> list[I64]:
    """The RMI calls of a run that have one of the wanted names, for each list of names: looked for some at a time."""
    c = capture.calls
    rmi = np.array([*(n == "RMI" for n in capture.services), False], dtype=bool)  # -1: none
    tables = [np.isin(np.arange(len(capture.names)), names) for names in wanted]
    together = capture.together(source) if len(capture.sources) > 1 else None
    found: list[list[I64]] = [[np.zeros(0, dtype=np.int64)] for _ in wanted]
    for start in range(0, len(c), _AT_ONCE):
        part = slice(start, min(start + _AT_ONCE, len(c)))
        mine = rmi[c.service[part]]
        if together is not None:
            mine &= np.isin(c.source[part], together)
        name = c.name[part]
        for rows, table in zip(found, tables, strict=True):
            rows.append(np.flatnonzero(mine & table[name]) + start)
    return [np.concatenate(rows) for rows in found]


def _owners(made: I64, made_rec: Any, made_rd: Any, rows: I64, rec: Any) -> Any:
    """The rd of the realm that each call's REC was made for, by the last REC_CREATE before it or else the first; 0: none."""
    out = np.zeros(len(rows), dtype=np.uint64)
    if not len(made) or not len(rows):
        return out
    recs, number = np.unique(made_rec, return_inverse=True)
    at = np.minimum(np.searchsorted(recs, rec), len(recs) - 1)
    known = np.flatnonzero(recs[at] == rec)
    order = np.lexsort((made, number.reshape(-1)))
    # REC and call in one number: the last one not above is the REC_CREATE before
    width = int(max(made[-1], rows[-1])) + 1
    place = (number.reshape(-1) * width + made)[order]
    found = np.searchsorted(place, at[known] * width + rows[known], "right") - 1
    found = np.maximum(found, np.searchsorted(place, at[known] * width))
    out[known] = made_rd[order[found]]
    return out
