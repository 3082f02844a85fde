"""Whether what can be verified holds: on runs that the emulators completed, which proves that it did, and on changed ones."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from decoders.secured import open_secured, use_secrets
from decoders.spdm import Session, decode_spdm
from decoders.spdm.algorithms import Algorithms
from decoders.spdm.summary import Summed
from decoders.spdm.transcript import Finished, Hashed, Proof, Requested, Signed, Transcript
from decoders.tree import Node
from decoders.verification import verdict, with_verdicts
from tests.decoders.spdm_runs import DATA, RUNS, decoded, dumped, given, packets, settings

SECURED = DATA.parent / "secured"
CUT_BY_THE_PEER = "doe_v14_mldsa65_mlkem768"
"""spdm_dump stops in it at its 24th record."""


def proofs(run: str, secrets: object = None) -> list[Proof]:
    session = Session()
    found = []
    for _ in decoded(run, secrets, session):
        found += session.take_proofs()
    return found


def outcomes(found: list[Proof]) -> Counter[tuple[str, str, str]]:
    return Counter((p.name, p.field_name, verdict(p).outcome) for p in found)


def counted(run: str) -> Counter[tuple[str, str, str]]:
    """How many there are to verify, from what spdm_dump printed: names, who asked for a signature, and the capabilities."""
    lines = [line for line in dumped(run) if re.match(r"\d+ \(", line)]
    whole = [m for m in lines if "ErrCode=0x0f" not in m and (m.count(" SPDM_") > 1 or " SPDM_CHUNK_" not in m)]
    signed = [f"{line} {after}" for line, after in zip(whole, [*whole[1:], ""], strict=True)]
    clear = run not in ("doe_v12_handshake_enc", "doe_v12_maconly")  # the others have HANDSHAKE_IN_THE_CLEAR
    found: Counter[tuple[str, str, str]] = Counter()

    def add(name: str, field: str, count: int) -> None:
        if count:
            found[name, field, "verified"] = count

    def times(pattern: str, where: list[str] = lines) -> int:
        return sum(re.search(pattern, line) is not None for line in where)

    add("CHALLENGE_AUTH", "Signature", times(r"SPDM_CHALLENGE_AUTH "))
    add("MEASUREMENTS", "Signature", times(r"SPDM_GET_MEASUREMENTS \(Attr=0x\d+\([^)]*GenSig.*SPDM_MEASUREMENTS", signed))
    add("ENDPOINT_INFO", "Signature", times(r"SPDM_GET_ENDPOINT_INFO .*RequestAttribute=0x01.*SPDM_ENDPOINT_INFO", signed))
    add("KEY_EXCHANGE_RSP", "Signature", times(r"SPDM_KEY_EXCHANGE_RSP "))
    add("FINISH", "Signature", times(r"SPDM_FINISH \(Attr=0x01"))
    add("FINISH", "RequesterVerifyData", times(r"SPDM_FINISH "))
    add("FINISH_RSP" if clear else "KEY_EXCHANGE_RSP", "ResponderVerifyData", times(r"SPDM_KEY_EXCHANGE_RSP "))
    add("PSK_EXCHANGE_RSP", "ResponderVerifyData", times(r"SPDM_PSK_EXCHANGE_RSP "))
    add("PSK_FINISH", "RequesterVerifyData", times(r"SPDM_PSK_FINISH "))
    add("CSR", "CSRdata", times(r"SPDM_CSR "))
    return found


def without_summaries(found: list[Proof]) -> list[Proof]:
    return [p for p in found if not isinstance(p, Summed)]


@pytest.mark.parametrize("run", [r for r in RUNS if r not in (CUT_BY_THE_PEER, "doe_v12_load_state")])
def test_all_of_a_run_is_verified(run: str) -> None:
    expected = counted(run)
    if run.startswith("doe_v12_psk_veronly"):  # spdm_dump cannot decrypt what follows the exchange
        expected = Counter({("PSK_EXCHANGE_RSP", "ResponderVerifyData", "verified"): 1})
    assert outcomes(without_summaries(proofs(run))) == expected


def test_ml_dsa() -> None:
    """By its command line: one CHALLENGE with basic mutual authentication, measurements outside and in two sessions, of
    which both are signed by the requester too."""
    found = outcomes([p for p in proofs(CUT_BY_THE_PEER) if isinstance(p, Signed)])
    names = {"CHALLENGE_AUTH": 2, "MEASUREMENTS": 3, "KEY_EXCHANGE_RSP": 2, "FINISH": 2}
    assert found == {(name, "Signature", "verified"): n for name, n in names.items()}


def test_summary_hashes() -> None:
    """Of the runs in which the requester read all measurements; which it did not in the others."""
    for run in RUNS:
        said = re.search(r"--exe_conn (\S+)", settings(run)["requester_cmd"])
        unread = said is not None and "MEAS" not in said[1].split(",")
        found = {verdict(p).outcome for p in proofs(run) if isinstance(p, Summed)}
        assert found <= ({"unchecked"} if unread else {"verified"})
    assert sum(isinstance(p, Summed) for run in RUNS for p in proofs(run)) > 50


def test_a_negotiation_of_an_earlier_connection() -> None:
    """The run goes on with the state that another one saved; its key log brings the negotiation along."""
    (one,) = (p for p in proofs("doe_v12_load_state") if isinstance(p, Finished))
    assert verdict(one).outcome == "unchecked"
    assert "negotiation" in verdict(one).text
    saved = [data for _, _, _, data in packets("doe_v12_save_state")][:6]
    session = Session()
    for message in saved:
        decode_spdm(message, session=session)
    vca = "VCA " + " ".join(session._vca[code].hex() for code in (0x84, 0x04, 0xE1, 0x61, 0xE3, 0x63))
    psk = "\n".join(f"PSK * {s}" for s in given("doe_v12_load_state")["psk"])
    found = [p for p in proofs("doe_v12_load_state", f"{vca}\n{psk}") if isinstance(p, Finished)]
    assert [verdict(p).outcome for p in found] == ["verified"] * len(found)
    assert len(found) == 2  # and PSK_FINISH, which is decrypted now


@pytest.mark.parametrize("path", sorted(SECURED.glob("*.doe.jsonl")), ids=lambda p: p.name)
def test_tf_rmm(path: Path) -> None:
    """What the requester in TF-RMM verified itself."""
    session = Session()
    use_secrets(session, path.with_name(path.name.replace(".doe.", ".secured.")).read_text())
    found: list[Proof] = []
    for line in path.read_text().splitlines():
        record = json.loads(line)
        for key in ("req", "rsp"):
            if record["doe_type"] == 1 and record.get(key):
                decode_spdm(bytes.fromhex(record[key]), session=session)
            elif record["doe_type"] == 2 and record.get(key):
                open_secured(bytes.fromhex(record[key]), session=session)
            found += session.take_proofs()
    said = outcomes([p for p in found if not isinstance(p, Summed)])
    assert {k[2] for k in said} == {"verified"}
    assert said["KEY_EXCHANGE_RSP", "Signature", "verified"] >= 1
    assert said["FINISH_RSP", "ResponderVerifyData", "verified"] == said["FINISH", "RequesterVerifyData", "verified"] >= 1


# what is changed does not hold


P = TypeVar("P", Signed, Finished, Requested)


def but(proof: P, **other: Any) -> P:
    """The proof with something else in it, not verified yet."""
    return replace(proof, verdict=None, **other)


def changed(data: bytes, at: int) -> bytes:
    made = bytearray(data)
    made[at] ^= 1 << at % 8
    return bytes(made)


def places(size: int) -> set[int]:
    return {0, size // 3, size // 2, size - 1} if size else set()


def variants(transcript: Transcript) -> list[Transcript]:
    """The transcript with one byte of one part changed, or a part left out."""
    found: list[Transcript] = []
    for i, part in enumerate(transcript):
        data = part.data if isinstance(part, Hashed) else part
        for at in places(len(data)):
            other = changed(data, at)
            found.append((*transcript[:i], Hashed(other) if isinstance(part, Hashed) else other, *transcript[i + 1 :]))
        if data:
            found.append((*transcript[:i], *transcript[i + 1 :]))
    return found


ONE_OF_EACH = ["doe_v10_measall", "doe_v11_measall", "doe_v13_measall", "doe_v12_asym_rsapss_3072", CUT_BY_THE_PEER]


@pytest.mark.parametrize("run", ONE_OF_EACH)
def test_every_part_of_a_transcript_counts(run: str) -> None:
    seen = set()
    for p in proofs(run):
        if isinstance(p, Signed) and (p.name, p.side) not in seen:
            seen.add((p.name, p.side))
            for transcript in variants(p.transcripts[0]):
                assert verdict(but(p, transcripts=(transcript,))).outcome == "wrong"
            for at in places(len(p.value)):
                assert verdict(but(p, value=changed(p.value, at))).outcome == "wrong"
            assert verdict(but(p, version=p.version ^ 1)).outcome == ("wrong" if p.version >= 0x12 else "verified")
    assert len(seen) >= (2 if run == "doe_v10_measall" else 4)


def test_every_part_of_verify_data_counts() -> None:
    for run in ("doe_v11_measall", "doe_v12_handshake_enc", "doe_v13_measall"):
        for p in proofs(run):
            if isinstance(p, Finished):
                for at in places(len(p.value)):
                    assert verdict(but(p, value=changed(p.value, at))).outcome == "wrong"
                for tail in variants(p.tails[0]):
                    assert verdict(but(p, tails=(tail,))).outcome == "wrong"


def test_every_byte_of_a_request_for_a_certificate_counts() -> None:
    request = next(p for p in proofs("doe_v12_keyupd_all") if isinstance(p, Requested))
    assert verdict(request) == ("verified", "verified with its own key")
    for at in range(0, len(request.value), 7):
        assert verdict(but(request, value=changed(request.value, at))).outcome in ("wrong", "unchecked")
    assert verdict(but(request, value=changed(request.value, len(request.value) - 1))).outcome == "wrong"


# what cannot be verified


def first(run: str, name: str) -> Signed:
    return next(p for p in proofs(run) if isinstance(p, Signed) and p.name == name)


def test_reasons() -> None:
    one = first("doe_v12_measall", "CHALLENGE_AUTH")
    for more, text in (
        ({"lacks": "the dog ate it"}, "not verified: the dog ate it"),
        ({"chain": b""}, "not verified: the responder's slot 0: its last certificate has no readable key"),
        ({"algorithms": replace(one.algorithms, base_asym=0)}, "not verified: no signature algorithm was negotiated"),
        (
            {"algorithms": replace(one.algorithms, base_asym=0x200)},
            "not verified: SM2 signatures cannot be checked with the cryptography package",
        ),
        (
            {"algorithms": replace(one.algorithms, pqc_asym=8)},
            "not verified: SLH-DSA signatures cannot be checked with the cryptography package",
        ),
    ):
        assert verdict(but(one, **more)) == ("unchecked", text)


def test_a_key_of_another_kind() -> None:
    one = first("doe_v12_measall", "CHALLENGE_AUTH")
    found = verdict(but(one, algorithms=replace(one.algorithms, base_asym=0x10)))
    assert found.outcome == "wrong"
    assert found.text.startswith("cannot be right: the responder's slot 0: the key is secp384r1, which ECDSA_ECC_NIST_P256")


def test_a_chain_that_was_replaced_since() -> None:
    """The slot has another digest now: that its old key did not sign says nothing."""
    one = first("doe_v12_measall", "CHALLENGE_AUTH")
    old = but(one, chain=first("doe_v12_asym_rsapss_3072", "CHALLENGE_AUTH").chain, replaced=bytes(48))
    assert verdict(old).outcome == "unchecked"
    assert "another certificate chain" in verdict(old).text
    assert verdict(but(old, replaced=None)).outcome == "wrong"


def test_secrets_that_are_not_given_or_wrong() -> None:
    for secrets, outcome, words in (
        ("", "unchecked", "no DHE or KEM secret for session 0xffffffff"),
        ("DHE * " + "11" * 48, "unproven", "no DHE or KEM secret given makes it over TH"),
        ("TRAFFIC * request data " + "11" * 48, "unchecked", "no DHE"),
    ):
        found = [p for p in proofs("doe_v12_keyupd_all", secrets) if isinstance(p, Finished) and not p.secure.psk]
        assert [verdict(p).outcome for p in found] == [outcome] * 4
        assert words in verdict(found[0]).text
        assert verdict(found[0]).severity == ("note" if outcome == "unchecked" else "warning")


def test_a_provisioned_key() -> None:
    """The emulators' provisioned key is that of the last certificate: with it in the key log the same signature holds."""
    one = first("doe_v12_measall", "CHALLENGE_AUTH")
    key = x509_key(one.chain or b"")
    assert verdict(but(one, slot=15, key=key, chain=None)).outcome == "verified"
    session = Session()
    use_secrets(session, f"PUBKEY responder {key.hex()}")
    assert session.public_keys == {"responder": key}


def x509_key(chain: bytes) -> bytes:
    from cryptography import x509

    starts = [i for i in range(len(chain)) if chain[i : i + 2] == chain[i + 4 : i + 6] == b"\x30\x82"]
    last = x509.load_der_x509_certificate(chain[starts[-1] :])
    return last.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# in the tree


def test_verdicts_in_the_tree() -> None:
    session = Session()
    found: dict[str, list[Node]] = {}
    for record in decoded("doe_v12_measall", session=session):
        taken = session.take_proofs()
        tree = with_verdicts(record.tree, taken)
        assert (tree is record.tree) == (not taken)
        for node in tree.walk():
            if node.name in ("Signature", "RequesterVerifyData", "ResponderVerifyData"):
                found.setdefault(node.name, []).append(node)
    assert found["Signature"][0].note == "verified over M1/M2 with the key of the responder's slot 0, P-384"
    assert all((n.note or "").startswith("verified over ") and n.severity == "note" for nodes in found.values() for n in nodes)


def test_a_wrong_signature_in_the_tree() -> None:
    session = Session()
    for number, _, secured, data in packets("doe_v12_measall"):
        if not secured:
            data = changed(data, 60) if number == 20 else data
            tree = with_verdicts(decode_spdm(data, session=session), session.take_proofs())
            if number == 20:
                break
    (node,) = (n for n in tree.walk() if n.name == "Signature")
    assert (node.severity, node.note) == (
        "error",
        "does not verify over M1/M2 with the key of the responder's slot 0, P-384",
    )


# keys that are made here


def p384_sign(private: Any, data: bytes) -> bytes:
    r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


SIGNERS: dict[str, tuple[Any, dict[str, int], Any]] = {
    "P-384": (lambda: ec.generate_private_key(ec.SECP384R1()), {"base_asym": 0x80}, p384_sign),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate, {"base_asym": 0x400}, lambda private, data: private.sign(data)),
    "RSAPSS 3072": (
        lambda: rsa.generate_private_key(65537, 3072),
        {"base_asym": 8},
        lambda private, data: private.sign(data, padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384()),
    ),
}


@pytest.mark.parametrize("name", SIGNERS)
def test_a_provisioned_key_of_a_key_log(name: str) -> None:
    """CHALLENGE of slot 0xFF: no chain, no DIGESTS; M1/M2 is VCA, CHALLENGE and CHALLENGE_AUTH up to the signature."""
    make, chosen, sign = SIGNERS[name]
    private = make()
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    vca = [bytes((0x12, code)) for code in (0x84, 0x04, 0xE1, 0x61, 0xE3, 0x63)]
    challenge = bytes.fromhex("1283ff00") + bytes(32)
    answer = bytes.fromhex("12030f00") + hashlib.sha384(der).digest() + bytes(32) + bytes(2)
    words = b"dmtf-spdm-v1.2.*" * 4 + bytes(4) + b"responder-challenge_auth signing"
    signature = sign(private, words + hashlib.sha384(b"".join(vca) + challenge + answer).digest())

    for keys, changed_at, expected in (
        ("", None, "not verified: the responder's public key is a provisioned one, which no message carries"),
        (f"PUBKEY responder {der.hex()}", None, "verified over M1/M2 with the responder's provisioned key"),
        (f"PUBKEY responder {der.hex()}", 10, "does not verify over M1/M2 with the responder's provisioned key"),
    ):
        session = Session(algorithms=Algorithms(base_hash=2, **chosen))
        use_secrets(session, keys)
        for request, response in zip(vca[::2], vca[1::2], strict=True):
            session.negotiated(request, response)
        decode_spdm(challenge if changed_at is None else changed(challenge, changed_at), session=session)
        decode_spdm(answer + signature, session=session)
        assert [verdict(p).text for p in session.take_proofs()] == [expected]
