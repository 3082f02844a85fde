"""What a sequence of SPDM messages builds up: the context in which the next one is read.

A ``Session`` is one connection of a requester with a responder. ``decode_spdm`` and ``decode_doe`` read it (sizes, the
request that a response answers) and write it (negotiation, certificate chains, chunks, secure sessions). Messages go in
in the order of the wire; those of a secure session while ``within`` says which. Everything held is capped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from . import codes
from .algorithms import Algorithms

Side = Literal["responder", "requester"]
"""Who a certificate chain or a digest belongs to."""

MAX_CHAIN = 1 << 20
"""Bytes of a certificate chain or measurement log that are put together from portions."""
MAX_LARGE = 4 << 20
"""Bytes of a large message that are put together from chunks."""
MAX_LOGGED = 4 << 20
"""Bytes of messages kept in ``Session.messages``; the oldest go first."""
MAX_SESSIONS = 256
"""Secure sessions kept, open or ended; the oldest go first."""

ENCRYPT_CAP = 1 << 6
HANDSHAKE_IN_THE_CLEAR_CAP = 1 << 15
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


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one side said in GET_CAPABILITIES or CAPABILITIES. Sizes in bytes, 0 before SPDM 1.2."""

    flags: int = 0
    ext_flags: int = 0
    ct_exponent: int = 0
    data_transfer_size: int = 0
    max_message_size: int = 0


@dataclass(slots=True, eq=False)
class Assembly:
    """A large message of which chunks are coming in."""

    handle: int
    total: int
    data: bytearray = field(default_factory=bytearray)
    next: int = 0

    def add(self, number: int, chunk: bytes) -> str | None:
        """Append a chunk; what is wrong with it where it cannot be. One sent again is taken once."""
        if number + 1 == self.next and self.data.endswith(chunk):
            return None
        if number != self.next:
            return f"chunk {number}, but {self.next} was expected"
        if len(self.data) + len(chunk) > min(self.total, MAX_LARGE):
            return f"more than the {self.total} bytes announced" if self.total <= MAX_LARGE else f"above {MAX_LARGE} bytes"
        self.data += chunk
        self.next += 1
        return None


@dataclass(slots=True, eq=False)
class Channel:
    """The state of one line of requests and responses: outside sessions there is one, each secure session has its own.

    request       the request that the next response answers, as sent (put together from chunks where it was large);
                  CHUNK_SEND, CHUNK_GET and RESPOND_IF_READY do not take its place
    encapsulated  the same for encapsulated requests, which the requester answers
    sent_last     the last chunk of a request was sent: CHUNK_SEND_ACK brings the response to it
    """

    request: bytes | None = None
    encapsulated: bytes | None = None
    sending: Assembly | None = None
    getting: Assembly | None = None
    sent_last: bool = False


@dataclass(slots=True, eq=False)
class SecureSession:
    """A secure session from its KEY_EXCHANGE_RSP or PSK_EXCHANGE_RSP on, with what its keys derive from.

    The messages are whole and as sent, without transport padding, put together where they were chunked.

    number          0 for the first session of the connection's capture, counted over all kinds
    number_of_kind  0 for the first one with a PSK, or the first one without
    signed          bytes of ``response`` up to the end of the signature, of PSK_EXCHANGE_RSP up to its verify data
    secured_version the DSP0277 version that the responder selected (0x10 ...), None where it selected none
    slot            the responder's certificate slot, 0xFF for a provisioned key
    digests         the responder's DIGESTS that count in the transcript (multi-key connections of 1.3), else None
    phase           'handshake' until FINISH_RSP or PSK_FINISH_RSP, then 'application', at last 'ended'
    request_generation, response_generation
                    how many KEY_UPDATEs the key of a direction went through
    pending_update  operation of a KEY_UPDATE not yet acknowledged (1 update key, 2 update all keys), else None.
                    The ACK of 'update all keys' is already sent with the new response key
    keys            for whoever decrypts: never touched here
    """

    session_id: int
    psk: bool
    version: int
    algorithms: Algorithms
    vca: bytes
    request: bytes
    response: bytes
    signed: int
    number: int = 0
    number_of_kind: int = 0
    requester: Capabilities | None = None
    responder: Capabilities | None = None
    secured_version: int | None = None
    slot: int = 0
    chain: bytes | None = None
    chain_hash: bytes | None = None
    digests: bytes | None = None
    req_slot: int | None = None
    req_chain: bytes | None = None
    req_chain_hash: bytes | None = None
    req_digests: bytes | None = None
    finish: bytes | None = None
    finish_rsp: bytes | None = None
    phase: Literal["handshake", "application", "ended"] = "handshake"
    request_generation: int = 0
    response_generation: int = 0
    pending_update: int | None = None
    channel: Channel = field(default_factory=Channel)
    keys: Any = None

    @property
    def mac_only(self) -> bool | None:
        """Whether messages are authenticated but not encrypted; None where the capabilities are unknown."""
        if self.requester is None or self.responder is None:
            return None
        return not self.requester.flags & self.responder.flags & ENCRYPT_CAP

    @property
    def handshake_in_the_clear(self) -> bool | None:
        """Whether FINISH went outside the secure session; None where the capabilities are unknown."""
        if self.requester is None or self.responder is None:
            return None
        return bool(self.requester.flags & self.responder.flags & HANDSHAKE_IN_THE_CLEAR_CAP)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the transcript needs and the capture does not have."""
        lacks = []
        if not self.vca:
            lacks.append("negotiation (GET_VERSION to ALGORITHMS)")
        if not self.psk and self.chain is None and self.chain_hash is None:
            lacks.append(f"certificate chain of the responder's slot {self.slot}")
        if self.req_slot is not None and self.req_chain is None and self.req_chain_hash is None:
            lacks.append(f"certificate chain of the requester's slot {self.req_slot}")
        return tuple(lacks)

    def th1(self, digest: Callable[[bytes], bytes]) -> bytes | None:
        """The messages of transcript TH1, to be hashed; None where something of it is missing.

        ``digest`` is the base hash. VCA, DIGESTS, hash of the chain, request, response up to ``signed``
        (DSP0274 'Transcript hash calculation rules').
        """
        head = self._head(digest)
        return None if head is None else head + self.request + self.response[: self.signed]

    def th2(self, digest: Callable[[bytes], bytes]) -> bytes | None:
        """The messages of transcript TH2, to be hashed; None where something of it is missing."""
        head = self._head(digest)
        if head is None or (self.finish is None and not (self.psk and self.phase == "application")):
            return None
        tail = b""
        if self.finish is not None:
            if self.finish_rsp is None:
                return None
            if self.req_slot is not None:
                req = digest(self.req_chain) if self.req_chain is not None else self.req_chain_hash
                if req is None:
                    return None
                tail = (self.req_digests or b"") + req
            tail += self.finish + self.finish_rsp
        return head + self.request + self.response + tail

    def _head(self, digest: Callable[[bytes], bytes]) -> bytes | None:
        if not self.vca:
            return None
        if self.psk:
            return self.vca
        chain = digest(self.chain) if self.chain is not None else self.chain_hash
        return None if chain is None else self.vca + (self.digests or b"") + chain


@dataclass(slots=True, eq=False)
class Session:
    """One connection. Every attribute may be set beforehand, where the negotiation is not in the capture.

    version      negotiated version byte (0x10 to 0x14), None before it is known
    chains       (side, slot) -> the whole certificate chain: length, root hash, certificates
    chain_hashes (side, slot) -> its hash, as DIGESTS or CHALLENGE_AUTH gave it
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
    portions     certificate chains and logs of which portions are coming in
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
        held = self.portions.setdefault((what, slot), bytearray())
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
