"""Why a call failed: the conditions of its status, each held, struck or left open by what the trace shows.

    why(capture, seq)    a Diagnosis, None for a call that did not fail or of which no conditions are known
    brief(capture, seq)  the same with no more conditions than its sentence needs

The conditions are those of the command and revision (decoders.rmi.conditions); the state of the objects comes from the calls
before it in the same source (``World``), parameters from the registers and from recorded memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import decoders
from decoders.abi import Failure

from . import deviations
from .conditions import answer
from .query import Query
from .world import World

if TYPE_CHECKING:
    from ..capture.model import Capture

__all__ = ["Diagnosis", "Verdict", "World", "brief", "runs", "why", "world"]

_NOT_ACTIVE = Failure("rmm_state", "RMI_ERROR_GLOBAL", "RMM not ACTIVE (checked before the handler runs)", "TF-RMM HEAD")
"""Of every command of 2.0 but a few; not all lists have it."""
_LATER = ("RMI_BUSY", "RMI_BLOCKED")
"""Statuses that say to try again: what stands behind them is no reason for another one."""
_MARK = {True: "+", False: "-", None: "?"}


_KEPT = 8192
"""Calls of a capture whose reasons are kept."""
_NAMED = 3
"""Conditions that a sentence names."""


class Verdict(NamedTuple):
    """A condition and what the trace says about it: holds True, struck False, open None; calls: what shows it."""

    condition: Failure
    holds: bool | None
    text: str
    calls: tuple[int, ...]

    @property
    def mark(self) -> str:
        """'+' holds, '-' struck, '?' open."""
        return _MARK[self.holds]


def sentence(v: Verdict) -> str:
    """'state is not STOPPED: the PDEV is READY, read back in call 12'."""
    return f"{v.condition.when}: {v.text}" if v.text else v.condition.when


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The conditions of a failed call.

    verdicts  those of its status, in the order in which the source of the list checks them
    others    conditions with other statuses that hold: the firmware checks in another order, or deviates from the text
    remarks   what is known of firmware that deviates from the text here
    """

    seq: int
    command: str
    status: str
    revision: str
    verdicts: tuple[Verdict, ...]
    others: tuple[Verdict, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def held(self) -> list[Verdict]:
        """The conditions that the trace shows to hold."""
        return [v for v in self.verdicts if v.holds]

    @property
    def open(self) -> list[Verdict]:
        """Those that it leaves open."""
        return [v for v in self.verdicts if v.holds is None]

    @property
    def cause(self) -> Verdict | None:
        """The condition to name: the first that holds, else the only one that is left, else one with another status that
        holds; None where the trace does not decide."""
        if self.held:
            return self.held[0]
        if len(self.open) == 1 and len(self.verdicts) > 1:
            return self.open[0]
        if len(self.verdicts) == 1 and self.verdicts[0].holds is not False:
            return self.verdicts[0]
        return self.others[0] if self.others and self.undecided else None

    @property
    def undecided(self) -> bool:
        """Whether the conditions of the status leave the cause to those with another one: none holds, and none is open."""
        return not any(v.holds is not False for v in self.verdicts)

    @property
    def left(self) -> bool:
        """Whether the cause is named because the trace strikes all others, not because it shows it."""
        return self.cause is not None and self.cause.holds is None

    @property
    def reason(self) -> str:
        """Why, in one sentence without its beginning: what holds, what is left, what it may be, or that nothing fits."""
        cause = self.cause
        if cause is not None:
            text = f" ({cause.text})" if cause.text else ""
            if not self.left:
                return f"{cause.condition.when}{text}"
            only = ", by elimination" if len(self.verdicts) > 1 else ", the only condition of this status"
            return f"{cause.condition.when}{only}{text}"
        if self.open:
            more = " ..." if len(self.open) > _NAMED else ""
            return f"it may be that {' or '.join(v.condition.when for v in self.open[:_NAMED])}{more}"
        said = "no condition of the command has this status"
        if self.verdicts:
            struck = "; ".join(sentence(v) for v in self.verdicts[:_NAMED])
            said = f"the trace strikes every condition of this status ({struck}): calls are missing, or the firmware deviates"
        return "; ".join((said, *self.remarks[:1]))


def runs(capture: Capture) -> list[int]:
    """One source of each run that the capture shows: what several sources show of one is the same world."""
    return [s for s in range(len(capture.sources)) if capture.together(s)[0] == s]


def world(capture: Capture, source: int) -> World:
    """What a source tells of the state of things; made once."""
    worlds: dict[int, World] = capture.worlds
    if source not in worlds:
        worlds[source] = World(capture, source)
    return worlds[source]


def why(capture: Capture, seq: int) -> Diagnosis | None:
    """Why a call failed; of up to _KEPT calls that were asked about it is known already."""
    if not capture.calls.failed[seq]:
        return None
    known: dict[int, Diagnosis | None] = capture.diagnosed
    if (found := known.get(seq)) is not None:
        return found
    found = _why(capture, seq)
    if len(known) >= _KEPT:
        known.clear()
    known[seq] = found
    return found


def brief(capture: Capture, seq: int) -> Diagnosis | None:
    """Why a call failed, with the same cause and reason as ``why`` gives: the conditions behind the one that is named are not
    looked at."""
    if not capture.calls.failed[seq]:
        return None
    found = capture.diagnosed.get(seq)
    return found if found is not None else _why(capture, seq, in_full=False)


def _why(capture: Capture, seq: int, in_full: bool = True) -> Diagnosis | None:
    asked = _asked(capture, seq)
    name, status = capture.name_text(asked), capture.status_text(seq)
    if not name.startswith("RMI_") or not status:
        return None
    revision = capture.revision.at(int(capture.calls.source[seq])).of(name)
    conditions, source = conditions_of(name, revision)
    if revision.startswith("2.") and status == _NOT_ACTIVE.status and all(f.status != status for f in conditions):
        conditions = (_NOT_ACTIVE, *conditions)
    q = Query(capture, asked, world(capture, int(capture.calls.source[seq])), conditions)
    remarks = deviations.of(name, status, source or revision, revision)
    mine = _verdicts(q, [f for f in conditions if f.status == status], in_full)
    found = Diagnosis(seq, name, status, source or revision, mine, (), remarks)
    if status in ("SMC_NOT_SUPPORTED", *_LATER) or not (in_full or found.undecided):
        return found
    elsewhere = (f for f in conditions if f.status not in (status, *_LATER))
    return replace(found, others=tuple(v for v in _verdicts(q, elsewhere, in_full) if v.holds))


def _verdicts(q: Query, conditions: Iterable[Failure], in_full: bool) -> tuple[Verdict, ...]:
    """What the trace says about each, in full or up to the first that holds."""
    out = []
    for f in conditions:
        out.append(Verdict(f, *answer(q, f)))
        if out[-1].holds and not in_full:
            break
    return tuple(out)


def _asked(capture: Capture, seq: int) -> int:
    """The command whose status a call has: of the RMI_OP_CONTINUE that ends an operation, the one that began it."""
    parent = int(capture.calls.parent[seq])
    if parent < 0 or capture.name_text(seq) != "RMI_OP_CONTINUE":
        return seq
    return parent if int(capture.operations.end(np.array([parent]))[0]) == seq else seq


def conditions_of(name: str, revision: str) -> tuple[tuple[Failure, ...], str]:
    """The conditions of a command, and the revision that they are of: the asked one, else the nearest that has it."""
    line = list(decoders.REVISIONS)
    at = line.index(revision)
    for r in (*reversed(line[: at + 1]), *line[at + 1 :]):
        try:
            return decoders.profile(r).failures(name), r
        except LookupError:
            continue
    return (), ""
