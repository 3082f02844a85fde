"""Why a call failed: the conditions of its status, each held, struck or left open by what the trace shows.

    why(capture, seq)    a Diagnosis, None for a call that did not fail or of which no conditions are known
    brief(capture, seq)  the same with no more conditions than its sentence needs

The conditions are those of the command and revision (decoders.rmi.conditions); the state of the objects comes from the calls
before it in the same source (``World``), parameters from the registers and from recorded memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from decoders.abi import Failure

from .asked import asked, conditions_of
from .conditions import answer
from .diagnosis import Diagnosis, Verdict, sentence
from .query import Query
from .world import World

if TYPE_CHECKING:
    from ..capture.model import Capture

__all__ = ["Diagnosis", "Verdict", "World", "brief", "conditions_of", "runs", "sentence", "why", "world"]

_KEPT = 8192
"""Calls of a capture whose reasons are kept."""


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
    """Why a call failed; of up to _KEPT calls that were asked about, and of those of which an index knows it, it is known
    already."""
    if not capture.calls.failed[seq]:
        return None
    known: dict[int, Diagnosis | None] = capture.diagnosed
    if (found := known.get(seq)) is not None:
        return found
    if capture.worked_out("reasons"):
        found = capture.reasons.of(capture, seq)
    found = found or _why(capture, seq)
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
    a = asked(capture, seq)
    if a is None:
        return None
    q = Query(capture, a.seq, world(capture, capture.source_of(seq)), a.conditions)
    found = a.diagnosis(_verdicts(q, a.own, in_full))
    if not (in_full or found.undecided):
        return found
    return replace(found, others=tuple(v for v in _verdicts(q, a.elsewhere, in_full) if v.holds))


def _verdicts(q: Query, conditions: Iterable[Failure], in_full: bool) -> tuple[Verdict, ...]:
    """What the trace says about each, in full or up to the first that holds."""
    out = []
    for f in conditions:
        out.append(Verdict(f, *answer(q, f)))
        if out[-1].holds and not in_full:
            break
    return tuple(out)
