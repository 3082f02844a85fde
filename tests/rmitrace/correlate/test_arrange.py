"""Both sides of recorded runs on one axis: every call finds its row, and none a wrong one however many are missing."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import open_capture
from rmitrace.correlate.arrange import side

from .runs import RUNS, pairs, recorded, sides

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("run", RUNS)
def test_every_call_that_both_sides_show_is_one(run: str, tmp_path: Path):
    of = sides(run, tmp_path)
    capture = open_capture(of.paths)
    found = pairs(capture, of)
    assert [a for a, b in found] == [b for a, b in found] == sorted(of.shared)
    assert len(capture) == len(recorded(run)) + of.realm  # every RMI row is a sight of a call, no call of a Realm is
    assert not capture.correlation.missing.any()
    assert not capture.correlation.unclear.any()
    assert not capture.correlation.changed.any()


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(("calls", "rows"), [(0.1, 0.0), (0.0, 0.1), (0.1, 0.1)], ids=["calls lost", "rows lost", "both lost"])
def test_lost_calls_make_no_wrong_pair(run: str, calls: float, rows: float, tmp_path: Path):
    of = sides(run, tmp_path, calls, rows, seed=1)
    capture = open_capture(of.paths)
    found = pairs(capture, of)
    assert found
    assert all(a == b for a, b in found)
    assert len(capture) == len(of.call_at) + len(of.row_at) - len(found) + of.realm  # nothing is shown twice, nothing is gone


def test_the_capture_is_in_the_order_of_the_run(tmp_path: Path):
    of = sides("head-nominal", tmp_path, lose_calls=0.1, seed=3)
    capture = open_capture(of.paths)
    calls = [capture.call(i) for i in range(len(capture)) if capture.service_text(i) == "RMI"]
    numbers = [(of.call_at if c.source == 0 else of.row_at)[c.offset] for c in calls]
    # a lost call stands behind the last shared one before it, in front of what the log does not show
    shown = [n for n in numbers if n in set(of.row_at.values())]
    swapped = sum(a > b for a, b in itertools.pairwise(shown))
    assert swapped <= int((capture.correlation.unclear > 0).sum())


def test_what_one_side_lost_is_said_and_what_it_never_shows_is_not(tmp_path: Path):
    of = sides("head-nominal", tmp_path)
    rows = of.log.read_text().splitlines(keepends=True)
    gone = next(i for i, r in enumerate(rows) if r.startswith("SMC_RMI_REALM_ACTIVATE"))
    of.log.write_text("".join(rows[:gone] + rows[gone + 1 :]))
    capture = open_capture(of.paths)
    missing = [capture.name_text(i) for i in np.flatnonzero(capture.correlation.missing)]
    assert missing == ["RMI_REALM_ACTIVATE"]
    delegate = next(i for i in range(len(capture)) if capture.name_text(i) == "RMI_GRANULE_RANGE_DELEGATE")
    assert capture.correlation.seen[delegate] == 1  # TF-RMM prints no row for one that succeeds


def test_one_of_several_alike_is_left_open(tmp_path: Path):
    of = sides("head-nominal", tmp_path)
    rows = of.log.read_text().splitlines(keepends=True)
    at = [i for i, r in enumerate(rows) if r.startswith("SMC_RMI_")]
    row = next(i for i, j in itertools.pairwise(at) if "PDEV_GET_STATE" in rows[i] and rows[i] == rows[j])
    of.log.write_text("".join(rows[:row] + rows[row + 1 :]))
    capture = open_capture(of.paths)
    found = capture.correlation
    assert not found.missing.any()
    assert {capture.name_text(i) for i in np.flatnonzero(found.unclear)} == {"RMI_PDEV_GET_STATE"}


def _shifted(of, at: int, register: int) -> tuple[str, str, str]:
    """Change an argument of a row of the log; the command, the value there was, the value there is."""
    rows = of.log.read_text().splitlines(keepends=True)
    words = rows[at].split()
    before, after = words[register], f"{int(words[register], 16) + 0x1000:x}"
    rows[at] = rows[at].replace(f" {before} ", f" {after} ", 1)
    of.log.write_text("".join(rows))
    return words[0].removeprefix("SMC_"), before, after


@pytest.mark.parametrize("seed", range(5))
def test_a_value_that_changed_between_the_layers_stands_out(seed: int, tmp_path: Path):
    of = sides("head-nominal", tmp_path)
    rows = of.log.read_text().splitlines()
    rng = random.Random(seed)
    at = rng.choice([i for i, r in enumerate(rows) if re.match(r"SMC_RMI_PDEV_\w+ +[0-9a-f]{12} [0-9a-f]{12} ", r)])
    name, before, after = _shifted(of, at, 2)
    capture = open_capture(of.paths)
    changed = np.flatnonzero(capture.correlation.changed).tolist()
    assert [capture.name_text(i) for i in changed] == [name]
    here, there = capture.call(changed[0]), capture.sights(changed[0])[0]
    assert (here.x[2], there.x[2]) == (int(before, 16), int(after, 16))
    assert len(capture) == len(recorded("head-nominal")) + of.realm


def test_captures_of_different_runs_share_no_call(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, b = sides("head-nominal", tmp_path / "a"), sides("head-errors", tmp_path / "b")
    capture = open_capture([str(a.calls), str(b.log)])
    assert capture.correlation.links[0].pairs == 0
    assert len(capture) == len(a.call_at) + len(b.row_at) + b.realm


def test_sources_of_one_side_are_not_compared(tmp_path: Path):
    trace = (ROOT / "captures" / "ftrace" / "pdev-connect.trace.txt").read_text()
    (tmp_path / "cpu0.txt").write_text(trace)
    (tmp_path / "cpu1.txt").write_text(trace.replace("[000]", "[001]"))
    capture = open_capture([str(tmp_path / "cpu0.txt"), str(tmp_path / "cpu1.txt")])
    assert capture.correlation is None


def test_the_host_trace_and_the_console_of_one_real_run():
    paths = [str(ROOT / "captures" / p) for p in ("ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log")]
    rows = [r for r in Path(paths[1]).read_text(errors="replace").splitlines() if "SMC_RMI_" in r]
    calls = json.dumps(Path(paths[0]).read_text()).count("smc_enter: (")
    capture = open_capture(paths)
    # two VERSION calls at the end of the log were made after the trace was read
    assert capture.correlation.links[0].pairs == len(rows) - 2
    assert len(capture) == calls + 2
    assert [capture.name_text(i) for i in np.flatnonzero(capture.correlation.seen == 2)] == ["RMI_VERSION"] * 2


@pytest.mark.parametrize(
    ("format", "where"),
    [("ftrace", "host"), ("rmm-console", "firmware"), ("qemu-int", "machine"), ("calls-jsonl", "recorder"), ("other", "host")],
)
def test_where_a_source_looks_from(format: str, where: str):
    assert side(format) == where
