"""Which messages a signature is made over: short conversations by hand, with letters in the place of what does not matter.

The rules are DSP0274's: M1/M2 has VCA, DIGESTS and CERTIFICATE with their requests, CHALLENGE and CHALLENGE_AUTH up to
the signature; L1/L2 the measurements since the last signature, with VCA since 1.2; ERROR and its request are in none.
"""

from __future__ import annotations

import pytest

from decoders.spdm import Session, decode_spdm
from decoders.spdm.transcript import Signed
from tests.decoders.spdm.hand import HASH, REQ_SIGNATURE, SIGNATURE, fill, negotiated

VCA = [bytes((0x12, code)) for code in (0x84, 0x04, 0xE1, 0x61, 0xE3, 0x63)]
GET_DIGESTS, DIGESTS = "12 81 00 00", f"12 01 00 01 {fill(0xD1, HASH)}"
GET_CERTIFICATE, CERTIFICATE = "12 82 00 00 0000 1000", f"12 02 00 00 0400 0000 {fill(4, 1)} 00 0000"
CHALLENGE = f"12 83 00 00 {fill(0xC1, 32)}"
CHALLENGE_AUTH = f"12 03 00 01 {fill(0xC2, HASH)} {fill(0xC3, 32)} 0000"
GET_MEASUREMENTS, MEASUREMENTS = "12 e0 00 01", f"12 60 00 00 00 000000 {fill(0xA1, 32)} 0000"
GET_SIGNED, SIGNED = f"12 e0 01 01 {fill(0xA2, 32)} 00", f"12 60 00 00 00 000000 {fill(0xA3, 32)} 0000"
ERROR, BUSY = "12 7f 01 00", "12 7f 03 00"
HEARTBEAT, HEARTBEAT_ACK = "12 e8 00 00", "12 68 00 00"
S = fill(0x51, SIGNATURE)


def connected(version: int = 0x12) -> Session:
    session = negotiated()
    session.version = version
    session.chains["responder", 0] = session.chains["requester", 0] = b"chain"
    for request, response in zip(VCA[::2], VCA[1::2], strict=True):
        session.negotiated(request, response)
    return session


def said(session: Session, *messages: str) -> list[Signed]:
    for message in messages:
        decode_spdm(bytes.fromhex(message), session=session)
    return [p for p in session.take_proofs() if isinstance(p, Signed)]


def joined(proof: Signed) -> list[bytes]:
    assert all(isinstance(part, bytes) for t in proof.transcripts for part in t)
    return [b"".join(part for part in t if isinstance(part, bytes)) for t in proof.transcripts]


def plain(*messages: str, vca: bool = True) -> bytes:
    return (b"".join(VCA) if vca else b"") + bytes.fromhex("".join(messages))


def test_challenge_auth() -> None:
    (one,) = said(connected(), GET_DIGESTS, DIGESTS, GET_CERTIFICATE, CERTIFICATE, CHALLENGE, CHALLENGE_AUTH + S)
    assert joined(one)[0] == plain(GET_DIGESTS, DIGESTS, GET_CERTIFICATE, CERTIFICATE, CHALLENGE, CHALLENGE_AUTH)
    assert (one.name, one.over, one.side, one.slot) == ("CHALLENGE_AUTH", "M1/M2", "responder", 0)
    assert (one.value, one.lacks) == (bytes.fromhex(S), None)


def test_challenge_auth_twice_begins_again() -> None:
    _, second = said(connected(), GET_DIGESTS, DIGESTS, CHALLENGE, CHALLENGE_AUTH + S, CHALLENGE, CHALLENGE_AUTH + S)
    assert joined(second) == [plain(CHALLENGE, CHALLENGE_AUTH)]


def test_a_refused_request_is_not_covered() -> None:
    (one,) = said(connected(), GET_DIGESTS, BUSY, GET_DIGESTS, DIGESTS, CHALLENGE, ERROR, CHALLENGE, CHALLENGE_AUTH + S)
    assert joined(one)[0] == plain(GET_DIGESTS, DIGESTS, CHALLENGE, CHALLENGE_AUTH)


def test_response_not_ready() -> None:
    """The response to RESPOND_IF_READY answers the CHALLENGE before it."""
    not_ready, respond = "12 7f 42 00 04 83 01 02", "12 ff 83 01"
    (one,) = said(connected(), CHALLENGE, not_ready, respond, CHALLENGE_AUTH + S)
    assert joined(one) == [plain(CHALLENGE, CHALLENGE_AUTH)]


def test_another_request_may_begin_m1_again() -> None:
    between = (GET_MEASUREMENTS, MEASUREMENTS)
    (one,) = said(connected(), GET_DIGESTS, DIGESTS, *between, CHALLENGE, CHALLENGE_AUTH + S)
    assert joined(one) == [plain(CHALLENGE, CHALLENGE_AUTH), plain(GET_DIGESTS, DIGESTS, CHALLENGE, CHALLENGE_AUTH)]


def test_measurements() -> None:
    (one,) = said(connected(), GET_MEASUREMENTS, MEASUREMENTS, GET_SIGNED, SIGNED + S)
    assert joined(one) == [plain(GET_MEASUREMENTS, MEASUREMENTS, GET_SIGNED, SIGNED)]
    assert (one.over, one.lacks) == ("L1/L2", None)


@pytest.mark.parametrize("between", [(GET_DIGESTS, DIGESTS), (GET_MEASUREMENTS, ERROR)])
def test_another_request_or_an_error_begins_l1_again(between: tuple[str, str]) -> None:
    (one,) = said(connected(), GET_MEASUREMENTS, MEASUREMENTS, *between, GET_SIGNED, SIGNED + S)
    assert joined(one)[0] == plain(GET_SIGNED, SIGNED)


def test_measurements_before_1_2_are_without_vca() -> None:
    old = [m.replace("12", "11", 1) for m in (GET_SIGNED, SIGNED + S)]
    (one,) = said(connected(0x11), *old)
    assert joined(one) == [plain(old[0], SIGNED.replace("12", "11", 1), vca=False)]


def test_measurements_of_a_session_are_its_own() -> None:
    session = connected()
    key_exchange = f"12 e4 00 00 0700 00 00 {fill(1, 32)} {fill(2, 96)} 0000"
    response = f"12 64 00 00 0700 00 00 {fill(1, 32)} {fill(2, 96)} 0000 {S}"
    said(session, GET_MEASUREMENTS, MEASUREMENTS, key_exchange, response)
    with session.within(0x00070007):
        (one,) = said(session, GET_SIGNED, SIGNED + S)
    assert joined(one) == [plain(GET_SIGNED, SIGNED)]


def delivered(message: str) -> str:
    return f"12 eb 01 00 {message}"


@pytest.mark.parametrize("version", [0x12, 0x11])
def test_the_requesters_challenge_auth(version: int) -> None:
    """It covers the encapsulated messages since GET_ENCAPSULATED_REQUEST, and VCA since 1.2."""
    signature = fill(0x52, REQ_SIGNATURE)
    acknowledged = "12 6b 01 01 00 000000" if version == 0x12 else "12 6b 01 01"
    flow = [
        "12 ea 00 00",
        f"12 6a 01 00 {GET_DIGESTS}",
        delivered(DIGESTS),
        f"{acknowledged} {CHALLENGE}",
        delivered(CHALLENGE_AUTH + signature),
    ]
    if version == 0x11:
        flow = ["11" + m[2:].replace(" 12 ", " 11 ") for m in flow]
    (one,) = said(connected(version), *flow)
    covered = [GET_DIGESTS, DIGESTS, CHALLENGE, CHALLENGE_AUTH]
    if version == 0x11:
        covered = ["11" + m[2:] for m in covered]
    assert joined(one)[0] == plain(*covered, vca=version == 0x12)
    assert (one.side, one.over) == ("requester", "M1/M2")


def test_endpoint_info() -> None:
    session = connected(0x13)
    asked, answer = f"13 87 01 00 01 000000 {fill(0xE1, 32)}", f"13 07 00 00 00000000 {fill(0xE2, 32)} 01000000 00"
    (one,) = said(session, GET_MEASUREMENTS, MEASUREMENTS, asked, answer + S)
    assert joined(one) == [plain(asked, answer)]
    assert one.over == "IL1/IL2"


@pytest.mark.parametrize(
    ("messages", "lacks"),
    [
        ([CHALLENGE_AUTH + S], "the CHALLENGE that it answers is not in this capture"),
        ([DIGESTS, CHALLENGE, CHALLENGE_AUTH + S], "a GET_DIGESTS that its transcript covers is not in this capture"),
        ([CHALLENGE, CHALLENGE_AUTH.replace("03 00", "03 02", 1) + S], "the certificate chain of the responder's slot 2 is not"),
        ([CHALLENGE, CHALLENGE_AUTH.replace("03 00", "03 0f", 1) + S], "the responder's public key is a provisioned one"),
    ],
)
def test_what_is_missing(messages: list[str], lacks: str) -> None:
    (one,) = said(connected(), *messages)
    assert (one.lacks or "").startswith(lacks)


def test_a_negotiation_that_is_missing() -> None:
    session = connected()
    session.reset()
    (one,) = said(session, CHALLENGE, CHALLENGE_AUTH + S)
    assert one.lacks == "the negotiation is not in this capture"
    session = negotiated()
    session.chains["responder", 0] = b"chain"
    (one,) = said(session, CHALLENGE, CHALLENGE_AUTH + S)
    assert one.lacks == "GET_VERSION is not in this capture"


@pytest.mark.parametrize("code", [0x83, 0x01, None])
def test_messages_that_were_not_recorded_whole(code: int | None) -> None:
    """A request: its own response; a part of the transcript: what comes later."""
    session = connected()
    said(session, GET_DIGESTS, DIGESTS, CHALLENGE)
    session.gap("cut", code)
    (one,) = said(session, CHALLENGE_AUTH + S)
    assert one.lacks == "cut"
    (one,) = said(session, CHALLENGE, CHALLENGE_AUTH + S)
    assert one.lacks == ("cut" if code is None else None)  # not known which: perhaps of the negotiation


def test_a_response_that_may_be_missing() -> None:
    """It may also never have come: then the signature verifies without it."""
    challenge = (CHALLENGE, CHALLENGE_AUTH + S)
    one, two = said(connected(), GET_DIGESTS, GET_DIGESTS, DIGESTS, *challenge, *challenge)
    assert (one.lacks, one.doubt) == (None, "the response to a GET_DIGESTS before it is not in this capture")
    assert joined(one)[0] == plain(GET_DIGESTS, DIGESTS, CHALLENGE, CHALLENGE_AUTH)
    assert two.doubt is None
    (one,) = said(connected(), GET_MEASUREMENTS, GET_SIGNED, SIGNED + S)
    assert one.doubt == "the response to a GET_MEASUREMENTS before it is not in this capture"
    (one,) = said(connected(), GET_MEASUREMENTS, BUSY, GET_SIGNED, SIGNED + S)
    assert one.doubt is None


def test_a_gap_within_a_session_is_only_its_own() -> None:
    session = connected()
    said(session, GET_DIGESTS, DIGESTS)
    with session.within(5):
        session.gap("cut")  # a session that was not opened
    (one,) = said(session, CHALLENGE, CHALLENGE_AUTH + S)
    assert one.lacks is None
