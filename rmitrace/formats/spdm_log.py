"""Logs about SPDM messages alone: libspdm's of a requester or a responder, and hex dumps of requests and responses.

There are no calls in them. What is in them is read by rmitrace.capture.messages, as it is out of other logs; here is how
it is recognised. libspdm (library/spdm_requester_lib/libspdm_req_send_receive.c and its responder's counterpart) prints
``libspdm_send_spdm_request[SESSION] msg SPDM_NAME(0xCODE), size (0xSIZE):`` and, in builds that dump, the plain text below;
before 2023 without ``msg``, earlier as ``SpdmSendSpdmRequest``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from decoders.spdm import name_of

from ..capture.records import RecordBuilder, Records
from .base import Data, Detail, Growth, ReadOptions
from .carriers import carrier_of, direction_of, messages
from .hexlines import Dump, dumps, hex_lines

_HEADINGS = (
    re.compile(
        rb"spdm_(send_spdm_request|receive_spdm_response)\[([0-9a-f]{1,8})\]:? {1,4}"
        rb"(?:msg {1,4}[\w<>]{1,64} ?\(0x([0-9a-f]{1,2})\), size {1,4})?\(0x([0-9a-f]{1,8})\):?"
    ),
    re.compile(
        rb"Spdm((?:Send|Receive)(?:Spdm)?(?:Request|Response))\[([0-9a-f]{1,8})\]:? {1,4}"
        rb"(?:msg {1,4}[\w<>]{1,64} ?\(0x([0-9a-f]{1,2})\), size {1,4})?\(0x([0-9a-f]{1,8})\):?"
    ),
)
SUBJECT = re.compile(rb"spdm|doe\b|doe[_-]|cma\b|tsm|tdisp|\bide\b|ide_km|rm[im]\b|rmi[_-]|[pv]dev|\bdsm|comm", re.I)
ABOVE = 256
"""Bytes in front of a dump that may say what it is."""


class Heading(NamedTuple):
    """A line of libspdm about a message. ``line``: byte offset of the line; ``end``: behind the text."""

    at: int
    line: int
    end: int
    request: bool
    session: int | None
    code: int | None
    size: int


def headings(data: Data, start: int = 0, end: int | None = None) -> list[Heading]:
    """The lines of libspdm about messages, in order."""
    found = []
    for pattern in _HEADINGS:
        for m in pattern.finditer(data, start, len(data) if end is None else end):
            session = int(m[2], 16)
            request = b"equest" in m[1]
            line = data.rfind(b"\n", max(0, m.start() - 1024), m.start()) + 1 or max(0, m.start() - 1024)
            code = int(m[3], 16) if m[3] else None
            found.append(Heading(m.start(), line, m.end(), request, session or None, code, int(m[4], 16)))
    found.sort()
    return found


class Recognised(NamedTuple):
    """A message in a dump: the bytes, the layers as in carriers.Message, where the message begins in them, and its
    direction by its code ('' where the bytes do not say)."""

    data: bytes
    layers: tuple[str, ...]
    start: int
    direction: str


def recognise(data: bytes, likely: bool) -> Recognised | None:
    """A dump's bytes as a message, None where they cannot be one.

    ``likely``: the words around say that it is about such messages.
    """
    if carrier_of(data) == "DOE":
        size = 4 * (int.from_bytes(data[4:8], "little") & 0x3FFFF or 1 << 18)
        if size > 8 and (size <= len(data) or likely):
            inside = messages(data[:size], 292, "DOE")[0]
            return Recognised(data[:size], inside.layers, 8, inside.direction)
    if len(data) >= 4 and 0x10 <= data[0] <= 0x14 and not name_of(data).startswith(("UNKNOWN", "TRUNC")):
        if likely or data[:4] == b"\x10\x84\0\0" or _fits(data):
            return Recognised(data, ("SPDM",), 0, direction_of(data))
        return None
    return Recognised(data, ("SECURED",), 0, "") if likely and looks_secured(data) else None


def recognise_dump(dump: Dump, likely: bool) -> Recognised | None:
    """A dump as a message, by the first of its readings that can be one.

    Four bytes with nothing around them are none, though they be those of GET_VERSION.
    """
    first = dump.lines[0]
    if not likely and len(dump.data) == 4 and first.offset is None and not first.label:
        return None
    return next((r for r in (recognise(b, likely) for b in dump.readings()) if r is not None), None)


def _fits(data: bytes) -> bool:
    """Whether the bytes are a whole message, of which nothing is odd."""
    from decoders.spdm import decode_spdm

    return len(data) >= 8 and all(n.severity in (None, "note") and n.name != "trailing" for n in decode_spdm(data).walk())


def looks_secured(data: bytes) -> bool:
    """Whether bytes can be a whole secured message: session id, length of what follows, cipher text with MAC, padding."""
    length = int.from_bytes(data[4:6], "little")
    return length >= 16 and 0 <= len(data) - 6 - length < 4


class SpdmLog:
    """The format; it has no records."""

    name = "spdm-log"
    title = "log of SPDM messages (libspdm, tee-io-validator, hex dumps)"
    growth = Growth()

    def sniff(self, head: bytes) -> float:
        """How surely: by lines of libspdm with dumps below them, else by dumps that are SPDM messages."""
        told = headings(head)
        if b"SMC_" in head and not told:
            return 0.0
        found = sorted(dumps(hex_lines(head)), key=lambda d: d.start)
        if told:
            return 0.8 if any(d.start - h.end < 8 for d in found[:64] for h in told[:64] if d.start >= h.end) else 0.3
        return 0.25 if any(recognise_dump(d, False) is not None for d in found[:256]) else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """No records: there are no calls."""
        b = RecordBuilder()
        b.facts = {"lines": sum(1 for _ in re.finditer(rb"\n", data)), "clock": "as printed"}
        return b.finish()

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """The text."""
        return Detail(raw.decode("utf-8", "surrogateescape"))


FORMAT = SpdmLog()
