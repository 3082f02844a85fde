"""Keys of SPDM secure sessions: from a shared secret and the transcript to the AEAD keys of both directions.

DSP0274 section "SPDM key schedule" (1.1 and later, the version is part of every label), DSP0277 section "AEAD and
nonces"; HKDF is RFC 5869 with the negotiated hash.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Direction = Literal["request", "response"]
DIRECTIONS: tuple[Direction, Direction] = ("request", "response")
IV_SIZE, TAG_SIZE = 12, 16
AEAD_KEY_SIZES = {"AES-128-GCM": 16, "AES-256-GCM": 32, "CHACHA20_POLY1305": 32, "AEAD_SM4_GCM": 16}
"""Bytes of the key by the AEAD's name in ALGORITHMS."""


class Suite(NamedTuple):
    """What the key schedule depends on.

    version    negotiated SPDM version byte, 0x11 to 0x14
    hash_name  base hash as hashlib names it
    aead       a key of AEAD_KEY_SIZES
    """

    version: int
    hash_name: str
    aead: str

    def digest(self, data: bytes) -> bytes:
        """The base hash of the data."""
        return hashlib.new(self.hash_name, data).digest()

    @property
    def size(self) -> int:
        """Bytes of the base hash."""
        return hashlib.new(self.hash_name).digest_size

    def extract(self, salt: bytes, secret: bytes) -> bytes:
        """HKDF-Extract."""
        return hmac.new(salt, secret, self.hash_name).digest()

    def expand(self, secret: bytes, label: str, size: int, context: bytes = b"") -> bytes:
        """HKDF-Expand with BinConcat(size, 'spdm1.x ' + label, context) as its info."""
        info = size.to_bytes(2, "little") + f"spdm{self.version >> 4}.{self.version & 15} {label}".encode() + context
        out, block = b"", b""
        for i in range(1, -(-size // self.size) + 1):
            block = hmac.new(secret, block + info + bytes([i]), self.hash_name).digest()
            out += block
        return out[:size]

    def handshake_secret(self, secret: bytes, psk: bool) -> bytes:
        """From the DHE or KEM secret, or the PSK (whose salt is all ones since SPDM 1.3)."""
        salt = b"\xff" if psk and self.version >= 0x13 else b"\0"
        return self.extract(salt * self.size, secret)

    def master_secret(self, handshake_secret: bytes) -> bytes:
        """From the handshake secret."""
        return self.extract(self.expand(handshake_secret, "derived", self.size), bytes(self.size))

    def traffic_secret(self, secret: bytes, direction: Direction, phase: str, th: bytes) -> bytes:
        """A direction's secret: from the handshake secret and TH1 in phase 'handshake', else the master secret and TH2."""
        side = "req" if direction == "request" else "rsp"
        return self.expand(secret, f"{side} {'hs' if phase == 'handshake' else 'app'} data", self.size, th)

    def verify_data(self, handshake_traffic_secret: bytes, transcript: bytes) -> bytes:
        """RequesterVerifyData or ResponderVerifyData over the messages so far."""
        key = self.expand(handshake_traffic_secret, "finished", self.size)
        return hmac.new(key, self.digest(transcript), self.hash_name).digest()


def aead_open(aead: str, key: bytes, iv: bytes, associated: bytes, sealed: bytes) -> bytes | None:
    """The plain text of ``sealed`` (cipher text, then a tag of 16 bytes), or None where the tag is not right.

    Raises LookupError for an AEAD that the cryptography package does not have here.
    """
    return _Cipher(aead, key).open(iv, associated, sealed)


class _Cipher:
    """An AEAD with its key set: setting it is the slow part."""

    def __init__(self, aead: str, key: bytes) -> None:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.ciphers import aead as ciphers

        self.key = key
        self.impl: Any = None
        try:
            if aead == "CHACHA20_POLY1305":
                self.impl = ciphers.ChaCha20Poly1305(key)
            elif aead in ("AES-128-GCM", "AES-256-GCM"):
                self.impl = ciphers.AESGCM(key)
            elif aead != "AEAD_SM4_GCM":
                raise LookupError(f"no AEAD {aead!r}")
        except UnsupportedAlgorithm as error:
            raise LookupError(f"{aead} is not available: {error}") from None

    def open(self, iv: bytes, associated: bytes, sealed: bytes) -> bytes | None:
        """The plain text, or None where the tag is not right."""
        from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm

        if len(sealed) < TAG_SIZE:
            return None
        try:
            if self.impl is not None:
                return bytes(self.impl.decrypt(iv, sealed, associated))
            return self._sm4(iv, associated, sealed)
        except InvalidTag:
            return None
        except UnsupportedAlgorithm as error:
            raise LookupError(f"SM4-GCM is not available: {error}") from None

    def _sm4(self, iv: bytes, associated: bytes, sealed: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        opened = Cipher(algorithms.SM4(self.key), modes.GCM(iv, sealed[-TAG_SIZE:])).decryptor()
        opened.authenticate_additional_data(associated)
        return opened.update(sealed[:-TAG_SIZE]) + opened.finalize()


@dataclass(slots=True)
class Line:
    """The key of one direction as it is now: counts messages, and makes the key that a KEY_UPDATE switches to.

    sequence    number of the next message
    generation  how many KEY_UPDATEs the key went through
    secret      traffic secret; empty where only key and IV are known, and then there is no next generation
    """

    suite: Suite
    secret: bytes
    key: bytes
    iv: bytes
    sequence: int = 0
    generation: int = 0
    _cipher: _Cipher | None = field(default=None, repr=False)

    @classmethod
    def of(cls, suite: Suite, secret: bytes, generation: int = 0) -> Line:
        """The line that a traffic secret makes."""
        key = suite.expand(secret, "key", AEAD_KEY_SIZES[suite.aead])
        return cls(suite, secret, key, suite.expand(secret, "iv", IV_SIZE), 0, generation)

    def updated(self) -> Line | None:
        """The line after a KEY_UPDATE, None where the traffic secret is not known."""
        if not self.secret:
            return None
        return Line.of(self.suite, self.suite.expand(self.secret, "traffic upd", self.suite.size), self.generation + 1)

    def nonce(self, sequence: int, big_endian: bool = False) -> bytes:
        """The IV with the sequence number in it: little-endian from byte 0, or big-endian up to the last byte."""
        if big_endian:
            return (int.from_bytes(self.iv, "big") ^ sequence).to_bytes(IV_SIZE, "big")
        return (int.from_bytes(self.iv, "little") ^ sequence).to_bytes(IV_SIZE, "little")

    def open(self, sequence: int, associated: bytes, sealed: bytes, big_endian: bool = False) -> bytes | None:
        """The plain text of a message with that sequence number, None where this is not its key. Raises LookupError."""
        if self._cipher is None:
            self._cipher = _Cipher(self.suite.aead, self.key)
        return self._cipher.open(self.nonce(sequence, big_endian), associated, sealed)
