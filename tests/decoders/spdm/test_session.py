"""The session: transcripts against those of a real requester, and the bounds of what is kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from decoders.spdm import SecureSession, Session, decode_spdm
from decoders.spdm.algorithms import Algorithms
from decoders.spdm.session import MAX_CHAIN, MAX_LARGE, MAX_LOGGED, MAX_SESSIONS, Assembly
from tests.decoders.spdm.corpus import runs, trees

SECURED = Path(__file__).parents[2] / "data" / "secured"


def sha384(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()


@pytest.mark.parametrize("path", sorted(SECURED.glob("*.doe.jsonl")), ids=lambda p: p.name)
def test_transcripts_of_tf_rmm(path: Path) -> None:
    """TF-RMM's requester wrote down the hash of TH1 and TH2 of its sessions; the messages are those of its mailbox."""
    session = Session()
    for line in path.read_text().splitlines():
        record = json.loads(line)
        for key in ("req", "rsp"):
            if record["doe_type"] == 1 and record.get(key):
                decode_spdm(bytes.fromhex(record[key]), session=session)
    log = [json.loads(line) for line in path.with_name(path.name.replace(".doe.", ".secured.")).read_text().splitlines()]
    for operation, transcript in (("handshake_key", SecureSession.th1), ("data_key", SecureSession.th2)):
        hashes = [r["th"] for r in log if r["op"] == operation]
        assert hashes
        for expected, secure in zip(hashes, session.history, strict=True):
            data = transcript(secure, sha384)
            assert data is not None
            assert sha384(data).hex() == expected
            assert secure.missing == ()


def test_what_a_transcript_lacks() -> None:
    secure = SecureSession(1, False, 0x12, Algorithms(), b"", b"req", b"rsp", 3)
    assert secure.th1(sha384) is None
    assert secure.missing == ("negotiation (GET_VERSION to ALGORITHMS)", "certificate chain of the responder's slot 0")
    secure.vca = b"vca"
    secure.chain_hash = b"hash"  # DIGESTS is enough where the chain was not read
    assert secure.th1(sha384) == b"vcahashreqrsp"
    secure.chain = b"chain"
    assert secure.th1(sha384) == b"vca" + sha384(b"chain") + b"reqrsp"
    secure.digests = b"digests"
    assert secure.th1(sha384) == b"vcadigests" + sha384(b"chain") + b"reqrsp"
    assert secure.th2(sha384) is None  # no FINISH yet
    secure.finish, secure.finish_rsp = b"fin", b"ack"
    assert secure.th2(sha384) == b"vcadigests" + sha384(b"chain") + b"reqrspfinack"
    secure.req_slot = 1
    assert secure.th2(sha384) is None
    assert secure.missing == ("certificate chain of the requester's slot 1",)
    secure.req_chain_hash = b"mine"
    assert secure.th2(sha384) == b"vcadigests" + sha384(b"chain") + b"reqrspminefinack"


def test_verify_data_is_not_in_th1() -> None:
    secure = SecureSession(1, True, 0x12, Algorithms(), b"vca", b"req", b"rspVERIFY", 3)
    assert secure.th1(sha384) == b"vcareqrsp"
    assert secure.th2(sha384) is None
    secure.phase = "application"  # a PSK without context has no PSK_FINISH
    assert secure.th2(sha384) == b"vcareqrspVERIFY"


def test_a_saved_negotiation_can_be_given() -> None:
    session = Session(preset_vca=b"earlier")
    session.negotiated(None, bytes.fromhex("10040000"))
    assert session.vca == b"earlier"


def test_messages_are_capped() -> None:
    session = Session()
    for i in range(200):
        session.log(bytes([i]) * 65536)
    assert sum(len(m) for _, m in session.messages) <= MAX_LOGGED
    assert session.messages[-1] == (None, bytes([199]) * 65536)


def test_sessions_are_capped() -> None:
    session = Session()
    for i in range(MAX_SESSIONS + 5):
        session.open(SecureSession(i, False, 0x12, Algorithms(), b"", b"", b"", 0))
    assert len(session.sessions) == len(session.history) == MAX_SESSIONS
    assert (session.history[0].session_id, session.history[-1].number) == (5, MAX_SESSIONS + 4)


def test_portions() -> None:
    session = Session()
    assert session.portion("responder", 0, 0, b"abc", 3) is None
    assert session.portion("responder", 0, 3, b"def", 0) == b"abcdef"
    assert session.portions == {}
    assert session.portion("responder", 0, 4, b"gap", 0) is None
    assert session.portion("responder", 1, 0, bytes(MAX_CHAIN + 1), 0) is None


def test_assembly() -> None:
    large = Assembly(1, 6)
    assert large.add(0, b"abc") is None
    assert large.add(0, b"abc") is None  # sent again
    assert large.add(1, b"def") is None
    assert large.data == b"abcdef"
    assert large.add(2, b"g") is not None
    assert "above" in (Assembly(1, MAX_LARGE + 9).add(0, bytes(MAX_LARGE + 1)) or "")


def test_within() -> None:
    session = Session()
    secure = SecureSession(7, False, 0x12, Algorithms(), b"", b"", b"", 0)
    session.open(secure)
    with session.within(7):
        assert session.secure is secure
        assert session.line is secure.channel
        with session.within(None):
            assert session.line is session.channel
        assert session.secure is secure
    assert session.secure is None


@pytest.mark.parametrize("run", runs())
def test_sessions_of_a_run(run: str) -> None:
    """In every run the responder's chains hash to what DIGESTS says of them."""
    session = Session()
    for _ in trees(run, session):
        pass
    for where, chain in session.chains.items():
        if session.algorithms.hash_name and where in session.chain_hashes:
            assert hashlib.new(session.algorithms.hash_name, chain).digest() == session.chain_hashes[where]
