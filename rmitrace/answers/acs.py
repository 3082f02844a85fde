"""Verdicts of cca-rmm-acs: which command the failing check is about.

cca-rmm-acs prints ``Check n : label; intent id : ...`` with the label of a failure condition of the specification, the
message of the helper that failed, and ``Result => Failed (Error Code=n)`` with a number of its own (not an RmiStatusCode).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import decoders
from decoders.rmi import profile

from .model import GRAVE, Answer, Report, listed

_CHECK = re.compile(r"Check\s{0,4}\d{1,3}\s?:\s?([a-z][a-z0-9_]{2,40})\s?;")
_RESULT = re.compile(r"Result => Failed(?:\s?\(Error Code=(-?\d{1,6})\))?")
_SUITE = re.compile(r"Suite\s?=\s?\w{1,40}\s?: (\w{3,60})")
_HELPERS = (
    (re.compile(r"read\s?_?entry", re.I), "RMI_RTT_READ_ENTRY"),
    (re.compile(r"granule.{0,12}undelegat|undelegat", re.I), "RMI_GRANULE_UNDELEGATE"),
    (re.compile(r"(?<!un)(?<!Un)delegat", re.I), "RMI_GRANULE_DELEGATE"),
    (re.compile(r"realm.{0,12}creat", re.I), "RMI_REALM_CREATE"),
    (re.compile(r"realm.{0,12}activat", re.I), "RMI_REALM_ACTIVATE"),
    (re.compile(r"realm.{0,12}destroy", re.I), "RMI_REALM_DESTROY"),
    (re.compile(r"rec.{0,12}creat", re.I), "RMI_REC_CREATE"),
    (re.compile(r"rec.{0,12}enter", re.I), "RMI_REC_ENTER"),
    (re.compile(r"rec.{0,12}destroy", re.I), "RMI_REC_DESTROY"),
    (re.compile(r"rtt.{0,12}creat|create rtt", re.I), "RMI_RTT_CREATE"),
    (re.compile(r"rtt.{0,12}destroy", re.I), "RMI_RTT_DESTROY"),
    (re.compile(r"rtt.{0,12}fold", re.I), "RMI_RTT_FOLD"),
    (re.compile(r"init.{0,4}ripas", re.I), "RMI_RTT_INIT_RIPAS"),
    (re.compile(r"data.{0,12}creat", re.I), "RMI_DATA_CREATE"),
    (re.compile(r"data.{0,12}destroy", re.I), "RMI_DATA_DESTROY"),
    (re.compile(r"aux.?count", re.I), "RMI_REC_AUX_COUNT"),
    (re.compile(r"psci.{0,4}complete", re.I), "RMI_PSCI_COMPLETE"),
    (re.compile(r"assigned.{0,20}mapping|protected.{0,8}mapping", re.I), "RMI_RTT_CREATE RMI_DATA_CREATE RMI_RTT_READ_ENTRY"),
    (re.compile(r"unprotected.{0,8}mapping", re.I), "RMI_RTT_CREATE RMI_RTT_MAP_UNPROTECTED RMI_RTT_READ_ENTRY"),
)
_ABOVE = 30
_FAILED = re.compile(r"fail|couldn't|could not|error|unable|mismatch", re.I)


def verdicts(report: Report) -> Iterator[Answer]:
    """Tests that failed, with the commands behind them."""
    for line in report.lines_with("Result => Failed"):
        m = _RESULT.search(report.text(line))
        if m is None:
            continue
        lines = list(_test_of(report, line))
        said: list[str] = []
        if suite := next((s for t in lines if (s := _SUITE.search(t))), None):
            said.append(f"the test: {suite[1]}")
        if check := next((c for t in lines[::-1] if (c := _CHECK.search(t))), None):
            said.append(f"it failed at the check '{check[1]}'{_conditions(check[1])}")
        failed = [t for t in lines if _FAILED.search(t) and not t.startswith("Result")]
        commands = dict.fromkeys(c for t in failed for pattern, names in _HELPERS if pattern.search(t) for c in names.split())
        if commands:
            said.append(f"the step that failed, from its messages: {listed(commands)}")
            said += [
                f"    {t.split('(Check failed')[0].strip(' .')}" for t in failed if t.split("(Check failed")[0].strip(" .(")
            ][:4]
            for command in commands:
                said += _failures(command)
        if m[1] is not None:
            said.append(f"Error Code={m[1]} is the suite's own number, not an RmiStatusCode: it does not name the status")
        rows = _refused(report, line, commands)
        said += [f"in this text: {r}" for r in rows] or [
            "the status itself is not in this text: the RMM's row of that call has it"
        ]
        next_ = (
            "the RMM's console of that test: the rows before the verdict (Islet: TRACE level; TF-RMM: INFO level)",
            "versions: cca-rmm-acs and RMM have to be for the same revision",
        )
        yield Answer("acs", report.found(line).strip(), tuple(said), next_, line + 1, GRAVE)


def _test_of(report: Report, line: int) -> Iterator[str]:
    first = line
    while first > max(line - _ABOVE, 0) and "Result =>" not in report.text(first - 1):
        first -= 1
    for n in range(first, line + 1):
        yield report.bare(n).lstrip(".").strip()


def _refused(report: Report, line: int, commands: Iterable[str]) -> list[str]:
    """The rows before a verdict in which one of the commands failed, the last few."""
    capture = report.capture
    if capture is None:
        return []
    rows = [r for r, n in report.chosen({*commands}) if n < line and capture.calls.failed[r]]
    return list(dict.fromkeys(capture.call(r).line for r in rows[-3:]))


def _conditions(label: str) -> str:
    """Where a label is a condition of the specification: whose, and what it says."""
    rmi = profile(decoders.REVISIONS[0])
    found = [(name, f) for name in rmi.commands for f in rmi.failures(name) if f.id == label]
    if not found:
        return ""
    said = "; ".join(f"{name}: {f.status} where {f.when}" for name, f in found[:3])
    return f", a failure condition of {said}{f'; and {len(found) - 3} more commands' if len(found) > 3 else ''}"


def _failures(command: str) -> Iterator[str]:
    rmi = next((profile(r) for r in decoders.REVISIONS if command in profile(r).commands), None)
    statuses = dict.fromkeys(f.status for f in rmi.failures(command)) if rmi is not None else {}
    if statuses:
        yield f"{command} can fail with {listed(statuses)} (rmitrace abi show {command} has the conditions)"
    if command == "RMI_RTT_READ_ENTRY" and "RMI_ERROR_RTT" not in statuses:
        yield (
            "    a walk that ends early is no failure of it: it succeeds and gives the level. An RMM that returns RMI_ERROR_RTT "
            "there, or under other conditions than the specification's in the other commands, fails this check"
        )
