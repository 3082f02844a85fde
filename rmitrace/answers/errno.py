"""Errors of a kernel or a VMM, with nothing but an errno: the RMI commands that can stand behind them, and what to capture."""

from __future__ import annotations

import errno as numbers
import os
import re
from collections.abc import Iterator

from decoders.rmi import profile

from .model import ANSWER, GRAVE, Answer, Report, listed
from .steps import STEPS, VERSION_LINE, WARNED, Step

_NUMBER = re.compile(
    r"(?:\b(?:err(?:or|no)?|ret(?:urn(?:ed)?|val)?|rc|failed|status)\b[^\n\d-]{0,24}?|[(:=]\s{0,2})-(\d{1,3})\b"
    r"|\berrno[ :=]{1,3}(\d{1,3})\b|\bfailed: (\d{1,3}) [A-Z]"
)
_NAMED = re.compile(r"(?<![A-Z_])-?\b(E[A-Z]{2,12})\b")
_LINUX = {os.strerror(n): n for n in numbers.errorcode}
_WORDS = sorted((w for w in _LINUX if len(w) > 6), key=len, reverse=True)
_WARNING = re.compile(r"WARNING: .{0,160}?\bat (?:arch/arm64/kvm|drivers/virt/coco)[\w/.-]{0,60}:\d{1,6} (\w{1,64})(?:\+0x|\b)")
_FAILS = re.compile(r"fail|error|unable|refus|unexpected|invalid|denied|cannot|can't|not supported|unsupported", re.I)
_FAILED_STATUSES = "with the statuses and conditions that rmitrace abi show lists"


def refusals(report: Report) -> Iterator[Answer]:
    """Lines that tell of a step that failed, one answer a step and errno."""
    told: dict[tuple[str, int | None], Answer] = {}
    used: set[int] = set()
    for step in STEPS:
        for line in report.lines_with(*step.words):
            if line in used or not _tells(step, report, line):
                continue
            number = _errno_near(report, line)
            if number is None and None not in step.means and not _FAILS.search(report.joined(line)):
                continue  # said, and not said to have failed
            used.add(line)
            key = (step.what, number)
            if key not in told and not any(w == step.what and number is None for w, _ in told):
                told[key] = _answer(report, step, line, number)
    yield from sorted(told.values(), key=lambda a: a.line or 0)


def _tells(step: Step, report: Report, line: int) -> bool:
    if (step.common and not report.of_cca) or report.of_others:
        return False
    if step.pattern.search(report.text(line)) is not None:
        return True
    below = report.text(line + 1)
    return step.pattern.search(report.joined(line)) is not None and step.pattern.search(below) is None


def errno_of(text: str) -> int | None:
    """The errno that a line names, by number, symbol or words; None where it names none."""
    word = next((w for w in _WORDS if w in text), None)
    if word is not None:
        return _LINUX[word]
    for m in _NAMED.finditer(text):
        if (n := getattr(numbers, m[1], None)) is not None:
            return int(n)
    number = _NUMBER.search(text)
    n = int(number[1] or number[2] or number[3]) if number is not None else 0
    return n if n in numbers.errorcode else None


def _errno_near(report: Report, line: int) -> int | None:
    """The errno of a line; else of it and the next one together, or of the next: tools print the cause below the place."""
    here, joined = report.text(line), report.joined(line)
    texts = (joined, here) if any(here.endswith(w) for w in _WORDS) else (here, joined)  # words that go on below
    return next((n for t in (*texts, report.text(line + 1), report.text(line + 2)) if (n := errno_of(t)) is not None), None)


def _answer(report: Report, step: Step, line: int, number: int | None) -> Answer:
    said = [f"asked for: {step.what}"]
    if number is not None:
        said.append(f"{numbers.errorcode[number]} ({os.strerror(number)}): {_meaning(step, number)}")
    elif None in step.means:
        said.append(step.means[None])
    else:
        said.append("no errno is in the text")
        said += [f"    {numbers.errorcode[n]}: {m}" for n, m in step.means.items() if n is not None]
    said += _commands(report, step)
    return Answer(
        "errno",
        report.found(line).strip(),
        tuple(said),
        step.next,
        line + 1,
        GRAVE if _FAILS.search(report.joined(line)) or number is not None else ANSWER,
    )


def _meaning(step: Step, number: int) -> str:
    return (
        step.means.get(number) or step.means.get(None) or "not an answer of the RMM that is known here: the kernel's own refusal"
    )


def _commands(report: Report, step: Step) -> Iterator[str]:
    if not step.commands:
        return
    seen = report.names
    there = [c for c in step.commands if c in seen]
    lines = [t for t in (_seen_failing(report, c) for c in there) if t]
    if lines:
        yield "in this text, refused:"
        yield from (f"    {t}" for t in lines)
    elif there:
        yield f"in this text {listed(there)} did not fail: look for what is missing, or for another run"
    else:
        yield f"RMI commands that can stand behind it, {_FAILED_STATUSES}:"
        yield from _by_revision(step.commands)


def _by_revision(commands: tuple[str, ...]) -> Iterator[str]:
    """Commands of all revisions first, then those of 1.x only and of 2.0 only."""
    old, new = profile("1.1-alp17").commands, profile("2.0-bet3").commands
    groups: dict[str, list[str]] = {"": [], "1.x: ": [], "2.0: ": []}
    for c in commands:
        groups["" if (c in old and c in new) or not c.startswith("RMI_") else "1.x: " if c in old else "2.0: "].append(c)
    yield from (f"    {title}{', '.join(names)}" for title, names in groups.items() if names)


def _seen_failing(report: Report, command: str) -> str:
    capture = report.capture
    if capture is None:
        return ""
    row = next((r for r in report.calls[0][::-1] if capture.name_text(r) == command and capture.calls.failed[r]), None)
    return "" if row is None else capture.call(row).line


def versions_refused(report: Report) -> Iterator[Answer]:
    """The kernel's line that it has no version in common with the RMM."""
    for line in report.lines_with("Unsupported RMI ABI"):
        m = VERSION_LINE.search(report.text(line)) or VERSION_LINE.search(report.joined(line))
        if m is None:
            continue
        higher = m["higher"] or m["lower"]
        rmm = m["lower"] if higher == m["lower"] else f"{m['lower']} to {higher}"
        newer, older = ("RMM", "kernel") if _version(m["lower"]) > _version(m["wanted"]) else ("kernel", "RMM")
        yield Answer(
            "version",
            report.found(line).strip(),
            (
                f"RMI_VERSION was refused: the kernel speaks {m['wanted']}, the RMM {rmm}. The {newer} is newer than the "
                f"{older}; they have no version in common, and KVM offers no Realms",
                f"what changed: {_diff_command(m['wanted'], m['lower'])}",
            ),
            (f"an RMM that speaks {m['wanted']}, or a kernel of the series for RMI {rmm}",),
            line + 1,
            GRAVE,
        )


def _diff_command(a: str, b: str) -> str:
    full = {"1.0": "1.0-rel0", "1.1": "1.1-alp17", "2.0": "2.0-bet3"}
    return f"rmitrace abi diff {full.get(a, a)} {full.get(b, b)}"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in text.split("."))


def warnings(report: Report) -> Iterator[Answer]:
    """WARN_ON of the kernel about a refused command."""
    told: set[str] = set()
    for line in report.lines_with("WARNING: "):
        m = _WARNING.search(report.text(line)) or _WARNING.search(report.joined(line))
        if m is None or m[1] not in WARNED or m[1] in told:
            continue
        told.add(m[1])
        yield Answer(
            "kernel-warning",
            report.found(line).strip(),
            (f"the kernel's own check in {m[1]}: the RMM refused {WARNED[m[1]]}",),
            ("the RMM's rows before this line: the status says why",),
            line + 1,
            ANSWER,
        )
