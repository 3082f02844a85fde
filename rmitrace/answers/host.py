"""What the host's and the firmware's own lines mean beside the calls: stalls that are no crashes, a boot in which nothing was
asked of the RMM."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .model import ANSWER, Answer, Report

_STALL = re.compile(
    r"rcu: INFO: rcu_\w{1,16} (?:self-)?detected (?:stalls?|expedited stalls)|watchdog: BUG: soft lockup|task \S{1,60} blocked "
    r"for more than"
)
_TABLE_WORK = [
    "RMI_RTT_CREATE",
    "RMI_RTT_DESTROY",
    "RMI_RTT_FOLD",
    "RMI_DATA_CREATE",
    "RMI_DATA_CREATE_UNKNOWN",
    "RMI_DATA_DESTROY",
    "RMI_GRANULE_DELEGATE",
    "RMI_GRANULE_UNDELEGATE",
    "RMI_RTT_UNMAP_UNPROTECTED",
    "RMI_RTT_MAP_UNPROTECTED",
    "RMI_RTT_DATA_MAP",
    "RMI_RTT_DATA_UNMAP",
    "RMI_GRANULE_RANGE_DELEGATE",
    "RMI_GRANULE_RANGE_UNDELEGATE",
    "RMI_REALM_DESTROY",
    "RMI_REC_DESTROY",
]


_IN_A_TRACE = ("kvm_realm_", "realm_unmap_", "realm_tear_down", "rmi_rtt_", "rmi_data_", "rmi_granule_", "kvm_destroy_realm")
"""Functions of KVM in a call trace that work on a Realm's tables."""


def stalls(report: Report) -> Iterator[Answer]:
    """RCU stalls and lock-ups of a host whose RMM answered all calls."""
    if not report.calls[0] and not report.lines_with(*_IN_A_TRACE):
        return
    for line in report.lines_with("rcu: INFO", "soft lockup", "blocked for more than"):
        if _STALL.search(report.text(line)) is None:
            continue
        if any("Unexpected exception" in report.text(n) or "ssertion" in report.text(n) for n in range(line)):
            return
        work = sorted(report.names & set(_TABLE_WORK))
        said = [
            "a warning, not a crash: the CPU did not get to the scheduler for a long time; nothing is lost",
            "KVM changes a Realm's tables one granule an SMC while it holds mmu_lock. Building, unmapping and above all tearing "
            "down a Realm is many thousands of calls of microseconds to milliseconds each, most of all on a model (FVP, QEMU): "
            "harmless, if not nice",
        ]
        if work:
            said.append(f"in this text the host was at it: {', '.join(work)}{_outcome(report)}")
        yield Answer(
            "stall",
            report.found(line).strip(),
            tuple(said),
            (
                "how many calls and how long each: rmitrace stats on a host trace (the RMM's console has no times)",
                "if the host really stops: its last lines, and whether the RMM printed 'Unexpected exception' or an assertion",
            ),
            line + 1,
            ANSWER,
        )
        return


def _outcome(report: Report) -> str:
    capture = report.capture
    if capture is None or not report.calls[0]:
        return ""
    failed = sum(bool(capture.calls.failed[r]) for r in report.calls[0])
    return (
        f"; {failed} of the {len(report.calls[0])} rows failed"
        if failed
        else f"; all {len(report.calls[0])} rows succeeded: the RMM answers"
    )


_UP = re.compile(r"RMM init end|RMM warm boot complete|Booting RMM v")
_LEFT = re.compile(r"Preparing for EL3 exit to normal world|UEFI firmware|EDK II|U-Boot \d|Booting Linux on physical CPU")


def booted(report: Report) -> Iterator[Answer]:
    """An RMM that came up and was asked nothing: what hangs afterwards is somewhere else."""
    if report.calls[0]:
        return
    up = [n for n in report.lines_with("RMM init end", "Booting RMM v", "RMM warm boot complete") if _UP.search(report.text(n))]
    if not up or report.lines_with("Unexpected exception", "RMM is in invalid state", "RMM init failed"):
        return
    left = [
        n for n in report.lines_with("Preparing for EL3 exit", "UEFI firmware", "EDK II", "U-Boot ", "Booting Linux") if n > up[0]
    ]
    left = [n for n in left if _LEFT.search(report.text(n))]
    if not left:
        return
    linux = any("Booting Linux" in report.text(n) for n in left)
    where = "Linux was started" if linux else "control went to the normal world's firmware"
    said = (
        f"the RMM started without an error ('{report.text(up[-1])}') and TF-A went on: {where} ('{report.text(left[-1])}')",
        "no RMI call is in the text: nobody had asked the RMM for anything when this ends. The RMM has no part in what hangs "
        "after that"
        + (
            ""
            if linux
            else "; look at the normal world's firmware (edk2, U-Boot), its device tree or ACPI tables and the machine's options"
        ),
    )
    next_ = (
        "the console of that firmware, a debug build of it; whether the same image boots without RME (TF-A without RME, QEMU "
        "without x-rme)",
    )
    yield Answer("boot", report.found(left[-1]).strip(), said, next_, left[-1] + 1, ANSWER)
