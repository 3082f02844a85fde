"""The calls on devices, sorted by device: however many rows are looked at together."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture import open_capture
from rmitrace.diagnose import sorting, table, world
from tests.rmitrace.capture.messages.runs import CAPTURES


@pytest.mark.parametrize("rows", [1, 40, 1 << 18])
def test_parts_are_of_whole_devices(monkeypatch, rows) -> None:
    """Every call on a PDEV, by its address and then in order, as the calls themselves name it."""
    monkeypatch.setattr(table, "_PART", rows)
    monkeypatch.setattr(sorting, "AT_ONCE", 16)
    monkeypatch.setattr(sorting, "RUN", 64)
    capture = open_capture([str(CAPTURES / "rmm" / "tf-rmm-head-nominal.calls.jsonl.xz")])
    devices = world(capture, 0).pdevs
    calls = [capture.call(q) for q in range(len(capture))]
    named = ("pdev_ptr", "pdev_1_ptr", "pdev_2_ptr")
    wanted = {(a.value, c.seq) for c in calls if (c.name or "").startswith("RMI_PDEV_") for a in c.args if a.name in named}
    parts = list(devices.parts())
    found = [pair for t in parts for pair in zip(t.key.tolist(), t.seq.tolist(), strict=True)]
    assert found == sorted(found)
    assert wanted <= set(found)
    assert all(capture.name_text(q) == "RMI_PDEV_STREAM_CONNECT" for _, q in set(found) - wanted)  # in its parameter page
    keys = [set(t.key.tolist()) for t in parts]
    assert sum(map(len, keys)) == len(set().union(*keys))
    assert (len(parts) == 1) == (rows > len(found))
    for t in parts:
        assert [f"RMI_{t.commands[i]}" for i in t.command.tolist()] == [calls[q].name for q in t.seq.tolist()]
        assert t.first.tolist() == [i == 0 or t.key[i] != t.key[i - 1] for i in range(len(t))]
        read = [next((r.value for r in calls[q].results if r.name == "state"), -1) for q in t.seq.tolist()]
        assert t.state.tolist() == read
    for device in set().union(*keys):
        assert devices.of(device).seq.tolist() == [q for d, q in found if d == device]
    assert not len(devices.of(1))
    assert not len(devices.of(max(set().union(*keys)) + 1))


def test_states_that_are_no_small_numbers(monkeypatch) -> None:
    """They are read again from the records."""
    monkeypatch.setattr(table, "_WIDE", 2)
    capture = open_capture([str(CAPTURES / "rmm" / "tf-rmm-head-nominal.calls.jsonl.xz")])
    for t in world(capture, 0).pdevs.parts():
        reads = np.flatnonzero(t.is_a("PDEV_GET_STATE") & t.ok)
        value, _known = capture.regs(t.seq[reads], 1, out=True)
        assert t.state[reads].tolist() == value.tolist()
        assert (t.state[reads] > 2).any()
