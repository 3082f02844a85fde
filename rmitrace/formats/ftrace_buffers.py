"""Memory that a probe event dumps as arrays: the requests and responses of a DOE mailbox (``d0={..} d64={..} len=..``)."""

from __future__ import annotations

import re

from .ftrace_line import Body, number, numbers

_CHUNK = re.compile(r"([a-z_]*?)(\d{1,5})$")
_BUFFER_EVENT = re.compile(r"(?:^|_)(?:doe|spdm|req|rsp|resp|request|response|tsm)")
_BUFFER_NAMES = ("d", "data", "buf", "req", "rsp", "resp", "dw", "payload", "msg", "dump")
_LENGTH_NAMES = ("len", "length", "size", "sz", "ret", "retval", "n")


def buffer_of(body: Body) -> tuple[bytes, int, str] | None:
    """(bytes, declared length, type) of an event that dumps memory as arrays, None where it is none.

    The bytes are cut to the declared length (what follows in the probe's window is stale) and may be fewer; a negative
    declared length is an error code. Elements are bytes, dwords or quadwords, little-endian: told by the chunks'
    distance (``d0={..} d64={..}``), by the name (``dw``), or by a value that does not fit.
    """
    chunks = [(n, a) for n, v in body.fields if v[:1] == b"{" and (a := numbers(v)) is not None]
    chunks = [(n, a) for n, a in chunks if _stem(n) in _BUFFER_NAMES]
    named = dict(body.fields)
    length = next((number(named[n]) for n in _LENGTH_NAMES if n in named), None)
    func = body.place.func or "" if body.place is not None else ""
    if not chunks or length is None or not _BUFFER_EVENT.search(body.event + "_" + func):
        return None
    declared = length - (1 << 64) if length >> 63 else length
    stem = _stem(chunks[0][0])
    data, width = b"", _width(chunks, stem)
    for i, (name, values) in enumerate(chunks):
        at = _CHUNK.match(name)
        if _stem(name) != stem or (i and (at is None or int(at[2]) != len(data))):
            break
        data += b"".join(v.to_bytes(8, "little")[:width] for v in values)
    kind = number(named.get("type", b""))
    return data[: max(declared, 0)], declared, "" if kind is None else str(kind)


def _stem(name: str) -> str:
    found = _CHUNK.match(name)
    return found[1] if found and found[1] else name


def _width(chunks: list[tuple[str, list[int]]], stem: str) -> int:
    if len(chunks) > 1:
        first, second = (_CHUNK.match(n) for n, _ in chunks[:2])
        if first and second and chunks[0][1]:
            step, rest = divmod(int(second[2]) - int(first[2]), len(chunks[0][1]))
            if not rest and step in (1, 2, 4, 8):
                return step
    top = max((v for _, values in chunks for v in values), default=0)
    if top < 256 and stem not in ("dw", "q"):
        return 1
    return 4 if top < 1 << 32 else 8
