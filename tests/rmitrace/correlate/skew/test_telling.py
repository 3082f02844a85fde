"""Which calls tell a revision is the same however many of them are looked at together."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture import open_capture
from rmitrace.capture.model import SourceCalls
from rmitrace.correlate.skew import opinions, telling

from .test_opinions import HOSTS, LOGS


@pytest.mark.parametrize("paths", [[HOSTS["mid"]], [LOGS["alp16"]], [LOGS["pre1"]], [HOSTS["head"], LOGS["rel0"]]])
def test_some_at_a_time(paths: list, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = opinions(open_capture([str(p) for p in paths]))
    assert whole
    monkeypatch.setattr(telling, "_AT_ONCE", 7)
    assert opinions(open_capture([str(p) for p in paths])) == whole


def test_they_are_few_and_in_the_order_of_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a good run of TF-RMM: the calls of the few commands that tell something, and what RMI_INCOMPLETE was returned to;
    of the others only those at the beginning."""
    monkeypatch.setattr(telling, "FIRST", 3)
    capture = open_capture([str(HOSTS["head"])])
    told = telling.telling(capture, 0)
    names = {capture.name_text(q) for q in told.calls.rows[3:].tolist() if capture.status_text(q) != "RMI_INCOMPLETE"}
    assert "RMI_PDEV_GET_STATE" in names
    others = {"RMI_PDEV_DESTROY", "RMI_VERSION", "RMI_FEATURES", "RMI_GRANULE_TRACKING_GET"}
    assert names <= {"RMI_PDEV_GET_STATE", *others}
    assert len(told.calls.rows) < len(capture) / 2
    assert (told.calls.first[1:] > told.calls.first[:-1]).all()


@pytest.mark.parametrize("stretches", [[(10, 30), (30, 50)], [(30, 50), (10, 30)], [(10, 12), (12, 12), (12, 60)]])
def test_in_order_each_once(stretches: list[tuple[int, int]]) -> None:
    """Whether the parts are in order or not, and however far the first calls reach into them."""

    def calls(numbers: list[int]) -> SourceCalls:
        rows = np.array(numbers, dtype=np.int64)
        return SourceCalls(rows, 2 * rows, 2 * rows + 1, (rows % 5).astype(np.int32))

    parts = [calls([n for n in range(a, b) if n % 3]) for a, b in stretches]
    for begun in ([], [1, 2, 10, 11], [*range(25)]):
        found = telling._in_order(parts, calls(begun))
        wanted = sorted({*begun, *(n for a, b in stretches for n in range(a, b) if n % 3)})
        assert found.rows.tolist() == wanted
        assert found.first.tolist() == [2 * n for n in wanted]
        assert found.pid.tolist() == [n % 5 for n in wanted]
