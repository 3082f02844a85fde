"""What is told of a row: calls, sequences, steps and log lines."""

from __future__ import annotations

from typing import Any, cast

from rmitrace.capture import Capture, open_capture
from rmitrace.lifecycle.members import table_of
from rmitrace.tui import details
from rmitrace.tui.details import Details
from rmitrace.tui.rows import Row, RowKind
from rmitrace.tui.view import View
from tests.rmitrace.capture.messages.runs import CAPTURES
from tests.rmitrace.tui.fake import BAD, GOOD, PAGE, SCRIPT, WHY, FakeCapture, sequence


def view(capture: FakeCapture | None = None) -> View:
    return View(cast(Capture, capture or FakeCapture()))


def texts(d: Details) -> dict[str, str]:
    return {b.node.name: b.node.text for b in d.branches}


def test_a_call_has_its_findings_states_fields_and_place() -> None:
    d = details.of_call(view(), 10)
    assert [b.kind for b in d.branches] == ["finding", "state", "args", "result", "results", "registers", "call"]
    assert texts(d)["PDEV-ERROR"] == "the PDEV went to ERROR"
    assert texts(d)[BAD] == "PDEV_NEW → PDEV_ERROR"
    assert d.registers == {"args": [1], "results": [1]}  # DEN0137: pdev_ptr in X1, state out in X1
    assert [r.title for r in d.raws] == ["entry trace.txt:2000", "exit trace.txt:2100"]
    about = next(b.node for b in d.branches if b.kind == "call")
    assert {n.name: n.text for n in about.children}["task"] == "kworker/u8:3-91"
    registers = next(b.node for b in d.branches if b.kind == "registers")
    assert [n.text for n in registers.children] == ["c4000178 88003000 0 0", "0 8 0 0"]


def test_a_buffer_comes_with_its_bytes() -> None:
    d = details.of_call(view(), 9)
    assert d.buffers == [("RmiDevCommData at 0x88002000, enter, 128 bytes", PAGE)]
    assert [b.buffer for b in d.branches if b.kind == "buffer"] == [0]


def test_a_failed_sequence_and_its_step_say_why() -> None:
    v = view()
    d = details.of_sequence(v, Row(RowKind.SEQUENCE, 1, 0, 1, -1))
    assert d.branches[0].node.text == "failed"
    assert d.branches[0].node.note == WHY
    assert texts(d)["calls"] == "4 calls, 1 failed"
    assert [n.text for b in d.branches if b.node.name == "steps" for n in b.node.children] == ["ok, 2 calls", "failed, 2 calls"]
    step = details.of_sequence(v, Row(RowKind.STEP, 3, 1, 1, 1))
    assert step.title == f"communicate of connect {BAD}"
    assert texts(step)["calls"] == "2 calls, 1 failed"
    assert texts(step)["states"] == "1"


def test_a_log_line_is_shown_as_found() -> None:
    v = view(FakeCapture(lines=["\x1b[2Jx"]))
    d = details.of_line(v, 0)
    assert d.raws[0].text == "\x1b[2Jx"  # made safe where it is drawn
    assert d.raws[0].title == "line trace.txt:50"


def test_lists_without_end_are_cut_and_say_so() -> None:
    capture = FakeCapture(script=SCRIPT[3:5] * 1000, sequences=0, lines=[])
    step: Any = ("communicate", list(range(2000)), "ok", "")
    from tests.rmitrace.tui.fake import _steps, states

    capture.sequences = table_of([sequence("realm run", GOOD, "ok", _steps([step]))])
    capture.states = states(*((GOOD, "A", "B", c, False) for c in range(2000)))
    d = details.of_sequence(view(capture), Row(RowKind.SEQUENCE, 0, 0, 0, -1))
    told = next(b.node for b in d.branches if b.node.name == "states")
    assert told.text == "2000"
    assert len(told.children) == 501
    assert "first 500" in told.children[-1].text


def test_why_a_call_failed() -> None:
    """The recorded stop of a device whose transaction failed; TF-RMM wants an abort first."""
    capture = open_capture([str(CAPTURES / "ftrace" / "pdev-connect.trace.txt")])
    stop = next(i for i in range(len(capture)) if capture.name_text(i) == "RMI_PDEV_STOP")
    (node,) = (b.node for b in details.of_call(View(capture), stop).branches if b.kind == "failure")
    assert (node.name, node.text) == ("why it failed", "comm_state, the only one that is left")
    said = {n.name: n.text.partition(":")[0] for n in node.children}
    struck = dict.fromkeys(("pdev_state", "num_vdevs", "pdev_stream_live"), "struck")
    assert {k: v for k, v in said.items() if k != "firmware"} == {"comm_state": "open", **struck}
    assert "RMI_PDEV_ABORT has to come before RMI_PDEV_STOP" in next(n.text for n in node.children if n.name == "firmware")
    assert "call 54" in (node.children[0].note or "")  # the communicate call before ERROR was read back


def test_a_condition_with_another_status_that_holds_too() -> None:
    """TF-RMM of 1.1 answers flags that it does not take with RMI_ERROR_NOT_SUPPORTED, the text says RMI_ERROR_INPUT."""
    capture = open_capture([str(CAPTURES / "rmm" / "tf-rmm-alp16-errors.calls.jsonl.xz")])
    refused = (i for i in range(len(capture)) if capture.status_text(i) == "RMI_ERROR_NOT_SUPPORTED")
    seq = next(i for i in refused if capture.name_text(i) == "RMI_PDEV_CREATE")
    (node,) = (b.node for b in details.of_call(View(capture), seq).branches if b.kind == "failure")
    assert node.text == "flags_supp"
    assert any(n.name == "flags_supp" and n.text.startswith("holds too, for RMI_ERROR_INPUT") for n in node.children)
