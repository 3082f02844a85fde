"""What ends the firmware: an exception in the RMM's own code, an assertion of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from decoders.esr import decode_esr

from ..capture.records import Finding
from .finding import call, some
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.marks import Mark
    from ..capture.model import Capture

RMM_CRASH = Rule(
    "RMM-CRASH",
    "error",
    "the RMM took an exception in its own code",
    "it stops there: the SMC does not return, and the CPU is lost to the host. What fails or hangs afterwards follows from it",
    "ELR_EL2 and the backtrace with addr2line over rmm.elf of that build; `rmitrace explain` of the log, which decodes ESR_EL2",
    "TF-RMM runtime/core/exceptions.c; DDI 0487 ESR_EL2",
    "reading",
)
RMM_ASSERTION = Rule(
    "RMM-ASSERTION",
    "error",
    "an assertion of the RMM does not hold",
    "an error of the RMM, not a status: it stops there, and the SMC does not return",
    "the source at that line, and the calls before it; whether the RMM is a fork",
    "TF-RMM assert()",
    "reading",
)
_ESR = re.compile(r"\bESR_EL2:\s{0,16}(?:0x)?([0-9a-fA-F]{1,16})\b")
_ASSERTION = re.compile(r"Assertion.{0,240}", re.S)


def ends(capture: Capture) -> Iterable[Finding]:
    """RMM-CRASH, RMM-ASSERTION: with the last call before it, since the call in which it happened has no row."""
    return some(_ends(capture))


def _ends(capture: Capture) -> Iterator[Finding]:
    for mark in capture.marks().of(("crash", "assert")):
        if mark.kind == "crash":
            m = _ESR.search(mark.text)
            why = f": {decode_esr(int(m[1], 16)).text}" if m is not None else ", and its dump is not in the log"
            yield _found(capture, RMM_CRASH, mark, " ".join(mark.text.splitlines()[0].split()).rstrip(":")[-80:] + why)
        elif mark.kind == "assert":
            m = _ASSERTION.search(mark.text)
            yield _found(capture, RMM_ASSERTION, mark, " ".join((m[0] if m is not None else mark.text).split())[:200])


def _found(capture: Capture, rule: Rule, mark: Mark, said: str) -> Finding:
    own = capture.of_source(mark.source).rows
    before = own[own < mark.before_call]
    calls = (int(before[-1]),) if len(before) else ()
    after = f"; the last call before it was {call(capture, calls[0])}, the one in which it happened has no row" if calls else ""
    return Finding(rule.id, "error", said + after, mark.source, mark.offset, None, calls, rule.spec)


CHECKS = (Check(ends, (RMM_CRASH, RMM_ASSERTION)),)
