"""A real exchange over TCP: two sockets on the loopback interface play the messages of a DOE capture, tshark records
them, and what pyshark and tshark give of the recording is what the DOE capture holds."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rmitrace.capture import OpenOptions, open_capture
from rmitrace.capture.messages import Message
from rmitrace.formats.tshark import pyshark_usable, read_packets

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

DATA = Path(__file__).parents[2] / "data" / "spdm"
RUN = "doe_v12_secver11"
DOE_HEAD = 8


def objects() -> list[bytes]:
    """The DOE objects of the run, CMA/SPDM and secured, without discovery: read from the pcap by its own layout
    (24 bytes of file header, 16 of record header with the length at 8)."""
    data = (DATA / f"{RUN}.pcap").read_bytes()
    out, at = [], 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at + 16 : at + 16 + size])
        at += 16 + size
    return [o for o in out if o[2] in (1, 2)]


def dsp0287(o: bytes) -> bytes:
    """Length of what follows, binding version 1, message type 5 (SPDM) or 6 (secured)."""
    body = message_of(o)
    return struct.pack("<HBB", len(body) + 2, 1, 4 + o[2]) + body


def message_of(o: bytes) -> bytes:
    """The message without DOE header; of a secured one also without padding, by its own length at byte 4."""
    body = o[DOE_HEAD:]
    return body[: 6 + struct.unpack_from("<H", body, 4)[0]] if o[2] == 2 else body


def envelope(transport: int, inner: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """The socket protocol of DMTF's emulators: command 1, transport, size, big-endian."""

    def wrap(o: bytes) -> bytes:
        body = inner(o)
        return struct.pack(">III", 1, transport, len(body)) + body

    return wrap


FRAMINGS = {
    "DSP0287": dsp0287,
    "emulator, TCP": envelope(3, dsp0287),
    "emulator, PCI DOE": envelope(2, lambda o: o),
}


@contextmanager
def recorded(port: int, path: Path) -> Iterator[None]:
    """tshark records the port while this lasts, and until the connection's last FIN is in the file."""
    command = ["tshark", "-q", "-i", "lo", "-f", f"tcp port {port}", "-w", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        said = ""
        while "Capture started" not in said and "Capturing on" not in said:
            line = run.stderr.readline()
            if not line:
                pytest.fail(f"tshark cannot record the loopback interface: {said}")
            said += line
        time.sleep(1)  # dumpcap opens the interface a moment after it says so
        try:
            yield
            time.sleep(1)
        finally:
            run.terminate()
            run.wait(20)


def play(parts: list[bytes], server: socket.socket) -> None:
    """Requests from the client, responses from the server, in pieces that are not those of the messages."""

    def respond() -> None:
        connection, _ = server.accept()
        with connection:
            for i in range(0, len(parts), 2):
                receive(connection, len(parts[i]))
                send(connection, parts[i + 1], 1)

    thread = threading.Thread(target=respond)
    thread.start()
    with socket.create_connection(server.getsockname()) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(0, len(parts), 2):
            send(client, parts[i], 3)
            receive(client, len(parts[i + 1]))
    thread.join()


def send(to: socket.socket, data: bytes, pieces: int) -> None:
    step = -(-len(data) // pieces)
    for at in range(0, len(data), step):
        to.sendall(data[at : at + step])


def receive(from_: socket.socket, size: int) -> None:
    while size:
        size -= len(from_.recv(size))


def said(messages: list[Message]) -> list[tuple[str, str | None, str, bytes]]:
    return [(m.name, m.vendor, m.direction, m.payload.rstrip(b"\0")) for m in messages]


@pytest.mark.slow
@pytest.mark.parametrize("framing", FRAMINGS)
def test_tcp_gives_what_doe_gives(framing: str, tmp_path: Path) -> None:
    frames = [FRAMINGS[framing](o) for o in objects()]
    assert len(frames) > 50
    assert len(frames) % 2 == 0
    path = tmp_path / "lo.pcapng"
    with socket.create_server(("127.0.0.1", 0)) as server, recorded(server.getsockname()[1], path):
        play(frames, server)
    options = OpenOptions(keys=(DATA / f"{RUN}.json").read_text())
    by_doe = open_capture([str(DATA / f"{RUN}.pcap")], options).conversations.decode()
    by_tcp = open_capture([str(path)], options).conversations.decode()
    want = said([m for m in by_doe if m.name != "DOE_DISCOVERY"])
    assert len(want) == len(frames)
    assert said(by_tcp) == want
    assert all(m.inside is not None for m in by_tcp if m.secured)
    if pyshark_usable():
        assert (
            read_packets(path.read_bytes(), driver="pyshark").messages
            == read_packets(path.read_bytes(), driver="tshark").messages
        )
