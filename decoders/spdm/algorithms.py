"""Algorithms that SPDM negotiates: bit positions, names and sizes in bytes.

Source: DSP0274 1.4 (NEGOTIATE_ALGORITHMS, ALGORITHMS), names without their leading ``TPM_ALG_``; signature and
exchange sizes of ML-DSA, SLH-DSA and ML-KEM from FIPS 204, 205 and 203.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .codes import V10, V12


class Algorithm(NamedTuple):
    """One bit of an algorithm field.

    size    bytes of a hash, a signature, or what the requester sends in a key exchange; 0 where there is no such size
    since   first version (0x10 ...) that defines the bit
    reply   bytes the responder sends in a key exchange, where not ``size``
    """

    name: str
    size: int = 0
    since: int = V10
    reply: int = 0


Table = tuple[Algorithm, ...]
"""Algorithms by bit position."""

BASE_ASYM: Table = (
    Algorithm("RSASSA_2048", 256),
    Algorithm("RSAPSS_2048", 256),
    Algorithm("RSASSA_3072", 384),
    Algorithm("RSAPSS_3072", 384),
    Algorithm("ECDSA_ECC_NIST_P256", 64),
    Algorithm("RSASSA_4096", 512),
    Algorithm("RSAPSS_4096", 512),
    Algorithm("ECDSA_ECC_NIST_P384", 96),
    Algorithm("ECDSA_ECC_NIST_P521", 132),
    Algorithm("SM2_ECC_SM2_P256", 64, V12),
    Algorithm("EdDSA ed25519", 64, V12),
    Algorithm("EdDSA ed448", 114, V12),
)
BASE_HASH: Table = (
    Algorithm("SHA_256", 32),
    Algorithm("SHA_384", 48),
    Algorithm("SHA_512", 64),
    Algorithm("SHA3_256", 32),
    Algorithm("SHA3_384", 48),
    Algorithm("SHA3_512", 64),
    Algorithm("SM3_256", 32, V12),
)
MEASUREMENT_HASH: Table = (Algorithm("Raw bit stream only"), *BASE_HASH)
DHE: Table = (
    Algorithm("ffdhe2048", 256),
    Algorithm("ffdhe3072", 384),
    Algorithm("ffdhe4096", 512),
    Algorithm("secp256r1", 64),
    Algorithm("secp384r1", 96),
    Algorithm("secp521r1", 132),
    Algorithm("SM2_P256", 64, V12),
)
AEAD: Table = (
    Algorithm("AES-128-GCM", 16),
    Algorithm("AES-256-GCM", 32),
    Algorithm("CHACHA20_POLY1305", 32),
    Algorithm("AEAD_SM4_GCM", 16, V12),
)
"""``size`` is that of the key; the IV has 12 bytes and the tag 16 in all of them."""
KEY_SCHEDULE: Table = (Algorithm("SPDM"),)
PQC_ASYM: Table = (
    Algorithm("ML-DSA-44", 2420),
    Algorithm("ML-DSA-65", 3309),
    Algorithm("ML-DSA-87", 4627),
    Algorithm("SLH-DSA-SHA2-128s", 7856),
    Algorithm("SLH-DSA-SHAKE-128s", 7856),
    Algorithm("SLH-DSA-SHA2-128f", 17088),
    Algorithm("SLH-DSA-SHAKE-128f", 17088),
    Algorithm("SLH-DSA-SHA2-192s", 16224),
    Algorithm("SLH-DSA-SHAKE-192s", 16224),
    Algorithm("SLH-DSA-SHA2-192f", 35664),
    Algorithm("SLH-DSA-SHAKE-192f", 35664),
    Algorithm("SLH-DSA-SHA2-256s", 29792),
    Algorithm("SLH-DSA-SHAKE-256s", 29792),
    Algorithm("SLH-DSA-SHA2-256f", 49856),
    Algorithm("SLH-DSA-SHAKE-256f", 49856),
)
KEM: Table = (
    Algorithm("ML-KEM-512", 800, reply=768),
    Algorithm("ML-KEM-768", 1184, reply=1088),
    Algorithm("ML-KEM-1024", 1568, reply=1568),
)
SPECIFICATION: Table = (Algorithm("DMTF"),)
"""Of measurements, and of the measurement extension log."""

_NONE = Algorithm("")
_HASHLIB = ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "sm3")

HASH_SIZES = (32, 48, 64)
SIGNATURE_SIZES = tuple(sorted({a.size for a in BASE_ASYM + PQC_ASYM}))
REQUEST_EXCHANGE_SIZES = tuple(sorted({a.size for a in DHE + KEM}))
RESPONSE_EXCHANGE_SIZES = tuple(sorted({a.reply or a.size for a in DHE + KEM}))


def chosen(table: Table, bits: int) -> Algorithm | None:
    """The algorithm of a field in which one bit is set; None where none is, or more than one."""
    at = bits.bit_length() - 1
    return table[at] if bits and bits == 1 << at and at < len(table) else None


@dataclass(frozen=True, slots=True)
class Algorithms:
    """What ALGORITHMS chose: each field with at most one bit set, as sent. 0 is none, or not negotiated.

    The sizes are bytes, 0 where unknown: of the base hash (H); of the responder's and the requester's signatures; of
    ExchangeData in KEY_EXCHANGE and in KEY_EXCHANGE_RSP; of a measurement digest; of the AEAD key. A PQC signature takes
    the place of a classic one, a KEM that of a DHE group.
    """

    base_asym: int = 0
    base_hash: int = 0
    measurement_hash: int = 0
    dhe: int = 0
    aead: int = 0
    req_base_asym: int = 0
    key_schedule: int = 0
    pqc_asym: int = 0
    req_pqc_asym: int = 0
    kem: int = 0
    measurement_specification: int = 0
    mel_specification: int = 0
    other_params: int = 0

    hash_size: int = field(init=False, compare=False, repr=False)
    signature_size: int = field(init=False, compare=False, repr=False)
    req_signature_size: int = field(init=False, compare=False, repr=False)
    request_exchange_size: int = field(init=False, compare=False, repr=False)
    response_exchange_size: int = field(init=False, compare=False, repr=False)
    measurement_hash_size: int = field(init=False, compare=False, repr=False)
    aead_key_size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        sign = chosen(PQC_ASYM, self.pqc_asym) or chosen(BASE_ASYM, self.base_asym) or _NONE
        req_sign = chosen(PQC_ASYM, self.req_pqc_asym) or chosen(BASE_ASYM, self.req_base_asym) or _NONE
        exchange = chosen(KEM, self.kem) or chosen(DHE, self.dhe) or _NONE
        for name, size in (
            ("hash_size", (chosen(BASE_HASH, self.base_hash) or _NONE).size),
            ("signature_size", sign.size),
            ("req_signature_size", req_sign.size),
            ("request_exchange_size", exchange.size),
            ("response_exchange_size", exchange.reply or exchange.size),
            ("measurement_hash_size", (chosen(MEASUREMENT_HASH, self.measurement_hash) or _NONE).size),
            ("aead_key_size", (chosen(AEAD, self.aead) or _NONE).size),
        ):
            object.__setattr__(self, name, size)

    @property
    def hash_name(self) -> str | None:
        """The base hash as hashlib names it, 'sha384'; None where unknown."""
        return _HASHLIB[self.base_hash.bit_length() - 1] if chosen(BASE_HASH, self.base_hash) else None

    @property
    def aead_name(self) -> str | None:
        """'AES-256-GCM' ..., None where unknown."""
        found = chosen(AEAD, self.aead)
        return found.name if found else None
