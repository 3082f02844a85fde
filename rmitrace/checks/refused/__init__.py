"""Commands that the RMM refused, by what the host did wrong: the condition that holds decides the rule.

Of many calls that were refused alike the first are looked at in full. A call of which the trace does not tell why it was
refused is CALL-REFUSED, with what may be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import diagnose
from ...capture.records import Finding
from ...lifecycle.objects import object_text
from ..finding import MOST_FINDINGS, failures, found, more, some
from ..rule import Check, Rule
from .table import RULES, rule_of

if TYPE_CHECKING:
    from ...capture.model import Capture
    from ...diagnose import Diagnosis

CALL_REFUSED = Rule(
    "CALL-REFUSED",
    "error",
    "a command was refused, and the capture does not show which condition held",
    "what is left open, or struck, stands below: the memory that the call was given, calls before the capture began, or the "
    "firmware decide it",
    "`rmitrace check --call SEQ` for every condition; a capture with memory, from the start of the RMM on",
    "DEN0137 failure conditions",
)
_AGAIN = ("RMI_BUSY",)
"""Statuses that ask for another try: RMI-BUSY-STORM."""
_NEGOTIATES = ("RMI_VERSION",)
"""Commands that may be refused on the way to an agreement: VERSION-REFUSED."""
EACH = 64
"""Calls of one command with one status that are looked at in full."""
_PROBING = ("RMI_ERROR_RTT", "RMI_ERROR_RTT_AUX", "SMC_NOT_SUPPORTED", "RMI_BLOCKED")
"""Statuses that other rules are about: walks over tables, unknown function ids, operations that hold all contexts."""


def refused(capture: Capture) -> Iterable[Finding]:
    """One finding for each object, command and cause."""
    groups: dict[tuple[Any, ...], tuple[Rule, Diagnosis, list[int]]] = {}
    for seq in capture.ahead(looked_at(capture), brief=True):
        d = diagnose.brief(capture, seq)
        if d is None:
            continue
        source = capture.source_of(seq)
        world = diagnose.world(capture, source)
        rule = rule_of(world, d, d.cause) or CALL_REFUSED
        if rule is CALL_REFUSED and (d.status in _AGAIN or d.command in _NEGOTIATES):
            continue
        ident = d.cause.condition.id if d.cause is not None else ""
        key = (rule.id, d.command, d.status, ident, object_text(capture, seq), source)
        groups.setdefault(key, (rule, d, []))[2].append(seq)
    return some(_findings(capture, ((rule, d, calls, about) for (*_, about, _), (rule, d, calls) in groups.items())))


def looked_at(capture: Capture) -> list[int]:
    """Failed RMI calls, at most EACH of a command and status, ascending."""
    skip = [i for i, s in enumerate(capture.statuses) if s in _PROBING]
    rmi = [i for i, n in enumerate(capture.names) if n.startswith("RMI_")]
    rows, name, status = failures(capture)
    mine = (status >= 0) & ~np.isin(status, skip) & np.isin(name, rmi)
    rows, name, status = rows[mine], name[mine], status[mine]
    if not len(rows):
        return []
    pair = name.astype(np.int64) * (len(capture.statuses) + 1) + status
    order = np.argsort(pair, kind="stable")
    starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
    return sorted(int(r) for part in np.split(rows[order], starts[1:]) for r in part[:EACH])


def _findings(capture: Capture, groups: Iterable[tuple[Rule, Diagnosis, list[int], str | None]]) -> Iterator[Finding]:
    """A finding for each; of those that are only counted no more than the call."""
    told: Counter[str] = Counter()
    for rule, d, calls, about in groups:
        told[rule.id] += 1
        if told[rule.id] > MOST_FINDINGS:
            yield Finding(rule.id, rule.severity, "", calls=(calls[0],))
            continue
        text = f"{d.command} returned {d.status}: {d.reason}"
        evidence = [c for c in (d.cause.calls if d.cause is not None else ()) if c not in calls]
        yield found(rule, capture, text + more(len(calls)), [*calls, *evidence], object=about)


CHECKS = (Check(refused, (*RULES, CALL_REFUSED)),)
