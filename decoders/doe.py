"""PCIe Data Object Exchange (PCIe Base Specification, section 6.30): objects, discovery, and CMA/SPDM inside of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module

from construct import Bytes, Int8ul, Int16ul, Int32ul

from .spdm import Session
from .spdm._decode import read_message
from .spdm._fields import Layout, enum, hexed, node, number, raw, reserved
from .spdm._message import behind
from .spdm._vendor import shifted
from .tree import Node

HEADER = 8
"""Bytes of the header of an object."""
MAX_SIZE = 1 << 20
"""Bytes of the largest object: 2^18 dwords, which a length of 0 means."""
VENDORS = {1: "PCI-SIG"}
TYPES = {
    0: "DOE Discovery",
    1: "CMA/SPDM",
    2: "Secured CMA/SPDM",
    3: "CMA/SPDM with Connection ID",
    4: "Secured CMA/SPDM with Connection ID",
}
"""Data object types of PCI-SIG."""
PCI_SIG = 1
_DISCOVERY, _SPDM, _SECURED = 0, 1, 2


def _length(name: str, value: int, offset: int, size: int) -> Node:
    dwords = value & 0x3FFFF
    text = f"{dwords} dwords ({_bytes(value)} bytes)" if dwords else f"0 (2^18 dwords, {MAX_SIZE} bytes)"
    note = f"reserved bits set: {value & ~0x3FFFF:#x}" if value >> 18 else None
    return node(name, value, text, offset, size, (), note, "warning" if note else None)


def _bytes(length: int) -> int:
    return 4 * (length & 0x3FFFF) or MAX_SIZE


_HEADER = Layout(
    ("VendorID", Int16ul, enum(VENDORS)),
    ("DataObjectType", Int8ul, enum(TYPES)),
    ("Reserved", Int8ul, reserved),
    ("Length", Int32ul, _length),
)
_REQUEST = Layout(("Index", Int8ul, number), ("DOEDiscoveryVersion", Int8ul, number), ("Reserved", Bytes(2), reserved))
_RESPONSE = Layout(("VendorID", Int16ul, enum(VENDORS)), ("DataObjectType", Int8ul, enum(TYPES)), ("NextIndex", Int8ul, number))


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
    data = bytes(data)
    if len(data) < HEADER:
        nodes, name, want = _HEADER.partial(data, 0)
        at = sum(n.size for n in nodes)
        note = f"{want} {'byte' if want == 1 else 'bytes'} expected at {at:#x}, {len(data) - at} there"
        nodes.append(node(name, None, "truncated", at, 0, (), note, "error"))
        if at < len(data):
            nodes.append(raw("rest", data[at:], at))
        return node("DOE", None, "truncated header", 0, len(data), tuple(nodes))
    (vendor, kind, _, length), header = _HEADER.read(data, 0, 0)
    size, end = _bytes(length), len(data)
    children = list(header)
    if size < HEADER:
        children[3] = children[3].noted(f"less than the header of {HEADER} bytes", "error")
    elif size > end:
        children[3] = children[3].noted(f"{size} bytes, {end} are there", "error")
    else:
        end = size
    text = TYPES.get(kind, f"type {kind:#04x}") if vendor == PCI_SIG else f"vendor {vendor:#06x}, type {kind:#04x}"
    if end > HEADER:
        payload = _payload(data, end, vendor, kind, session)
        children += payload
        first = payload[0]
        if first.name != "rest":
            text += f": {first.name}: {first.text}" if first.text else f": {first.name}"
    if end < len(data):
        note = f"beyond the object, which has {end} bytes"
        children.append(raw("trailing", data[end:], end).noted(note, "warning"))
    return node("DOE", None, text, 0, len(data), tuple(children))


def _payload(data: bytes, end: int, vendor: int, kind: int, session: Session | None) -> list[Node]:
    """What lies between the header and the end of the object."""
    if vendor != PCI_SIG:
        pass
    elif kind == _SPDM:
        made, at = read_message(data, HEADER, end, Session() if session is None else session)
        return [made] if at == end else [made, behind(data, at, end, "padding")]
    elif kind == _DISCOVERY:
        return _discovery(data, end, session)
    elif kind == _SECURED:
        decode = _secured()
        if decode is not None:
            return [shifted(decode(data[HEADER:end], session=session), HEADER)]
    return [node("rest", data[HEADER:end], hexed(data[HEADER:end]), HEADER, end - HEADER)]


def _discovery(data: bytes, end: int, session: Session | None) -> list[Node]:
    """A discovery request or response: they have the same size, and take turns."""
    if end - HEADER < _REQUEST.size:
        nodes, name, want = _REQUEST.partial(data[HEADER:end], HEADER)
        at = HEADER + sum(n.size for n in nodes)
        error = node(name, None, "truncated", at, 0, (), f"{want} bytes expected at {at:#x}, {end - at} there", "error")
        return [*nodes, error, *([raw("rest", data[at:end], at)] if at < end else [])]
    body = data[HEADER : HEADER + 4]
    # a request has nothing in its last two bytes; a response starts with the id of a vendor
    answer = any(body[2:]) or (session is not None and session.discovering and body[0] != 0)
    if session is not None:
        session.discovering = not answer
    layout = _RESPONSE if answer else _REQUEST
    values, made = layout.read(data, HEADER, HEADER)
    if answer:
        text = f"{VENDORS.get(values[0], f'{values[0]:#06x}')} {TYPES.get(values[1], values[1])}, next index {values[2]}"
    else:
        text = f"index {values[0]}"
    name = "DISCOVERY_RESPONSE" if answer else "DISCOVERY_REQUEST"
    found = node(name, None, text, HEADER, 4, tuple(made))
    return [found] if end == HEADER + 4 else [found, behind(data, HEADER + 4, end, "padding")]


@cache
def _secured() -> Callable[..., Node] | None:
    """decoders.secured.decode_secured, None where it is not installed."""
    try:
        found: Callable[..., Node] = import_module("decoders.secured").decode_secured
    except (ImportError, AttributeError):
        return None
    return found
