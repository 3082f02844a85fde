"""What a transcript consists of: the rules of DSP0274 on messages that stand for themselves."""

from __future__ import annotations

import pytest

from decoders.spdm.algorithms import Algorithms
from decoders.spdm.codes import GET_CERTIFICATE
from decoders.spdm.secure import SecureSession
from decoders.spdm.transcript import MAX_COVERED, MAX_RUNS, Covered, Hashed, chain_hashes, digests, heads, no_key


def filled(*parts: str) -> Covered:
    """Exchanges named by a letter, '|' where something begins again."""
    covered = Covered()
    for part in parts:
        if part == "|":
            covered.cut = True
        else:
            covered.add(part.upper().encode(), part.encode(), GET_CERTIFICATE)
    return covered


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], [b""]),
        (["a", "b"], [b"AaBb"]),
        (["a", "|", "b"], [b"Bb", b"AaBb"]),
        (["a", "|"], [b"", b"Aa"]),
        (["|", "a"], [b"Aa"]),
        (["a", "|", "|", "b", "|", "c"], [b"Cc", b"BbCc", b"AaBbCc"]),
    ],
)
def test_what_may_count(parts: list[str], expected: list[bytes]) -> None:
    assert [b"".join(held) for held in filled(*parts).candidates()] == expected


def test_runs_and_bytes_are_capped() -> None:
    covered = filled(*[x for i in range(10) for x in (chr(97 + i), "|")])
    assert len(list(covered.candidates())) == MAX_RUNS + 1
    covered.add(bytes(MAX_COVERED), b"", GET_CERTIFICATE)
    assert covered.lost == f"its transcript has more than {MAX_COVERED} bytes"
    assert list(covered.candidates()) == [()]
    covered.clear()
    assert covered.lost is None


def test_a_response_without_its_request() -> None:
    covered = filled("a")
    covered.add(None, b"b", GET_CERTIFICATE)
    assert covered.lost == "a GET_CERTIFICATE that its transcript covers is not in this capture"


def secure(**more: object) -> SecureSession:
    made = SecureSession(1, False, 0x13, Algorithms(), b"VCA", b"KE", b"RSP", 3)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_heads_of_a_session() -> None:
    assert heads(secure(psk=True)) == [(b"VCA",)]
    assert heads(secure()) == []
    assert heads(secure(chain=b"C")) == [(b"VCA", Hashed(b"C"))]
    assert heads(secure(chain=b"C", chain_hash=b"said")) == [(b"VCA", b"said"), (b"VCA", Hashed(b"C"))]
    assert heads(secure(slot=0xFF, chain=b"C", public_key=b"K")) == [(b"VCA", Hashed(b"K"))]
    several = heads(secure(chain=b"C", digests=b"last", first_digests=b"first"))
    assert several == [(b"VCA", b"last", Hashed(b"C")), (b"VCA", b"first", Hashed(b"C")), (b"VCA", Hashed(b"C"))]


def test_digests_count_on_multi_key_connections_only() -> None:
    assert digests(None, b"first") == [()]
    assert digests(b"same", b"same") == [(b"same",), ()]


def test_hashes_of_provisioned_keys() -> None:
    assert chain_hashes(0x0F, b"C", b"said", b"K") == [Hashed(b"K")]
    assert chain_hashes(0xFF, b"C", b"said", None) == []


def test_keys_that_are_not_known() -> None:
    assert no_key("responder", 0, b"C", None) is None
    assert no_key("requester", 3, None, b"K") == "the certificate chain of the requester's slot 3 is not in this capture"
    assert no_key("responder", 15, b"C", None) == "the responder's public key is a provisioned one, which no message carries"
    assert no_key("responder", 0xFF, None, b"K") is None
