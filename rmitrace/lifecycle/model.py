"""Words of a life cycle: state changes, steps and sequences."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

OK, FAILED, INCOMPLETE = "ok", "failed", "incomplete"


@dataclass(frozen=True, slots=True)
class StateChange:
    """An object went from one state to another. ``inferred``: told by the success of a command, not read back."""

    object: str
    ts_ns: int | None
    frm: str | None
    to: str
    call: int
    inferred: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a sequence with a purpose: rows ``first`` to ``last`` (call numbers), how it ended and why."""

    name: str
    first: int
    last: int
    outcome: str
    why: str = ""
    calls: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64), compare=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A span with a purpose.

    kind       'connect', 'disconnect', 'key refresh', 'attach', 'lock', 'start', 'unlock', 'detach', 'realm build', ...
    object     'pdev:0x49500000'
    outcome    'ok', 'failed' or 'incomplete' (the capture ends before it does)
    why        for a failed one: at which step and why; unescaped
    calls      its call numbers, ascending
    """

    kind: str
    object: str
    first: int
    last: int
    start_ns: int | None
    end_ns: int | None
    outcome: str
    steps: tuple[Step, ...]
    why: str
    source: int
    calls: npt.NDArray[np.int64] = field(compare=False, default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def title(self) -> str:
        """'connect pdev:0x49500000: failed at session'."""
        text = f"{self.kind} {self.object}"
        if self.outcome == OK:
            return f"{text}: ok"
        bad = next((s.name for s in self.steps if s.outcome == FAILED), "")
        return f"{text}: {self.outcome}" + (f" at {bad}" if bad else "")
