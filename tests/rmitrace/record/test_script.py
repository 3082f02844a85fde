"""The script that records: that shells take it, that what it carries arrives whole, and what it says where it cannot work."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from rmitrace.record.script import escaped, rmi_functions, script

ROOT = Path(__file__).parents[3]
SHELLS = [s for s in (["dash"], ["busybox", "ash"], ["bash", "--posix"], ["sh"]) if shutil.which(s[0])]
shells = pytest.mark.parametrize("shell", SHELLS, ids=" ".join)


@shells
def test_shells_take_it(shell: list[str]) -> None:
    done = subprocess.run([*shell, "-n"], input=script(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@shells
@pytest.mark.parametrize("data", [bytes(range(256)) * 3, b"\x0012%s\\'-\n-" * 90, b"-7" * 500, (b"\0" * 7 + b"7") * 300])
def test_bytes_come_out_of_printf_as_they_went_in(shell: list[str], data: bytes) -> None:
    done = subprocess.run([*shell], input=escaped(data).encode("ascii"), capture_output=True, check=True)
    assert done.stdout == data


def test_it_is_complete() -> None:
    text = script()
    assert text.isascii()
    assert not [name for name in ("@VERSION@", "@SMCTAP@", "@RMI_FUNCTIONS@") if name in text]
    assert max(map(len, text.splitlines())) < 4096 or "for func in" in max(text.splitlines(), key=len)
    # all of it stands in one pair of braces, so that a part of it is never run
    code = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert code[0].startswith("{ # all of it is read")
    assert code[-1] == "}"


@shells
@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_a_part_of_it_does_nothing(shell: list[str], part: float, tmp_path: Path) -> None:
    text = script()
    done = subprocess.run(
        [*shell, "-s", "--", "--help"],
        input=text[: int(len(text) * part)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode != 0
    assert "usage" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_functions_of_every_command() -> None:
    """Held against the facts of the specification (tests/data/abi)."""
    for path in (ROOT / "tests/data/abi").glob("rmm-*.yaml"):
        names = {c["name"].lower() for c in yaml.safe_load(path.read_text())["commands"]}
        assert {n for n in names if n.startswith("rmi_")} <= set(rmi_functions())


@shells
@pytest.mark.skipif(platform.machine() == "aarch64", reason="this machine is arm64 and can be recorded")
def test_another_architecture_is_refused(shell: list[str]) -> None:
    done = subprocess.run([*shell, "-s", "--", "--for", "1"], input=script(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"rmitrace: this machine is \w+: SMCs are those of arm64 \(aarch64\) Linux\n", done.stderr)


@shells
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--for", "soon"], "--for: soon is no number of seconds"),
        (["--buffer-size", "4M"], "--buffer-size: 4M is no number of KiB"),
        (["--doe-function", "a b"], "--doe-function: a b is no name of a function"),
        (["--fed", "-1"], "--fed: -1 is no number of seconds"),
        (["--clock", "../x"], "--clock: ../x is no name of a clock"),
        (["-o"], "-o needs a value"),
        (["--what"], "no option --what"),
    ],
)
def test_wrong_options(shell: list[str], options: list[str], said: str) -> None:
    done = subprocess.run([*shell, "-s", "--", *options], input=script(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"rmitrace: {said}"


@shells
@pytest.mark.parametrize("value", [0, 1, 0x7F, 0x80, 0xC4000150, 0x123456789ABCDEF0])
def test_numbers_are_written_little_endian(shell: list[str], value: int) -> None:
    text = script()
    le = text[text.index("\nle() {") :].split("\n}\n")[0] + "\n}\n"
    done = subprocess.run([*shell, "-c", f"{le}le 8 {value}"], capture_output=True, check=True)
    assert done.stdout == value.to_bytes(8, "little")


def test_formats_of_the_events_are_those_of_what_is_written() -> None:
    """The C structure ``event``: common fields of 8 bytes, the address, x0 to x17, lr, each 8 bytes; of an entry up to x15."""
    text = script()
    function = text[text.index("format_of() {") :].split("\n}\n")[0] + "\n}\n"
    names = ["__probe_ip", *(f"a{n}" for n in range(18)), "lr"]
    for kind, left_out in (("enter", {"a16", "a17"}), ("exit", set())):
        done = subprocess.run(["sh", "-c", f"{function}format_of {kind} 65001"], capture_output=True, text=True, check=True)
        fields = re.findall(r"field:[\w ]+ (\w+);\toffset:(\d+);\tsize:(\d+);", done.stdout)
        assert [(n, int(o), int(s)) for n, o, s in fields[4:]] == [
            (name, 8 + 8 * i, 8) for i, name in enumerate(names) if name not in left_out
        ]
        assert done.stdout.startswith(f"name: smc_{kind}\nID: 65001\nformat:\n")
        assert done.stdout.count("=0x%Lx") == done.stdout.count("REC->") - 1 == len(names) - 1 - len(left_out)


def test_the_program_is_what_its_source_gives(tmp_path: Path) -> None:
    """Where the compiler that made it is here (gcc 12 of Debian 12)."""
    cc = shutil.which("aarch64-linux-gnu-gcc")
    version = subprocess.run([cc, "-dumpfullversion"], capture_output=True, text=True, check=True).stdout if cc else ""
    if not version.startswith("12.2") or not Path("/usr/aarch64-linux-gnu/include/linux/perf_event.h").exists():
        pytest.skip("this machine has no aarch64-linux-gnu-gcc 12.2 with Linux' headers")
    subprocess.run(
        ["make", "-s", "smctap", f"SMCTAP={tmp_path / 'smctap'}"], cwd=ROOT, check=True, env={**os.environ, "LC_ALL": "C"}
    )
    assert (tmp_path / "smctap").read_bytes() == (ROOT / "rmitrace/record/smctap").read_bytes()
