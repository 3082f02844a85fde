"""What runs: the versions that a text shows of the RMM, the kernel and TF-A, and those that it does not show.

TF-RMM's rows by age: prefix ``SMC_RMM_`` up to v0.5.0, ``SMC_RMI_`` from May 2024 on (v0.6.0); names in a column of 21 characters
up to v0.7.0, of 25 from May 2025 on (v0.8.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..formats.rmm_console_marks import read_banner
from .model import ASIDE, Answer, Report

_ROW = re.compile(r"SMC_(RM[IM])_([A-Z][A-Z0-9_]{2,40})( {1,30})[0-9a-f]")
_KERNEL_RMI = re.compile(r"RMI ABI version (\d{1,3}\.\d{1,3})")
_LINUX = re.compile(r"Linux version (\S{1,80})")
_TFA = re.compile(r"BL31: (v\d[\w.()+:-]{0,60})")
_ISLET = re.compile(r"\bRMI: [A-Z_]{3,40} {0,20}\[")
_MEC = re.compile(r"RMM_MEM_SCRUB_METHOD ?=? ?(\d)(?: is set but FEAT_MEC is not present)?")


def versions(report: Report) -> Iterator[Answer]:
    """One answer with all that is known; and what to ask for."""
    found = [*_banners(report), *_asked(report), *_kernel(report)]
    era = _era(report)
    if era and not any("TF-RMM v" in f for f in found):
        found.append(era)
    if not found:
        if report.calls[0]:
            yield Answer(
                "versions", "versions", ("the text names neither the RMM nor the kernel",), _missing(report, found), None, ASIDE
            )
        return
    missing = _missing(report, found)
    yield Answer("versions", "what runs", tuple(found), missing, None, ASIDE)


def _banners(report: Report) -> Iterator[str]:
    banners: list[dict[str, Any]] = []
    for line in report.lines_with("Booting RMM", "Interface v", "ABI v", "ABI revision"):
        read_banner(report.text(line).encode(), line, banners)
    for b in banners[:4]:
        first = f"TF-RMM v{b['rmm']} ({b['build']}), {b['commit']}" if "rmm" in b else "RMM"
        more = [f"built {b['built']}" if "built" in b else "", f"with {b['compiler']}" if "compiler" in b else ""]
        yield ", ".join(p for p in (first, " ".join(m for m in more if m)) if p)
        names = {"rmi": "RMI", "rsi": "RSI", "el3": "RMM-EL3 interface", "manifest": "boot manifest"}
        if parts := [f"{names[k]} {b[k]}" for k in names if k in b]:
            yield f"    {', '.join(parts)}"
        if b.get("build") == "release":
            yield "    a release build prints no rows unless LOG_LEVEL was raised to 40: no rows do not mean no calls"


def _asked(report: Report) -> Iterator[str]:
    capture = report.capture
    if capture is None:
        return
    for row in report.calls[0]:
        if capture.name_text(row) == "RMI_VERSION":
            call = capture.call(row)
            got = {n.name: n.text for n in (*call.args, *call.results)}
            lower, higher = got.get("lower", "?"), got.get("higher", "?")
            has = f"has {lower}" if lower == higher else f"has {lower} to {higher}"
            agree = "they speak the version that was asked for" if call.status == "RMI_SUCCESS" else "no version in common"
            yield f"RMI_VERSION: the host asks for {got.get('req', '?')}, the RMM {has}: {agree}"
            return


def _kernel(report: Report) -> Iterator[str]:
    for words, pattern, said in (
        (("RMI ABI version",), _KERNEL_RMI, "the kernel (KVM) found RMI {}"),
        (("Linux version",), _LINUX, "Linux {}"),
        (("BL31: v",), _TFA, "TF-A {}"),
    ):
        for line in report.lines_with(*words):
            if m := pattern.search(report.text(line)):
                yield said.format(m[1])
                break


def _era(report: Report) -> str:
    widths, prefixes = set(), set()
    for line in report.lines_with("SMC_RM")[:400]:
        if m := _ROW.search(report.text(line)):
            prefixes.add(m[1])
            widths.add(max(len(m[2]) + len(m[3]) - 1, 0))
    if prefixes == {"RMM"}:
        return "rows that begin with SMC_RMM_: TF-RMM up to v0.5.0 (before May 2024), RMI 1.0 or older"
    if prefixes == {"RMI"} and widths == {25}:
        return "rows with names in 25 columns: TF-RMM v0.8.0 or newer (from May 2025 on)"
    if prefixes == {"RMI"} and widths == {21}:
        return "rows with names in 21 columns: TF-RMM v0.6.0 to v0.7.0 (May 2024 to May 2025)"
    if prefixes == {"RMI"} or report.lines_with("SMC_RMI_"):
        return "rows that begin with SMC_RMI_: TF-RMM v0.6.0 or newer (from May 2024 on)"
    return "Islet" if any(_ISLET.search(report.text(n)) for n in report.lines_with("RMI: ")[:40]) else ""


def _missing(report: Report, found: list[str]) -> tuple[str, ...]:
    text = "\n".join(found)
    missing = []
    if "TF-RMM v0" not in text and "Islet" not in text:
        missing.append("the RMM's version and commit (its banner: 'Booting RMM v...')")
    if "Linux " not in text and "KVM" not in text:
        missing.append("the host kernel (uname -r, which CCA series)")
    elif "Linux " not in text:
        missing.append("the host kernel's tree (uname -r)")
    if not report.lines_with("lkvm", "kvmtool", "qemu", "QEMU"):
        missing.append("the VMM and its version")
    return (f"not said in this text: {'; '.join(missing)}",) if missing else ()


def encryption(report: Report) -> Iterator[Answer]:
    """RMM_MEM_SCRUB_METHOD and FEAT_MEC."""
    lines = [n for n in report.lines_with("RMM_MEM_SCRUB_METHOD") if _MEC.search(report.text(n))]
    absent = next((n for n in lines if "FEAT_MEC is not present" in report.text(n)), None)
    if absent is None:
        return
    said = (
        "this CPU or model has no FEAT_MEC: Realms get no memory encryption contexts of their own (one key, or none, for all of "
        "the Realm PAS), and MECIDs cannot be used",
        "the RMM was built to clear granules by changing their MECID; without FEAT_MEC it clears them by writing. No error",
    )
    next_ = ("to use memory encryption: a CPU or model with FEAT_MEC (FVP: has_mec), and TF-A built with ENABLE_FEAT_MEC",)
    yield Answer("memory-encryption", report.found(absent).strip(), said, next_, absent + 1)
