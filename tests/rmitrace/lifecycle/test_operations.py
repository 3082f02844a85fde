"""OP_* calls and the commands that they work for (DEN0137 2.0, stateful RMI operations)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rmitrace.capture import OpenOptions, open_capture
from tests.rmitrace.checks.cases.run import CONTINUE, DONATE, INCOMPLETE, INPUT
from tests.rmitrace.checks.cases.streams import op, pending


def joined(run, folder: Path) -> tuple[list[int], int]:
    """The command of each OP_* call (-1 none), and where the operation of the first command ends; counted from the command."""
    capture = open_capture([str(run.write(folder))], OpenOptions(abi=run.revision))
    first = capture.names.index("RMI_PDEV_CREATE")
    begun = np.flatnonzero(capture.calls.name == first)
    start = int(begun[0])
    parents = [int(p) - start if p >= 0 else -1 for p in capture.calls.parent[start + 1 :].tolist()]
    return parents, int(capture.operations.end(begun)[0]) - start


def test_the_wrong_call_leaves_the_operation_as_it_was(tmp_path: Path) -> None:
    run = op(pending(DONATE), "CONTINUE", INPUT)
    assert joined(run, tmp_path) == ([0], 0)
    op(run, "MEM_DONATE", INCOMPLETE, list_addr=0x1000, list_count=1)
    assert joined(run, tmp_path) == ([0, 0], 2)
    assert joined(op(run, "CONTINUE"), tmp_path) == ([0, 0, 0], 3)


def test_the_status_of_the_command_ends_it(tmp_path: Path) -> None:
    run = op(pending(CONTINUE), "CONTINUE", INPUT)
    assert joined(run, tmp_path) == ([0], 1)
    assert joined(op(run, "CONTINUE", INPUT), tmp_path) == ([0, -1], 1)


def test_a_cancel_that_is_refused(tmp_path: Path) -> None:
    run = op(pending(CONTINUE), "CANCEL", INPUT)
    assert joined(op(run, "CONTINUE"), tmp_path) == ([0, 0], 2)


def test_what_it_waits_for_is_what_was_said_last(tmp_path: Path) -> None:
    run = op(pending(DONATE), "MEM_DONATE", INCOMPLETE | CONTINUE, list_addr=0x1000, list_count=1)
    assert joined(op(run, "CONTINUE", INPUT), tmp_path) == ([0, 0], 2)
