"""Statuses of libspdm in lines of a firmware, a validator or a person."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..checks.said import explained
from .model import ANSWER, Answer, Report

_SIGN = re.compile(r"\b(?:lib)?spdm|SPDM|key_(?:prog|set)|ide_km|IDE_KM|tdisp|TDISP|[Ss]ecur(?:e|ing) session")


def statuses(report: Report) -> Iterator[Answer]:
    """Lines with a status of libspdm: what it says, once each."""
    told: set[str] = set()
    for line in report.lines_with(
        "0x8001", "0x8002", "0x8003", "0x8004", "0x8005", "0x8006", "0x4002", " 8001", " 8002", " 8003", " 8004"
    ):
        text = report.text(line)
        named = explained(text)
        if named == text or not (_SIGN.search(text) or _SIGN.search(report.text(line - 1))):
            continue
        name = named[len(text) :].strip(" ()")
        if name not in told:
            told.add(name)
            yield Answer("libspdm-status", report.found(line).strip(), (f"libspdm's status: {name}",), (), line + 1, ANSWER)
