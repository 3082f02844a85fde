"""GET_VERSION to CAPABILITIES: version and capabilities of a connection."""

from __future__ import annotations

from functools import cache
from typing import Any

from construct import Int8ul, Int16ul, Int32ul

from ..tree import Node
from . import codes
from ._fields import Bits, Layout, Make, bits, flag, node, number, reserved, version_number
from ._negotiation import supported_block
from ._reader import Parse, Reader
from .codes import V10, V11, V12, V13, V14
from .secure import Capabilities

MIN_DATA_TRANSFER_SIZE = 42
"""Bytes (DSP0274 1.2, DataTransferSize)."""

_MULTI_KEY = {0: "no", 1: "only", 2: "negotiable"}
_EP_INFO = {0: "no", 1: "without signature", 2: "with signature"}
_REQUESTER = (
    flag("CERT_CAP", 1, V11),
    flag("CHAL_CAP", 2, V11),
    flag("ENCRYPT_CAP", 6, V11),
    flag("MAC_CAP", 7, V11),
    flag("MUT_AUTH_CAP", 8, V11),
    flag("KEY_EX_CAP", 9, V11),
    Bits("PSK_CAP", 10, 11, {0: "no", 1: "yes"}, V11),
    flag("ENCAP_CAP", 12, V11),
    flag("HBEAT_CAP", 13, V11),
    flag("KEY_UPD_CAP", 14, V11),
    flag("HANDSHAKE_IN_THE_CLEAR_CAP", 15, V11),
    flag("PUB_KEY_ID_CAP", 16, V11),
    flag("CHUNK_CAP", 17, V12),
    Bits("EP_INFO_CAP", 22, 23, _EP_INFO, V13),
    flag("EVENT_CAP", 25, V13),
    Bits("MULTI_KEY_CAP", 26, 27, _MULTI_KEY, V13),
    flag("LARGE_RESP_CAP", 31, V14),
)
_RESPONDER = (
    flag("CACHE_CAP", 0),
    flag("CERT_CAP", 1),
    flag("CHAL_CAP", 2),
    Bits("MEAS_CAP", 3, 4, {0: "no", 1: "without signature", 2: "with signature"}),
    flag("MEAS_FRESH_CAP", 5),
    *_REQUESTER[2:6],
    Bits("PSK_CAP", 10, 11, {0: "no", 1: "yes", 2: "with context"}, V11),
    *_REQUESTER[7:13],
    flag("ALIAS_CERT_CAP", 18, V12),
    flag("SET_CERT_CAP", 19, V12),
    flag("CSR_CAP", 20, V12),
    flag("CERT_INSTALL_RESET_CAP", 21, V12),
    _REQUESTER[13],
    flag("MEL_CAP", 24, V13),
    *_REQUESTER[14:16],
    flag("GET_KEY_PAIR_INFO_CAP", 28, V13),
    flag("SET_KEY_PAIR_INFO_CAP", 29, V13),
    flag("SET_KEY_PAIR_RESET_CAP", 30, V14),
    flag("LARGE_RESP_CAP", 31, V14),
)
_EXT_FLAGS = (flag("SLOT_MGMT_CAP", 0, V14),)
CHUNK_CAP = 1 << 17
MEAS_CAP = 3 << 3
"""Responder flags: measurements, with or without signature."""

NO_PARAMS = Layout(("Param1", Int8ul, reserved), ("Param2", Int8ul, reserved))
"""The parameters of a message that has none."""
_VERSION = Layout(
    ("Param1", Int8ul, reserved),
    ("Param2", Int8ul, reserved),
    ("Reserved", Int8ul, reserved),
    ("VersionNumberEntryCount", Int8ul, number),
)


def _ct_exponent(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, f"{value} ({1 << value} us)" if value < 32 else str(value), offset, size)


@cache
def _capabilities(version: int, responder: bool) -> Layout:
    """What follows the code, up to the algorithms block."""
    named: list[tuple[str, Any, Make]] = []
    if version >= V13:
        named.append(("Param1", Int8ul, bits(flag("SupportedAlgorithms", 0), version=version)))
    else:
        named.append(("Param1", Int8ul, reserved))
    named.append(("Param2", Int8ul, reserved))
    if version > V10 or responder:
        named += [
            ("Reserved", Int8ul, reserved),
            ("CTExponent", Int8ul, _ct_exponent),
            ("ExtFlags", Int16ul, bits(*(_EXT_FLAGS if responder else ()), version=version))
            if version >= V14
            else ("Reserved", Int16ul, reserved),
            ("Flags", Int32ul, bits(*(_RESPONDER if responder else _REQUESTER), version=version, word=True)),
        ]
    if version >= V12:
        named += [("DataTransferSize", Int32ul, number), ("MaxSPDMmsgSize", Int32ul, number)]
    return Layout(*named)


def _get_version(r: Reader) -> str:
    r.fields(NO_PARAMS)
    return ""


def _version(r: Reader) -> str:
    count = r.fields(_VERSION)[3]
    said = []
    for i in range(count):
        r.uint(f"VersionNumberEntry[{i}]", 2, version_number)
        said.append(r.nodes[-1].text)
    s = r.session
    if not r.level and s.inside is None:
        asked = r.request(codes.GET_VERSION)
        s.reset()
        s.negotiated(asked, r.data[r.start : r.pos])
    return ", ".join(said)


def _get_capabilities(r: Reader) -> str:
    r.session.offered = _one_side(r, responder=False)
    return str(r.facts["text"])


def _capabilities_rsp(r: Reader) -> str:
    answer = _one_side(r, responder=True)
    asked = r.request(codes.GET_CAPABILITIES)
    s = r.session
    s.version = r.version
    s.responder = answer
    s.requester = s.offered if asked is not None else None
    s.negotiated(asked, r.data[r.start : r.pos])
    return str(r.facts["text"])


def _one_side(r: Reader, responder: bool) -> Capabilities:
    values = r.fields(_capabilities(r.version, responder))
    if len(values) < 6:
        r.facts["text"] = ""
        return Capabilities()
    param1, _, _, exponent, extended, flags, *sizes = values
    transfer, largest = sizes if sizes else (0, 0)
    if sizes and transfer < MIN_DATA_TRANSFER_SIZE:
        r.say(f"DataTransferSize {transfer} is below the minimum of {MIN_DATA_TRANSFER_SIZE}", "warning")
    if sizes and largest > transfer and not flags & CHUNK_CAP:
        r.say(f"MaxSPDMmsgSize {largest} is not DataTransferSize {transfer}, which it is without CHUNK_CAP", "warning")
    if sizes and largest < transfer:
        r.say(f"MaxSPDMmsgSize {largest} is below DataTransferSize {transfer}", "warning")
    r.facts["text"] = f"Flags {flags:#010x}" + (f", DataTransferSize {transfer}, MaxSPDMmsgSize {largest}" if sizes else "")
    if r.version >= V13 and param1 & 1 and r.left:
        r.group("SupportedAlgorithms", supported_block)
    return Capabilities(flags, extended if r.version >= V14 else 0, exponent, transfer, largest)


HANDLERS: dict[int, Parse] = {
    codes.GET_VERSION: _get_version,
    codes.VERSION: _version,
    codes.GET_CAPABILITIES: _get_capabilities,
    codes.CAPABILITIES: _capabilities_rsp,
}
