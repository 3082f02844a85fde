"""Signatures made here with the cryptography package as DSP0274 says, and verified by the decoder."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from decoders.ed448 import L, P, _base, _times
from decoders.signature import CONTEXTS, OtherKey, Unavailable, holds, signed_data
from decoders.spdm.algorithms import BASE_ASYM, PQC_ASYM

CONTEXT = "responder-challenge_auth signing"
TRANSCRIPT = b"the messages of a connection"
V11, V12, V13 = 0x11, 0x12, 0x13
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}
CURVES = {"P256": ec.SECP256R1(), "P384": ec.SECP384R1(), "P521": ec.SECP521R1()}


@cache
def rsa_key(size: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, size)


def der(private: Any) -> bytes:
    found: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found


def message(version: int, hash_name: str) -> bytes:
    """What is signed, written out: 1.1 the messages, later 64 bytes of version, 36 of context with zeros before it, and
    the hash of the messages."""
    if version == V11:
        return TRANSCRIPT
    words = f"dmtf-spdm-v1.{version & 15}.*" * 4
    padded = bytes(36 - len(CONTEXT)) + CONTEXT.encode()
    return words.encode() + padded + hashlib.new(hash_name, TRANSCRIPT).digest()


def raw(signature: bytes, size: int) -> bytes:
    r, s = decode_dss_signature(signature)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def check(key: bytes, algorithm: str, hash_name: str, version: int, signature: bytes, context: str = CONTEXT) -> bool:
    digest = hashlib.new(hash_name, TRANSCRIPT).digest()
    return holds(key, algorithm, hash_name, version, context, digest, signature)


def assert_holds(key: bytes, algorithm: str, hash_name: str, version: int, signature: bytes) -> None:
    assert check(key, algorithm, hash_name, version, signature)
    changed = bytearray(signature)
    changed[len(changed) // 3] ^= 4
    assert not check(key, algorithm, hash_name, version, bytes(changed))
    assert not check(key, algorithm, "sha512" if hash_name == "sha384" else "sha384", version, signature)
    if version >= V12:
        assert not check(key, algorithm, hash_name, version + 1, signature)
        assert not check(key, algorithm, hash_name, version, signature, "requester-finish signing")


def test_the_prefix() -> None:
    found = signed_data(V12, "responder-challenge_auth signing", b"H" * 48)
    assert found[:64] == b"dmtf-spdm-v1.2.*dmtf-spdm-v1.2.*dmtf-spdm-v1.2.*dmtf-spdm-v1.2.*"
    assert found[64:68] == bytes(4)  # 36 - 32 letters
    assert found[68:100] == b"responder-challenge_auth signing"
    assert found[100:] == b"H" * 48


@pytest.mark.parametrize("context", CONTEXTS.values())
def test_prefixes_have_100_bytes(context: str) -> None:
    assert len(signed_data(V13, context, b"")) == 100


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("version", [V11, V12, V13])
def test_ecdsa(hash_name: str, version: int) -> None:
    for name, curve in CURVES.items():
        private = ec.generate_private_key(curve)
        algorithm = f"ECDSA_ECC_NIST_{name}"
        signature = private.sign(message(version, hash_name), ec.ECDSA(HASHES[hash_name]))
        assert_holds(der(private), algorithm, hash_name, version, raw(signature, (curve.key_size + 7) // 8))


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("version", [V11, V12])
@pytest.mark.parametrize("size", [2048, 3072])
def test_rsa(hash_name: str, version: int, size: int) -> None:
    private, chosen = rsa_key(size), HASHES[hash_name]
    ssa = private.sign(message(version, hash_name), padding.PKCS1v15(), chosen)
    assert_holds(der(private), f"RSASSA_{size}", hash_name, version, ssa)
    pss = private.sign(message(version, hash_name), padding.PSS(padding.MGF1(chosen), chosen.digest_size), chosen)
    assert_holds(der(private), f"RSAPSS_{size}", hash_name, version, pss)
    assert not check(der(private), f"RSASSA_{size}", hash_name, version, pss)


def test_little_endian_numbers_before_1_2() -> None:
    """1.0 and 1.1 do not say the order of the bytes; 1.2 does."""
    private = ec.generate_private_key(CURVES["P384"])
    for version, either in ((V11, True), (V12, False)):
        big = raw(private.sign(message(version, "sha384"), ec.ECDSA(HASHES["sha384"])), 48)
        little = big[:48][::-1] + big[48:][::-1]
        assert check(der(private), "ECDSA_ECC_NIST_P384", "sha384", version, little) is either
        ssa = rsa_key(3072).sign(message(version, "sha384"), padding.PKCS1v15(), HASHES["sha384"])
        assert check(der(rsa_key(3072)), "RSASSA_3072", "sha384", version, ssa[::-1]) is either


def test_ed25519() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    assert_holds(der(private), "EdDSA ed25519", "sha512", V12, private.sign(message(V12, "sha512")))


def test_ed448_has_the_context() -> None:
    """The cryptography package signs without a context only: such a signature is not one of SPDM."""
    private = ed448.Ed448PrivateKey.generate()
    assert_holds(der(private), "EdDSA ed448", "sha512", V12, ed448_sign(private, message(V12, "sha512"), CONTEXT.encode()))
    assert not check(der(private), "EdDSA ed448", "sha512", V12, private.sign(message(V12, "sha512")))


def ed448_sign(private: ed448.Ed448PrivateKey, data: bytes, context: bytes) -> bytes:
    """RFC 8032 5.2.6, with the points of the decoder, which its own test holds against the RFC's vectors."""
    h = bytearray(hashlib.shake_256(private.private_bytes_raw()).digest(114))
    h[0] &= 0xFC
    h[55] |= 0x80
    h[56] = 0
    key, head = private.public_key().public_bytes_raw(), b"SigEd448" + bytes((0, len(context))) + context
    s = int.from_bytes(h[:57], "little")
    r = int.from_bytes(hashlib.shake_256(head + h[57:] + data).digest(114), "little") % L
    x, y, z = _times(r, _base())
    inverse = pow(z, -1, P)
    point = bytearray((y * inverse % P).to_bytes(57, "little"))
    point[56] |= (x * inverse % P & 1) << 7
    k = int.from_bytes(hashlib.shake_256(head + point + key + data).digest(114), "little")
    return bytes(point) + ((r + k * s) % L).to_bytes(57, "little")


@pytest.mark.parametrize("size", ["44", "65", "87"])
def test_ml_dsa(size: str) -> None:
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    private = getattr(mldsa, f"MLDSA{size}PrivateKey").generate()
    signature = private.sign(message(V13, "sha384"), CONTEXT.encode())
    assert_holds(der(private), f"ML-DSA-{size}", "sha384", V13, signature)
    assert not check(der(private), f"ML-DSA-{size}", "sha384", V13, private.sign(message(V13, "sha384")))
    with pytest.raises(OtherKey, match=f"MLDSA{size}"):
        check(der(private), "ML-DSA-87" if size == "44" else "ML-DSA-44", "sha384", V13, signature)


@pytest.mark.parametrize("algorithm", [a.name for a in (*BASE_ASYM, *PQC_ASYM)])
def test_a_key_of_another_kind(algorithm: str) -> None:
    """P-224 is the key of no algorithm."""
    private = ec.generate_private_key(ec.SECP224R1())
    wanted = Unavailable if algorithm.startswith(("SM2", "SLH")) else OtherKey
    with pytest.raises(wanted, match="SM2|SLH-DSA" if wanted is Unavailable else "secp224r1"):
        check(der(private), algorithm, "sha384", V12, bytes(96))


def test_keys_that_are_none() -> None:
    for key in (b"", b"\x30\x00", bytes(100), der(rsa_key(2048))[:-5]):
        with pytest.raises(Unavailable, match="not readable"):
            check(key, "RSASSA_2048", "sha384", V12, bytes(256))


@pytest.mark.parametrize("size", [0, 1, 95, 97, 512])
def test_signatures_of_another_size(size: int) -> None:
    private = ec.generate_private_key(CURVES["P384"])
    assert not check(der(private), "ECDSA_ECC_NIST_P384", "sha384", V12, bytes(size))
    assert not check(der(rsa_key(2048)), "RSASSA_2048", "sha384", V12, bytes(size))
    assert not check(der(rsa_key(2048)), "RSAPSS_2048", "sha384", V12, bytes(size))
