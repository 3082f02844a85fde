"""One call seen by two layers in one text: what the RMM's row says it returned, and what its caller prints that it got.

Callers print registers in many ways; taken are runs of lines that differ in one number at their end (``INFO:    === 0x2``), right
behind a row, and ``x0=... x1=...``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import decoders

from .model import ANSWER, Answer, Report

if TYPE_CHECKING:
    from ..capture.model import Call

_NUMBER = re.compile(r"\A(.{0,40}?)\b(?:x\d{1,2}\s*[:=]\s*)?0x([0-9a-fA-F]{1,16})\Z")
_NEAR = 24
"""Lines behind a row that are looked at."""
_LEAST = 3


def returned(report: Report) -> Iterator[Answer]:
    """Runs of numbers behind a row that has results, set beside the row's."""
    rows, lines = report.calls
    for k, (row, line) in enumerate(zip(rows, lines, strict=True)):
        end = min(line + _NEAR, lines[k + 1] if k + 1 < len(lines) else len(report), len(report))
        if end - line <= _LEAST or report.capture is None:
            continue
        start, got = _run(report, line + 1, end)
        if len(got) < _LEAST:
            continue
        call = report.capture.call(row)
        if call.r is None or got[0] != (call.r[0] or 0):
            continue
        yield _compared(report, call, start, got)


def _run(report: Report, first: int, end: int) -> tuple[int, list[int]]:
    best: tuple[int, list[int]] = (first, [])
    start, lead, got = first, "", list[int]()
    for line in range(first, end):
        m = _NUMBER.match(report.bare(line))
        if m is None or (got and m[1] != lead):
            best = (start, got) if len(got) > len(best[1]) else best
            got = []
        if m is not None:
            if not got:
                start, lead = line, m[1]
            got.append(int(m[2], 16))
    return (start, got) if len(got) > len(best[1]) else best


def _compared(report: Report, call: Call, start: int, got: list[int]) -> Answer:
    assert call.r is not None
    known = [v for v in call.r[:18] if v is not None]
    both = min(len(known), len(got))
    differ = [i for i in range(both) if known[i] != got[i]]
    said = [
        f"the row: {call.line}",
        f"{call.name} has {_results(call)} results besides x0; x0 is not counted among the values of a row: it is printed as "
        "the status",
        f"RMM:    {_registers(known[:both])}",
        f"caller: {_registers(got)}",
    ]
    if differ:
        said.append(
            f"x{differ[0]} is another: {known[differ[0]]:#x} left the RMM, {got[differ[0]]:#x} arrived. What lies between "
            "changed it"
        )
    else:
        said.append(f"the same in x0 to x{both - 1}: what the row says arrived, EL3 changed none of these")
    if len(got) > both:
        said.append(f"x{both} to x{len(got) - 1} are in the caller's lines only: the row cannot tell whether they were changed")
    else:
        said.append(f"nothing is shown of x{both} and up: whether these are changed on the way cannot be told from this text")
    bad = [f"{n.name}: {n.note}" for n in call.tree.walk() if n.note and n.severity in ("warning", "error")]
    if bad:
        said.append(f"but {bad[0]}: the RMM itself put that there")
    next_ = (
        "the caller's x5 to x7 before and after the SMC; results beyond those of the command have to be zero or unchanged "
        "(SMCCC)",
    )
    return Answer("both-sides", report.found(start).strip(), tuple(said), next_, start + 1, ANSWER)


def _results(call: Call) -> int:
    """Registers that the command returns, as the tables have it."""
    command = next((c for v in decoders.REVISIONS if call.name and (c := decoders.command(call.name, v)) is not None), None)
    return len([o for o in command.outputs if o.reg]) if command is not None else len(call.r or ()) - 1


def _registers(values: list[int]) -> str:
    return "  ".join(f"x{i}={v:#x}" for i, v in enumerate(values))
