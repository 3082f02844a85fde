"""The session: transcripts against those of a real requester, and the bounds of what is kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from decoders.spdm import SecureSession, Session, decode_spdm
from decoders.spdm.algorithms import Algorithms
from decoders.spdm.session import MAX_CHAIN, MAX_PROOFS, MAX_SESSIONS
from decoders.spdm.summary import Summed
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


def test_a_saved_negotiation_can_be_given() -> None:
    session = Session(preset_vca=b"earlier")
    session.negotiated(None, bytes.fromhex("10040000"))
    assert session.vca == b"earlier"


def test_proofs_are_taken_or_capped() -> None:
    session = Session()
    proofs = [Summed("CHALLENGE_AUTH", bytes([i]), 1, None, session.blocks) for i in range(MAX_PROOFS + 3)]
    session.proofs.extend(proofs)
    assert session.take_proofs() == proofs[3:]
    assert session.take_proofs() == []


def test_what_is_missing_of_the_negotiation() -> None:
    session = Session()
    assert session.vca_lacks == "GET_VERSION is not in this capture"
    for code in (0x04, 0x61, 0x63):
        session.negotiated(bytes((0x12, code | 0x80)), bytes((0x12, code)))
    assert session.vca_lacks is None
    session.gap("cut", 0xE1)
    assert session.vca_lacks == "cut"
    assert Session(preset_vca=b"earlier").vca_lacks is None


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


def test_portions_of_what_says_its_length() -> None:
    """Offset or remainder are at odds with the length: the length counts."""
    session = Session()
    assert session.portion("responder", 0, 0, b"abc", 3, 6) is None
    assert session.portion("responder", 0, 100, b"d", 2, 6) is None  # 3 + 1 + 2
    assert session.portion("responder", 0, -1, b"e", 1, 6) is None
    assert session.portion("responder", 0, 5, b"f", 256, 6) == b"abcdef"
    assert session.portion("responder", 0, -1, b"g", 0, 6) is None


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
