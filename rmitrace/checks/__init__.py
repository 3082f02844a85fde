"""What a capture says went wrong: a registry of rules, and the checks that make their findings.

    run(capture)          every finding of the checks; ``Capture.findings`` has those of the reading in front of them
    RULES, rule(id)       the rules: why it is wrong, what to look at next, where it stands

A check is a function from a capture to findings. It stands in the module of its subject, with ``CHECKS`` at the end that
says which rules its findings are of; a new module has to be named in ``_MODULES``. What is not in the registry cannot be
found: see ``Check``.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from ..capture.freeing import give_back, trim
from ..capture.records import Finding
from . import (
    catalogue,
    certificates,
    communicate,
    firmware,
    granules,
    ide,
    kept,
    operations,
    outcomes,
    parameters,
    proofs,
    reading,
    refused,
    sides,
    skew,
    spdm,
    storms,
    stream_waits,
    tdisp,
    transactions,
    unfinished,
    versions,
)
from .rule import NEEDS, Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

__all__ = ["CHECKS", "NEEDS", "RULES", "Check", "Rule", "catalogue", "chosen", "matching", "rule", "run"]

_MANY = 1 << 20
"""Calls from which on memory is saved."""
_MODULES: tuple[ModuleType, ...] = (
    *(versions, transactions, communicate, refused, parameters, operations, granules, unfinished, stream_waits),
    *(firmware, skew, sides, spdm, proofs, certificates, ide, kept, tdisp, outcomes, storms),
)
"""In the order in which findings about one place are shown."""

CHECKS: tuple[Check, ...] = (Check(spdm.problems, ()), *(c for m in _MODULES for c in m.CHECKS))
"""Every check; one without rules says what the reading of the messages has to say."""

_ALONE = (*skew.CHECKS, *storms.CHECKS)
"""Those that do not ask what a source tells of the state of things, and need memory of their own: run before that is known."""

RULES = MappingProxyType({r.id: r for r in (*reading.RULES, *(r for c in CHECKS for r in c.rules))})
"""The rules by id."""


def rule(id: str) -> Rule:
    """The rule of a finding. Raises KeyError for one that is in no registry (a format of a third party's)."""
    return RULES[id]


def matching(patterns: list[str]) -> set[str]:
    """The ids that one of the patterns names: shell globs, in any case."""
    return {id for id in RULES for p in patterns if fnmatchcase(id, p.upper())}


def run(capture: Capture) -> list[Finding]:
    """The findings of every check, by the place that they are about: the first call, else the order of the checks."""
    if len(capture) >= _MANY:  # followed before the rules fill the memory with what they look at
        _ = capture.sequences
        give_back()
    return _in_order(list(_all(capture)))


def chosen(capture: Capture, ids: set[str]) -> list[Finding]:
    """The findings of some rules, those of the reading among them; only the checks that have such a rule are run."""
    found = capture.reading + _in_order(list(_all(capture, ids)))
    return [f for f in found if f.rule in ids]


def _all(capture: Capture, ids: Container[str] = RULES) -> Iterator[Finding]:
    found: dict[int, list[Finding]] = {}
    for i in sorted(range(len(CHECKS)), key=lambda i: i > 0 and CHECKS[i] not in _ALONE):
        check = CHECKS[i]
        if not check.rules or any(r.id in ids for r in check.rules):
            found[i] = list(check.run(capture))
            if len(capture) >= _MANY:
                trim()
    for i in range(len(CHECKS)):
        yield from found.pop(i, ())


def _in_order(found: list[Finding]) -> list[Finding]:
    """By place. What is wrong with a message that a failed transaction was about follows that transaction, and is said there."""
    failed = {c: f for f in found if f.rule == transactions.COMM_FAILED.id for c in f.calls}
    about = [f for f in found if f.calls and f.calls[0] in failed and f.severity == "error" and _of_messages(f)]
    for f in about:
        whole = failed[f.calls[0]]
        i = next(i for i, x in enumerate(found) if x.calls == whole.calls and x.rule == whole.rule)
        if f.message not in found[i].message:
            found[i] = replace(found[i], message=f"{found[i].message}; {f.message}")
    moved = {id(f): failed[f.calls[0]].calls[0] for f in about}
    return sorted(found, key=lambda f: moved.get(id(f), _place(f)))


def _of_messages(f: Finding) -> bool:
    rule = RULES.get(f.rule)
    return rule is not None and rule.needs == "messages"


def _place(f: Finding) -> int:
    return f.calls[0] if f.calls else 1 << 62
