"""The calls of commands, what was in their registers, and whether they did what they were made for."""

from __future__ import annotations

from rmitrace.capture import open_capture
from rmitrace.diagnose import columns, world
from tests.rmitrace.capture.messages.runs import CAPTURES


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


def test_arguments_of_calls_that_worked(monkeypatch) -> None:
    """Of several groups of commands at once as of each call by itself."""
    monkeypatch.setattr(columns, "_AT_ONCE", 10)
    capture = open_capture([str(CAPTURES / "rmm" / "tf-rmm-head-doefail6.calls.jsonl.xz")])
    of = world(capture, 0).columns
    groups = ((("PDEV_GET_STATE", "PDEV_STOP"), ("pdev_ptr",)), (("GRANULE_DELEGATE",), ("addr",)), (("RTT_CREATE",), ("none",)))
    for (commands, names), (value, end) in zip(groups, of.done_each(groups), strict=True):
        calls = [capture.call(q) for q in range(len(capture)) if capture.name_text(q).removeprefix("RMI_") in commands]
        worked = [c for c in calls if c.status == "RMI_SUCCESS"]
        assert value.tolist() == [a.value for c in worked for a in c.args if a.name in names]
        assert end.tolist() == [c.seq for c in worked if any(a.name in names for a in c.args)]
    assert any(len(value) for value, _ in of.done_each(groups))
