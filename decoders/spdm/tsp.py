"""CXL TSP: what configures and locks the memory of a CXL target for confidential use (CXL r3.1, section 11.5).

Layouts as in libspdm include/industry_standard/cxl_tsp.h. The bytes begin behind the protocol id. Keys are covered, not shown.
"""

from __future__ import annotations

from contextlib import suppress

from construct import Bytes, Int8ul, Int16ul, Int32ul, Int64ul

from ..tree import Node
from ._fields import Layout, bits, enum, flag, hexadecimal, node, number, reserved
from ._reader import Cut, Parse, Reader
from .session import Session

_NAMES = {
    1: "GET_TARGET_TSP_VERSION",
    2: "GET_TARGET_CAPABILITIES",
    3: "SET_TARGET_CONFIGURATION",
    4: "GET_TARGET_CONFIGURATION",
    5: "GET_TARGET_CONFIGURATION_REPORT",
    6: "LOCK_TARGET_CONFIGURATION",
    7: "SET_TARGET_CKID_SPECIFIC_KEY",
    8: "SET_TARGET_CKID_RANDOM_KEY",
    9: "CLEAR_TARGET_CKID_KEY",
    10: "SET_TARGET_RANGE_SPECIFIC_KEY",
    11: "SET_TARGET_RANGE_RANDOM_KEY",
    12: "CLEAR_TARGET_RANGE_KEY",
    13: "SET_TARGET_TE_STATE",
    14: "CHECK_TARGET_DELAYED_COMPLETION",
}
OPCODES = (
    {0x7E: "DELAYED_RSP", 0x7F: "ERROR_RSP"}
    | {0x80 | k: v for k, v in _NAMES.items()}
    | {k: f"{v}_RSP" for k, v in _NAMES.items()}
)
STATES = {0: "CONFIG_UNLOCKED", 1: "CONFIG_LOCKED", 2: "ERROR"}
ERRORS = {
    1: "INVALID_REQUEST",
    2: "BUSY",
    3: "UNSPECIFIED",
    4: "UNSUPPORTED_REQUEST",
    5: "VERSION_MISMATCH",
    6: "VENDOR_SPECIFIC_ERROR",
    7: "NO_PRIVILEGE",
    8: "NO_ENTROPY",
    9: "INVALID_CKID",
    10: "INVALID_SECURITY_CONFIGURATION",
    11: "INVALID_SECURITY_STATE",
    12: "LONG_EXECUTION_TIME",
    13: "ALREADY_LOCKED",
}
_NO_SESSION = Session()


def _version(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, f"{value >> 4}.{value & 15}", offset, size)


_HEADER = Layout(("TSPVersion", Int8ul, _version), ("Opcode", Int8ul, enum(OPCODES)))
_PLAIN = Layout(("Reserved", Int16ul, reserved))
_MEMORY = bits(
    flag("Encryption", 0),
    flag("CKIDBased", 1),
    flag("RangeBased", 2),
    flag("InitiatorSuppliedEntropy", 3),
    flag("CKIDBasedRequired", 4),
)
_ENABLED = bits(flag("Encryption", 0), flag("CKIDBased", 1), flag("RangeBased", 2), flag("CKIDBasedRequired", 3))
_ALGORITHM = bits(flag("AES-XTS-128", 0), flag("AES-XTS-256", 1), flag("VendorSpecific", 31))
_TE_STATE = bits(
    flag("WriteAccessControl", 0),
    flag("ReadAccessControl", 1),
    flag("ImplicitTEStateChange", 2),
    flag("ExplicitOutOfBandTEStateChange", 3),
    flag("ExplicitInBandTEStateChange", 4),
    flag("ExplicitTEStateChangeSanitize", 5),
)
_FEATURES = bits(flag("LockedTargetFWUpdate", 0), flag("AdditionalSPDMSessions", 1))
_CAPABILITIES = Layout(
    ("MemoryEncryptionFeaturesSupported", Int16ul, _MEMORY),
    ("MemoryEncryptionAlgorithmsSupported", Int32ul, _ALGORITHM),
    ("MemoryEncryptionNumberOfRangeBasedKeys", Int16ul, number),
    ("Reserved", Int16ul, reserved),
    ("TEStateChangeAndAccessControlFeaturesSupported", Int16ul, _TE_STATE),
    ("Reserved", Int16ul, reserved),
    ("SupportedExplicitOOBTEStateGranularity", Int32ul, hexadecimal),
    ("SupportedExplicitIBTEStateGranularity", Int32ul, hexadecimal),
    ("ConfigurationFeaturesSupported", Int16ul, _FEATURES),
    ("Reserved", Int16ul, reserved),
    ("NumberOfCKIDs", Int32ul, number),
    ("NumberOfSecondarySessions", Int8ul, number),
    ("Reserved", Bytes(19), reserved),
)
_CONFIGURATION = (
    ("MemoryEncryptionFeatures", Int16ul, _ENABLED),
    ("MemoryEncryptionAlgorithm", Int32ul, _ALGORITHM),
    ("Reserved", Int32ul, reserved),
    ("TEStateChangeAndAccessControlFeatures", Int16ul, _TE_STATE),
    ("Reserved", Int16ul, reserved),
    ("ExplicitOOBTEStateGranularity", Int32ul, hexadecimal),
    ("Reserved", Int32ul, reserved),
    ("ConfigurationFeatures", Int16ul, bits(flag("LockedTargetFWUpdate", 0), flag("SpecialPurposeMemory", 1))),
    ("Reserved", Int16ul, reserved),
    ("CKIDBase", Int32ul, hexadecimal),
    ("NumberOfCKIDs", Int32ul, number),
)
_SET = Layout(*_CONFIGURATION, ("Reserved", Bytes(12), reserved))
_GET = Layout(*_CONFIGURATION, ("CurrentTSPState", Int8ul, enum(STATES)), ("Reserved", Bytes(11), reserved))
_GRANULARITY = Layout(
    ("TEStateGranularity", Int64ul, hexadecimal), ("LengthIndex", Int8ul, number), ("Reserved", Bytes(7), reserved)
)
_VALIDITY = Layout(
    ("Reserved", Bytes(16), reserved),
    ("ConfigurationValidityFlags", Int16ul, hexadecimal),
    ("Reserved", Bytes(14), reserved),
    ("SecondarySessionCKIDType", Int8ul, hexadecimal),
    ("Reserved", Bytes(15), reserved),
)
_SECONDARY_SESSIONS, _GRANULARITIES, _KEY = 4, 8, 32
_RANGE = Layout(("StartingAddress", Int64ul, hexadecimal), ("Length", Int64ul, hexadecimal))
_TE = Layout(("TEState", Int8ul, hexadecimal), ("NumberOfMemoryRanges", Int8ul, number), ("Reserved", Bytes(12), reserved))
_ASK_REPORT = Layout(("Reserved", Int16ul, reserved), ("Offset", Int16ul, number), ("Length", Int16ul, number))
_REPORT_HEAD = Layout(("ValidTSPReportFields", Int8ul, hexadecimal), ("Reserved", Bytes(3), reserved))
_REPORT_PARTS = (
    ("PCIeDVSECForCXLDevices", 0x3C),
    ("PCIeDVSECForFlexBusPort", 0x20),
    ("CXLLinkCapabilityStructure", 0x38),
    ("CXLTimeoutAndIsolationCapabilityStructure", 0x10),
    ("CXLHDMDecoderCapabilityStructure", 0x10),
    ("CXLHDMDecoders", 0),
    ("CXLIDECapabilityStructure", 0x24),
)
"""Structures of a configuration report and their bytes; the decoders have what the others leave."""
_STRUCTURES = sum(size for _, size in _REPORT_PARTS)
_REPORT = Layout(("Reserved", Int16ul, reserved), ("PortionLength", Int16ul, number), ("RemainderLength", Int16ul, number))
_KEY_FIELDS = Layout(("ValidityFlags", Int8ul, bits(flag("DataEncryptionKey", 0), flag("TweakKey", 1))))
_ERROR = Layout(("Reserved", Int16ul, reserved), ("ErrorCode", Int32ul, enum(ERRORS)), ("ErrorData", Int32ul, hexadecimal))
_CKID = Layout(("Reserved", Int16ul, reserved), ("CKID", Int32ul, hexadecimal))
_CKID_KEY = Layout(("CKIDType", Int8ul, hexadecimal), ("Reserved", Bytes(6), reserved))
_RANGE_KEY = Layout(
    ("Reserved", Int16ul, reserved),
    ("RangeID", Int32ul, number),
    ("RangeStart", Int64ul, hexadecimal),
    ("RangeEnd", Int64ul, hexadecimal),
    ("Reserved", Bytes(7), reserved),
)


def decode_tsp(data: bytes, *, base: int = 0) -> Node:
    """A TSP message, named after its opcode; its first byte has the offset ``base``. Never raises."""
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION, base=base)
    name, text = "TSP", ""
    try:
        _, code = r.fields(_HEADER)
        name = OPCODES.get(code, f"UNKNOWN_{code:#04x}")
        text = _BODIES.get(code, _plain)(r)
        r.rest("trailing")
    except Cut:
        pass
    return node(name, None, text, base, len(data), tuple(r.nodes), r.note, r.severity)


def _plain(r: Reader) -> str:
    r.fields(_PLAIN)
    return ""


def _versions(r: Reader) -> str:
    r.fields(_PLAIN)
    count = r.uint("VersionNumberEntryCount", 1)
    for i in range(count):
        r.uint(f"VersionNumberEntry[{i}]", 1, _version)
    return ", ".join(n.text for n in r.nodes[4:12])


def _capabilities(r: Reader) -> str:
    r.fields(_CAPABILITIES)
    return ""


def _granularities(r: Reader) -> None:
    for i in range(_GRANULARITIES):
        r.group(f"ExplicitIBTEStateGranularity[{i}]", _granularity)


def _granularity(r: Reader) -> str:
    size, index, _ = r.fields(_GRANULARITY)
    return f"{size:#x}, length index {index}"


def _secret(r: Reader, name: str) -> None:
    """A key, which is not shown; what there is of one that was cut is as secret."""
    there = min(_KEY, r.left)
    hidden = f"<{8 * there}-bit key, redacted>"
    if there:
        r.append(node(name, hidden, hidden, r.base + r.pos, there))
        r.pos += there
    if there < _KEY:
        r.short(name if not there else "rest", _KEY - there)


def _set_configuration(r: Reader) -> str:
    r.fields(_SET)
    _granularities(r)
    r.fields(_VALIDITY)
    for i in range(_SECONDARY_SESSIONS):
        _secret(r, f"SecondarySessionPSKKeyMaterial[{i}]")
    return ""


def _configuration(r: Reader) -> str:
    state = r.fields(_GET)[11]
    _granularities(r)
    r.reserved(16)
    return STATES.get(state, str(state))


def _ask_report(r: Reader) -> str:
    _, offset, length = r.fields(_ASK_REPORT)
    return f"{length} bytes from {offset}"


def _report(r: Reader) -> str:
    _, portion, remainder = r.fields(_REPORT)
    data = r.data[r.pos : r.pos + portion]
    if not remainder and len(data) == portion and is_report(data):
        r.region("ReportData", portion, _whole_report)
    else:
        r.bytes("ReportData", portion)
    return f"{portion} bytes" + (f", {remainder} remain" if remainder else "")


def is_report(data: bytes) -> bool:
    """Whether these bytes can be a whole configuration report: the fields in front, and the structures that follow them."""
    return len(data) >= _REPORT_HEAD.size + _STRUCTURES and not any(data[1:4])


def _whole_report(r: Reader) -> str:
    valid = r.fields(_REPORT_HEAD)[0]
    decoders = max(r.left - _STRUCTURES, 0)
    for name, size in _REPORT_PARTS:
        if size or decoders:
            r.bytes(name, size or decoders)
    return f"valid fields {valid:#x}"


def decode_report(data: bytes) -> Node:
    """A whole configuration report, as it is put together from the portions. Never raises."""
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION)
    text = ""
    with suppress(Cut):
        text = _whole_report(r)
    return node("TSP_REPORT", None, text, 0, len(data), tuple(r.nodes), r.note, r.severity)


def _te_state(r: Reader) -> str:
    state, count, _ = r.fields(_TE)
    for i in range(count):
        r.group(f"MemoryRange[{i}]", _range)
    return f"state {state}, {count} ranges"


def _range(r: Reader) -> str:
    start, length = r.fields(_RANGE)
    return f"{start:#x}, {length:#x} bytes"


def _ckid(r: Reader) -> str:
    return f"CKID {r.fields(_CKID)[1]:#x}"


def _keys(r: Reader) -> None:
    r.fields(_KEY_FIELDS)
    _secret(r, "DataEncryptionKey")
    _secret(r, "TweakKey")


def _ckid_key(r: Reader) -> str:
    text = _ckid(r)
    r.fields(_CKID_KEY)
    _keys(r)
    return text


def _range_key(r: Reader) -> str:
    _, ident, start, end, _ = r.fields(_RANGE_KEY)
    _keys(r)
    return f"range {ident}, {start:#x} to {end:#x}"


def _clear_range(r: Reader) -> str:
    r.fields(_PLAIN)
    return f"range {r.uint('RangeID', 4)}"


def _delayed(r: Reader) -> str:
    r.fields(_PLAIN)
    return f"delay {r.uint('DelayTime', 4)}"


def _error(r: Reader) -> str:
    _, code, data = r.fields(_ERROR)
    r.rest("ExtendedErrorData")
    return ERRORS.get(code, f"{code:#x}") + (f", data {data:#x}" if data else "")


_BODIES: dict[int, Parse] = {
    0x01: _versions,
    0x02: _capabilities,
    0x83: _set_configuration,
    0x04: _configuration,
    0x85: _ask_report,
    0x05: _report,
    0x87: _ckid_key,
    0x88: _ckid_key,
    0x89: _ckid,
    0x8A: _range_key,
    0x8B: _range_key,
    0x8C: _clear_range,
    0x8D: _te_state,
    0x7E: _delayed,
    0x7F: _error,
}
