"""Events by key: the first of each key behind a call, for many at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.capture import open_capture
from rmitrace.diagnose import columns, world
from rmitrace.diagnose.columns import NEVER, Events
from tests.rmitrace.capture.messages.runs import CAPTURES

KEYS = st.sampled_from([0, 0x88001000, 2**64 - 1])


@given(st.lists(st.tuples(KEYS, st.integers(0, 12)), max_size=12), st.lists(st.tuples(KEYS, st.integers(0, 13)), max_size=8))
def test_behind(happened: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    events = Events((np.array([k for k, _ in happened], dtype=np.uint64), np.array([q for _, q in happened], dtype=np.int64), 0))
    found = events.behind(np.array([k for k, _ in asked], dtype=np.uint64), np.array([q for _, q in asked], dtype=np.int64))
    assert found.tolist() == [min((q for k, q in happened if k == key and q > seq), default=NEVER) for key, seq in asked]


def test_calls_of_commands_and_statuses(monkeypatch) -> None:
    """However many calls are looked at together: as the names and statuses of the calls say."""
    monkeypatch.setattr(columns, "_AT_ONCE", 10)
    capture = open_capture([str(CAPTURES / "rmm" / "tf-rmm-head-doefail6.calls.jsonl.xz")])
    of = world(capture, 0).columns
    names = [capture.name_text(q) for q in range(len(capture))]
    assert of.rows.tolist() == [q for q, n in enumerate(names) if n.startswith("RMI_")]
    wanted = ("PDEV_GET_STATE", "PDEV_STOP")
    assert of.of(*wanted).tolist() == [q for q, n in enumerate(names) if n.removeprefix("RMI_") in wanted]
    unfinished = of.with_status("RMI_INCOMPLETE").tolist()
    assert unfinished == [q for q in range(len(capture)) if capture.status_text(q) == "RMI_INCOMPLETE"]
    assert unfinished
    assert of.last_but(1) == len(capture) - 1
    assert of.last_but(len(capture) + 1) == -1
