"""The recorder on kernels of Debian, booted in QEMU: what it records, held against QEMU's log and the caller's own account."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SMC = "/sys/module/smcgen/parameters"
TRAFFIC = f"""
echo waiting >/dev/ttyAMA0; read go </tmp/go
for i in 1 2; do
  echo "c4000150 1000$i 2 3 4 5 6 7 8 9 a b c d e f 10 11" >{SMC}/smc12
  echo "84000050 $i" >{SMC}/smc11
  echo "80000000 1" >{SMC}/smc11
done
echo "c4000175 43500000 43502000" >{SMC}/smc12
echo 0 >/sys/devices/system/cpu/cpu1/online
echo 1 >/sys/devices/system/cpu/cpu1/online
sleep 1
taskset 2 sh -c 'echo 84000000 77 >{SMC}/smc11'
echo worked >/dev/ttyAMA0; read go </tmp/go
"""
"""RMI_VERSION, TRNG_VERSION, SMCCC_VERSION, RMI_PDEV_COMMUNICATE by number (DEN0137, DEN0098, DEN0028), a CPU off and on
(DEN0022: CPU_OFF, AFFINITY_INFO, CPU_ON), and PSCI_VERSION from the CPU that came back."""


def decoded(path: Path) -> list[dict[str, Any]]:
    return list(sys.modules["rmitrace_e2e_opened"].decoded(path))


def calls(path: Path) -> list[dict[str, Any]]:
    return list(sys.modules["rmitrace_e2e_opened"].calls(path))


def state(guest: Any) -> str:
    """What of the system a recording must leave as it was (state.sh)."""
    return str(guest.run("sh /state.sh").split("====")[1])


@pytest.fixture(scope="module")
def one_run(guest: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A recording while QEMU logs too: (capture, QEMU's log, what the kernel log says of the calls)."""
    guest.run("mkfifo /tmp/go; cat >/tmp/traffic.sh <<'X'" + TRAFFIC + "X\ndmesg -c >/dev/null")
    guest.run("(sh /record.sh -o /tmp/run.dat -- sh /tmp/traffic.sh; echo status $?) >/tmp/run.log 2>&1 &")
    guest.wait("waiting\n", 300)
    guest.log_on()
    guest.run("echo go >/tmp/go", 300)
    guest.wait("worked\n", 600)
    guest.log_off()
    guest.run("echo go >/tmp/go; wait", 600)
    said = guest.run("cat /tmp/run.log")
    assert "status 0" in said, said
    assert "recording (breakpoints" in said
    capture = tmp_path_factory.mktemp("run") / "run.dat"
    capture.write_bytes(guest.take("/tmp/run.dat"))
    kernel_log = guest.run("dmesg; rm -f /tmp/run.dat /tmp/run.log /tmp/go /tmp/traffic.sh")
    return capture, guest.log, kernel_log


def test_it_and_qemu_saw_the_same_calls(one_run: tuple[Path, Path, str], e2e: Any) -> None:
    capture, log, _ = one_run
    mine = calls(capture)
    theirs = e2e.qemulog.smcs(log.read_text(errors="replace"))
    assert len(theirs) >= 11
    for cpu in (0, 1):
        seen = [c for c in mine if c["cpu"] == cpu]
        logged = [s for s in theirs if s.cpu == cpu]
        assert [int(c["x"][0], 16) for c in seen] == [s.before[0] for s in logged]
        for c, s in zip(seen, logged, strict=True):
            n = 2 if s.before[0] == e2e.qemulog.CPU_OFF else 8  # of CPU_OFF the function around it is seen
            assert [int(x, 16) for x in c["x"][:n]] == s.before[:n]
            if s.after:
                assert [int(r, 16) for r in c["r"]] == s.after[: len(c["r"])]
            else:
                assert c["r"] is None


def test_it_and_the_caller_saw_the_same_calls(one_run: tuple[Path, Path, str]) -> None:
    capture, _, kernel_log = one_run
    mine = {(c["cpu"], tuple(int(x, 16) for x in c["x"][:8])): c for c in calls(capture)}
    told = re.findall(r"smcgen: smc1([12]) cpu (\d+) in ([0-9a-f ]+) out ([0-9a-f ]+)", kernel_log)
    assert len(told) == 8
    for kind, cpu, before, after in told:
        x = [int(v, 16) for v in before.split()]
        r = [int(v, 16) for v in after.split()]
        c = mine[int(cpu), tuple(x[:8])]
        assert [int(v, 16) for v in c["r"][: len(r)]] == r
        if kind == "2":
            assert [int(v, 16) for v in c["x"][8:10]] == x[8:10]
        assert c["task"].rpartition("-")[0] == "sh"


def test_the_calls_have_their_names(one_run: tuple[Path, Path, str]) -> None:
    found = calls(one_run[0])
    assert [c["name"] for c in found if c["service"] == "PSCI" and c["name"] != "PSCI_AFFINITY_INFO"] == [
        "PSCI_CPU_OFF", "PSCI_CPU_ON", "PSCI_VERSION",
    ]  # fmt: skip
    assert {"RMI_VERSION", "RMI_PDEV_COMMUNICATE", "TRNG_VERSION", "SMCCC_VERSION"} <= {c["name"] for c in found}
    off, on = (next(c for c in found if c["name"] == n) for n in ("PSCI_CPU_OFF", "PSCI_CPU_ON"))
    assert off["paired"] == "enter-only"
    assert on["status"] == "PSCI_SUCCESS"
    assert on["args"]["target_cpu"]["value"] == 1


def test_trace_cmd_opens_it(one_run: tuple[Path, Path, str]) -> None:
    capture, _, _ = one_run
    done = subprocess.run(["trace-cmd", "report", str(capture)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    enters = [line for line in done.stdout.splitlines() if re.search(r" smc_enter(_cpu_off)?: ", line)]
    assert [re.search(r" a0=(0x\w+)", e)[1] for e in enters] == [c["x"][0] for c in calls(capture)]


def test_qemu_log_by_the_reader(one_run: tuple[Path, Path, str]) -> None:
    capture, log, _ = one_run
    other = [(c["cpu"], c["name"]) for c in calls(log)]
    assert sorted(other) == sorted((c["cpu"], c["name"]) for c in calls(capture))


def test_doe_bytes(guest: Any, tmp_path: Path) -> None:
    request = "10840000"  # GET_VERSION, DSP0274 10.3
    response = "1004000000010012"  # VERSION, one entry: 1.2
    long = "11ff0000" + "".join(f"{i * 7 % 256:02x}" for i in range(996))
    guest.run(f"echo 'echo {request} {response} >{SMC}/doe' >/tmp/doe.sh")
    guest.run(f"L={long}", 60)
    guest.run(f'echo "echo $L $L >{SMC}/doe" >>/tmp/doe.sh')
    said = guest.run("sh /record.sh --buffers --doe-function smcgen_doe -o /tmp/doe.dat -- sh /tmp/doe.sh 2>&1", 300)
    assert "will be missing" not in said, said
    path = tmp_path / "doe.dat"
    path.write_bytes(guest.take("/tmp/doe.dat"))
    guest.run("rm /tmp/doe.dat /tmp/doe.sh")
    found = [(o["direction"], o["data"]) for o in decoded(path) if o["type"] == "message"]
    assert found == [("request", request), ("response", response), ("request", long), ("response", long)]


def test_doe_bytes_by_the_functions_of_the_tsm(guest: Any, tmp_path: Path) -> None:
    """pci_tsm_doe_transfer() has one argument less in front; it is taken where pci_doe() is not to be had, and never beside it,
    which it calls. Here pci_doe() goes by another name in the recorder, and the module has the other one."""
    request, response = "12e1000000140000c282000000100000", "1261000000000000f7720000"
    guest.run("sed 's/pci_doe\\b/pci_gone/g' /record.sh >/tmp/gone.sh")
    work = f"sh -c 'echo {request} {response} >{SMC}/tsm_doe'"
    said = guest.run(f"sh /tmp/gone.sh --buffers -o /tmp/tsm.dat -- {work} 2>&1", 300)
    assert "taken from pci_tsm_doe_transfer" in said
    path = tmp_path / "tsm.dat"
    path.write_bytes(guest.take("/tmp/tsm.dat"))
    found = [(o["direction"], o["data"]) for o in decoded(path) if o["type"] == "message"]
    assert found == [("request", request), ("response", response)]
    said = guest.run("sh /record.sh --buffers --doe-function pci_tsm_doe_transfer -o /tmp/tsm.dat -- true 2>&1", 300)
    assert "pci_tsm_doe_transfer: pci_doe has its bytes already" in said
    guest.run("rm /tmp/tsm.dat /tmp/gone.sh")


def test_smc_that_a_driver_makes_without_a_stub(guest: Any, tmp_path: Path) -> None:
    """Its function is probed in front of the instruction and behind it; x0 is loaded in two steps there."""
    work = f"echo 43500000 7 >{SMC}/smc_inline; echo 43501000 8 >{SMC}/smc_inline"
    guest.run(f"sh /record.sh -o /tmp/inline.dat -- sh -c '{work}'", 600)
    path = tmp_path / "inline.dat"
    path.write_bytes(guest.take("/tmp/inline.dat"))
    told = re.findall(r"smcgen: inline got (-?\d+)", guest.run("rm /tmp/inline.dat; dmesg"))
    found = [([int(x, 16) for x in c["x"][:3]], int(c["r"][0], 16)) for c in calls(path)]
    assert found == [([0xC4000178, 0x43500000, 7], 2**64 - 1), ([0xC4000178, 0x43501000, 8], 2**64 - 1)]
    assert told == ["-1", "-1"]


def test_without_breakpoints_it_says_what_is_missing(guest: Any, tmp_path: Path) -> None:
    before = state(guest)
    hotplug = "echo 0 >/sys/devices/system/cpu/cpu1/online; echo 1 >/sys/devices/system/cpu/cpu1/online"
    said = guest.run(f"sh /record.sh --no-breakpoints -o /tmp/less.dat -- sh -c '{hotplug}' 2>&1", 300)
    assert "refuses probes on its SMC stubs" in said
    assert "will be missing" in said
    assert "recording (callers" in said
    path = tmp_path / "less.dat"
    path.write_bytes(guest.take("/tmp/less.dat"))
    guest.run("rm /tmp/less.dat")
    found = {c["name"]: c for c in calls(path)}
    assert {"PSCI_CPU_OFF", "PSCI_AFFINITY_INFO", "PSCI_CPU_ON"} == set(found)
    assert found["PSCI_CPU_ON"]["x"][1] == "0x1"
    assert found["PSCI_CPU_ON"]["status"] == "PSCI_SUCCESS"
    assert state(guest) == before  # nor are refused probes left in error_log


def test_refused_probes_of_others_stay_in_the_log(guest: Any) -> None:
    tried = "echo 'p:%s/x no_such_function' >>/sys/kernel/tracing/dynamic_events 2>/dev/null"
    kept = "sh /record.sh --clean; grep -o 'p:[a-z0-9_]*/x' /sys/kernel/tracing/error_log; :"
    state(guest)  # mounts tracefs
    guest.run(f"{tried % 'rmitrace_99999_0'}; :")
    assert guest.run(kept, 60).split() == []
    guest.run(f"{tried % 'nobody'}; {tried % 'rmitrace_99999_0'}; :")
    assert guest.run(kept, 60).split() == ["p:nobody/x", "p:rmitrace_99999_0/x"]
    guest.run(": >/sys/kernel/tracing/error_log")


@pytest.mark.parametrize(
    "moment",
    ["while it records", *(pytest.param(m, marks=pytest.mark.one_kernel(0)) for m in ("at the start", "while it writes"))],
)
@pytest.mark.parametrize("watched", [True, False], ids=["watcher", "next run"])
def test_killed_it_leaves_nothing(guest: Any, moment: str, watched: bool) -> None:
    before = state(guest)
    start = "echo $$ >/run/killed/pid; exec sh /record.sh --buffers -o /run/killed/x.dat --for 1 2>/run/killed/log"
    guest.run(f"mkdir /run/killed; sh -c '{start}' &")
    marks = {
        "at the start": "ls -d /run/rmitrace_*/symbols",
        "while it records": "grep -q recording /run/killed/log",
        "while it writes": "[ -s /run/killed/x.dat ]",
    }
    guest.run(f"while ! {marks[moment]} >/dev/null 2>&1; do :; done", 300)
    guest.run(f"sh /kill.sh $(cat /run/killed/pid) {'' if watched else 'children'}")
    guest.run("cat /run/killed/log; rm -rf /run/killed")
    if watched and moment != "at the start":
        left = "ls -d /sys/kernel/tracing/instances/rmitrace_* /run/rmitrace_* 2>/dev/null | grep -q ."
        guest.run(f"n=0; while {left} && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.1; done", 200)
    else:
        guest.run("sleep 2; sh /record.sh --clean", 60)
    assert state(guest) == before


def test_whoever_started_it_goes_away(guest: Any) -> None:
    """As over ssh, where the script comes in over standard input and the connection drops."""
    before = state(guest)
    start = "cat /record.sh | sh -s -- -o - >/run/gone/x.dat 2>/run/gone/log"
    guest.run(f"mkdir /run/gone; sh -c 'echo $$ >/run/gone/pid; {start}; :' &")
    guest.run("while ! grep -q recording /run/gone/log 2>/dev/null; do sleep 0.1; done", 300)
    guest.run("kill -9 $(cat /run/gone/pid)")
    guest.run("n=0; while ls -d /run/rmitrace_* >/dev/null 2>&1 && [ $n -lt 1200 ]; do n=$((n + 1)); sleep 0.1; done", 300)
    assert "whoever started this is gone" in guest.run("cat /run/gone/log; rm -rf /run/gone")
    assert state(guest) == before


def test_an_address_space_that_is_not_where_it_was_linked(kernel: Any, initrd: Path, e2e: Any, tmp_path: Path) -> None:
    """With KASLR, and four CPUs of another kind."""
    with e2e.guest.Guest("qemu-system-aarch64", kernel.image, initrd, tmp_path, cpu="cortex-a57", smp=4) as g:
        g.boot()
        g.run("sh /record.sh -o /tmp/k.dat -- sh -c 'echo 0 >/sys/devices/system/cpu/cpu3/online'", 300)
        path = tmp_path / "k.dat"
        path.write_bytes(g.take("/tmp/k.dat"))
    found = calls(path)
    assert [c["name"] for c in found if c["name"] != "PSCI_AFFINITY_INFO"] == ["PSCI_CPU_OFF"]
    off = next(c for c in found if c["name"] == "PSCI_CPU_OFF")
    info = [c for c in found if c["name"] == "PSCI_AFFINITY_INFO"][-1]  # it may have been asked before the CPU's last call
    assert off["cpu"] == 3
    assert (info["x"][1], info["r"][0]) == ("0x3", "0x1")  # OFF is 1 (DEN0022 5.7.3)
