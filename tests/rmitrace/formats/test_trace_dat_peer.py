"""trace.dat against trace-cmd where it is installed: every shipped file, instances, page sizes, a guest beside its host."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from rmitrace.formats.trace_dat import FORMAT
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.trace_text import CAPTURES, kinds, names, read, regs

pytestmark = pytest.mark.skipif(shutil.which("trace-cmd") is None, reason="trace-cmd is not installed")
ENTER = build.probe_format("smc12_enter", 1144, [f"a{i}" for i in range(8)])
EXIT = build.probe_format("smc12_exit", 1145, [f"a{i}" for i in range(4)], ret=True)
FORMATS = [ENTER, EXIT]
T0 = 100_000_000_000
TRACEID, TIME_SHIFT, GUEST = 11, 12, 13
"""Options of trace-cmd.dat.v7(5)."""
_LINE = re.compile(r"^ *(?:(\S+): +)?(.{0,15}?)-(\d+) +\[(\d+)\] +(?:\S{4,5} +)?(\d+)\.(\d{9}): +(smc\w*_(?:enter|exit)): +(.*)$")


def report(*files: Path) -> list[tuple]:
    """(CPU, task, ns, event, registers) of every line of ``trace-cmd report -R -t`` that is of a scalar SMC event."""
    command = ["trace-cmd", "report", "-R", "-t", "-q", *(a for f in files for a in ("-i", str(f)))]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8", "replace")
    out = []
    for line in text.splitlines():
        m = _LINE.match(line)
        if m is not None:
            values = {int(n): int(v, 0) & (1 << 64) - 1 for n, v in re.findall(r"\ba(\d+)=(-?\w+)", m[8])}
            out.append((int(m[4]), int(m[3]), int(m[5]) * 10**9 + int(m[6]), m[7], {n: v for n, v in values.items() if n < 8}))
    return out


def ours(path: Path) -> list[tuple]:
    """The same of our records."""
    records = read(FORMAT, path.read_bytes())
    out = []
    for i, (kind, name) in enumerate(zip(kinds(records), names(records), strict=True)):
        if kind in ("ENTER", "EXIT") and re.match(r"smc(?:12)?_(?:enter|exit)", name or ""):
            name = re.sub("@.*", "", name or "")
            out.append((int(records.cpu[i]), int(records.pid[i]), int(records.ts[i]), name, regs(records, i)))
    return out


NOT_READ = ("cut.dat", "zlib.dat")
"""trace-cmd says nothing of a file that is cut, and Debian's is built without zlib."""


@pytest.mark.parametrize(
    "path", sorted(p for p in (CAPTURES / "trace-dat").glob("*.dat") if p.name not in NOT_READ), ids=lambda p: p.name
)
def test_every_shipped_file(path: Path) -> None:
    """Events, task, CPU, ns and registers, one by one."""
    expected = report(path)
    assert len(expected) > 20
    assert sorted(ours(path), key=str) == sorted(expected, key=str)


def pages(cpu: int, size: int = 4096, shift: int = 0) -> bytes:
    """Twelve calls of one CPU over three pages, with longer deltas and events lost in between."""
    out = b""
    for p in range(3):
        events = []
        for i in range(4):
            address = 0x88000000 + 0x1000 * (cpu << 8 | p << 4 | i)
            events.append(build.event(build.record(1144, 40 + cpu, 0xFFFF80008002BF38, 0xC4000178, address, *range(6)), 5000))
            events.append(build.time_extend(1 << 28) if i == 2 else b"")
            events.append(build.event(build.record(1145, 40 + cpu, 0xFFFF80008002BF38, 0xFFFF800078EA00C8, 0, i, 0, 0), 2000))
        out += build.page(T0 + shift + p * 2_000_000_000 + cpu * 777, *events, size=size, lost=7 if p == 2 else None)
    return out


@pytest.mark.parametrize("size", [4096, 16384, 65536])
@pytest.mark.parametrize("write", [build.v6, build.v7, lambda t: build.v7(t, "none")])
def test_page_sizes_versions_and_cpus(size: int, write, tmp_path: Path) -> None:
    path = tmp_path / "trace.dat"
    path.write_bytes(write(build.Trace(FORMATS, {c: pages(c, size) for c in range(3)}, page_size=size)))
    expected = report(path)
    assert len(expected) == 3 * 24
    assert sorted(ours(path), key=str) == sorted(expected, key=str)
    assert [r[2] for r in ours(path)] == sorted(r[2] for r in expected)


@pytest.mark.parametrize("write", [build.v6, build.v7])
def test_instances(write, tmp_path: Path) -> None:
    path = tmp_path / "trace.dat"
    trace = build.Trace(
        FORMATS, {0: pages(0)}, {"debug": {0: pages(0, shift=333), 1: pages(1, shift=333)}, "more": {2: pages(2)}}
    )
    path.write_bytes(write(trace))
    assert sorted(ours(path), key=str) == sorted(report(path), key=str)
    assert len(ours(path)) == 4 * 24


@pytest.mark.parametrize("interpolate", [0, 1])
def test_a_guest_beside_its_host(interpolate: int, tmp_path: Path) -> None:
    """The agent's file with samples of both clocks, and the host's that names the guest: times on the host's clock."""
    host_id, guest_id = 0x1122334455667788, 0x99AABBCCDDEEFF00
    host, guest = tmp_path / "host.dat", tmp_path / "guest.dat"
    realm = b"realm\0" + struct.pack("<QI", guest_id, 2) + struct.pack("<iiii", 0, 900, 1, 901)
    host.write_bytes(
        build.v7(build.Trace(FORMATS, {0: pages(0)}, options=[(GUEST, realm), (TRACEID, struct.pack("<Q", host_id))]))
    )
    samples = [(T0 - 1000, 5_000_000_000, 1), (T0 + 3_000_000_000, 5_000_123_456, 1), (T0 + 9_000_000_000, 5_000_345_678, 1)]
    shift = struct.pack("<QII", host_id, interpolate, 2)
    for _ in range(2):
        columns = zip(*samples, strict=True)
        shift += struct.pack("<I", len(samples)) + b"".join(struct.pack(f"<{len(samples)}Q", *c) for c in columns)
    for _ in range(2):
        shift += struct.pack(f"<{len(samples)}Q", *[0] * len(samples))
    options = [(TIME_SHIFT, shift), (TRACEID, struct.pack("<Q", guest_id))]
    guest.write_bytes(build.v7(build.Trace(FORMATS, {0: pages(0), 1: pages(1)}, options=options)))
    assert sorted(ours(guest), key=str) == sorted(report(guest), key=str)
    both = report(host, guest)
    assert len(both) == 3 * 24
    assert min(r[2] for r in ours(guest)) > T0 + 5_000_000_000
    assert sorted(ours(host) + ours(guest), key=str) == sorted(both, key=str)
