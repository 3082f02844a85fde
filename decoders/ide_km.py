"""IDE_KM: the messages that program IDE keys into a port, inside VENDOR_DEFINED messages of PCI-SIG and CXL.

PCIe r6 section 6.33.3 "IDE_KM" and 7.9.26 (the registers that QUERY_RESP carries; names as in Linux
include/uapi/linux/pci_regs.h), CXL r3 section 11.4 for the variant of CXL. The bytes begin behind the protocol id.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from construct import Bytes, Int8ul, Int32ul

from .spdm._fields import Bits, Layout, Make, bits, enum, flag, hexadecimal, node, number, reserved
from .spdm._reader import Cut, Reader
from .spdm.session import Session
from .tree import Node

QUERY, QUERY_RESP, KEY_PROG, KP_ACK, K_SET_GO, K_SET_STOP, K_GOSTOP_ACK, GET_KEY, GET_KEY_ACK = range(9)
OBJECTS = {
    QUERY: "QUERY",
    QUERY_RESP: "QUERY_RESP",
    KEY_PROG: "KEY_PROG",
    KP_ACK: "KP_ACK",
    K_SET_GO: "K_SET_GO",
    K_SET_STOP: "K_SET_STOP",
    K_GOSTOP_ACK: "K_GOSTOP_ACK",
}
CXL_OBJECTS = {**OBJECTS, GET_KEY: "GET_KEY", GET_KEY_ACK: "GET_KEY_ACK"}
STATUS = {
    0: "Success",
    1: "Incorrect Length",
    2: "Unsupported Port Index",
    3: "Unsupported Value",
    4: "Unspecified Failure",
}
KEY_SIZE, IFV_SIZE, CXL_IV_SIZE = 32, 8, 12
_NO_SESSION = Session()
MAX_BLOCKS = 256
"""Stream register blocks of a kind: the capability register counts up to 8 for links and 256 selective ones."""

_SUB_STREAMS = {0: "PR", 1: "NPR", 2: "CPL"}
_KEY_SET = Bits("KeySet", 0, 0, {0: "K0", 1: "K1"})
_RX_TX = Bits("RxTx", 1, 1, {0: "RX", 1: "TX"})


def sub_stream_text(value: int) -> str:
    """'PR TX K0' of a sub-stream byte."""
    kind = {**_SUB_STREAMS, 8: "CXL"}.get(value >> 4, f"sub-stream {value >> 4:#x}")
    return f"{kind} {'TX' if value & 2 else 'RX'} K{value & 1}"


def _sub_stream(*fields: Bits) -> Make:
    make = bits(_KEY_SET, _RX_TX, *fields)

    def named(name: str, value: int, offset: int, size: int) -> Node:
        return replace(make(name, value, offset, size), text=f"{sub_stream_text(value)} ({value:#x})")

    return named


_SUB_STREAM = _sub_stream(Bits("Reserved", 2, 3, {0: "0"}), Bits("SubStream", 4, 7, _SUB_STREAMS))


def _cxl_sub_stream(bit3: str, names: dict[int, str]) -> Make:
    third = Bits(bit3, 3, 3, names) if bit3 else Bits("Reserved", 3, 3, {0: "0"})
    return _sub_stream(Bits("Reserved", 2, 2, {0: "0"}), third, Bits("SubStream", 4, 7, {8: "CXL"}))


_CXL_SUB_STREAMS: dict[int, Make] = {
    KEY_PROG: _cxl_sub_stream("IV", {0: "given", 1: "default"}),
    K_SET_GO: _cxl_sub_stream("Mode", {0: "Skid", 1: "Containment"}),
}
_CXL_SUB_STREAM = _cxl_sub_stream("", {})

_QUERY = Layout(("Reserved", Int8ul, reserved), ("PortIndex", Int8ul, number))


def _device_function(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, f"{value >> 3:02x}.{value & 7} ({value:#x})", offset, size)


_QUERY_RESP = Layout(
    ("Reserved", Int8ul, reserved),
    ("PortIndex", Int8ul, number),
    ("DeviceFunction", Int8ul, _device_function),
    ("Bus", Int8ul, hexadecimal),
    ("Segment", Int8ul, hexadecimal),
    ("MaxPortIndex", Int8ul, number),
)


def _stream(sub_stream: Make, status: bool = False) -> Layout:
    """What KEY_PROG, KP_ACK, K_SET_GO, K_SET_STOP and K_GOSTOP_ACK have in common."""
    fifth = ("Status", Int8ul, enum(STATUS)) if status else ("Reserved2", Int8ul, reserved)
    return Layout(
        ("Reserved", Bytes(2), reserved),
        ("StreamID", Int8ul, hexadecimal),
        fifth,
        ("KeySubStream", Int8ul, sub_stream),
        ("PortIndex", Int8ul, number),
    )


_STREAM, _KP_ACK = _stream(_SUB_STREAM), _stream(_SUB_STREAM, status=True)
_CXL_STREAMS = {code: _stream(_CXL_SUB_STREAMS.get(code, _CXL_SUB_STREAM), code == KP_ACK) for code in CXL_OBJECTS}

_ALGORITHM = {0: "AES-GCM-256, 96-bit MAC"}
_CAPABILITY = bits(
    flag("LinkIDE", 0),
    flag("SelectiveIDE", 1),
    flag("FlowThrough", 2),
    flag("PartialHeaderEncryption", 3),
    flag("Aggregation", 4),
    flag("PCRC", 5),
    flag("IDE_KM", 6),
    flag("SelectiveIDEForConfig", 7),
    Bits("Algorithms", 8, 12, _ALGORITHM),
    Bits("LinkTCs", 13, 15),
    Bits("SelectiveStreams", 16, 23),
    flag("TEELimited", 24),
    Bits("Reserved", 25, 31, {0: "0"}),
    word=True,
)
_CONTROL = bits(Bits("Reserved", 0, 1, {0: "0"}), flag("FlowThroughEnabled", 2), Bits("Reserved", 3, 31, {0: "0"}), word=True)
_AGGREGATION = (Bits("TxAggregationNPR", 2, 3), Bits("TxAggregationPR", 4, 5), Bits("TxAggregationCPL", 6, 7))
_LINK_CONTROL = bits(
    flag("Enable", 0),
    Bits("Reserved", 1, 1, {0: "0"}),
    *_AGGREGATION,
    flag("PCRCEnable", 8),
    Bits("Reserved", 9, 9, {0: "0"}),
    Bits("PartialHeaderEncryption", 10, 13),
    Bits("Algorithm", 14, 18, _ALGORITHM),
    Bits("TC", 19, 21),
    Bits("Reserved", 22, 23, {0: "0"}),
    Bits("StreamID", 24, 31),
    word=True,
)
_SELECTIVE_CONTROL = bits(
    flag("Enable", 0),
    Bits("Reserved", 1, 1, {0: "0"}),
    *_AGGREGATION,
    flag("PCRCEnable", 8),
    flag("ConfigEnable", 9),
    Bits("PartialHeaderEncryption", 10, 13),
    Bits("Algorithm", 14, 18, _ALGORITHM),
    Bits("TC", 19, 21),
    flag("DefaultStream", 22),
    flag("TEELimited", 23),
    Bits("StreamID", 24, 31),
    word=True,
)
_STATUS = bits(
    Bits("State", 0, 3, {0: "Insecure", 2: "Secure"}, shown="State"),
    Bits("Reserved", 4, 30, {0: "0"}),
    flag("IntegrityCheckFailReceived", 31),
    word=True,
)
_SELECTIVE_CAPABILITY = bits(Bits("AddressAssociations", 0, 3), Bits("Reserved", 4, 31, {0: "0"}), word=True)


def _rid(name: str, value: int, offset: int, size: int) -> Node:
    rid = value >> 8 & 0xFFFF
    text = f"{rid >> 8:02x}:{rid >> 3 & 31:02x}.{rid & 7}"
    if name == "RIDAssociation2":
        text = f"from {value >> 24:02x}:{text}, {'valid' if value & 1 else 'not valid'}"
    else:
        text = f"up to {text}"
    return node(name, value, f"{value:#x} ({text})", offset, size)


_LINK = Layout(("Control", Int32ul, _LINK_CONTROL), ("Status", Int32ul, _STATUS))
_SELECTIVE = Layout(
    ("Capability", Int32ul, _SELECTIVE_CAPABILITY),
    ("Control", Int32ul, _SELECTIVE_CONTROL),
    ("Status", Int32ul, _STATUS),
    ("RIDAssociation1", Int32ul, _rid),
    ("RIDAssociation2", Int32ul, _rid),
)
_ADDRESS = Layout(
    ("AddressAssociation1", Int32ul, hexadecimal),
    ("AddressAssociation2", Int32ul, hexadecimal),
    ("AddressAssociation3", Int32ul, hexadecimal),
)
_REGISTERS = Layout(("Capability", Int32ul, _CAPABILITY), ("Control", Int32ul, _CONTROL))


def decode_ide_km(data: bytes, *, reveal: bool = False, base: int = 0) -> Node:
    """An IDE_KM object of PCI-SIG, from the byte behind the protocol id on; the node's name is the object's.

    ``base`` is where ``data`` begins in the buffer in which offsets count.

    Keys and IVs are not in the tree unless ``reveal``: value and text say '<256-bit key, redacted>'. Never raises.
    """
    return _decode(bytes(data), reveal, cxl=False, base=base)


def decode_cxl_ide_km(data: bytes, *, reveal: bool = False, base: int = 0) -> Node:
    """The same for an IDE_KM object of CXL (vendor id 0x1E98, protocol 0)."""
    return _decode(bytes(data), reveal, cxl=True, base=base)


def _decode(data: bytes, reveal: bool, cxl: bool, base: int) -> Node:
    r = Reader(data, 0, len(data), _NO_SESSION, base=base)
    names = CXL_OBJECTS if cxl else OBJECTS
    code = data[0] if data else -1
    name = names.get(code, f"UNKNOWN_{code:#04x}") if data else "TRUNCATED"
    text = ""
    try:
        r.uint("ObjectID", 1, enum(names))
        text = _body(r, code, reveal, cxl)
        if r.left:
            r.rest("trailing")
            r.noted(f"{r.nodes[-1].size} bytes behind the end of {name}", "warning" if code in names else "note")
    except Cut:
        pass
    return node(name, None, text, base, len(data), tuple(r.nodes), r.note, r.severity)


def _body(r: Reader, code: int, reveal: bool, cxl: bool) -> str:
    if code == QUERY:
        return f"port {r.fields(_QUERY)[1]}"
    if code == QUERY_RESP:
        _, port, function, bus, segment, last = r.fields(_QUERY_RESP)
        if cxl:
            r.uint("Capabilities", 1, _CXL_CAPABILITIES)
        if r.left:
            r.group("IDERegisters", _registers)
        return f"port {port} of 0 to {last}, {segment:02x}:{bus:02x}:{function >> 3:02x}.{function & 7}"
    layout = _CXL_STREAMS.get(code) if cxl else {KP_ACK: _KP_ACK}.get(code, _STREAM if code in OBJECTS else None)
    if layout is None:
        return "unknown object"
    _, stream, status, sub, port = r.fields(layout)
    said = f"stream {stream:#x} {sub_stream_text(sub)}, port {port}"
    if code == KP_ACK:
        if status:
            r.say(f"key refused: {STATUS.get(status, status)}", "warning")
        return f"{said}: {STATUS.get(status, status)}"
    if code in (KEY_PROG, GET_KEY_ACK):
        _secret(r, "Key", KEY_SIZE, "key", reveal)
        _secret(r, "IV" if cxl else "IFV", CXL_IV_SIZE if cxl else IFV_SIZE, "IV", reveal)
    return said


def _secret(r: Reader, name: str, size: int, what: str, reveal: bool) -> None:
    """Bytes that are shown only on demand; those of a message cut short are as secret as all of them."""
    there = min(size, r.left)
    if reveal or not there:
        r.bytes(name, size)
        return
    hidden = f"<{8 * there}-bit {what}, redacted>"
    at, r.pos = r.pos, r.pos + there
    r.nodes.append(node(name, hidden, hidden, r.base + at, there))
    if there < size:
        r.nodes[-1] = r.nodes[-1].noted(f"{size} bytes expected at {at:#x}, {there} there", "error")
        raise Cut


def _registers(r: Reader) -> str:
    capability, _ = r.fields(_REGISTERS)
    links = (capability >> 13 & 7) + 1 if capability & 1 else 0
    selective = (capability >> 16 & 0xFF) + 1 if capability & 2 else 0
    for i in range(links):
        r.group(f"LinkStream[{i}]", _link)
    for i in range(min(selective, MAX_BLOCKS)):
        r.group(f"SelectiveStream[{i}]", partial(_selective, index=i))
    if r.left:
        r.rest("registers")
        r.noted(f"{r.nodes[-1].size} bytes of registers that the capability register does not account for")
    return f"{links} link streams, {selective} selective streams"


def _stream_text(control: int, status: int) -> str:
    state = {0: "Insecure", 2: "Secure"}.get(status & 15, f"state {status & 15}")
    return f"stream {control >> 24:#x}, {'enabled' if control & 1 else 'not enabled'}, {state}"


def _link(r: Reader) -> str:
    return _stream_text(*r.fields(_LINK))


def _selective(r: Reader, index: int) -> str:
    capability, control, status, _, _ = r.fields(_SELECTIVE)
    for i in range(capability & 15):
        r.group(f"AddressAssociation[{i}]", _address)
    return _stream_text(control, status)


def _address(r: Reader) -> str:
    low, limit, base = r.fields(_ADDRESS)
    # [19:8] of the first are address bits 31:20 of the base, [31:20] those of the limit
    first = base << 32 | (low >> 8 & 0xFFF) << 20
    last = limit << 32 | (low >> 20 & 0xFFF) << 20 | 0xFFFFF
    return f"{first:#x} to {last:#x}" if low & 1 else "not valid"


_CXL_CAPABILITIES = bits(
    Bits("Version", 0, 3),
    flag("IVGeneration", 4),
    flag("KeyGeneration", 5),
    flag("K_SET_STOP", 6),
    Bits("Reserved", 7, 7, {0: "0"}),
    word=True,
)
