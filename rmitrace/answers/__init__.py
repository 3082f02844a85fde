"""What a pasted text asks, and what it allows to answer.

A mail, an issue or a log shows what happened and seldom the reason: an errno, a register that somebody copied, the header of
a crash, messages that look like failures and are none. ``answers`` finds these lines, says what they mean and what to capture
next. Only what belongs to CCA is answered: 'pdev' of a Wi-Fi driver, an exception of edk2 or a SEAMCALL of TDX stay alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from . import acs, crash, errno, features, host, layers, libspdm, rows, teardown, traps, values, versions
from .model import Answer, Report

if TYPE_CHECKING:
    from ..capture.model import Capture

__all__ = ["MAX_BYTES", "Answer", "Report", "answers", "of_capture"]

MAX_BYTES = 64 << 20
"""Bytes of a text that are looked at."""
_FORMATS = ("rmm-console", "spdm-log")
"""Formats of texts that people write and paste."""

_FINDERS: tuple[Callable[[Report], Iterable[Answer]], ...] = (
    *(crash.crashes, crash.assertions, errno.versions_refused, features.registers, errno.refusals, errno.warnings, acs.verdicts),
    *(crash.at_el3, values.returned, values.unknown_ids, values.register_sets, values.hex_dumps, rows.undefined),
    *(layers.returned, host.stalls, host.booted, crash.of_a_realm, libspdm.statuses, traps.unhandled, rows.walks),
    *(teardown.teardown, versions.encryption, rows.left_to_the_host, rows.probes, traps.virtual_memory_control, rows.private),
    *(rows.left_out, versions.versions),
)


def answers(raw: bytes, capture: Capture | None = None, source: int = 0) -> list[Answer]:
    """The answers to a text, the gravest first, those of one weight in the order of the text.

    ``capture``: what the text was read as, where it holds calls or lines of an RMM.
    """
    report = Report(raw[:MAX_BYTES], capture, source)
    found = [a for find in _FINDERS for a in find(report)]
    if any(a.topic == "assertion" for a in found):  # which names them
        found = [a for a in found if a.topic != "private-command"]
    return sorted(found, key=lambda a: (a.weight, a.line is None, a.line or 0))


SHORT = 4 << 20
"""Bytes of a text that somebody may have written or pasted, and not recorded."""


def of_capture(capture: Capture, most: int = SHORT) -> list[tuple[int, Answer]]:
    """The answers to the short texts among the sources of a capture, each with its source."""
    out = []
    for s, source in enumerate(capture.sources):
        if source.format in _FORMATS and len(source.data) <= most:
            out += [(s, a) for a in answers(source.raw(0, len(source.data)), capture, s)]
    return out
