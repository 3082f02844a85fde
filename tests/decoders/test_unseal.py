"""Which key, direction and number a message has: messages sealed here with the cryptography package."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from decoders.key_schedule import Line, Suite
from decoders.keylog import Secrets, parse_keylog
from decoders.spdm.algorithms import Algorithms
from decoders.spdm.session import ENCRYPT_CAP, Capabilities, SecureSession
from decoders.unseal import GIVE_UP, REPEATS, WINDOW, Opened, Refused, Sealed, SessionKeys

SUITE = Suite(0x12, "sha384", "AES-256-GCM")
DHE = b"\x5a" * 48
ID = 0xFFFEFFFF


def session(*, encrypt: bool = True, known: bool = True) -> SecureSession:
    """A session after its handshake, with a transcript of nothing in particular."""
    side = Capabilities(flags=ENCRYPT_CAP if encrypt else 0)
    return SecureSession(
        session_id=ID,
        psk=False,
        version=0x12,
        algorithms=Algorithms(base_hash=2, aead=2) if known else Algorithms(),
        vca=b"vca",
        request=b"key exchange",
        response=b"key exchange rsp",
        signed=16,
        requester=side if known else None,
        responder=side if known else None,
        chain=b"chain",
        finish=b"finish",
        finish_rsp=b"finish rsp",
        phase="application",
    )


def keys(secure: SecureSession | None = None, log: str | None = None) -> SessionKeys:
    secure = session() if secure is None else secure
    return SessionKeys(ID, secure, parse_keylog(f"DHE * {DHE.hex()}" if log is None else log))


class Peer:
    """One side's sending: what it seals can be opened with the keys of the same secret."""

    def __init__(self, direction: str, secure: SecureSession) -> None:
        master = SUITE.master_secret(SUITE.handshake_secret(DHE, psk=False))
        th2 = SUITE.digest(secure.th2(SUITE.digest))
        self.line = Line.of(SUITE, SUITE.traffic_secret(master, direction, "data", th2))

    def seal(self, text: bytes, *, low: bool = False, big: bool = False, mac_only: bool = False) -> Sealed:
        number = self.line.sequence
        self.line.sequence += 1
        associated = b"head" + len(text).to_bytes(2, "little")
        nonce = self.line.nonce(number, big)
        if mac_only:
            sealed = text + AESGCM(self.line.key).encrypt(nonce, b"", associated + text)
        else:
            sealed = AESGCM(self.line.key).encrypt(nonce, text, associated)
        return Sealed(associated, sealed, number & 0xFFFF if low else None)

    def update(self) -> None:
        self.line = self.line.updated()


def pair() -> tuple[Peer, Peer, SessionKeys]:
    secure = session()
    return Peer("request", secure), Peer("response", secure), keys(secure)


def test_requests_and_responses_in_turn() -> None:
    req, rsp, k = pair()
    for i in range(3):
        assert k.open(req.seal(b"?")) == Opened(b"?", "request", i, "data", 0, False)
        assert k.open(rsp.seal(b"!")) == Opened(b"!", "response", i, "data", 0, False)


def test_key_update_that_is_refused_first() -> None:
    req, rsp, k = pair()
    said = [req.seal(b"update all"), rsp.seal(b"busy"), req.seal(b"update all")]
    rsp.update()
    said.append(rsp.seal(b"ack with the new key"))
    req.update()
    said += [req.seal(b"verify"), rsp.seal(b"verified")]
    opened = [k.open(m) for m in said]
    assert [(o.direction, o.sequence, o.generation) for o in opened] == [
        ("request", 0, 0),
        ("response", 0, 0),
        ("request", 1, 0),
        ("response", 0, 1),
        ("request", 0, 1),
        ("response", 1, 1),
    ]


def test_update_of_the_request_key_alone() -> None:
    req, rsp, k = pair()
    assert isinstance(k.open(req.seal(b"update")), Opened)
    assert k.open(rsp.seal(b"ack")).generation == 0
    req.update()
    assert k.open(req.seal(b"verify")).generation == 1
    assert k.open(rsp.seal(b"verified")).generation == 0


def test_missing_messages_up_to_the_window() -> None:
    req, _, k = pair()
    k.open(req.seal(b"0"))
    req.line.sequence += WINDOW
    assert k.open(req.seal(b"far")).skipped == WINDOW
    req.line.sequence += WINDOW + 1
    assert k.open(req.seal(b"too far")).severity == "error"


def test_repeated_messages() -> None:
    req, _, k = pair()
    messages = [req.seal(b"%d" % i) for i in range(REPEATS + 3)]
    assert not any(k.open(m).repeated for m in messages)
    again = k.open(messages[-REPEATS])
    assert (again.repeated, again.sequence, again.skipped) == (True, 3, 0)
    assert k.open(req.seal(b"next")).sequence == REPEATS + 3
    assert isinstance(k.open(messages[0]), Refused)


def test_sequence_number_of_mctp_beyond_16_bits() -> None:
    req, _, k = pair()
    k.open(req.seal(b"0", low=True))
    req.line.sequence = 0xFFFF
    assert k.open(req.seal(b"a", low=True)).skipped == 0xFFFE
    opened = k.open(req.seal(b"b", low=True))
    assert (opened.sequence, opened.skipped) == (0x10000, 0)


def test_big_endian_sequence_numbers() -> None:
    req, rsp, k = pair()
    for peer in (req, rsp, req, rsp):
        assert isinstance(k.open(peer.seal(b"x", big=True)), Opened)
    assert k.big_endian is True


def test_mac_only() -> None:
    secure = session(encrypt=False)
    k = keys(secure)
    opened = k.open(Peer("request", secure).seal(b"in the clear", mac_only=True))
    assert (opened.plain, opened.mac_only) == (b"in the clear", True)


@pytest.mark.parametrize("mac_only", [False, True])
def test_negotiation_unknown(mac_only: bool) -> None:
    """Hash, AEAD and whether it is encrypted are found by trying."""
    secure = session(known=False)
    k = keys(secure)
    opened = k.open(Peer("response", secure).seal(b"x", mac_only=mac_only))
    assert (opened.plain, opened.direction, opened.mac_only) == (b"x", "response", mac_only)
    assert k.suite == SUITE


def test_wrong_secrets_cost_a_bounded_time() -> None:
    secure = session(known=False)
    k = keys(secure, "\n".join(f"DHE * {i:096x}" for i in range(4000)))
    k.secrets.trials = 1000
    sealed = Peer("request", secure).seal(b"x")
    start = time.process_time()
    said = [k.open(sealed).reason for _ in range(10 * GIVE_UP)]
    assert time.process_time() - start < 10
    assert "wrong secret" in said[0]
    assert said[-1] == "gave up: too many secrets were tried and did not fit"


def test_what_is_missing_is_said() -> None:
    secure = session()
    secure.chain = None
    refused = keys(secure).open(Sealed(b"head", bytes(20)))
    assert refused == Refused("keys cannot be derived without certificate chain of the responder's slot 0", "warning")


def test_a_chain_from_the_key_log() -> None:
    sender = Peer("request", session())
    secure = session()
    secure.chain = None
    k = keys(secure, f"DHE * {DHE.hex()}\nCHAIN responder 0 {b'chain'.hex()}")
    assert isinstance(k.open(sender.seal(b"x")), Opened)


def test_no_secrets() -> None:
    assert SessionKeys(ID, session(), Secrets()).open(Sealed(b"", bytes(16))) == Refused("no secrets given", "note")
    assert SessionKeys(ID, None, parse_keylog("PSK * 00")).open(Sealed(b"", bytes(16))).severity == "note"
