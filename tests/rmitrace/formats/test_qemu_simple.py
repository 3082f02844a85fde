"""QEMU's simple trace backend, text and binary."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture.packed import Column
from rmitrace.capture.records import COLUMNS, Kind, Records
from rmitrace.formats import qemu_simple_binary
from rmitrace.formats.base import ReadOptions, Unreadable
from rmitrace.formats.qemu_simple import FORMAT

CAPTURES = Path(__file__).parents[3] / "captures" / "qemu"
ARGS = b"pid=16581 x0=0xc4000175 x1=0x450c0000 x2=0x450c2000 x3=0x0 cpuid=0x1"
TEXT = b"\n".join(
    [
        b"arm_cpu_reset 0.000 pid=16581 mp_aff=0x1",
        b"arm_psci_call 1000.500 " + ARGS,
        b"pci_cfg_read 3196.124 pid=16581 dev=b'gpex-root' bus=0x0 slot=0x0 func=0x0 offs=0x0 val=0x81b36",
        b"[    1.0] console",
        b"arm_psci_call 0.001 " + ARGS,
        b"arm_psci_call 5.000 pid=16581 x0=0xc40001",
        b"arm_powerctl_set_cpu_off 2.000 pid=16581 mp_aff=0x1",
        b"",
    ]
)


def read(data: bytes) -> Records:
    return FORMAT.read(data, 0, len(data), ReadOptions())


def test_text() -> None:
    records = read(TEXT)
    assert [Kind(k).name for k in records.kind.tolist()] == ["MARK", "ENTER", "ENTER", "DAMAGED", "MARK"]
    # microseconds: 0, +1000.5, +3196.124 (no record), +0.001, +5, +2
    assert records.ts.tolist() == [0, 1000500, 4196625, 4201625, 4203625]
    assert records.cpu.tolist() == [1, 1, 1, -1, 1]
    assert records.regs[1, :4].tolist() == [0xC4000175, 0x450C0000, 0x450C2000, 0]
    assert records.known[1] == 0b1111
    assert records.facts["lines"] == 7
    assert records.facts["ignored"] == 2
    line = TEXT.split(b"\n")[1]
    assert TEXT[records.offset[1] :][: records.length[1]] == line
    detail = FORMAT.detail(line, False, ReadOptions())
    assert detail.regs == {0: 0xC4000175, 1: 0x450C0000, 2: 0x450C2000, 3: 0}
    assert detail.fields == {"pid": "16581", "cpuid": "0x1"}


def test_real_text() -> None:
    data = (CAPTURES / "simpletrace.txt").read_bytes()
    records = read(data)
    assert len(records) == 0
    assert records.facts["ignored"] == records.facts["lines"] == data.count(b"\n")
    behind = data[data.index(b"offs=0x100 val=0x1002e") :]
    assert records.facts["doe_accesses"] == len(re.findall(rb"offs=0x1(?:08|0c|10|14) ", behind)) > 0
    assert FORMAT.sniff(data) > 0.9


def test_real_binary() -> None:
    data = (CAPTURES / "simple.trace").read_bytes()
    assert FORMAT.sniff(data) == 1.0
    records = read(data)
    assert len(records) == 0
    # independent walk: type 0 is 20 bytes and a name, type 1 is 8 bytes and its length
    at, n = 24, 0
    while at < len(data):
        mapping = data[at] == 0
        at += 20 + struct.unpack_from("<I", data, at + 16)[0] if mapping else 8 + struct.unpack_from("<I", data, at + 24)[0]
        n += 1
    assert records.facts["lines"] == n


HEADER = b"\xff" * 8 + struct.pack("<QQ", 0xF2B177CB0AA429B4, 4)


def mapping(ident: int, name: bytes) -> bytes:
    return struct.pack("<QQI", 0, ident, len(name)) + name


def event(ident: int, ns: int, *args: int) -> bytes:
    return struct.pack("<QQQII", 1, ident, ns, 24 + 8 * len(args), 77) + struct.pack(f"<{len(args)}Q", *args)


def test_binary() -> None:
    parts = [
        HEADER,
        mapping(5, b"arm_psci_call"),
        mapping(6, b"arm_cpu_reset"),
        mapping(7, b"other_event"),
        event(5, 1000, 0xC4000150, 0x20000, 0, 2**64 - 1, 3),
        event(7, 1001, 1),
        event(6, 1002, 2),
        event(0xFFFFFFFFFFFFFFFE, 1003, 9),
        event(5, 1004, 1, 2),
    ]
    data = b"".join(parts)
    records = read(data)
    assert [Kind(k).name for k in records.kind.tolist()] == ["ENTER", "MARK", "LOST", "DAMAGED"]
    assert records.ts.tolist() == [1000, 1002, 1003, 1004]
    assert records.cpu.tolist() == [3, 2, -1, -1]
    assert records.regs[0, :4].tolist() == [0xC4000150, 0x20000, 0, 2**64 - 1]
    assert records.regs[2, 0] == 9
    assert records.offset[0] == len(b"".join(parts[:4]))
    assert records.facts["lines"] == 8
    detail = FORMAT.detail(parts[4], False, ReadOptions())
    assert detail.regs == {0: 0xC4000150, 1: 0x20000, 2: 0, 3: 2**64 - 1}
    assert detail.event == "arm_psci_call"
    assert "x1=0x20000" in detail.text
    assert FORMAT.detail(parts[6], False, ReadOptions()).fields == {"pid": "77"}


def test_a_long_file_is_packed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    data = HEADER + mapping(1, b"arm_psci_call") + mapping(2, b"arm_cpu_reset")
    for i in range(50):
        data += event(1, 1000 * i, 0xC4000150 + i, i, 0, 0, i % 3) + event(2, 1000 * i + 1, 5)
    data += event(1, 60_000, 1)  # too few arguments
    at_once = read(data)
    monkeypatch.setattr(qemu_simple_binary, "BATCH", 7)
    packed = read(data)
    assert isinstance(packed.offset, Column)
    assert len(packed) == 101
    for name in (*COLUMNS, "regs"):
        assert np.array_equal(np.asarray(getattr(packed, name)), np.asarray(getattr(at_once, name))), name
    assert (packed.names, packed.facts) == (at_once.names, at_once.facts)


def test_a_big_endian_host() -> None:
    """The same records, every number the other way round."""
    head = b"\xff" * 8 + struct.pack(">QQ", 0xF2B177CB0AA429B4, 4)
    name = struct.pack(">QQI", 0, 5, 13) + b"arm_psci_call"
    call = struct.pack(">QQQII5Q", 1, 5, 1000, 24 + 40, 77, 0xC4000150, 0x20000, 0, 2**64 - 1, 3)
    lost = struct.pack(">QQQIIQ", 1, 0xFFFFFFFFFFFFFFFE, 1003, 32, 77, 9)
    data = head + name + call + lost + call[:30]
    assert FORMAT.sniff(data) == 1.0
    records = read(data)
    assert [Kind(k).name for k in records.kind.tolist()] == ["ENTER", "LOST", "DAMAGED"]
    assert records.regs[0, :4].tolist() == [0xC4000150, 0x20000, 0, 2**64 - 1]
    assert (records.ts[:2].tolist(), records.cpu[0], records.regs[1, 0]) == ([1000, 1003], 3, 9)
    assert FORMAT.detail(call, False, ReadOptions()).regs == {0: 0xC4000150, 1: 0x20000, 2: 0, 3: 2**64 - 1}


@pytest.mark.parametrize("cut", [1, 8, 20, 31, 33, 71])
def test_binary_cut(cut: int) -> None:
    call = event(5, 1000, 1, 2, 3, 4, 5)
    data = HEADER + mapping(5, b"arm_psci_call") + call + call[:-cut]
    records = read(data)
    assert [Kind(k).name for k in records.kind.tolist()] == ["ENTER", "DAMAGED"]
    assert records.offset[1] + records.length[1] == len(data)


def test_binary_hostile_lengths() -> None:
    for bad in (
        struct.pack("<QQI", 0, 1, 0xFFFFFFFF) + b"x" * 64,
        struct.pack("<QQQII", 1, 1, 1, 0xFFFFFFFF, 1) + b"x" * 64,
        struct.pack("<QQQII", 1, 1, 1, 0, 1) + b"x" * 64,
        struct.pack("<Q", 2) + b"x" * 64,
    ):
        records = read(HEADER + bad)
        assert [Kind(k).name for k in records.kind.tolist()] == ["DAMAGED"]


def test_binary_of_another_version() -> None:
    with pytest.raises(Unreadable, match=r"version 3.*simpletrace\.py"):
        read(HEADER[:16] + struct.pack("<Q", 3))


def test_sniff_elsewhere() -> None:
    assert FORMAT.sniff((CAPTURES / "trace-log.txt").read_bytes()) < 0.2
    assert FORMAT.sniff((CAPTURES / "d-int.txt").read_bytes()) == 0
    assert FORMAT.sniff(b"") == 0


@pytest.mark.parametrize("cut", [13, 15, 20, 30])
def test_text_cut_at_the_end(cut: int) -> None:
    records = read(b"arm_psci_call 1.000 " + ARGS + b"\n" + (b"arm_psci_call 2.000 " + ARGS)[:cut])
    assert [Kind(k).name for k in records.kind.tolist()] == ["ENTER", "DAMAGED"]
