"""PLDM messages (DSP0240): the header of every type, and the commands of messaging control and discovery (type 0)."""

from __future__ import annotations

from construct import Int8ul

from .spdm._fields import Bits, Layout, bits, enum, flag, hexadecimal, node
from .spdm._reader import Cut, Reader
from .spdm.session import Session
from .tree import Node

TYPES = {
    0x00: "ControlDiscovery",
    0x01: "SMBIOS",
    0x02: "Platform",
    0x03: "BIOS",
    0x04: "FRU",
    0x05: "FirmwareUpdate",
    0x06: "RedfishDeviceEnablement",
    0x07: "FileTransfer",
    0x3F: "OEM",
}
"""PLDM type codes (DSP0245)."""
COMMANDS = {
    0x01: "SetTID",
    0x02: "GetTID",
    0x03: "GetPLDMVersion",
    0x04: "GetPLDMTypes",
    0x05: "GetPLDMCommands",
    0x06: "SelectPLDMVersion",
    0x07: "NegotiateTransferParameters",
    0x08: "MultipartSend",
    0x09: "MultipartReceive",
    0x0A: "GetMultipartTransferSupport",
}
"""Commands of type 0."""
COMPLETION = {
    0: "SUCCESS",
    1: "ERROR",
    2: "ERROR_INVALID_DATA",
    3: "ERROR_INVALID_LENGTH",
    4: "ERROR_NOT_READY",
    5: "ERROR_UNSUPPORTED_PLDM_CMD",
    0x20: "ERROR_INVALID_PLDM_TYPE",
}
_NO_SESSION = Session()
_FIRST = bits(Bits("InstanceID", 0, 4), Bits("Reserved", 5, 5, {0: "0"}), flag("D", 6), flag("Rq", 7))
_TYPE = bits(Bits("PLDMType", 0, 5, dict.fromkeys(range(64), "type") | TYPES), Bits("HeaderVersion", 6, 7))
_HEADER = Layout(("Header", Int8ul, _FIRST), ("Type", Int8ul, _TYPE))


def decode_pldm(data: bytes) -> Node:
    """A PLDM message from the byte behind MCTP's message type on; the node's name is 'PLDM'. Never raises."""
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION)
    text = ""
    try:
        first, second = r.fields(_HEADER)
        kind, request = second & 0x3F, bool(first & 0x80)
        command = r.uint("PLDMCommandCode", 1, enum(COMMANDS) if kind == 0 else hexadecimal)
        name = COMMANDS.get(command) if kind == 0 else None
        text = f"{TYPES.get(kind, f'type {kind:#04x}')} {name or f'{command:#04x}'} {'request' if request else 'response'}"
        if not request:
            code = r.uint("PLDMCompletionCode", 1, enum(COMPLETION, "command specific"))
            text += f": {COMPLETION.get(code, f'{code:#x}')}"
            if name == "GetTID" and r.left:
                text += f", TID {r.uint('TID', 1, hexadecimal):#x}"
        elif name == "SetTID" and r.left:
            text += f": TID {r.uint('TID', 1, hexadecimal):#x}"
        r.rest("Data")
    except Cut:
        pass
    return node("PLDM", None, text, 0, len(data), tuple(r.nodes), r.note, r.severity)
