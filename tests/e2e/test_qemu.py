"""``rmitrace record --qemu`` beside a guest that runs, and with one that it starts: what it prints is done, and its log read."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HOTPLUG = "echo 0 >/sys/devices/system/cpu/cpu1/online; echo 1 >/sys/devices/system/cpu/cpu1/online; sleep 1"
SMC = "/sys/module/smcgen/parameters/smc11"


def record(*argv: str, seconds: float = 60) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "rmitrace", "record", "--qemu", *argv],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(said: str) -> tuple[list[str], list[str], list[str]]:
    """What it prints: words for the command line, and what to say to the monitor before and after."""
    parts = re.split(r"(?m)^# .*\n", said)
    return shlex.split(parts[1]), parts[3].splitlines(), parts[4].splitlines()


@pytest.fixture
def monitored(guest: Any) -> Iterator[Any]:
    """The guest, whose log goes to its own file again afterwards."""
    yield guest
    guest.hmp(f"logfile {guest.log}")


def test_what_it_says_of_a_running_qemu(monitored: Any, e2e: Any, tmp_path: Path) -> None:
    """QEMU's monitor does it: a log of exceptions from then on, in which the SMCs are as many as it has lines of them."""
    log = tmp_path / "int.log"
    said = record("-o", str(log))
    version = subprocess.run([monitored.command[0], "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"version ([\d.]+)", version)
    assert number is not None
    assert re.match(rf"# \S*{monitored.command[0]} is QEMU {number[1]}; ", said)
    options, on, off = told(said)
    assert options[-2:] == ["-D", str(log)]
    for line in on:
        assert "unknown" not in monitored.hmp(line)
    monitored.run(HOTPLUG, 300)
    for line in off:
        assert "unknown" not in monitored.hmp(line)
    lines = re.findall(r"Taking exception 13 \[Secure Monitor Call\] on CPU (\d)|^arm_psci_call", log.read_text(errors="replace"))
    found = e2e.opened.calls(log)
    assert len(found) == len(lines) >= 3  # CPU_OFF, AFFINITY_INFO at least once, CPU_ON


def test_all_registers_of_a_running_qemu(monitored: Any, kernel: Any, e2e: Any, tmp_path: Path) -> None:
    """Its guest was started with -dfilter and nokaslr; what it is told to say to the monitor brings the registers."""
    log = tmp_path / "all.log"
    options, on, off = told(record("--kernel", str(kernel.image), "-o", str(log)))
    given = monitored.command[monitored.command.index("-dfilter") + 1].split(",")
    assert set(given) <= set(options[options.index("-dfilter") + 1].split(","))
    for line in on:
        assert "unknown" not in monitored.hmp(line)
    monitored.run(f"taskset 1 sh -c 'echo 84000000 77 >{SMC}; echo 80000000 78 >{SMC}'", 300)
    for line in off:
        assert "unknown" not in monitored.hmp(line)
    found = [(c["name"], c["x"][1], int(c["r"][0], 16)) for c in e2e.opened.calls(log)]
    assert [f[:2] for f in found] == [("PSCI_VERSION", "0x77"), ("SMCCC_VERSION", "0x78")]
    theirs = e2e.qemulog.smcs(log.read_text(errors="replace"))
    assert [f[2] for f in found] == [s.after[0] for s in theirs]


@pytest.mark.one_kernel(0)
def test_a_qemu_that_it_starts(kernel: Any, e2e: Any, tmp_path: Path) -> None:
    """A guest that takes a CPU away and back, and ends."""
    init = f"#!/bin/busybox sh\n/bin/busybox mount -t sysfs none /sys\n{HOTPLUG.replace('sleep', '/bin/busybox sleep')}\n"
    files = {"init": ((init + "/bin/busybox poweroff -f\n").encode(), 0o755), "bin/busybox": (e2e.debian.busybox(kernel), 0o755)}
    (tmp_path / "initrd.img").write_bytes(e2e.image.cpio(files | {"sys/.keep": (b"", 0o644)}))
    log = tmp_path / "boot.log"
    argv = [
        "qemu-system-aarch64", "-M", "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a57", "-smp", "2", "-m", "512M",
        "-display", "none", "-nodefaults", "-no-reboot", "-kernel", str(kernel.image), "-initrd", str(tmp_path / "initrd.img"),
        "-append", "console=ttyAMA0 quiet",
    ]  # fmt: skip
    said = record("-o", str(log), "--", *argv, seconds=300)
    count = re.search(rf"{log}: (\d+) SMCs; open it with: rmitrace view", said)
    assert count is not None, said
    taken = sum("Taking exception 13 [" in line for line in log.open(errors="replace"))
    assert int(count[1]) == len(e2e.opened.calls(log)) == taken > 10
