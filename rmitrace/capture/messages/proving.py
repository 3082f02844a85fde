"""What can be verified in messages: see decoders.verification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from decoders.spdm.summary import Summed
from decoders.spdm.transcript import Finished, Proof
from decoders.verification import verdict, with_verdicts

from .model import Message

SIGNATURES, VERIFY_DATA, SUMMARIES = "signatures", "verify data", "measurement summary hashes"
KINDS = {
    "Signature": SIGNATURES,
    "CSRdata": SIGNATURES,
    "RequesterVerifyData": VERIFY_DATA,
    "ResponderVerifyData": VERIFY_DATA,
    "MeasurementSummaryHash": SUMMARIES,
}
"""Field -> what it is, in the plural."""


def proved(m: Message, proofs: list[Proof], last: bool = False) -> list[tuple[Message, list[Proof]]]:
    """Verify what was in a message: fills ``proven``, and says it in the tree.

    Verify data and summary hashes wait for the messages behind them, and are what is returned, unless those are the
    ``last``.
    """
    late: list[Proof] = [] if last else [p for p in proofs if isinstance(p, Finished | Summed)]
    now = [p for p in proofs if p not in late]
    m.proven = [*m.proven, *((p.field_name, verdict(p)) for p in now)]
    if m.tree is not None:
        m.tree = with_verdicts(m.tree, now)
    if m.inside is not None:
        m.inside = with_verdicts(m.inside, now)
    return [(m, late)] if late else []


def verified_text(messages: Iterable[Message], secrets: bool) -> str:
    """'12 of 14 signatures, 4 of 4 verify data verified'; empty where there is nothing to verify. ``secrets``: some were
    given, without which verify data is not counted."""
    every: Counter[str] = Counter()
    good: Counter[str] = Counter()
    for m in messages:
        for name, found in m.proven:
            if not secrets and KINDS[name] == VERIFY_DATA:
                continue
            every[KINDS[name]] += 1
            good[KINDS[name]] += found.outcome == "verified"
    said = ", ".join(f"{good[k]} of {every[k]} {k}" for k in dict.fromkeys(KINDS.values()) if every[k])
    return f"{said} verified" if said else ""
