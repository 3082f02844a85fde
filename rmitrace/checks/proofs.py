"""What can be verified in messages and does not hold: signatures, verify data, measurement summary hashes; and messages
that are not the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..capture.messages import Conversation, Message
from ..capture.messages.facts import name_and_facts
from ..capture.messages.proving import KINDS, SIGNATURES
from ..capture.records import Finding
from .message_rules import CHANGES, PROOFS
from .rule import Check
from .spdm import at, limited

if TYPE_CHECKING:
    from ..capture.model import Capture

_RULES = dict(zip(dict.fromkeys(KINDS.values()), PROOFS, strict=True))
_SIGNED_BY_ANOTHER = "; changed, signed with another key, or messages that it covers are missing"


def proofs(capture: Capture) -> Iterable[Finding]:
    """SPDM-SIGNATURE, SPDM-VERIFY-DATA, SPDM-SUMMARY-HASH: what does not hold; and, once for each reason, signatures that
    cannot be verified."""
    capture.conversations.decode()
    yield from limited(_wrong(capture.conversations.all))
    yield from limited(f for c in capture.conversations.list for f in _unchecked(c))


def _wrong(messages: list[Message]) -> Iterator[Finding]:
    for m in messages:
        for name, found in m.proven:
            if found.outcome in ("wrong", "unproven"):
                rule = _RULES[KINDS[name]]
                more = _SIGNED_BY_ANOTHER if found.text.startswith("does not verify over") else ""
                yield at(rule.id, found.severity, f"{name_and_facts(m)}: {name} {found.text}{more}", m, rule.spec)


def _unchecked(c: Conversation) -> Iterator[Finding]:
    """Verify data without a secret is no finding: nobody asked for it."""
    reasons: dict[str, list[Message]] = {}
    for m in c.messages:
        for name, found in m.proven:
            if found.outcome == "unchecked" and KINDS[name] == SIGNATURES:
                reasons.setdefault(found.text, []).append(m)
    for text, messages in reasons.items():
        rule = _RULES[SIGNATURES]
        some = f"{len(messages)} signatures are" if len(messages) > 1 else f"the signature of {messages[0].name} is"
        yield at(rule.id, "note", f"{some} {text}", messages[0], rule.spec)


def changes(capture: Capture) -> Iterable[Finding]:
    """MESSAGE-CHANGED: the same message with other bytes in another source."""
    yield from limited(_changed(capture))


def _changed(capture: Capture) -> Iterator[Finding]:
    for m in capture.conversations.decode():
        if m.changed is not None:
            c, names = m.changed, [s.name for s in capture.sources]
            here, there = names[m.place.source], names[c.place.source]
            text = f"{name_and_facts(m)}: byte {c.at} is {c.here:#04x} in {here}, and {c.there:#04x} in {there}"
            yield at("MESSAGE-CHANGED", "error", text, m)


CHECKS = (Check(changes, CHANGES), Check(proofs, PROOFS))
