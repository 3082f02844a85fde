"""One secure session: the transcripts its keys derive from, and chunks coming in."""

from __future__ import annotations

import hashlib

from decoders.spdm import SecureSession
from decoders.spdm.algorithms import Algorithms
from decoders.spdm.secure import MAX_LARGE, Assembly


def sha384(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()


def test_what_a_transcript_lacks() -> None:
    secure = SecureSession(1, False, 0x12, Algorithms(), b"", b"req", b"rsp", 3)
    assert secure.th1(sha384) is None
    assert secure.missing == ("negotiation (GET_VERSION to ALGORITHMS)", "certificate chain of the responder's slot 0")
    secure.vca = b"vca"
    secure.chain_hash = b"hash"  # DIGESTS is enough where the chain was not read
    assert secure.th1(sha384) == b"vcahashreqrsp"
    secure.chain = b"a chain replaced since"
    assert secure.th1(sha384) == b"vcahashreqrsp"
    secure.chain, secure.chain_hash = b"chain", None
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


def test_assembly() -> None:
    large = Assembly(1, 6)
    assert large.add(0, b"abc") is None
    assert large.add(0, b"abc") is None  # sent again
    assert large.add(1, b"def") is None
    assert large.data == b"abcdef"
    assert large.add(2, b"g") is not None
    assert "above" in (Assembly(1, MAX_LARGE + 9).add(0, bytes(MAX_LARGE + 1)) or "")
