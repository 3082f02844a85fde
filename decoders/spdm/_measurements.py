"""GET_MEASUREMENTS, MEASUREMENTS and the measurement extension log."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from construct import Bytes, Int8ul, Int16ul, Int32ul

from ..tree import Node
from . import codes
from ._fields import Bits, Layout, Make, bits, detached, flag, node, number, raw, reserved
from ._identity import CONTEXT, NONCE, SLOT
from ._proofs import measurements
from ._reader import Parse, Reader
from .algorithms import SIGNATURE_SIZES
from .codes import V11, V12, V13
from .opaque import opaque

ALL = 0xFF
TYPES = {
    0: "ImmutableROM",
    1: "MutableFirmware",
    2: "HardwareConfiguration",
    3: "FirmwareConfiguration",
    4: "MeasurementManifest",
    5: "DeviceMode",
    6: "Version",
    7: "SecureVersionNumber",
    8: "HashExtendMeasurement",
    9: "Informational",
    10: "StructuredMeasurementManifest",
}
"""DMTFSpecMeasurementValueType, bits 6:0."""
_DMTF = 1
_RAW = 2
"""RawBitStreamRequested of GET_MEASUREMENTS."""
_INDEX = {0xFD: "MeasurementManifest", 0xFE: "DeviceMode"}
_CONTENT = {0: "NotDetected", 1: "Changed", 2: "Unchanged"}
_TYPE = bits(Bits("Type", 0, 6, TYPES, 0x10, "Type"), flag("RawBitStream", 7))
_OPERATIONAL = bits(
    flag("ManufacturingMode", 0),
    flag("ValidationMode", 1),
    flag("NormalMode", 2),
    flag("RecoveryMode", 3),
    flag("RMAMode", 4),
    flag("DecommissionedMode", 5),
)
_DEVICE = bits(
    flag("NonInvasiveDebugActive", 0),
    flag("InvasiveDebugActive", 1),
    flag("NonInvasiveDebugHasBeenActive", 2),
    flag("InvasiveDebugHasBeenActive", 3),
    flag("InvasiveDebugHasBeenActiveAfterManufacturing", 4),
)
_DEVICE_MODE = Layout(
    ("OperationalModeCapabilities", Int32ul, _OPERATIONAL),
    ("OperationalModeState", Int32ul, _OPERATIONAL),
    ("DeviceModeCapabilities", Int32ul, _DEVICE),
    ("DeviceModeState", Int32ul, _DEVICE),
)


def _operation(name: str, value: int, offset: int, size: int) -> Node:
    text = {0: "TotalNumberOfMeasurements (0)", ALL: "AllMeasurements (0xff)"}.get(value)
    return node(name, value, text or _index_text(value), offset, size)


def _index_text(index: int) -> str:
    return f"{index:#x} ({_INDEX[index]})" if index in _INDEX else f"{index:#x}"


def _index(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, _index_text(value), offset, size)


@cache
def _request_layout(version: int, signed: bool) -> Layout:
    first = bits(
        flag("SignatureRequested", 0),
        flag("RawBitStreamRequested", 1, V12),
        flag("NewMeasurementRequested", 2, V13),
        version=version,
    )
    parts: list[tuple[str, Any, Make]] = [("Param1", Int8ul, first), ("MeasurementOperation", Int8ul, _operation)]
    if signed:
        parts.append(("Nonce", Bytes(NONCE), raw))
        if version >= V11:
            parts.append(("SlotIDParam", Int8ul, bits(SLOT, version=version)))
    if version >= V13:
        parts.append(("RequesterContext", Bytes(CONTEXT), raw))
    return Layout(*parts)


@cache
def _response_layout(version: int, total: bool) -> Layout:
    first: tuple[str, Any, Make] = ("TotalNumberOfMeasurements", Int8ul, number) if total else ("Param1", Int8ul, reserved)
    if version >= V12:
        second = bits(SLOT, Bits("ContentChanged", 4, 5, _CONTENT, V12, "ContentChanged"), version=version)
    else:
        second = bits(SLOT, version=version)
    return Layout(first, ("Param2", Int8ul, second), ("NumberOfBlocks", Int8ul, number))


def _get_measurements(r: Reader) -> str:
    signed = bool(r.left and r.data[r.pos] & 1)
    values = r.fields(_request_layout(r.version, signed))
    return ("signed, " if signed else "") + r.nodes[3].text + (f", slot {values[3] & 15}" if signed and r.version >= V11 else "")


def _measurements(r: Reader) -> str:
    asked = r.request(codes.GET_MEASUREMENTS)
    total = asked[3] == 0 if asked is not None else r.data[r.pos + 2 : r.pos + 3] == b"\0"
    first, second, count = r.fields(_response_layout(r.version, total))
    length = r.uint("MeasurementRecordLength", 3)
    record = b""
    if length:
        record = r.region("MeasurementRecordData", length, _blocks(count))
    elif count:
        r.say(f"NumberOfBlocks is {count}, the record is empty", "warning")
    context = CONTEXT if r.version >= V13 else 0
    known = r.session.size("S")
    if asked is None:
        rule = {"S": (0, known) if known else (0, *SIGNATURE_SIZES)}
    else:
        rule = {"S": (0,)} if not asked[2] & 1 else {}
    size = r.sizes([NONCE, "opaque", context, "S"], rule)
    r.bytes("Nonce", NONCE)
    opaque(r)
    if context:
        echoed = r.bytes("RequesterContext", context)
        if asked is not None and len(asked) >= 4 + context:
            r.echoes("RequesterContext", echoed, asked[-context:])
    if asked is not None and asked[2] & 1 and r.version >= V11 and len(asked) > 4 + NONCE:
        r.echoes("slot", second & 15, asked[4 + NONCE] & 15)
    if asked is not None and not asked[2] & _RAW:
        r.session.blocks.add(asked[3], first, count, record)
    measurements(r, r.bytes("Signature", size["S"]) if size["S"] else b"")
    signed = ", signed" if size["S"] else ""
    return f"{first} measurements in all{signed}" if total and not count else f"{count} blocks{signed}"


def _blocks(count: int) -> Parse:
    def parse(r: Reader) -> str:
        for i in range(count):
            r.group(f"MeasurementBlock[{i}]", _block)
        if r.left:
            r.rest("trailing")
            r.noted(f"beyond the {count} blocks", "warning")
        return f"{count} block{'' if count == 1 else 's'}"

    return parse


_BLOCK = Layout(
    ("Index", Int8ul, _index), ("MeasurementSpecification", Int8ul, bits(flag("DMTF", 0))), ("MeasurementSize", Int16ul, number)
)
_VALUE = Layout(("DMTFSpecMeasurementValueType", Int8ul, _TYPE), ("DMTFSpecMeasurementValueSize", Int16ul, number))


def _block(r: Reader) -> str:
    index, specification, size = r.fields(_BLOCK)
    if specification != _DMTF:
        r.bytes("Measurement", size)
        return f"index {_index_text(index)}"
    r.region("Measurement", size, _measurement)
    return f"index {_index_text(index)}: {r.nodes[-1].text}"


def _measurement(r: Reader) -> str:
    kind, size = r.fields(_VALUE)
    return _value(r, kind, size)


def _value(r: Reader, kind: int, size: int) -> str:
    """The value of a DMTF measurement: taken apart where it is raw and its type has a structure."""
    name = "DMTFSpecMeasurementValue"
    plain = kind & 0x7F
    if plain == 5 and kind & 0x80 and size == 16:
        r.region(name, size, _device_mode)
    elif plain == 7 and kind & 0x80 and size == 8:
        r.uint(name, size, number)
    else:
        r.bytes(name, size)
    what = TYPES.get(plain, f"type {plain}")
    return f"{what}, {'raw, ' if kind & 0x80 else 'digest of '}{size} bytes"


def _device_mode(r: Reader) -> str:
    r.fields(_DEVICE_MODE)
    return f"state {r.nodes[1].text}, {r.nodes[3].text}"


# measurement extension log

_RANGE = Layout(
    ("Param1", Int8ul, reserved), ("Param2", Int8ul, reserved), ("Offset", Int32ul, number), ("Length", Int32ul, number)
)
_PORTION = Layout(
    ("Param1", Int8ul, reserved),
    ("Param2", Int8ul, reserved),
    ("PortionLength", Int32ul, number),
    ("RemainderLength", Int32ul, number),
)
_LOG = Layout(("NumberOfEntries", Int32ul, number), ("MELEntriesLength", Int32ul, number), ("Reserved", Bytes(8), reserved))
_ENTRY = Layout(
    ("MELIndex", Int32ul, number),
    ("MeasIndex", Int8ul, _index),
    ("Reserved", Bytes(3), reserved),
    ("DMTFSpecMeasurementValueType", Int8ul, _TYPE),
    ("DMTFSpecMeasurementValueSize", Int16ul, number),
)


def _get_log(r: Reader) -> str:
    _, _, offset, length = r.fields(_RANGE)
    return f"{length} bytes from {offset}"


def _log_rsp(r: Reader) -> str:
    _, _, portion, remainder = r.fields(_PORTION)
    asked = r.request(codes.GET_MEASUREMENT_EXTENSION_LOG)
    offset = int.from_bytes(asked[4:8], "little") if asked is not None and len(asked) >= 8 else None
    if portion and not remainder and not offset:
        data = r.region("MEL", portion, _log)
    else:
        data = r.bytes("MEL", portion)
    if offset is not None and portion:
        whole = r.session.portion("log", r.level, offset, data, remainder)
        if whole is not None and offset:
            made = Reader(whole, 0, len(whole), r.session, depth=r.depth + 1)
            made.region("MEL", len(whole), _log)
            r.append(replace(detached(made.nodes[0]), value=whole))
    return f"{portion} bytes" + (f", {remainder} remain" if remainder else "")


def _log(r: Reader) -> str:
    count, length, _ = r.fields(_LOG)
    r.items("MELEntry", count, _entry)
    return f"{count} entries, {length} bytes"


def _entry(r: Reader) -> str:
    index, _, _, kind, size = r.fields(_ENTRY)
    return f"{index}: {_value(r, kind, size)}"


HANDLERS: dict[int, Parse] = {
    codes.GET_MEASUREMENTS: _get_measurements,
    codes.MEASUREMENTS: _measurements,
    codes.GET_MEASUREMENT_EXTENSION_LOG: _get_log,
    codes.MEASUREMENT_EXTENSION_LOG: _log_rsp,
}
