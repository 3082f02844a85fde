"""The front door: version, help, complaints and exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import rmitrace
from rmitrace import cli
from rmitrace.__main__ import main


def run_python(code: str, **kwargs):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, **kwargs)


@pytest.mark.parametrize("argv", [["--version"], ["-V"], ["--version", "--version"]])
def test_version(argv, capsys):
    assert main(argv) == 0
    assert capsys.readouterr().out == f"rmitrace {rmitrace.__version__}\n"


def test_version_imports_nothing():
    """It answers at the speed of the interpreter: no module beyond those that start anyway and the package itself."""
    code = (
        "import sys; before = set(sys.modules); from rmitrace.__main__ import main; main(['--version']);"
        "print(sorted(set(sys.modules) - before - {'__future__'}))"
    )
    assert run_python(code).stdout.splitlines()[-1] == "['rmitrace', 'rmitrace.__main__']"


@pytest.mark.parametrize("argv", [["--help"], ["formats", "--help"], ["abi", "list"], ["abi", "show", "PDEV_CREATE"]])
def test_light_commands_import_nothing_heavy(argv):
    code = (
        "import sys; from rmitrace.__main__ import main; status = main(sys.argv[1:]);"
        "print(status, [m for m in ('numpy', 'polars', 'numba', 'textual', 'construct') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in cli.COMMANDS:
        assert f"\n    {name} " in text
    assert "examples:" in text
    assert "exit status:" in text


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_each_command_has_examples(name, capsys):
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    assert f"rmitrace {name}" in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["decode"], "CAPTURE"),
        (["nosuch"], "invalid choice"),
        (["decode", "--nosuch", "x"], "--nosuch"),
        (["decode", "/nonexistent/trace.txt"], "/nonexistent/trace.txt: No such file or directory"),
        (["decode", "--abi", "3.0", "x"], "revision 3.0 is not known; there are 1.0-rel0, 1.1-alp17, 2.0-bet1, 2.0-bet3"),
        (["decode", "--abi", "2.0", "x"], "revision 2.0 is one of 2.0-bet1, 2.0-bet3"),
        (["decode", "--source-format", "nosuch", "x"], "nosuch"),
        (["decode", "-", "-"], "only once"),
        (["decode", "/nonexistent/\x1b]0;title\x07.txt"], "/nonexistent/␛]0;title␇.txt"),
        (["decode", "\x1b[31m", "--nosuch"], "--nosuch"),
    ],
)
def test_mistakes_are_one_line_and_status_2(argv, said, capsys):
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rmitrace: ")
    assert err.count("\n") == 1
    assert said in err
    assert "\x1b" not in err


def test_no_command_prints_the_help(capsys):
    assert main([]) == 2
    assert "usage: rmitrace" in capsys.readouterr().out


def test_unreadable_input(tmp_path, capsys):
    for name, data in (("empty", b""), ("noise", os.urandom(4096)), ("prose.txt", b"dear all,\nnothing here\n" * 50)):
        path = tmp_path / name
        path.write_bytes(data)
        assert main(["decode", str(path)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert name in err
    assert main(["decode", str(tmp_path)]) == 2
    assert "folder" in capsys.readouterr().err


def test_internal_errors_are_one_line(monkeypatch, capsys):
    monkeypatch.delenv("RMITRACE_DEBUG", raising=False)
    monkeypatch.setattr("rmitrace.cli.formats.run", lambda args: 1 // 0)
    assert main(["formats"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("rmitrace: internal error: ZeroDivisionError")
    assert err.count("\n") == 1


def test_interrupt(monkeypatch, capsys):
    def stop(args):
        raise KeyboardInterrupt

    monkeypatch.setattr("rmitrace.cli.formats.run", stop)
    assert main(["formats"]) == 130
    assert capsys.readouterr().err == ""


def test_broken_pipe_is_quiet():
    """``rmitrace abi list | head -0``: no complaint, and the status a shell gives to what SIGPIPE ends."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "rmitrace", "abi", "list"], stdout=write, stderr=subprocess.PIPE, timeout=60)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 141


def test_c_locale():
    """A terminal that knows only ASCII gets escapes, not a traceback."""
    env = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run(
        [sys.executable, "-m", "rmitrace", "decode", "/nonexistent/\x1bé"], capture_output=True, env=env, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
