"""``rmitrace record``, as far as it goes without an arm64 machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rmitrace.__main__ import main
from rmitrace.record.script import script

ROOT = Path(__file__).parents[3]


TAKE = f"dd bs=1 count={len(script())} >/dev/null 2>&1"
"""What stands for ssh takes the script so; the end of its standard input comes only after its own."""


def fake(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_script_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    argv = [sys.executable, "-S", "-m", "rmitrace", "record", "--script"]  # -S: no site-packages
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == script()


def test_with_the_standard_library_alone_a_capture_is_not_opened() -> None:
    capture = ROOT / "captures/ftrace/pdev-connect.trace.txt"
    argv = [sys.executable, "-S", "-m", "rmitrace", "decode", str(capture)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"rmitrace: Python's package \w+ is missing here: only record works without; [^\n]*\n", done.stderr)


@pytest.mark.skipif(platform.machine() == "aarch64", reason="this machine is arm64 and can be recorded")
def test_another_machine_is_told_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--for", "1"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--remote USER@HOST" in said


def test_root_is_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["record"]) == 2
    assert capsys.readouterr().err == "rmitrace: must be root to trace the kernel: sudo rmitrace record ...\n"


def test_remote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ssh = fake(tmp_path / "ssh", f"echo \"$3\" >{tmp_path}/there; {TAKE}; printf '\\27\\10\\104tracing6'; head -c 5000 /dev/zero")
    out = tmp_path / "a b.dat"
    assert main(["record", "--remote", "h", "--ssh", ssh, "-o", str(out), "--for", "2", "--buffers", "--", "echo", "x y"]) == 0
    assert (tmp_path / "there").read_text() == "sh -s -- -o - --fed 30 --for 2 --buffers -- echo 'x y'\n"
    assert f"rmitrace view '{out}'" in capsys.readouterr().out
    assert out.stat().st_size == 5012 - 1


def test_remote_from_which_nothing_comes_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.dat"
    ssh = fake(tmp_path / "ssh", f"{TAKE}; exit 255")
    assert main(["record", "--remote", "nowhere", "--ssh", ssh, "-o", str(out)]) == 2
    assert "nothing came back from nowhere (ssh ended with status 255)" in capsys.readouterr().err
    assert not out.exists()
    assert main(["record", "--remote=-oProxyCommand=id"]) == 2


def test_qemu_options_and_its_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "q.log"
    real = ROOT / "captures/qemu/d-int-cpu-one-insn.txt"
    answers = f'--version) echo version 9.2.1 ;; -trace) ;; *) echo "$@" >{tmp_path}/ran; cp {real} {log} ;;'
    qemu = fake(tmp_path / "qemu", f"case $1 in {answers} esac")
    assert main(["record", "--qemu", qemu]) == 0
    said = capsys.readouterr().out
    assert "-d int -D qemu.log" in said
    assert f"say to its monitor:\nlogfile {Path.cwd()}/qemu.log\nlog int\n# and to end it:\nlog none\n" in said
    assert main(["record", "--qemu", "-o", str(log), "--", qemu, "-M", "virt"]) == 0
    assert (tmp_path / "ran").read_text() == f"-M virt -d int -D {log}\n"
    smcs = real.read_text().count("[Secure Monitor Call]")
    assert capsys.readouterr().out.startswith(f"{log}: {smcs} SMCs; open it with: rmitrace view ")


def test_qemu_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--qemu", str(tmp_path / "none")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["record", "--qemu", fake(tmp_path / "q", "echo version 9.2"), "--kernel", str(tmp_path / "q")]) == 2
    assert "no arm64 kernel" in capsys.readouterr().err
