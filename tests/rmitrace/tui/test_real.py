"""The viewer on shipped captures, read by the real readers. What is expected stands in the .toml beside each capture, in the
DMTF and DEN0137 names, or in the bytes of the file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from rmitrace.capture import Capture, open_capture
from rmitrace.tui.bars import Header
from rmitrace.tui.prompt import Prompt
from rmitrace.tui.rows import RowKind
from tests.rmitrace.tui.driver import running
from tests.rmitrace.tui.test_trust import FORBIDDEN, cells

CAPTURES = Path(__file__).parents[3] / "captures"
CONNECT = CAPTURES / "ftrace" / "pdev-connect.trace.txt"
NOMINAL = CAPTURES / "rmm" / "tf-rmm-head-nominal.calls.jsonl.xz"
COMMS = CAPTURES / "ftrace" / "odd-comms.trace.txt"


def opened(path: Path) -> tuple[Capture, int]:
    expected = tomllib.loads(path.with_name(path.name + ".toml").read_text())["expect"]["calls"]
    return open_capture([str(path)]), expected


async def test_a_connect_that_fails() -> None:
    capture, calls = opened(CONNECT)
    async with running(capture, size=(160, 50)) as d:
        assert f"{calls} calls" in d.main.query_one(Header).render_line(0).text
        await d.press("p")
        row = d.main.list.row
        assert row is not None
        assert row.kind is RowKind.SEQUENCE
        text = d.text("list")
        assert "✗ connect pdev:0x49500000 failed at" in text
        assert "connect ✗" in d.text("lanes")
        await d.answer("a", "/", "GET_VERSION")
        assert "→ GET_VERSION ← VERSION" in d.text("list").splitlines()[d.main.list.cursor - d.main.list.scroll_offset.y]
        assert "request GET_VERSION" in d.text("tree")
        await d.answer("f", "failed")
        assert not d.main.query_one(Prompt).is_open
        assert d.main.model.mask is not None
        assert d.main.model.mask.sum() == capture.calls.failed.sum() > 0
        await d.answer("escape", "f", "x1=0x49500000 and bogus")
        assert "bogus" in str(d.main.query_one("#say").render())


async def test_buffers_and_export_of_a_communicate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    capture, calls = opened(NOMINAL)
    async with running(capture, size=(200, 50)) as d:
        assert len(capture) == calls
        seq = next(i for i in range(len(capture)) if capture.name_text(i) == "RMI_PDEV_COMMUNICATE" and capture.call(i).buffers)
        d.main.go_to_call(seq)
        await d.settle(8)
        tree = d.text("tree")
        assert "RmiDevCommData at" in tree
        await d.press("enter", "a", "g")
        lines = d.main.tree_pane.lines
        at = next(i for i, line in enumerate(lines) if line.node.name == "rsp_addr")
        d.main.tree_pane.move_to(at)
        await d.settle(8)
        assert d.main.bytes_pane.place is not None
        assert (d.main.bytes_pane.place.offset, d.main.bytes_pane.place.size) == (0x10, 8)  # RmiDevCommEnter: rsp_addr at 0x10
        await d.press("escape", "e", "enter")
        written = json.loads((tmp_path / f"call-{seq}.json").read_text())
        assert written["seq"] == seq
        assert written["fid"] == "0xc4000175"


async def test_task_names_that_look_like_something_else() -> None:
    capture, calls = opened(COMMS)
    async with running(capture, size=(150, 40)) as d:
        assert len(capture) == calls
        for keys in (["a"], ["pagedown"] * 3, ["G"], ["s", "g"]):
            await d.press(*keys)
            assert not FORBIDDEN.search(cells(d))
        assert "my prog-1661" in d.text("list")


async def test_a_conversation_without_calls() -> None:
    """A packet capture: what spdm_dump says of its messages (tests/data/spdm/err_v12_busy_measurements.*.txt.gz)."""
    capture = open_capture([str(CAPTURES / "spdm" / "err_v12_busy_measurements.pcap")])
    async with running(capture, size=(120, 40)) as d:
        head = d.main.query_one(Header).render_line(0).text
        assert f"{len(capture.conversations.all)} messages" in head
        assert "call" not in head
        assert d.main.list.title == f"{len(capture.conversations.all)} messages"
        assert "→ GET_CAPABILITIES: SPDM 1.2, " in d.text("list")
        await d.answer("/", "Busy")
        found = d.text("list").splitlines()[d.main.list.cursor - d.main.list.scroll_offset.y]
        assert "✗ ← ERROR: Busy" in found
        busy = sum(m.payload[1:3] == b"\x7f\x03" for m in capture.conversations.all)
        await d.answer("f", "error = 'Busy'")
        assert d.main.list.title == f"{busy} of {len(capture.conversations.all)} messages"
        shown = [line for line in d.text("list").splitlines() if line.strip()]
        assert len(shown) == busy
        assert all("ERROR: Busy" in line for line in shown)
        await d.answer("f", "name = 'NOTHING'")
        assert "no message passes the filter" in d.said
        await d.press("escape", "F")
        assert d.main.list.title == f"{2 * busy} of {len(capture.conversations.all)} messages"
        await d.answer("f", "x1 = 4")
        assert "no column x1" in str(d.main.query_one("#say").render())
