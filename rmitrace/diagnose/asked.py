"""What is asked about a failed call: its command, and the conditions that decide between its status and others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

import decoders
from decoders.abi import Failure

from . import deviations
from .diagnosis import Diagnosis, Verdict

if TYPE_CHECKING:
    from ..capture.model import Capture

_NOT_ACTIVE = Failure("rmm_state", "RMI_ERROR_GLOBAL", "RMM not ACTIVE (checked before the handler runs)", "TF-RMM HEAD")
"""Of every command of 2.0 but a few; not all lists have it."""
_LATER = ("RMI_BUSY", "RMI_BLOCKED")
"""Statuses that say to try again: what stands behind them is no reason for another one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that failed with a status, and the command that this is the status of.

    seq       the command; failed: the call that returned its status
    revision  that the conditions are of; spoken: that of the call
    own       the conditions with this status, in the order in which the source of the list checks them
    elsewhere those with other statuses that can say something about this call
    """

    seq: int
    failed: int
    command: str
    status: str
    revision: str
    spoken: str
    conditions: tuple[Failure, ...]
    own: tuple[Failure, ...]
    elsewhere: tuple[Failure, ...]

    def diagnosis(self, verdicts: tuple[Verdict, ...], others: tuple[Verdict, ...] = ()) -> Diagnosis:
        """What the verdicts on ``own`` and ``elsewhere`` make of it."""
        remarks = deviations.of(self.command, self.status, self.revision, self.spoken)
        return Diagnosis(self.failed, self.command, self.status, self.revision, verdicts, others, remarks)


def asked(capture: Capture, seq: int) -> Asked | None:
    """What is asked about a failed call, None where no conditions of it are known."""
    command = _command(capture, seq)
    name, status = capture.name_text(command), capture.status_text(seq)
    if not name.startswith("RMI_") or not status:
        return None
    spoken = capture.revision.at(capture.source_of(seq)).of(name)
    return Asked(command, seq, name, status, *_lists(name, status, spoken))


@lru_cache(maxsize=512)
def _lists(name: str, status: str, spoken: str) -> tuple[str, str, tuple[Failure, ...], tuple[Failure, ...], tuple[Failure, ...]]:
    """The fields of Asked from ``revision`` on."""
    conditions, source = conditions_of(name, spoken)
    if spoken.startswith("2.") and status == _NOT_ACTIVE.status and all(f.status != status for f in conditions):
        conditions = (_NOT_ACTIVE, *conditions)
    own = tuple(f for f in conditions if f.status == status)
    passing = status in ("SMC_NOT_SUPPORTED", *_LATER)
    elsewhere = () if passing else tuple(f for f in conditions if f.status not in (status, *_LATER))
    return source or spoken, spoken, conditions, own, elsewhere


def _command(capture: Capture, seq: int) -> int:
    """The command whose status a call has: of the RMI_OP_CONTINUE that ends an operation, the one that began it."""
    parent = capture.parent_of(seq)
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
