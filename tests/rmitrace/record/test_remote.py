"""Recording over ssh, with something in ssh's place that runs here what it is told to run there."""

from __future__ import annotations

from pathlib import Path

from rmitrace.record import remote
from rmitrace.record.remote import Remote
from rmitrace.record.script import script


def ssh(folder: Path, there: str) -> tuple[str, ...]:
    """A program that is called as ssh is: it keeps its arguments, and the script that comes in."""
    path = folder / "ssh"
    take = f"dd bs=1 count={len(script())} 2>/dev/null"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{folder}/args\n{take} >{folder}/stdin\n{there}\n')
    path.chmod(0o755)
    return (str(path), "-p", "2222")


def test_command_is_quoted_for_the_shell_there() -> None:
    argv = remote.command(Remote("me@board"), ["--for", "3"], ["sh", "-c", "echo 'a b' > /x; id"])
    assert argv[:3] == ["ssh", "--", "me@board"]
    assert argv[3] == """sh -s -- -o - --fed 30 --for 3 -- sh -c 'echo '"'"'a b'"'"' > /x; id'"""
    assert remote.command(Remote("h", sudo=True), [], [])[-1] == "sudo -n sh -s -- -o - --fed 30"


def test_script_goes_in_and_capture_comes_out(tmp_path: Path) -> None:
    to = Remote("me@board", ssh(tmp_path, "printf '\\27\\10\\104tracing6'; head -c 5000 /dev/zero"))
    out = tmp_path / "x.dat"
    with out.open("wb") as f:
        assert remote.record(to, ["--buffers"], [], f) == 0
    assert (tmp_path / "args").read_text().splitlines() == ["-p", "2222", "--", "me@board", "sh -s -- -o - --fed 30 --buffers"]
    assert (tmp_path / "stdin").read_text().startswith("#!/bin/sh\n# Record the SMCs")
    assert remote.is_whole(str(out))


def test_script_hears_that_somebody_is_there(tmp_path: Path) -> None:
    to = Remote("h", ssh(tmp_path, f"dd bs=1 count=9 >{tmp_path}/words 2>/dev/null"), patience=1)
    with (tmp_path / "x.dat").open("wb") as f:
        assert remote.record(to, [], [], f) == 0
    assert (tmp_path / "words").read_bytes() == b"on\n" * 3


def test_ctrl_c_ends_the_recording_not_the_connection(tmp_path: Path) -> None:
    """What stands for ssh sends it, as the terminal does to both, and goes on."""
    there = "kill -INT $PPID $$; until [ \"$word\" = stop ]; do read -r word; done; printf '\\27\\10\\104tracing6'; exit 7"
    out = tmp_path / "x.dat"
    with out.open("wb") as f:
        assert remote.record(Remote("h", ssh(tmp_path, there)), [], [], f) == 7
    assert out.read_bytes() == remote.MAGIC + b"6"


def test_second_ctrl_c_ends_the_connection(tmp_path: Path) -> None:
    there = 'kill -INT $PPID; until [ "$word" = stop ]; do read -r word; done; kill -INT $PPID; exec sleep 60'
    with (tmp_path / "x.dat").open("wb") as f:
        assert remote.record(Remote("h", ssh(tmp_path, there)), [], [], f) == -15  # SIGTERM


def test_connection_that_fails(tmp_path: Path) -> None:
    out = tmp_path / "x.dat"
    with out.open("wb") as f:
        assert remote.record(Remote("h", ssh(tmp_path, "exit 255")), [], [], f) == 255
        assert remote.record(Remote("h", ("false",)), [], [], f) == 1
    assert not remote.is_whole(str(out))
