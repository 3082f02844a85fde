"""Realms and RECs: build, run and teardown, over columns (a realm that boots makes millions of calls)."""

from __future__ import annotations

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
_PROBING = ("RMI_ERROR_RTT",)
"""What a walk over a table answers on its way: not a failure of the sequence (DEN0137, RTT walk)."""


def follow_realms(capture: Capture, source: int) -> tuple[list[Sequence], list[StateChange]]:
    """The sequences and states of the realms in one source."""
    c, names = capture.calls, capture.names
    mine = np.flatnonzero((c.source == source) & _service(capture, "RMI"))
    create = names.index("RMI_REALM_CREATE") if "RMI_REALM_CREATE" in names else -1
    realm_rows, rd = _realm_rows(capture, mine)
    if not len(realm_rows):
        return [], []
    sequences: list[Sequence] = []
    states: list[StateChange] = []
    for address in np.unique(rd).tolist():
        rows = realm_rows[rd == address]
        starts = np.flatnonzero(c.name[rows] == create).tolist()
        bounds = [0, *[s for s in starts if s], len(rows)]
        for a, b in zip(bounds, bounds[1:], strict=False):
            if a < b:
                _one_realm(capture, source, f"realm:0x{int(address):x}", rows[a:b], sequences, states)
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
    owner = dict(zip(made_rec.tolist(), made_rd.tolist(), strict=True))
    rec_rd = np.array([owner.get(r, 0) for r in rec.tolist()], dtype=np.uint64)
    children = np.flatnonzero(c.parent >= 0)
    where = {int(r): int(d) for r, d in zip(direct.tolist(), rd.tolist(), strict=True) if len(children)}
    child_rows = [(k, where[int(c.parent[k])]) for k in children.tolist() if int(c.parent[k]) in where]
    all_rows = np.concatenate([direct, by_rec[rec_rd != 0], np.array([k for k, _ in child_rows], dtype=np.int64)])
    all_rd = np.concatenate([rd, rec_rd[rec_rd != 0], np.array([d for _, d in child_rows], dtype=np.uint64)])
    order = np.argsort(all_rows, kind="stable")
    return all_rows[order], all_rd[order]


def _one_realm(
    capture: Capture, source: int, obj: str, rows: I64, sequences: list[Sequence], states: list[StateChange]
) -> None:
    c, names = capture.calls, capture.names
    name = np.array([names[i] for i in c.name[rows]])
    good = np.array([capture.status_text(_last(capture, int(r))) for r in rows.tolist()]) == "RMI_SUCCESS"
    active = np.flatnonzero((name == "RMI_REALM_ACTIVATE") & good)
    created = np.flatnonzero(name == "RMI_REALM_CREATE")
    end_build = int(active[0]) + 1 if len(active) else None
    later = np.arange(len(rows)) >= (end_build or 0)
    tears = np.flatnonzero(np.isin(name, _TEARDOWN_COMMANDS) & later & (end_build is not None or not len(created)))
    runs = np.flatnonzero(name == "RMI_REC_ENTER")
    # data taken out while RECs still run is ballooning: teardown starts behind the last REC_ENTER
    begin_tear = next((int(t) for t in tears if not len(runs) or t > runs[-1]), None)
    if begin_tear is None and not len(active):
        gone = np.flatnonzero(np.isin(name, ("RMI_REALM_DESTROY", "RMI_REALM_TERMINATE")))
        begin_tear = int(gone[0]) if len(gone) else None
    stop = begin_tear if begin_tear is not None else len(rows)
    if len(created):
        until = min(end_build if end_build is not None else stop, stop)
        if len(active) or until:
            sequences.append(_sequence(capture, source, _BUILD, obj, rows[:until], name[:until], bool(len(active)), begin_tear))
            _state(capture, states, obj, rows, name, good)
    first_run = end_build if end_build is not None else 0
    if stop > first_run and (len(created) == 0 or len(active)) and (name[first_run:stop] == "RMI_REC_ENTER").any():
        part = slice(first_run, stop)
        sequences.append(_sequence(capture, source, _RUN, obj, rows[part], name[part], begin_tear is not None, None))
    if begin_tear is not None:
        part = slice(begin_tear, len(rows))
        done = bool(((name[part] == "RMI_REALM_DESTROY") & good[part]).any())
        sequences.append(_sequence(capture, source, _TEARDOWN, obj, rows[part], name[part], done, None))


def _last(capture: Capture, seq: int) -> int:
    children = np.flatnonzero(capture.calls.parent == seq) if capture.status_text(seq) == "RMI_INCOMPLETE" else ()
    return int(children[-1]) if len(children) else seq


def _state(
    capture: Capture, states: list[StateChange], obj: str, rows: I64, name: Any, good: npt.NDArray[np.bool_]
) -> None:
    before: str | None = None
    for command, to in (("RMI_REALM_CREATE", "NEW"), ("RMI_REALM_ACTIVATE", "ACTIVE"), ("RMI_REALM_TERMINATE", "TERMINATED"),
                        ("RMI_REALM_DESTROY", "destroyed")):  # fmt: skip
        for i in np.flatnonzero((name == command) & good)[:1].tolist():
            ts = int(capture.calls.ts[rows[i]])
            states.append(StateChange(obj, None if ts == NO_TIME else ts, before, to, int(rows[i]), True))
            before = to


def _sequence(
    capture: Capture, source: int, kind: str, obj: str, rows: I64, name: Any, done: bool, torn: int | None
) -> Sequence:
    """A sequence of a realm; its steps are runs of commands with one purpose."""
    c = capture.calls
    populate = "populate" if kind == _BUILD else "map" if kind == _RUN else "unmap"
    label = np.array([_STEP.get(n, populate) for n in name])
    parents = c.parent[rows]
    place = {int(r): i for i, r in enumerate(rows.tolist())} if (parents >= 0).any() else {}
    for i in np.flatnonzero(parents >= 0).tolist():
        label[i] = label[place[int(parents[i])]] if int(parents[i]) in place else label[i]
    failed = c.failed[rows] & ~np.isin([capture.status_text(int(r)) for r in rows], _PROBING)
    cuts = np.flatnonzero(label[1:] != label[:-1]) + 1
    steps: list[Step] = []
    why = ""
    for part in np.split(np.arange(len(rows)), cuts):
        bad = part[failed[part]]
        # what failed and was done again with success is no failure of the step
        lasting = [b for b in bad.tolist() if not (~failed[part[part > b]] & (name[part[part > b]] == name[b])).any()]
        said = ""
        if lasting:
            seq = int(rows[lasting[0]])
            said = f"{capture.name_text(seq)} returned {capture.status_text(seq) or 'an error'}"
            why = why or said
        outcome = FAILED if said else OK
        steps.append(Step(str(label[part[0]]), int(rows[part[0]]), int(rows[part[-1]]), outcome, said, rows[part]))
    outcome = OK if done else FAILED if why or torn is not None else INCOMPLETE
    if not done and steps and steps[-1].outcome == OK:
        s = steps[-1]
        steps[-1] = Step(s.name, s.first, s.last, outcome if outcome != OK else INCOMPLETE, s.why, s.calls)
    if outcome == FAILED and not why:
        why = "the realm was torn down before RMI_REALM_ACTIVATE succeeded"
    ts = c.ts[rows]
    start, end = int(ts[0]), int(ts[-1])
    return Sequence(
        kind, obj, int(rows[0]), int(rows[-1]), None if start == NO_TIME else start, None if end == NO_TIME else end,
        outcome, tuple(steps), why if outcome == FAILED else "", source, rows,
    )  # fmt: skip
