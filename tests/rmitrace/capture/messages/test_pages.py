"""Messages in the shared pages of calls with memory, held against what the device's mailbox saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture import Capture
from tests.rmitrace.capture.messages.runs import CAPTURES, exchanges, judged, opened, padded, recording, thinned, write

RUNS = ("tf-rmm-head-nominal", "tf-rmm-alp16-nominal")


def numbered(capture: Capture, lines: list[bytes]) -> list[int]:
    """Number in the recording of each call, by the line it stands on."""
    import json

    starts, at = {}, 0
    for line in lines:
        starts[at] = json.loads(line)["seq"]
        at += len(line)
    return [starts[capture.call(i).offset] for i in range(len(capture.calls))]


@pytest.mark.parametrize("run", RUNS)
def test_every_message_stands_under_its_call(run: str) -> None:
    capture = opened(CAPTURES / "rmm" / f"{run}.calls.jsonl.xz")
    found = capture.conversations.all
    truth = exchanges(run)
    assert [padded(m.payload) for m in found] == [padded(x) for e in truth for x in (e.request, e.response)]
    assert [m.direction for m in found] == ["request", "response"] * len(truth)
    assert [m.place.call for m in found] == [e.after for e in truth for _ in (0, 1)]
    assert len({m.place.device for m in found}) == 1


def test_missing_calls_lend_nothing(tmp_path: Path) -> None:
    lines = recording()
    total = 0
    for seed in range(4):
        left = thinned(lines, seed)
        capture = opened(write(tmp_path, f"{seed}.calls.jsonl", b"".join(left)))
        numbers = numbered(capture, left)
        placed = [(m, numbers[m.place.call]) for m in capture.conversations.all if m.place.call is not None]
        good, bad = judged(placed)
        assert bad == 0
        total += good
    assert total >= 4 * 60  # of 82 each
