"""``rmitrace decode --follow`` as a user runs it: on files, FIFOs and pipes that others write to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rmitrace import cli

ROOT = Path(__file__).parents[3]
TRACE = ROOT / "captures/ftrace/pdev-connect.trace.txt"
LINES = TRACE.read_bytes().splitlines(keepends=True)
WAIT_S = 60


def once(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    cli.run(["decode", *argv])
    return capsys.readouterr().out.splitlines()


class Running:
    """The program while it runs, and what it has written."""

    def __init__(self, folder: Path, *argv: str, stdin: int | None = None) -> None:
        self.out = folder / "out"
        self.err = folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rmitrace", "decode", *argv], stdin=stdin, stdout=out, stderr=err, cwd=ROOT
            )

    @property
    def text(self) -> str:
        return self.out.read_text()

    def until(self, holds: Callable[[str], bool]) -> str:
        """Wait until something holds for what was written."""
        end = time.monotonic() + WAIT_S
        while not holds(self.text):
            assert time.monotonic() < end, self.text[-2000:] + self.err.read_text()
            assert self.process.poll() is None, self.text[-2000:] + self.err.read_text()
            time.sleep(0.02)
        return self.text

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)


@contextmanager
def running(folder: Path, *argv: str, stdin: int | None = None) -> Iterator[Running]:
    program = Running(folder, *argv, stdin=stdin)
    try:
        yield program
    finally:
        program.process.kill()
        program.process.wait()


def calls(text: str) -> list[str]:
    return [x for x in text.splitlines() if "] python3-" in x]


def add(path: Path, lines: list[bytes]) -> None:
    with path.open("ab") as out:
        out.writelines(lines)


def test_a_growing_file_to_ctrl_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = once(capsys, str(TRACE))
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(LINES[:30]))
    with running(tmp_path, "-f", str(path)) as r:
        r.until(lambda t: len(calls(t)) == sum(b"smc_exit:" in x for x in LINES[:30]))
        add(path, LINES[30:])
        r.until(lambda t: len(calls(t)) == len(calls("\n".join(wanted))))
        assert "Findings" not in r.text
        assert r.stop() == 0
        assert r.err.read_text() == ""
        got = r.text.splitlines()
    assert got[0] == f"# {path}: ftrace, followed"
    assert got[2:] == [x.replace(TRACE.name, path.name) for x in wanted[2:]]


def test_a_line_is_not_read_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    exits = [i for i, x in enumerate(LINES) if b"smc_exit:" in x]
    path.write_bytes(b"".join(LINES[: exits[3]]) + LINES[exits[3]][:90])
    with running(tmp_path, "-f", str(path)) as r:
        r.until(lambda t: len(calls(t)) == 3)
        time.sleep(0.5)
        assert len(calls(r.text)) == 3
        add(path, [LINES[exits[3]][90:]])
        r.until(lambda t: len(calls(t)) == 4)


def test_a_fifo_ends_with_its_writer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trace_pipe"
    os.mkfifo(path)
    with running(tmp_path, "--follow", str(path)) as r:
        fd = os.open(path, os.O_WRONLY)
        os.write(fd, b"".join(LINES[:40]))
        r.until(lambda t: len(calls(t)) > 5)
        for line in LINES[40:]:
            os.write(fd, line)
        os.close(fd)
        assert r.process.wait(WAIT_S) == 0
        assert calls(r.text) == calls("\n".join(once(capsys, str(TRACE))))
        assert "\nFindings\n" in r.text


def test_standard_input_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same objects; the capture's comes first, and again at the end with all that is known then."""
    wanted = [json.loads(x) for x in once(capsys, "--format", "json", str(TRACE))]
    read, write = os.pipe()
    with running(tmp_path, "-f", "--format", "json", "-", stdin=read) as r:
        os.close(read)
        os.write(write, b"".join(LINES[:40]))
        r.until(lambda t: t.count('"type":"call"') > 5)
        assert json.loads(r.text.splitlines()[0])["type"] == "capture"
        os.write(write, b"".join(LINES[40:]))
        os.close(write)
        assert r.process.wait(WAIT_S) == 0
        got = [json.loads(x) for x in r.text.splitlines()]

    def of(objects: list[dict[str, object]], kind: str) -> list[dict[str, object]]:
        return [o for o in objects if o["type"] == kind]

    for kind in ("state", "sequence", "finding", "summary"):
        assert of(got, kind) == of(wanted, kind), kind
    for a, b in zip(of(got, "call"), of(wanted, "call"), strict=True):
        b.pop("failure", None)  # needs the whole
        assert {**a, "messages": 0} == {**b, "messages": 0}  # a response comes behind the call that it is of
    later = dict.fromkeys(("seq", "tree", "proofs"))  # a proof may need messages that come later
    messages = [sorted(str({**m, **later}) for m in of(objects, "message")) for objects in (got, wanted)]
    assert messages[0] == messages[1]
    last = of(got, "capture")[-1]
    assert last["revision"] == of(wanted, "capture")[0]["revision"]
    assert {**last["sources"][0], "path": ""} == {**of(wanted, "capture")[0]["sources"][0], "path": ""}  # type: ignore[index]


def test_csv_has_a_row_a_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = once(capsys, "--format", "csv", str(TRACE))
    with TRACE.open("rb") as file, running(tmp_path, "-f", "--format", "csv", "-", stdin=file.fileno()) as r:
        r.until(lambda t: len(t.splitlines()) == len(wanted))
        assert r.stop(signal.SIGTERM) == 0
        assert r.text.splitlines() == wanted


def test_a_rotated_and_a_cut_file_go_on_and_are_told(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(LINES[:30]))
    with running(tmp_path, "-f", str(path)) as r:
        first = len(calls(r.until(lambda t: bool(calls(t)))))
        path.rename(tmp_path / "log.1")
        path.write_bytes(b"".join(LINES[30:50]))
        r.until(lambda t: f"# {path} was replaced by another file" in t and len(calls(t)) > first)
        os.truncate(path, 0)
        r.until(lambda t: f"# {path} was cut" in t)
        add(path, LINES[50:70])
        last = LINES[68].split()[3].decode().rstrip(":")
        r.until(lambda t: any(x.startswith(last) for x in calls(t)) or len(calls(t)) > first + 12)
        r.stop()
        assert "warning SOURCE-REPLACED" in r.text
        assert "warning SOURCE-CUT" in r.text


def test_only_the_calls_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The choices are those of decode; +SEC counts from the first call of the file, not of what is new."""
    choice = ["--failed", "--from", "+1.7", "--where", "seq > 10 AND name LIKE 'RMI_PDEV%'"]
    wanted = [x for x in once(capsys, *choice, str(TRACE)) if not x.startswith("#")]
    assert len(wanted) == 3
    path = tmp_path / "t"
    path.write_bytes(b"".join(LINES[:50]))
    with running(tmp_path, "-f", *choice, str(path)) as r:
        r.until(lambda t: "followed" in t)
        add(path, LINES[50:])
        r.until(lambda t: len(t.splitlines()) == len(wanted) + 2)
        r.stop()
        assert [x for x in r.text.splitlines() if not x.startswith("#")] == wanted


def test_the_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    with running(tmp_path, "-f", str(TRACE)) as r:
        r.until(lambda t: bool(calls(t)))
        r.process.send_signal(signal.SIGINT)
        status = r.stop()
        assert status in (0, 130, -signal.SIGINT)
        assert "Traceback" not in r.err.read_text()


def test_a_reader_that_is_gone_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"".join(LINES[:40]))
    process = subprocess.Popen([sys.executable, "-m", "rmitrace", "decode", "-f", path], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    try:
        assert process.wait(WAIT_S) == 141
    finally:
        process.kill()


def test_fail_on_and_damage_give_their_status(tmp_path: Path) -> None:
    with TRACE.open("rb") as file, running(tmp_path, "-f", "--fail-on", "error", "-", stdin=file.fileno()) as r:
        r.until(lambda t: bool(calls(t)))
        assert r.stop() == 1


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["json", str(TRACE)], "-f is --follow; the format is chosen with --format json"),
        (["--where", "sequence = 'connect'", str(TRACE)], "is not known while following"),
        (["--where", "nothing = 1", str(TRACE)], "no column nothing"),
        (["no-such-file"], "no-such-file: No such file or directory"),
        ([str(ROOT / "captures/trace-dat/arrays.dat")], "complete only when its recorder has closed it"),
        ([str(ROOT / "captures/rmm/tf-rmm-head-nominal.calls.jsonl.xz")], "is compressed"),
    ],
)
def test_mistakes_are_one_line(argv: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["decode", "-f", *argv]) == 2
    err = capsys.readouterr().err
    assert err.startswith("rmitrace: ")
    assert why in err
    assert err.count("\n") == 1
