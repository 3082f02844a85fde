"""SPDM over TCP through tshark and pyshark, against tshark's own reassembly of the stream."""

from __future__ import annotations

import asyncio
import re
import shutil
import struct
import subprocess
import sys
import threading
import warnings
from functools import cache
from pathlib import Path

import pytest

from rmitrace.formats import tshark
from rmitrace.formats.base import Unreadable
from rmitrace.formats.tshark import foreign, frames_of, missing_tool, pyshark_usable, read_packets

TCP = Path(__file__).parents[2] / "data" / "tcp" / "tcp_v12_ethernet.pcap"
DATA = TCP.read_bytes()
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def follow() -> list[list[bytes]]:
    """The messages of each side, from the bytes that ``tshark -z follow`` puts together: 12 bytes of socket envelope
    (command, transport, size), of which command 1 is a message; 4 bytes of DSP0287 header in front of it."""
    command = ["tshark", "-r", str(TCP), "-q", "-z", "follow,tcp,raw,0"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    sides = [b"", b""]
    for line in text.splitlines():
        if re.fullmatch(r"\t?[0-9a-f]+", line):
            sides[line[0] == "\t"] += bytes.fromhex(line.strip())
    out: list[list[bytes]] = [[], []]
    for side, data in enumerate(sides):
        at = 0
        while at < len(data):
            kind, transport, size = struct.unpack_from(">III", data, at)
            if kind == 1:
                assert transport == 3
                out[side].append(data[at + 16 : at + 12 + size])
            at += 12 + size
    return out


@cache
def by_tshark() -> tshark.Reading:
    return read_packets(DATA, driver="tshark")


@needs_tshark
def test_messages_of_both_sides() -> None:
    reading = by_tshark()
    assert reading.driver == "tshark"
    assert reading.problems == []
    requests, responses = follow()
    assert len(requests) > 50
    assert [m.data[m.offset :] for m in reading.messages if m.direction == "request"] == requests
    assert [m.data[m.offset :] for m in reading.messages if m.direction == "response"] == responses
    assert {m.layers for m in reading.messages} == {("TCP", "SPDM"), ("TCP", "SECURED")}
    # the first: GET_VERSION, completed by frame 23 at 1795376820.726... (tshark -r ... -Y frame.number==23)
    first = reading.messages[0]
    assert (first.frame, first.data.hex()) == (23, "0600010510840000")
    assert first.ts_ns // 1_000_000_000 == 1795376820


@needs_tshark
@pytest.mark.slow
@pytest.mark.skipif(not pyshark_usable(), reason="this machine has a Python that pyshark does not run on")
def test_pyshark_gives_the_same_and_leaves_nothing_behind() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        assert read_packets(DATA, driver="pyshark").messages == by_tshark().messages
        frames = frames_of(str(TCP), "pyshark")
        assert next(iter(frames)).number == 1
        del frames  # given up in the middle
    asyncio.run(asyncio.sleep(0))


def test_pyshark_is_not_used_where_it_fails() -> None:
    seen = []
    thread = threading.Thread(target=lambda: seen.append(pyshark_usable()))
    thread.start()
    thread.join()

    async def inside() -> bool:
        return pyshark_usable()

    assert seen == [False]
    assert asyncio.run(inside()) is False
    assert not (sys.version_info >= (3, 14) and pyshark_usable())


@needs_tshark
def test_big_files_go_to_tshark_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tshark, "SMALL", 1000)
    assert read_packets(DATA).driver == "tshark"


@needs_tshark
@pytest.mark.parametrize("keep", [30_007, 24])
def test_cut_files_are_read_as_far_as_they_go(keep: int) -> None:
    reading = read_packets(DATA[:keep], driver="tshark")
    assert len(reading.messages) == sum(ends(m.frame) <= keep for m in by_tshark().messages)


def ends(frame: int) -> int:
    """Where the record of a frame ends in the file."""
    at = 24
    for _ in range(frame):
        at += 16 + struct.unpack_from("<I", DATA, at + 8)[0]
    return at


def test_link_types_for_tshark() -> None:
    assert foreign(DATA) == [(1, 642)]
    assert foreign(DATA[:20] + struct.pack("<I", 292) + DATA[24:]) == []


def test_without_tshark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert missing_tool() == (
        "SPDM over TCP, USB or UDP in a packet capture is read through tshark, which is not installed: "
        "install it with 'apt-get install tshark'"
    )
    with pytest.raises(Unreadable, match="not installed"):
        read_packets(DATA)


@needs_tshark
def test_what_tshark_cannot_read_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = DATA[:20] + struct.pack("<I", 291) + DATA[24:]
    with pytest.raises(Unreadable) as refused:
        read_packets(odd, driver="tshark")
    assert "\n" not in str(refused.value)
    assert "tshark cannot read this file" in str(refused.value)
    monkeypatch.setattr(tshark, "MAX_FILE", 1000)
    with pytest.raises(Unreadable, match="editcap"):
        read_packets(DATA)
