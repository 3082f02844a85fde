"""What a sequence of SPDM messages builds up: the context in which the next one is read.

A ``Session`` is one connection of a requester with a responder. ``decode_spdm`` and ``decode_doe`` read it (sizes, the
request that a response answers) and write it (negotiation, certificate chains, chunks, secure sessions). Messages go in
in the order of the wire; those of a secure session while ``within`` says which. Everything held is capped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from . import codes
from .algorithms import Algorithms
from .secure import ENCRYPT_CAP, Capabilities, Channel, SecureSession

__all__ = ["ENCRYPT_CAP", "MAX_CHAIN", "MAX_LOGGED", "MAX_SESSIONS", "Capabilities", "SecureSession", "Session", "Side"]

Side = Literal["responder", "requester"]
"""Who a certificate chain or a digest belongs to."""

MAX_CHAIN = 1 << 20
"""Bytes of a certificate chain or measurement log that are put together from portions."""
MAX_PORTIONS = 64
"""Objects of which portions are coming in at a time; the oldest go first."""
MAX_LOGGED = 4 << 20
"""Bytes of messages kept in ``Session.messages``; the oldest go first."""
MAX_SESSIONS = 256
"""Secure sessions kept, open or ended; the oldest go first."""
MAX_CONNECTIONS = 64
"""Connections kept of a mailbox that has many (PCIe DOE types with Connection ID); the oldest go first."""

_VCA = (
    codes.GET_VERSION,
    codes.VERSION,
    codes.GET_CAPABILITIES,
    codes.CAPABILITIES,
    codes.NEGOTIATE_ALGORITHMS,
    codes.ALGORITHMS,
)
_SIZES = {
    "H": "hash_size",
    "S": "signature_size",
    "R": "req_signature_size",
    "D": "request_exchange_size",
    "E": "response_exchange_size",
}


@dataclass(slots=True, eq=False)
class Session:
    """One connection. Every attribute may be set beforehand, where the negotiation is not in the capture.

    version      negotiated version byte (0x10 to 0x14), None before it is known
    chains       (side, slot) -> the whole certificate chain: length, root hash, certificates
    chain_hashes (side, slot) -> its hash, as DIGESTS or CHALLENGE_AUTH gave it since the chain was read: a chain that was
                 replaced since has another one
    digests      side -> the last DIGESTS outside a secure session, as sent
    inferred     sizes in bytes found from the length of messages while no ALGORITHMS was seen: 'H' hash, 'S' the
                 responder's signature, 'R' the requester's, 'D' and 'E' exchange data sent by requester and responder
    messages     (session id or None, message) as sent, whole, in order since the last VERSION, those outside secure
                 sessions and of handshakes; at most MAX_LOGGED bytes
    sessions     session id -> the secure session that has that id now
    history      all secure sessions in order
    inside       the id of the secure session that the next message belongs to; see ``within``
    keys         secrets, for whoever decrypts: never touched here
    offered      what the requester said in GET_CAPABILITIES, until CAPABILITIES accepts it
    discovering  a DOE discovery request waits for its response
    portions     certificate chains, logs and device interface reports of which portions are coming in
    connections  connection id -> the connection, where one mailbox has several; see ``connection``
    """

    version: int | None = None
    requester: Capabilities | None = None
    responder: Capabilities | None = None
    algorithms: Algorithms = field(default_factory=Algorithms)
    responder_multi_key: bool | None = None
    requester_multi_key: bool | None = None
    chains: dict[tuple[Side, int], bytes] = field(default_factory=dict)
    chain_hashes: dict[tuple[Side, int], bytes] = field(default_factory=dict)
    digests: dict[Side, bytes] = field(default_factory=dict)
    inferred: dict[str, int] = field(default_factory=dict)
    messages: deque[tuple[int | None, bytes]] = field(default_factory=deque)
    sessions: dict[int, SecureSession] = field(default_factory=dict)
    history: list[SecureSession] = field(default_factory=list)
    inside: int | None = None
    keys: Any = None
    preset_vca: bytes | None = None
    channel: Channel = field(default_factory=Channel)
    offered: Capabilities | None = None
    discovering: bool = False
    portions: dict[tuple[str, int], bytearray] = field(default_factory=dict)
    connections: dict[int, Session] = field(default_factory=dict)
    _vca: dict[int, bytes] = field(default_factory=dict)
    _logged: int = 0
    _opened: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def vca(self) -> bytes:
        """GET_VERSION to ALGORITHMS as sent; less where a connection skipped some. ``preset_vca`` where that is set:
        a connection that goes on with a state saved earlier has the messages of that earlier one."""
        if self.preset_vca is not None:
            return self.preset_vca
        return b"".join(self._vca[code] for code in _VCA if code in self._vca)

    @contextmanager
    def within(self, session_id: int | None) -> Iterator[None]:
        """While this lasts, messages belong to that secure session (None: to none)."""
        before, self.inside = self.inside, session_id
        try:
            yield
        finally:
            self.inside = before

    def connection(self, number: int) -> Session:
        """The connection of that id on the same mailbox, with the same secrets."""
        found = self.connections.get(number)
        if found is None:
            if len(self.connections) >= MAX_CONNECTIONS:
                del self.connections[next(iter(self.connections))]
            found = self.connections[number] = Session(keys=self.keys)
        return found

    @property
    def secure(self) -> SecureSession | None:
        """The secure session that the next message belongs to."""
        return None if self.inside is None else self.sessions.get(self.inside)

    @property
    def line(self) -> Channel:
        """The line of requests and responses that the next message is on."""
        secure = self.secure
        return self.channel if secure is None else secure.channel

    def reset(self) -> None:
        """Forget the negotiation and what came of it, as VERSION does. Secure sessions end; ``history`` stays."""
        self.version = self.requester = self.responder = None
        self.responder_multi_key = self.requester_multi_key = None
        self.algorithms = Algorithms()
        self.chains.clear()
        self.chain_hashes.clear()
        self.digests.clear()
        self.portions.clear()
        self.inferred.clear()
        self.messages.clear()
        self._logged = 0
        self._vca.clear()
        for secure in self.sessions.values():
            secure.phase = "ended"
        self.sessions.clear()

    def negotiated(self, request: bytes | None, response: bytes) -> None:
        """Keep a pair of the version, capabilities and algorithms exchange; a repeated one replaces the earlier."""
        code = response[1]
        if request is not None:
            self._vca[code | 0x80] = request
        self._vca[code] = response

    def log(self, message: bytes) -> None:
        """Append to ``messages``."""
        self.messages.append((self.inside, message))
        self._logged += len(message)
        while self._logged > MAX_LOGGED:
            self._logged -= len(self.messages.popleft()[1])

    def open(self, secure: SecureSession) -> None:
        """A secure session begins. One of the same id ends."""
        old = self.sessions.pop(secure.session_id, None)
        if old is not None:
            old.phase = "ended"
        secure.number = sum(self._opened)
        secure.number_of_kind = self._opened[secure.psk]
        self._opened[secure.psk] += 1
        self.sessions[secure.session_id] = secure
        self.history.append(secure)
        if len(self.history) > MAX_SESSIONS:
            gone = self.history.pop(0)
            if self.sessions.get(gone.session_id) is gone:
                del self.sessions[gone.session_id]

    def handshaking(self) -> SecureSession | None:
        """The secure session that a FINISH outside of any belongs to: the last one opened that waits for it."""
        return next((s for s in reversed(self.history) if s.phase == "handshake" and not s.psk), None)

    def portion(self, what: str, slot: int, offset: int, data: bytes, remainder: int) -> bytes | None:
        """Put a portion of a certificate chain or a log in its place; the whole where this was the last one."""
        held = self.portions.get((what, slot))
        if held is None:
            if len(self.portions) >= MAX_PORTIONS:
                del self.portions[next(iter(self.portions))]
            held = self.portions[what, slot] = bytearray()
        if offset > len(held) or offset + len(data) > MAX_CHAIN:
            return None
        held[offset:] = data
        if remainder:
            return None
        del self.portions[what, slot]
        return bytes(held)

    def size(self, key: str) -> int:
        """A size in bytes by its letter (see ``inferred``), negotiated or found; 0 where unknown."""
        known: int = getattr(self.algorithms, _SIZES[key])
        return known or self.inferred.get(key, 0)
