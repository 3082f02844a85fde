"""``rmitrace cache`` and ``--no-cache``."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace import cli
from rmitrace.capture.index import identity, keeper

TRACE = Path(__file__).parents[3] / "captures/ftrace/pdev-connect.trace.txt"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RMITRACE_CACHE_LIMIT", raising=False)
    monkeypatch.setattr(keeper, "SMALLEST", 0)
    monkeypatch.setattr(keeper, "_WORTH_LOOKING", 0)
    monkeypatch.setattr(identity, "_SETTLED_NS", -(10**18))
    return tmp_path / "rmitrace"


def out(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert cli.run(list(argv)) == 0
    return capsys.readouterr().out


def test_lists_and_clears(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "cache") == f"{folder}: 0 bytes of 8.0 GiB\n"
    first = out(capsys, "decode", str(TRACE))
    listed = out(capsys, "cache").splitlines()
    assert len(listed) == 2
    assert listed[1].endswith(f"  {TRACE}")
    assert out(capsys, "decode", str(TRACE)) == first
    assert out(capsys, "cache", "--clear").startswith("1 index removed, ")
    assert list(folder.iterdir()) == []


def test_no_cache_neither_writes_nor_reads(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("decode", "stats", "messages", "view"):
        out(capsys, command, "--no-cache", str(TRACE))
        assert not folder.exists()


def test_a_name_with_control_characters_is_shown_as_pictures(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "tr\x1b[2Jace"
    copy.write_bytes(TRACE.read_bytes())
    out(capsys, "decode", str(copy))
    assert "tr␛[2Jace" in out(capsys, "cache")


def test_what_is_no_index_is_listed_and_not_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir(mode=0o700)
    (folder / "a.index").write_bytes(b"junk")
    assert "(cannot be read: it will be made anew)" in out(capsys, "cache")
