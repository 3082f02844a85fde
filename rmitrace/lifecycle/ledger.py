"""Where sequences are put together: flat arrays that grow, so that one that is over costs no object."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .members import SEQUENCES_AT_ONCE, fill_members, ranges
from .model import FAILED, INCOMPLETE, OK
from .table import OUTCOMES, SequenceTable, StateTable

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

_OK, _FAILED, _INCOMPLETE = (OUTCOMES.index(o) for o in (OK, FAILED, INCOMPLETE))
_UNSAID = len(OUTCOMES)
"""How a step ended that nothing was said of."""


class Ledger:
    """Sequences, steps and state changes as they are found.

    A member of a step is a unit: one call or several, numbered in their order.
    """

    def __init__(self) -> None:
        self.kinds: dict[str, int] = {}
        self.names: dict[str, int] = {}
        self.states: dict[str, int] = {}
        self.kind, self.source, self.outcome = array("h"), array("h"), array("B")
        self.object: tuple[array[int], array[int]] = (array("B"), array("Q"))
        self.why: dict[int, str] = {}
        self.step_of, self.step_name, self.step_outcome = array("q"), array("h"), array("B")
        self.step_why: dict[int, str] = {}
        self.member_step, self.member = array("I"), array("I")
        self.change: tuple[array[int], ...] = (array("B"), array("Q"), array("q"), array("h"), array("h"), array("B"))

    def open(self, kind: str, prefix: int, address: int, source: int) -> Draft:
        """A new sequence."""
        self.kind.append(self.kinds.setdefault(kind, len(self.kinds)))
        self.object[0].append(prefix)
        self.object[1].append(address)
        self.source.append(source)
        self.outcome.append(_INCOMPLETE)
        return Draft(self, len(self.kind) - 1, kind)

    def changed(self, prefix: int, address: int, call: int, frm: str | None, to: str, inferred: bool) -> None:
        """An object went to another state."""
        names = self.states
        values = (
            prefix,
            address,
            call,
            -1 if frm is None else names.setdefault(frm, len(names)),
            names.setdefault(to, len(names)),
        )
        for column, value in zip(self.change, (*values, inferred), strict=True):
            column.append(value)


class Draft:
    """A sequence being put together."""

    __slots__ = ("_at", "_ledger", "kind", "name", "number", "step_first", "why")

    def __init__(self, ledger: Ledger, number: int, kind: str) -> None:
        self._ledger, self.number, self.kind = ledger, number, kind
        self.why = ""
        self.name: str | None = None
        """The last step; None where there is none yet."""
        self.step_first = -1
        """The first unit of the last step."""
        self._at = -1

    @property
    def outcome(self) -> str:
        """'ok', 'failed' or 'incomplete'."""
        return OUTCOMES[self._ledger.outcome[self.number]]

    @outcome.setter
    def outcome(self, outcome: str) -> None:
        self._ledger.outcome[self.number] = OUTCOMES.index(outcome)

    def add(self, step: str, units: list[int]) -> None:
        """Put units into a step, the last one where it has that name, else a new one."""
        if not units:
            return
        ledger = self._ledger
        if self.name != step:
            self.name, self._at, self.step_first = step, len(ledger.step_of), units[0]
            ledger.step_of.append(self.number)
            ledger.step_name.append(ledger.names.setdefault(step, len(ledger.names)))
            ledger.step_outcome.append(_UNSAID)
        for unit in units:
            ledger.member_step.append(self._at)
            ledger.member.append(unit)

    def end_step(self, outcome: str, why: str = "") -> None:
        """Say how the last step ended; a failure is not taken back by what follows."""
        ledger = self._ledger
        if self._at >= 0 and ledger.step_outcome[self._at] != _FAILED:
            ledger.step_outcome[self._at] = OUTCOMES.index(outcome)
            if why:
                ledger.step_why[self._at] = why

    def fail(self, why: str) -> None:
        """The last step failed, and with it the sequence; the first reason stays in front."""
        self.end_step(FAILED, why)
        self.outcome = FAILED
        if why and why not in self.why:
            self.why = f"{self.why}; then {why}" if self.why else why
            self._ledger.why[self.number] = self.why


def settled(ledger: Ledger, unit_start: Any, unit_rows: Any) -> SequenceTable:
    """The sequences as a table, without those that have no steps.

    The calls of unit i are ``unit_rows[unit_start[i] : unit_start[i + 1]]``.
    """
    of = _array(ledger.step_of, np.int64)
    order = np.argsort(of, kind="stable")  # the steps of one sequence behind each other
    number = np.empty(len(of), dtype=np.int64)
    number[order] = np.arange(len(of))
    used, step_count = np.unique(of, return_counts=True)
    outcome = _array(ledger.outcome, np.uint8)[used]
    ended = _array(ledger.step_outcome, np.uint8)[order]
    last = np.cumsum(step_count) - 1
    unsaid = ended == _UNSAID
    ended[unsaid] = _OK
    ended[last] = np.where(unsaid[last] & (outcome != _OK), _INCOMPLETE, ended[last])
    place = {k: int(np.searchsorted(used, k)) for k in ledger.why}
    table = SequenceTable(
        kinds=list(ledger.kinds),
        names=list(ledger.names),
        kind=_array(ledger.kind, np.int16)[used],
        prefix=_array(ledger.object[0], np.uint8)[used],
        address=_array(ledger.object[1], np.uint64)[used],
        source=_array(ledger.source, np.int16)[used],
        outcome=outcome,
        first_step=np.concatenate([[0], np.cumsum(step_count)]),
        step_name=_array(ledger.step_name, np.int16)[order],
        step_outcome=ended,
        why={place[k]: v for k, v in ledger.why.items() if place[k] < len(used) and used[place[k]] == k},
        step_why={int(number[k]): v for k, v in ledger.step_why.items()},
    )
    step = number.astype(np.uint32)[_array(ledger.member_step, np.uint32)]
    order = np.argsort(step, kind="stable")
    step, unit = step[order], _array(ledger.member, np.uint32)[order]
    del order
    fill_members(table, _members(table, step, unit, unit_start, unit_rows))
    return table


def _members(table: SequenceTable, step: U32, unit: U32, unit_start: I64, unit_rows: I64) -> Iterator[tuple[I64, I64]]:
    """Step and number of each call of some sequences at a time; ``step`` and ``unit``: what is in the steps, by step."""
    for begin in range(0, len(table), SEQUENCES_AT_ONCE):
        steps = table.first_step[[begin, min(begin + SEQUENCES_AT_ONCE, len(table))]]
        part = slice(*np.searchsorted(step, steps).tolist())
        size = unit_start[unit[part] + 1] - unit_start[unit[part]]
        yield np.repeat(step[part].astype(np.int64), size), unit_rows[ranges(unit_start[unit[part]], size)]


def states_of(ledger: Ledger) -> StateTable:
    """The state changes as a table, in the order in which they were written down."""
    dtypes = (np.uint8, np.uint64, np.int64, np.int16, np.int16, np.uint8)
    prefix, address, call, frm, to, inferred = (_array(c, t) for c, t in zip(ledger.change, dtypes, strict=True))
    return StateTable(list(ledger.states), prefix, address, call, frm, to, inferred != 0)


def _array(values: array[Any], dtype: Any) -> Any:
    return np.frombuffer(values, dtype=dtype).copy() if len(values) else np.zeros(0, dtype=dtype)
