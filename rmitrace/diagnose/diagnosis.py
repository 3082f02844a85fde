"""What is known of why a call failed: the conditions of its status, each held, struck or left open, and the one to name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from decoders.abi import Failure

_MARK = {True: "+", False: "-", None: "?"}
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
