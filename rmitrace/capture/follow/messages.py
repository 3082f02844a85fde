"""The messages of a capture that grows: those of each part, decoded in the context of all that came before."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from decoders.secured import use_secrets
from decoders.spdm import Session

from ...formats.base import ReadOptions
from ..messages.decoding import decode
from ..messages.find import find_messages
from ..messages.model import Message
from ..messages.proving import proved
from ..model import Capture
from ..records import Finding

Key = tuple[int, int, str, int]
"""Source, byte offset, direction and size: what tells a message from another."""


def key_of(m: Message) -> Key:
    """What tells a message from another."""
    return m.place.source, m.place.offset, m.direction, len(m.data)


@dataclass(slots=True)
class Talk:
    """Finds and decodes.

    by_call  the new messages of the last part that belong to its new calls, by these
    alone    its other new messages: of no call, or of one that was given out before
    told     the keys of all that were found
    """

    options: ReadOptions
    by_call: dict[int, list[Message]] = field(default_factory=dict)
    alone: list[Message] = field(default_factory=list)
    told: set[Key] = field(default_factory=set)
    _sessions: dict[str | int, Session] = field(default_factory=dict)

    def add(self, part: Capture, new: npt.NDArray[np.int64]) -> None:
        """Look for messages in a part. ``new``: which of its calls are."""
        fresh = set(new.tolist())
        self.by_call, self.alone = {}, []
        ignored: list[Finding] = []  # told of the whole capture, at its end
        for m in find_messages(part, ignored)[0]:
            key = key_of(m)
            if key in self.told:
                continue
            m.seq = len(self.told)
            self.told.add(key)
            session = self._session(m)
            decode(m, session, self.options.show_secrets)
            if session.proofs:  # what only later messages prove is told at the end
                proved(m, session.take_proofs())
            call = m.place.call
            if call is not None:
                m.place.call = part.number(call)
            if call is not None and call in fresh:
                self.by_call.setdefault(call, []).append(m)
            else:
                self.alone.append(m)

    def _session(self, m: Message) -> Session:
        who = m.place.device or m.place.source
        if who not in self._sessions:
            self._sessions[who] = Session()
            if self.options.keys:
                use_secrets(self._sessions[who], self.options.keys)
        return self._sessions[who]
