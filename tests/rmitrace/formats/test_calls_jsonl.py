"""Recorded calls as JSON lines: the recordings beside the RMM logs, and our own output read again."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from rmitrace.capture.records import NO_TIME, Kind, Records
from rmitrace.formats import calls_jsonl
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.calls_jsonl import FORMAT

CAPTURES = Path(__file__).parents[3] / "captures" / "rmm"
OPTIONS = ReadOptions()
CALL = {
    "seq": 4,
    "t": 1795377563.142245,
    "dur_us": 18.1,
    "fid": "0xc4010178",
    "in": ["0xc4010178", "0x88001000"],
    "out": ["0x0", "0x3", "0x0"],
    "mem_in": {"0x88002000": "0102"},
    "mem": {"0x88002000": "01020304", "0x88003000": ""},
    "regions": {"0x88002000": "RmiDevCommData"},
    "log": "SMC_RMI_PDEV_GET_STATE 88001000 > RMI_SUCCESS 3\n",
}
OWN = {
    "type": "call",
    "seq": 0,
    "ts_ns": 12_345_678_000,
    "dur_ns": 42_100,
    "cpu": 1,
    "task": "kworker/u8:3-91",
    "fid": "0xc4000176",
    "name": "RMI_PDEV_CREATE",
    "x": ["0xc4000176", "0x88001000", None, "0x7"],
    "r": ["0x0"],
    "buffers": [
        {"struct": "RmiPdevParams", "addr": "0x88002000", "when": "enter", "data": "ff00"},
        {"struct": None, "addr": None, "when": "exit", "data": "aa"},
    ],
}


def line(o: Any) -> bytes:
    return json.dumps(o).encode() + b"\n"


def read(data: bytes) -> Records:
    return FORMAT.read(data, 0, len(data), OPTIONS)


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.calls.jsonl.xz")), ids=lambda p: p.name)
def test_every_register_of_a_recording(path: Path) -> None:
    data = lzma.LZMADecompressor().decompress(path.read_bytes())
    lines = [text for text in data.split(b"\n") if text.endswith(b"}")]
    assert FORMAT.sniff(data[: 1 << 18]) > 0.9
    r = read(data)
    whole = (r.kind == Kind.WHOLE_IN).nonzero()[0].tolist()
    assert len(whole) == len(lines) > 60
    for i, text in zip(whole, lines, strict=True):
        o = json.loads(text)
        for at, side in ((i, "in"), (i + 1, "out")):
            values = [int(v, 16) for v in o[side]]
            assert r.regs[at].tolist()[: len(values)] == values
            assert r.known[at] == (1 << len(values)) - 1
            assert data[r.offset[at] : r.offset[at] + r.length[at]] == text
        assert abs(int(r.ts[i]) - o["t"] * 1e9) < 1000
        assert int(r.ts[i + 1] - r.ts[i]) == round(o["dur_us"] * 1000)


def test_pages_of_the_side_that_is_asked_for() -> None:
    raw = line(CALL)
    enter, exit_ = (FORMAT.detail(raw, out, OPTIONS) for out in (False, True))
    assert [(b.struct, b.addr, b.when) for b in enter.buffers] == [("RmiDevCommData", 0x88002000, "enter")]
    assert enter.buffers[0].data == b"\x01\x02" + bytes(4094)
    assert [(b.struct, b.addr, b.when, b.data[:5]) for b in exit_.buffers] == [
        ("RmiDevCommData", 0x88002000, "exit", b"\x01\x02\x03\x04\x00"),
        (None, 0x88003000, "exit", bytes(5)),
    ]
    assert [len(b.data) for b in exit_.buffers] == [4096, 4096]
    assert enter.regs == {0: 0xC4010178, 1: 0x88001000}
    assert exit_.regs == {0: 0, 1: 3, 2: 0}
    assert exit_.fields["log"] == "SMC_RMI_PDEV_GET_STATE 88001000 > RMI_SUCCESS 3"


def test_times_are_exact_to_the_microsecond() -> None:
    r = read(line(CALL))
    assert r.ts.tolist() == [1_795_377_563_142_245_000, 1_795_377_563_142_245_000 + 18_100]


def test_own_output_is_read_again() -> None:
    head = {"type": "capture", "sources": []}
    data = line(head) + line(OWN) + line({"type": "finding", "rule": "X"}) + line({"type": "summary", "calls": 1})
    assert FORMAT.sniff(data) > 0.9
    r = read(data)
    assert r.kind.tolist() == [Kind.WHOLE_IN, Kind.WHOLE_OUT]
    assert r.known.tolist() == [0b1011, 1]
    assert r.regs[0].tolist()[:4] == [0xC4000176, 0x88001000, 0, 7]
    assert r.ts.tolist() == [12_345_678_000, 12_345_720_100]
    assert r.cpu.tolist() == [1, 1]
    assert [r.names[i] for i in r.name] == ["RMI_PDEV_CREATE"] * 2
    assert r.facts == {"lines": 4, "ignored": 3}
    raw = data[r.offset[0] : r.offset[0] + r.length[0]]
    detail = FORMAT.detail(raw, False, OPTIONS)
    assert (detail.task, detail.event) == ("kworker/u8:3-91", "RMI_PDEV_CREATE")
    assert [(b.struct, b.addr, b.when, b.data) for b in detail.buffers] == [("RmiPdevParams", 0x88002000, "enter", b"\xff\x00")]
    assert [b.data for b in FORMAT.detail(raw, True, OPTIONS).buffers] == [b"\xaa"]


def test_a_call_without_results_or_time() -> None:
    r = read(line(OWN | {"r": None, "ts_ns": None, "dur_ns": None, "cpu": None}))
    assert r.kind.tolist() == [Kind.WHOLE_IN]
    assert r.ts.tolist() == [NO_TIME]
    assert r.cpu.tolist() == [-1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"seq":1,"in":["0x1"', "not JSON"),
        (b"hello", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1, 2]", "no call in this object"),
        (b'{"type":"printf","data":"x"}', "no call in this object"),
        (b'{"in":"0xc4000150"}', "no call in this object"),
    ],
)
def test_lines_that_are_no_calls(text: bytes, why: str) -> None:
    data = line(CALL) + text + b"\n" + line(CALL)
    r = read(data)
    assert r.kind.tolist() == [Kind.WHOLE_IN, Kind.WHOLE_OUT, Kind.DAMAGED, Kind.WHOLE_IN, Kind.WHOLE_OUT]
    assert r.names[r.name[2]] == why
    assert data[r.offset[2] : r.offset[2] + r.length[2]] == text
    assert [f.rule for f in r.findings] == ["LINE-NO-CALL"]
    assert FORMAT.detail(text, False, OPTIONS).regs == {}


def test_too_long_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_jsonl, "MAX_LINE", 1 << 20)
    r = read(line(CALL | {"log": "x" * (1 << 20)}) + line(CALL))
    assert r.kind.tolist() == [Kind.DAMAGED, Kind.WHOLE_IN, Kind.WHOLE_OUT]
    assert r.names[r.name[0]] == "longer than 1 MiB"


@pytest.mark.parametrize(
    ("change", "known_in", "known_out"),
    [
        ({"in": ["0xzz", 5, True, -1, "0x1ffffffffffffffff", None, "7"]}, 0b1000010, 7),
        ({"in": ["0x1"] * 40}, (1 << 18) - 1, 7),
        ({"out": []}, 3, 0),
    ],
)
def test_odd_registers_are_unknown(change: dict[str, Any], known_in: int, known_out: int) -> None:
    assert read(line(CALL | change)).known.tolist() == [known_in, known_out]


@pytest.mark.parametrize(
    ("change", "times"),
    [
        ({"t": None}, [NO_TIME, NO_TIME]),
        ({"t": float("nan")}, [NO_TIME, NO_TIME]),
        ({"t": 1e300}, [NO_TIME, NO_TIME]),
        ({"t": 1, "dur_us": -5}, [10**9, NO_TIME]),
        ({"t": 1, "dur_us": "x"}, [10**9, NO_TIME]),
        ({"t": True}, [NO_TIME, NO_TIME]),
    ],
)
def test_odd_times_are_unknown(change: dict[str, Any], times: list[int]) -> None:
    assert read(line(CALL | change)).ts.tolist() == times


def test_odd_buffers_are_told() -> None:
    odd = CALL | {"mem": {"0x1": "zz", "nowhere": "ff", "0x2": 5}, "mem_in": [], "regions": []}
    r = read(line(odd))
    assert [(f.rule, f.offset) for f in r.findings] == [("BUFFER-UNREADABLE", 0)]
    assert [(b.struct, b.addr, b.data[:2]) for b in FORMAT.detail(line(odd), True, OPTIONS).buffers] == [
        (None, None, b"\xff\x00")
    ]
    assert FORMAT.detail(line(odd), False, OPTIONS).buffers == ()


def test_recognised_by_the_first_objects_only() -> None:
    assert FORMAT.sniff(b'{"n":0,"t":1.0,"after_seq":3,"doe_type":1,"req":"1084"}\n') == 0
    assert FORMAT.sniff(b'{"type":"attached_probes","data":{"probes":2}}\n') == 0
    assert FORMAT.sniff(b"SMC_RMI_VERSION 10000 > RMI_SUCCESS 10000 10000\n") == 0
    assert FORMAT.sniff(b"") == 0
    assert FORMAT.sniff(line(CALL)[:100]) > 0.8  # a first line longer than what is looked at
