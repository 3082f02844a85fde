"""GET_DIGESTS to CHALLENGE_AUTH: certificate chains, their digests and the proof of a key."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from construct import Bytes, Int8ul, Int16ul, Int32ul

from ..tree import Node
from . import codes
from ._capabilities import MEAS_CAP, NO_PARAMS
from ._fields import Bits, Layout, Make, bits, detached, enum, flag, number, raw, reserved, slot, slots
from ._proofs import challenge_auth, identified, summary
from ._reader import Parse, Reader
from .algorithms import HASH_SIZES
from .codes import V11, V13, V14
from .opaque import opaque
from .session import Side

NONCE = 32
CONTEXT = 8
"""Bytes of RequesterContext (1.3)."""
SUMMARY = {0: "NoMeasurementSummaryHash", 1: "TCBComponentMeasurementHash", 0xFF: "AllMeasurementsHash"}
"""MeasurementSummaryHashType."""
CERT_MODEL = {0: "none", 1: "DeviceCert", 2: "AliasCert", 3: "GenericCert"}
KEY_USAGE = (
    flag("KeyExUse", 0),
    flag("ChallengeUse", 1),
    flag("MeasurementUse", 2),
    flag("EndpointInfoUse", 3),
    flag("StandardsKeyUse", 14),
    flag("VendorKeyUse", 15),
)
MAX_CERTIFICATES = 64
"""Certificates of a chain that get a node of their own."""
SLOT = Bits("SlotID", 0, 3)
KEY_USAGE_MASK = bits(*KEY_USAGE)
CERT_INFO = bits(Bits("CertModel", 0, 2, CERT_MODEL, 0x10, "CertModel"))


def side_of(r: Reader) -> Side:
    """Whose identity a response tells: the requester's where it is encapsulated."""
    return "requester" if r.level else "responder"


def signature_of(r: Reader) -> str:
    """The name of the size of that side's signatures."""
    return "R" if r.level else "S"


def summary_rule(r: Reader, request: bytes | None) -> dict[str, tuple[int, ...]]:
    """Whether the response has a measurement summary hash: asked for in Param1 or Param2 of its request, and able to."""
    if r.level:
        return {"?summary": (0,)}
    if request is None:
        return {}
    kind = request[3] if request[1] == codes.CHALLENGE else request[2]
    able = r.session.responder is None or r.session.responder.flags & MEAS_CAP
    return {"?summary": (1 if kind and able else 0,)}


# digests

_DIGESTS_10 = Layout(("Param1", Int8ul, reserved), ("SlotMask", Int8ul, slots))
_DIGESTS_13 = Layout(("SupportedSlotMask", Int8ul, slots), ("ProvisionedSlotMask", Int8ul, slots))


_SLOTS = [[i for i in range(8) if mask >> i & 1] for mask in range(256)]


def _get_digests(r: Reader) -> str:
    r.fields(NO_PARAMS)
    return ""


def _digests(r: Reader) -> str:
    mask = r.fields(_DIGESTS_13 if r.version >= V13 else _DIGESTS_10)[1]
    held = _SLOTS[mask]
    side, s, n = side_of(r), r.session, len(held)
    more = (s.requester_multi_key if r.level else s.responder_multi_key) if r.version >= V13 else False
    rule = {"keys": (0, 4 * n) if more is None else (4 * n if more else 0,)}
    size = {"H": s.size("H"), "keys": rule["keys"][0]}
    if n and (not size["H"] or more is None or not r.fits(r.pos + n * size["H"] + size["keys"])):
        size = r.sizes(["H"] * n + ["keys"], rule)
    hashes = []
    for i, at in enumerate(held):
        text = f"slot {at}: {r.data[r.pos : r.pos + size['H']].hex()}"
        hashes.append(r.bytes(f"Digest[{i}]", size["H"], text))
    if size["keys"]:
        for i in range(n):
            r.uint(f"KeyPairID[{i}]", 1)
        for i in range(n):
            r.uint(f"CertificateInfo[{i}]", 1, CERT_INFO)
        for i in range(n):
            r.uint(f"KeyUsageMask[{i}]", 2, KEY_USAGE_MASK)
    for at, value in zip(held, hashes, strict=True):
        s.chain_hashes[side, at] = value
    if r.level or s.inside is None:
        s.digests[side] = whole = r.data[r.start : r.pos]
        s.first_digests.setdefault(side, whole)
    identified(r, codes.GET_DIGESTS)
    secure = s.secure or s.handshaking()
    if r.level and secure is not None and secure.phase == "handshake" and s.requester_multi_key:
        secure.req_digests = s.digests[side]  # what was said before the session began does not count
    return f"slots {', '.join(map(str, held))}" if held else "no slot"


# certificates


@cache
def _certificate_params(version: int, answer: bool) -> Layout:
    first = bits(SLOT, Bits("LargeCertChain", 7, 7, None, V14), version=version)
    second: Make = reserved
    if version >= V13 and answer:
        second = CERT_INFO
    elif version >= V13:
        second = bits(flag("SlotSizeRequested", 0, V13), version=version)
    names = ("PortionLength", "RemainderLength") if answer else ("Offset", "Length")
    return Layout(("Param1", Int8ul, first), ("Param2", Int8ul, second), (names[0], Int16ul, number), (names[1], Int16ul, number))


_LARGE = Layout(("LargeOffset", Int32ul, number), ("LargeLength", Int32ul, number))
_LARGE_RSP = Layout(("LargePortionLength", Int32ul, number), ("LargeRemainderLength", Int32ul, number))


def _get_certificate(r: Reader) -> str:
    param1, _, offset, length = r.fields(_certificate_params(r.version, answer=False))
    if r.version >= V14 and param1 & 0x80:
        offset, length = r.fields(_LARGE)
    return f"slot {param1 & 15}, {length} bytes from {offset}"


def _certificate(r: Reader) -> str:
    param1, _, portion, remainder = r.fields(_certificate_params(r.version, answer=True))
    if r.version >= V14 and param1 & 0x80:
        portion, remainder = r.fields(_LARGE_RSP)
    s, at, asked = r.session, param1 & 15, r.request(codes.GET_CERTIFICATE)
    if asked is not None:
        r.echoes("slot", at, asked[2] & 15)
    offset = _asked_offset(asked, at)
    held = s.portions.get((side_of(r), at), b"")
    head = r.data[r.pos : r.pos + 4]
    whole_here = len(head) == 4 and _chain_length(head, r.version) == portion + remainder
    first = offset == 0 or (whole_here and (not held or offset != len(held)))
    text = f"slot {at}, {portion} bytes" + (f", {remainder} remain" if remainder else "")
    if not portion:
        identified(r, codes.GET_CERTIFICATE)
        return text
    if first:
        data = r.region("CertChain", portion, chain_parts)
    else:
        data = r.bytes("CertChain", portion, f"{portion} bytes" + (f" from {offset}" if offset is not None else ""))
    identified(r, codes.GET_CERTIFICATE)
    if first or offset is not None or held:
        length = _chain_length(data if first else held, r.version)
        whole = s.portion(side_of(r), at, 0 if first else -1 if offset is None else offset, data, remainder, length)
        if whole is not None:
            s.chains[side_of(r), at] = whole
            s.chain_hashes.pop((side_of(r), at), None)  # of what was in the slot before, for all we know
            if not first:
                r.append(_reassembled(r, whole))
    return text


def _chain_length(chain: bytes | bytearray, version: int) -> int:
    """The length that a certificate chain says at its start; 0 where that is not there."""
    return int.from_bytes(chain[: 4 if version >= V14 else 2], "little") if len(chain) >= 4 else 0


def _asked_offset(asked: bytes | None, at: int) -> int | None:
    """The offset that a GET_CERTIFICATE of that slot asks for."""
    if asked is None or len(asked) < 8 or asked[2] & 15 != at:
        return None
    if asked[0] >= V14 and asked[2] & 0x80:
        return int.from_bytes(asked[8:12], "little") if len(asked) >= 16 else None
    return int.from_bytes(asked[4:6], "little")


def _reassembled(r: Reader, whole: bytes) -> Node:
    made = Reader(whole, 0, len(whole), r.session, depth=r.depth + 1)
    made.version = r.version
    made.region("CertificateChain", len(whole), chain_parts)
    return replace(detached(made.nodes[0]), value=whole)


def chain_parts(r: Reader) -> str:
    """A certificate chain from its start: length, root hash, DER certificates. Ends where the data does."""
    start = r.pos
    length = r.uint("Length", 4 if r.version >= V14 else 2)
    if r.version < V14:
        r.reserved(2)
    size = r.session.size("H") or _root_hash_size(r.data[r.pos : r.end])
    if not size:
        r.fail("RootHash", "its size is not negotiated in this capture, and no certificate follows it")
    r.bytes("RootHash", size)
    count = 0
    while r.left and count < MAX_CERTIFICATES:
        der = _der_size(r.data, r.pos)
        if not der or der > r.left:
            if der and r.end - start < length:
                r.rest(f"Certificate[{count}]", f"the first {r.left} of {der} bytes; the rest is in the next portion")
            break
        r.bytes(f"Certificate[{count}]", der, f"X.509 certificate, {der} bytes")
        count += 1
    return f"{length} bytes, {count} certificate{'' if count == 1 else 's'}"


def _root_hash_size(data: bytes) -> int:
    """The hash size with which a certificate starts behind the root hash; 0 where none or several do."""
    found = [h for h in HASH_SIZES if _der_size(data, h)]
    return found[0] if len(found) == 1 else 0


def _der_size(data: bytes, at: int) -> int:
    """The size of the certificate (a DER SEQUENCE of 128 bytes or more) at a position, 0 where there is none."""
    if data[at : at + 2] == b"\x30\x82" and len(data) >= at + 4:
        return 4 + int.from_bytes(data[at + 2 : at + 4], "big")
    if data[at : at + 2] == b"\x30\x81" and len(data) >= at + 3:
        return 3 + data[at + 2]
    if data[at : at + 2] == b"\x30\x83" and len(data) >= at + 5:
        return 5 + int.from_bytes(data[at + 2 : at + 5], "big")
    return 0


# challenge


@cache
def _challenge_layout(version: int) -> Layout:
    named: list[tuple[str, Any, Make]] = [
        ("SlotID", Int8ul, slot),
        ("MeasurementSummaryHashType", Int8ul, enum(SUMMARY)),
        ("Nonce", Bytes(NONCE), raw),
    ]
    return Layout(*named, *([("RequesterContext", Bytes(CONTEXT), raw)] if version >= V13 else []))


@cache
def _challenge_auth_layout(version: int) -> Layout:
    # 1.2 deprecates BasicMutAuthReq; it is still sent
    return Layout(("Param1", Int8ul, bits(SLOT, flag("BasicMutAuthReq", 7, V11), version=version)), ("SlotMask", Int8ul, slots))


def _challenge(r: Reader) -> str:
    at, kind, *_ = r.fields(_challenge_layout(r.version))
    return f"slot {at if at != 0xFF else 'provisioned key'}, {SUMMARY.get(kind, kind)}"


def _challenge_auth(r: Reader) -> str:
    param1, _ = r.fields(_challenge_auth_layout(r.version))
    signature = signature_of(r)
    context = CONTEXT if r.version >= V13 else 0
    asked = r.request(codes.CHALLENGE)
    rule = summary_rule(r, asked)
    size = r.sizes(["H", NONCE, "?summary", "opaque", context, signature], rule)
    value = r.bytes("CertChainHash", size["H"])
    r.bytes("Nonce", NONCE)
    if size["?summary"]:
        summary(r, asked, r.bytes("MeasurementSummaryHash", size["H"]))
    opaque(r)
    if context:
        echoed = r.bytes("RequesterContext", context)
        if asked is not None and len(asked) >= 4 + NONCE + context:
            r.echoes("RequesterContext", echoed, asked[4 + NONCE : 4 + NONCE + context])
    if asked is not None:
        r.echoes("slot", param1 & 15, asked[2] & 15)
    challenge_auth(r, r.bytes("Signature", size[signature]))
    if param1 & 15 != 15:
        r.session.chain_hashes[side_of(r), param1 & 15] = value
    return f"slot {param1 & 15}"


HANDLERS: dict[int, Parse] = {
    codes.GET_DIGESTS: _get_digests,
    codes.DIGESTS: _digests,
    codes.GET_CERTIFICATE: _get_certificate,
    codes.CERTIFICATE: _certificate,
    codes.CHALLENGE: _challenge,
    codes.CHALLENGE_AUTH: _challenge_auth,
}
