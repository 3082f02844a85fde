"""What signatures and verify data of SPDM messages are made over: kept while the messages come, for whoever verifies
them (decoders.verification).

DSP0274 names the transcripts: M1/M2 (CHALLENGE_AUTH), L1/L2 (MEASUREMENTS), IL1/IL2 (ENDPOINT_INFO), TH (secure
sessions). All are of messages as sent, whole and without the padding of a transport; a request that was answered with
ERROR is in none. What starts a transcript again, and which DIGESTS count on a multi-key connection, differs between
versions and implementations: there the transcripts that may be are all kept. A signature fits one of them or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .algorithms import Algorithms
from .codes import code_name
from .summary import Summed

if TYPE_CHECKING:
    from .secure import SecureSession

Side = Literal["responder", "requester"]
"""Who a certificate chain, a digest or a signature belongs to."""

MAX_COVERED = 1 << 20
"""Bytes that are kept for one signature."""
MAX_RUNS = 4
"""How often a transcript may have been started again and still be tried as one."""
PROVISIONED = (0x0F, 0xFF)
"""Slot numbers that stand for a public key which the other side knows already."""


class Hashed(NamedTuple):
    """In a transcript: the base hash of these bytes in the place of them."""

    data: bytes


Part = bytes | Hashed
Transcript = tuple[Part, ...]


class Covered:
    """The exchanges that the next signature of a kind covers.

    cut    set where what comes next may be the first that counts
    lost   why they are not all there, None where they are
    doubt  why they may not be
    """

    __slots__ = ("_runs", "_size", "cut", "doubt", "lost")

    def __init__(self) -> None:
        self._runs: list[list[bytes]] = [[]]
        self._size = 0
        self.cut = False
        self.lost: str | None = None
        self.doubt: str | None = None

    def clear(self) -> None:
        """Begin again: a signature was made."""
        self.cut, self.doubt = False, None
        if self._size or self.lost is not None:
            self._runs, self._size, self.lost = [[]], 0, None

    def add(self, request: bytes | None, response: bytes, code: int) -> None:
        """Append an exchange; ``code`` is that of the request."""
        if request is None:
            self.lose(f"a {code_name(code)} that its transcript covers is not in this capture")
            return
        self._size += len(request) + len(response)
        if self._size > MAX_COVERED:
            self.lose(f"its transcript has more than {MAX_COVERED} bytes")
            return
        if self.cut:
            self.cut = False
            if self._runs[-1]:
                del self._runs[: 1 - MAX_RUNS]
                self._runs.append([])
        self._runs[-1] += (request, response)

    def lose(self, why: str) -> None:
        """Something is missing here."""
        self.clear()
        self.lost = why

    def candidates(self) -> Iterator[tuple[bytes, ...]]:
        """The messages since the last cut, then those since the one before, and so on."""
        held: tuple[bytes, ...] = ()
        if self.cut or not self._runs[-1]:
            yield held
        for run in reversed(self._runs):
            if run:
                held = (*run, *held)
                yield held


@dataclass(slots=True, eq=False)
class Signed:
    """A signature that was in a message, with what it takes to verify it.

    name         of the message, 'CHALLENGE_AUTH'; field_name: of the field
    value        the signature
    over         name of the transcript
    transcripts  what that may be, the most likely first
    chain        the signer's certificate chain, whose last key it is; None where that is not known
    key          the signer's public key (DER SubjectPublicKeyInfo) where it is a provisioned one and known
    replaced     hash of the slot's chain as the signer said it after the chain was read
    lacks        why it cannot be verified, None where it can
    doubt        why it need not be wrong where it does not verify
    verdict      for whoever verifies: never touched here
    """

    name: str
    value: bytes
    over: str
    side: Side
    slot: int
    version: int
    algorithms: Algorithms
    transcripts: tuple[Transcript, ...]
    chain: bytes | None = None
    key: bytes | None = None
    replaced: bytes | None = None
    lacks: str | None = None
    doubt: str | None = None
    verdict: Any = None
    field_name: str = "Signature"


@dataclass(slots=True, eq=False)
class Finished:
    """Verify data that was in a message, with what it takes to verify it.

    direction  whose key: 'request' for RequesterVerifyData
    tails      what may stand in TH behind its head (VCA, DIGESTS, hash of the chain: see ``heads``)
    keys       ``Session.keys``
    """

    name: str
    value: bytes
    field_name: str
    direction: Literal["request", "response"]
    secure: SecureSession
    tails: tuple[Transcript, ...]
    keys: Any = None
    lacks: str | None = None
    verdict: Any = None
    over: str = field(default="TH", init=False)


@dataclass(slots=True, eq=False)
class Requested:
    """A certificate signing request (PKCS #10) that was in a message: it is signed with its own key."""

    name: str
    value: bytes
    verdict: Any = None
    field_name: str = field(default="CSRdata", init=False)


Proof = Signed | Finished | Summed | Requested
"""Something in a message that can be verified."""


def no_key(side: Side, slot: int, chain: bytes | None, key: bytes | None) -> str | None:
    """Why the key of a signer is not known, None where it is."""
    if slot in PROVISIONED:
        return None if key is not None else f"the {side}'s public key is a provisioned one, which no message carries"
    return None if chain is not None else f"the certificate chain of the {side}'s slot {slot} is not in this capture"


def heads(secure: SecureSession) -> list[Transcript]:
    """What the beginning of TH may be: VCA, DIGESTS of a multi-key connection, hash of the responder's chain or key."""
    if secure.psk:
        return [(secure.vca,)]
    hashes = chain_hashes(secure.slot, secure.chain, secure.chain_hash, secure.public_key)
    return [(secure.vca, *d, h) for d in digests(secure.digests, secure.first_digests) for h in hashes]


def digests(last: bytes | None, first: bytes | None) -> list[tuple[bytes, ...]]:
    """The DIGESTS that may be in TH: the last one, the first one (libspdm takes that since 2026), none."""
    if last is None:
        return [()]
    return [(last,), *([(first,)] if first is not None and first != last else []), ()]


def chain_hashes(slot: int, chain: bytes | None, said: bytes | None, key: bytes | None) -> list[Part]:
    """What the hash of a chain may be: what its side said last, and that of the chain as read; of a provisioned key its
    own."""
    if slot in PROVISIONED:
        return [] if key is None else [Hashed(key)]
    return [*([] if said is None else [said]), *([] if chain is None else [Hashed(chain)])]
