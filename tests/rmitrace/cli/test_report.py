from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.__main__ import main

CAPTURES = Path(__file__).parents[3] / "captures"
CONNECT = CAPTURES / "ftrace" / "pdev-connect.trace.txt"


def test_the_form_follows_the_name_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, begin in (("r.html", "<!DOCTYPE html>"), ("r.md", "# rmitrace report")):
        assert main(["report", str(CONNECT), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text().lstrip().startswith(begin)
    assert capsys.readouterr().out == ""
    assert main(["report", str(CONNECT), "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("# rmitrace report")


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "t.txt"
    copy.write_bytes(CONNECT.read_bytes())
    for arguments in (
        ["--redact", "colour", str(CONNECT)],
        ["-o", str(copy), str(copy)],
        ["-o", str(tmp_path / "none" / "r.html"), str(CONNECT)],
        [str(tmp_path / "missing")],
    ):
        assert main(["report", *arguments]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1, err
    assert copy.read_bytes() == CONNECT.read_bytes()


def test_damaged_input_is_reported_and_said_in_the_exit_status(tmp_path: Path) -> None:
    cut = CAPTURES / "rmm" / "tf-rmm-alp16-errors-cut.calls.jsonl.xz"
    assert main(["report", str(cut), "-o", str(tmp_path / "r.html")]) == 3
    assert "INPUT-CUT" in (tmp_path / "r.html").read_text()
