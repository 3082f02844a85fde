"""What a capture says cannot act on the terminal: every character that reaches the driver is looked at."""

from __future__ import annotations

import re

import pytest

from rmitrace.display import safe
from rmitrace.tui import TimelineApp
from rmitrace.tui.main import MainScreen
from tests.rmitrace.tui.driver import Driver, running
from tests.rmitrace.tui.fake import FakeCapture

NASTY = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066[red]x[/bad]\u200b\udcff\x00\r"
"""Title, clear screen, C1, bidi, markup that does not close, zero width, a byte that was not UTF-8, NUL, CR."""
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def hostile() -> FakeCapture:
    capture = FakeCapture(comm=NASTY, lines=[NASTY, f"{NASTY} [link=x]"])
    capture.sources[0].name = capture.sources[0].path = f"trace{NASTY}.txt"
    capture.revision.evidence = [NASTY]
    capture.findings = [
        type(f)(f.rule, f.severity, f.message + NASTY, f.source, f.offset, f.object, f.calls, NASTY) for f in capture.findings
    ]
    capture.sequences.why = {**capture.sequences.why, 1: capture.sequences.why[1] + NASTY}
    return capture


def cells(d: Driver) -> str:
    return "".join(s.text for line in d.app.screen._compositor.render_strips() for s in line)


async def test_no_control_character_is_drawn_on_any_screen() -> None:
    async with running(hostile(), size=(160, 40)) as d:
        seen = ""
        for keys in (
            ["j"],
            ["a", "tab", "a"],
            ["tab"],
            ["escape", "]", "]", "]"],
            ["!"],
            ["escape", "s", "G"],
            ["g", "p", "p", "y"],
            ["/", "o", "enter"],
        ):
            await d.press(*keys)
            drawn = cells(d)
            assert not FORBIDDEN.search(drawn), (keys, FORBIDDEN.search(drawn))
            seen += drawn
        assert "\\x9b31m" in seen
        assert "[red]x[/bad]" in seen  # shown as it is, not read as markup
        assert "␛]0;owned␇" in seen


async def test_what_reaches_the_driver_is_what_textual_writes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(hostile(), size=(120, 40)) as d:
        written: list[str] = []
        driver = d.app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", written.append)
        await d.press("j", "y", "e")
        await d.press("escape", "!", "escape")
        assert not FORBIDDEN.search(d.app.clipboard)
        out = "".join(written)
        assert "owned\x07" not in out
        assert "\x1b[2J" not in out
        assert "\x9b" not in out
        assert "\u202e" not in out


async def test_a_hostile_error_of_the_filter_is_shown_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    import rmitrace.query as query

    def check(capture: object, where: str) -> None:
        raise ValueError(NASTY)

    monkeypatch.setattr(query, "check", check)
    async with running() as d:
        await d.press("f", "x", "enter")
        assert safe(NASTY)[:20] in cells(d)


async def test_title_of_the_terminal_is_our_own() -> None:
    app = TimelineApp(hostile())  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)
        assert app.title == "rmitrace"
