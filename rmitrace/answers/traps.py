"""Accesses of a Realm to system registers that the RMM prints: which registers they are, and whether that is a problem.

TF-RMM ``runtime/core/sysregs.c``: a read of a register that is not emulated gives zero, a write is ignored, and both are printed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from decoders.sysreg import spelled

from .model import ANSWER, ASIDE, Answer, Report

_ACCESS = re.compile(r"(?:Unhandled (write|read)|Accessing unknown ID register) (S[0-3]_[0-7]_C\d{1,2}_C\d{1,2}_[0-7])")
_TRAPPED = re.compile(r"\Awrite ([A-Z][A-Z0-9_]{2,20}_EL1) <- ([0-9a-f]{1,16})\Z")
_GROUPS = (
    (
        re.compile(r"(?:DBG[BW][VC]R\d+|MDSCR|OS\w+|DBG\w+)_EL[01]"),
        "self-hosted debug: a kernel clears its breakpoints and watchpoints",
    ),
    (re.compile(r"PM\w+_EL[01]"), "the PMU: not given to this Realm"),
    (re.compile(r"TRB\w+|TRF\w+|PMS\w+|PMB\w+"), "tracing and profiling"),
    (re.compile(r"ID_\w+"), "an ID register"),
)
_MOST = 12


def unhandled(report: Report) -> Iterator[Answer]:
    """All of them as one answer: people paste them by the dozen."""
    seen: Counter[tuple[str, str]] = Counter()
    first = -1
    for line in report.lines_with("Unhandled write", "Unhandled read", "Accessing unknown ID register"):
        for m in _ACCESS.finditer(report.text(line)):
            seen[m[1] or "read", m[2]] += 1
            first = line if first < 0 else first
    if not seen:
        return
    said = [
        "no problem: a Realm's kernel accesses registers that the RMM does not emulate. A read gives zero, a write is ignored "
        "(RAZ/WI), the Realm goes on. It is printed for the RMM's developers and is not why a Realm fails or hangs"
    ]
    names: dict[str, list[str]] = {}
    for way, register in seen:
        name = spelled(register) or "a register with no name here"
        names.setdefault(_group(name), []).append(f"{register} {name}" + (" (read)" if way == "read" else ""))
    for group, registers in names.items():
        more = f" and {len(registers) - _MOST} more" if len(registers) > _MOST else ""
        said.append(f"{group}: {', '.join(registers[:_MOST])}{more}")
    about = report.found(first).strip()
    if (n := sum(seen.values())) > 1:
        about += f"   ({n} of these)"
    yield Answer("unhandled-registers", about, tuple(said), (), first + 1, ANSWER)


def _group(name: str) -> str:
    return next((said for pattern, said in _GROUPS if pattern.fullmatch(name)), "others")


def virtual_memory_control(report: Report) -> Iterator[Answer]:
    """``write SCTLR_EL1 <- ...``: what a Realm's boot looks like while its caches are off."""
    found = [(line, m) for line in report.lines_with("_EL1 <- ") if (m := _TRAPPED.search(report.bare(line))) is not None]
    if not found:
        return
    line, m = found[0]
    names = ", ".join(dict.fromkeys(m[1] for _, m in found))
    said = (
        f"normal: writes of the Realm to {names} are trapped and printed until its MMU and caches are on",
        "the Realm's kernel runs: this is its early boot",
    )
    yield Answer(
        "trapped-writes",
        report.found(line).strip() + (f"   ({len(found)} of these)" if len(found) > 1 else ""),
        said,
        (),
        line + 1,
        ASIDE,
    )
