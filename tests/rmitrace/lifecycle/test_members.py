from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.lifecycle import members
from rmitrace.lifecycle.ledger import Ledger, settled
from rmitrace.lifecycle.members import merged, ranges
from rmitrace.lifecycle.table import SequenceTable

Script = list[tuple[int, str, list[int]]]
"""Sequence, step, its units."""


def table_of(script: Script, kind: str) -> SequenceTable:
    """A table in which unit u is the calls 10 u and 10 u + 1."""
    ledger = Ledger()
    drafts: dict[int, Any] = {}
    for number, step, units in script:
        draft = drafts.get(number) or drafts.setdefault(number, ledger.open(f"{kind} {number}", 0, number << 12, 0))
        draft.add(step, units)
    units = np.arange(101)
    return settled(ledger, 2 * units, np.stack([10 * units, 10 * units + 1], axis=1).reshape(-1))


def told(table: SequenceTable) -> list[Any]:
    return [(q.kind, q.object, q.first, q.last, q.calls.tolist(), [(s.name, s.calls.tolist()) for s in q.steps]) for q in table]


def by_hand(script: Script, kind: str) -> list[Any]:
    """The same, sequence by sequence: a step that goes on is one step, a call is in the first step that names it."""
    out = []
    for number in dict.fromkeys(n for n, _, units in script if units):
        steps: list[tuple[str, set[int]]] = []
        seen: set[int] = set()
        for n, step, units in script:
            if n == number and units:
                calls = {10 * u + k for u in units for k in (0, 1)} - seen
                seen |= calls
                if steps and steps[-1][0] == step:
                    steps[-1][1].update(calls)
                else:
                    steps.append((step, calls))
        out.append(
            (
                f"{kind} {number}",
                f"pdev:0x{number << 12:x}",
                min(seen),
                max(seen),
                sorted(seen),
                [(s, sorted(c)) for s, c in steps],
            )
        )
    return out


scripts = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc"), st.lists(st.integers(0, 99), max_size=3)), max_size=40)


@pytest.mark.parametrize("at_once", [2, 8192])
def test_sequences_are_what_was_written_down(at_once: int) -> None:
    @given(scripts)
    def check(script: Script) -> None:
        table = table_of(script, "x")
        assert sorted(told(table)) == sorted(by_hand(script, "x"))
        assert [len(q.calls) for q in table] == [len(q.calls.tolist()) for q in table]
        assert [len(s.calls) for q in table for s in q.steps] == [len(s.calls.tolist()) for q in table for s in q.steps]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rmitrace.lifecycle.ledger.SEQUENCES_AT_ONCE", at_once)
        check()


@given(scripts, scripts)
def test_merged_tables_are_in_order_of_their_first_calls(one: Script, two: Script) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "SEQUENCES_AT_ONCE", 3)
        both = merged([table_of(one, "x"), SequenceTable(), table_of(two, "y")])
    assert sorted(told(both)) == sorted(by_hand(one, "x") + by_hand(two, "y"))
    assert [q.first for q in both] == sorted(q.first for q in both)


def test_whys_move_with_their_sequences() -> None:
    tables = []
    for unit, kind in ((5, "late"), (1, "early")):
        ledger = Ledger()
        ledger.open("nothing in it", 0, 0, 0).fail("is not shown")
        draft = ledger.open(kind, 0, 0, 0)
        draft.add("good", [unit])
        draft.add("bad", [unit + 1])
        draft.fail(f"{kind} why")
        tables.append(settled(ledger, np.arange(9), np.arange(9)))
    both = merged(tables)
    assert [(q.kind, q.outcome, q.why, [(s.name, s.outcome, s.why) for s in q.steps]) for q in both] == [
        (kind, "failed", f"{kind} why", [("good", "ok", ""), ("bad", "failed", f"{kind} why")]) for kind in ("early", "late")
    ]
    assert [q.kind for q in both.failed()] == ["early", "late"]


def test_ranges() -> None:
    assert ranges(np.array([5, 0, 9]), np.array([3, 0, 2])).tolist() == [5, 6, 7, 9, 10]
    assert ranges(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).tolist() == []
