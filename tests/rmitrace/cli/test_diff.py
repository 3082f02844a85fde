"""``rmitrace diff``: exit status, text, JSON, and wrong usage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rmitrace import cli

ROOT = Path(__file__).parents[3]
RMM = ROOT / "captures" / "rmm"
GOOD, CORRUPT, SILENT = (RMM / f"tf-rmm-head-{n}.calls.jsonl.xz" for n in ("nominal", "corrupt5", "doefail6"))


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = cli.run(["diff", *map(str, words)])
    got = capsys.readouterr()
    return status, got.out, got.err


def test_the_same_is_one_line(capsys: pytest.CaptureFixture[str]):
    status, out, err = run(capsys, GOOD, GOOD)
    assert (status, err) == (0, "")
    assert out.splitlines()[2:] == ["the same: 277 calls in the same order with the same results"]


def test_the_first_that_matters_stands_before_the_calls(capsys: pytest.CaptureFixture[str]):
    """Where the device's answer was broken the RMM asks for nothing more: see tests of the comparison."""
    status, out, _ = run(capsys, GOOD, CORRUPT)
    assert status == 1
    lines = out.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("first: "))
    assert lines[first].startswith("first: call 91 of A, 91 of B: RMI_PDEV_COMMUNICATE(pdev_ptr=pdev B")
    assert "    message request: KEY_EXCHANGE in A, none in B" in lines[first:]
    assert first < lines.index("")
    assert any(line.startswith("! RMI_PDEV_COMMUNICATE(pdev_ptr=pdev B") for line in lines)


def test_long_differences_are_cut_unless_all_are_wanted(capsys: pytest.CaptureFixture[str]):
    _, short, _ = run(capsys, GOOD, CORRUPT)
    _, full, _ = run(capsys, "--all", "-U", 0, GOOD, CORRUPT)
    marked = [line for line in full.splitlines() if line.startswith(("- ", "+ ", "! "))]
    counted = json.loads(run(capsys, "--format", "json", GOOD, CORRUPT)[1])["differences"]
    assert len(marked) == len(counted)
    assert "--all shows them" in short
    assert len(short.splitlines()) < 250


def test_json_tells_every_difference(capsys: pytest.CaptureFixture[str]):
    status, out, _ = run(capsys, "--format", "json", GOOD, SILENT)
    told = json.loads(out)
    assert (status, told["same"]) == (1, False)
    assert told["a"]["calls"] == 277
    first = told["first"]
    assert first["name"] == "RMI_PDEV_COMMUNICATE"
    assert first["differences"] == [{"what": "message", "name": "response", "a": "KEY_EXCHANGE_RSP", "b": "none"}]
    assert first in told["differences"]
    alone = [d for d in told["differences"] if d["a"] is None or d["b"] is None]
    assert told["counted"]["only in A"] + told["counted"].get("only in B", 0) == len(alone)
    assert told["a"]["roles"]["pdev A"].startswith("0x")


def test_what_is_ignored_does_not_make_a_difference(capsys: pytest.CaptureFixture[str]):
    every = "order,status,parameters,outputs,state,memory,messages,sequences"
    assert run(capsys, "--ignore", every, GOOD, CORRUPT)[0] == 0
    assert run(capsys, "--ignore", "order", "--ignore", "status", GOOD, CORRUPT)[0] == 1


def test_quiet(capsys: pytest.CaptureFixture[str]):
    assert run(capsys, "-q", GOOD, GOOD) == (0, "", "")
    assert run(capsys, "-q", GOOD, CORRUPT) == (1, "", "")


@pytest.mark.parametrize(
    "words",
    [
        ("--ignore", "colour", GOOD, GOOD),
        ("-U", "-1", GOOD, GOOD),
        (GOOD, ROOT / "no-such-file"),
        ("--with-b", ROOT / "no-such-file", GOOD, GOOD),
    ],
)
def test_wrong_usage(words: tuple[object, ...], capsys: pytest.CaptureFixture[str]):
    status = cli.run(["diff", *map(str, words)])
    got = capsys.readouterr()
    assert status == 2
    assert got.out == ""
    assert got.err.count("\n") == 1


def test_nothing_of_a_file_reaches_the_terminal_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    a, b = tmp_path / "a\x1b[31m.txt", tmp_path / "b.txt"
    row = "SMC_RMI_PDEV_GET_STATE            88550000 > RMI_SUCCESS 1\n"
    a.write_text(row)
    b.write_text(row + row.replace("STATE ", "ST\x1b[2J "))
    _, out, _ = run(capsys, a, b)
    assert "\x1b" not in out


def test_nothing_in_common(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    a.write_text("SMC_RMI_VERSION                   10000 > RMI_SUCCESS 10000 10000\n")
    b.write_text("SMC_RMI_PDEV_GET_STATE            88550000 > RMI_SUCCESS 1\n")
    status, out, _ = run(capsys, "--format", "json", a, b)
    assert status == 1
    assert json.loads(out)["counted"] == {"only in A": 1, "only in B": 1}


def test_the_answer_does_not_hang_on_hashes():
    """Kinds that are counted equally often stand in one order in every process."""
    words = [sys.executable, "-m", "rmitrace", "diff", "--no-cache", str(GOOD), str(CORRUPT)]
    told = {
        subprocess.run(words, env=os.environ | {"PYTHONHASHSEED": seed}, cwd=ROOT, capture_output=True, check=False).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert b"they differ: " in told.pop()


def test_more_memory_than_there_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Two captures of ten million calls take 7.6 GB: it is said before the work begins."""
    monkeypatch.setattr("rmitrace.cli.diff._CALL_NEEDS", 1 << 40)
    assert run(capsys, GOOD, GOOD) == (
        2, "", "rmitrace: out of memory: comparing 277 calls with 277 calls may need 580,911,104 MiB, and they are not left\n",
    )  # fmt: skip
