"""One secure session with what its keys derive from, and the lines on which requests wait for responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from .algorithms import Algorithms
from .transcript import Covered, Transcript

MAX_LARGE = 4 << 20
"""Bytes of a large message that are put together from chunks."""

ENCRYPT_CAP = 1 << 6
HANDSHAKE_IN_THE_CLEAR_CAP = 1 << 15


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
    measured      what the next signed MEASUREMENTS covers
    gap           why ``request`` is not as it was sent, None where it is
    waiting       ``request`` has no response yet
    """

    request: bytes | None = None
    encapsulated: bytes | None = None
    sending: Assembly | None = None
    getting: Assembly | None = None
    sent_last: bool = False
    measured: Covered | None = None
    gap: str | None = None
    waiting: bool = False


@dataclass(slots=True, eq=False)
class SecureSession:
    """A secure session from its KEY_EXCHANGE_RSP or PSK_EXCHANGE_RSP on, with what its keys derive from.

    The messages are whole and as sent, without transport padding, put together where they were chunked.

    number          0 for the first session of the connection's capture, counted over all kinds
    number_of_kind  0 for the first one with a PSK, or the first one without
    signed          bytes of ``response`` up to the end of the signature, of PSK_EXCHANGE_RSP up to its verify data
    secured_version the DSP0277 version that the responder selected (0x10 ...), None where it selected none
    slot            the responder's certificate slot, 0xFF for a provisioned key
    chain, chain_hash
                    the chain in that slot, and its hash where DIGESTS or CHALLENGE_AUTH said it after the chain was read
    digests, first_digests
                    the responder's last and first DIGESTS, of which one counts in the transcript (multi-key connections
                    of 1.3), else None
    public_key      the responder's provisioned key, where known
    mutual          what may stand in TH before FINISH for the requester: DIGESTS and hash of its chain
    gap             why its messages are not as they were sent, None where they are
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
    first_digests: bytes | None = None
    public_key: bytes | None = None
    req_slot: int | None = None
    req_chain: bytes | None = None
    req_chain_hash: bytes | None = None
    req_digests: bytes | None = None
    mutual: tuple[Transcript, ...] = ((),)
    gap: str | None = None
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
                req = _hash_of(self.req_chain, self.req_chain_hash, digest)
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
        chain = _hash_of(self.chain, self.chain_hash, digest)
        return None if chain is None else self.vca + (self.digests or b"") + chain


def _hash_of(chain: bytes | None, said: bytes | None, digest: Callable[[bytes], bytes]) -> bytes | None:
    """The hash of a chain: what the side itself said last, else that of the chain read since."""
    if said is not None:
        return said
    return None if chain is None else digest(chain)
