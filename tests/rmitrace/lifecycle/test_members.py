from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.lifecycle import members
from rmitrace.lifecycle.ledger import Ledger, settled
from rmitrace.lifecycle.ledger_kernel import NOT, OPEN, UNSAID
from rmitrace.lifecycle.members import Found, merged, ranges
from rmitrace.lifecycle.table import SequenceTable
from rmitrace.lifecycle.whys import Whys

Script = list[tuple[int, str, list[int]]]
"""Sequence, step, its units."""


def ledger_of(script: Script, kinds: list[str]) -> tuple[Ledger, list[tuple[Any, Any]]]:
    """Sequences with these kinds, and in two parts the calls and the steps they are in; unit u is the calls 10 u and 10 u + 1."""
    words = [*kinds, "a", "b", "c"]
    steps: list[tuple[int, str]] = []
    now: dict[int, int] = {}
    member = []
    for number, step, units in script:
        if units and (number not in now or steps[now[number]][1] != step):
            now[number] = len(steps)
            steps.append((number, step))
        member += [(now[number], 10 * u + k) for u in units for k in (0, 1)]
    count = np.arange(len(kinds))
    ledger = Ledger(
        words, 0, count, np.zeros(len(kinds)), count.astype(np.uint64) << np.uint64(12), np.full(len(kinds), OPEN),
        np.array([n for n, _ in steps], dtype=np.int64), np.array([words.index(s) for _, s in steps], dtype=np.int64),
        np.full(len(steps), UNSAID),
    )  # fmt: skip
    some = np.array(member, dtype=np.int32).reshape(-1, 2)
    return ledger, [(part[:, 0], part[:, 1]) for part in (some[: len(some) // 3], some[len(some) // 3 :])]


def found_of(script: Script, kind: str) -> Found:
    ledger, parts = ledger_of(script, [f"{kind} {n}" for n in range(10)])
    table, _, number = settled(ledger)
    return Found(table, number, parts)


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
    @settings(deadline=None)
    @given(scripts)
    def check(script: Script) -> None:
        table = merged([found_of(script, "x")])
        assert sorted(told(table)) == sorted(by_hand(script, "x"))
        assert [len(q.calls) for q in table] == [len(q.calls.tolist()) for q in table]
        assert [len(s.calls) for q in table for s in q.steps] == [len(s.calls.tolist()) for q in table for s in q.steps]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rmitrace.lifecycle.members.SEQUENCES_AT_ONCE", at_once)
        check()


@settings(deadline=None)
@given(scripts, scripts)
def test_merged_tables_are_in_order_of_their_first_calls(one: Script, two: Script) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "SEQUENCES_AT_ONCE", 3)
        both = merged([found_of(one, "x"), Found(SequenceTable(), np.arange(0), []), found_of(two, "y")])
    assert sorted(told(both)) == sorted(by_hand(one, "x") + by_hand(two, "y"))
    assert [q.first for q in both] == sorted(q.first for q in both)


def test_whys_move_with_their_sequences() -> None:
    found = []
    for unit, kind in ((5, "late"), (1, "early")):
        ledger, parts = ledger_of([(1, "a", [unit]), (1, "b", [unit + 1])], ["nothing in it", kind])
        ledger.outcome[1], ledger.step_outcome[1] = NOT, NOT
        table, place, number = settled(ledger)
        assert (place.tolist(), number.tolist()) == ([-1, 0], [0, 1])
        table.why, table.step_why = Whys(place[1:], np.array([7]), lambda at: f"why {at}"), {1: f"{kind} step"}
        found.append(Found(table, number, parts))
    both = merged(found)
    assert [(q.kind, q.outcome, q.why, [(s.name, s.outcome, s.why) for s in q.steps]) for q in both] == [
        (kind, "failed", "why 7", [("a", "ok", ""), ("b", "failed", f"{kind} step")]) for kind in ("early", "late")
    ]
    assert [q.kind for q in both.failed()] == ["early", "late"]


def test_ranges() -> None:
    assert ranges(np.array([5, 0, 9]), np.array([3, 0, 2])).tolist() == [5, 6, 7, 9, 10]
    assert ranges(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).tolist() == []
