"""The conversations of a capture: found when first asked for, decoded in order, requests and responses paired."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from decoders.spdm import Session

from ..records import Finding
from .find import find_messages
from .model import REQUEST, Conversation, Exchange, Message

if TYPE_CHECKING:
    from decoders.spdm.transcript import Proof

    from ..model import Capture
    from .ide_lines import Programming


MAX_TREES = 1 << 16
"""Messages of which all fields are kept, some kilobytes each; of more, only the names are."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate chain that came over in portions.

    side     'responder' or 'requester'
    data     length, root hash, certificates (DSP0274)
    message  the message that completed it
    """

    conversation: Conversation
    side: str
    slot: int
    data: bytes
    hash_name: str | None
    version: int | None
    message: Message


class Conversations:
    """The messages of a capture.

    all       every message in order; one that several sources show is there once
    by_call   those of a call
    list      the same by device
    problems  findings of the search and of the key log
    chains    certificate chains, once decoded
    keys      text of a key log, see decoders.keylog; ``reveal``: IDE keys are shown
    """

    def __init__(self, capture: Capture, keys: str | None = None, reveal: bool = False) -> None:
        self.problems: list[Finding] = []
        self.all: list[Message] = []
        self.list: list[Conversation] = []
        if not capture.silent:
            self.all, self.list = find_messages(capture, self.problems)
            capture.silent = not self.all and not self.problems
        self.keys = keys
        self.reveal = reveal
        self.chains: list[Chain] = []
        self.by_call: dict[int, list[Message]] = {}
        self._of: dict[int, Conversation] = {}
        for c in self.list:
            for m in c.messages:
                self._of[id(m)] = c
        for i, m in enumerate(self.all):
            m.seq = i
            if m.place.call is not None:
                self.by_call.setdefault(m.place.call, []).append(m)
        self.programmed: list[Programming] | None = None
        """The steps of programming IDE keys, once they were looked for: see ide_keys.programmings."""
        self._decoded = False
        self._trees = 0

    def of(self, call: int) -> list[Message]:
        """The messages of a call, decoded."""
        if call not in self.by_call:
            return []
        self.decode()
        return self.by_call[call]

    def conversation(self, m: Message) -> Conversation:
        """The conversation that a message is part of."""
        return self._of[id(m)]

    def decode(self) -> list[Message]:
        """Every message with its tree."""
        if self._decoded:
            return self.all
        self._decoded = True
        for c in self.list:
            deque(self._decoding(c), 0)
        self._left_out()
        return self.all

    def stream(self) -> Iterator[Message]:
        """The same one by one: where all are of one conversation, each has its tree for as long as it is looked at,
        however many there are; of more than MAX_TREES without what later messages say of it."""
        if self._decoded or len(self.list) != 1 or len(self.all) <= MAX_TREES:
            yield from self.decode()
            return
        self._decoded = True
        yield from self._decoding(self.list[0])
        self._left_out()

    def _left_out(self) -> None:
        if self._trees > MAX_TREES:
            text = f"fields are kept of the first {MAX_TREES} messages, {self._trees - MAX_TREES} have their names only"
            self.problems.append(Finding("MESSAGES-LEFT-OUT", "note", text))

    def _decoding(self, c: Conversation) -> Iterator[Message]:
        """Decode the messages of a conversation, and give each before its tree may be given up."""
        from .decoding import decode
        from .facts import forget
        from .proving import proved

        session = Session()
        waiting: list[tuple[Message, list[Proof]]] = []
        if self.keys:
            from decoders.secured import use_secrets

            secrets = use_secrets(session, self.keys)
            if c is self.list[0]:
                self.problems += [Finding("KEY-LOG", "warning", f"key log, {p}") for p in secrets.problems]
        held: dict[tuple[str, int], bytes] = {(s, n): chain for (s, n), chain in session.chains.items()}
        for m in c.messages:
            decode(m, session, self.reveal)
            if session.proofs:
                waiting += proved(m, session.take_proofs())
            yield m
            self._trees += m.tree is not None
            if self._trees > MAX_TREES:
                forget(m)
            for (side, slot), chain in session.chains.items():
                if held.get((side, slot)) is not chain:
                    held[side, slot] = chain
                    name = session.algorithms.hash_name
                    self.chains.append(Chain(c, side, slot, chain, name, session.version, m))
        for m, proofs in waiting:
            proved(m, proofs, last=True)
        pair(c)


def pair(c: Conversation) -> None:
    """Fill ``exchanges``: in each source a response answers the request right before it, outside of sessions and in any."""
    for source in {p.source for m in c.messages for p in (m.place, *m.also)}:
        asked: Message | None = None
        for m in c.messages:
            if all(p.source != source for p in (m.place, *m.also)):
                continue
            if m.direction == REQUEST:
                asked = m
            else:
                if asked is not None and asked.partner is None and m.partner is None:
                    asked.partner, m.partner = m, asked
                asked = None
    for m in c.messages:
        if m.direction == REQUEST:
            c.exchanges.append(Exchange(m, m.partner))
        elif m.partner is None:
            c.exchanges.append(Exchange(None, m))
