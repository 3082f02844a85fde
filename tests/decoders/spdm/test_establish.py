"""Secure sessions, written by hand: what is read, and what the session keeps for the keys."""

from __future__ import annotations

import pytest

from decoders.spdm import SecureSession, Session
from tests.decoders.spdm.hand import EXCHANGE, HASH, REQ_SIGNATURE, SIGNATURE, decode, fill, get, negotiated, notes, value

CLEAR = 1 << 15  # HANDSHAKE_IN_THE_CLEAR
ENCRYPT = 1 << 6
MEAS = 2 << 3
# version list 1.1, 1.2: 4 + 2 + 2 + (2 + 1 + 4 = 7) + 1 of padding = 16 = 0x10 bytes
SUPPORTED = "1000 01 000000 00 00 0700 01 01 02 0011 0012 00"
SELECTED = "0c00 01 000000 00 00 0400 01 00 0012"


def key_exchange(kind: str = "ff", half: str = "cdab", version: str = "12") -> str:
    return f"{version} e4 {kind} 00 {half} 01 00 {fill(1, 32)} {fill(2, EXCHANGE)} {SUPPORTED}"


def key_exchange_rsp(half: str = "3412", summary: bool = True, verify: bool = False, mutual: str = "00 00") -> str:
    hashes = fill(4, HASH) if summary else ""
    tail = fill(6, SIGNATURE) + (fill(7, HASH) if verify else "")
    return f"12 64 f0 00 {half} {mutual} {fill(3, 32)} {fill(5, EXCHANGE)} {hashes} {SELECTED} {tail}"


def opened(session: Session, **more: object) -> SecureSession:
    decode(key_exchange(), session)
    decode(key_exchange_rsp(**more), session)  # type: ignore[arg-type]
    return session.history[-1]


def test_key_exchange() -> None:
    tree = decode(key_exchange(), negotiated())
    assert notes(tree) == []
    assert (value(tree, "ReqSessionID"), value(tree, "RandomData")) == (0xABCD, b"\1" * 32)
    assert get(tree, "ExchangeData").size == EXCHANGE
    assert value(tree, "SessionPolicy.TerminationPolicy") == 1
    assert get(tree, "OpaqueData").text == "secured messages 1.1, 1.2 supported"
    assert get(decode(key_exchange(version="11"), negotiated(other_params=0)), "SessionPolicy").severity == "warning"


def test_key_exchange_rsp_opens_a_session() -> None:
    session = negotiated(MEAS | CLEAR)
    decode("12 01 00 01" + fill(8, HASH), session)
    tree = None
    for step in (key_exchange(), key_exchange_rsp(mutual="02 03")):
        tree = decode(step, session)
        assert notes(tree) == []
    assert tree is not None
    assert [n.name for n in tree.children[8:]] == [
        "ExchangeData",
        "MeasurementSummaryHash",
        "OpaqueDataLength",
        "OpaqueData",
        "Signature",
    ]
    secure = session.sessions[0x1234ABCD]  # the responder's half is the upper one
    assert (secure.psk, secure.version, secure.secured_version, secure.slot, secure.phase) == (False, 0x12, 0x12, 0, "handshake")
    assert secure.request == bytes.fromhex(key_exchange())
    assert secure.response == bytes.fromhex(key_exchange_rsp(mutual="02 03"))
    assert secure.signed == len(secure.response)
    assert secure.chain_hash == b"\x08" * HASH
    assert secure.req_slot == 3
    assert (secure.mac_only, secure.handshake_in_the_clear) == (True, True)


def test_verify_data_only_without_handshake_in_the_clear() -> None:
    session = negotiated(MEAS | ENCRYPT)
    secure = opened(session, verify=True)
    assert secure.signed == len(secure.response) - HASH
    assert (secure.mac_only, secure.handshake_in_the_clear) == (False, False)
    # capabilities unknown: the length says it
    unknown = negotiated()
    unknown.requester = unknown.responder = None
    decode(key_exchange(), unknown)
    tree = decode(key_exchange_rsp(verify=True), unknown)
    assert tree.child("ResponderVerifyData") is not None
    assert tree.severity == "note"


def test_nothing_opens_without_its_request() -> None:
    session = negotiated(MEAS | CLEAR)
    decode(key_exchange_rsp(), session)
    assert session.sessions == {}
    decode(key_exchange(), session)
    decode("12 7f 03 00", session)  # busy
    assert session.sessions == {}


def test_finish_in_the_clear() -> None:
    session = negotiated(MEAS | CLEAR)
    secure = opened(session)
    session.chains["requester", 1] = b"chain"
    tree = decode("12 e5 01 01" + fill(9, REQ_SIGNATURE) + fill(10, HASH), session)
    assert [(n.name, n.size) for n in tree.children[4:]] == [("Signature", REQ_SIGNATURE), ("RequesterVerifyData", HASH)]
    assert secure.phase == "handshake"
    answer = decode("12 65 00 00" + fill(11, HASH), session)
    assert [n.name for n in answer.children[4:]] == ["ResponderVerifyData"]
    assert secure.phase == "application"
    assert (secure.req_slot, secure.req_chain) == (1, b"chain")
    assert secure.finish is not None
    assert secure.finish_rsp is not None


def test_finish_inside_the_session() -> None:
    session = negotiated(MEAS)
    secure = opened(session, verify=True)
    with session.within(secure.session_id):
        decode("12 e5 00 00" + fill(10, HASH), session)
        tree = decode("12 65 00 00", session)
    assert notes(tree) == []
    assert tree.child("ResponderVerifyData") is None
    assert secure.phase == "application"
    assert secure.req_slot is None


def test_finish_of_1_4_has_opaque_data_first() -> None:
    session = negotiated(MEAS | CLEAR)
    tree = decode("14 e5 00 00 0200 abcd" + fill(10, HASH), session)
    assert [(n.name, n.size) for n in tree.children[4:]] == [
        ("OpaqueDataLength", 2),
        ("OpaqueData", 2),
        ("RequesterVerifyData", HASH),
    ]
    assert [n.name for n in decode("14 65 00 00 0000" + fill(11, HASH), session).children[4:]] == [
        "OpaqueDataLength",
        "OpaqueData",
        "ResponderVerifyData",
    ]


def psk(context: int, session: Session) -> SecureSession:
    decode(f"12 e6 00 00 ffff 0300 2000 0000 616263 {fill(1, 32)}", session)
    size = context.to_bytes(2, "little").hex()
    decode(f"12 66 00 00 ffff 0000 {size} 0c00 {fill(2, context)} {SELECTED[5:]} {fill(3, HASH)}", session)
    return session.sessions[0xFFFFFFFF]


def test_psk() -> None:
    session = negotiated()
    secure = psk(32, session)
    assert (secure.psk, secure.phase, secure.secured_version) == (True, "handshake", 0x12)
    assert secure.signed == len(secure.response) - HASH
    with session.within(0xFFFFFFFF):
        decode("12 e7 00 00" + fill(4, HASH), session)
        decode("12 67 00 00", session)
    assert secure.phase == "application"


def test_psk_without_context_needs_no_finish() -> None:
    session = negotiated()
    assert psk(0, session).phase == "application"


def test_psk_exchange_fields() -> None:
    tree = decode(f"12 e6 ff 01 ffff 0300 2000 0000 616263 {fill(1, 32)}", negotiated())
    assert (value(tree, "PSKHint"), value(tree, "RequesterContext")) == (b"abc", b"\1" * 32)
    assert value(tree, "SessionPolicy.TerminationPolicy") == 1
    assert get(tree, "PSKHint").text == "'abc'"
    assert get(decode(f"12 e6 ff 01 ffff 0200 2000 0000 1b63 {fill(1, 32)}", negotiated()), "PSKHint").text == "1b63"
    short = decode("12 e6 ff 01 ffff ff00 2000 0000 616263", negotiated())
    assert get(short, "PSKHint").severity == "error"


def test_sessions_are_counted() -> None:
    session = negotiated(MEAS | CLEAR)
    first = opened(session)
    second = psk(0, session)
    third = opened(session)
    assert [(s.number, s.number_of_kind) for s in (first, second, third)] == [(0, 0), (1, 0), (2, 1)]
    assert first.phase == "ended"  # its id is another session's now
    assert session.sessions[0x1234ABCD] is third
    assert session.history == [first, second, third]


@pytest.mark.parametrize(
    ("steps", "generations"),
    [
        (["12 e9 01 05", "12 69 01 05"], (1, 0)),
        (["12 e9 02 05", "12 69 02 05"], (1, 1)),
        (["12 e9 02 05", "12 7f 03 00"], (0, 0)),  # busy: no key changes
        (["12 e9 02 05", "12 7f 42 00 01 e9 02 02", "12 ff e9 02", "12 69 02 05"], (1, 1)),  # not ready: when it is
        (["12 e9 03 05", "12 69 03 05"], (0, 0)),  # verify new key
        (["12 ea 00 00", "12 6a 01 00 12 e9 01 05", "12 eb 01 00 12 69 01 05"], (0, 1)),  # the responder's own
        (["12 e9 01 05", "12 69 01 05", "12 e9 02 06", "12 69 02 06"], (2, 1)),
    ],
)
def test_key_update(steps: list[str], generations: tuple[int, int]) -> None:
    session = negotiated(MEAS | CLEAR)
    secure = opened(session)
    with session.within(secure.session_id):
        for step in steps:
            assert [n for n in notes(decode(step, session)) if n[1] == "error"] == []
    assert (secure.request_generation, secure.response_generation) == generations
    assert secure.pending_update is None


def test_key_update_text() -> None:
    assert decode("12 e9 02 ab").text == "UpdateAllKeys, tag 0xab"
    assert get(decode("12 e9 07 ab"), "KeyOperation").severity == "warning"


def test_end_session() -> None:
    session = negotiated(MEAS | CLEAR)
    secure = opened(session)
    with session.within(secure.session_id):
        assert decode("12 ec 01 00", session).text == "negotiated state cleared"
        assert secure.phase == "handshake"
        decode("12 6c 00 00", session)
    assert secure.phase == "ended"
    assert decode("12 ec 00 00").text == "negotiated state preserved"
    assert decode("12 e8 00 00").name == "HEARTBEAT"


def test_kem_sizes() -> None:
    """ML-KEM-768: the requester sends 1184 bytes of key, the responder 1088 of cipher text."""
    session = negotiated(CLEAR, kem=2)
    request = f"14 e4 00 00 cdab 00 00 {fill(1, 32)} {fill(2, 1184)} 0000"
    assert get(decode(request, session), "ExchangeData").size == 1184
    answer = f"14 64 00 00 3412 00 00 {fill(3, 32)} {fill(5, 1088)} 0000 {fill(6, SIGNATURE)}"
    assert get(decode(answer, session), "ExchangeData").size == 1088
