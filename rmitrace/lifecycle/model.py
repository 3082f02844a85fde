"""Words of a life cycle: state changes, steps and sequences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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


@dataclass(slots=True)
class Draft:
    """A sequence being put together."""

    kind: str
    object: str
    source: int
    outcome: str = INCOMPLETE
    why: str = ""
    steps: list[tuple[str, list[int]]] = field(default_factory=list)
    ends: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Number of a step -> its outcome and why."""

    def add(self, step: str, rows: list[int]) -> None:
        """Put rows into a step, the last one where it has that name, else a new one."""
        if not rows:
            return
        if self.steps and self.steps[-1][0] == step:
            self.steps[-1][1].extend(rows)
        else:
            self.steps.append((step, list(rows)))

    def end_step(self, outcome: str, why: str = "", step: int = -1) -> None:
        """Say how a step ended (the last one unless told); a failure is not taken back by what follows."""
        at = len(self.steps) - 1 if step < 0 else step
        if at >= 0 and self.ends.get(at, ("", ""))[0] != FAILED:
            self.ends[at] = (outcome, why)

    def fail(self, why: str) -> None:
        """The last step failed, and with it the sequence; the first reason stays in front."""
        self.end_step(FAILED, why)
        self.outcome = FAILED
        if why and why not in self.why:
            self.why = f"{self.why}; then {why}" if self.why else why

    def finish(self, times: Any, durations: Any, no_time: int) -> Sequence:
        """The sequence. ``times`` and ``durations``: ns by call number, durations -1 where unknown."""
        steps = []
        members: set[int] = set()
        for i, (name, rows) in enumerate(self.steps):
            ordered = sorted(set(rows))
            members.update(ordered)
            outcome, why = self.ends.get(i, (OK if self.outcome == OK or i + 1 < len(self.steps) else INCOMPLETE, ""))
            steps.append(Step(name, ordered[0], ordered[-1], outcome, why, np.array(ordered, dtype=np.int64)))
        calls = np.array(sorted(members), dtype=np.int64)
        start, end = int(times[calls[0]]), int(times[calls[-1]])
        return Sequence(
            self.kind,
            self.object,
            int(calls[0]),
            int(calls[-1]),
            None if start == no_time else start,
            None if end == no_time else end + max(int(durations[calls[-1]]), 0),
            self.outcome,
            tuple(steps),
            self.why,
            self.source,
            calls,
        )
