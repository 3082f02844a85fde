from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture.packed import Column
from rmitrace.lifecycle import table as tables
from rmitrace.lifecycle.members import table_of
from rmitrace.lifecycle.model import FAILED, INCOMPLETE, OK, Sequence, StateChange, Step
from rmitrace.lifecycle.table import Members, StateTable, merged_states, object_number, object_text


@pytest.mark.parametrize("text", ["pdev:0x88001000", "vdev:0x0", "realm:0xffffffffffffffff", "stream", ""])
def test_objects_by_number(text: str) -> None:
    assert object_text(*object_number(text)) == text


@pytest.mark.parametrize("text", ["granule:0x1000", "pdev", "stream:0x1", "rec"])
def test_what_is_no_object_of_a_sequence(text: str) -> None:
    assert object_number(text) == (-1, 0)


def test_members_read_like_an_array() -> None:
    rows, steps = Column(np.int64, [3, 5, 8, 13, 21]), Column(np.int32, [0, 0, 1, 1, 2])
    some = Members(rows, 1, 4)
    assert (len(some), some[0], some[-1], list(some), some[1:].tolist()) == (3, 5, 13, [5, 8, 13], [8, 13])
    with pytest.raises(IndexError):
        some[3]
    step = Members(rows, 1, 4, steps, 1, 2)
    assert (len(step), step[0], step.tolist()) == (2, 8, [8, 13])
    flags = np.zeros(30, dtype=bool)
    flags[some] = True
    assert np.flatnonzero(flags).tolist() == [5, 8, 13]


def test_sequences_read_many_at_once_are_those_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [
        Sequence("connect", "pdev:0x1000", 0, 4, 100, 508, OK, (Step("create", 0, 1, OK), Step("session", 2, 4, OK)), "", 0),
        Sequence("connect", "pdev:0x2000", 1, 3, 201, 401, FAILED, (Step("create", 1, 3, FAILED, "refused"),), "at create", 1),
        Sequence("disconnect", "stream", 5, 5, 600, 608, INCOMPLETE, (Step("stop", 5, 5, INCOMPLETE),), "", 0),
    ]
    table = table_of(given)
    table.ts, table.dur = np.array([100, 201, 300, 401, 500, 600]), np.array([8, 8, 8, -1, 8, 8])
    for at_once in (512, 2, 1):
        monkeypatch.setattr(tables, "_AT_ONCE", at_once)
        assert list(table) == given
    assert [table[i] for i in range(-3, 3)] == given * 2
    assert [table.step(0, 1), table.step(1, 0)] == [given[0].steps[1], given[1].steps[0]]


def states(*changes: tuple[int, int, str | None, str]) -> StateTable:
    names = sorted({s for *_, frm, to in changes for s in (frm, to) if s is not None})
    address, call, frm, to = zip(*((a, c, names.index(f) if f else -1, names.index(t)) for a, c, f, t in changes), strict=True)
    return StateTable(
        names, np.zeros(len(changes), np.uint8), np.array(address, np.uint64), np.array(call), np.array(frm, np.int16),
        np.array(to, np.int16), np.zeros(len(changes), bool),
    )  # fmt: skip


def test_states_of_an_object_and_of_a_call() -> None:
    one, two = (
        states((0x1000, 1, None, "NEW"), (0x1000, 7, "NEW", "READY")),
        states((0x2000, 3, None, "NEW"), (0x3000, 7, "A", "B")),
    )
    all_ = merged_states([one, two], np.arange(10) * 100)
    assert [s.call for s in all_] == [1, 3, 7, 7]
    assert all_.at(7) == [
        StateChange("pdev:0x1000", 700, "NEW", "READY", 7, False),
        StateChange("pdev:0x3000", 700, "A", "B", 7, False),
    ]
    assert all_.at(2) == []
    assert all_.of("pdev:0x1000").tolist() == [0, 2]
    assert all_.of("vdev:0x1000").tolist() == all_.of("granule:0x1000").tolist() == []
    assert all_[1].frm is None
