"""VENDOR_DEFINED_REQUEST and _RESPONSE: standards bodies, and the protocols of PCI-SIG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import NamedTuple

from construct import Int8ul, Int16ul

from ..tree import Node
from . import codes
from ._fields import Layout, bits, detached, enum, flag, named, node, number, reserved
from ._reader import Parse, Reader
from .codes import V14
from .standards import STANDARDS, VENDOR_ID_SIZES

PCI_SIG = (3, b"\x01\x00")
CXL = (3, b"\x98\x1e")
"""Standards body and vendor id of whose payloads start with a protocol."""
PROTOCOLS: dict[tuple[int, bytes], dict[int, str]] = {PCI_SIG: {0: "IDE_KM", 1: "TDISP"}, CXL: {0: "CXL_IDE_KM", 1: "CXL_TSP"}}
_DECODERS = {
    "IDE_KM": ("ide_km", "decode_ide_km"),
    "TDISP": ("tdisp", "decode_tdisp"),
    "CXL_IDE_KM": ("ide_km", "decode_cxl_ide_km"),
    "CXL_TSP": ("spdm.tsp", "decode_tsp"),
}


@cache
def _layout(version: int, answer: bool) -> Layout:
    large = bits(flag("LargeResp" if answer else "LargeReq", 7, V14), version=version) if version >= V14 else reserved
    return Layout(
        ("Param1", Int8ul, large),
        ("Param2", Int8ul, reserved),
        ("StandardID", Int16ul, enum(STANDARDS)),
        ("VendorIDLen", Int8ul, number),
    )


@cache
def _decoder(protocol: str) -> Callable[..., Node] | None:
    """What decodes a payload of that protocol, None where there is nothing."""
    if protocol not in _DECODERS:
        return None
    module, name = _DECODERS[protocol]
    try:
        found: Callable[..., Node] = getattr(import_module(f"decoders.{module}"), name)
    except (ImportError, AttributeError):
        return None
    return found


def _vendor_defined(answer: bool) -> Parse:
    kind = "VendorDefinedRspPayload" if answer else "VendorDefinedReqPayload"

    def parse(r: Reader) -> str:
        param1, _, standard, size = r.fields(_layout(r.version, answer))
        vendor = r.bytes("VendorID", size) if size else b""
        expected = VENDOR_ID_SIZES.get(standard)
        if expected is not None and size != expected:
            r.say(f"VendorIDLen is {size}, {STANDARDS[standard]} has {expected}", "warning")
        text = STANDARDS.get(standard, f"{standard:#x}")
        if vendor:
            text += f" {int.from_bytes(vendor, 'little'):#06x}" if size <= 4 else f" {vendor.hex()}"
        if r.version >= V14 and param1 & 0x80:
            r.reserved(2)
            length = r.uint("LargePayloadLength", 4)
        else:
            length = r.uint("PayloadLength", 2)
        protocols = PROTOCOLS.get((standard, vendor))
        if not length or protocols is None:
            r.bytes(kind, length)
            return f"{text}, {length} bytes"
        if length > r.left:
            r.short(kind, length)
        r.region(kind, length, _payload(protocols))
        return r.nodes[-1].text

    return parse


def _payload(protocols: dict[int, str]) -> Parse:
    def parse(r: Reader) -> str:
        number_ = r.data[r.pos]
        protocol = protocols.get(number_, f"protocol {number_:#04x}")
        note = None if number_ in protocols else "unknown protocol"
        r.append(node("ProtocolID", number_, named(protocols, number_), r.base + r.pos, 1, (), note, "warning" if note else None))
        r.pos += 1
        decode = _decoder(protocol)
        data = r.data[r.pos : r.end]
        if decode is None:
            r.rest(protocol if number_ in protocols else "rest")
            return f"{protocol}, {len(data)} bytes"
        made = decode(data, base=r.base + r.pos)
        r.append(made)
        r.pos = r.end
        if protocol in _REPORTS and len(data) > 2:
            _join_report(r, protocol, data)
        return f"{protocol} {made.name if made.name != protocol else ''}{': ' if made.text else ''}{made.text}".replace(" :", ":")

    return parse


class _Portions(NamedTuple):
    """How a report comes over in portions: codes of request and response, byte offsets behind the protocol id of the code,
    of the offset asked for, of portion and remainder length and of the portion; what decodes the whole."""

    asked: int
    answer: int
    code: int
    offset: int
    lengths: int
    portion: int
    decoder: tuple[str, str]


_REPORTS = {
    "TDISP": _Portions(0x84, 0x04, 1, 16, 16, 20, ("tdisp", "decode_report")),
    "CXL_TSP": _Portions(0x85, 0x05, 1, 4, 4, 8, ("spdm.tsp", "decode_report")),
}


def _join_report(r: Reader, protocol: str, data: bytes) -> None:
    """Put a portion of a report in its place, and show the whole with the last one; a report in one portion is whole
    where it lies. What it was asked for says its offset."""
    p = _REPORTS[protocol]
    if data[p.code] != p.answer or len(data) < p.portion:
        return
    request = r.channel.encapsulated if r.level else r.channel.request
    asked = _asked_payload(request) if request is not None else b""
    if len(asked) < p.offset + 2 or asked[p.code] != p.asked or asked[2 : p.offset] != data[2 : p.offset]:
        return
    offset = int.from_bytes(asked[p.offset : p.offset + 2], "little")
    length = int.from_bytes(data[p.lengths : p.lengths + 2], "little")
    remainder = int.from_bytes(data[p.lengths + 2 : p.lengths + 4], "little")
    portion = data[p.portion : p.portion + length]
    if len(portion) < length or (not offset and not remainder):
        return
    whole = r.session.portion(f"{protocol} {data[2 : p.offset].hex()}", r.session.inside or 0, offset, portion, remainder)
    if whole is not None:
        module, name = p.decoder
        r.nodes.append(replace(detached(getattr(import_module(f"decoders.{module}"), name)(whole)), value=whole))


def _asked_payload(request: bytes) -> bytes:
    """What a VENDOR_DEFINED_REQUEST carries behind its protocol id; b'' where it has none."""
    if len(request) < 8 or request[1] != codes.VENDOR_DEFINED_REQUEST:
        return b""
    at = 7 + request[6] + (6 if request[0] >= V14 and request[2] & 0x80 else 2)
    return request[at + 1 :]


def shifted(made: Node, by: int) -> Node:
    """The same tree in a buffer that starts ``by`` bytes earlier."""
    children = tuple([shifted(c, by) for c in made.children])
    offset = None if made.offset is None else made.offset + by
    return node(made.name, made.value, made.text, offset, made.size, children, made.note, made.severity)


HANDLERS: dict[int, Parse] = {
    codes.VENDOR_DEFINED_REQUEST: _vendor_defined(answer=False),
    codes.VENDOR_DEFINED_RESPONSE: _vendor_defined(answer=True),
}
