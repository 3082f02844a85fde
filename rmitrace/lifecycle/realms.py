"""Realms and RECs: build, run and teardown, over columns (a realm that boots makes millions of calls)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..capture.records import NO_TIME
from .model import FAILED, INCOMPLETE, OK, Sequence, StateChange, Step

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]

_BUILD, _RUN, _TEARDOWN = "realm build", "realm run", "realm teardown"
_TEARDOWN_COMMANDS = ("RMI_REALM_TERMINATE", "RMI_REALM_DESTROY", "RMI_REC_DESTROY", "RMI_DATA_DESTROY", "RMI_RTT_DESTROY")
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
MAX_REALMS = 4096
"""Realms that are followed in one source; a capture with more has addresses in it that are none."""
_MAX_STEPS = 24
"""Runs of one purpose that are shown as steps of their own; where there are more, a step is all calls of its purpose."""
_PROBING = ("RMI_ERROR_RTT",)
"""What a walk over a table answers on its way: not a failure of the sequence (DEN0137, RTT walk)."""


def follow_realms(capture: Capture, source: int) -> tuple[list[Sequence], list[StateChange]]:
    """The sequences and states of the realms in one source."""
    c, names = capture.calls, capture.names
    mine = np.flatnonzero(np.isin(c.source, capture.together(source)) & _service(capture, "RMI"))
    create = names.index("RMI_REALM_CREATE") if "RMI_REALM_CREATE" in names else -1
    realm_rows, rd = _realm_rows(capture, mine)
    if not len(realm_rows):
        return [], []
    sequences: list[Sequence] = []
    states: list[StateChange] = []
    order = np.argsort(rd, kind="stable")
    realm_rows, rd = realm_rows[order], rd[order]
    for part in np.split(np.arange(len(rd)), np.flatnonzero(rd[1:] != rd[:-1]) + 1)[:MAX_REALMS]:
        rows = realm_rows[part]
        bounds = [0, *[s for s in np.flatnonzero(c.name[rows] == create).tolist() if s], len(rows)]
        for a, b in pairwise(bounds):
            if a < b:
                _one_realm(capture, source, f"realm:0x{int(rd[part[0]]):x}", rows[a:b], sequences, states)
    return sequences, states


def _service(capture: Capture, service: str) -> Any:
    return capture.calls.service == capture.services.index(service) if service in capture.services else False


def _realm_rows(capture: Capture, rows: I64) -> tuple[I64, Any]:
    """The calls that are about a realm, with its rd: those whose first argument is one, RECs by their REC_CREATE."""
    c, names = capture.calls, capture.names
    takes_rd = [i for i, n in enumerate(names) if n.startswith(("RMI_REALM_", "RMI_RTT_", "RMI_DATA_", "RMI_REC_CREATE"))]
    takes_rd += [i for i, n in enumerate(names) if n in ("RMI_REC_AUX_COUNT",)]
    takes_rec = [i for i, n in enumerate(names) if n in ("RMI_REC_ENTER", "RMI_REC_DESTROY", "RMI_PSCI_COMPLETE")]
    # the data of a page is an argument before rd in no revision: x1 is rd in all of these
    direct = rows[np.isin(c.name[rows], takes_rd)]
    rd, known = capture.regs(direct, 1)
    direct, rd = direct[known], rd[known]
    by_rec = rows[np.isin(c.name[rows], takes_rec)]
    rec, _ = capture.regs(by_rec, 1)
    made = direct[[names[i] == "RMI_REC_CREATE" for i in c.name[direct]]] if len(direct) else direct
    made_rec, _ = capture.regs(made, 2)
    made_rd, _ = capture.regs(made, 1)
    living = [i for i, n in enumerate(names) if n.startswith("RMI_REALM_")]
    real = np.unique(np.concatenate([rd[np.isin(c.name[direct], living)], made_rd]))
    direct, rd = direct[np.isin(rd, real)], rd[np.isin(rd, real)]
    owner = dict(zip(made_rec.tolist(), made_rd.tolist(), strict=True))
    rec_rd = np.array([owner.get(r, 0) for r in rec.tolist()], dtype=np.uint64)
    children = np.flatnonzero(c.parent >= 0)
    where = {int(r): int(d) for r, d in zip(direct.tolist(), rd.tolist(), strict=True) if len(children)}
    child_rows = [(k, where[int(c.parent[k])]) for k in children.tolist() if int(c.parent[k]) in where]
    all_rows = np.concatenate([direct, by_rec[rec_rd != 0], np.array([k for k, _ in child_rows], dtype=np.int64)])
    all_rd = np.concatenate([rd, rec_rd[rec_rd != 0], np.array([d for _, d in child_rows], dtype=np.uint64)])
    order = np.argsort(all_rows, kind="stable")
    return all_rows[order], all_rd[order]


class _Rows:
    """The calls of one realm with the questions asked of them, answered over columns."""

    def __init__(self, capture: Capture, rows: I64) -> None:
        self.capture = capture
        self.rows = rows
        self.name = capture.calls.name[rows]
        status = capture.calls.status[rows].copy()
        incomplete = capture.statuses.index("RMI_INCOMPLETE") if "RMI_INCOMPLETE" in capture.statuses else -2
        for i in np.flatnonzero(status == incomplete).tolist():
            children = np.flatnonzero(capture.calls.parent == rows[i])
            if len(children):
                status[i] = capture.calls.status[children[-1]]
        self.good = status == (capture.statuses.index("RMI_SUCCESS") if "RMI_SUCCESS" in capture.statuses else -2)

    def of(self, *commands: str) -> Any:
        """Which of the calls are one of these commands."""
        wanted = [i for i, n in enumerate(self.capture.names) if n in commands]
        return np.isin(self.name, wanted)


def _one_realm(capture: Capture, source: int, obj: str, rows: I64, sequences: list[Sequence], states: list[StateChange]) -> None:
    r = _Rows(capture, rows)
    active = np.flatnonzero(r.of("RMI_REALM_ACTIVATE") & r.good)
    created = bool(r.of("RMI_REALM_CREATE").any())
    end_build = int(active[0]) + 1 if len(active) else 0
    tears = np.flatnonzero(r.of(*_TEARDOWN_COMMANDS) & (np.arange(len(rows)) >= end_build) & (bool(len(active)) or not created))
    runs = np.flatnonzero(r.of("RMI_REC_ENTER"))
    # data taken out while RECs still run is ballooning: teardown starts behind the last REC_ENTER, and it is one only
    # where a REC or the realm itself goes
    final = np.flatnonzero(r.of("RMI_REC_DESTROY", "RMI_REALM_DESTROY", "RMI_REALM_TERMINATE"))
    behind = tears[tears > runs[-1]] if len(runs) else tears
    if not len(final) or (len(behind) and final[-1] < behind[0]):
        behind = behind[:0]
    if not len(behind) and not len(active):
        behind = final
    torn = int(behind[0]) if len(behind) else None
    stop = torn if torn is not None else len(rows)
    if created and (until := min(end_build or stop, stop)):
        sequences.append(_sequence(capture, source, _BUILD, obj, rows[:until], bool(len(active)), torn is not None))
        _states(capture, states, obj, r)
    if (len(active) or not created) and ((runs >= end_build) & (runs < stop)).any():
        sequences.append(_sequence(capture, source, _RUN, obj, rows[end_build:stop], torn is not None, False))
    if torn is not None:
        done = bool((r.of("RMI_REALM_DESTROY") & r.good)[torn:].any())
        sequences.append(_sequence(capture, source, _TEARDOWN, obj, rows[torn:], done, False))


def _states(capture: Capture, states: list[StateChange], obj: str, r: _Rows) -> None:
    before: str | None = None
    for command, to in (("RMI_REALM_CREATE", "NEW"), ("RMI_REALM_ACTIVATE", "ACTIVE"), ("RMI_REALM_TERMINATE", "TERMINATED"),
                        ("RMI_REALM_DESTROY", "destroyed")):  # fmt: skip
        for i in np.flatnonzero(r.of(command) & r.good)[:1].tolist():
            ts = int(capture.calls.ts[r.rows[i]])
            states.append(StateChange(obj, None if ts == NO_TIME else ts, before, to, int(r.rows[i]), True))
            before = to


def _sequence(capture: Capture, source: int, kind: str, obj: str, rows: I64, done: bool, torn: bool) -> Sequence:
    """A sequence of a realm; its steps are runs of commands with one purpose."""
    c = capture.calls
    other = "populate" if kind == _BUILD else "map" if kind == _RUN else "unmap"
    labels = sorted({*_STEP.values(), other})
    table = np.array([labels.index(_STEP.get(n, other)) for n in capture.names], dtype=np.int64)
    name = c.name[rows]
    label = table[name]
    parents = c.parent[rows]
    at = np.searchsorted(rows, parents)
    inside = (parents >= 0) & (rows[np.minimum(at, len(rows) - 1)] == parents)
    label[inside] = label[at[inside]]
    probing = [i for i, n in enumerate(capture.statuses) if n in _PROBING]
    failed = c.failed[rows] & ~np.isin(c.status[rows], probing)
    cuts = np.flatnonzero(label[1:] != label[:-1]) + 1
    if len(cuts) < _MAX_STEPS:
        parts = np.split(np.arange(len(rows)), cuts)
    else:
        found, first = np.unique(label, return_index=True)
        parts = [np.flatnonzero(label == found[i]) for i in np.argsort(first)]
    steps: list[Step] = []
    why = ""
    for part in parts:
        bad = _lasting_failure(name[part], failed[part])
        said = ""
        if bad is not None:
            seq = int(rows[part[bad]])
            said = f"{capture.name_text(seq)} returned {capture.status_text(seq) or 'an error'}"
        why = why or said
        outcome = FAILED if said else OK
        steps.append(Step(labels[label[part[0]]], int(rows[part[0]]), int(rows[part[-1]]), outcome, said, rows[part]))
    outcome = OK if done else FAILED if why or torn else INCOMPLETE
    if not done and steps[-1].outcome == OK:
        last = steps[-1]
        steps[-1] = Step(last.name, last.first, last.last, outcome, last.why, last.calls)
    if outcome == FAILED and not why:
        why = "the realm was torn down before RMI_REALM_ACTIVATE succeeded"
    start, end = int(c.ts[rows[0]]), int(c.ts[rows[-1]])
    return Sequence(
        kind,
        obj,
        int(rows[0]),
        int(rows[-1]),
        None if start == NO_TIME else start,
        None if end == NO_TIME else end + max(int(c.dur[rows[-1]]), 0),
        outcome,
        tuple(steps),
        why if outcome == FAILED else "",
        source,
        rows,
    )


def _lasting_failure(name: Any, failed: Any) -> int | None:
    """The first call that failed and was not done again with success; place in the arrays."""
    first: int | None = None
    for n in np.unique(name[failed]).tolist():
        mine = np.flatnonzero(name == n)
        good = mine[~failed[mine]]
        bad = mine[failed[mine]]
        lasting = bad[bad > good[-1]] if len(good) else bad
        if len(lasting) and (first is None or lasting[0] < first):
            first = int(lasting[0])
    return first
