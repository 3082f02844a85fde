"""Sizes of algorithms, from DSP0274, FIPS 203 to 205 and the curves themselves."""

from __future__ import annotations

import hashlib

import pytest

from decoders.spdm.algorithms import (
    AEAD,
    BASE_ASYM,
    BASE_HASH,
    DHE,
    KEM,
    MEASUREMENT_HASH,
    PQC_ASYM,
    SIGNATURE_SIZES,
    Algorithms,
    Table,
    chosen,
)


@pytest.mark.parametrize(
    ("table", "sizes"),
    [
        # RSA: the modulus; ECDSA and SM2: r and s; Ed25519, Ed448: RFC 8032
        (BASE_ASYM, [256, 256, 384, 384, 2 * 32, 512, 512, 2 * 48, 2 * 66, 2 * 32, 64, 114]),
        (BASE_HASH, [32, 48, 64, 32, 48, 64, 32]),
        (MEASUREMENT_HASH, [0, 32, 48, 64, 32, 48, 64, 32]),
        # FFDHE: the prime; ECDHE: X and Y
        (DHE, [256, 384, 512, 2 * 32, 2 * 48, 2 * 66, 2 * 32]),
        (AEAD, [16, 32, 32, 16]),
        (PQC_ASYM, [2420, 3309, 4627, 7856, 7856, 17088, 17088, 16224, 16224, 35664, 35664, 29792, 29792, 49856, 49856]),
        (KEM, [800, 1184, 1568]),
    ],
)
def test_sizes_by_bit(table: Table, sizes: list[int]) -> None:
    assert [a.size for a in table] == sizes


def test_kem_answers_with_a_cipher_text() -> None:
    assert [a.reply for a in KEM] == [768, 1088, 1568]


def test_chosen_is_one_bit() -> None:
    assert chosen(BASE_HASH, 2) is BASE_HASH[1]
    assert chosen(BASE_HASH, 0) is None
    assert chosen(BASE_HASH, 3) is None
    assert chosen(BASE_HASH, 1 << 31) is None


def test_a_selection() -> None:
    classic = Algorithms(base_hash=2, base_asym=0x80, req_base_asym=8, dhe=0x10, aead=2, measurement_hash=8)
    assert (classic.hash_size, classic.signature_size, classic.req_signature_size) == (48, 96, 384)
    assert (classic.request_exchange_size, classic.response_exchange_size) == (96, 96)
    assert (classic.measurement_hash_size, classic.aead_name, classic.aead_key_size) == (64, "AES-256-GCM", 32)
    assert hashlib.new(classic.hash_name or "").digest_size == classic.hash_size


def test_pqc_takes_the_place_of_the_classic() -> None:
    both = Algorithms(base_asym=0x80, pqc_asym=2, req_base_asym=8, req_pqc_asym=4, dhe=0x10, kem=2)
    assert (both.signature_size, both.req_signature_size) == (3309, 4627)
    assert (both.request_exchange_size, both.response_exchange_size) == (1184, 1088)


def test_nothing_negotiated() -> None:
    none = Algorithms()
    assert (none.hash_size, none.signature_size, none.request_exchange_size, none.aead_key_size) == (0, 0, 0, 0)
    assert (none.hash_name, none.aead_name) == (None, None)
    assert 0 not in SIGNATURE_SIZES


def test_every_hash_has_its_size_in_hashlib() -> None:
    for bit, algorithm in enumerate(BASE_HASH):
        name = Algorithms(base_hash=1 << bit).hash_name
        assert name is not None
        if name in hashlib.algorithms_available:
            assert hashlib.new(name).digest_size == algorithm.size
