"""What was found out about a capture comes out of its index as it was; what does not fit is worked out anew."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rmitrace import checks, diagnose, lifecycle, listing
from rmitrace.capture import Capture, OpenOptions, open_capture, reopen_capture
from rmitrace.capture.index import container, keeper, later
from rmitrace.capture.tasks import Tasks
from rmitrace.checks.suppress import Sifted
from rmitrace.correlate.skew import opinions
from rmitrace.export import findings, findings_jsonl
from rmitrace.lifecycle.objects import KINDS
from rmitrace.listing.segments import Segments

ROOT = Path(__file__).parents[4]
FTRACE = ROOT / "captures/ftrace/pdev-connect.trace.txt"
CONSOLE = ROOT / "captures/mixed/rme-uart0.log"
MAIL = ROOT / "captures/mixed/report-mail.txt"
RECORDED = ROOT / "captures/rmm/tf-rmm-head-doefail6.calls.jsonl.xz"
REFUSED = ROOT / "captures/rmm/tf-rmm-head-errors.calls.jsonl.xz"
CACHED = OpenOptions(cache=True)
FIELDS = fields(Segments)[1:]
pytestmark = pytest.mark.usefixtures("cache")


def tables(capture: Capture) -> list[Any]:
    """The sequences and states with all their calls."""
    calls = [(q.calls.tolist(), [t.calls.tolist() for t in q.steps]) for q in capture.sequences]
    return [list(capture.sequences), calls, list(capture.states)]


def laid_out(capture: Capture) -> list[Any]:
    """How the calls are laid out, their objects and their tasks."""
    a = capture.arrangement
    of_list = [None if c is None else np.asarray(c).tolist() for c in (getattr(a.segments, f.name) for f in FIELDS)]
    lanes = [(lane.label, lane.object) for lane in a.assigned[0]], *(np.asarray(c).tolist() for c in a.assigned[1:])
    objects = [capture.object_of(i) for i in range(len(capture))]
    tasks = [capture.tasks.names[i] for i in capture.tasks.of(0, len(capture)).tolist()]
    return [of_list, lanes, a.before.tolist(), a.lines.tolist(), a.overview, objects, tasks]


def learned(paths: list[Path], options: OpenOptions = CACHED) -> Capture:
    """A capture of which everything is found out and kept."""
    read = open_capture([str(p) for p in paths], options)
    assert read.keeper is not None
    assert opinions(read)
    assert read.findings
    assert len(read.sequences)
    read.keeper.learn(read)
    return read


def again(paths: list[Path], options: OpenOptions = CACHED) -> Capture:
    found = reopen_capture([str(p) for p in paths], options)
    assert found is not None
    return found


def kept_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nothing is worked out."""
    monkeypatch.setattr(checks, "run", lambda capture: pytest.fail("checked"))
    monkeypatch.setattr(lifecycle, "follow", lambda capture: pytest.fail("followed"))
    monkeypatch.setattr(listing, "arrange", lambda *args: pytest.fail("arranged"))
    monkeypatch.setattr(Tasks, "of_records", lambda *args: pytest.fail("read names of tasks"))
    monkeypatch.setattr(
        import_module("rmitrace.correlate.skew.opinions"), "_opinions", lambda capture: pytest.fail("looked for signs")
    )


@pytest.mark.parametrize("paths", [[FTRACE], [FTRACE, CONSOLE], [RECORDED]], ids=["text", "two", "memory"])
def test_all_comes_back(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    read = learned(paths)
    wanted = read.findings, tables(read), opinions(read), laid_out(read)
    kept_only(monkeypatch)
    found = again(paths)
    assert found.parts == []  # each is taken when it is asked for
    assert (found.findings, tables(found), opinions(found), laid_out(found)) == wanted
    assert found.sequences.kinds_of(0, len(found))[1].tolist() == read.sequences.kinds_of(0, len(read))[1].tolist()


def test_a_part_that_comes_later_does_not_cost_the_others(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_capture([str(FTRACE)], CACHED)
    assert first.keeper is not None
    said = opinions(first)
    first.keeper.learn(first)
    second = again([FTRACE])
    assert second.keeper is not None
    sequences = list(second.sequences)
    second.keeper.learn(second)
    kept_only(monkeypatch)
    third = again([FTRACE])
    assert (opinions(third), list(third.sequences)) == (said, sequences)
    (file,) = cache.glob("*" + keeper.LATER)
    before = file.stat().st_ino
    assert third.keeper is not None
    third.keeper.learn(third)
    assert file.stat().st_ino == before  # nothing new: not written again


def test_a_capture_without_messages_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read = open_capture([str(MAIL)], CACHED)
    assert read.keeper is not None
    assert read.conversations.all == []
    read.keeper.learn(read)
    monkeypatch.setattr("rmitrace.capture.messages.conversations.find_messages", lambda *a: pytest.fail("searched"))
    assert again([MAIL]).conversations.all == []


def test_with_secrets_of_sessions_it_is_worked_out() -> None:
    """They let more be told: neither is what they told kept, nor what was told without them used."""
    keys = OpenOptions(cache=True, keys="DHE * 00")
    learned([FTRACE], keys)
    assert not again([FTRACE]).worked_out(later.CHECKED)
    learned([FTRACE])
    assert again([FTRACE]).worked_out(later.CHECKED)
    assert not again([FTRACE], keys).worked_out(later.CHECKED)
    assert again([FTRACE], keys).worked_out(later.OPINIONS)


def explained(paths: list[Path]) -> list[Any]:
    """The findings with the reasons of the calls that they are about, as a user sees them."""
    capture = open_capture([str(p) for p in paths], CACHED)
    out = io.StringIO()
    findings_jsonl.write(capture, Sifted(capture.findings), out)
    assert capture.keeper is not None
    capture.keeper.learn(capture)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_reasons_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = explained([REFUSED])
    assert any("failure" in item for item in wanted)
    kept_only(monkeypatch)
    monkeypatch.setattr(diagnose, "Query", lambda *a: pytest.fail("explained"))
    assert explained([REFUSED]) == wanted


def test_reasons_that_cannot_be_are_worked_out(cache: Path) -> None:
    wanted = explained([REFUSED])
    (file,) = cache.glob("*" + keeper.LATER)
    found = container.read(str(file))
    seq, end = (np.array(found.column(f"reasons.{n}", np.int64)) for n in ("seq", "end"))
    text = np.array(found.column("reasons", np.uint8))
    key, meta = found.key, found.meta
    found.close()
    cut = {"reasons.seq": seq, "reasons.end": end, "reasons": text[:-5]}
    noise = {**cut, "reasons": np.full(len(text), ord("["), dtype=np.uint8)}
    for columns in (cut, noise, {**noise, "reasons.seq": seq[::-1].copy()}, {**noise, "reasons.end": end[:-1]}):
        container.write(str(file), key, meta, columns_of(str(file)) | columns)
        assert explained([REFUSED]) == wanted


def printed(paths: list[Path]) -> str:
    """The findings as ``check`` prints them."""
    capture = open_capture([str(p) for p in paths], CACHED)
    out = io.StringIO()
    findings.write(capture, Sifted(capture.findings), out)
    assert capture.keeper is not None
    capture.keeper.learn(capture)
    return out.getvalue()


@pytest.mark.parametrize("paths", [[REFUSED], [FTRACE, CONSOLE]], ids=["one", "two"])
def test_what_is_printed_of_findings_comes_back(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = printed(paths)
    assert "    call " in wanted
    kept_only(monkeypatch)
    monkeypatch.setattr(findings, "call_text", lambda *args: pytest.fail("decoded"))
    monkeypatch.setattr(diagnose, "why", lambda *args: pytest.fail("explained"))
    assert printed(paths) == wanted


def test_what_is_printed_of_some_findings_is_not_kept_for_all(cache: Path) -> None:
    capture = open_capture([str(REFUSED)], CACHED)
    findings.write(capture, Sifted(capture.findings[:2]), io.StringIO())
    assert capture.told is None


@pytest.mark.parametrize("name", ["told.call", "told.condition"])
def test_lines_that_must_not_be_printed_are_made_anew(cache: Path, name: str) -> None:
    wanted = printed([REFUSED])
    text = rewrite(cache)[name]
    for changed in (np.full_like(text, 0x1B), text[:-5]):
        rewrite(cache, {name: changed})
        assert printed([REFUSED]) == wanted


def columns_of(file: str) -> dict[str, Any]:
    found = container.read(file)
    names = {name: entry[0] for name, entry in found._table.items() if not name.endswith(container.SIZES)}
    whole = {name: np.array(found.values(name, np.dtype(kind))) for name, kind in names.items()}
    found.close()
    return whole


def rewrite(cache: Path, columns: dict[str, Any] | None = None, meta: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write the file of what was found out later again, with some columns and parts of the table changed."""
    (file,) = cache.glob("*" + keeper.LATER)
    found = container.read(str(file))
    key, told = found.key, found.meta | (meta or {})
    found.close()
    container.write(str(file), key, told, columns_of(str(file)) | (columns or {}))
    return columns_of(str(file))


NUMBERS = [
    *((f"sequence.{n}", -2) for n in ("first", "last", "start", "first_step", "kind", "source", "step_first", "step_last")),
    *((f"sequence.{n}", 1 << 40) for n in ("first", "last", "start", "first_step", "step_first", "step_last", "step_count")),
    *((f"sequence.{n}", 99) for n in ("kind", "prefix", "source", "outcome", "step_name", "step_outcome")),
    *((f"sequence.{n}", 1 << 20) for n in ("member", "member_step")),
    *((f"{n}.why.seq", v) for n in ("sequence", "step") for v in (-2, 1 << 40)),
    *((f"state.{n}", 99) for n in ("prefix", "frm", "to")),
    *((f"state.{n}", -3) for n in ("call", "frm", "to")),
]


@pytest.mark.parametrize(("column", "value"), NUMBERS)
def test_numbers_that_cannot_be_are_refused(cache: Path, column: str, value: int) -> None:
    wanted = tables(learned([FTRACE]))
    values = rewrite(cache)[column]
    values[-1] = value
    rewrite(cache, {column: values})
    changed = again([FTRACE])
    assert not changed.worked_out(later.FOLLOWED)
    assert changed.keeper is not None
    assert changed.keeper.problem
    assert tables(changed) == wanted


@pytest.mark.parametrize("column", ["sequence.first", "sequence.start", "sequence.first_step", "state.call"])
def test_another_order_is_refused(cache: Path, column: str) -> None:
    learned([RECORDED])
    values = rewrite(cache)[column]
    values[1:-1] = values[1:-1][::-1]
    rewrite(cache, {column: values})
    assert not again([RECORDED]).worked_out(later.FOLLOWED)


OF_LIST = ("ref", "place", "sequence", "step", "owner", "owning", "of_sequence", "of_step", "of_line")
LISTED = [
    *((f"list.{n}", v) for n in OF_LIST for v in (-2, 1 << 20)),
    *(("list.kind", v) for v in (4, 1)),  # no kind; a sequence that stands elsewhere
    *((f"lane.{n}", v) for n in ("of", "sequence") for v in (-2, 500)),
    *(("lane.before", v) for v in (-2, 0, 1 << 20)),
    ("list.lines", 5),
]


@pytest.mark.parametrize(("column", "value"), LISTED)
def test_what_is_laid_out_otherwise_is_refused(cache: Path, column: str, value: int) -> None:
    paths = [FTRACE, CONSOLE]
    wanted = laid_out(learned(paths))
    values = rewrite(cache)[column]
    values[-1] = value
    rewrite(cache, {column: values})
    changed = again(paths)
    assert not changed.worked_out(later.ARRANGED)
    assert changed.worked_out(later.FOLLOWED)
    assert changed.keeper is not None
    assert changed.keeper.problem
    assert laid_out(changed) == wanted


@pytest.mark.parametrize("column", ["list.order", "list.placed"])
@pytest.mark.parametrize("value", [-1, 1 << 20])
def test_calls_at_places_that_cannot_be_are_refused(cache: Path, column: str, value: int) -> None:
    wanted = laid_out(learned([RECORDED]))
    values = rewrite(cache)[column]
    values[-1] = value
    rewrite(cache, {column: values})
    changed = again([RECORDED])
    assert not changed.worked_out(later.ARRANGED)
    assert laid_out(changed) == wanted


@pytest.mark.parametrize("value", [-1, 1 << 20])
def test_tasks_that_cannot_be_are_refused(cache: Path, value: int) -> None:
    wanted = laid_out(learned([FTRACE]))
    values = rewrite(cache)["task.of"]
    values[0] = value
    rewrite(cache, {"task.of": values})
    changed = again([FTRACE])
    assert not changed.worked_out(later.TASKS)
    assert laid_out(changed) == wanted


@pytest.mark.parametrize(("column", "value"), [("object.kind", -1), ("object.kind", len(KINDS))])
def test_objects_that_cannot_be_are_refused(cache: Path, column: str, value: int) -> None:
    wanted = laid_out(learned([FTRACE]))
    values = rewrite(cache)[column]
    values[0] = value
    rewrite(cache, {column: values})
    changed = again([FTRACE])
    assert not changed.worked_out(later.OBJECTS)
    assert laid_out(changed) == wanted


OVERVIEWS = ({}, {"cpus": 3}, {"first_ns": "x"}, {"first_ns": 1 << 63}, {"rising": 1}, {"failed": -1})
TOLD = [
    {},
    {"lanes": 5},
    {"segments": "x"},
    {"lanes": [[1, 2]]},
    {"moved": 1},
    {"lines": 0},
    *({"overview": o} for o in OVERVIEWS),
]


@pytest.mark.parametrize("told", [*TOLD, *({"overview": o} for o in OVERVIEWS)])
def test_a_layout_told_otherwise_is_refused(cache: Path, told: dict[str, Any]) -> None:
    paths = [FTRACE, CONSOLE]
    wanted = laid_out(learned(paths))
    (file,) = cache.glob("*" + keeper.LATER)
    found = container.read(str(file))
    before = found.meta[later.ARRANGED]
    found.close()
    if told.get("overview"):
        told = {"overview": before["overview"] | told["overview"]}
    rewrite(cache, meta={later.ARRANGED: before | told if told else [1]})
    changed = again(paths)
    assert not changed.worked_out(later.ARRANGED)
    assert laid_out(changed) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{}",
        "[[1]]",
        '[["X","error","",0,0,null,[1000000],""]]',
        '[["X","grave","",0,0,null,[],""]]',
        '[["X","error","",9,0,null,[],""]]',
    ],
)
def test_findings_that_cannot_be_are_refused(cache: Path, text: str) -> None:
    wanted = learned([FTRACE]).findings
    rewrite(cache, {"checked": np.frombuffer(text.encode(), dtype=np.uint8)})
    changed = again([FTRACE])
    assert not changed.worked_out(later.CHECKED)
    assert changed.findings == wanted


@pytest.mark.parametrize("value", [5, [5], [{}], [{"side": "kernel"}], {}])
def test_opinions_that_cannot_be_are_refused(cache: Path, value: Any) -> None:
    wanted = opinions(learned([FTRACE]))
    rewrite(cache, meta={later.OPINIONS: value})
    changed = again([FTRACE])
    assert not changed.worked_out(later.OPINIONS)
    assert opinions(changed) == wanted
