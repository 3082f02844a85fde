"""``rmitrace diff --view``: where it opens, its keys, and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rmitrace.capture import open_capture
from rmitrace.compare import Comparison, compare_captures
from rmitrace.tui.comparison import ComparisonApp, Described, Keys, Pairs

RMM = Path(__file__).parents[3] / "captures" / "rmm"


def comparison(a: str, b: str) -> Comparison:
    return compare_captures(*(open_capture([str(RMM / f"tf-rmm-head-{n}.calls.jsonl.xz")]) for n in (a, b)))


@pytest.fixture(scope="module")
def broken() -> Comparison:
    return comparison("nominal", "corrupt5")


async def test_it_opens_at_the_first_difference_that_matters(broken: Comparison):
    async with ComparisonApp(broken).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        pairs, described = (pilot.app.screen.query_one(w) for w in (Pairs, Described))
        assert pairs.row == broken.first
        assert ("message request", "KEY_EXCHANGE", "none", "error") in described.lines


async def test_keys(broken: Comparison):
    async with ComparisonApp(broken).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        pairs, keys = pilot.app.screen.query_one(Pairs), pilot.app.screen.query_one(Keys)
        at = broken.differing.index(broken.first)
        await pilot.press("n")
        assert pairs.row == broken.differing[at + 1]
        await pilot.press("N", "N")
        assert pairs.row == broken.differing[max(at - 1, 0)]
        await pilot.press("G", "n")
        assert keys.message == "no further difference" or pairs.row == broken.differing[-1]
        await pilot.press("!")
        assert pairs.row == broken.first
        await pilot.press("f")
        assert pairs.row == broken.first
        assert pairs.count() < len(broken.rows)
        await pilot.press("f")
        assert pairs.count() == len(broken.rows)


async def test_nothing_differs():
    same = comparison("nominal", "nominal")
    async with ComparisonApp(same).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("n", "!", "f")
        assert pilot.app.screen.query_one(Keys).message == "nothing differs"
        assert pilot.app.screen.query_one(Pairs).row == 0


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_picture(snap_compare: Any, broken: Comparison, size: tuple[int, int]):
    assert snap_compare(ComparisonApp(broken), terminal_size=size)
