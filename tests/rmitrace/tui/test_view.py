"""The view without a screen: places, findings, filters, times, and the step from a preview to the whole."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from rmitrace.capture import Capture
from rmitrace.capture.records import Finding, Kind
from rmitrace.tui.adopting import adopt
from rmitrace.tui.filtering import Filter
from rmitrace.tui.rows import Row, RowKind
from rmitrace.tui.view import View
from tests.rmitrace.tui.fake import BAD, GOOD, SCRIPT, FakeCapture


def view(capture: FakeCapture | None = None) -> View:
    return View(cast(Capture, capture or FakeCapture()))


def test_places_in_the_file() -> None:
    v = view()  # call n has its first record at byte 200 n
    assert v.key_of(3) == (0, 600)
    assert v.call_at((0, 600)) == 3
    assert v.call_at((0, 601)) == 4
    assert v.call_at((0, 10**9)) == 11
    assert v.call_at((7, 0)) is None


def test_findings_are_ordered_and_placed() -> None:
    capture = FakeCapture()
    capture.findings = [
        Finding("LATER", "warning", "m", calls=(9,)),
        Finding("BY-OFFSET", "error", "m", source=0, offset=650),
        Finding("WHOLE", "note", "m"),
    ]
    v = view(capture)
    assert [f.rule for f in v.findings] == ["WHOLE", "BY-OFFSET", "LATER"]
    assert v.finding_calls == [-1, 4, 9]
    assert [v.severity(c) for c in range(12)] == [0] * 9 + [2, 0, 0]
    assert v.noted.grave.tolist() == [9]
    assert [f.rule for f in v.findings_of(9)] == ["LATER"]
    assert v.findings_of(0) == []


def test_a_finding_about_calls_that_are_not_there() -> None:
    capture = FakeCapture()
    capture.findings = [Finding("ODD", "error", "m", calls=(99, -3)), Finding("FAR", "error", "m", source=5, offset=1)]
    v = view(capture)
    assert v.finding_calls == [-1, 11]


def test_objects_and_states() -> None:
    v = view()
    assert v.object_of(Row(RowKind.SEQUENCE, 1, 0, 1, -1)) == BAD
    assert v.object_of(Row(RowKind.CALL, 3, 2, 0, 1)) == GOOD
    assert v.object_of(Row(RowKind.CALL, 0, 0, -1, -1)) is None
    assert v.state_at(GOOD, 1) is None
    assert [cast(Any, v.state_at(GOOD, c)).to for c in (2, 4, 5, 11)] == [
        "PDEV_NEW",
        "PDEV_NEW",
        "PDEV_NEEDS_KEY",
        "PDEV_NEEDS_KEY",
    ]


def test_filters_add_up() -> None:
    v = view()
    v.set_filter(Filter(object=BAD))
    assert cast(Any, v.mask).nonzero()[0].tolist() == [7, 8, 9, 10]  # the delegate of its granule is in its sequence
    v.set_filter(Filter(failed=True, object=BAD))
    assert cast(Any, v.mask).nonzero()[0].tolist() == [9]
    assert v.filter_text == f"failed only · only {BAD}"


def test_times() -> None:
    v = view()
    assert v.time_text(3) == "0.003000"
    v.time_format = "absolute"
    assert v.time_text(3) == "12.003000"
    v.time_format = "delta"
    assert v.time_text(0) == "+0.000000"
    assert v.time_text(3) == "+0.001000"
    assert view(FakeCapture(timed=False)).time_text(3) == "#3"


def test_lost_events_are_counted() -> None:
    capture = FakeCapture()
    records = capture.sources[0].records
    records.kind[[1, 2]] = Kind.LOST
    records.regs[[1, 2], 0] = [5, 7]
    v = view(capture)
    assert (v.lost, v.lost_at_least) == (12, False)
    records.regs[2, 0] = 0
    v = view(capture)
    assert (v.lost, v.lost_at_least) == (5, True)


def test_the_whole_is_looked_at_as_the_preview_was() -> None:
    old = view(FakeCapture(script=SCRIPT[:7], sequences=1))
    old.bookmarks = {4}
    old.time_format = "absolute"
    old.rows.fold_all(False)
    old.set_timeline(cpus=True, ordered=True)
    new = view()
    adopt(new, old)
    assert new.bookmarks == {4}
    assert new.time_format == "absolute"
    assert not new.rows.folded_sequence[0]
    assert new.timeline.cpus
    assert new.timeline.ordered


def test_findings_that_name_one_of_some_calls() -> None:
    v = view()  # findings name the calls 10, 4 and 0
    assert [f.rule for f in v.noted.among(np.array([3, 4, 5, 11]))] == ["COMM-TWICE"]
    assert [f.rule for f in v.noted.among([0, 1, 10])] == ["VERSION-OLD", "PDEV-ERROR"]
    assert v.noted.among(np.array([5, 9])) == []
    assert v.noted.among([]) == []


def test_a_condition_that_cannot_be_read_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import rmitrace.query as query

    def holding(capture: Any, where: str, progress: Any) -> Any:
        if where == "bad":
            raise ValueError("no column bad")
        return np.isin(np.arange(len(capture.calls)), [1, 2])

    monkeypatch.setattr(query, "holding", holding)
    v = view()
    v.set_filter(Filter("x1 > 0"))
    assert v.filter_text == "x1 > 0"
    with pytest.raises(ValueError, match="no column"):
        v.set_filter(Filter("bad"))
    assert v.filter_text == "x1 > 0"
    assert cast(Any, v.mask).sum() == 2
    v.set_filter(Filter())
    assert v.mask is None


def test_what_is_foretold_is_about_the_same_calls() -> None:
    old, longer = FakeCapture(), FakeCapture()
    old.findings = [Finding("FIRST", "error", "m", calls=(2,)), Finding("BOTH", "warning", "m", calls=(2, 9))]
    longer.findings, longer.complete = [], False  # not checked yet
    longer.sources[0].records.offset = longer.sources[0].records.offset.copy()
    longer.sources[0].records.offset[longer.calls.enter[7]] += 1  # from here on they are others
    known, v = view(old), view(longer)
    assert not v.learned
    v.foretell(known)
    assert [f.rule for f in v.findings] == ["FIRST"]
    assert v.severity(2) == 3
    assert v.places.same_as(known.places) == 7
    assert v.places.same_as(v.places) == 12
