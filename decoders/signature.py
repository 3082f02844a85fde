"""Signatures as SPDM makes them: what is signed, and whether a public key made it.

DSP0274 1.2 and later sign a prefix of 100 bytes (the version four times, zeros, what is signed by whom) and the hash of
the transcript; 1.0 and 1.1 sign the transcript itself. RSA and ECDSA hash that once more with the negotiated hash; EdDSA
and ML-DSA take it as it is, Ed448 and ML-DSA with the words of the prefix as their context. The cryptography package is
imported when the first signature is verified.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from . import ed448
from .spdm.codes import V12

CONTEXTS = {
    ("CHALLENGE_AUTH", "responder"): "responder-challenge_auth signing",
    ("CHALLENGE_AUTH", "requester"): "requester-challenge_auth signing",
    ("MEASUREMENTS", "responder"): "responder-measurements signing",
    ("KEY_EXCHANGE_RSP", "responder"): "responder-key_exchange_rsp signing",
    ("FINISH", "requester"): "requester-finish signing",
    ("ENDPOINT_INFO", "responder"): "responder-endpoint_info signing",
    ("ENDPOINT_INFO", "requester"): "requester-endpoint_info signing",
}
"""(message, signer) -> the context of its signature (DSP0274 1.2 'SPDM context')."""
PREFIX_SIZE = 100
_VERSION_SIZE = 64
_RSA_SIZES = {"2048", "3072", "4096"}
_CURVES = {"P256": "secp256r1", "P384": "secp384r1", "P521": "secp521r1"}
_NEVER = {"SM2_ECC_SM2_P256": "SM2", "SLH-DSA": "SLH-DSA"}


class Unavailable(LookupError):
    """A signature that cannot be verified here: the words say why."""


class OtherKey(ValueError):
    """The key is of a kind with which the algorithm does not sign: no signature of it can be right."""


def signed_data(version: int, context: str, digest: bytes) -> bytes:
    """What SPDM 1.2 and later sign: the prefix, and the hash of the transcript."""
    label = f"dmtf-spdm-v{version >> 4}.{version & 15}.*".encode() * 4
    return label + context.encode().rjust(PREFIX_SIZE - _VERSION_SIZE, b"\0") + digest


def holds(key: bytes, algorithm: str, hash_name: str, version: int, context: str, digest: bytes, signature: bytes) -> bool:
    """Whether that key (DER SubjectPublicKeyInfo) made the signature of a transcript.

    algorithm  by its name in ALGORITHMS; hash_name: the base hash as hashlib names it; digest: that of the transcript

    SPDM 1.0 and 1.1 do not say in which order the bytes of RSA and ECDSA numbers are: both are accepted. Raises
    Unavailable, and OtherKey for a key of another kind than the algorithm needs.
    """
    return _holds(key, algorithm, hash_name, version, context, digest, signature)


@lru_cache(4096)  # captures repeat themselves
def _holds(key: bytes, algorithm: str, hash_name: str, version: int, context: str, digest: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    for start, name in _NEVER.items():
        if algorithm.startswith(start):
            raise Unavailable(f"{name} signatures cannot be checked with the cryptography package")
    public = _public_key(key)
    if isinstance(public, str):
        raise Unavailable(public)
    data = digest
    if version >= V12:
        data = signed_data(version, context, digest)
    try:
        if "RSA" in algorithm or "ECDSA" in algorithm:
            hashed = hashlib.new(hash_name, data).digest() if version >= V12 else digest
            orders = (signature,) if version >= V12 else (signature, _swapped(signature, "ECDSA" in algorithm))
            return any(_rsa_or_ecdsa(public, algorithm, hash_name, hashed, s) for s in orders)
        return _whole(public, algorithm, data, signature, context)
    except InvalidSignature:
        return False
    except UnsupportedAlgorithm as error:
        raise Unavailable(f"{algorithm} with {hash_name} cannot be checked here: {error}") from None


def _rsa_or_ecdsa(public: Any, algorithm: str, hash_name: str, hashed: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

    chosen: hashes.HashAlgorithm = getattr(hashes, hash_name.upper())()
    try:
        if "ECDSA" in algorithm:
            curve = _CURVES[algorithm[-4:]]
            if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != curve:
                raise OtherKey(_other_key(algorithm, public))
            half = len(signature) // 2
            numbers = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            public.verify(encode_dss_signature(*numbers), hashed, ec.ECDSA(Prehashed(chosen)))
            return True
        if not isinstance(public, rsa.RSAPublicKey) or public.key_size != int(algorithm[-4:]):
            raise OtherKey(_other_key(algorithm, public))
        pss = padding.PSS(padding.MGF1(chosen), padding.PSS.AUTO)
        public.verify(signature, hashed, pss if "PSS" in algorithm else padding.PKCS1v15(), Prehashed(chosen))
        return True
    except InvalidSignature:
        return False


def _swapped(signature: bytes, halves: bool) -> bytes:
    """The numbers of a signature with their bytes the other way round."""
    if not halves:
        return signature[::-1]
    half = len(signature) // 2
    return signature[:half][::-1] + signature[half:][::-1]


def _whole(public: Any, algorithm: str, data: bytes, signature: bytes, context: str) -> bool:
    """A signature over the data and not a hash of it. Raises InvalidSignature."""
    kind = type(public).__name__
    if algorithm == "EdDSA ed25519" and kind == "Ed25519PublicKey":
        public.verify(signature, data)
        return True
    if algorithm == "EdDSA ed448" and kind == "Ed448PublicKey":
        return ed448.verify(public.public_bytes_raw(), signature, data, context.encode())
    if algorithm.startswith("ML-DSA") and kind.startswith("MLDSA"):
        if kind != f"MLDSA{algorithm[-2:]}PublicKey":
            raise OtherKey(_other_key(algorithm, public))
        public.verify(signature, data, context.encode())
        return True
    raise OtherKey(_other_key(algorithm, public))


def _other_key(algorithm: str, public: Any) -> str:
    curve = getattr(public, "curve", None)
    kind = curve.name if curve is not None else type(public).__name__.strip("_").removesuffix("PublicKey")
    size = f" {public.key_size}" if kind == "RSA" else ""
    return f"the key is {kind}{size}, which {algorithm} does not sign with"


@lru_cache(256)
def _public_key(der: bytes) -> Any:
    """The key as cryptography has it, or why there is none."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(der)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # hostile DER: exceptions of many kinds, and a panic of its Rust is none of Exception's
        return f"the key is not readable: {type(error).__name__}: {error}"[:200]
