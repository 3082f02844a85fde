"""Both halves of RmiDevCommData, on pages made by hand at the offsets of the ABI facts, and on a recorded connect."""

from __future__ import annotations

import json
import lzma
import struct
from pathlib import Path

import pytest

from decoders import REVISIONS, decode_struct
from decoders.dev_comm import OVER
from decoders.tree import Node

WITH_DEVICES = [r for r in REVISIONS if r != "1.0-rel0"]
EXCHANGES = Path(__file__).parents[1] / "data" / "secured" / "tf-rmm-head-nominal.doe.jsonl"
CALLS = Path(__file__).parents[2] / "captures" / "rmm" / "tf-rmm-head-nominal.calls.jsonl.xz"
COMMUNICATE = (0xC4000175, 0xC4000186)
"""RMI_PDEV_COMMUNICATE, RMI_VDEV_COMMUNICATE."""


def page(
    status: int = 0,
    rsp_len: int = 0,
    *,
    flags: int = 0,
    req_cache: tuple[int, int] = (0, 0),
    rsp_cache: tuple[int, int] = (0, 0),
    obj: int = 0,
    protocol: int = 0,
    delay: int = 0,
    req_len: int = 0,
    timeout: int = 0,
) -> bytes:
    """enter: status 0x0, req_addr 0x8, rsp_addr 0x10, rsp_len 0x18; exit at 0x800: flags 0x0, then four numbers for the
    caches, cache_obj_id 0x28, protocol 0x30, req_delay 0x38, req_len 0x40, rsp_timeout 0x48."""
    enter = struct.pack("<QQQQ", status, 0x1000, 0x2000, rsp_len)
    exit_ = struct.pack("<10Q", flags, *req_cache, *rsp_cache, obj, protocol, delay, req_len, timeout)
    return (enter.ljust(0x800, b"\0") + exit_).ljust(0x1000, b"\0")


def read(data: bytes, when: str | None = None, revision: str = "2.0-bet3") -> Node:
    return decode_struct("RmiDevCommData", data, revision=revision, when=when)  # type: ignore[arg-type]


def half(name: str, data: bytes) -> str:
    node = read(data).child(name)
    assert node is not None
    return node.text


@pytest.mark.parametrize("revision", WITH_DEVICES)
def test_what_the_host_brings(revision: str) -> None:
    assert read(page(1, 52), "enter", revision).text == "the host brings a response of 52 bytes"
    assert half("enter", page(0, 52)) == "the host brings nothing"
    assert half("enter", page(2)) == "the host could not send the request or got no response"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (page(), OVER),
        (page(flags=4, req_len=48), "send request bytes 0..48 in a CMA/SPDM object"),
        (page(flags=4 | 32, req_len=8, protocol=1), "send request bytes 0..8 in a secured CMA/SPDM object, more requests follow"),
        (page(flags=4, req_len=8, delay=10), "send request bytes 0..8 in a CMA/SPDM object after 10 us"),
        (page(flags=8, timeout=99), "keep waiting for the response; give up 99 us after the timer started"),
        (page(flags=16), "start the response timer again"),
        (page(flags=3, req_cache=(4, 48), rsp_cache=(0, 52)), "append request bytes 4..52 and response bytes 0..52 to the VCA"),
        (page(flags=2, rsp_cache=(8, 1024), obj=1), "append response bytes 8..1032 to the CERTIFICATE"),
        (page(flags=2, rsp_cache=(8, 10), obj=9), "append response bytes 8..18 to the object 9"),
        (page(flags=64), "first communicate with the other PDEV of the stream"),
    ],
)
def test_what_the_rmm_asks(data: bytes, text: str) -> None:
    assert half("exit", data) == text


def test_which_half_is_new() -> None:
    data = page(1, 16, flags=4, req_len=20)
    enter, exit_ = read(data, "enter"), read(data, "exit")
    assert enter.text == "the host brings a response of 16 bytes"
    assert enter.child("exit").text == "left by the call before: send request bytes 0..20 in a CMA/SPDM object"  # type: ignore[union-attr]
    assert exit_.text == exit_.child("exit").text == "send request bytes 0..20 in a CMA/SPDM object"  # type: ignore[union-attr]
    assert read(data).text == f"enter: {enter.text}; exit: {exit_.text}"


@pytest.mark.parametrize(
    ("data", "where", "severity"),
    [
        (page(1, 4097), "enter.rsp_len", "error"),
        (page(1, 0), "enter.rsp_len", "warning"),
        (page(flags=4 | 8, req_len=4), "exit.flags", "warning"),
        (page(flags=32), "exit.flags", "warning"),
        (page(flags=4, req_len=4097), "exit.req_len", "error"),
        (page(flags=4), "exit.req_len", "warning"),
        (page(flags=1, req_cache=(4000, 97)), "exit.req_cache_len", "error"),
        (page(flags=2, rsp_cache=(2**64 - 1, 2)), "exit.rsp_cache_len", "error"),
    ],
)
def test_contradictions(data: bytes, where: str, severity: str) -> None:
    tree = read(data)
    assert [n.name for n in tree.walk() if n.note] == [where.rpartition(".")[2]]
    assert tree.find(where).severity == severity  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "data", [page(1, 4096), page(flags=4, req_len=4096), page(flags=1, req_cache=(4000, 96)), page(req_len=9999)]
)
def test_limits_that_hold(data: bytes) -> None:
    assert [n.note for n in read(data).walk() if n.note] == []


@pytest.mark.parametrize("cut", [0, 1, 0x1F, 0x20, 0x7FF, 0x800, 0x805, 0x848, 0x850, 0x900])
def test_cut_pages(cut: int) -> None:
    tree = read(page(1, 4, flags=4, req_len=4)[:cut], "exit")
    assert sum(n.size for n in tree.leaves()) >= cut
    assert sum(len(n.value) if isinstance(n.value, bytes) else 0 for n in tree.leaves() if n.name == "rest") <= cut


def test_a_recorded_connect() -> None:
    """What the pages of a connect ask to be sent is what went over the device's mailbox, in order."""
    sent = [json.loads(line) for line in EXCHANGES.read_text().splitlines()]
    carriers = {1: "CMA/SPDM", 2: "secured CMA/SPDM"}
    want = [f"send request bytes 0..{len(e['req']) // 2} in a {carriers[e['doe_type']]} object" for e in sent]
    brought = [f"the host brings a response of {len(e['rsp']) // 2} bytes" for e in sent]
    asked, given = [], []
    for line in lzma.decompress(CALLS.read_bytes()).splitlines():
        call = json.loads(line)
        if int(call["fid"], 16) in COMMUNICATE:
            page = next(a for a, name in call["regions"].items() if name == "RmiDevCommData")
            before, after = (bytes.fromhex(call[m][page]).ljust(0x1000, b"\0") for m in ("mem_in", "mem"))
            given.append(read(before, "enter").text)
            asked.append(read(after, "exit").text.rpartition("; ")[2])
    assert [t for t in asked if t.startswith("send ")] == want
    assert [t for t in given if "response of" in t] == brought
