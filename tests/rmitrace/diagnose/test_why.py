"""Which conditions a failed call is explained by, and the sentence that is made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import OpenOptions, open_capture
from rmitrace.diagnose import Diagnosis, brief, why
from tests.rmitrace.capture.messages.runs import CAPTURES
from tests.rmitrace.checks.cases.run import BUSY, CONTINUE, DONATE, INPUT, PARAMS, PDEV, Run, begun, ready
from tests.rmitrace.checks.cases.streams import op, pending


def last(run: Run, folder: Path) -> Diagnosis:
    """Why the last call failed."""
    capture = open_capture([str(run.write(folder))], OpenOptions(abi=run.revision))
    short, found = brief(capture, len(capture) - 1), why(capture, len(capture) - 1)
    assert found is not None
    assert told(short) == told(found)
    return found


def told(d: Diagnosis | None) -> tuple[object, ...]:
    """What a sentence says of it."""
    return () if d is None else (d.seq, d.command, d.status, d.revision, d.cause, d.left, d.reason)


def test_the_status_of_an_operation_is_that_of_its_command(tmp_path: Path) -> None:
    """DEN0137 2.0: the last RMI_OP_CONTINUE returns what the command would have."""
    d = last(op(pending(CONTINUE), "CONTINUE", INPUT), tmp_path)
    assert (d.command, d.status) == ("RMI_PDEV_CREATE", "RMI_ERROR_INPUT")
    assert {v.condition.id for v in d.verdicts} >= {"pdev_align", "params_pas", "params_valid"}


def test_a_wrong_call_of_an_operation_is_explained_by_itself(tmp_path: Path) -> None:
    d = last(op(pending(DONATE), "CONTINUE", INPUT), tmp_path)
    assert d.command == "RMI_OP_CONTINUE"
    assert d.cause is not None
    assert d.cause.condition.id == "order"


def test_what_holds_is_the_reason(tmp_path: Path) -> None:
    d = last(ready().key(6), tmp_path)
    assert d.reason == "state not in {NEEDS_KEY} (the PDEV is READY, read back in call 9)"


def test_what_is_left_is_said_to_be_left(tmp_path: Path) -> None:
    d = last(ready().call("PDEV_IDE_KEY_REFRESH", 6, pdev_ptr=PDEV), tmp_path)
    assert d.left
    assert d.reason == "chosen IDE stream does not exist on this PDEV, by elimination"


def test_what_may_be_is_said_to_be_possible(tmp_path: Path) -> None:
    d = last(Run().delegate(PDEV).call("PDEV_CREATE", INPUT, pdev_ptr=PDEV, params_ptr=PARAMS), tmp_path)
    assert d.reason.startswith("it may be that params_ptr not in Non-secure PAS or ")
    assert d.reason.endswith(" ...")


def test_where_everything_is_struck_calls_are_missing_or_the_firmware_deviates(tmp_path: Path) -> None:
    d = last(begun().call("PDEV_GET_STATE", INPUT, pdev_ptr=PDEV), tmp_path)
    assert d.reason.startswith("the trace strikes every condition of this status (")
    assert "calls are missing, or the firmware deviates" in d.reason


def test_busy_has_no_cause_in_conditions_of_other_statuses(tmp_path: Path) -> None:
    d = last(Run().call("PDEV_CREATE", BUSY, pdev_ptr=PDEV, params_ptr=PARAMS), tmp_path)
    assert d.others == ()
    assert d.cause is None


@pytest.mark.parametrize(
    "name", ["tf-rmm-head-errors.calls.jsonl.xz", "tf-rmm-alp16-errors.calls.jsonl.xz", "tf-rmm-head-errors.log.xz"]
)
def test_in_brief_the_cause_is_the_same(name: str) -> None:
    """Of every command that a real firmware refused."""
    capture = open_capture([str(CAPTURES / "rmm" / name)])
    causes = []
    for seq in np.flatnonzero(capture.calls.failed).tolist():
        short, full = brief(capture, seq), why(capture, seq)
        assert told(short) == told(full)
        causes.append(full.cause if full is not None else None)
    assert any(causes)
