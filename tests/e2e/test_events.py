"""Recordings with much in them: the events of KVM, and more events than fit."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

SMC = "/sys/module/smcgen/parameters"


def recorded(guest: Any, tmp_path: Path, options: str, script: str) -> tuple[str, Path]:
    """What the recorder said, and the capture, of a run of a shell script."""
    guest.run("cat >/tmp/work.sh <<'X'\n" + script + "\nX")
    said = guest.run(f"sh /record.sh {options} -o /tmp/run.dat -- sh /tmp/work.sh 2>&1", 600)
    path = tmp_path / "run.dat"
    path.write_bytes(guest.take("/tmp/run.dat"))
    guest.run("rm /tmp/run.dat /tmp/work.sh")
    return said, path


def test_kvm(guest: Any, e2e: Any, tmp_path: Path) -> None:
    """A guest within the guest: five HVCs of PSCI_VERSION, then a write that user space has to emulate (kvmrun.c)."""
    said, path = recorded(guest, tmp_path, "--kvm", f"/kvmrun; echo 84000050 1 >{SMC}/smc11")
    assert "done\n" in said
    assert "missing" not in said
    found = e2e.opened.decoded(path)
    assert [o["name"] for o in found if o["type"] == "call"] == ["TRNG_VERSION"]
    told = re.search(r" (\d+) trace events;", said)
    assert told is not None
    assert found[-1]["ignored_lines"] == int(told[1])  # events that are no calls
    done = subprocess.run(["trace-cmd", "report", str(path)], capture_output=True, text=True, check=True)
    events = re.findall(r" (kvm_\w+): ", done.stdout)
    assert len(events) == int(told[1])
    assert events.count("kvm_hvc_arm64") == len(re.findall(r"kvm_exit: .*HVC64", done.stdout)) == 5
    assert len(re.findall(r"r0: 0x0*84000000, imm: 0x0", done.stdout)) == 5
    assert events.count("kvm_entry") == events.count("kvm_exit") > 5
    assert events[-1] == "kvm_userspace_exit"


def test_kvm_is_not_in_every_kernel(guest: Any) -> None:
    """Events that are not there are named, and the rest is recorded."""
    guest.run("sed 's/for k in kvm_entry.*; do/for k in kvm_nothing; do/' /record.sh >/tmp/less.sh")
    said = guest.run("sh /tmp/less.sh --kvm -o /tmp/less.dat -- true 2>&1; rm /tmp/less.*", 300)
    assert "no events of KVM" in said
    assert "nothing made an SMC meanwhile; to try it" in said
    assert "open it with" in said


def test_more_events_than_the_buffer_holds(guest: Any, e2e: Any, tmp_path: Path) -> None:
    """300 SMCs, two events each, into a buffer of two pages a CPU: the last ones stay, and the count of the others is exact."""
    loop = f"taskset 1 sh -c 'i=100; while [ $i -lt 400 ]; do echo $i 7 >{SMC}/smc_inline; i=$((i + 1)); done'"  # one buffer
    said, path = recorded(guest, tmp_path, "--no-breakpoints --buffer-size 8", loop)
    lost = re.search(r"too small: the oldest (\d+) events are lost \(--buffer-size\)", said)
    kept = re.search(r" (\d+) trace events", said)
    assert lost is not None
    assert kept is not None
    assert int(lost[1]) + int(kept[1]) == 600
    found = e2e.opened.calls(path)
    last = [f"0x{i}" for i in range(100, 400)][-len(found) :]  # the module reads hex
    assert [c["x"][1] for c in found] == last
    assert len(found) == (int(kept[1]) + 1) // 2
    findings = e2e.opened.findings(path)
    assert f"lost {lost[1]} events" in findings["LOST-EVENTS"]
    assert f"{lost[1]} entries, the oldest, are gone" in findings["RING-WRAPPED"]


@pytest.mark.one_kernel(0)
def test_more_breakpoint_hits_than_can_be_taken(guest: Any, e2e: Any, tmp_path: Path) -> None:
    """The program that takes them is stopped meanwhile. 512 KiB hold some 1300 calls: the first ones stay."""
    loop = f"""
for p in /proc/[0-9]*; do case $(readlink $p/exe) in */smctap) t="$t ${{p#/proc/}}" ;; esac; done
kill -STOP $t
taskset 1 sh -c 'i=0; while [ $i -lt 1500 ]; do printf "84000000 %x\\n" $i >{SMC}/smc11; i=$((i + 1)); done'
kill -CONT $t
sleep 1
taskset 1 sh -c 'echo 84000000 ffff >{SMC}/smc11'"""
    said, path = recorded(guest, tmp_path, "", loop)
    told = re.search(r"(\d+) breakpoint hits are lost", said)
    assert told is not None
    lost = int(told[1])
    told_of = e2e.opened.decoded(path)
    found = [o for o in told_of if o["type"] == "call"]
    x1 = [int(c["x"][1], 16) for c in found if c["paired"] != "exit-only"]
    assert len(found) - len(x1) <= 1  # where the last entry hit again: no room for that, but for the exit, which is shorter
    assert 1000 < len(x1) < 1500
    assert x1 == [*range(len(x1) - 1), 0xFFFF]
    gone = 2 * (1501 - len(x1))  # a hit in front of the SMC and one behind it
    assert gone - 1 <= lost <= gone + 8  # single steps that were interrupted hit again
    texts = [o["message"] for o in told_of if o.get("rule") == "LOST-EVENTS"]
    counts = [re.match(r"the tracer lost (\d+) events? on CPU 0;", t) for t in texts]
    assert sum(int(m[1]) for m in counts if m is not None) == lost
