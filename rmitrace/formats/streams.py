"""SPDM messages in TCP streams and datagrams: the segments put in order, and what frames the messages in them.

Two framings are known: DSP0287 (SPDM over TCP), and the socket protocol of DMTF's emulators and of QEMU, which wraps
messages of any carrier. Everything kept is bounded; a stream that is neither is left alone.
"""

from __future__ import annotations

import heapq
import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from .carriers import MCTP_TYPES, carrier_of, direction_of, messages

MAX_MESSAGE = 2 << 20
"""Bytes of one message; a DOE object has at most 1 MiB."""
MAX_WAITING = 8 << 20
"""Bytes of segments that wait for one before them, over all streams."""
MAX_STREAMS = 4096
MAX_PROBLEMS = 1000

ENVELOPE = struct.Struct(">III")
COMMANDS = {1: "data", 0x8001: "encapsulated key update", 0xDEAD: "hello", 0xFFFD: "continue", 0xFFFE: "stop", 0xFFFF: "unknown"}
"""Commands of the emulators' socket protocol (spdm-emu spdm_emu.h); messages come with 'data' alone."""
DATA = 1
MCTP, PCI_DOE, TCP = 1, 2, 3
"""Its transport types."""
TCP_TYPES = {
    5: "SPDM",
    6: "SECURED",
    0xBF: "ROLE_INQUIRY",
    0xC0: "ERROR_TOO_LARGE",
    0xC1: "ERROR_NOT_SUPPORTED",
    0xC2: "ERROR_CANNOT_BE_REQUESTER",
    0xC3: "ERROR_CANNOT_BE_RESPONDER",
}
"""Message types of DSP0287."""


class Frame(NamedTuple):
    """A packet's payload as tshark gives it. stream is None for a datagram; sequence is TCP's own number."""

    number: int
    ts_ns: int
    stream: int | None
    source: str
    destination: str
    sequence: int
    syn: bool
    payload: bytes


class StreamMessage(NamedTuple):
    """A message out of a stream.

    frame      number of the packet, from 1, that completed it
    ts_ns      its time
    layers     carrier first: ('TCP', 'SPDM'), ('TCP', 'SECURED'), ('DOE', 'SPDM'), ('MCTP', 'SECURED'), ...
    data       the bytes from the carrier's header on
    offset     where the message begins in them
    direction  'request' or 'response'; of secured messages by who opened the stream, where that was seen
    source     address and port it came from
    stream     tshark's number of the stream, None for a datagram
    """

    frame: int
    ts_ns: int
    layers: tuple[str, ...]
    data: bytes
    offset: int
    direction: str
    source: str
    stream: int | None


@dataclass(slots=True)
class _Half:
    """One direction of a stream: bytes in order that are not yet a message, and segments that came too early.

    ``expected`` and the waiting segments' places (a heap) count on where TCP's 32-bit sequence numbers start again.
    """

    expected: int | None = None
    buffer: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, int, bytes]] = field(default_factory=list)
    framing: str | None = None

    def place(self, sequence: int) -> int:
        """The place of a sequence number: the one nearest to what is expected."""
        if self.expected is None:
            self.expected = sequence
        ahead = (sequence - self.expected) & 0xFFFFFFFF
        return self.expected + (ahead if ahead < 1 << 31 else ahead - (1 << 32))

    def take(self, place: int, payload: bytes) -> None:
        """Append a segment that begins where the last one ended, or before that."""
        assert self.expected is not None
        fresh = payload[max(self.expected - place, 0) :]
        self.buffer += fresh
        self.expected += len(fresh)


class Streams:
    """Takes frames, gives messages. ``problems`` says what was lost."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._halves: dict[tuple[int, str], _Half] = {}
        self._opener: dict[int, str] = {}
        self._waiting = 0

    def add(self, frame: Frame) -> list[StreamMessage]:
        """The messages that this frame completes."""
        if frame.stream is None:
            return self._datagram(frame)
        if frame.syn:
            self._opener.setdefault(frame.stream, frame.source if len(self._opener) < MAX_STREAMS else "")
        half = self._half(frame)
        if half is None:
            return []
        if frame.syn:
            half.expected = frame.sequence + 1
            return []
        if not frame.payload:
            return []
        place = half.place(frame.sequence)
        if half.expected is not None and place > half.expected:
            heapq.heappush(half.waiting, (place, frame.number, frame.payload))
            self._waiting += len(frame.payload)
            if self._waiting <= MAX_WAITING:
                return []
            self._problem(f"frame {frame.number}: a segment from {frame.source} is missing before it; a message is lost")
            half.expected, half.framing = half.waiting[0][0], None
            half.buffer.clear()
        else:
            half.take(place, frame.payload)
        found = self._messages(half, frame)
        while half.waiting and half.expected is not None and half.waiting[0][0] <= half.expected:
            place, _, payload = heapq.heappop(half.waiting)
            self._waiting -= len(payload)
            half.take(place, payload)
            found += self._messages(half, frame)
        return found

    def finish(self) -> None:
        """Say what is left over when the capture ends."""
        for (stream, source), half in self._halves.items():
            if half.waiting:
                size = sum(len(payload) for _, _, payload in half.waiting)
                self._problem(f"stream {stream} from {source}: a segment before {size} bytes is missing; they are not read")
            if half.buffer and half.framing:
                self._problem(f"stream {stream} from {source} ends inside a message, after {len(half.buffer)} bytes of it")

    def _problem(self, text: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(text)

    def _half(self, frame: Frame) -> _Half | None:
        assert frame.stream is not None
        key = (frame.stream, frame.source)
        half = self._halves.get(key)
        if half is None:
            if len(self._halves) >= 2 * MAX_STREAMS:
                if len(self._halves) == 2 * MAX_STREAMS:
                    self._problem(f"more than {MAX_STREAMS} streams; the rest is not read")
                return None
            half = self._halves[key] = _Half()
        return half

    def _messages(self, half: _Half, frame: Frame) -> list[StreamMessage]:
        found: list[StreamMessage] = []
        data = half.buffer
        at = 0
        while at < len(data):
            half.framing = half.framing or framing_of(bytes(data[at : at + 12]))
            if half.framing is None:
                # no message begins here: a stream of something else, or the middle of a message whose beginning is missing
                if len(data) - at >= 12:
                    data.clear()
                    return found
                break
            head = ENVELOPE.size if half.framing == "socket" else 2
            if len(data) - at < head:
                break
            size, kind = _size(data, at, half.framing)
            if size > MAX_MESSAGE or kind < 0:
                self._problem(f"frame {frame.number}: no message begins in the stream from {frame.source} where one should")
                half.framing = None
                data.clear()
                return found
            if len(data) - at < head + size:
                break
            found += self._one(bytes(data[at + head - (2 if half.framing == "tcp" else 0) : at + head + size]), kind, frame)
            at += head + size
        del data[:at]
        return found

    def _one(self, payload: bytes, kind: int, frame: Frame) -> list[StreamMessage]:
        """The message that was framed; ``kind`` is a transport type, 0 for what is none."""
        if kind == TCP:
            inner = TCP_TYPES.get(payload[3]) if len(payload) >= 4 else None
            return [self._made(("TCP", inner) if inner else ("TCP",), payload, min(4, len(payload)), frame)]
        if kind == PCI_DOE:
            return [self._made(m.layers, payload[m.start :], m.offset - m.start, frame) for m in messages(payload, 292, "DOE")]
        if kind == MCTP and payload:
            if carrier_of(payload) == "MCTP":
                return [self._made(m.layers, payload, m.offset, frame) for m in messages(payload, 291, "MCTP")]
            inner = MCTP_TYPES.get(payload[0] & 0x7F)
            return [self._made(("MCTP", inner) if inner else ("MCTP",), payload, 1, frame)]
        return []

    def _datagram(self, frame: Frame) -> list[StreamMessage]:
        data = frame.payload
        found = []
        while len(data) >= 4 and data[:2] == b"\x1a\xb4" and data[3] > 4:  # DSP0283, MCTP over USB: length with its header
            found += [self._made(m.layers, data[4 : data[3]], m.offset, frame) for m in messages(data[4 : data[3]], 291, "MCTP")]
            data = data[data[3] :]
        if found:
            return found
        carrier = carrier_of(data)
        return (
            [self._made(m.layers, data[m.start :], m.offset - m.start, frame) for m in messages(data, 147, carrier)]
            if carrier
            else []
        )

    def _made(self, layers: tuple[str, ...], data: bytes, offset: int, frame: Frame) -> StreamMessage:
        direction = direction_of(data[offset : offset + 2]) if layers[-1] == "SPDM" else ""
        opener = self._opener.get(frame.stream) if frame.stream is not None else None
        if not direction and opener:
            direction = "request" if frame.source == opener else "response"
        return StreamMessage(frame.number, frame.ts_ns, layers, data, offset, direction, frame.source, frame.stream)


def framing_of(head: bytes) -> str | None:
    """'socket' or 'tcp' by the first bytes of a message, None where they are neither (or fewer than 4)."""
    if len(head) >= 4 and head[2] == 1 and head[3] in TCP_TYPES and int.from_bytes(head[:2], "little") >= 2:
        return "tcp"
    if len(head) >= 4 and int.from_bytes(head[:4], "big") in COMMANDS:
        if len(head) < 12:
            return "socket"
        _, transport, size = ENVELOPE.unpack_from(head)
        return "socket" if transport <= TCP and size <= MAX_MESSAGE else None
    return None


def _size(data: bytearray, at: int, framing: str) -> tuple[int, int]:
    """Bytes behind the framing's header, and what they are: a transport type, 0 for none, -1 where it is no header."""
    if framing == "tcp":
        size = int.from_bytes(data[at : at + 2], "little")
        return size, TCP if size >= 2 else -1
    command, transport, size = ENVELOPE.unpack_from(data, at)
    if command not in COMMANDS or transport > TCP:
        return 0, -1
    return size, transport if command == DATA else 0
