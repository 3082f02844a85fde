"""Key logs: every line form, what is wrong with bad ones, and the JSON forms."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.keylog import MAX_SECRETS, Secret, Secrets, parse_keylog, secrets_of


def test_every_line_form() -> None:
    log = parse_keylog(
        """\ufeff# of one run
        DHE 0xFFFFFFFF 00ff   # upper case and a comment
        kem * 0xAABB
        PSK 4294836222 01
        HANDSHAKE * 02
        MASTER * 03
        TRAFFIC * request handshake 04
        TRAFFIC 0x1 response data 05
        KEY 0x2 request 0607 000102030405060708090a0b

        CHAIN requester 3 3000
        PUBKEY responder 3001
        VCA 10840000 1004
        """.replace("\ufeff", "", 1)
    )
    assert log.problems == []
    assert log.secrets == [
        Secret("DHE", 0xFFFFFFFF, b"\x00\xff"),
        Secret("KEM", None, b"\xaa\xbb"),
        Secret("PSK", 0xFFFDFFFE, b"\x01"),
        Secret("HANDSHAKE", None, b"\x02"),
        Secret("MASTER", None, b"\x03"),
        Secret("TRAFFIC", None, b"\x04", "request", "handshake"),
        Secret("TRAFFIC", 1, b"\x05", "response", "data"),
        Secret("KEY", 2, b"\x06\x07", "request", "", bytes(range(12))),
    ]
    assert log.chains == {("requester", 3): b"\x30\x00"}
    assert log.public_keys == {"responder": b"\x30\x01"}
    assert log.vca == [b"\x10\x84\x00\x00", b"\x10\x04"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("DHE * zz", "not hex digits: 'zz'"),
        ("DHE *", "expected DHE SESSION SECRET"),
        ("DHE x 00", "not a number: 'x'"),
        ("DHE * 000", "not hex digits"),
        ("TRAFFIC * sideways data 00", "expected request or response, found 'sideways'"),
        ("TRAFFIC * request later 00", "expected handshake or data, found 'later'"),
        ("KEY * request 00 00", "an IV has 12 bytes, found 1"),
        ("PUBKEY responder", "expected PUBKEY responder|requester BYTES"),
        ("CHAIN nobody 0 00", "expected responder or requester"),
        ("CLIENT_RANDOM 00 00", "no secret of kind 'CLIENT_RANDOM'"),
        ("DHE * " + "00" * 5000, "expected 1 to 4096 bytes in hex"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_read(line: str, problem: str) -> None:
    log = parse_keylog(f"PSK * 01\n{line}\nPSK * 02\n")
    assert [s.value for s in log.secrets] == [b"\x01", b"\x02"]
    assert len(log.problems) == 1
    assert log.problems[0].startswith("line 2: ")
    assert problem in log.problems[0]


def test_secrets_of_a_session_come_before_those_of_any() -> None:
    log = parse_keylog("DHE * 01\nDHE 0x5 02\nPSK * 03\nDHE 0x6 04\n")
    assert [s.value for s in log.of(5, "DHE", "KEM")] == [b"\x02", b"\x01"]
    assert bool(log)
    assert not Secrets()


def test_json_of_a_run() -> None:
    text = json.dumps({"dhe_secret": ["0a"], "kem_secret": [], "psk": ["0b", "0c"], "packets": 3})
    assert [(s.kind, s.value) for s in parse_keylog(text).secrets] == [("DHE", b"\n"), ("PSK", b"\x0b"), ("PSK", b"\x0c")]
    assert secrets_of(json.loads(text)).secrets == parse_keylog(text).secrets


def test_json_lines_of_a_requester() -> None:
    lines = [
        {
            "op": "handshake_key",
            "dhe_secret": "01",
            "handshake_secret": "02",
            "master_secret": "0000",
            "request_handshake_secret": "03",
        },
        {"op": "encode", "key": "ff"},
        {"op": "data_key", "handshake_secret": "02", "master_secret": "04", "response_data_secret": "05"},
    ]
    log = parse_keylog("\n".join(map(json.dumps, lines)))
    assert [(s.kind, s.value, s.direction, s.phase) for s in log.secrets] == [
        ("DHE", b"\x01", None, ""),
        ("HANDSHAKE", b"\x02", None, ""),
        ("TRAFFIC", b"\x03", "request", "handshake"),
        ("MASTER", b"\x04", None, ""),
        ("TRAFFIC", b"\x05", "response", "data"),
    ]


@pytest.mark.parametrize(
    "text", ["{", '{"dhe_secret": ["zz"]}', '{"psk": "01"} nonsense', "[" * 5000, "{" * 5000, '{"dhe_secret": 5}']
)
def test_bad_json(text: str) -> None:
    log = parse_keylog(text)
    assert log.problems or not log.secrets


def test_secrets_of_other_things() -> None:
    given_ = parse_keylog("PSK * 01")
    assert secrets_of(given_) is given_
    assert secrets_of(None).problems == []
    assert secrets_of(17).problems == ["no secrets in a int"]


def test_secrets_are_bounded() -> None:
    log = parse_keylog("PSK * 01\n" * (MAX_SECRETS + 10))
    assert len(log.secrets) == MAX_SECRETS
    assert "more than" in log.problems[-1]


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    parse_keylog(text)
    parse_keylog("DHE * " + text)
    parse_keylog("{" + text)


def test_chains_in_the_json_form() -> None:
    secrets = parse_keylog('{"dhe_secret": ["aa"], "chains": ["requester 3 3000", "nobody 0 00"]}')
    assert secrets.chains == {("requester", 3): b"\x30\x00"}
    assert secrets.problems == ["value 1: CHAIN: expected responder or requester, found 'nobody'"]
