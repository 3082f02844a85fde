"""Recorded runs with what is known of them from elsewhere: the exchanges as the device's mailbox saw them."""

from __future__ import annotations

import json
import lzma
import random
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from rmitrace.capture import Capture, OpenOptions, open_capture
from rmitrace.capture.messages import Message

ROOT = Path(__file__).parents[4]
CAPTURES = ROOT / "captures"
DATA = ROOT / "tests" / "data"
RUN = "tf-rmm-head-nominal"


def opened(*paths: Path | str, keys: str | None = None, reveal: bool = False, source_format: str | None = None) -> Capture:
    return open_capture([str(p) for p in paths], OpenOptions(keys=keys, show_secrets=reveal, source_format=source_format))


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)
    return path


@dataclass(frozen=True)
class Exchange:
    """One exchange with the device: number of the call that asked for it, request and response, response padded to 4."""

    after: int
    request: bytes
    response: bytes


def exchanges(run: str = RUN) -> list[Exchange]:
    lines = (DATA / "secured" / f"{run}.doe.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [Exchange(r["after_seq"], bytes.fromhex(r["req"]), bytes.fromhex(r["rsp"])) for r in rows]


def recording(run: str = RUN) -> list[bytes]:
    """The calls with memory, one line each."""
    return lzma.decompress((CAPTURES / "rmm" / f"{run}.calls.jsonl.xz").read_bytes()).splitlines(keepends=True)


def console() -> list[bytes]:
    return lzma.decompress((DATA / "messages" / f"{RUN}.log.xz").read_bytes()).splitlines(keepends=True)


def packets(data: bytes) -> list[bytes]:
    """The records of a classic pcap, headers included."""
    out, at = [], 24
    while at + 16 <= len(data):
        size = 16 + struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at : at + size])
        at += size
    return out


def clear(folder: Path, *messages: tuple[int, str], name: str = "clear.pcap") -> Path:
    """A pcap of clear SPDM messages over DOE, each with a time in us and its bytes as hex."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 292)
    for us, text in messages:
        body = padded(bytes.fromhex(text))
        body = struct.pack("<HBBI", 1, 1, 0, 2 + len(body) // 4) + body
        data += struct.pack("<IIII", us // 1_000_000, us % 1_000_000, len(body), len(body)) + body
    return write(folder, name, data)


def pcap(run: str = RUN) -> tuple[bytes, list[bytes]]:
    data = (CAPTURES / "spdm" / f"{run}.pcap").read_bytes()
    return data[:24], packets(data)


def thinned(parts: list[bytes], seed: int, share: float = 0.1) -> list[bytes]:
    rng = random.Random(seed)
    return [p for p in parts if rng.random() >= share]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def judged(messages: list[tuple[Message, int]], run: str = RUN) -> tuple[int, int]:
    """How many messages stand under the call that asked for them, and how many under another one. Each comes with the
    number of its call in the recording."""
    asked = {padded(e.request): e.after for e in exchanges(run)}
    answers: dict[bytes, set[int]] = {}
    for e in exchanges(run):
        answers.setdefault(padded(e.response), set()).add(e.after)
    good = bad = 0
    for m, seq in messages:
        data = padded(m.payload)
        right = {asked[data]} if data in asked else answers.get(data, set())
        if m.direction == "request" and len([e for e in exchanges(run) if padded(e.request) == data]) > 1:
            right = {e.after for e in exchanges(run) if padded(e.request) == data}
        good, bad = good + (seq in right), bad + (seq not in right)
    return good, bad


def communicates(run: str = RUN) -> list[int]:
    """Numbers of the communicate calls of a recording, in order: each has one row in the RMM's console."""
    rows = [json.loads(line) for line in recording(run)]
    return [r["seq"] for r in rows if int(r["fid"], 16) & 0xFFFF in (0x175, 0x186)]


def console_rows(lines: list[bytes], kept: list[bool]) -> dict[int, int]:
    """Byte offset of a communicate row in a log of which some lines were left out -> its place among all such rows."""
    out, at, n = {}, 0, 0
    for line, keep in zip(lines, kept, strict=True):
        is_row = re.match(rb"SMC_RMI_[PV]DEV_COMMUNICATE ", line) is not None
        if keep and is_row:
            out[at] = n
        n += is_row
        at += len(line) if keep else 0
    return out
