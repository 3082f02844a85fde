"""TDISP: the messages that lock, report on, start and stop a TDI, inside VENDOR_DEFINED messages of PCI-SIG.

PCIe r6 section 11.3 "TDISP Message Formats and Processing"; field names in its spelling. The bytes begin behind the
protocol id. A device interface report comes in portions: put together, it is for ``decode_report``.
"""

from __future__ import annotations

from collections.abc import Callable

from construct import Bytes, Int8ul, Int16ul, Int32ul, Int64ul

from .spdm._fields import Bits, Layout, bits, enum, flag, hexadecimal, hexed, node, number, raw, reserved
from .spdm._reader import Cut, Reader
from .spdm.session import Session
from .tree import Node

CODES = {
    0x81: "GET_TDISP_VERSION",
    0x82: "GET_TDISP_CAPABILITIES",
    0x83: "LOCK_INTERFACE_REQUEST",
    0x84: "GET_DEVICE_INTERFACE_REPORT",
    0x85: "GET_DEVICE_INTERFACE_STATE",
    0x86: "START_INTERFACE_REQUEST",
    0x87: "STOP_INTERFACE_REQUEST",
    0x88: "BIND_P2P_STREAM_REQUEST",
    0x89: "UNBIND_P2P_STREAM_REQUEST",
    0x8A: "SET_MMIO_ATTRIBUTE_REQUEST",
    0x8B: "VDM_REQUEST",
    0x01: "TDISP_VERSION",
    0x02: "TDISP_CAPABILITIES",
    0x03: "LOCK_INTERFACE_RESPONSE",
    0x04: "DEVICE_INTERFACE_REPORT",
    0x05: "DEVICE_INTERFACE_STATE",
    0x06: "START_INTERFACE_RESPONSE",
    0x07: "STOP_INTERFACE_RESPONSE",
    0x08: "BIND_P2P_STREAM_RESPONSE",
    0x09: "UNBIND_P2P_STREAM_RESPONSE",
    0x0A: "SET_MMIO_ATTRIBUTE_RESPONSE",
    0x0B: "VDM_RESPONSE",
    0x7F: "TDISP_ERROR",
}
"""MessageType -> name. Bit 7 set is a request."""
STATES = {0: "CONFIG_UNLOCKED", 1: "CONFIG_LOCKED", 2: "RUN", 3: "ERROR"}
ERRORS = {
    0x0001: "INVALID_REQUEST",
    0x0003: "BUSY",
    0x0004: "INVALID_INTERFACE_STATE",
    0x0005: "UNSPECIFIED",
    0x0007: "UNSUPPORTED_REQUEST",
    0x0041: "VERSION_MISMATCH",
    0x00FF: "VENDOR_SPECIFIC_ERROR",
    0x0101: "INVALID_INTERFACE",
    0x0102: "INVALID_NONCE",
    0x0103: "INSUFFICIENT_ENTROPY",
    0x0104: "INVALID_DEVICE_CONFIGURATION",
}
REGISTRIES = {0: "PCI-SIG", 1: "CXL"}
VERSION = 0x10
_NO_SESSION = Session()
HEADER_SIZE = 16
PAGE = 4096
"""Bytes of the pages in which a report counts."""
MAX_RANGES = 1024
"""MMIO ranges of a report that are taken apart one by one."""

_LOCK_FLAGS = (
    flag("NO_FW_UPDATE", 0),
    flag("SYSTEM_CACHE_LINE_SIZE", 1),
    flag("LOCK_MSIX", 2),
    flag("BIND_P2P", 3),
    flag("ALL_REQUEST_REDIRECT", 4),
    Bits("Reserved", 5, 15, {0: "0"}),
)
_INTERFACE_INFO = (
    flag("NO_UPDATE_AFTER_LOCK", 0),
    flag("DMA_WITHOUT_PASID", 1),
    flag("DMA_WITH_PASID", 2),
    flag("ATS", 3),
    flag("PRS", 4),
    Bits("Reserved", 5, 15, {0: "0"}),
)
_RANGE_ATTRIBUTES = (
    flag("MSI_X_TABLE", 0),
    flag("MSI_X_PBA", 1),
    flag("IS_NON_TEE_MEM", 2),
    flag("IS_MEM_ATTR_UPDATABLE", 3),
    Bits("Reserved", 4, 15, {0: "0"}),
)


def version_text(value: int) -> str:
    """'1.0' of a version byte 0x10."""
    return f"{value >> 4}.{value & 15}"


def _version(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, f"{version_text(value)} ({value:#x})", offset, size)


def function_text(value: int) -> str:
    """'0000:be:1d.7' of a FUNCTION_ID; the segment is left out where it is not marked valid."""
    rid = f"{value >> 8 & 0xFF:02x}:{value >> 3 & 31:02x}.{value & 7}"
    return f"{value >> 16 & 0xFF:04x}:{rid}" if value >> 24 & 1 else rid


def _function(name: str, value: int, offset: int, size: int) -> Node:
    made = node(name, value, f"{function_text(value)} ({value:#x})", offset, size)
    if value >> 25:
        return made.noted(f"bits 31:25 reserved, should be zero: {value >> 25:#x}", "warning")
    if value >> 16 & 0xFF and not value >> 24 & 1:
        return made.noted("a segment that is not marked valid", "warning")
    return made


def _supported(name: str, value: bytes, offset: int, size: int) -> Node:
    mask = int.from_bytes(value, "little")  # bit n: request 0x80 + n
    known = [CODES.get(0x80 + i, f"{0x80 + i:#x}") for i in range(128) if mask >> i & 1]
    return node(name, value, f"{mask:#x} ({', '.join(known) or 'none'})", offset, size)


def _error(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, f"{ERRORS[value]} ({value:#x})" if value in ERRORS else f"unknown ({value:#x})", offset, size)


_HEADER = Layout(("TDISPVersion", Int8ul, _version), ("MessageType", Int8ul, enum(CODES)), ("Reserved", Int16ul, reserved))
_INTERFACE_ID = Layout(("FUNCTION_ID", Int32ul, _function), ("Reserved", Int64ul, reserved))
_CAPABILITIES = Layout(
    ("DSM_CAPS", Int32ul, hexadecimal),
    ("REQ_MSGS_SUPPORTED", Bytes(16), _supported),
    ("LOCK_INTERFACE_FLAGS_SUPPORTED", Int16ul, bits(*_LOCK_FLAGS, word=True)),
    ("Reserved", Bytes(3), reserved),
    ("DEV_ADDR_WIDTH", Int8ul, number),
    ("NUM_REQ_THIS", Int8ul, number),
    ("NUM_REQ_ALL", Int8ul, number),
)
_LOCK = Layout(
    ("FLAGS", Int16ul, bits(*_LOCK_FLAGS, word=True)),
    ("DEFAULT_STREAM_ID", Int8ul, hexadecimal),
    ("Reserved", Int8ul, reserved),
    ("MMIO_REPORTING_OFFSET", Int64ul, hexadecimal),
    ("BIND_P2P_ADDRESS_MASK", Int64ul, hexadecimal),
)
_GET_REPORT = Layout(("OFFSET", Int16ul, hexadecimal), ("LENGTH", Int16ul, hexadecimal))
_REPORT_PORTION = Layout(("PORTION_LENGTH", Int16ul, hexadecimal), ("REMAINDER_LENGTH", Int16ul, hexadecimal))
_ERROR = Layout(("ERROR_CODE", Int32ul, _error), ("ERROR_DATA", Int32ul, hexadecimal))
_REPORT = Layout(
    ("INTERFACE_INFO", Int16ul, bits(*_INTERFACE_INFO, word=True)),
    ("Reserved", Int16ul, reserved),
    ("MSI_X_MESSAGE_CONTROL", Int16ul, hexadecimal),
    ("LNR_CONTROL", Int16ul, hexadecimal),
    ("TPH_CONTROL", Int32ul, hexadecimal),
    ("MMIO_RANGE_COUNT", Int32ul, number),
)
_RANGE = Layout(
    ("FIRST_PAGE", Int64ul, hexadecimal),
    ("NUMBER_OF_PAGES", Int32ul, number),
    ("RANGE_ATTRIBUTES", Int16ul, bits(*_RANGE_ATTRIBUTES, word=True)),
    ("RANGE_ID", Int16ul, number),
)
RANGE_SIZE = _RANGE.size


def name_of(data: bytes) -> str:
    """The name of a TDISP message: 'UNKNOWN_0x90' for a type that is not defined, 'TRUNCATED' below two bytes."""
    return CODES.get(data[1], f"UNKNOWN_{data[1]:#04x}") if len(data) > 1 else "TRUNCATED"


def decode_tdisp(data: bytes, *, base: int = 0) -> Node:
    """A TDISP message from the byte behind the protocol id on; the node's name is the message's. Never raises.

    ``base`` is where ``data`` begins in the buffer in which offsets count. FUNCTION_ID's text is a PCI address; an
    error's says what it is, and of ERROR_DATA what it means for that error.
    """
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION, base=base)
    name = name_of(data)
    text = ""
    try:
        version, code, _ = r.fields(_HEADER)
        if version >> 4 != VERSION >> 4:
            r.say(f"TDISP version {version_text(version)}, decoded as 1.0", "warning")
        r.group("INTERFACE_ID", _interface)
        text = r.nodes[-1].text
        body = _BODIES.get(code)
        said = body(r) if body else ""
        text = f"{text}, {said}" if said else text
        if r.left:
            r.rest("trailing" if code in CODES else "Payload")
            if code in CODES:
                r.noted(f"{r.nodes[-1].size} bytes behind the end of {name}", "warning")
    except Cut:
        pass
    return node(name, None, text, base, len(data), tuple(r.nodes), r.note, r.severity)


def _interface(r: Reader) -> str:
    return function_text(r.fields(_INTERFACE_ID)[0])


def _tdisp_version(r: Reader) -> str:
    count = r.uint("VERSION_NUM_COUNT", 1)
    said = []
    for i in range(count):
        said.append(version_text(r.uint(f"VERSION_NUM_ENTRY[{i}]", 1, _version)))
    return ", ".join(said)


def _get_capabilities(r: Reader) -> str:
    r.uint("TSM_CAPS", 4, hexadecimal)
    return ""


def _capabilities(r: Reader) -> str:
    width = r.fields(_CAPABILITIES)[4]
    return f"{width}-bit addresses"


def _lock(r: Reader) -> str:
    _, stream, _, offset, _ = r.fields(_LOCK)
    return f"stream {stream:#x}, MMIO reporting offset {offset:#x}"


def _nonce(r: Reader) -> str:
    r.bytes("START_INTERFACE_NONCE", 32)
    return ""


def _get_report(r: Reader) -> str:
    offset, length = r.fields(_GET_REPORT)
    return f"{length} bytes from {offset:#x} on"


def _portion(r: Reader) -> str:
    length, remainder = r.fields(_REPORT_PORTION)
    bytes_there = min(length, r.left)
    portion = r.data[r.pos : r.pos + length]
    # the first portion of a report begins with its fixed fields; alone it is whole, and can be read as what it is
    if remainder == 0 and length == bytes_there and is_report(portion):
        r.region("REPORT_BYTES", length, _report)
    else:
        r.bytes("REPORT_BYTES", length)
    return f"{length} bytes, {remainder} to come"


def _state(r: Reader) -> str:
    return STATES.get(r.uint("TDI_STATE", 1, enum(STATES)), "unknown state")


def _p2p(r: Reader) -> str:
    return f"stream {r.uint('P2P_STREAM_ID', 1, hexadecimal):#x}"


def _set_attribute(r: Reader) -> str:
    r.group("MMIO_RANGE", _range)
    return r.nodes[-1].text


def _vdm(r: Reader) -> str:
    there = r.data[r.pos : r.end]
    if len(there) > 1 and there[0] in REGISTRIES and 2 + there[1] <= len(there):
        r.group("VENDOR", _vendor)
        return r.nodes[-1].text
    if there:
        r.rest("VENDOR_DATA")
        r.noted("does not begin with a registry, a length and a vendor id")
    return ""


def _vendor(r: Reader) -> str:
    registry = r.uint("REGISTRY_ID", 1, enum(REGISTRIES))
    size = r.uint("VENDOR_ID_LEN", 1)
    vendor = r.bytes("VENDOR_ID", size) if size else b""
    r.rest("VENDOR_DATA")
    said = f"{int.from_bytes(vendor, 'little'):#06x}" if vendor else "no vendor id"
    return f"{REGISTRIES.get(registry, registry)} {said}"


def _tdisp_error(r: Reader) -> str:
    code, data = r.fields(_ERROR)
    said = ERRORS.get(code, f"unknown ({code:#x})")
    if code == 0x0007:
        asked = CODES.get(data & 0xFF, "undefined")
        last = r.nodes[-1]
        r.nodes[-1] = node(last.name, data, f"{data:#x} ({asked})", last.offset, last.size)
        said += f" of {asked}"
    r.say(f"the device refused: {said}", "warning")
    if r.left:
        r.group("EXTENDED_ERROR_DATA", _vendor)
    return said


_BODIES: dict[int, Callable[[Reader], str]] = {
    0x82: _get_capabilities,
    0x83: _lock,
    0x84: _get_report,
    0x86: _nonce,
    0x88: _p2p,
    0x89: _p2p,
    0x8A: _set_attribute,
    0x8B: _vdm,
    0x01: _tdisp_version,
    0x02: _capabilities,
    0x03: _nonce,
    0x04: _portion,
    0x05: _state,
    0x0B: _vdm,
    0x7F: _tdisp_error,
}


def is_report(data: bytes) -> bool:
    """Whether these bytes can be a whole device interface report: its counts and lengths add up to the end."""
    if len(data) < _REPORT.size + 4:
        return False
    at = _REPORT.size + RANGE_SIZE * int.from_bytes(data[12:16], "little")
    return at + 4 <= len(data) and at + 4 + int.from_bytes(data[at : at + 4], "little") == len(data)


def decode_report(data: bytes) -> Node:
    """A whole device interface report (TDI_REPORT), as it is put together from the portions. Never raises."""
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION)
    text = ""
    try:
        text = _report(r)
        if r.left:
            r.rest("trailing")
            r.noted(f"{r.nodes[-1].size} bytes behind the end of the report", "warning")
    except Cut:
        pass
    return node("TDI_REPORT", None, text, 0, len(data), tuple(r.nodes), r.note, r.severity)


def _report(r: Reader) -> str:
    count = r.fields(_REPORT)[5]
    for i in range(min(count, MAX_RANGES)):
        r.group(f"MMIO_RANGE[{i}]", _range)
    if count > MAX_RANGES:
        there = min(RANGE_SIZE * (count - MAX_RANGES), r.left)
        at = r.pos
        r.pos += there
        r.append(raw(f"MMIO_RANGE[{MAX_RANGES}..]", r.data[at : r.pos], r.base + at))
        r.noted(f"{count} ranges; those from {MAX_RANGES} on are not taken apart", "warning")
    length = r.uint("DEVICE_SPECIFIC_INFO_LEN", 4)
    if length:
        r.bytes("DEVICE_SPECIFIC_INFO", length, _info_text(r.data[r.pos : r.pos + min(length, 64)]))
    return f"{count} MMIO ranges"


def _info_text(info: bytes) -> str:
    text = info.rstrip(b"\0")
    return (
        f"{text.decode()!r} ({info.hex()})"
        if text.isascii() and text.decode("ascii", "replace").isprintable() and text
        else hexed(info)
    )


def _range(r: Reader) -> str:
    first, pages, attributes, ident = r.fields(_RANGE)
    said = [b.name for b in _RANGE_ATTRIBUTES if b.lsb == b.msb and attributes >> b.lsb & 1]
    if not pages:
        r.noted("a range without pages", "warning")
    return f"range {ident}: page {first:#x} (address {first * PAGE:#x}), {pages} pages{', ' + ' | '.join(said) if said else ''}"
