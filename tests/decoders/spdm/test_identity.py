"""Digests, certificate chains and challenges, written by hand."""

from __future__ import annotations

from decoders.spdm import Capabilities, Session
from tests.decoders.spdm.hand import HASH, REQ_SIGNATURE, SIGNATURE, decode, fill, get, negotiated, notes, value

CERTIFICATE = "3082 0100" + fill(0xC0, 256)  # a DER SEQUENCE of 4 + 256 bytes
CHAIN_SIZE = 4 + HASH + 2 * 260
CHAIN = bytes.fromhex(CHAIN_SIZE.to_bytes(2, "little").hex() + "0000" + fill(0xAA, HASH) + CERTIFICATE * 2)


def test_digests_of_slots() -> None:
    session = negotiated()
    tree = decode("12 01 00 05" + fill(1, HASH) + fill(2, HASH), session)
    assert (value(tree, "Digest[0]"), value(tree, "Digest[1]")) == (b"\1" * HASH, b"\2" * HASH)
    assert tree.text == "slots 0, 2"
    assert session.chain_hashes == {("responder", 0): b"\1" * HASH, ("responder", 2): b"\2" * HASH}
    assert get(tree, "SlotMask").text == "0x05 (slots 0, 2)"
    assert notes(tree) == []
    assert decode("12 01 00 00", session).text == "no slot"


def test_digests_with_keys() -> None:
    session = negotiated()
    session.responder_multi_key = True
    tree = decode("13 01 07 02" + fill(1, HASH) + "05 02 0300", session)
    assert value(tree, "SupportedSlotMask") == 7
    assert (value(tree, "KeyPairID[0]"), get(tree, "CertificateInfo[0].CertModel").text) == (5, "AliasCert (2)")
    assert get(tree, "KeyUsageMask[0]").text == "KeyExUse | ChallengeUse"
    assert session.digests["responder"] == bytes.fromhex("13010702" + fill(1, HASH) + "05020300")


def test_digests_without_negotiation() -> None:
    # 2 slots: 64 bytes are two hashes of 32
    tree = decode("12 01 00 03" + fill(7, 64))
    assert get(tree, "Digest[1]").size == 32
    assert tree.severity == "note"
    # 1.3, one slot: 52 bytes are a hash of 48 and what a key pair has
    keyed = decode("13 01 01 01" + fill(7, 48) + "01 01 0100")
    assert value(keyed, "KeyPairID[0]") == 1


def test_get_certificate() -> None:
    tree = decode("12 82 02 00 0004 0002")
    assert (tree.text, value(tree, "Offset"), value(tree, "Length")) == ("slot 2, 512 bytes from 1024", 0x400, 0x200)
    assert get(decode("12 82 09 00 0000 0000"), "Param1.SlotID").severity == "warning"
    assert value(decode("13 82 00 01 0000 0000"), "Param2.SlotSizeRequested") == 1
    large = decode("14 82 80 00 0000 0000 00000100 f0ff0200")
    assert large.text == "slot 0, 196592 bytes from 65536"


def portion(offset: int, size: int, slot: int = 0, level: str = "") -> tuple[str, str]:
    """A request for a part of CHAIN and its answer."""
    part = CHAIN[offset : offset + size]
    left = len(CHAIN) - offset - len(part)
    ask = f"12 82 {slot:02x} 00 {offset.to_bytes(2, 'little').hex()} {size.to_bytes(2, 'little').hex()}"
    answer = f"12 02 {slot:02x} 00 {len(part).to_bytes(2, 'little').hex()} {left.to_bytes(2, 'little').hex()} {part.hex()}"
    return ask, answer


def test_a_whole_chain() -> None:
    session = negotiated()
    ask, answer = portion(0, 0xFFF)
    decode(ask, session)
    tree = decode(answer, session)
    chain = get(tree, "CertChain")
    assert [(n.name, n.offset, n.size) for n in chain.children] == [
        ("Length", 8, 2),
        ("Reserved", 10, 2),
        ("RootHash", 12, HASH),
        ("Certificate[0]", 12 + HASH, 260),
        ("Certificate[1]", 12 + HASH + 260, 260),
    ]
    assert session.chains == {("responder", 0): CHAIN}
    assert tree.child("CertificateChain") is None


def test_a_chain_in_portions() -> None:
    session = negotiated()
    tree = None
    for offset in range(0, CHAIN_SIZE, 200):
        for step in portion(offset, 200, slot=1):
            tree = decode(step, session)
            assert [n for n in notes(tree) if n[1] == "error"] == []
    assert session.chains == {("responder", 1): CHAIN}
    assert tree is not None
    whole = get(tree, "CertificateChain")
    assert (whole.value, whole.offset) == (CHAIN, None)
    assert [n.name for n in whole.children] == ["Length", "Reserved", "RootHash", "Certificate[0]", "Certificate[1]"]
    assert all(n.offset is None for n in whole.walk())


def test_a_chain_and_what_is_said_of_it() -> None:
    """A hash that DIGESTS gave before the chain was read may be that of the chain before."""
    session = negotiated()
    decode("12 01 00 01" + fill(1, HASH), session)
    for step in portion(0, 4000):
        decode(step, session)
    assert session.chain_hashes == {}
    decode("12 01 00 01" + fill(2, HASH), session)
    assert session.chain_hashes == {("responder", 0): b"\2" * HASH}


def test_a_portion_is_missing() -> None:
    session = negotiated()
    for offset in (0, 400):
        for step in portion(offset, 200 if not offset else 4000):
            decode(step, session)
    assert session.chains == {}


def test_a_chain_asked_for_twice() -> None:
    session = negotiated()
    for offset, size in ((0, 100), (0, 300), (300, 4000)):
        for step in portion(offset, size):
            decode(step, session)
    assert session.chains == {("responder", 0): CHAIN}


def test_a_certificate_without_its_request() -> None:
    """The chain's own length says that this is all of it; the size of the root hash comes from what follows it."""
    tree = decode(portion(0, 4000)[1])
    assert get(tree, "CertChain.RootHash").size == HASH
    assert [n.name for n in get(tree, "CertChain").children][-1] == "Certificate[1]"
    part = decode(portion(200, 200)[1])
    assert get(part, "CertChain").children == ()


def test_a_large_chain() -> None:
    size = 4 + HASH + 260
    chain = size.to_bytes(4, "little").hex() + fill(0xAA, HASH) + CERTIFICATE
    session = negotiated()
    decode("14 82 80 00 0000 0000 00000000 00000100", session)
    tree = decode(f"14 02 80 01 0000 0000 {size.to_bytes(4, 'little').hex()} 00000000 {chain}", session)
    assert value(tree, "CertChain.Length") == size
    assert tree.find("CertChain.Reserved") is None  # 1.4: four bytes of length
    assert get(tree, "CertChain.Certificate[0]").size == 260
    assert session.chains["responder", 0] == bytes.fromhex(chain)


def test_the_requesters_chain() -> None:
    session = negotiated()
    ask, answer = portion(0, 4000, slot=3)
    decode("12 6a 01 00" + ask, session)
    decode("12 eb 01 00" + answer, session)
    assert session.chains == {("requester", 3): CHAIN}


def test_challenge() -> None:
    tree = decode("13 83 00 ff" + fill(5, 32) + fill(6, 8))
    assert tree.text == "slot 0, AllMeasurementsHash"
    assert (value(tree, "Nonce"), value(tree, "RequesterContext")) == (b"\5" * 32, b"\6" * 8)
    assert get(decode("12 83 ff 00" + fill(5, 32)), "SlotID").text == "provisioned public key (0xff)"
    assert get(decode("12 83 00 77" + fill(5, 32)), "MeasurementSummaryHashType").severity == "warning"


def answer(summary: bool, opaque: str = "0000", version: str = "12", signature: int = SIGNATURE) -> str:
    context = fill(6, 8) if version == "13" else ""
    hashes = fill(1, HASH) + fill(2, 32) + (fill(3, HASH) if summary else "")
    return f"{version} 03 80 01" + hashes + opaque + context + fill(4, signature)


def test_challenge_auth() -> None:
    session = negotiated()
    decode("13 83 00 01" + fill(5, 32) + fill(6, 8), session)
    tree = decode(answer(True, "0200 abcd", "13"), session)
    assert [(n.name, n.size) for n in tree.children[4:]] == [
        ("CertChainHash", HASH),
        ("Nonce", 32),
        ("MeasurementSummaryHash", HASH),
        ("OpaqueDataLength", 2),
        ("OpaqueData", 2),
        ("RequesterContext", 8),
        ("Signature", SIGNATURE),
    ]
    assert value(tree, "Param1.BasicMutAuthReq") == 1
    assert session.chain_hashes["responder", 0] == b"\1" * HASH


def test_no_summary_where_none_was_asked_for_or_none_is_able() -> None:
    session = negotiated()
    decode("12 83 00 00" + fill(5, 32), session)
    assert decode(answer(False), session).child("MeasurementSummaryHash") is None
    session.responder = Capabilities(0)  # no MEAS_CAP
    decode("12 83 00 ff" + fill(5, 32), session)
    assert decode(answer(False), session).child("MeasurementSummaryHash") is None


def test_the_encapsulated_answer_has_the_requesters_signature() -> None:
    session = negotiated()
    decode("12 6b 02 01 01 000000" + "12 83 00 00" + fill(5, 32), session)
    tree = decode("12 eb 02 00" + answer(False, signature=REQ_SIGNATURE), session)
    assert get(tree, "CHALLENGE_AUTH.Signature").size == REQ_SIGNATURE
    assert notes(tree) == []
    assert ("requester", 0) in session.chain_hashes


def test_challenge_auth_alone() -> None:
    """Without negotiation and request: the length fits one set of sizes only."""
    tree = decode(answer(True), Session())
    assert get(tree, "Signature").size == SIGNATURE
    assert tree.severity == "note"


def test_responses_that_do_not_repeat_what_was_asked() -> None:
    session = negotiated()
    decode("12 82 01 00 0000 0004", session)
    wrong = decode("12 02 03 00 0400 0000 aabbccdd", session)
    assert (wrong.note, wrong.severity) == ("slot 3, the request said 1", "warning")
    nonce, session = fill(0xCC, 32), negotiated()
    decode("13 83 00 00" + nonce + "1122334455667788", session)
    answer = "13 03 00 01" + fill(0xAA, HASH) + nonce + "0000" + "1122334455667700" + fill(0xBB, SIGNATURE)
    assert decode(answer, session).note == "RequesterContext 1122334455667700, the request said 1122334455667788"
    decode("13 83 00 00" + nonce + "1122334455667788", session)
    assert decode(answer.replace("667700", "667788"), session).note is None
