"""Every key, pressed on a small capture made by hand; what follows is read from the panes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.widgets import Input, OptionList

from rmitrace.tui.bars import Header, StatusBar
from rmitrace.tui.hexview import HexPane
from rmitrace.tui.main import MainScreen, key_groups
from rmitrace.tui.prompt import Prompt
from rmitrace.tui.rows import RowKind
from rmitrace.tui.screens import FindingList, FindingsScreen, HelpScreen, KeyList
from rmitrace.tui.timeline import Axis
from tests.rmitrace.tui.driver import Driver, running
from tests.rmitrace.tui.fake import BAD, GOOD, FakeCapture

# rows at first: 0 line, 1 call 0, 2 connect GOOD, 3 call 6, 4 connect BAD, 5 create, 6 communicate,
# 7 call 9, 8 line, 9 call 10, 10 call 11


async def test_moving() -> None:
    async with running(size=(80, 24)) as d:
        for down, up in (("down", "up"), ("j", "k")):
            await d.press(down, down, up)
            assert d.row == (RowKind.CALL, 0)
            await d.press(up)
        for last, first in (("G", "g"), ("end", "home")):
            await d.press(last)
            assert d.row == (RowKind.CALL, 11)
            await d.press(first)
            assert d.row == (RowKind.LINE, 0)
        await d.press("a", "g", "pagedown")
        assert d.main.list.cursor == d.main.list.line_count - 1
        await d.press("pageup")
        assert d.main.list.cursor == 0


async def test_folding() -> None:
    async with running() as d:
        await d.press("j", "j")
        assert d.row == (RowKind.SEQUENCE, 0)
        before = d.main.list.count()
        for unfold, fold in (("space", "space"), ("enter", "enter"), ("right", "left"), ("l", "h")):
            await d.press(unfold)
            assert d.main.list.count() == before + 2, unfold
            await d.press(fold)
            assert d.main.list.count() == before, fold
        await d.press("a")
        assert d.main.list.count() == 12 + 2 + 4 + 2  # calls, sequences, steps, log lines
        await d.press("A")
        assert d.main.list.count() == 6  # line, call, connect, call, connect, call; the other line is in the second connect
        assert d.row == (RowKind.SEQUENCE, 0)


async def test_left_and_space_go_up_to_the_heading_and_right_goes_in() -> None:
    async with running() as d:
        await d.press("G", "k")
        assert d.row == (RowKind.CALL, 10)
        await d.press("left")
        assert d.row == (RowKind.STEP, 3)
        await d.press("left", "left")
        assert d.row == (RowKind.SEQUENCE, 1)
        await d.press("right")
        assert d.row == (RowKind.STEP, 2)
        await d.press("a", "G", "k", "space")  # on a call: fold what it is in
        assert d.row == (RowKind.STEP, 3)
        await d.press("G", "enter")
        assert d.focus == "tree"


# -- one selection


def marked(pane: HexPane) -> list[tuple[str, str]]:
    """The marked texts of the bytes pane, each with the line it is in."""
    colour = pane.style_of("field").bgcolor
    lines = [list(pane.render_line(y)) for y in range(pane.scrollable_content_region.height)]
    return [
        (s.text, "".join(x.text for x in line))
        for line in lines
        for s in line
        if s.style is not None and s.style.bgcolor == colour
    ]


async def select_field(d: Driver, name: str) -> None:
    tree = d.main.tree_pane
    await d.press("g", *["j"] * next(i for i, line in enumerate(tree.lines) if line.node.name == name))


async def test_tree_and_bytes_follow_the_list_and_mark_the_field() -> None:
    async with running(size=(170, 40)) as d:
        await d.press("G", "k", "k", "k")
        assert d.row == (RowKind.CALL, 9)
        tree = d.text("tree")
        assert "pdev_ptr = 0x88003000" in tree
        assert "✗ result  RMI_ERROR_DEVICE" in tree
        assert "✗ the device failed" in tree
        assert "RmiDevCommData at 0x88002000, enter" in tree
        assert "a0=0xc4000175" in d.text("bytes")
        await d.press("enter", "a")
        await select_field(d, "req_addr")
        assert "".join(text for text, _ in marked(d.main.bytes_pane)) == "10 11 12 13  14 15 16 17········"
        await select_field(d, "pdev_ptr")
        assert [text for text, line in marked(d.main.bytes_pane) if "a1=0x88003000" in line] == ["0x88003000"]
        await d.press("escape", "j", "j", "tab")
        await select_field(d, "state")
        assert [(text, "a1=0x8 " in line) for text, line in marked(d.main.bytes_pane)] == [("0x8", True)]


async def test_what_failed_is_told_by_signs_and_words() -> None:
    async with running(size=(120, 40)) as d:
        lines = d.text("list").splitlines()
        assert any("✗ RMI_PDEV_COMMUNICATE" in line and "RMI_ERROR_DEVICE" in line for line in lines)
        assert any("✗ connect pdev:0x88003000 failed at communicate: RMI_ERROR_DEVICE" in line for line in lines)
        assert any("⇒ PDEV_ERROR" in line for line in lines)
        lanes = d.text("lanes").splitlines()
        assert "├connect ✓" in lanes[0]
        assert "├connect ✗" in lanes[1]
        assert lanes[1].count("✗") == 2  # the outcome, and the cell of the call that failed
        assert "✗ 1 failed" in d.main.query_one(Header).render_line(0).text
        await d.press("p")
        assert d.row == (RowKind.SEQUENCE, 0)
        await d.press("tab", "a")
        tree = d.text("tree")
        assert "outcome  ok" in tree
        assert "communicate = ok, 3 calls" in tree
        assert "PDEV_NEW → PDEV_NEEDS_KEY" in tree


async def test_tree_folds() -> None:
    async with running() as d:
        await d.press("j", "tab")
        tree = d.main.tree_pane
        await select_field(d, "registers")
        count = tree.count()
        for unfold, fold in (("space", "space"), ("enter", "enter"), ("right", "left"), ("l", "h")):
            await d.press(unfold)
            assert tree.count() > count, unfold
            await d.press(fold)
            assert tree.count() == count, fold
        await d.press("right", "right")
        assert tree.lines[tree.cursor].node.name == "in"
        await d.press("left")
        assert tree.lines[tree.cursor].node.name == "registers"
        await d.press("a")
        assert not [line for line in tree.lines if line.node.children and not line.open]
        await d.press("A")
        assert all(line.depth <= 1 for line in tree.lines)


# -- panes


async def test_tab_and_maximise() -> None:
    panes = ["list", "tree", "bytes", "lanes"]
    async with running() as d:
        for pane in panes:
            assert d.focus == pane
            await d.press("z")
            region = d.main.query_one(f"#{pane}").region
            assert region.height >= 25, pane
            assert region.width >= 98, pane
            assert not any(d.main.query_one(f"#{o}").region.area for o in panes if o != pane)
            await d.press("z")
            assert all(d.main.query_one(f"#{o}").region.area for o in panes)
            await d.press("tab")
        assert d.focus == "list"
        await d.press("shift+tab")
        assert d.focus == "lanes"
        await d.press("F", "tab", "tab", "z", "escape")  # escape gives back the screen, then the list, then drops the filter
        assert d.main.list.region.area
        assert d.focus == "tree"
        await d.press("escape")
        assert d.focus == "list"
        assert d.main.model.mask is not None
        await d.press("escape")
        assert d.main.model.mask is None


async def test_a_low_screen_shows_the_fields_on_enter() -> None:
    async with running(size=(80, 16)) as d:
        assert not d.main.tree_pane.region.area
        await d.press("j", "enter")
        assert d.focus == "tree"
        assert d.main.tree_pane.region.area
        await d.press("escape")
        assert d.focus == "list"
        assert d.main.list.region.area


# -- the timeline


async def test_zoom_and_pan() -> None:
    async with running() as d:
        timeline = d.main.model.timeline
        for key in ("+", "="):
            await d.press(key)
            assert timeline.magnification == pytest.approx(2)
            await d.press(key, "-")
            assert timeline.magnification == pytest.approx(2)
            await d.press("0")
            assert timeline.magnification == 1
        await d.press("+", "+")
        assert "×4" in d.main.query_one(Axis).title
        lo = timeline.window[0]
        for right, left in ((">", "<"), ("shift+right", "shift+left")):
            await d.press(right)
            assert timeline.window[0] > lo
            await d.press(left)
            assert timeline.window[0] == pytest.approx(lo)
        await d.press("shift+tab")
        for right, left in (("right", "left"), ("l", "h")):
            await d.press(right)
            assert timeline.window[0] > lo
            await d.press(left)
            assert timeline.window[0] == pytest.approx(lo)


async def test_lanes_are_walked() -> None:
    async with running() as d:
        await d.press("shift+tab", "home")
        lanes = d.main.lanes
        assert lanes.timeline.lanes[lanes.cursor].label == GOOD
        for go in ("enter", "space"):
            await d.press(go)
            assert d.row == (RowKind.CALL, 1)  # the call of the lane nearest to call 0
        await d.press(".")
        assert d.row == (RowKind.CALL, 2)
        await d.press(",")
        assert d.row == (RowKind.CALL, 1)
        await d.press("down")
        assert lanes.timeline.lanes[lanes.cursor].label == BAD
        await d.press("up", "j", "k")
        assert lanes.cursor == 0


async def test_lanes_and_axis() -> None:
    async with running() as d:
        assert GOOD in d.text("lanes")
        await d.press("c")
        assert "CPU 1" in d.text("lanes")
        assert GOOD not in d.text("lanes")
        await d.press("c", "x")
        assert GOOD in d.text("lanes")
        assert d.main.model.timeline.ordered
        assert "by call order" in d.main.query_one(Axis).title
        await d.press("x")
        assert not d.main.model.timeline.ordered


async def test_without_times_and_log_lines() -> None:
    async with running(FakeCapture(timed=False, lines=[])) as d:
        assert d.main.model.timeline.ordered
        for key, said in (("x", "no times"), ("T", "no times"), ("L", "no log lines")):
            await d.press(key)
            assert said in d.said
        assert "#11" in d.text("list")


async def test_clicks() -> None:
    async with running(size=(120, 30)) as d:
        lanes = d.main.lanes
        cell = lanes.timeline.cell(float(lanes.timeline.axis[9]), lanes.cells_width)
        await d.pilot.click("#lanes", offset=(sum(lanes.labels) + cell, 1))
        await d.settle(8)
        assert d.row == (RowKind.CALL, 9)
        top = 1  # the border with the title
        await d.press("g")
        await d.pilot.click("#list", offset=(60, top + 3))
        await d.settle(8)
        assert d.row == (RowKind.CALL, 6)
        column = d.text("list").splitlines()[2].index("▸")
        count = d.main.list.count()
        await d.pilot.click("#list", offset=(column, top + 2))
        await d.settle(8)
        assert d.main.list.count() == count + 2


# -- list


async def test_forms_of_the_list() -> None:
    async with running() as d:
        await d.press("G", "s")
        assert not d.main.model.grouped
        assert d.main.list.count() == 12 + 2
        assert d.row == (RowKind.CALL, 11)
        await d.press("s")
        assert d.main.model.grouped
        assert "RMM: v0.8.0" in d.text("list")
        await d.press("L")
        assert "RMM: v0.8.0" not in d.text("list")
        await d.press("L")
        assert "RMM: v0.8.0" in d.text("list")
        for shown in (" 0.011000", "12.011000", "+0.001000", " 0.011000"):
            assert shown in d.text("list")
            await d.press("T")


async def test_next_and_previous_sequence() -> None:
    async with running() as d:
        for after, before in (("p", "P"), ("}", "{")):
            await d.press("g", after)
            assert d.row == (RowKind.SEQUENCE, 0)
            await d.press(after)
            assert d.row == (RowKind.SEQUENCE, 1)
            await d.press(after)
            assert "no further sequence" in d.said
            await d.press(before)
            assert d.row == (RowKind.SEQUENCE, 0)
            await d.press(before)
            assert "no sequence before" in d.said


async def test_marks() -> None:
    async with running() as d:
        await d.press("'")
        assert "no call is marked" in d.said
        await d.press("m")
        assert "only calls" in d.said
        await d.press("j", "m", "G", "m")
        assert d.text("list").count("◆") == 2
        await d.press("'")
        assert d.row == (RowKind.CALL, 0)
        await d.press("'")
        assert d.row == (RowKind.CALL, 11)
        await d.press("m")
        assert d.text("list").count("◆") == 1


# -- search and filter


async def test_search() -> None:
    async with running() as d:
        await d.press("n")
        assert "nothing searched" in d.said
        await d.answer("/", "t_stat")
        assert d.row == (RowKind.CALL, 5)  # unfolds the sequence it is in
        assert d.focus == "list"
        await d.press("n")
        assert d.row == (RowKind.CALL, 10)
        await d.press("n")
        assert d.row == (RowKind.CALL, 5)
        await d.press("N")
        assert d.row == (RowKind.CALL, 10)
        for text, row in (("PCI", (RowKind.LINE, 1)), ("failed", (RowKind.SEQUENCE, 1)), ("KWO", (RowKind.CALL, 0))):
            await d.answer("g", "/", text)
            assert d.row == row
        await d.answer("/", "zz")
        assert "not found" in d.said
        assert d.row == (RowKind.CALL, 0)
        await d.press("/", *"abc", "escape")
        assert d.focus == "list"
        assert not d.main.query_one(Prompt).is_open
        await d.press("/", "up")
        assert d.main.query_one(Input).value == "zz"


async def test_quick_filters() -> None:
    async with running() as d:
        await d.press("F")
        kinds = [d.main.model.rows.at(i).kind for i in range(d.main.list.count())]
        assert kinds == [RowKind.SEQUENCE, RowKind.STEP, RowKind.CALL]
        assert "1 of 12" in d.main.list.title
        await d.press("F")
        assert d.main.model.mask is None
        await d.press("p", "o")
        assert d.main.model.filter.object == BAD
        assert GOOD not in d.text("list")
        await d.press("o")
        assert d.main.model.mask is None
        await d.press("g", "j", "o")
        assert "no object" in d.said


async def test_filter_by_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    import rmitrace.query as query

    def check(capture: Any, where: str) -> None:
        if where != "failed":
            raise ValueError("no column nonsense")

    monkeypatch.setattr(query, "check", check)
    monkeypatch.setattr(query, "select", lambda capture, where, progress: [9])
    async with running() as d:
        await d.answer("f", "nonsense")
        prompt = d.main.query_one(Prompt)
        assert prompt.is_open
        assert "no column nonsense" in str(prompt.query_one("#say").render())
        await d.answer("failed")
        assert not prompt.is_open
        assert d.main.model.mask is not None
        assert d.main.model.mask.sum() == 1
        assert "filter: failed" in d.main.query_one(StatusBar).render_line(0).text
        await d.press("f")
        assert d.main.query_one(Input).value == "failed"
        await d.press("ctrl+u", "enter")
        assert d.main.model.mask is None


# -- findings


async def test_findings() -> None:
    async with running() as d:
        await d.press("]")
        assert d.row == (RowKind.CALL, 0)
        assert "VERSION-OLD" in d.said
        await d.press("]")
        assert d.row == (RowKind.CALL, 4)
        assert "COMM-TWICE: communicate called twice" in d.said
        await d.press("]")
        assert d.row == (RowKind.CALL, 10)
        await d.press("]")
        assert "no further finding" in d.said
        await d.press("[")
        assert d.row == (RowKind.CALL, 4)
        await d.press("!")
        assert isinstance(d.app.screen, FindingsScreen)
        listed = d.app.screen.query_one(FindingList)
        assert listed.count() == 3
        assert listed.cursor == 1
        await d.press("down", "enter")
        assert d.row == (RowKind.CALL, 10)
        assert "PDEV-ERROR" in d.said
        await d.press("!", "escape")
        assert isinstance(d.app.screen, MainScreen)


# -- taking out


async def test_copy_and_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rmitrace.export import jsonl_calls

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jsonl_calls, "call_object", lambda capture, seq: {"type": "call", "seq": seq})
    async with running() as d:
        await d.press("e")
        assert "only calls and sequences" in d.said
        await d.press("j", "y")
        assert d.app.clipboard == "RMI_VERSION(pdev_ptr=0x10000) = RMI_SUCCESS"
        assert d.said.startswith("copied: RMI_VERSION")
        await d.press("e")
        assert d.main.query_one(Input).value == "call-0.json"
        await d.press("enter")
        assert json.loads((tmp_path / "call-0.json").read_text()) == {"type": "call", "seq": 0}
        await d.press("e", "enter")
        assert d.main.query_one(Prompt).is_open  # not overwritten
        await d.press("escape", "p", "p", "e")
        assert d.main.query_one(Input).value == "connect-7.json"
        await d.press("enter")
        written = json.loads((tmp_path / "connect-7.json").read_text())
        assert written["kind"] == "connect"
        assert [c["seq"] for c in written["calls"]] == [7, 8, 9, 10]


# -- the rest


async def test_light_help_and_quit() -> None:
    async with running() as d:
        dark = d.main.list.rich_style
        await d.press("t")
        assert d.app.theme == "rmitrace-light"
        assert d.main.list.rich_style != dark
        await d.press("t")
        assert d.app.theme == "rmitrace-dark"
        await d.press("?")
        assert isinstance(d.app.screen, HelpScreen)
        listed = [text for _, text in d.app.screen.query_one(KeyList).entries]
        for _, bindings in key_groups():
            assert {b.description for b in bindings} <= set(listed)
        await d.press("escape", "ctrl+c")
        assert "q quits" in d.said
        await d.press("q")
        assert d.app._exit


async def test_palette() -> None:
    async with running() as d:
        titles = {c.title for c in d.app.get_system_commands(d.main)}
        wanted = {b.description for _, bindings in key_groups()[:1] for b in bindings if b.action != "app.command_palette"}
        assert wanted <= titles
        for key, wanted_state in (("ctrl+p", True), (":", False)):
            await d.press(key)
            assert isinstance(d.app.screen, CommandPalette)
            d.app.screen.query_one(Input).value = "only calls that"
            await until(d, lambda: d.app.screen.query_one(OptionList).option_count > 0)
            await d.press("enter")
            await until(d, lambda state=wanted_state: d.main.model.filter.failed is state)


async def until(d: Driver, condition: Callable[[], bool]) -> None:
    """Wait for what happens in its own time."""
    for _ in range(200):
        if condition():
            return
        await d.pilot.pause(0.02)
    raise AssertionError("it never happened")


def test_no_key_is_bound_twice_in_one_place() -> None:
    for title, bindings in key_groups():
        keys = [k for b in bindings for k in b.key.split(",")]
        assert len(keys) == len(set(keys)), title
