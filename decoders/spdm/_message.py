"""One SPDM message: its header, its handler by code, and what it leaves in the session."""

from __future__ import annotations

from ..tree import Node
from . import codes
from ._fields import hexadecimal, hexed, node
from ._reader import MAX_DEPTH, Cut, Parse, Reader
from .codes import V10, V14, code_name, version_text
from .session import Session

HANDLERS: dict[int, Parse] = {}
"""Code -> what reads a message after its code; filled by decoders.spdm._decode."""

_CARRIERS = frozenset((codes.CHUNK_SEND, codes.CHUNK_GET, codes.RESPOND_IF_READY))
"""Requests that carry or repeat another one, which stays the one that is answered."""
_BEFORE_CHALLENGE = frozenset((codes.GET_CERTIFICATE, codes.CHALLENGE))
"""Requests behind which M1/M2 goes on."""
_ANY_VERSION = frozenset((codes.GET_VERSION, codes.VERSION, codes.ERROR))
_Header = tuple[tuple[Node, ...], str, Parse, int, str | None]
"""Nodes of version and code, name, handler, version by which fields are read, note on the message."""
_PADDING = {b"\0": "zero (1 byte)", b"\0\0": "zero (2 bytes)", b"\0\0\0": "zero (3 bytes)"}
_headers: dict[tuple[int, int, int], _Header] = {}


def read_message(
    data: bytes, pos: int, end: int, session: Session, *, base: int = 0, level: int = 0, depth: int = 0, pad: int = 3
) -> tuple[Node, int]:
    """The message that starts at ``pos``, and where it ends: at ``end`` at the latest. See ``Reader``."""
    r = Reader(data, pos, end, session, base=base, level=level, depth=depth, pad=pad)
    if end - pos < 4:
        return _too_short(r), end
    version, code = data[pos], data[pos + 1]
    header = _headers.get((version, code, base + pos))
    if header is None:
        if len(_headers) > 4096:
            _headers.clear()
        header = _headers[version, code, base + pos] = _header(version, code, base + pos)
    nodes, name, handler, r.version, note = header
    r.nodes += nodes
    if note is not None:
        r.say(note, "warning")
    if version != session.version is not None and code not in _ANY_VERSION:
        r.say(f"SPDM {version_text(version)} on a connection that negotiated {version_text(session.version)}", "warning")
    r.pos = pos + 2
    try:
        text = handler(r) if depth <= MAX_DEPTH else _too_deep(r)
    except Cut:
        text = ""
    whole = data[pos : r.pos]
    if code & 0x80 and code not in _CARRIERS:
        if level:
            r.channel.encapsulated = whole
        else:
            line = r.channel
            if line.waiting:
                session.unanswered()
            line.waiting = True
            line.request = whole
            line.gap = None
            if line.measured is not None and code != codes.GET_MEASUREMENTS:
                line.measured.cut = True
            if code not in _BEFORE_CHALLENGE:
                session.identity[0].cut = True
                if code == codes.GET_ENCAPSULATED_REQUEST:
                    session.identity[1].cut = True
    elif not level:
        r.channel.waiting = False
    return node(name, None, text, base + pos, r.pos - pos, tuple(r.nodes), r.note, r.severity), r.pos


def _header(version: int, code: int, offset: int) -> _Header:
    odd = None if 0x10 <= version <= V14 else f"version byte {version:#04x}, 0x10 to {V14:#x} are known"
    first = node("SPDMVersion", version, version_text(version), offset, 1, (), odd, "warning" if odd else None)
    note = None
    if code not in codes.NAMES:
        note = f"no SPDM version defines code {code:#04x}"
    elif codes.SINCE[code] > version >= V10:
        note = f"{code_name(code)} is not defined before SPDM {version_text(codes.SINCE[code])}"
    name = code_name(code)
    nodes = (first, node("RequestResponseCode", code, f"{name} ({code:#04x})", offset + 1, 1))
    return nodes, name, HANDLERS.get(code, _unknown), min(max(version, V10), V14), note


def _too_short(r: Reader) -> Node:
    have = r.left
    name = code_name(r.data[r.start + 1]) if have > 1 else "TRUNCATED"
    try:
        for field in ("SPDMVersion", "RequestResponseCode", "Param1", "Param2"):
            r.uint(field, 1, hexadecimal)
    except Cut:
        pass
    return node(name, None, "", r.base + r.start, have, tuple(r.nodes), f"{have} bytes; a message has 4 at least", "error")


def _unknown(r: Reader) -> str:
    r.uint("Param1", 1, hexadecimal)
    r.uint("Param2", 1, hexadecimal)
    r.rest("rest")
    return ""


def _too_deep(r: Reader) -> str:
    r.fail("rest", f"more than {MAX_DEPTH} messages inside one another")
    return ""


def behind(data: bytes, start: int, end: int, padding: str) -> Node:
    """What follows a message: a leaf named ``padding`` for up to three zero bytes of a transport, else 'trailing'."""
    value = data[start:end]
    size = end - start
    if value in _PADDING:
        return node(padding, value, _PADDING[value], start, size)
    text = hexed(value) if any(value) else f"zero ({size} bytes)"
    note = f"{size} bytes beyond the fields of the message"
    return node("trailing", value, text, start, size, (), note, "warning" if any(value) else "note")
