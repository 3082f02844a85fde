"""The calls of commands, what was in their registers, and whether they did what they were made for."""

from __future__ import annotations

import pytest

from rmitrace.capture import Capture, open_capture
from rmitrace.diagnose import columns, gathered, world
from tests.rmitrace.capture.messages.runs import CAPTURES

_RUN = CAPTURES / "rmm" / "tf-rmm-head-doefail6.calls.jsonl.xz"


@pytest.fixture
def capture(monkeypatch) -> Capture:
    """However many calls are looked at together."""
    monkeypatch.setattr(columns, "_AT_ONCE", 10)
    monkeypatch.setattr(gathered, "AT_ONCE", 10)
    return open_capture([str(_RUN)])


def test_calls_of_commands_and_statuses(capture) -> None:
    """As the names and statuses of the calls say."""
    of = world(capture, 0).columns
    names = [capture.name_text(q) for q in range(len(capture))]
    assert of.rows.tolist() == [q for q, n in enumerate(names) if n.startswith("RMI_")]
    wanted = ("PDEV_GET_STATE", "PDEV_STOP")
    assert of.of(*wanted).tolist() == [q for q, n in enumerate(names) if n.removeprefix("RMI_") in wanted]
    assert of.first("RMI_PDEV_") == next(q for q, n in enumerate(names) if n.startswith("RMI_PDEV_"))
    assert of.first("RMI_NONE") == -1
    unfinished = of.with_status("RMI_INCOMPLETE").tolist()
    assert unfinished == [q for q in range(len(capture)) if capture.status_text(q) == "RMI_INCOMPLETE"]
    assert unfinished
    assert of.last_but(1) == len(capture) - 1
    assert of.last_but(len(capture) + 1) == -1


@pytest.mark.parametrize("commands", [("PDEV_GET_STATE", "PDEV_STOP"), ("GRANULE_RANGE_DELEGATE",), ("PDEV_STOP",)])
@pytest.mark.parametrize("name", ["pdev_ptr", "base", "none"])
def test_arguments(capture, commands, name) -> None:
    """Of every call, and of those that worked: as each call by itself has them."""
    of = world(capture, 0).columns
    calls = [capture.call(q) for q in range(len(capture)) if capture.name_text(q).removeprefix("RMI_") in commands]
    worked = [c for c in calls if c.status == "RMI_SUCCESS"]
    assert calls
    for found, some in ((of.with_arg(commands, name), calls), (of.done_with(commands, name), worked)):
        assert found.rows.tolist() == [c.seq for c in some]
        assert found.value[found.known].tolist() == [a.value for c in some for a in c.args if a.name == name]
        assert found.known.tolist() == [any(a.name == name for a in c.args) for c in some]


def test_results(capture) -> None:
    """What RMI_PDEV_GET_STATE read back."""
    found = world(capture, 0).columns.done_with(("PDEV_GET_STATE",), "state", out=True)
    assert found.known.all()
    read = [next(r.value for r in capture.call(q).results if r.name == "state") for q in found.rows.tolist()]
    assert found.value.tolist() == read


def test_where_a_call_was_through(capture) -> None:
    """A stateful command at the last RMI_OP_* call of it."""
    of = world(capture, 0).columns
    found = of.done_with(("PDEV_CREATE",))
    assert len(found.rows)
    for row, end in zip(found.rows.tolist(), found.end.tolist(), strict=True):
        children = [q for q in range(len(capture)) if int(capture.calls.parent[q]) == row]
        assert end == (children[-1] if children else row)
        assert capture.status_text(end) == "RMI_SUCCESS"
    assert (found.end > found.rows).any()


def test_registers_beyond_the_columns(monkeypatch, capture) -> None:
    """A register that was not taken out with the rest is read from the records."""
    whole = world(capture, 0).columns.with_arg(("PDEV_COMMUNICATE",), "data_ptr")
    monkeypatch.setattr(gathered, "N_REGS", 2)
    fewer = world(open_capture([str(_RUN)]), 0).columns.with_arg(("PDEV_COMMUNICATE",), "data_ptr")
    assert len(whole.rows)
    assert fewer.value.tolist() == whole.value.tolist()
    assert fewer.known.all()
