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
from typing import Any

from . import codes
from .algorithms import Algorithms
from .secure import ENCRYPT_CAP, Capabilities, Channel, SecureSession
from .summary import Blocks
from .transcript import Covered, Proof, Side

__all__ = ["ENCRYPT_CAP", "MAX_CHAIN", "MAX_PROOFS", "MAX_SESSIONS", "Capabilities", "SecureSession", "Session", "Side"]

MAX_CHAIN = 1 << 20
"""Bytes of a certificate chain or measurement log that are put together from portions."""
MAX_PORTIONS = 64
"""Objects of which portions are coming in at a time; the oldest go first."""
MAX_PROOFS = 64
"""Proofs that wait for whoever verifies them; the oldest go first."""
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
_IDENTITY = (codes.GET_DIGESTS, codes.GET_CERTIFICATE)
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
    digests      side -> the last DIGESTS outside a secure session, as sent; ``first_digests``: the first one
    given_chains the chains that are known from elsewhere, which VERSION does not end
    public_keys  side -> its provisioned public key (DER SubjectPublicKeyInfo), where that is known from elsewhere
    inferred     sizes in bytes found from the length of messages while no ALGORITHMS was seen: 'H' hash, 'S' the
                 responder's signature, 'R' the requester's, 'D' and 'E' exchange data sent by requester and responder
    identity     what the next CHALLENGE_AUTH signs of DIGESTS and CERTIFICATE: the responder's, the requester's
    blocks       measurement blocks
    proofs       signatures, verify data and summary hashes of the messages since the last ``take_proofs``; at most MAX_PROOFS
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
    first_digests: dict[Side, bytes] = field(default_factory=dict)
    given_chains: dict[tuple[Side, int], bytes] = field(default_factory=dict)
    public_keys: dict[Side, bytes] = field(default_factory=dict)
    inferred: dict[str, int] = field(default_factory=dict)
    identity: tuple[Covered, Covered] = field(default_factory=lambda: (Covered(), Covered()))
    blocks: Blocks = field(default_factory=Blocks)
    proofs: deque[Proof] = field(default_factory=lambda: deque(maxlen=MAX_PROOFS))
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
    _vca_gap: str | None = None
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
        """The connection of that id on the same mailbox, with the same secrets. Its proofs are among those of this one."""
        found = self.connections.get(number)
        if found is None:
            if len(self.connections) >= MAX_CONNECTIONS:
                del self.connections[next(iter(self.connections))]
            found = self.connections[number] = Session(keys=self.keys, proofs=self.proofs)
            found.public_keys, found.given_chains = self.public_keys, self.given_chains
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
        self.chains = dict(self.given_chains)
        self.chain_hashes.clear()
        self.digests.clear()
        self.portions.clear()
        self.inferred.clear()
        self.first_digests.clear()
        for covered in self.identity:
            covered.clear()
        self.channel.measured = None
        self.blocks = Blocks()
        self._vca.clear()
        self._vca_gap = None
        for secure in self.sessions.values():
            secure.phase = "ended"
        self.sessions.clear()

    def negotiated(self, request: bytes | None, response: bytes) -> None:
        """Keep a pair of the version, capabilities and algorithms exchange; a repeated one replaces the earlier."""
        code = response[1]
        if request is not None:
            self._vca[code | 0x80] = request
        self._vca[code] = response

    @property
    def vca_lacks(self) -> str | None:
        """What is missing of ``vca``, None where nothing is."""
        if self.preset_vca is not None:
            return None
        missing = [codes.code_name(code) for code in _VCA if code not in self._vca]
        return f"{missing[0]} is not in this capture" if missing else self._vca_gap

    def gap(self, why: str, code: int | None = None) -> None:
        """The message just decoded was not recorded whole, or not at all: no transcript with it can be verified.

        ``code`` is that of the message where it is known.
        """
        for other in self.connections.values():
            other.gap(why, code)
        inside = self.inside is not None
        if inside and self.secure is None:
            return
        line = self.line
        if code is None or code & 0x80:
            line.gap = why
        if line.measured is None:
            line.measured = Covered()
        line.measured.lose(why)
        if not inside:
            self._vca_gap = why if code is None or code in _VCA else self._vca_gap
            for covered in self.identity:
                covered.lose(why)

    def unanswered(self) -> None:
        """Another request follows one that was not answered: its response may be missing, and of a transcript too."""
        line = self.line
        code = line.request[1] if line.request is not None and len(line.request) > 1 else 0
        if code == codes.GET_MEASUREMENTS:
            covered = line.measured = line.measured or Covered()
        elif code in _IDENTITY and self.inside is None:
            covered = self.identity[0]
        else:
            return
        covered.doubt = f"the response to a {codes.code_name(code)} before it is not in this capture"

    def take_proofs(self) -> list[Proof]:
        """``proofs``, which are then no longer kept."""
        taken = list(self.proofs)
        self.proofs.clear()
        return taken

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

    def portion(self, what: str, slot: int, offset: int, data: bytes, remainder: int, length: int = 0) -> bytes | None:
        """Put a portion of a certificate chain or a log in its place; the whole where this was the last one.

        ``offset`` is negative where it is not known. ``length``: bytes of the whole, where that says so itself: it counts
        where the other numbers are at odds with it.
        """
        held = self.portions.get((what, slot))
        if held is None:
            if len(self.portions) >= MAX_PORTIONS:
                del self.portions[next(iter(self.portions))]
            held = self.portions[what, slot] = bytearray()
        if length and offset != len(held) and len(held) + len(data) + remainder == length:
            offset = len(held)
        if not 0 <= offset <= len(held) or offset + len(data) > MAX_CHAIN:
            return None
        held[offset:] = data
        if remainder and len(held) != length:
            return None
        del self.portions[what, slot]
        return bytes(held)

    def size(self, key: str) -> int:
        """A size in bytes by its letter (see ``inferred``), negotiated or found; 0 where unknown."""
        known: int = getattr(self.algorithms, _SIZES[key])
        return known or self.inferred.get(key, 0)
