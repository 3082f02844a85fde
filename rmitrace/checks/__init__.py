"""What a capture says went wrong: small checks over its calls and sequences, each a function from capture to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..capture.records import Finding
from .certificates import chains, public_keys
from .ide import acknowledgements, keys
from .outcomes import failed_sequences, statuses
from .spdm import damage, exchanges, negotiation, problems
from .tdisp import interfaces

if TYPE_CHECKING:
    from ..capture.model import Capture

CHECKS: tuple[Callable[[Capture], Iterable[Finding]], ...] = (
    failed_sequences,
    problems,
    exchanges,
    negotiation,
    damage,
    chains,
    public_keys,
    acknowledgements,
    keys,
    interfaces,
    statuses,
)
"""In the order in which their findings are shown."""


def run(capture: Capture) -> list[Finding]:
    """The findings of every check."""
    return [f for check in CHECKS for f in check(capture)]
