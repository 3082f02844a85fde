"""From a message just read to what can be verified in it: its signature and verify data go to ``Session.proofs``."""

from __future__ import annotations

from . import codes
from ._reader import Reader
from .codes import V10, V12
from .secure import SecureSession
from .summary import Summed
from .transcript import Covered, Finished, Side, Signed, Transcript, chain_hashes, digests, heads, no_key


def identified(r: Reader, code: int) -> None:
    """DIGESTS or CERTIFICATE: a part of M1/M2. ``code`` is that of the request."""
    if r.session.inside is None:
        r.session.identity[r.level].add(r.request(code), r.data[r.start : r.pos], code)


def challenge_auth(r: Reader, value: bytes) -> None:
    """CHALLENGE_AUTH up to the end of its signature ``value``."""
    s, asked = r.session, r.request(codes.CHALLENGE)
    covered = s.identity[r.level]
    slot = r.data[r.start + 2] & 15
    # the requester's M1/M2 has VCA since 1.2
    starts: list[Transcript] = [(s.vca,)] if not r.level or r.version >= V12 else [(), (s.vca,)]
    tail = (asked or b"", r.data[r.start : r.pos - len(value)])
    proof = _signed(r, value, "M1/M2", slot, tuple((*h, *held, *tail) for held in covered.candidates() for h in starts))
    proof.lacks, proof.doubt = _lacks(r, codes.CHALLENGE, asked, proof) or covered.lost, covered.doubt
    covered.clear()
    s.proofs.append(proof)


def measurements(r: Reader, value: bytes) -> None:
    """MEASUREMENTS, with its signature where it has one."""
    line, asked = r.channel, r.request(codes.GET_MEASUREMENTS)
    covered = line.measured or Covered()
    if not value:
        line.measured = covered
        covered.add(asked, r.data[r.start : r.pos], codes.GET_MEASUREMENTS)
        return
    slot = r.data[r.start + 3] & 15 if r.version > V10 else 0
    start = (r.session.vca,) if r.version >= V12 else ()
    tail = (asked or b"", r.data[r.start : r.pos - len(value)])
    proof = _signed(r, value, "L1/L2", slot, tuple((*start, *held, *tail) for held in covered.candidates()))
    proof.lacks = _lacks(r, codes.GET_MEASUREMENTS, asked, proof, vca=r.version >= V12) or covered.lost
    proof.doubt = covered.doubt
    line.measured = None
    r.session.proofs.append(proof)


def endpoint_info(r: Reader, value: bytes) -> None:
    """ENDPOINT_INFO up to the end of its signature ``value``."""
    asked = r.request(codes.GET_ENDPOINT_INFO)
    slot = r.data[r.start + 3] & 15
    proof = _signed(r, value, "IL1/IL2", slot, ((r.session.vca, asked or b"", r.data[r.start : r.pos - len(value)]),))
    proof.lacks = _lacks(r, codes.GET_ENDPOINT_INFO, asked, proof)
    r.session.proofs.append(proof)


def key_exchange_rsp(r: Reader, secure: SecureSession, value: bytes, verify: bytes) -> None:
    """KEY_EXCHANGE_RSP: its signature, and its verify data where it has that."""
    tail = (secure.request, secure.response[: secure.signed - len(value)])
    proof = _signed(r, value, "TH", secure.slot, tuple((*head, *tail) for head in heads(secure)))
    proof.lacks = _lacks(r, codes.KEY_EXCHANGE, secure.request, proof)
    secure.gap = r.channel.gap
    r.session.proofs.append(proof)
    if verify:
        _finished(r, verify, "ResponderVerifyData", secure, ((secure.request, secure.response[: secure.signed]),))


def psk_exchange_rsp(r: Reader, secure: SecureSession, verify: bytes) -> None:
    """PSK_EXCHANGE_RSP."""
    secure.gap = r.channel.gap
    _finished(r, verify, "ResponderVerifyData", secure, ((secure.request, secure.response[: secure.signed]),))


def finish(r: Reader, secure: SecureSession, value: bytes, verify: bytes) -> None:
    """FINISH or PSK_FINISH: its signature where it has one, and its verify data."""
    whole = r.data[r.start : r.pos]
    unsigned = whole[: len(whole) - len(verify) - len(value)]
    mutual: list[Transcript] = [()]
    if value:
        s, slot = r.session, whole[3]
        key = s.public_keys.get("requester")
        hashes = chain_hashes(slot, secure.req_chain, secure.req_chain_hash, key)
        mutual = [(*d, h) for d in digests(secure.req_digests, None) for h in hashes]
        tails = [(secure.request, secure.response, *m, unsigned) for m in mutual]
        proof = _signed(r, value, "TH", slot, tuple((*h, *t) for h in heads(secure) for t in tails))
        proof.side, proof.chain, proof.key, proof.replaced = "requester", secure.req_chain, key, secure.req_chain_hash
        proof.lacks = secure.gap or _lacks(r, codes.KEY_EXCHANGE, secure.request, proof)
        proof.lacks = proof.lacks or no_key("responder", secure.slot, secure.chain or secure.chain_hash, secure.public_key)
        s.proofs.append(proof)
    secure.mutual = tuple(mutual)
    tails = [(secure.request, secure.response, *m, unsigned + value) for m in mutual]
    _finished(r, verify, "RequesterVerifyData", secure, tuple(tails))


def finish_rsp(r: Reader, secure: SecureSession, verify: bytes) -> None:
    """FINISH_RSP with its verify data."""
    head = r.data[r.start : r.pos - len(verify)]
    exchange = (secure.request, secure.response)
    _finished(r, verify, "ResponderVerifyData", secure, tuple((*exchange, *m, secure.finish or b"", head) for m in secure.mutual))


def summary(r: Reader, asked: bytes | None, value: bytes) -> None:
    """A measurement summary hash; ``asked`` is the request that it was in the response to."""
    if asked is not None:
        kind = asked[3] if asked[1] == codes.CHALLENGE else asked[2]
        name = codes.code_name(r.data[r.start + 1])
        r.session.proofs.append(Summed(name, value, kind, r.session.algorithms.hash_name, r.session.blocks))


def _signed(r: Reader, value: bytes, over: str, slot: int, transcripts: tuple[Transcript, ...]) -> Signed:
    s = r.session
    side: Side = "requester" if r.level else "responder"
    return Signed(
        name=codes.code_name(r.data[r.start + 1]),
        value=value,
        over=over,
        side=side,
        slot=slot,
        version=r.version,
        algorithms=s.algorithms,
        transcripts=transcripts,
        chain=s.chains.get((side, slot)),
        key=s.public_keys.get(side),
        replaced=s.chain_hashes.get((side, slot)),
    )


def _finished(r: Reader, value: bytes, name: str, secure: SecureSession, tails: tuple[Transcript, ...]) -> None:
    message = codes.code_name(r.data[r.start + 1])
    request = name == "RequesterVerifyData"
    proof = Finished(message, value, name, "request" if request else "response", secure, tails, r.session.keys)
    proof.lacks = secure.gap
    r.session.proofs.append(proof)


def _lacks(r: Reader, code: int, asked: bytes | None, proof: Signed, vca: bool = True) -> str | None:
    """Why a signature cannot be verified, as far as that is known here."""
    s = r.session
    if not s.algorithms.hash_size:
        return "the negotiation is not in this capture"
    if vca and s.vca_lacks is not None:
        return s.vca_lacks
    if asked is None:
        return f"the {codes.code_name(code)} that it answers is not in this capture"
    return r.channel.gap or no_key(proof.side, proof.slot, proof.chain, proof.key)
