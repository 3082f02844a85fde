"""Calls read together are the calls read one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture import open_capture
from rmitrace.capture.call import read_call

CAPTURES = Path(__file__).parents[3] / "captures"
FTRACE, CONSOLE = CAPTURES / "ftrace/pdev-connect.trace.txt", CAPTURES / "mixed/rme-uart0.log"


@pytest.mark.parametrize(
    "paths",
    [[FTRACE], [FTRACE, CONSOLE], [CAPTURES / "trace-dat/arrays.dat"], [CAPTURES / "rmm/tf-rmm-head-errors.calls.jsonl.xz"]],
    ids=["text", "two", "trace.dat", "memory"],
)
def test_ahead(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmitrace.capture.model._AHEAD", 7)
    capture = open_capture([str(p) for p in paths])
    seqs = list(range(len(capture)))
    alone = [read_call(capture, capture.calls, q, q) for q in seqs]
    together = [(q, capture.call(q)) for q in capture.ahead(seqs[::-1])]
    assert together == list(zip(seqs[::-1], alone[::-1], strict=True))
    assert [c.exit_raw for _, c in together] == [c.exit_raw for c in alone[::-1]]
    assert capture._ahead == {}


def test_the_record_of_an_exit() -> None:
    """The line of the file that the offset of the exit names."""
    capture = open_capture([str(FTRACE)])
    data = FTRACE.read_bytes()
    call = next(c for c in map(capture.call, range(len(capture))) if c.exit_raw is not None)
    assert call.exit_offset is not None
    assert call.exit_raw == data[call.exit_offset :].split(b"\n")[0].decode()
