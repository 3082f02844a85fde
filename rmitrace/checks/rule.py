"""What a rule is: its texts, which hold for all of its findings, and the check that makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..capture.records import Finding

if TYPE_CHECKING:
    from ..capture.model import Capture

NEEDS = {
    "reading": "said by the reading of the files",
    "calls": "registers of the calls",
    "memory": "memory recorded with the calls",
    "times": "time stamps",
    "messages": "messages to and from the device",
}
"""What of a capture a rule is told from; where a capture has none of it, the rule is silent."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. Its findings say what was seen, the rule why that is wrong.

    id        stable, 'COMM-REQUEST-LOST'
    severity  the gravest that its findings have: 'error', 'warning' or 'note'
    title     what is seen, in half a sentence
    why       why that is wrong, or why it is worth saying
    next      what to look at next
    spec      where it stands; a finding may say so more closely
    needs     a key of NEEDS
    """

    id: str
    severity: str
    title: str
    why: str
    next: str
    spec: str
    needs: str = "calls"


class Check(NamedTuple):
    """A function from a capture to findings, and the rules that these are of."""

    run: Callable[[Capture], Iterable[Finding]]
    rules: tuple[Rule, ...]
