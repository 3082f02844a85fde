"""What a capture says went wrong: small checks over its calls and sequences, each a function from capture to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..capture.records import Finding
from .outcomes import failed_sequences, statuses

if TYPE_CHECKING:
    from ..capture.model import Capture

CHECKS: tuple[Callable[[Capture], Iterable[Finding]], ...] = (failed_sequences, statuses)
"""In the order in which their findings are shown."""


def run(capture: Capture) -> list[Finding]:
    """The findings of every check."""
    return [f for check in CHECKS for f in check(capture)]
