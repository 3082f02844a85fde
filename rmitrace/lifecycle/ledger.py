"""What was followed as a table: sequences with their steps and calls, and state changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .ledger_kernel import UNSAID
from .model import INCOMPLETE, OK
from .table import OUTCOMES, SequenceTable

I64 = npt.NDArray[np.int64]

_OK, _INCOMPLETE = (OUTCOMES.index(o) for o in (OK, INCOMPLETE))


@dataclass(slots=True)
class Ledger:
    """Sequences as they were found, in order of their beginning.

    words                            names of kinds and of steps
    kind, prefix, address, outcome   of each sequence
    step_of, step_name, step_outcome of each step, in order of their beginning
    """

    words: list[str]
    source: int
    kind: Any
    prefix: Any
    address: Any
    outcome: Any
    step_of: Any
    step_name: Any
    step_outcome: Any


def settled(ledger: Ledger) -> tuple[SequenceTable, I64, I64]:
    """The sequences as a table without calls, and without those that have no steps; and for each sequence and each step of the
    ledger its number in the table, -1 for those that are not in it."""
    of = ledger.step_of
    order = np.argsort(of, kind="stable")  # the steps of one sequence behind each other
    number = np.empty(len(of), dtype=np.int64)
    number[order] = np.arange(len(of))
    count = np.bincount(of, minlength=len(ledger.kind))
    used = np.flatnonzero(count)
    step_count = count[used]
    place = np.full(len(ledger.kind), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    outcome = ledger.outcome[used].astype(np.uint8)
    ended = ledger.step_outcome[order].astype(np.uint8)
    last = np.cumsum(step_count) - 1
    unsaid = ended == UNSAID
    ended[unsaid] = _OK
    ended[last] = np.where(unsaid[last] & (outcome != _OK), _INCOMPLETE, ended[last])
    kinds, kind = _named(ledger.kind[used], ledger.words)
    names, name = _named(ledger.step_name[order], ledger.words)
    table = SequenceTable(
        kinds=kinds,
        names=names,
        kind=kind,
        prefix=ledger.prefix[used].astype(np.uint8),
        address=ledger.address[used].astype(np.uint64),
        source=np.full(len(used), ledger.source, dtype=np.int16),
        outcome=outcome,
        first_step=np.concatenate([[0], np.cumsum(step_count)]),
        step_name=name,
        step_outcome=ended,
    )
    return table, place, number


def _named(values: Any, words: list[str]) -> tuple[list[str], Any]:
    """The words that are used, the first one first, and for each value the number of its word among them."""
    first = np.full(len(words), len(values), dtype=np.int64)
    first[values[::-1]] = np.arange(len(values) - 1, -1, -1)  # the first one is written last
    order = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(values))]
    place = np.zeros(len(words), dtype=np.int16)
    place[order] = np.arange(len(order))
    return [words[i] for i in order.tolist()], place[values]
