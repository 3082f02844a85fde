"""perf.data through perf script: a file by hand, one that perf records here, and a perf that misbehaves."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from rmitrace.capture import CaptureError, OpenOptions, open_capture
from rmitrace.formats import perf_data, perf_print
from rmitrace.formats.base import ReadOptions, Unreadable
from rmitrace.formats.perf_data import FORMAT
from tests.rmitrace.formats import perf_data_build as build

CAPTURES = Path(__file__).parents[3] / "captures" / "perf"
needs_perf = pytest.mark.skipif(shutil.which("perf") is None, reason="perf is not installed")


def fake(folder: Path, patch: pytest.MonkeyPatch, script: str) -> None:
    """A program named perf that does what the shell script says."""
    program = folder / "bin" / "perf"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    patch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


@needs_perf
def test_calls_as_they_were_put_in() -> None:
    data = build.calls()
    assert (CAPTURES / "smccc.data").read_bytes() == data
    capture = open_capture([str(CAPTURES / "smccc.data")])
    assert capture.sources[0].format == "perf-data"
    for seq, (x, r) in enumerate(build.CALLS):
        call = capture.call(seq)
        assert (call.x, call.r) == (list(x), list(r))
        assert (call.ts_ns, call.dur_ns, call.cpu) == (107_999_205_123 + seq * 1_000_000, 40_000, seq % 2)
        assert (call.task, call.pid) == ("tsm-connect", 354)
        assert "smccc:smc12_enter: (ffff80008002bf38) a0=" in call.raw


@needs_perf
def test_without_a_path_a_copy_is_read() -> None:
    data = build.calls()
    assert len(FORMAT.read(b"in front" + data, 8, 8 + len(data), ReadOptions())) == 8


@needs_perf
def test_a_file_without_calls_that_perf_records_here(tmp_path: Path) -> None:
    path = tmp_path / "perf.data"
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-o", str(path), "--", "true"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let perf record")
    assert FORMAT.sniff(path.read_bytes()[:256]) == 1.0
    records = FORMAT.read(path.read_bytes(), 0, path.stat().st_size, ReadOptions(path=str(path)))
    assert len(records) == 0


@needs_perf
@pytest.mark.parametrize("at", [*range(0, 104, 4), *range(104, 1200, 41)])
def test_damage_is_refused_or_read(at: int, tmp_path: Path) -> None:
    """Whatever perf makes of it: one sentence, or records."""
    data = bytearray(build.calls())
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    path = tmp_path / "x.data"
    path.write_bytes(data)
    try:
        open_capture([str(path)], OpenOptions(source_format="perf-data"))
    except CaptureError as e:
        said = str(e)
    else:
        said = ""
    assert "\n" not in said


def test_the_text_is_read_as_that_of_perf_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, f"cat {CAPTURES / 'breakpoints.txt'}")
    path = tmp_path / "x.data"
    path.write_bytes(b"PERFILE2" + bytes(100))
    capture, text = open_capture([str(path)]), open_capture([str(CAPTURES / "breakpoints.txt")])
    assert len(capture.calls) == len(text.calls) > 10
    assert [capture.call(i).line for i in range(5)] == [text.call(i).line for i in range(5)]


def test_what_samples_lack_is_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    lacks = "do not have {} attribute set. Cannot print '{}' field."
    script = f'echo "$@" >> {asked}\ncase "$*" in\n'
    for field in ("cpu", "iregs"):
        script += f'*{field}*) echo "Samples for x event {lacks.format(field.upper(), field)}" >&2; exit 129;;\n'
    fake(tmp_path, monkeypatch, f"{script}esac\ncat {CAPTURES / 'script-ns.txt'}")
    assert len(FORMAT.read(b"PERFILE2", 0, 8, ReadOptions())) > 10
    fields = [line.split("-F ")[1].split()[0] for line in asked.read_text().splitlines()]
    assert fields == [
        "comm,pid,tid,cpu,time,event,ip,iregs,trace",
        "comm,pid,tid,time,event,ip,iregs,trace",
        "comm,pid,tid,time,event,trace",
    ]


def test_without_perf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "x.data"
    path.write_bytes(build.calls())
    with pytest.raises(CaptureError, match=r"which is not installed: install perf \(apt-get install linux-perf\)") as e:
        open_capture([str(path)])
    assert "\n" not in str(e.value)


def test_a_perf_that_refuses_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "echo 'incompatible file format (rerun with -v to learn more)' >&2; exit 255")
    with pytest.raises(
        Unreadable, match=r"cannot read this file \(incompatible file format .*\): install perf .* where it was recorded"
    ):
        FORMAT.read(b"PERFILE2", 0, 8, ReadOptions())


def test_a_perf_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr(perf_print, "TIMEOUT", 0.2)
    began = time.monotonic()
    with pytest.raises(Unreadable, match="took longer than"):
        FORMAT.read(b"PERFILE2", 0, 8, ReadOptions())
    assert time.monotonic() - began < 30


def test_a_perf_that_never_ends_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, f"while :; do cat {CAPTURES / 'script-ns.txt'} || exit 1; done")
    monkeypatch.setattr(perf_print, "MAX_TEXT", 100_000)
    records = FORMAT.read(b"PERFILE2", 0, 8, ReadOptions())
    assert len(records.facts["data"]) == 100_000
    assert [(f.rule, f.offset) for f in records.findings if f.rule == "INPUT-CUT"] == [("INPUT-CUT", 100_000)]


def test_too_big_a_file_is_not_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "exit 0")
    monkeypatch.setattr(perf_data, "MAX_FILE", 100)
    with pytest.raises(Unreadable, match="more than is handed to perf script"):
        FORMAT.read(b"PERFILE2" + bytes(200), 0, 208, ReadOptions())


def test_sniff() -> None:
    assert FORMAT.sniff(b"PERFILE2" + bytes(9)) == FORMAT.sniff(b"2ELIFREP") == 1.0
    assert [FORMAT.sniff(h) for h in (b"PERFFILE", b"perf", b"")] == [0.0, 0.0, 0.0]
