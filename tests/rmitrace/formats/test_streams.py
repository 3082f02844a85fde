"""SPDM in TCP streams: frames put together by hand from DSP0287 and the emulators' socket protocol."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmitrace.formats import streams
from rmitrace.formats.streams import Frame, StreamMessage, Streams, framing_of

GET_VERSION = bytes.fromhex("10840000")
VERSION = bytes.fromhex("1004000000010012")
SECURED = bytes.fromhex("ffffffff1200") + bytes(18)
DOE_GET_VERSION = struct.pack("<HBBI", 1, 1, 0, 3) + GET_VERSION
CLIENT, SERVER = "10.0.0.1:50000", "10.0.0.2:4194"


def tcp(message: bytes, kind: int = 5) -> bytes:
    """DSP0287: length of what follows it, binding version 1, type."""
    return struct.pack("<HBB", 2 + len(message), 1, kind) + message


def socket(payload: bytes, transport: int, command: int = 1) -> bytes:
    return struct.pack(">III", command, transport, len(payload)) + payload


def segments(data: bytes, size: int, *, source: str = CLIENT, start: int = 1000, number: int = 1, stream: int = 0) -> list[Frame]:
    to = SERVER if source == CLIENT else CLIENT
    return [
        Frame(number + i, (number + i) * 10, stream, source, to, (start + at) & 0xFFFFFFFF, False, data[at : at + size])
        for i, at in enumerate(range(0, len(data), size))
    ]


def syn(source: str = CLIENT, start: int = 999) -> Frame:
    return Frame(0, 0, 0, source, SERVER if source == CLIENT else CLIENT, start, True, b"")


def run(frames: list[Frame]) -> tuple[list[StreamMessage], list[str]]:
    reader = Streams()
    found = [m for f in frames for m in reader.add(f)]
    reader.finish()
    return found, reader.problems


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_segments_of_any_size(size: int) -> None:
    data = tcp(GET_VERSION) + tcp(SECURED, 6)
    found, problems = run([syn(), *segments(data, size)])
    assert [(m.layers, m.direction, m.data[m.offset :]) for m in found] == [
        (("TCP", "SPDM"), "request", GET_VERSION),
        (("TCP", "SECURED"), "request", SECURED),
    ]
    assert problems == []
    # a message is complete with the frame that has its last byte
    assert found[0].frame == 1 + (len(tcp(GET_VERSION)) - 1) // size


def test_direction_of_secured_messages_by_who_opened_the_stream() -> None:
    back = segments(tcp(SECURED, 6), 99, source=SERVER, number=5)
    assert [m.direction for m in run([syn(), *back])[0]] == ["response"]
    assert [m.direction for m in run(back)[0]] == [""]  # not seen who opened it


@pytest.mark.parametrize("shuffled", range(8))
def test_out_of_order_repeated_and_overlapping_segments(shuffled: int) -> None:
    data = b"".join(tcp(bytes([0x10, 0x84, i, 0]) + bytes(i)) for i in range(30))
    frames = segments(data, 50)
    order = random.Random(shuffled)
    extra = [Frame(90, 0, 0, CLIENT, SERVER, 1000 + at, False, data[at : at + 70]) for at in (0, 100, 333)]
    mixed = frames[1:] + extra + frames[:1]
    order.shuffle(mixed)
    found, problems = run([syn(), *mixed])
    assert [m.data[m.offset :] for m in found] == [bytes([0x10, 0x84, i, 0]) + bytes(i) for i in range(30)]
    assert problems == []


def test_sequence_numbers_around_zero() -> None:
    data = tcp(GET_VERSION) * 20
    found, _ = run([syn(start=0xFFFFFFFF - 40), *segments(data, 9, start=0xFFFFFFFF - 39)])
    assert len(found) == 20


def test_socket_protocol_and_its_carriers() -> None:
    data = b"".join(
        (
            socket(b"Client Hello!\0", 2, 0xDEAD),
            socket(DOE_GET_VERSION, 2),
            socket(b"\x05" + GET_VERSION, 1),
            socket(b"\0\0\0\xc0\x06" + SECURED, 1),
            socket(tcp(VERSION), 3),
            socket(b"", 2, 0xFFFE),
        )
    )
    found, problems = run([syn(), *segments(data, 11)])
    assert [(m.layers, m.direction, m.data[m.offset :]) for m in found] == [
        (("DOE", "SPDM"), "request", GET_VERSION),
        (("MCTP", "SPDM"), "request", GET_VERSION),
        (("MCTP", "SECURED"), "request", SECURED),
        (("TCP", "SPDM"), "response", VERSION),
    ]
    assert problems == []


def test_a_capture_that_begins_in_the_middle() -> None:
    data = tcp(GET_VERSION) + tcp(VERSION)
    found, _ = run(segments(data, 8)[1:])  # the first segment is exactly the first message
    assert [m.data[m.offset :] for m in found] == [VERSION]


def test_a_stream_of_something_else() -> None:
    found, problems = run([syn(), *segments(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50, 100)])
    assert (found, problems) == ([], [])


def test_what_is_missing_is_said() -> None:
    data = tcp(GET_VERSION) * 4
    frames = segments(data, 8)
    found, problems = run([syn(), frames[0], *frames[2:]])
    assert len(found) == 1
    assert problems == ["stream 0 from 10.0.0.1:50000: a segment before 16 bytes is missing; they are not read"]
    _, problems = run([syn(), *segments(tcp(VERSION)[:-2], 99)])
    assert problems == ["stream 0 from 10.0.0.1:50000 ends inside a message, after 10 bytes of it"]


def test_waiting_segments_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_WAITING", 100)
    data = tcp(GET_VERSION) * 40
    frames = segments(data, 8)
    reader = Streams()
    found = [m for f in [syn(), *frames[1:]] for m in reader.add(f)]
    assert len(found) > 20
    assert reader._waiting <= 100
    assert "missing before it" in reader.problems[0]


def test_a_length_that_cannot_be() -> None:
    _, problems = run([syn(), *segments(socket(GET_VERSION, 3) + struct.pack(">III", 1, 9, 4) + b"xxxx", 99)])
    assert problems == ["frame 1: no message begins in the stream from 10.0.0.1:50000 where one should"]


@pytest.mark.parametrize(
    ("head", "framing"),
    [
        (tcp(GET_VERSION), "tcp"),
        (tcp(b"", 0xBF), "tcp"),
        (socket(b"", 3, 0xFFFE), "socket"),
        (b"\0\0\0\1", "socket"),
        (struct.pack(">III", 1, 4, 0), None),
        (struct.pack(">III", 1, 2, 1 << 30), None),
        (b"SSH-2.0-OpenS", None),
        (b"\0\0", None),
    ],
)
def test_framing(head: bytes, framing: str | None) -> None:
    assert framing_of(head[:12]) == framing


def test_datagrams() -> None:
    def frame(payload: bytes) -> Frame:
        return Frame(3, 30, None, "a", "b", 0, False, payload)

    mctp = b"\x01\x08\x09\xc8\x05" + GET_VERSION
    usb = b"\x1a\xb4\0" + bytes([4 + len(mctp)]) + mctp
    assert [m.layers for m in Streams().add(frame(usb * 2))] == [("MCTP", "SPDM")] * 2
    assert [m.layers for m in Streams().add(frame(mctp))] == [("MCTP", "SPDM")]
    assert [m.layers for m in Streams().add(frame(DOE_GET_VERSION))] == [("DOE", "SPDM")]
    assert Streams().add(frame(b"something else")) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200), st.binary(max_size=40), st.booleans()), max_size=20))
def test_any_frames(parts: list[tuple[int, int, bytes, bool]]) -> None:
    frames = [
        Frame(i, i, None if stream == 3 else stream, CLIENT if i % 2 else SERVER, "x", sequence, begin, payload)
        for i, (stream, sequence, payload, begin) in enumerate(parts)
    ]
    for m in run(frames)[0]:
        assert 0 <= m.offset <= len(m.data)
