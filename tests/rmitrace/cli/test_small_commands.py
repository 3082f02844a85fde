"""view without a terminal, formats, completion."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rmitrace import cli
from rmitrace.__main__ import main
from rmitrace.cli import formats

ROOT = Path(__file__).parent.parent.parent.parent
CAPTURE = "captures/rmm/tf-rmm-head-nominal.calls.jsonl.xz"


def test_view_prints_the_sequences_where_stdout_is_no_terminal(capsys):
    assert main(["view", str(ROOT / CAPTURE)]) == 0
    out = capsys.readouterr().out
    assert "connect pdev:0x" in out
    assert "disconnect pdev:0x" in out
    assert out.isprintable() or not set(out) & {"\x1b"}


def test_view_reads_standard_input():
    data = (ROOT / CAPTURE).read_bytes()
    done = subprocess.run([sys.executable, "-m", "rmitrace", "view", "-"], input=data, capture_output=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0
    assert b"connect pdev:0x" in done.stdout


def test_view_does_not_import_textual_for_text():
    code = "import sys; from rmitrace.__main__ import main; main(['view', sys.argv[1]]); print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, CAPTURE], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.splitlines()[-1] == "False"


def test_formats_lists_every_format(capsys):
    from rmitrace.formats import registry

    assert main(["formats"]) == 0
    out = capsys.readouterr().out
    for f in registry.formats():
        assert f"\n{f.name} " in "\n" + out
        assert f.title in out
        assert formats.recognition(f)
    assert "How surely" not in out


def test_formats_of_files(tmp_path, capsys):
    strange = tmp_path / "strange.txt"
    strange.write_text("nothing\n" * 10)
    assert main(["formats", str(ROOT / CAPTURE), str(strange)]) == 2
    out = capsys.readouterr().out.splitlines()
    assert f"{CAPTURE}: calls-jsonl " in out[0]
    assert out[1].endswith("strange.txt: not recognised")


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for name in cli.COMMANDS:
        assert name in script
    assert "fail-on" in script or shell == "tcsh"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes():
    """bash itself offers the sub-commands and, after one, its options and file names."""
    ask = f"""
        eval "$({sys.executable} -m rmitrace completion bash)"
        f=$(complete -p rmitrace | sed "s/.*-F \\([^ ]*\\).*/\\1/")
        COMP_WORDS=(rmitrace d) COMP_CWORD=1; $f; echo "${{COMPREPLY[@]}}"
        COMP_WORDS=(rmitrace decode Makef) COMP_CWORD=2 COMPREPLY=(); $f; echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, cwd=ROOT, timeout=60)
    first, second = done.stdout.splitlines()[-2:]
    assert "decode" in first.split()
    assert "Makefile" in second.split()
