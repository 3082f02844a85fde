"""What ends the RMM: exceptions that it does not expect, assertions, exceptions of a Realm that it does not handle.

TF-RMM prints an exception of its own as ``Unexpected exception on CPU #n:`` with its registers and a backtrace (up to v0.4.0
without the CPU), and stops: ``runtime/core/exceptions.c``, ``lib/debug``. ESR_EL2 is decoded by decoders.esr.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from decoders.esr import DATA_ABORTS, INSTRUCTION_ABORTS, decode_esr, fault_text

from .model import ANSWER, GRAVE, Answer, Report

_HEADER = re.compile(r"Unexpected exception(?: on CPU #(\d{1,6})(?=:|\W|\Z)|(?=:))(?::\s*(\S*))?")
"""In prose the header may have lost its colon."""
_REGISTER = re.compile(r"\b([A-Z][A-Z0-9]{1,11}(?:_EL[0-3])?):[ \t]{0,16}(?:0x)?([0-9a-fA-F]{1,16})\b")
_WANTED = ("ESR_EL2", "ELR_EL2", "FAR_EL2", "HPFAR_EL2", "SPSR_EL2", "LR", "BACKTRACE")
_DUMP_LINES = 64
_LONGEST = 200
"""Characters of an expression that is asserted."""
_SOURCE = re.compile(r"(?<![\w./-])([\w./-]{1,160}\.[ch])(?::(\d{1,6}))?(?![\w/-])")
_NULL = re.compile(r"\bg_([a-z_0-9]{1,32})\s*!=\s*(?:NULL|0)")
_FILES = {
    "rtt.c": "the commands on tables and data pages: RMI_RTT_*, RMI_DATA_*",
    "realm.c": "the commands on Realms: RMI_REALM_*",
    "rec.c": "the commands on RECs: RMI_REC_*",
    "run.c": "RMI_REC_ENTER",
    "granule.c": "RMI_GRANULE_*",
    "pdev.c": "the commands on devices: RMI_PDEV_*",
    "vdev.c": "the commands on assigned devices: RMI_VDEV_*",
    "psci.c": "PSCI calls of a Realm and RMI_PSCI_COMPLETE",
    "feature.c": "RMI_FEATURES",
}
_ABORT = re.compile(r"Unhandled (instruction|data) abort:")
_SYNC = re.compile(r"Unhandled sync exit ESR:?\s*(?:0x)?([0-9a-fA-F]{1,16})")
_EL3_REGISTER = re.compile(r"\b(esr_el3|elr_el3|far_el3|spsr_el3|x30)\s{0,16}[=:]\s{0,4}(?:0x)?([0-9a-f]{1,16})\b")
_FSC = re.compile(r"\b(?:I|D)?FSC:\s*(?:0x)?([0-9a-fA-F]{1,2})\b")
_STOPS = (
    "It stops there: the SMC does not return and the CPU is lost to the host. Time-outs, RCU stalls and lock-ups of the host "
    "that follow come from this"
)
_ENABLED_AT_EL3 = (
    *(
        ("SCTLR2", "SCTLR2En"),
        ("TCR2", "TCR2En"),
        ("PIR_EL", "PIEn"),
        ("POR_EL", "PIEn"),
        ("HCRX_EL2", "HXEn"),
        ("MAIR2", "AIEn"),
    ),
    *(
        ("GCSCR", "GCSEn"),
        ("TRNDR", "TRNDR"),
        ("HFGRTR", "FGTEn"),
        ("HFGWTR", "FGTEn"),
        ("BRBCR", "MDCR_EL3.SBRBE"),
        ("FPMR", "EnFPM"),
    ),
)
"""Registers whose access EL3 has to enable, and the bit of SCR_EL3 (DDI 0487 D24.2 SCR_EL3)."""
_WHAT_TO_SEND = (
    "the whole dump, from this line to the end of BACKTRACE: ESR_EL2, ELR_EL2, FAR_EL2, SPSR_EL2 and X0 to X29",
    "the RMM's banner and commit, a debug build if it was a release build, and TF-A's version (BL31: v...)",
)


def crashes(report: Report) -> Iterator[Answer]:
    """The RMM's own crash dumps."""
    for line in report.lines_with("Unexpected exception"):
        m = _HEADER.search(report.text(line))
        if m is None or (m[2] and m[1] is None):  # of another program: the name of its exception follows
            continue
        registers = _dump(report, line)
        if m[1] is None and not registers:
            continue
        said = [f"the RMM took an exception in its own code{f' on CPU {m[1]}' if m[1] else ''}. {_STOPS}"]
        said += _explained(registers) if "ESR_EL2" in registers else _without_dump(report, registers)
        said += _calls_before(report, line, m[1])
        yield Answer("crash", report.found(line).strip(), tuple(said), _what_next(registers), line + 1, GRAVE)


def at_el3(report: Report) -> Iterator[Answer]:
    """Crash dumps of TF-A's BL31 in a text that also has an RMM."""
    for line in report.lines_with("Unhandled Exception", "esr_el3")[:1]:
        if not report.lines_with("RMM", "SMC_RM"):
            return
        registers: dict[str, int] = {}
        for n in range(line, min(line + _DUMP_LINES, len(report))):
            if m := _EL3_REGISTER.search(report.bare(n)):
                registers.setdefault(m[1], int(m[2], 16))
        said = [
            "TF-A (BL31, EL3) took an exception that it does not handle and stopped: no dump of the RMM, though it may be its "
            "doing"
        ]
        if "esr_el3" in registers:
            said += esr_lines(registers["esr_el3"], "ESR_EL3")
            if registers["esr_el3"] >> 26 & 0x3F == 0x18:
                said.append(
                    "a lower exception level accessed a register that EL3 traps: TF-A has to enable it (ENABLE_FEAT_... of its "
                    "build)"
                )
        if "elr_el3" in registers:
            said.append(f"ELR_EL3 {registers['elr_el3']:#x}: the instruction, in the image that lies there (BL31, RMM, kernel)")
        said += _calls_before(report, line, None)
        next_ = ("TF-A's version and build options, and the RMM's",)
        yield Answer("el3-crash", report.found(line).strip(), tuple(said), next_, line + 1, GRAVE)


def _dump(report: Report, header: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in range(header + 1, min(header + _DUMP_LINES, len(report))):
        text = report.text(line)
        if _HEADER.search(text):
            break
        for name, value in _REGISTER.findall(text):
            found.setdefault(name, int(value, 16))
    return {n: v for n, v in found.items() if n in _WANTED or (n.startswith("X") and n[1:].isdigit())}


def esr_lines(value: int, name: str = "ESR_EL2") -> list[str]:
    """A syndrome in one sentence, and its fields."""
    tree = decode_esr(value)
    iss = tree.child("ISS")
    bits = [n for n in (iss.children if iss is not None else ()) if n.name != "register" and n.text != "0"]
    fields = [f"{n.name} {n.text}" for n in (*tree.children, *bits)]
    return [f"{name} {value:#x}: {tree.text}{f' ({tree.note})' if tree.note else ''}", f"    {', '.join(fields)}"]


def _explained(registers: dict[str, int]) -> list[str]:
    esr = registers["ESR_EL2"]
    ec, code = esr >> 26 & 0x3F, esr & 0x3F
    said = esr_lines(esr)
    if ec in (*DATA_ABORTS, *INSTRUCTION_ABORTS):
        if "FAR_EL2" in registers:
            said.append(
                f"FAR_EL2 {registers['FAR_EL2']:#x}: the address{' 0: a null pointer' if registers['FAR_EL2'] < 4096 else ''}"
            )
        if code == 0x28 or code & ~3 == 0x24:
            said.append("the page is in another PAS than the access: given back, never delegated, or memory of a device")
        elif code & ~3 == 4:
            said.append("the RMM has no mapping there: a slot that was not mapped, or a pointer that is none")
    elif ec == 0x18:
        said.append("the access to that register is not enabled at EL3, or the CPU does not have it: RMM and TF-A do not match")
    if "ELR_EL2" in registers:
        said.append(
            f"ELR_EL2 {registers['ELR_EL2']:#x}: the instruction; addr2line -f -e rmm.elf {registers['ELR_EL2']:#x} names it"
        )
    return said


def _without_dump(report: Report, registers: dict[str, int]) -> list[str]:
    known = f" ({', '.join(sorted(registers)[:4])} are there)" if registers else ""
    named = [f"{r} (SCR_EL3.{bit})" for r, bit in _ENABLED_AT_EL3 if report.lines_with(r)]
    return [
        *([f"the text names {', '.join(named)}: EL3 has to set that bit, or the first access traps to EL3"] if named else []),
        f"the dump below this line is not in the text{known}: without ESR_EL2 and ELR_EL2 nobody can tell which exception it was",
        "often a system register that is trapped because RMM or Realm are newer than TF-A (EC 0x18), or a page whose PAS "
        "changed under the RMM (granule protection fault, DFSC 0x24 to 0x28)",
    ]


def _calls_before(report: Report, line: int, cpu: str | None) -> list[str]:
    calls = report.last_calls(line)
    if not calls:
        return ["no call stands before it in the text: it happened while the RMM started, or the rows were left out"]
    on = [c for c in calls if cpu is not None and c.cpu == int(cpu)]
    told = f"the last calls on CPU {cpu}" if on else "the last calls before it" + (" (rows do not name the CPU)" if cpu else "")
    said = [f"{told}:", *(f"    {c.line}" for c in on or calls)]
    last = (on or calls)[-1]
    said.append("a row is printed when its call returns: the call in which it happened has none")
    if last.name in ("RMI_REALM_ACTIVATE", "RMI_REC_CREATE") and last.status == "RMI_SUCCESS":
        said.append(
            f"what comes after {last.name} is RMI_REC_ENTER: it happened when the Realm was first entered or while it ran"
        )
    return said


def _what_next(registers: dict[str, int]) -> tuple[str, ...]:
    if "ESR_EL2" in registers and "ELR_EL2" in registers:
        return ("rmm.elf of that very build, for addr2line over ELR_EL2 and BACKTRACE", _WHAT_TO_SEND[1])
    return _WHAT_TO_SEND


def assertions(report: Report) -> Iterator[Answer]:
    """Assertions of the RMM."""
    for line in report.lines_with("ssertion"):
        found = _assertion(report.text(line)) or _assertion(report.joined(line))
        if found is None or not _of_the_rmm(found[1], report):
            continue
        what, file, number = found
        place = f"{file}:{number}" if number else file
        said = [f"the RMM's own check in {place} does not hold ({what}): an error of the RMM, not a status. {_STOPS}"]
        name = file.rsplit("/", 1)[-1]
        subject = _FILES.get(name)
        if subject:
            said.append(f"{name} holds {subject}")
        if null := _NULL.search(what):
            said.append(
                f"g_{null[1]} is the granule of {_named(null[1])}: it is looked up by the address that the RMM keeps itself, in "
                "the state that it has to be in, and was not found so. The RMM's tables and the state of that granule do not "
                "agree"
            )
        if private := private_commands(report):
            said.append(
                f"{', '.join(sorted(private)[:4])} are in no revision of DEN0137: private commands of a fork. Whether they map, "
                "share or free pages without keeping the granule's state is the first thing to look at"
            )
        said += _calls_before(report, line, None)
        wanted = (
            ["the rows with all their values: arguments that were cut to '...' hide which page it is"] if _cut(report) else []
        )
        yield Answer(
            "assertion",
            report.found(line).strip(),
            tuple(said),
            (*wanted, f"the source around {place} in that very commit", _WHAT_TO_SEND[1]),
            line + 1,
            GRAVE,
        )


def _assertion(text: str) -> tuple[str, str, str | None] | None:
    """What was asserted, in which file and line; None for other text."""
    front, found, rest = text.partition("ssertion")
    what, failed, behind = rest.partition("failed")
    m = _SOURCE.search(behind) or next(iter([*_SOURCE.finditer(front)][-1:]), None)  # glibc names the file first
    if not found or not failed or m is None or len(what) > _LONGEST:
        return None
    return what.strip(" \"'`\u2018\u2019"), m[1], m[2]


def _named(what: str) -> str:
    return {
        "data": "a data page (state DATA)",
        "rd": "a Realm (state RD)",
        "rec": "a REC (state REC)",
        "rtt": "a table (state RTT)",
        "tbl": "a table (state RTT)",
        "llt": "a table (state RTT)",
        "pdev": "a device (state PDEV)",
        "vdev": "an assigned device (state VDEV)",
    }.get(what, what.replace("_", " "))


def _of_the_rmm(path: str, report: Report) -> bool:
    """Whether a source file is the RMM's: by its folder, else by rows of the RMM in the same text."""
    return bool(re.search(r"\b(?:runtime|rmm|el0_app)\b", path)) or bool(report.calls[0])


def _cut(report: Report) -> bool:
    return any(report.text(line).find("...") >= 0 for line in report.lines_with("SMC_R", "RMI_", "RSI_"))


def private_commands(report: Report) -> set[str]:
    """Commands in rows that are of no revision."""
    capture = report.capture
    if capture is None or not report.calls[0]:
        return set()
    fids = capture.column("fid", np.array(report.calls[0])).tolist()
    return {n for n, fid in zip(report.texts[0], fids, strict=True) if fid == 0}


def of_a_realm(report: Report) -> Iterator[Answer]:
    """Exceptions of a Realm that the RMM prints because it does not handle them."""
    for line in report.lines_with("Unhandled sync exit", "Unhandled instruction abort", "Unhandled data abort"):
        text = report.text(line)
        if m := _SYNC.search(text):
            said = ["an exception of the Realm that the RMM does not handle:", *esr_lines(int(m[1], 16))]
        elif m := _ABORT.search(text):
            below = " ".join(report.text(n) for n in range(line, min(line + 4, len(report))))
            said = [f"an abort of the Realm ({m[1]}) that the RMM does not handle, and that the host does not get to see as such"]
            if code := _FSC.search(below):
                said.append(f"FSC {int(code[1], 16):#x}: {fault_text(int(code[1], 16) & 0x3F)}")
                if int(code[1], 16) & 0x3C == 4:
                    said.append(
                        "nothing is mapped there: RIPAS EMPTY, or no page. The RMM injects an abort into the Realm; where its "
                        "vector is not mapped either, it aborts for ever. Was that IPA initialised (RMI_RTT_INIT_RIPAS) and "
                        "filled (RMI_DATA_CREATE), and are PC and translation registers of the REC right?"
                    )
            for name, value in _REGISTER.findall(below):
                if name in ("FAR", "HPFAR", "FAR_EL2", "HPFAR_EL2"):
                    told = f": IPA {int(value, 16) >> 4 << 12:#x}" if name.startswith("HPFAR") else ""
                    said.append(f"{name} 0x{value.lower()}{told}")
                elif name.startswith("ESR"):
                    said += esr_lines(int(value, 16), name)
        else:
            continue
        yield Answer("realm-exception", text, tuple(said), (), line + 1, ANSWER)
