"""Search in the order of the list, round the end, in both directions, under a filter."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from rmitrace.capture import Capture, open_capture
from rmitrace.tui import search as searching
from rmitrace.tui.filtering import Filter
from rmitrace.tui.rows import Row, RowKind
from rmitrace.tui.search import Search, Target
from rmitrace.tui.view import View
from tests.rmitrace.tui.fake import FakeCapture

C, S, T, L = RowKind.CALL, RowKind.SEQUENCE, RowKind.STEP, RowKind.LINE


def view(**kw: object) -> View:
    return View(cast(Capture, FakeCapture(**kw)))  # type: ignore[arg-type]


def row_of(v: View, target: Target) -> Row:
    kind, ref, step = target
    if kind is C:
        return Row(C, ref, 0, -1, -1)
    if kind is L:
        return Row(L, ref, 0, -1, -1)
    return Row(kind, ref, 0, ref, step)


def walk(v: View, text: str, by: int, count: int) -> list[Target | None]:
    search, out = Search(v, text), []
    at: Row | None = None
    for _ in range(count):
        found = search.find(at, by)
        out.append(found)
        if found is None:
            break
        at = row_of(v, found)
    return out


def test_forward_and_round_the_end() -> None:
    assert walk(view(), "get_state", 1, 3) == [(C, 5, -1), (C, 10, -1), (C, 5, -1)]


def test_backward_and_round_the_start() -> None:
    assert walk(view(), "get_state", -1, 3) == [(C, 10, -1), (C, 5, -1), (C, 10, -1)]


def test_lines_headings_and_steps_in_their_places() -> None:
    # "communicat" is in the line before call 10, in step 1 of both, in the reason of the second, and in calls 3, 4, 9
    forward = walk(view(), "communicat", 1, 8)
    assert forward == [(T, 0, 1), (C, 3, -1), (C, 4, -1), (S, 1, -1), (T, 1, 1), (C, 9, -1), (L, 1, -1), (T, 0, 1)]
    assert walk(view(), "communicat", -1, 7) == [(L, 1, -1), (C, 9, -1), (T, 1, 1), (S, 1, -1), (C, 4, -1), (C, 3, -1), (T, 0, 1)]


def test_the_object_of_a_heading_and_a_piece_of_its_address() -> None:
    assert walk(view(), "pdev:0x88003", 1, 2) == [(S, 1, -1), (S, 1, -1)]
    assert walk(view(), "1000 ok", 1, 1) == [(S, 0, -1)]
    assert walk(view(), "connect pdev:0x88001000 ok", 1, 1) == [(S, 0, -1)]
    assert walk(view(), "pdev:0x8800100 ok", 1, 1) == [None]


def test_case_does_not_matter_and_nothing_is_nothing() -> None:
    assert walk(view(), "RMM: V0", 1, 1) == [(L, 0, -1)]
    assert walk(view(), "no such text", 1, 1) == [None]
    assert walk(view(), "no such text", -1, 1) == [None]


def test_the_only_hit_is_found_again_from_itself() -> None:
    v = view()
    assert Search(v, "device communication").find(row_of(v, (L, 1, -1)), 1) == (L, 1, -1)


def test_only_what_passes_the_filter() -> None:
    v = view()
    v.set_filter(Filter(failed=True))
    assert walk(v, "communicate", 1, 4) == [(S, 1, -1), (T, 1, 1), (C, 9, -1), (S, 1, -1)]


def test_stale_after_a_change() -> None:
    v = view()
    search = Search(v, "x")
    assert not search.is_stale(v)
    v.regroup(False)
    assert search.is_stale(v)
    assert search.is_stale(view())


def test_a_long_search_can_be_stopped() -> None:
    from tests.rmitrace.tui.fake import SCRIPT

    v = view(script=SCRIPT * 200, sequences=0, lines=[])
    asked: list[int] = []
    assert Search(v, "zz").find(None, 1, lambda done: bool(asked.append(done)) or len(asked) == 3) is None
    assert asked == [256, 512, 768]


CONNECT = Path(__file__).parents[3] / "captures/ftrace/pdev-connect.trace.txt"


@pytest.mark.parametrize("small", [5000, 0])
@pytest.mark.parametrize("back", [0, 10])
def test_a_task_that_has_another_name_after_an_exec(
    small: int, back: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it has the first one again in the end."""
    monkeypatch.setattr(searching, "SMALL", small)
    lines = CONNECT.read_bytes().splitlines(keepends=True)
    half, end = len(lines) // 2, len(lines) - back
    other = [x.replace(b"python3-142", b"pdevctl-142") for x in lines[half:end]]
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(lines[:half] + other + lines[end:]))
    v = View(open_capture([str(path)]))
    v.regroup(False)
    (found,) = walk(v, "pdevctl", 1, 1)
    assert found is not None
    kind, call, _ = found
    assert kind is C
    assert [v.capture.call(c).raw.partition("-142")[0].strip() for c in (call - 1, call)] == ["python3", "pdevctl"]
    assert walk(v, "python3", 1, 1) == [(C, 0, -1)]


@pytest.mark.parametrize("settled", [True, False])
def test_what_can_be_nowhere_is_looked_for_in_no_call(settled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it can be is told by the kinds of calls and the names of the tasks; these have to be known."""
    monkeypatch.setattr(searching, "SMALL", 0)
    v = View(open_capture([str(CONNECT)]))
    if settled:
        v.capture.tasks.settle()
    lines = [v.capture.call(c).line.casefold() for c in range(v.calls)]
    told = {}
    for text in ("nothing of this kind", "qq", "python3", "pdev", "success", "49500000", "0x4950", "deadbeef", "(base=0x"):
        told[text] = Search(v, text)._may_be_somewhere()
        assert told[text] or not (text in "python3" or any(text in line for line in lines))
    assert (told["nothing of this kind"], told["qq"], told["python3"], told["pdev"]) == (not settled, not settled, True, True)


def test_a_long_search_ends_where_a_text_can_be_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.rmitrace.tui.fake import SCRIPT

    monkeypatch.setattr(searching, "SMALL", 0)
    monkeypatch.setattr(searching, "_AT_ONCE", 2048)
    monkeypatch.setattr(Search, "_may_be_somewhere", lambda self: False)
    v = view(script=SCRIPT * (8192 // len(SCRIPT) + 1), sequences=0, lines=[])
    asked: list[int] = []
    monkeypatch.setattr(Search, "hits", lambda self, calls: asked.append(len(calls)) or np.zeros(len(calls), dtype=bool))
    assert Search(v, "zz").find(None, 1) is None
    assert sum(asked) < v.calls // 2
