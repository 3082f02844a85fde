"""Whether what can be verified in SPDM messages holds: signatures over transcripts, verify data of handshakes, measurement
summary hashes.

``decode_spdm`` and ``open_secured`` leave the proofs of a message in ``Session.proofs``. Verify data needs the secret of
its session, which shows once a message behind the handshake was decrypted, and a summary hash blocks that may come later:
so ask at the end.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import combinations, islice
from typing import Literal, NamedTuple

from .key_schedule import Suite
from .keylog import SHARED, Secret, Secrets, secrets_of
from .signature import CONTEXTS, OtherKey, Unavailable, holds
from .spdm.algorithms import BASE_ASYM, PQC_ASYM, Algorithms, chosen
from .spdm.summary import ALL, Summed
from .spdm.transcript import PROVISIONED, Finished, Hashed, Proof, Requested, Signed, Transcript, heads
from .tree import Node, Severity
from .unseal import MAX_TRIALS, SessionKeys
from .x509 import decode_chain, request_error

MAX_TCB = 8
"""Measurement blocks of which every choice is tried for the TCB's."""
MAX_TCB_SIZE = 1 << 16
"""Their bytes."""
Outcome = Literal["verified", "unchecked", "unproven", "wrong"]


class Verdict(NamedTuple):
    """What came of a proof.

    outcome  'verified'; 'unchecked': it cannot be verified here; 'wrong'; 'unproven': it does not fit, but something else
             may be the reason (verify data where no secret given is known to be the session's, measurements that changed)
    text     the same for people, with the transcript and the key, or the reason
    """

    outcome: Outcome
    text: str

    @property
    def severity(self) -> Severity:
        """That of its note."""
        return _SEVERITIES[self.outcome]


_SEVERITIES: dict[Outcome, Severity] = {"verified": "note", "unchecked": "note", "unproven": "warning", "wrong": "error"}


def verdict(proof: Proof) -> Verdict:
    """Whether it holds. Never raises; the answer is kept with the proof."""
    if not isinstance(proof.verdict, Verdict):
        if isinstance(proof, Signed):
            proof.verdict = _signature(proof)
        elif isinstance(proof, Finished):
            proof.verdict = _verify_data(proof)
        else:
            proof.verdict = _summary(proof) if isinstance(proof, Summed) else _requested(proof)
    found: Verdict = proof.verdict
    return found


def with_verdicts(tree: Node, proofs: Iterable[Proof]) -> Node:
    """The tree of the message that these proofs were in, with what came of them as notes on their fields."""
    said = {(p.field_name, p.value): verdict(p) for p in proofs}
    return _told(tree, said) if said else tree


def _told(tree: Node, said: dict[tuple[str, bytes], Verdict]) -> Node:
    if not tree.children:
        found = said.get((tree.name, tree.value)) if isinstance(tree.value, bytes) else None
        return tree if found is None else tree.noted(found.text, found.severity)
    children = [_told(c, said) for c in tree.children]
    if all(a is b for a, b in zip(children, tree.children, strict=True)):
        return tree
    return replace(tree, children=tuple(children))


# signatures


def _signature(proof: Signed) -> Verdict:
    given = proof.slot in PROVISIONED
    whose = f"the {proof.side}'s " + ("provisioned key" if given else f"slot {proof.slot}")
    if proof.lacks is not None:
        return Verdict("unchecked", f"not verified: {proof.lacks}")
    algorithm, hash_name = _algorithm(proof), proof.algorithms.hash_name
    if algorithm is None or hash_name is None:
        return Verdict("unchecked", "not verified: no signature algorithm was negotiated")
    if hash_name not in hashlib.algorithms_available:
        return Verdict("unchecked", f"not verified: {hash_name} is not available here")
    key, kind = _key(proof, hash_name)
    if not key:
        return Verdict("unchecked", f"not verified: {whose}: {kind}")
    which = whose if given else f"the key of {whose}, {kind}"
    context = CONTEXTS.get((proof.name, proof.side), "")
    try:
        for transcript in proof.transcripts:
            digest = hashlib.new(hash_name, _joined(transcript, hash_name)).digest()
            if holds(key, algorithm, hash_name, proof.version, context, digest, proof.value):
                return Verdict("verified", f"verified over {proof.over} with {which}")
    except Unavailable as error:
        return Verdict("unchecked", f"not verified: {error}")
    except OtherKey as error:
        if not _replaced(proof, hash_name):
            return Verdict("wrong", f"cannot be right: {whose}: {error}")
    if _replaced(proof, hash_name):
        return Verdict("unchecked", f"not verified: {whose} has another certificate chain than the one in this capture")
    if proof.doubt is not None:
        return Verdict("unchecked", f"not verified: {proof.doubt}")
    return Verdict("wrong", f"does not verify over {proof.over} with {which}")


def _algorithm(proof: Signed) -> str | None:
    """The name of the signer's algorithm."""
    a: Algorithms = proof.algorithms
    pqc, base = (a.pqc_asym, a.base_asym) if proof.side == "responder" else (a.req_pqc_asym, a.req_base_asym)
    found = chosen(PQC_ASYM, pqc) or chosen(BASE_ASYM, base)
    return found.name if found is not None else None


def _key(proof: Signed, hash_name: str) -> tuple[bytes, str]:
    """DER of the signer's public key with its name ('P-384'), or b'' and why there is none."""
    if proof.slot in PROVISIONED:
        return proof.key or b"", "provisioned"
    return _last_key(proof.chain or b"", hash_name, proof.version)


@lru_cache(64)
def _last_key(chain: bytes, hash_name: str, version: int) -> tuple[bytes, str]:
    tree = decode_chain(chain, hash_name=hash_name, version=version, verify=False)
    certificates = [c for c in tree.children if c.name.startswith("Certificate[")]
    info = certificates[-1].find("tbsCertificate.subjectPublicKeyInfo") if certificates else None
    if info is None or info.offset is None:
        return b"", "its last certificate has no readable key"
    return chain[info.offset : info.offset + info.size], info.text


def _replaced(proof: Signed, hash_name: str) -> bool:
    """Whether the signer said another hash of its chain after that had been read."""
    said, chain = proof.replaced, proof.chain
    return said is not None and chain is not None and said != _hash(hash_name, chain)


def _joined(transcript: Transcript, hash_name: str) -> bytes:
    return b"".join(_hash(hash_name, p.data) if isinstance(p, Hashed) else p for p in transcript)


@lru_cache(64)
def _hash(hash_name: str, data: bytes) -> bytes:
    return hashlib.new(hash_name, data).digest()


def _requested(proof: Requested) -> Verdict:
    wrong = request_error(proof.value)
    if wrong is None:
        return Verdict("verified", "verified with its own key")
    return Verdict("unchecked", f"not verified: {wrong}") if wrong else Verdict("wrong", "does not verify with its own key")


# verify data


def _verify_data(proof: Finished) -> Verdict:
    secure, secrets = proof.secure, secrets_of(proof.keys)
    whose = f"session {secure.session_id:#010x}"
    if proof.lacks is not None:
        return Verdict("unchecked", f"not verified: {proof.lacks}")
    keys = secure.keys if isinstance(secure.keys, SessionKeys) else SessionKeys(secure.session_id, secure, secrets)
    proven = keys.secret is not None and keys.suite is not None
    ways = [(keys.secret, keys.suite)] if keys.secret is not None and keys.suite is not None else _ways(keys, secrets)
    tried = False
    for secret, suite in ways:
        try:
            for expected in _expected(proof, secret, suite, secrets):
                if hmac.compare_digest(expected, proof.value):
                    return Verdict("verified", f"verified over TH with the secret of {whose}")
                tried = True
        except ValueError:  # a hash that is not available here
            continue
    kind = "PSK" if secure.psk else "DHE or KEM secret"
    if not tried:
        return Verdict("unchecked", f"not verified: no {kind} for {whose}")
    if proven:
        return Verdict("wrong", f"is not what the secret of {whose} makes over TH")
    if secure.missing:
        return Verdict("unchecked", f"not verified: {', '.join(secure.missing)} is not in this capture")
    return Verdict("unproven", f"no {kind} given makes it over TH: none is that of {whose}, or the messages were changed")


def _ways(keys: SessionKeys, secrets: Secrets) -> Iterator[tuple[Secret, Suite]]:
    """Secrets that may be the session's, which did not show in its messages."""
    for way in islice(keys.candidates(), min(MAX_TRIALS, secrets.trials)):
        secrets.trials -= 1
        yield way


def _expected(proof: Finished, secret: Secret, suite: Suite, secrets: Secrets) -> Iterator[bytes]:
    """What the verify data may be with that secret; nothing where it does not lead there."""
    secure, name = proof.secure, suite.hash_name
    for head in heads(secure):
        start = _joined(head, name)
        th1 = suite.digest(start + secure.request + secure.response[: secure.signed])
        if secret.kind == "TRAFFIC":
            traffic = [s.value for s in secrets.of(secure.session_id, "TRAFFIC") if _is_handshake(s, proof)]
        elif secret.kind in SHARED and secret.kind != "MASTER":
            base = secret.value if secret.kind == "HANDSHAKE" else suite.handshake_secret(secret.value, secure.psk)
            traffic = [suite.traffic_secret(base, proof.direction, "handshake", th1)]
        else:
            return
        for one in traffic:
            for tail in proof.tails:
                yield suite.verify_data(one, start + _joined(tail, name))


def _is_handshake(secret: Secret, proof: Finished) -> bool:
    return secret.phase == "handshake" and secret.direction == proof.direction


# measurement summary hashes


def _summary(proof: Summed) -> Verdict:
    name, total, blocks = proof.hash_name, proof.blocks.total, proof.blocks.by_index()
    if name is None or name not in hashlib.algorithms_available:
        return Verdict("unchecked", "not verified: the hash is not known, or not available here")
    if blocks is None:
        return Verdict("unchecked", "not verified: the measurements in this capture are not always the same")
    if total is None or len(blocks) < total:
        have = f"{len(blocks)}{'' if total is None else f' of {total}'}" if blocks else "none"
        return Verdict("unchecked", f"not verified: the measurement blocks are not all in this capture ({have})")
    if proof.kind == ALL:
        if hashlib.new(name, b"".join(blocks.values())).digest() == proof.value:
            return Verdict("verified", f"verified: hash of the {len(blocks)} measurement blocks")
        return Verdict("unproven", f"is not the hash of the {len(blocks)} measurement blocks in this capture")
    size = sum(map(len, blocks.values()))
    for count in range(1, len(blocks) + 1) if len(blocks) <= MAX_TCB and size <= MAX_TCB_SIZE else ():
        for some in combinations(blocks.items(), count):
            if hashlib.new(name, b"".join(b for _, b in some)).digest() == proof.value:
                return Verdict("verified", f"verified: hash of the measurement blocks {', '.join(f'{i:#x}' for i, _ in some)}")
    return Verdict("unchecked", "not verified: which measurement blocks are in the TCB is not known")
