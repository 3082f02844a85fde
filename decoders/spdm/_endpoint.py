"""GET_ENDPOINT_INFO and events (1.3)."""

from __future__ import annotations

from construct import Bytes, Int8ul, Int16ul, Int32ul

from . import codes
from ._capabilities import NO_PARAMS
from ._fields import Layout, bits, enum, flag, hexadecimal, number, reserved
from ._identity import NONCE, SLOT, signature_of
from ._proofs import endpoint_info
from ._reader import MAX_ITEMS, Parse, Reader
from .algorithms import SIGNATURE_SIZES
from .standards import STANDARDS

SUB_CODES = {1: "DeviceClassIdentifier"}
EVENT_TYPES = {1: "EventLost", 2: "MeasurementChanged", 3: "MeasurementPreUpdate", 4: "CertificateChanged"}
"""EventTypeId of the DMTF event group."""
_REQUEST = Layout(
    ("SubCode", Int8ul, enum(SUB_CODES)),
    ("Param2", Int8ul, bits(SLOT)),
    ("RequestAttributes", Int8ul, bits(flag("SignatureRequested", 0))),
    ("Reserved", Bytes(3), reserved),
)
_RESPONSE = Layout(("Param1", Int8ul, reserved), ("Param2", Int8ul, bits(SLOT)), ("Reserved", Int32ul, reserved))
_IDENTIFIERS = Layout(("NumIdentifiers", Int8ul, number), ("Reserved", Bytes(3), reserved))
_BODY = Layout(("ID", Int8ul, enum(STANDARDS)), ("VendorIDLen", Int8ul, number))


def _get_endpoint_info(r: Reader) -> str:
    code, param2, attributes, _ = r.fields(_REQUEST)
    if attributes & 1:
        r.bytes("Nonce", NONCE)
    return f"{SUB_CODES.get(code, f'SubCode {code:#x}')}, slot {param2 & 15}" + (", signed" if attributes & 1 else "")


def _endpoint_info(r: Reader) -> str:
    _, param2, _ = r.fields(_RESPONSE)
    asked = r.request(codes.GET_ENDPOINT_INFO)
    name = signature_of(r)
    signature = 0
    if asked is not None:
        r.echoes("slot", param2 & 15, asked[3] & 15)
    if asked is not None and len(asked) > 4:
        signed = bool(asked[4] & 1)
    else:
        signed = _signed(r)
    if signed:
        r.bytes("Nonce", NONCE)
    length = r.uint("EPInfoLen", 4)
    if length > r.left:
        r.short("EPInfo", length)
    if signed:
        signature = r.sizes([length, name])[name]
    if asked is not None and asked[2] == 1 and length:
        r.region("EPInfo", length, _device_class)
    else:
        r.bytes("EPInfo", length)
    if signature:
        endpoint_info(r, r.bytes("Signature", signature))
    return f"slot {param2 & 15}, {length} bytes" + (", signed" if signature else "")


def _signed(r: Reader) -> bool:
    """Whether nonce and signature are there, where the request was not seen: their sizes fit."""
    plain = int.from_bytes(r.data[r.pos : r.pos + 4], "little")
    if r.left >= 4 and r.fits(r.pos + 4 + plain):
        return False
    at = r.pos + NONCE
    length = int.from_bytes(r.data[at : at + 4], "little")
    return any(r.fits(at + 4 + length + size) for size in SIGNATURE_SIZES)


def _device_class(r: Reader) -> str:
    count, _ = r.fields(_IDENTIFIERS)
    said = []
    for i in range(count):
        size = r.uint(f"IDElemLength[{i}]", 1)
        r.region(f"IdentifierElement[{i}]", size, _identifier)
        said.append(r.nodes[-1].text)
    return ", ".join(said[:8]) or "none"


def _identifier(r: Reader) -> str:
    text = _standard(r)
    count = r.uint("NumSubIDs", 1)
    for i in range(count):
        size = r.uint(f"SubIDLen[{i}]", 1)
        r.bytes(f"SubIdentifier[{i}]", size)
    return text


def _standard(r: Reader) -> str:
    """A standards body and its vendor id."""
    body, size = r.fields(_BODY)
    text = STANDARDS.get(body, f"{body:#x}")
    if size:
        value = r.bytes("VendorID", size)
        text += f" {int.from_bytes(value, 'little'):#06x}" if size <= 4 else f" {value.hex()}"
    return text


# events

_GROUPS = Layout(("EventGroupCount", Int8ul, number), ("Param2", Int8ul, reserved), ("EventGroupsListLen", Int32ul, number))
_GROUP = Layout(
    ("EventTypeCount", Int16ul, number), ("EventGroupVer", Int16ul, number), ("Attributes", Int32ul, bits(flag("All", 0)))
)
_EVENT_TYPE = Layout(("EventTypeId", Int16ul, number), ("Reserved", Int16ul, reserved))
_SEND = Layout(("Param1", Int8ul, reserved), ("Param2", Int8ul, reserved), ("EventCount", Int32ul, number))
_EVENT = Layout(("EventInstanceId", Int32ul, number), ("Reserved", Int32ul, reserved))
_DETAIL = Layout(("EventTypeId", Int16ul, number), ("EventDetailLen", Int16ul, number))
_LOST = Layout(("LastAckedEventInstID", Int32ul, number), ("LastLostEventInstID", Int32ul, number))


def _bare(r: Reader) -> str:
    r.fields(NO_PARAMS)
    return ""


def _event_groups(r: Reader) -> str:
    count, _, length = r.fields(_GROUPS)
    if length:
        r.region("EventGroupsList", length, _group_list(count))
    return f"{count} groups"


def _subscribe(r: Reader) -> str:
    if r.left >= 2 and not r.data[r.pos] and (r.left < 6 or r.fits(r.pos + 2)):  # no groups: the list may be left out
        r.uint("SubscribeEventGroupCount", 1)
        r.reserved(1, "Param2")
        return "nothing"
    count, _, length = r.fields(_GROUPS)
    if length:
        r.region("SubscribeList", length, _group_list(count))
    return f"{count} groups"


def _group_list(count: int) -> Parse:
    return lambda r: r.items("EventGroup", count, _event_group)


def _event_group(r: Reader) -> str:
    text = _standard(r)
    count, *_ = r.fields(_GROUP)
    said = []
    for i in range(min(count, MAX_ITEMS)):
        if not r.left:
            r.short(f"EventType[{i}]", _EVENT_TYPE.size)
        r.group(f"EventType[{i}]", _event_type(text))
        if i < 8:
            said.append(r.nodes[-1].text)
    return f"{text} ({', '.join(said) or 'no types listed'})"


def _event_type(body: str) -> Parse:
    def parse(r: Reader) -> str:
        kind, _ = r.fields(_EVENT_TYPE)
        return EVENT_TYPES.get(kind, str(kind)) if body == "DMTF" else str(kind)

    return parse


def _send_event(r: Reader) -> str:
    count = r.fields(_SEND)[2]
    return f"{count} events: {r.items('Event', count, _event)}"


def _event(r: Reader) -> str:
    instance, _ = r.fields(_EVENT)
    body = _standard(r)
    kind, size = r.fields(_DETAIL)
    if body == "DMTF" and kind == 1 and size == _LOST.size:
        r.region("EventDetail", size, _lost)
    elif body == "DMTF" and kind == 4 and size == 1:
        r.uint("EventDetail", 1, hexadecimal)
    else:
        r.bytes("EventDetail", size)
    return f"{instance}: {body} {EVENT_TYPES.get(kind, kind) if body == 'DMTF' else kind}"


def _lost(r: Reader) -> str:
    acked, lost = r.fields(_LOST)
    return f"after {acked} to {lost}"


HANDLERS: dict[int, Parse] = {
    codes.GET_ENDPOINT_INFO: _get_endpoint_info,
    codes.ENDPOINT_INFO: _endpoint_info,
    codes.GET_SUPPORTED_EVENT_TYPES: _bare,
    codes.SUPPORTED_EVENT_TYPES: _event_groups,
    codes.SUBSCRIBE_EVENT_TYPES: _subscribe,
    codes.SUBSCRIBE_EVENT_TYPES_ACK: _bare,
    codes.SEND_EVENT: _send_event,
    codes.EVENT_ACK: _bare,
}
