"""What is said of the failures of devices: how a sequence failed and each of its steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import codes
from .ledger_kernel import AT, IN, IN_STEP, WHAT
from .operations import operations
from .refusals import why_refused
from .table import PREFIXES, object_text

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]

_ENOUGH_SAID = 600
"""Characters of a sequence's why behind which further failures add nothing to it."""
_KEPT = 64
"""Sequences whose reasons are kept once they were asked for."""
_ALIKE = 4096
"""Failures that differ in more than the call of which what is said is kept."""
_TOLD = (codes.REFUSED, codes.REFUSED_STREAM, codes.WRONG_STREAM, codes.BAD_STATE, codes.GAVE_UP)
"""Failures of which the log, or the device, may have said more."""
_PDEV, _VDEV = PREFIXES.index("pdev"), PREFIXES.index("vdev")


class Failures:
    """The failures of one source, sequence by sequence and in their order.

    fault     of each what ledger_kernel keeps of it
    words     the names of steps; states: those of states
    address   of each device
    reasons   what the firmware said between two calls (marks)
    """

    def __init__(
        self, capture: Capture, source: int, fault: Any, words: list[str], states: list[str], address: Any,
        reasons: Callable[[int, int], str],
    ) -> None:  # fmt: skip
        self.fault = fault[np.argsort(fault[:, IN], kind="stable")]
        self._of = np.ascontiguousarray(self.fault[:, IN])
        self._capture, self._words, self._states, self._address, self._reasons = capture, words, states, address, reasons
        self._revision = capture.revision.at(source).device
        self._whole, self._plain = lru_cache(_KEPT)(self._tell), lru_cache(_ALIKE)(self._said)
        self._statuses = [*capture.statuses, ""]  # -1, no status, is the last one

    def steps(self) -> tuple[I64, I64]:
        """The steps that failed, and of each the failure."""
        at = np.flatnonzero(self.fault[:, IN_STEP] >= 0)
        return self.fault[at, IN_STEP].astype(np.int64), at

    def sequences(self) -> tuple[I64, I64]:
        """The sequences that failed, and of each the first of its failures."""
        at = np.flatnonzero(self.fault[:, WHAT] != codes.NOT_ABORTED)
        numbers, first = np.unique(self.fault[at, IN], return_index=True)
        return numbers.astype(np.int64), at[first]

    def of_sequence(self, first: int) -> str:
        """Why a sequence failed: the first reason stands in front."""
        return self._whole(first)[0]

    def of_step(self, at: int) -> str:
        """Why a step failed; nothing where enough was said of its sequence before."""
        first = int(np.searchsorted(self._of, self._of[at]))
        return "" if at in self._whole(first)[1] else self.said(at)

    def _tell(self, first: int) -> tuple[str, frozenset[int]]:
        """Why the sequence failed that a failure is of, and which of the failures behind it add nothing to that."""
        why, unsaid = "", []
        for at in range(first, int(np.searchsorted(self._of, self._of[first], "right"))):
            if self.fault[at, WHAT] == codes.NOT_ABORTED:
                continue
            if self.fault[at, WHAT] == codes.REFUSED and len(why) > _ENOUGH_SAID:
                unsaid.append(at)
                continue
            said = self.said(at)
            if said not in why:
                why = f"{why}; then {said}" if why else said
        return why, frozenset(unsaid)

    @cached_property
    def _ended(self) -> tuple[Any, Any]:
        """Of each failure the name of its call, and the status that this ended with."""
        call, which = np.unique(self.fault[:, AT].astype(np.int64), return_inverse=True)
        calls = self._capture.calls
        return calls.name[call][which], calls.status[operations(self._capture).end(call)][which]

    def said(self, at: int) -> str:
        """What is said of one failure."""
        _, _, what, call, state, bad, since, by = self.fault[at].tolist()
        names, statuses = self._ended
        text, behind = self._plain(what, int(names[at]), int(statuses[at]), state, bool(bad), by)
        if what in _TOLD:
            return f"{text}{self._reasons(since, call)}"
        if what == codes.NOT_GIVEN_BACK:
            page = int(self._capture.regs(np.array([call]), 1)[0][0])
            return f"{text}{page:x}{behind}"
        return text

    def _said(self, what: int, name_number: int, status_number: int, state: int, bad: bool, by: int) -> tuple[str, str]:
        """What is said of all failures that are alike but for the call; and what behind the page that the call names, where that
        is told."""
        name, status = self._capture.names[name_number], self._statuses[status_number]
        why = why_refused(name, status, self._states[state] if state >= 0 else None, bad, self._revision)
        if what == codes.REFUSED and by:
            why = f": {self._object(_VDEV, by)} of it has not been destroyed"
        match what:
            case codes.REFUSED:
                text = f"{name} returned {status or 'an error'}{why}"
            case codes.WRONG_STREAM:
                text = f"{name} of {self._object(_PDEV, by)} returned {status}"
            case codes.BAD_STATE:
                text = f"{name} gives {name[4:8]}_ERROR"
            case codes.WENT_ON:
                text = f"the host went on to {name} before the device was connected"
            case codes.GAVE_UP:
                text = f"the host gave up the {self._words[by] if by >= 0 else ''} step with {name}"
            case codes.NOT_GIVEN_BACK:
                return f"{name} of 0x", f" returned {status}{why}"
            case _:
                text = f"{name} returned {status}{why}"
        return text, ""

    def _object(self, prefix: int, device: int) -> str:
        return object_text(prefix, int(self._address[device]) & 0xFFFFFFFFFFFFFFFF)
