"""Secure sessions: KEY_EXCHANGE to END_SESSION. What goes on inside of them is decoders.secured's."""

from __future__ import annotations

from functools import cache

from construct import Bytes, Int8ul, Int16ul

from ..tree import Node
from . import codes
from ._capabilities import NO_PARAMS
from ._fields import HEX_SHOWN, Bits, Layout, Make, bits, enum, flag, hexadecimal, hexed, node, number, raw, reserved, slot
from ._identity import SUMMARY, summary_rule
from ._proofs import finish, finish_rsp, key_exchange_rsp, psk_exchange_rsp, summary
from ._reader import Parse, Reader
from .codes import V12, V13, V14
from .opaque import opaque, opaque_data
from .secure import HANDSHAKE_IN_THE_CLEAR_CAP, SecureSession

RANDOM = 32
KEY_OPERATION = {1: "UpdateKey", 2: "UpdateAllKeys", 3: "VerifyNewKey"}


@cache
def _policy(version: int) -> Make:
    if version < V12:
        return reserved
    return bits(flag("TerminationPolicy", 0, V12), flag("EventAllPolicy", 1, V13), version=version)


@cache
def _key_exchange_layout(version: int) -> Layout:
    return Layout(
        ("MeasurementSummaryHashType", Int8ul, enum(SUMMARY)),
        ("SlotID", Int8ul, slot),
        ("ReqSessionID", Int16ul, hexadecimal),
        ("SessionPolicy", Int8ul, _policy(version)),
        ("Reserved", Int8ul, reserved),
        ("RandomData", Bytes(RANDOM), raw),
    )


def _seconds(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, f"{value} s" if value else "none (0)", offset, size)


_MUT_AUTH = bits(
    flag("MutAuthRequested", 0), flag("MutAuthRequestedWithEncapsulatedRequest", 1), flag("MutAuthRequestedWithGetDigests", 2)
)
_KEY_EXCHANGE_RSP = Layout(
    ("HeartbeatPeriod", Int8ul, _seconds),
    ("Param2", Int8ul, reserved),
    ("RspSessionID", Int16ul, hexadecimal),
    ("MutAuthRequested", Int8ul, _MUT_AUTH),
    ("SlotIDParam", Int8ul, bits(Bits("SlotID", 0, 3))),
    ("RandomData", Bytes(RANDOM), raw),
)


def _key_exchange(r: Reader) -> str:
    kind, at, half, *_ = r.fields(_key_exchange_layout(r.version))
    size = r.sizes(["D", "opaque"])
    r.bytes("ExchangeData", size["D"])
    opaque(r)
    return f"slot {'provisioned key' if at == 0xFF else at}, {SUMMARY.get(kind, kind)}, ReqSessionID {half:#06x}"


def _key_exchange_rsp(r: Reader) -> str:
    period, _, half, mutual, req_slot, _ = r.fields(_KEY_EXCHANGE_RSP)
    s, asked = r.session, r.request(codes.KEY_EXCHANGE)
    rule = summary_rule(r, asked)
    if s.requester is not None and s.responder is not None:
        rule["?verify"] = (0 if s.requester.flags & s.responder.flags & HANDSHAKE_IN_THE_CLEAR_CAP else 1,)
    size = r.sizes(["E", "?summary", "opaque", "S", "?verify"], rule)
    r.bytes("ExchangeData", size["E"])
    if size["?summary"]:
        summary(r, asked, r.bytes("MeasurementSummaryHash", size["H"]))
    opaque(r)
    signature = r.bytes("Signature", size["S"])
    signed = r.pos - r.start
    verify = r.bytes("ResponderVerifyData", size["H"]) if size["?verify"] else b""
    if asked is not None and len(asked) > 5:
        secure = _open(r, asked, half, signed, psk=False)
        secure.slot = asked[3]
        secure.chain = s.chains.get(("responder", asked[3]))
        secure.chain_hash = s.chain_hashes.get(("responder", asked[3]))
        secure.digests = s.digests.get("responder") if s.responder_multi_key else None
        secure.first_digests = s.first_digests.get("responder")
        secure.public_key = s.public_keys.get("responder")
        if mutual:
            secure.req_slot = req_slot & 15
        key_exchange_rsp(r, secure, signature, verify)
    return (
        f"RspSessionID {half:#06x}"
        + (f", heartbeat {period} s" if period else "")
        + (", mutual authentication" if mutual else "")
    )


def _open(r: Reader, asked: bytes, half: int, signed: int, psk: bool) -> SecureSession:
    """Begin the secure session that this response accepts."""
    s = r.session
    secure = SecureSession(
        session_id=int.from_bytes(asked[4:6], "little") | half << 16,
        psk=psk,
        version=r.data[r.start],
        algorithms=s.algorithms,
        vca=s.vca,
        request=asked,
        response=r.data[r.start : r.pos],
        signed=signed,
        requester=s.requester,
        responder=s.responder,
        secured_version=r.facts.get("secured_version"),
    )
    s.open(secure)
    return secure


# finish

_FINISH = Layout(("Param1", Int8ul, bits(flag("SignatureIncluded", 0))), ("ReqSlotID", Int8ul, slot))


def _late_opaque(r: Reader) -> None:
    """Opaque data that 1.4 puts first."""
    if r.version >= V14:
        opaque(r)


def _finishing(r: Reader) -> SecureSession | None:
    return r.session.secure or r.session.handshaking()


def _finish(r: Reader) -> str:
    signed, at = r.fields(_FINISH)
    early: list[str | int] = ["opaque"] if r.version >= V14 else []
    size = r.sizes([*early, *(["R"] if signed & 1 else []), "H"])
    _late_opaque(r)
    signature = r.bytes("Signature", size["R"]) if signed & 1 else b""
    verify = r.bytes("RequesterVerifyData", size["H"])
    secure = _finishing(r)
    if secure is not None:
        secure.finish = r.data[r.start : r.pos]
        secure.req_slot = at if signed & 1 else None
        if signed & 1:
            s = r.session
            secure.req_chain = s.chains.get(("requester", at))
            secure.req_chain_hash = s.chain_hashes.get(("requester", at))
        finish(r, secure, signature, verify)
    return f"signed, slot {at}" if signed & 1 else ""


def _finish_rsp(r: Reader) -> str:
    r.fields(NO_PARAMS)
    early: list[str | int] = ["opaque"] if r.version >= V14 else []
    s, rule = r.session, {}
    if s.inside is not None:
        rule["?verify"] = (0,)
    elif s.requester is not None and s.responder is not None:
        rule["?verify"] = (1 if s.requester.flags & s.responder.flags & HANDSHAKE_IN_THE_CLEAR_CAP else 0,)
    size = r.sizes([*early, "?verify"], rule)
    _late_opaque(r)
    verify = r.bytes("ResponderVerifyData", size["H"]) if size["?verify"] else b""
    secure = _finishing(r)
    if secure is not None and secure.finish is not None:
        if verify:
            finish_rsp(r, secure, verify)
        secure.finish_rsp = r.data[r.start : r.pos]
        secure.phase = "application"
    return ""


# PSK


@cache
def _psk_exchange_layout(version: int) -> Layout:
    return Layout(
        ("MeasurementSummaryHashType", Int8ul, enum(SUMMARY)),
        ("SessionPolicy", Int8ul, _policy(version)),
        ("ReqSessionID", Int16ul, hexadecimal),
        ("PSKHintLength", Int16ul, number),
        ("RequesterContextLength", Int16ul, number),
        ("OpaqueDataLength", Int16ul, number),
    )


_PSK_EXCHANGE_RSP = Layout(
    ("HeartbeatPeriod", Int8ul, _seconds),
    ("Param2", Int8ul, reserved),
    ("RspSessionID", Int16ul, hexadecimal),
    ("Reserved", Int16ul, reserved),
    ("ResponderContextLength", Int16ul, number),
    ("OpaqueDataLength", Int16ul, number),
)


def _hint(value: bytes) -> str:
    """A hint as the words it often is, a C string; else in hexadecimal."""
    words = value.rstrip(b"\0")
    if words and words.isascii() and words.decode().isprintable():
        return f"'{words.decode()}'" if len(words) <= HEX_SHOWN else f"'{words[:HEX_SHOWN].decode()}'... ({len(value)} bytes)"
    return hexed(value)


def _psk_exchange(r: Reader) -> str:
    kind, _, half, hint, context, length = r.fields(_psk_exchange_layout(r.version))
    text = _hint(r.data[r.pos : min(r.pos + hint, r.end)])
    r.bytes("PSKHint", hint, text)
    r.bytes("RequesterContext", context)
    opaque_data(r, length)
    return f"{SUMMARY.get(kind, kind)}, ReqSessionID {half:#06x}, hint {text}"


def _psk_exchange_rsp(r: Reader) -> str:
    period, _, half, _, context, length = r.fields(_PSK_EXCHANGE_RSP)
    asked = r.request(codes.PSK_EXCHANGE)
    size = r.sizes(["?summary", context, length, "H"], summary_rule(r, asked))
    if size["?summary"]:
        summary(r, asked, r.bytes("MeasurementSummaryHash", size["H"]))
    r.bytes("ResponderContext", context)
    opaque_data(r, length)
    signed = r.pos - r.start
    verify = r.bytes("ResponderVerifyData", size["H"])
    if asked is not None and len(asked) > 5:
        secure = _open(r, asked, half, signed, psk=True)
        psk_exchange_rsp(r, secure, verify)
        if not context:
            secure.phase = "application"
    return f"RspSessionID {half:#06x}" + (f", heartbeat {period} s" if period else "")


def _psk_finish(r: Reader) -> str:
    r.fields(NO_PARAMS)
    early: list[str | int] = ["opaque"] if r.version >= V14 else []
    size = r.sizes([*early, "H"])
    _late_opaque(r)
    verify = r.bytes("RequesterVerifyData", size["H"])
    secure = r.session.secure
    if secure is not None:
        secure.finish = r.data[r.start : r.pos]
        finish(r, secure, b"", verify)
    return ""


def _psk_finish_rsp(r: Reader) -> str:
    r.fields(NO_PARAMS)
    _late_opaque(r)
    secure = r.session.secure
    if secure is not None and secure.finish is not None:
        secure.finish_rsp = r.data[r.start : r.pos]
        secure.phase = "application"
    return ""


# within a session

_KEY_UPDATE = Layout(("KeyOperation", Int8ul, enum(KEY_OPERATION)), ("Tag", Int8ul, hexadecimal))
_END = Layout(
    ("Param1", Int8ul, bits(Bits("NegotiatedStatePreservationIndicator", 0, 0, {0: "preserve", 1: "clear"}))),
    ("Param2", Int8ul, reserved),
)


def _bare(r: Reader) -> str:
    r.fields(NO_PARAMS)
    return ""


def _key_update(r: Reader) -> str:
    operation, tag = r.fields(_KEY_UPDATE)
    secure = r.session.secure
    if secure is not None and operation in (1, 2):
        if r.level:
            secure.response_generation += 1
        else:
            secure.pending_update = operation
    return f"{KEY_OPERATION.get(operation, operation)}, tag {tag:#04x}"


def _key_update_ack(r: Reader) -> str:
    operation, tag = r.fields(_KEY_UPDATE)
    asked = r.request(codes.KEY_UPDATE)
    if asked is not None:
        r.echoes("KeyOperation", operation, asked[2])
        r.echoes("Tag", tag, asked[3])
    secure = r.session.secure
    if secure is not None and not r.level and secure.pending_update == operation:
        secure.request_generation += 1
        secure.response_generation += operation == 2
        secure.pending_update = None
    return f"{KEY_OPERATION.get(operation, operation)}, tag {tag:#04x}"


def _end_session(r: Reader) -> str:
    param1, _ = r.fields(_END)
    return "negotiated state cleared" if param1 & 1 else "negotiated state preserved"


def _end_session_ack(r: Reader) -> str:
    r.fields(NO_PARAMS)
    if r.session.secure is not None:
        r.session.secure.phase = "ended"
    return ""


HANDLERS: dict[int, Parse] = {
    codes.KEY_EXCHANGE: _key_exchange,
    codes.KEY_EXCHANGE_RSP: _key_exchange_rsp,
    codes.FINISH: _finish,
    codes.FINISH_RSP: _finish_rsp,
    codes.PSK_EXCHANGE: _psk_exchange,
    codes.PSK_EXCHANGE_RSP: _psk_exchange_rsp,
    codes.PSK_FINISH: _psk_finish,
    codes.PSK_FINISH_RSP: _psk_finish_rsp,
    codes.HEARTBEAT: _bare,
    codes.HEARTBEAT_ACK: _bare,
    codes.KEY_UPDATE: _key_update,
    codes.KEY_UPDATE_ACK: _key_update_ack,
    codes.END_SESSION: _end_session,
    codes.END_SESSION_ACK: _end_session_ack,
}
