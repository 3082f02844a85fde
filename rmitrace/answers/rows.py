"""What is odd about the rows of a pasted log and yet is no failure, and what they leave out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

import decoders

from .crash import private_commands
from .model import ANSWER, ASIDE, GRAVE, MAX_LINES, Answer, Report

_ELIDED = re.compile(r"\A(?::|\.{2,6}|\u2026|\[(?:\.{3}|snip|\u2026)\]|<snip>|\.{0,3}snip\.{0,3})\Z")
_OF_A_WALK = ("RMI_ERROR_RTT", "RMI_ERROR_REC", "RMI_ERROR_REALM")
_SHORT = 80
"""Bytes of a line that says nothing but that lines were left out, with quotes, tags and stamps."""
_PROBES = {
    "PSCI_NOT_SUPPORTED": "PSCI",
    "TRNG_NOT_SUPPORTED": "TRNG",
    "SMCCC_RET_NOT_SUPPORTED": "SMCCC",
    "SMC_NOT_SUPPORTED": "SMC",
}
_WALKS = (
    *(
        "RMI_DATA_DESTROY",
        "RMI_RTT_UNMAP_UNPROTECTED",
        "RMI_RTT_DESTROY",
        "RMI_RTT_FOLD",
        "RMI_RTT_INIT_RIPAS",
        "RMI_RTT_SET_RIPAS",
    ),
    *("RMI_RTT_DATA_UNMAP", "RMI_RTT_UNPROT_UNMAP", "RMI_RTT_DEV_UNMAP"),
)


def walks(report: Report) -> Iterator[Answer]:
    """RMI_ERROR_RTT of commands with which a host walks tables."""
    capture = report.capture
    if capture is None:
        return
    found = report.chosen(_WALKS, ("RMI_ERROR_RTT",))
    if not found:
        return
    counts = Counter(capture.name_text(r) for r, _ in found)
    call = capture.call(found[0][0])
    top = next((n for n in call.results if n.name in ("top", "out_top") and n.value is not None), None)
    said = [
        f"no failure: a host walks a Realm's tables with {', '.join(counts)} and does not know what is mapped. RMI_ERROR_RTT "
        "says how far the walk came, and the host goes on from there",
    ]
    if call.index is not None:
        line = f"{call.line}: the walk ended at level {call.index}"
        ipa = next((n.value for n in call.args if n.name in ("ipa", "base")), None)
        if top is not None and isinstance(top.value, int) and isinstance(ipa, int):
            if top.value > ipa:
                line += f", nothing is mapped up to {top.text}, where the host goes on"
            else:
                line += ", with something there that is not of that level: the host goes on one level deeper"
        said.append(line)
    rows = np.array(report.calls[0], dtype=np.int64)
    failed = rows[capture.column("failed", rows)].tolist()
    others = [r for r in failed if capture.status_text(r) != "RMI_ERROR_RTT" and capture.service_text(r) == "RMI"]
    said.append(
        f"to look at instead: {capture.call(others[0]).line}"
        if others
        else "no command in this text failed with another status of the RMM"
    )
    where = f"   ({len(found)} of these)" if len(found) > 1 else ""
    yield Answer("table-walk", report.found(found[0][1]).strip() + where, tuple(said), (), found[0][1] + 1, ANSWER)


def undefined(report: Report) -> Iterator[Answer]:
    """Statuses that no revision has for a command."""
    capture = report.capture
    if capture is None:
        return
    told: set[tuple[str, str]] = set()
    for row, line, name, status in zip(*report.calls, *report.texts, strict=True):
        if status not in _OF_A_WALK or (name, status) in told or not _never(name, status):
            continue
        told.add((name, status))
        said = (
            f"{capture.call(row).line}: no revision of DEN0137 has {status} for {name}. The RMM deviates from the specification "
            "here; whoever called it cannot make sense of that",
            f"rmitrace abi show {name} has its conditions"
            + (": a walk that ends early is no failure, it succeeds and gives the level" if name == "RMI_RTT_READ_ENTRY" else ""),
        )
        yield Answer("status-not-defined", report.found(line).strip(), said, ("the RMM and its commit",), line + 1, GRAVE)


def _never(name: str, status: str) -> bool:
    """Whether all revisions that have a command tell when it fails, and none with that status."""
    having = [p for r in decoders.REVISIONS if name in (p := decoders.profile(r)).commands]
    lists = [{f.status for f in p.failures(name)} for p in having]
    return bool(lists) and all(lists) and not any(status in x for x in lists)


def left_to_the_host(report: Report) -> Iterator[Answer]:
    """RSI and PSCI rows without a status."""
    capture = report.capture
    if capture is None:
        return
    unanswered = {
        r for r, e in zip(report.calls[0], capture.column("exit", np.array(report.calls[0])).tolist(), strict=True) if e < 0
    }
    rows = [
        (r, n) for r, n in report.chosen(statuses=("",)) if r in unanswered and _realms(report, r) and not _cut_off(report, n)
    ]
    if not rows:
        return
    names = ", ".join(dict.fromkeys(capture.name_text(r) for r, _ in rows))
    said = (
        f"nothing is missing: {names} leaves the Realm, for the host has to answer it (REC exit). TF-RMM prints the row then, "
        "without '> status', and no second one when the Realm goes on. The rows after it show that it did"
        if rows[0][1] < len(report) - 2
        else f"{names} left the Realm, for the host has to answer it (REC exit): TF-RMM prints the row then, without a status. "
        "It is the last one here: whether the host answered is not in this text",
    )
    more = f"   ({len(rows)} of these)" if len(rows) > 1 else ""
    yield Answer("no-status", report.found(rows[0][1]).strip() + more, said, (), rows[0][1] + 1, ASIDE)


def _realms(report: Report, row: int) -> bool:
    return report.capture is not None and report.capture.service_text(row) in ("RSI", "PSCI")


def _cut_off(report: Report, line: int) -> bool:
    return "..." in report.text(line)


def probes(report: Report) -> Iterator[Answer]:
    """Calls that ask what there is and are told that it is not there."""
    capture = report.capture
    if capture is None:
        return
    found = report.chosen(statuses=_PROBES)
    if not found:
        return
    names = ", ".join(dict.fromkeys(capture.name_text(r) for r, _ in found))
    said = (
        f"normal: {names} asks whether something is there, -1 (all ones) says that it is not. A Realm's kernel goes on without "
        "it",
    )
    more = f"   ({len(found)} of these)" if len(found) > 1 else ""
    yield Answer("probe", report.found(found[0][1]).strip() + more, said, (), found[0][1] + 1, ASIDE)


def private(report: Report) -> Iterator[Answer]:
    """Commands of a fork."""
    capture = report.capture
    names = sorted(private_commands(report))
    if not names or capture is None:
        return
    line = report.chosen(names)[0][1]
    said = (
        f"{', '.join(names)}: in no revision of DEN0137. Commands that a fork of the RMM added; what they take and give back is "
        "known to its authors only",
    )
    yield Answer("private-command", report.found(line).strip(), said, ("the fork and its commit",), line + 1, ASIDE)


def left_out(report: Report) -> Iterator[Answer]:
    """Places where somebody left lines or values out."""
    if not report.calls[0]:
        return
    gaps = [n for n in range(min(len(report), MAX_LINES)) if report.size(n) <= _SHORT and _ELIDED.match(report.bare(n))]
    elided = {*report.lines_with("...", "\u2026")}
    cut = [n for n in report.calls[1] if n in elided]
    said = []
    if gaps:
        said.append(f"lines were left out at line {', '.join(str(n + 1) for n in gaps[:6])}: calls between them are not known")
    if cut:
        said.append(
            f"values were cut to '...' in {len(cut)} row{'s' if len(cut) > 1 else ''}: which pages they are about is not known"
        )
    if said:
        first = min((gaps or cut)[0], (cut or gaps)[0])
        yield Answer("left-out", "not all of the log is here", tuple(said), ("the log in full, as a file",), first + 1, ASIDE)
