"""MCTP packets and messages (DSP0236), with what SPDM, secured SPDM, PLDM and MCTP control messages hold.

A packet of a message in several parts is a tree of its header and its part; put together (``rmitrace.formats.carriers``),
the whole is decoded by ``decode_message``.
"""

from __future__ import annotations

from construct import Int8ul

from .pldm import decode_pldm
from .secured import open_secured
from .spdm import Session
from .spdm._fields import Bits, Layout, bits, enum, flag, hexadecimal, node, raw
from .spdm._message import behind, read_message
from .spdm._reader import Cut, Reader
from .spdm._vendor import shifted
from .tree import Node

HEADER = 4
"""Bytes of a packet's transport header."""
TYPES = {
    0x00: "Control",
    0x01: "PLDM",
    0x02: "NC-SI",
    0x03: "Ethernet",
    0x04: "NVMe-MI",
    0x05: "SPDM",
    0x06: "Secured SPDM",
    0x07: "CXL FM API",
    0x08: "CXL CCI",
    0x7E: "Vendor defined (PCI)",
    0x7F: "Vendor defined (IANA)",
}
"""Message types (DSP0239)."""
CONTROL = {
    0x01: "Set Endpoint ID",
    0x02: "Get Endpoint ID",
    0x03: "Get Endpoint UUID",
    0x04: "Get MCTP Version Support",
    0x05: "Get Message Type Support",
    0x06: "Get Vendor Defined Message Support",
    0x07: "Resolve Endpoint ID",
    0x08: "Allocate Endpoint IDs",
    0x09: "Routing Information Update",
    0x0A: "Get Routing Table Entries",
    0x0B: "Prepare for Endpoint Discovery",
    0x0C: "Endpoint Discovery",
    0x0D: "Discovery Notify",
    0x0E: "Get Network ID",
    0x0F: "Query Hop",
    0x10: "Resolve UUID",
    0x11: "Query rate limit",
    0x12: "Request TX rate limit",
    0x13: "Update rate limit",
    0x14: "Query Supported Interfaces",
}
"""Command codes of control messages (DSP0236 table 12)."""
COMPLETION = {
    0: "SUCCESS",
    1: "ERROR",
    2: "ERROR_INVALID_DATA",
    3: "ERROR_INVALID_LENGTH",
    4: "ERROR_NOT_READY",
    5: "ERROR_UNSUPPORTED_CMD",
}
_SPDM, _SECURED, _PLDM, _CONTROL = 5, 6, 1, 0
_NO_SESSION = Session()
_HEADER = Layout(
    ("HeaderVersion", Int8ul, bits(Bits("HeaderVersion", 0, 3), Bits("Reserved", 4, 7, {0: "0"}))),
    ("DestinationEndpointID", Int8ul, hexadecimal),
    ("SourceEndpointID", Int8ul, hexadecimal),
    (
        "Flags",
        Int8ul,
        bits(Bits("MessageTag", 0, 2), flag("TagOwner", 3), Bits("PacketSequence", 4, 5), flag("EOM", 6), flag("SOM", 7)),
    ),
)
_CONTROL_HEADER = Layout(
    ("Header", Int8ul, bits(Bits("InstanceID", 0, 4), Bits("Reserved", 5, 5, {0: "0"}), flag("D", 6), flag("Rq", 7))),
    ("CommandCode", Int8ul, enum(CONTROL)),
)


def message_type(name: str, value: int, offset: int, size: int) -> Node:
    """The byte in front of a message: its type, and whether an integrity check follows it."""
    kind = value & 0x7F
    text = f"{TYPES.get(kind, 'unknown')} ({kind:#x})" + (", with integrity check" if value & 0x80 else "")
    return node(name, value, text, offset, size)


def decode_mctp(data: bytes, *, session: Session | None = None) -> Node:
    """One MCTP packet from its transport header on; ``session`` is that of ``decode_spdm``. Never raises.

    The node's name is 'MCTP'. A packet that begins and ends its message holds it, as ``decode_message`` has it.
    """
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION)
    text = ""
    try:
        *_, to, by, flags = r.fields(_HEADER)
        text = f"{by:#x} to {to:#x}"
        if flags & 0xC0 == 0xC0:
            inner = decode_message(data[r.pos :], session=session)
            r.nodes += [shifted(n, r.pos) for n in inner.children]
            r.pos = r.end
            text += f": {inner.text}"
        else:
            text += f", part {flags >> 4 & 3}" + (" (first)" if flags & 0x80 else " (last)" if flags & 0x40 else "")
            r.rest("part")
    except Cut:
        pass
    return node("MCTP", None, text, 0, len(data), tuple(r.nodes), r.note, r.severity)


def decode_message(data: bytes, *, session: Session | None = None) -> Node:
    """A whole MCTP message from its type byte on; its children are the type and the message. Never raises."""
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION)
    text = ""
    try:
        kind = r.uint("MessageType", 1, message_type) & 0x7F
        text = TYPES.get(kind, f"message type {kind:#x}")
        if r.left:
            made = _body(data, kind, session)
            r.nodes += made
            text = f"{text}: {made[0].name}{': ' if made[0].text else ''}{made[0].text}"
    except Cut:
        pass
    return node("MCTPMessage", None, text, 0, len(data), tuple(r.nodes), r.note, r.severity)


def _body(data: bytes, kind: int, session: Session | None) -> list[Node]:
    if kind == _SPDM:
        made, at = read_message(data, 1, len(data), Session() if session is None else session, pad=0)
        return [made] if at == len(data) else [made, behind(data, at, len(data), "trailing")]
    if kind == _SECURED:
        return [open_secured(data[1:], session=session, binding="MCTP", base=1)[0]]
    if kind in (_PLDM, _CONTROL):
        return [shifted((decode_pldm if kind == _PLDM else decode_control)(data[1:]), 1)]
    return [raw("Message", data[1:], 1)]


def decode_control(data: bytes) -> Node:
    """An MCTP control message behind its type byte; the node's name is 'MCTPControl'. Never raises."""
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION)
    text = ""
    try:
        first, command = r.fields(_CONTROL_HEADER)
        text = f"{CONTROL.get(command, f'{command:#04x}')} {'request' if first & 0x80 else 'response'}"
        if not first & 0x80:
            code = r.uint("CompletionCode", 1, enum(COMPLETION, "command specific"))
            text += f": {COMPLETION.get(code, f'{code:#x}')}"
        r.rest("Data")
    except Cut:
        pass
    return node("MCTPControl", None, text, 0, len(data), tuple(r.nodes), r.note, r.severity)
