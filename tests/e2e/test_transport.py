"""The recorder over ssh, with an ssh server in the guest, and by Python in the guest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.one_kernel(-1)  # has_more() in conftest.py
HOTPLUG = "echo 0 >/sys/devices/system/cpu/cpu1/online; echo 1 >/sys/devices/system/cpu/cpu1/online"
HOTPLUG_CALLS = ["PSCI_CPU_OFF", "PSCI_AFFINITY_INFO", "PSCI_CPU_ON"]
"""DEN0022 6.4, 6.6: the CPU goes, another one asks whether it is off, and switches it on."""


def names(calls: list[dict[str, Any]]) -> list[str]:
    """The names of calls but those of PSCI_AFFINITY_INFO that say ON (0, DEN0022 5.7.3): it is asked until the CPU is off, at
    first perhaps before the CPU has come to its CPU_OFF."""
    return [c["name"] for c in calls if c["name"] != "PSCI_AFFINITY_INFO" or not c["r"] or c["r"][0] != "0x0"]


def state(guest: Any) -> str:
    return str(guest.run("sh /state.sh").split("====")[1])


def wait_until_clean(guest: Any, seconds: float) -> None:
    left = "ls -d /sys/kernel/tracing/instances/rmitrace_* /run/rmitrace_* 2>/dev/null | grep -q ."
    guest.run(f"n=0; while {left} && [ $n -lt {seconds * 10:.0f} ]; do n=$((n + 1)); sleep 0.1; done", seconds * 5)


@pytest.fixture(scope="module")
def more(guest: Any) -> Any:
    """The guest that has an ssh server, with that started."""
    guest.run("ip link set lo up; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; dropbear -R -s -E 2>/run/sshd.log")
    guest.run("mkdir -p /run/sshd; cp /etc/ssh/key /run/key; chmod 600 /run/key; /usr/sbin/sshd -E /run/openssh.log", 300)
    return guest


@pytest.fixture(scope="module", params=["dropbear", "openssh"])
def ssh(more: Any, key: Path, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """OpenSSH's client, with the port of one of the servers."""
    words = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes"]
    known = (w for word in words for w in ("-o", word))
    return ("ssh", "-F", "none", "-p", str(more.ports[request.param]), "-i", str(key), *known)


class Recording:
    """``rmitrace record --remote`` that goes on until it is ended; ``said`` is a file with what it said."""

    def __init__(self, argv: list[str], folder: Path) -> None:
        self.said = folder / "said"
        with self.said.open("wb") as f:
            self.process = subprocess.Popen([sys.executable, *argv], stdout=f, stderr=f)
        end = time.monotonic() + 300
        while "recording (" not in self.said.read_text() and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        assert "recording (breakpoints" in self.said.read_text(), self.said.read_text()

    def child(self) -> int:
        """The ssh that it started."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def remote(ssh: tuple[str, ...], path: Path, *what: str) -> list[str]:
    return ["-m", "rmitrace", "record", "--remote", "root@127.0.0.1", "--ssh", " ".join(ssh), "-o", str(path), *what]


def test_over_ssh(more: Any, e2e: Any, ssh: tuple[str, ...], tmp_path: Path) -> None:
    before = state(more)
    path = tmp_path / "run.dat"
    done = subprocess.run(
        [sys.executable, *remote(ssh, path, "--", "sh", "-c", HOTPLUG)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert names(e2e.opened.calls(path)) == HOTPLUG_CALLS
    assert state(more) == before


def test_ctrl_c_here_ends_it_there_and_the_capture_comes(more: Any, e2e: Any, ssh: tuple[str, ...], tmp_path: Path) -> None:
    before = state(more)
    path = tmp_path / "run.dat"
    run = Recording(remote(ssh, path), tmp_path)
    more.run(HOTPLUG)
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(300) == 0, run.said.read_text()
    assert names(e2e.opened.calls(path)) == HOTPLUG_CALLS
    assert state(more) == before


def test_ssh_that_is_killed(more: Any, ssh: tuple[str, ...], tmp_path: Path) -> None:
    before = state(more)
    path = tmp_path / "run.dat"
    run = Recording(remote(ssh, path), tmp_path)
    os.kill(run.child(), signal.SIGKILL)
    assert run.process.wait(60) == 2
    assert "nothing came back" in run.said.read_text()
    assert not path.exists()
    wait_until_clean(more, 60)
    assert state(more) == before


def test_a_line_that_goes_dead(more: Any, ssh: tuple[str, ...], tmp_path: Path) -> None:
    """No end of the connection is seen in the guest: packets are no longer delivered."""
    before = state(more)
    body = f"from rmitrace.record.remote import *; record(Remote('root@127.0.0.1', {ssh!r}, patience=6), [], [], open('x', 'wb'))"
    run = Recording(["-c", body.replace("'x'", repr(str(tmp_path / "x")))], tmp_path)
    more.hmp("set_link n0 off")
    try:
        wait_until_clean(more, 120)
        after = state(more)
    finally:
        more.hmp("set_link n0 on")
        run.process.kill()
        run.process.wait()
    assert after == before


def test_when_all_there_is_killed_the_next_run_cleans_up(more: Any, e2e: Any, ssh: tuple[str, ...], tmp_path: Path) -> None:
    """The connection drops, and with it go the script, its watcher, its sleep and what holds the breakpoints."""
    before = state(more)
    run = Recording(remote(ssh, tmp_path / "first.dat"), tmp_path)
    more.run("for p in /proc/[0-9]*; do case $(readlink $p/exe) in */smctap) t=${p#/proc/} ;; esac; done; sh /kill.sh $t")
    mine = "grep -q -e fed -e 2147483 $p/cmdline"  # OpenSSH waits for the sleep, which has its standard output
    more.run(f'for p in /proc/[0-9]*; do {mine} && k="$k ${{p#/proc/}}"; done 2>/dev/null; kill -9 $k; :')
    assert run.process.wait(60) == 2, run.said.read_text()
    assert state(more) != before
    path = tmp_path / "second.dat"
    done = subprocess.run(
        [sys.executable, *remote(ssh, path, "--", "sh", "-c", HOTPLUG)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "taking away what a killed run left" in done.stderr
    assert names(e2e.opened.calls(path)) == HOTPLUG_CALLS
    assert state(more) == before


def test_by_python_there(more: Any, kernel: Any, e2e: Any, tmp_path: Path) -> None:
    """Debian's Python without any package: only the standard library is there."""
    before = state(more)
    python = e2e.debian.python(kernel)[1]
    said = more.run(f"{python} -m rmitrace record -o /run/p.dat -- sh -c '{HOTPLUG}' 2>&1", 300)
    assert "recording (breakpoints" in said
    path = tmp_path / "p.dat"
    path.write_bytes(more.take("/run/p.dat"))
    more.run("rm /run/p.dat")
    assert names(e2e.opened.calls(path)) == HOTPLUG_CALLS
    assert state(more) == before


def test_python_that_is_killed_there(more: Any, kernel: Any, e2e: Any) -> None:
    before = state(more)
    python = e2e.debian.python(kernel)[1]
    start = f"echo $$ >/run/killed/pid; exec {python} -m rmitrace record -o /run/killed/x.dat 2>/run/killed/log"
    more.run(f"mkdir /run/killed; sh -c '{start}' &")
    more.run("while ! grep -q recording /run/killed/log 2>/dev/null; do sleep 0.1; done", 300)
    more.run("kill -9 $(cat /run/killed/pid)")
    wait_until_clean(more, 120)
    assert "whoever started this is gone" in more.run("cat /run/killed/log; rm -rf /run/killed")
    assert state(more) == before
