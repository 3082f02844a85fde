"""Which calls tell a revision is the same however many of them are looked at together."""

from __future__ import annotations

import pytest

from rmitrace.capture import open_capture
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
