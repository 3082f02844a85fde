"""Texts found by columns and shapes are those that stand in the lines of the calls, each decoded by itself."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import Capture, OpenOptions, open_capture
from rmitrace.tui.shapes import Shapes

CAPTURES = Path(__file__).parents[3] / "captures"
SOME = (
    "ftrace/pdev-connect.trace.txt",
    "ftrace/pdev-connect.trace.txt mixed/rme-uart0.log",
    "rmm/tf-rmm-head-errors.calls.jsonl.xz",
    "rmm/tf-rmm-alp16-errors-cut.calls.jsonl.xz",
    "rmm/tf-rmm-rel0-nominal.log.xz",
    "mixed/rme-uart0.log",
)


def lines_of(capture: Capture) -> list[str]:
    return [capture.call(i).line.casefold() for i in range(len(capture))]


@pytest.mark.parametrize("name", SOME)
def test_pieces_of_lines_are_found_where_they_stand(name: str) -> None:
    capture = open_capture([str(CAPTURES / n) for n in name.split()], OpenOptions(cache=False))
    lines = lines_of(capture)
    chosen = random.Random(name)
    needles = ["", "0", "x", "0x", ", ", "(", "deadbeef", "no exit", "success", "{", "=0x8", "?"]
    for _ in range(60):
        line = chosen.choice(lines)
        start = chosen.randrange(len(line))
        needles.append(line[start : start + chosen.randrange(1, 30)])
    needles += [chosen.choice(lines) for _ in range(5)]
    for number in re.findall("0x[0-9a-f]+", " ".join(chosen.sample(lines, min(len(lines), 30)))):
        start = chosen.randrange(len(number))
        needles.append(number[start : start + chosen.randrange(1, 10)])
    for number in re.findall("[0-9]{5,}", " ".join(chosen.sample(lines, min(len(lines), 30)))):
        needles += [number, number[1:], number[:5], str(int(number) + 1)]
    for needle in needles:
        wanted = [needle in line for line in lines]
        assert Shapes(capture, needle).hits(np.arange(len(capture))).tolist() == wanted, needle


def test_calls_in_any_order_and_parts_of_them() -> None:
    capture = open_capture([str(CAPTURES / SOME[2])], OpenOptions(cache=False))
    lines = lines_of(capture)
    shapes = Shapes(capture, "0x8")
    backwards = np.arange(len(capture))[::-1]
    assert shapes.hits(backwards).tolist() == ["0x8" in line for line in lines[::-1]]
    assert shapes.hits(backwards[3:9]).tolist() == ["0x8" in line for line in lines[::-1][3:9]]
    assert shapes.hits(backwards[:0]).tolist() == []
