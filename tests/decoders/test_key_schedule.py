"""The key schedule against published vectors (RFC 5869, RFC 8439, NIST GCM) and the log of a real requester."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from decoders.key_schedule import Line, Suite, aead_open
from tests.decoders.spdm_runs import settings

LOG = Path(__file__).parents[1] / "data" / "secured" / "tf-rmm-head-nominal.secured.jsonl"


def derived() -> dict[str, bytes]:
    """What TF-RMM's requester noted when the keys of its session were derived (SPDM 1.2, SHA-384, AES-256-GCM)."""
    notes = [json.loads(line) for line in LOG.read_text().splitlines()]
    first, second = (next(n for n in notes if n["op"] == op) for op in ("handshake_key", "data_key"))
    out = {k: bytes.fromhex(v) for k, v in second.items() if k.endswith("_secret")}
    return out | {
        "dhe_secret": bytes.fromhex(first["dhe_secret"]),
        "th1": bytes.fromhex(first["th"]),
        "th2": bytes.fromhex(second["th"]),
    }


def test_hkdf_extract_and_expand_of_rfc_5869() -> None:
    """Test case 1 for the extraction; the expansion of its key by hand for a label of SPDM."""
    suite = Suite(0x12, "sha256", "AES-256-GCM")
    prk = suite.extract(bytes(range(13)), b"\x0b" * 22)
    assert prk.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"


def test_every_secret_of_a_real_session() -> None:
    suite, log = Suite(0x12, "sha384", "AES-256-GCM"), derived()
    handshake = suite.handshake_secret(log["dhe_secret"], psk=False)
    assert handshake == log["handshake_secret"]
    assert suite.master_secret(handshake) == log["master_secret"]
    for direction in ("request", "response"):
        assert suite.traffic_secret(handshake, direction, "handshake", log["th1"]) == log[f"{direction}_handshake_secret"]
        assert suite.traffic_secret(log["master_secret"], direction, "data", log["th2"]) == log[f"{direction}_data_secret"]


def test_finished_keys_and_verify_data() -> None:
    """The finished key of the emulator's log, and the verify data that it made and sent in FINISH."""
    import hashlib
    import hmac

    logged = settings("doe_v12_measall")["key_schedule_from_log"]
    secret = bytes.fromhex(next(v for n, v in logged if n == "request_handshake_secret"))
    keys = [bytes.fromhex(v) for n, v in logged if n == "finished_key"]
    suite = Suite(0x12, "sha384", "AES-256-GCM")
    expected = [hmac.new(k, hashlib.sha384(b"transcript").digest(), "sha384").digest() for k in keys]
    assert suite.verify_data(secret, b"transcript") in expected


def test_psk_salt_is_all_ones_since_1_3() -> None:
    old, new = Suite(0x12, "sha256", "AES-256-GCM"), Suite(0x13, "sha256", "AES-256-GCM")
    assert old.handshake_secret(b"k", psk=True) == old.extract(bytes(32), b"k") != old.extract(b"\xff" * 32, b"k")
    assert new.handshake_secret(b"k", psk=True) == new.extract(b"\xff" * 32, b"k")
    assert new.handshake_secret(b"k", psk=False) == new.extract(bytes(32), b"k")


def test_version_is_part_of_every_label() -> None:
    a, b = Suite(0x11, "sha256", "AES-256-GCM"), Suite(0x12, "sha256", "AES-256-GCM")
    assert a.master_secret(b"x") != b.master_secret(b"x")


def test_expand_gives_more_than_one_block() -> None:
    suite = Suite(0x12, "sha256", "AES-256-GCM")
    assert len(suite.expand(b"s" * 32, "key", 80)) == 80


def test_aead_vectors() -> None:
    # RFC 8439 section 2.8.2
    key = bytes(range(0x80, 0xA0))
    nonce, aad = bytes.fromhex("070000004041424344454647"), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    sealed = bytes.fromhex(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e06"
        "0b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d265"
        "86cec64b6116" + "1ae10b594f09e26a7e902ecbd0600691"
    )
    assert aead_open("CHACHA20_POLY1305", key, nonce, aad, sealed).startswith(b"Ladies and Gentlemen of the class of '99")
    assert aead_open("CHACHA20_POLY1305", key, nonce, aad, sealed[:-1] + b"\0") is None
    # The GCM specification, test cases 2 (AES-128) and 14 (AES-256): all zeros
    for aead, size, sealed_hex in (
        ("AES-128-GCM", 16, "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"),
        ("AES-256-GCM", 32, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
    ):
        assert aead_open(aead, bytes(size), bytes(12), b"", bytes.fromhex(sealed_hex)) == bytes(16)


def test_sm4_gcm_of_rfc_8998() -> None:
    key, iv = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes.fromhex("00001234567800000000abcd")
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15"
        "a56834cbcf98c397b4024a2691233b8d" + "83de3541e4c2b58177e065a9bf7b62ec"
    )
    try:
        plain = aead_open("AEAD_SM4_GCM", key, iv, aad, sealed)
    except LookupError:
        pytest.skip("this machine has an OpenSSL without SM4-GCM")
    assert plain == b"".join(bytes([b]) * 8 for b in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))


def test_an_aead_that_does_not_exist() -> None:
    with pytest.raises(LookupError):
        aead_open("ROT13", b"", b"", b"", bytes(16))


def test_nonce_holds_the_sequence_number() -> None:
    line = Line(Suite(0x12, "sha256", "AES-256-GCM"), b"", bytes(32), bytes.fromhex("ff00ff00ff00ff00ff00ff00"))
    # little-endian from byte 0: 0x0102 is 02 01 00 ...
    assert line.nonce(0x0102).hex() == "fd01ff00ff00ff00ff00ff00"
    assert line.nonce(0x0102, big_endian=True).hex() == "ff00ff00ff00ff00ff00fe02"
    assert line.nonce(0) == line.iv
    assert line.updated() is None
