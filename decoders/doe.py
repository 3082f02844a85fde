"""PCIe Data Object Exchange (PCIe Base Specification r6.3, section 6.30): objects, discovery, asynchronous messages, and
CMA/SPDM inside of them, on the one connection of the mailbox or on one of many (types with Connection ID)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from construct import Bytes, Int8ul, Int16ul, Int32ul

from .spdm import Session
from .spdm._decode import read_message
from .spdm._fields import Layout, Make, enum, hexed, node, number, raw, reserved
from .spdm._message import behind
from .spdm._vendor import shifted
from .tree import Node

if TYPE_CHECKING:
    from .secured import Opened

HEADER = 8
"""Bytes of the header of an object."""
MAX_SIZE = 1 << 20
"""Bytes of the largest object: 2^18 dwords, which a length of 0 means."""
VENDORS = {1: "PCI-SIG", 0xFFFF: "no such index"}
"""Vendors of object types; 0xFFFF is what discovery answers to an index that there is not."""
TYPES = {
    0: "DOE Discovery",
    1: "CMA/SPDM",
    2: "Secured CMA/SPDM",
    3: "CMA/SPDM with Connection ID",
    4: "Secured CMA/SPDM with Connection ID",
    5: "Async Message",
}
"""Data object types of PCI-SIG (table 6-33)."""
ASYNC = {0: "GET", 1: "REQUEST", 2: "RESPONSE", 3: "DONE"}
"""Varieties of an Async Message (table 6-34)."""
PCI_SIG = 1
_DISCOVERY, _SPDM, _SECURED, _SPDM_CONNECTION, _SECURED_CONNECTION, _ASYNC = range(6)
_CONNECTIONS = (_SPDM_CONNECTION, _SECURED_CONNECTION)


def _dwords(value: int) -> str:
    dwords = value & 0x3FFFF
    return f"{dwords} dwords ({_bytes(value)} bytes)" if dwords else f"0 (2^18 dwords, {MAX_SIZE} bytes)"


def _length(name: str, value: int, offset: int, size: int) -> Node:
    note = f"reserved bits set: {value & ~0x3FFFF:#x}" if value >> 18 else None
    return node(name, value, _dwords(value), offset, size, (), note, "warning" if note else None)


def _connection_length(name: str, value: int, offset: int, size: int) -> Node:
    """Header 2 of the types with Connection ID: bits 29:18 are it (table 6-29)."""
    connection = connection_of(value)
    parts = (
        node("Length", value & 0x3FFFF, _dwords(value), offset, size),
        node("ConnectionID", connection, str(connection), offset, size),
    )
    note = f"reserved bits set: {value >> 30:#x}" if value >> 30 else None
    return node(name, value, f"{_dwords(value)}, connection {connection}", offset, size, parts, note, "warning" if note else None)


def connection_of(length: int) -> int:
    """The Connection ID in the second dword of a header."""
    return length >> 18 & 0xFFF


def _bytes(length: int) -> int:
    return 4 * (length & 0x3FFFF) or MAX_SIZE


def _header(length: Make) -> Layout:
    return Layout(
        ("VendorID", Int16ul, enum(VENDORS)),
        ("DataObjectType", Int8ul, enum(TYPES)),
        ("Reserved", Int8ul, reserved),
        ("Length", Int32ul, length),
    )


def _additional(name: str, value: int, offset: int, size: int) -> Node:
    """The 4th dword of a discovery response: the largest object, and the largest Connection ID of the types that have one."""
    largest, info = value & 0x3FFFF, value >> 18
    parts = (
        node("MaxDOLength", largest, _dwords(value), offset, size),
        node("AdditionalInfo", info, f"{info:#x}" + (f" ({(info & 0xFFF) + 1} connections)" if info else ""), offset, size),
    )
    return node(name, value, f"at most {_dwords(value)}, additional info {info:#x}", offset, size, parts)


_HEADER, _CONNECTION_HEADER = _header(_length), _header(_connection_length)
_REQUEST = Layout(("Index", Int8ul, number), ("DOEDiscoveryVersion", Int8ul, number), ("Reserved", Bytes(2), reserved))
_RESPONSE = Layout(("VendorID", Int16ul, enum(VENDORS)), ("DataObjectType", Int8ul, enum(TYPES)), ("NextIndex", Int8ul, number))
_RESPONSE_MORE = Layout(("Extent", Int32ul, _additional))
_ASYNC_HEADER = Layout(("Variety", Int8ul, enum(ASYNC)), ("Reserved", Bytes(3), reserved))


def objects(data: bytes) -> Iterator[tuple[int, int]]:
    """Byte offset and length of each object in a row of them, as their headers say.

    The last one may be shorter than its header says. What cannot be an object (less than a header, a length of one
    dword) is one last piece; nothing is left out.
    """
    at = 0
    while at < len(data):
        left = len(data) - at
        size = _bytes(int.from_bytes(data[at + 4 : at + 8], "little")) if left >= HEADER else left
        if size < HEADER or size > left:
            size = left
        yield at, size
        at += size


def decode_doe(data: bytes, *, session: Session | None = None) -> Node:
    """One data object as a tree; offsets count from the first byte of its header.

    What an SPDM object carries is the node named after the message; ``session`` is that of ``decode_spdm``. Never
    raises: a wrong length, a truncated object and bytes behind it have a note.
    """
    return open_doe(data, session=session)[0]


def open_doe(data: bytes, *, session: Session | None = None) -> tuple[Node, Opened | None]:
    """The same with the plain text of a secured message, its direction and sequence number (see decoders.secured); None
    where there is none, or it was not decrypted."""
    data = bytes(data)
    if len(data) < HEADER:
        return _cut_header(data), None
    with_connection = data[:2] == b"\1\0" and data[2] in _CONNECTIONS
    (vendor, kind, _, length), header = (_CONNECTION_HEADER if with_connection else _HEADER).read(data, 0, 0)
    if with_connection and session is not None:
        session = session.connection(connection_of(length))
    size, end = _bytes(length), len(data)
    children = list(header)
    if size < HEADER:
        children[3] = children[3].noted(f"less than the header of {HEADER} bytes", "error")
    elif size > end:
        children[3] = children[3].noted(f"{size} bytes, {end} are there", "error")
    else:
        end = size
    text = TYPES.get(kind, f"type {kind:#04x}") if vendor == PCI_SIG else f"vendor {vendor:#06x}, type {kind:#04x}"
    opened = None
    if end > HEADER:
        payload, opened = _payload(data, end, vendor, kind, session)
        children += payload
        first = payload[0]
        if first.name != "rest":
            text += f": {first.name}: {first.text}" if first.text else f": {first.name}"
    if end < len(data):
        note = f"beyond the object, which has {end} bytes"
        children.append(raw("trailing", data[end:], end).noted(note, "warning"))
    return node("DOE", None, text, 0, len(data), tuple(children)), opened


def _cut_header(data: bytes) -> Node:
    nodes, name, want = _HEADER.partial(data, 0)
    at = sum(n.size for n in nodes)
    note = f"{want} {'byte' if want == 1 else 'bytes'} expected at {at:#x}, {len(data) - at} there"
    nodes.append(node(name, None, "truncated", at, 0, (), note, "error"))
    if at < len(data):
        nodes.append(raw("rest", data[at:], at))
    return node("DOE", None, "truncated header", 0, len(data), tuple(nodes))


def _payload(data: bytes, end: int, vendor: int, kind: int, session: Session | None) -> tuple[list[Node], Opened | None]:
    """What lies between the header and the end of the object."""
    if vendor != PCI_SIG:
        pass
    elif kind in (_SPDM, _SPDM_CONNECTION):
        made, at = read_message(data, HEADER, end, Session() if session is None else session)
        return [made] if at == end else [made, behind(data, at, end, "padding")], None
    elif kind == _DISCOVERY:
        return _discovery(data, end, session), None
    elif kind in (_SECURED, _SECURED_CONNECTION):
        secured, opened = _open_secured()(data[HEADER:end], session=session, base=HEADER)
        return [secured], opened
    elif kind == _ASYNC and end - HEADER >= _ASYNC_HEADER.size:
        return _async(data, end, session), None
    return [node("rest", data[HEADER:end], hexed(data[HEADER:end]), HEADER, end - HEADER)], None


def _async(data: bytes, end: int, session: Session | None) -> list[Node]:
    """An Async Message: what it is, and the object that a request or a response of the device carries."""
    (variety, _), made = _ASYNC_HEADER.read(data, HEADER, HEADER)
    at = HEADER + _ASYNC_HEADER.size
    nodes = list(made)
    text = ASYNC.get(variety, f"variety {variety:#x}")
    if at < end and variety in (1, 2) and data[at : at + 3] != b"\1\0\5":
        nodes.append(shifted(decode_doe(data[at:end], session=session), at))
        text += f": {nodes[-1].text}"
    elif at < end:
        nodes.append(raw("rest", data[at:end], at))
    return [node("ASYNC_MESSAGE", None, text, HEADER, end - HEADER, tuple(nodes))]


def _discovery(data: bytes, end: int, session: Session | None) -> list[Node]:
    """A discovery request or response: they have the same size, and take turns."""
    if end - HEADER < _REQUEST.size:
        nodes, name, want = _REQUEST.partial(data[HEADER:end], HEADER)
        at = HEADER + sum(n.size for n in nodes)
        error = node(name, None, "truncated", at, 0, (), f"{want} bytes expected at {at:#x}, {end - at} there", "error")
        return [*nodes, error, *([raw("rest", data[at:end], at)] if at < end else [])]
    body = data[HEADER : HEADER + 4]
    # a request has nothing in its last two bytes; a response starts with the id of a vendor
    longer = end >= HEADER + 8 and any(data[HEADER + 4 : HEADER + 8])
    refused = body[:2] == b"\xff\xff"  # no vendor: the answer to an index that there is not
    answer = longer or refused or any(body[2:]) or (session is not None and session.discovering and body[0] != 0)
    if session is not None:
        session.discovering = not answer
    layout = _RESPONSE if answer else _REQUEST
    values, made = layout.read(data, HEADER, HEADER)
    if answer:
        text = f"{VENDORS.get(values[0], f'{values[0]:#06x}')} {TYPES.get(values[1], values[1])}, next index {values[2]}"
    else:
        text = f"index {values[0]}"
    at = HEADER + 4
    if longer:
        made += _RESPONSE_MORE.read(data, at, at)[1]
        text += f", {made[-1].text}"
        at += 4
    name = "DISCOVERY_RESPONSE" if answer else "DISCOVERY_REQUEST"
    found = node(name, None, text, HEADER, at - HEADER, tuple(made))
    return [found] if end == at else [found, behind(data, at, end, "padding")]


@cache
def _open_secured() -> Callable[..., tuple[Node, Opened | None]]:
    """decoders.secured.open_secured: imported with the first secured message, with the cryptography that it needs."""
    from .secured import open_secured

    return open_secured
