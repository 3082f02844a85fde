"""Messages about messages: encapsulated requests, chunks, errors and RESPOND_IF_READY."""

from __future__ import annotations

from functools import cache

from construct import Bytes, Int8ul, Int16ul, Int32ul

from . import codes
from ._capabilities import NO_PARAMS
from ._fields import Layout, bits, detached, enum, flag, hexadecimal, node, number, reserved
from ._message import behind, read_message
from ._reader import Parse, Reader
from .codes import V12, V14, code_name
from .secure import Assembly
from .standards import STANDARDS

ERRORS = {
    0x01: "InvalidRequest",
    0x02: "InvalidSession",
    0x03: "Busy",
    0x04: "UnexpectedRequest",
    0x05: "Unspecified",
    0x06: "DecryptError",
    0x07: "UnsupportedRequest",
    0x08: "RequestInFlight",
    0x09: "InvalidResponseCode",
    0x0A: "SessionLimitExceeded",
    0x0B: "SessionRequired",
    0x0C: "ResetRequired",
    0x0D: "ResponseTooLarge",
    0x0E: "RequestTooLarge",
    0x0F: "LargeResponse",
    0x10: "MessageLost",
    0x11: "InvalidPolicy",
    0x12: "DataTooLarge",
    0x41: "VersionMismatch",
    0x42: "ResponseNotReady",
    0x43: "RequestResynch",
    0x44: "OperationFailed",
    0x45: "NoPendingRequests",
    0x46: "RequestSessionTermination",
    0x47: "InvalidState",
    0xFF: "VendorDefined",
}
"""ERROR, Param1."""
_UNSUPPORTED, _RESPONSE_TOO_LARGE, _LARGE, _DATA_TOO_LARGE, _NOT_READY = 0x07, 0x0D, 0x0F, 0x12, 0x42
_VENDOR = 0xFF


# encapsulated

_ENCAPSULATED = Layout(("RequestID", Int8ul, hexadecimal), ("Param2", Int8ul, reserved))
_PAYLOAD = {0: "Absent", 1: "Present", 2: "ReqSlotNumber"}


@cache
def _ack_layout(version: int) -> Layout:
    first = (("RequestID", Int8ul, hexadecimal), ("PayloadType", Int8ul, enum(_PAYLOAD)))
    more = (("AckRequestID", Int8ul, hexadecimal), ("Reserved", Bytes(3), reserved)) if version >= V12 else ()
    return Layout(*first, *more)


def _message(r: Reader, level: int) -> str:
    """A message inside of this one, as one node."""
    made, r.pos = read_message(r.data, r.pos, r.end, r.session, base=r.base, level=level, depth=r.depth + 1, pad=r.pad)
    r.append(made)
    return f"{made.name}{': ' if made.text else ''}{made.text}"


def _get_encapsulated(r: Reader) -> str:
    r.fields(NO_PARAMS)
    return ""


def _encapsulated(r: Reader) -> str:
    r.fields(_ENCAPSULATED)
    return _message(r, 1)


def _encapsulated_ack(r: Reader) -> str:
    payload = r.fields(_ack_layout(r.version))[1]
    if payload == 1:
        return _message(r, 1)
    if payload == 2:
        return f"slot {r.uint('ReqSlotNumber', 1)}"
    return "done" if payload == 0 else ""


# chunks

_FIRST = bits(flag("LastChunk", 0))
_EARLY = bits(flag("EarlyErrorDetected", 0))


@cache
def _chunk_layout(version: int) -> Layout:
    if version >= V14:
        return Layout(
            ("Param1", Int8ul, _FIRST),
            ("Handle", Int8ul, hexadecimal),
            ("ChunkSeqNo", Int32ul, number),
            ("ChunkSize", Int32ul, number),
        )
    return Layout(
        ("Param1", Int8ul, _FIRST),
        ("Handle", Int8ul, hexadecimal),
        ("ChunkSeqNo", Int16ul, number),
        ("Reserved", Int16ul, reserved),
        ("ChunkSize", Int32ul, number),
    )


@cache
def _seq_layout(version: int, ack: bool) -> Layout:
    seq = ("ChunkSeqNo", Int32ul if version >= V14 else Int16ul, number)
    return Layout(("Param1", Int8ul, _EARLY if ack else reserved), ("Handle", Int8ul, hexadecimal), seq)


def _chunk(r: Reader, request: bool) -> str:
    """CHUNK_SEND and CHUNK_RESPONSE: the chunk, and the whole message behind the last one."""
    param1, handle, seq, *_, size = r.fields(_chunk_layout(r.version))
    total = r.uint("LargeMessageSize", 4) if seq == 0 else 0
    chunk = r.bytes("SPDMchunk", size, f"{size} bytes")
    last, line = bool(param1 & 1), r.channel
    text = f"chunk {seq} of handle {handle:#04x}, {size} bytes" + (", last" if last else "")
    if request:
        line.sent_last = last
    if seq == 0:
        held: Assembly | None = Assembly(handle, total)
    else:
        held = line.sending if request else line.getting
    wrong = held.add(seq, chunk) if held is not None and held.handle == handle else "its first chunk is not in this capture"
    if last and wrong is None and held is not None and len(held.data) != held.total:
        wrong = f"{len(held.data)} bytes in all, {held.total} were announced"
    if wrong is not None:
        held = None
        r.say(f"not put together: {wrong}", "warning" if seq == 0 or "expected" in wrong or "bytes" in wrong else "note")
    if request:
        line.sending = None if last else held
    else:
        line.getting = None if last else held
    if last and held is not None:
        whole = bytes(held.data)
        made, end = read_message(whole, 0, len(whole), r.session, level=r.level, depth=r.depth + 1, pad=0)
        children = [detached(made)]
        if end < len(whole):
            children.append(detached(behind(whole, end, len(whole), "trailing")))
        # the payload of a vendor may hold keys, which its decoder does not show
        value = None if made.name.startswith("VENDOR_DEFINED") else whole
        r.append(node("LargeMessage", value, f"{len(whole)} bytes in {seq + 1} chunks", None, len(whole), tuple(children)))
        text += f": {made.name}{' ' if made.text else ''}{made.text}"
    return text


def _chunk_send(r: Reader) -> str:
    return _chunk(r, request=True)


def _chunk_response(r: Reader) -> str:
    return _chunk(r, request=False)


def _chunk_send_ack(r: Reader) -> str:
    param1, handle, seq = r.fields(_seq_layout(r.version, ack=True))
    text = f"chunk {seq} of handle {handle:#04x}"
    answered, r.channel.sent_last = r.channel.sent_last, False
    inside = r.left >= 4 and r.data[r.pos] >> 4 == 1 and r.data[r.pos + 1] in codes.NAMES
    if param1 & 1 or answered or inside:
        if r.left:
            text += f": {_message(r, r.level)}"
        else:
            r.short("ResponseToLargeRequest", 4)
    return text


def _chunk_get(r: Reader) -> str:
    _, handle, seq = r.fields(_seq_layout(r.version, ack=False))
    return f"chunk {seq} of handle {handle:#04x}"


# errors

_ERROR = Layout(("ErrorCode", Int8ul, enum(ERRORS)), ("ErrorData", Int8ul, hexadecimal))
_NOT_READY_DATA = Layout(
    ("RDTExponent", Int8ul, number),
    ("RequestCode", Int8ul, enum(codes.NAMES)),
    ("Token", Int8ul, hexadecimal),
    ("RDTM", Int8ul, number),
)
_RESPOND = Layout(("RequestCode", Int8ul, enum(codes.NAMES)), ("Token", Int8ul, hexadecimal))


def _error(r: Reader) -> str:
    code, data = r.fields(_ERROR)
    text = ERRORS.get(code, f"{code:#04x}")
    secure = r.session.secure
    if secure is not None and code != _NOT_READY and not r.level:
        secure.pending_update = None
    if r.channel.measured is not None:
        r.channel.measured.cut = True
    if code == _NOT_READY:
        exponent, request, token, factor = r.fields(_NOT_READY_DATA)
        if factor < 2:
            r.noted("greater than 1 by the specification", "warning")
        wait = f", ready in {1 << exponent} us" if exponent < 40 else ""
        return f"{text}: {code_name(request)}, token {token:#04x}{wait}"
    if code == _UNSUPPORTED:
        name = code_name(data)
        r.nodes[-1] = node("ErrorData", data, f"{name} ({data:#04x})", r.nodes[-1].offset, 1)
        return f"{text}: {name}"
    if code == _LARGE:
        handle = r.uint("Handle", 1, hexadecimal)
        return f"{text}: handle {handle:#04x}"
    if code == _RESPONSE_TOO_LARGE and r.left >= 4:
        return f"{text}: {r.uint('ActualSize', 4)} bytes"
    if code == _DATA_TOO_LARGE and r.left >= 4:
        return f"{text}: chain of {r.uint('CertChainLength', 4)} bytes"
    if code == _VENDOR:
        size = r.uint("VendorIDLength", 1)
        r.bytes("VendorID", size)
        r.rest("OpaqueErrorData")
        return f"{text}: {STANDARDS.get(data, f'{data:#04x}')}"
    return text if not data else f"{text}, data {data:#04x}"


def _respond_if_ready(r: Reader) -> str:
    request, token = r.fields(_RESPOND)
    return f"{code_name(request)}, token {token:#04x}"


HANDLERS: dict[int, Parse] = {
    codes.GET_ENCAPSULATED_REQUEST: _get_encapsulated,
    codes.ENCAPSULATED_REQUEST: _encapsulated,
    codes.DELIVER_ENCAPSULATED_RESPONSE: _encapsulated,
    codes.ENCAPSULATED_RESPONSE_ACK: _encapsulated_ack,
    codes.CHUNK_SEND: _chunk_send,
    codes.CHUNK_SEND_ACK: _chunk_send_ack,
    codes.CHUNK_GET: _chunk_get,
    codes.CHUNK_RESPONSE: _chunk_response,
    codes.ERROR: _error,
    codes.RESPOND_IF_READY: _respond_if_ready,
}
