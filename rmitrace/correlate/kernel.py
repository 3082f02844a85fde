"""The kernel's error lines and the RMI calls behind them.

A driver that is refused by the RMM prints an errno, or 'device communication error', and nothing of what the RMM said:
RMI_BUSY becomes -EBUSY, any other status of RMI_PDEV_COMMUNICATE -ENXIO, a transaction that ends in another state than
the wanted one -EIO or -ENXIO (Linux ``drivers/virt/coco/arm-cca-host/rmi-da.c``, RFC v2 to v4).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..capture.records import NO_TIME

if TYPE_CHECKING:
    from ..capture.marks import Mark
    from ..capture.model import Capture

KINDS = ("kernel", "vmm", "tf-a")
"""Classes of lines that may tell of a refused call."""
_COMMUNICATION = re.compile(r"communication err", re.I)
_ERRNO = re.compile(
    r"(?:\b(?:err(?:or|no)?|ret(?:urn(?:ed)?|val)?|rc|failed|status)\b[^\n-]{0,24}?)-(\d{1,3})\b"
    r"|-E(BUSY|NXIO|IO|INVAL|AGAIN|NODEV|PERM|FAULT|NOMEM|TIMEDOUT|OPNOTSUPP|NOENT|ACCES)\b"
)
_WORDS = {
    "Input/output error": 5,
    "No such device or address": 6,
    "Device or resource busy": 16,
    "Invalid argument": 22,
    "No such device": 19,
    "Operation not permitted": 1,
    "Resource temporarily unavailable": 11,
    "Operation not supported": 95,
    "Connection timed out": 110,
}
_NUMBERS = {"PERM": 1, "NOENT": 2, "IO": 5, "NXIO": 6, "AGAIN": 11, "NOMEM": 12, "ACCES": 13, "FAULT": 14, "BUSY": 16,
            "NODEV": 19, "INVAL": 22, "OPNOTSUPP": 95, "TIMEDOUT": 110}  # fmt: skip
_BUSY = 16
_FAR = 256
"""Calls before a line that are looked at; what the kernel tells is right behind what it tells of."""
_LATE_NS = 2_000_000_000
"""A line is printed at most so long after the call, where both have times."""
_EARLY_NS = 1_000_000
_DEVICE = ("RMI_PDEV_", "RMI_VDEV_")
MAX_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Told:
    """A kernel line about something refused. ``call``: the call behind it, None where it cannot be told; ``errno``: what it
    says, None where it says none."""

    mark: Mark
    errno: int | None
    call: int | None


def told(capture: Capture) -> list[Told]:
    """The error lines of the kernel in a capture with calls, each with the refused call before it."""
    c = capture.calls
    lines = [(m, errno) for m in capture.marks().of(KINDS) if (errno := _error(m.text)) is not None][:MAX_LINES]
    if not lines or not len(c):
        return []
    bad = _refused(capture)
    out = []
    for mark, errno in lines:
        rows = _near(capture, mark, bad)
        fits = [r for r in rows if _explains(capture, r, mark.text, errno)]
        out.append(Told(mark, errno or None, _likeliest(capture, fits, mark.text)))
    return out


def _error(text: str) -> int | None:
    """The errno of a line, 0 where it tells of an error without one; None where it tells of none."""
    m = _ERRNO.search(text)
    if m is not None:
        return int(m[1]) if m[1] else _NUMBERS[m[2]]
    word = next((n for w, n in _WORDS.items() if w in text), None)
    return word if word is not None else 0 if _COMMUNICATION.search(text) else None


def _refused(capture: Capture) -> list[int]:
    """Calls that failed, and those that answer that an object is in ERROR, ascending."""
    c = capture.calls
    rows = set(np.flatnonzero(c.failed).tolist())
    rows |= {s.call for s in capture.states if s.to.endswith("ERROR")}
    return sorted(rows)


def _near(capture: Capture, mark: Mark, bad: list[int]) -> list[int]:
    """The refused calls shortly before a line: by its place in a log that has calls, else by its time."""
    c = capture.calls
    if len(capture.of_source(mark.source).rows):
        end = bisect_right(bad, mark.before_call - 1)
        return [r for r in bad[max(0, end - _FAR) : end] if r >= mark.before_call - _FAR]
    if mark.ts is None:
        return bad if len(bad) == 1 else []
    out = []
    for r in bad:
        ts = int(c.ts[r])
        if ts != NO_TIME and -_LATE_NS <= ts + max(int(c.dur[r]), 0) - mark.ts <= _EARLY_NS:
            out.append(r)
    return out


def _likeliest(capture: Capture, rows: list[int], text: str) -> int | None:
    """The latest of some refused calls; where the line names what failed (``tsm0/connect``) that in which such a sequence
    did; of an error of the communication the latest RMI_PDEV_COMMUNICATE or its like, else the latest state that was read
    back."""
    for q in reversed(capture.sequences):
        step = next((s for s in q.steps if s.outcome == "failed"), None)
        if step is not None and rows and step.last <= rows[-1] and re.search(rf"\b{q.kind}\b", text):
            return next((int(r) for r in step.calls[::-1] if int(r) in rows), rows[-1])
    if _COMMUNICATION.search(text):
        for word in ("COMMUNICATE", "GET_STATE"):
            named = [r for r in rows if word in capture.name_text(r)]
            if named:
                return named[-1]
    return rows[-1] if rows else None


def _explains(capture: Capture, row: int, text: str, errno: int) -> bool:
    """Whether a refused call can be what a line tells of."""
    busy = capture.status_text(row) == "RMI_BUSY"
    if errno and busy != (errno == _BUSY):
        return False
    return not _COMMUNICATION.search(text) or capture.name_text(row).startswith(_DEVICE)
