"""Ed448 against the test vectors of RFC 8032 7.4 and against the cryptography package."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

from decoders import ed448

KEY = "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480"
ONE_OCTET = (
    "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd77980"
    "5e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00"
)
ONE_OCTET_FOO = (
    "d4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2151f7647f11d8ca2ae279fb842d607217fce6e042f6815ea00"
    "0c85741de5c8da1144a6a1aba7f96de42505d7a7298524fda538fccbbb754f578c1cad10d54d0d5428407e85dcbc98a49155c13764e66c3c00"
)


@pytest.mark.parametrize(("signature", "context"), [(ONE_OCTET, b""), (ONE_OCTET_FOO, b"foo")], ids=["no context", "context"])
def test_rfc_8032(signature: str, context: bytes) -> None:
    """'1 octet' and '1 octet (with context)': both sign 03 with the same key."""
    key, value = bytes.fromhex(KEY), bytes.fromhex(signature)
    assert ed448.verify(key, value, b"\x03", context)
    assert not ed448.verify(key, value, b"\x03", context + b"x")
    assert not ed448.verify(key, value, b"\x04", context)


def test_against_cryptography() -> None:
    for size in (0, 1, 100):
        private = Ed448PrivateKey.generate()
        key, message = private.public_key().public_bytes_raw(), bytes(range(size))
        signature = bytearray(private.sign(message))
        assert ed448.verify(key, bytes(signature), message)
        for at in (0, 56, 57, 100, 113):
            changed = bytearray(signature)
            changed[at] ^= 1
            assert not ed448.verify(key, bytes(changed), message)


def test_no_keys() -> None:
    for key in (b"", bytes(56), b"\xff" * 57, bytes(56) + b"\x7f"):
        assert not ed448.verify(key, bytes.fromhex(ONE_OCTET), b"\x03")


def test_numbers_out_of_range() -> None:
    """S has to be below the order of the group (RFC 8032 5.2.7), a context has 255 bytes at most."""
    good = bytes.fromhex(ONE_OCTET)
    s = int.from_bytes(good[57:], "little") + ed448.L
    assert not ed448.verify(bytes.fromhex(KEY), good[:57] + s.to_bytes(57, "little"), b"\x03")
    assert not ed448.verify(bytes.fromhex(KEY), good, b"\x03", bytes(256))
