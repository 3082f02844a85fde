"""Captures of any length for the benchmarks: recorded runs written again and again, later and at other addresses.

The calls are those of captures/rmm (what TF-RMM was asked and answered), the shape of the lines that of the other shipped
captures; only times and addresses are new. A run is laid out once as bytes with the places of its times and addresses, and
every copy overwrites those: the digits are as many in all copies.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parent.parent
CAPTURES = ROOT / "captures"
GOOD, BAD = "tf-rmm-head-nominal", ("tf-rmm-head-doefail6", "tf-rmm-head-errors", "tf-rmm-head-corrupt5")
GOOD_RUNS = 15
"""Good runs before each that fails."""
_GAP_US = 10_000
"""Between two runs."""
_FIRST_US = 1_000_000 * 1_000_000
"""Time of the first call: the seconds have seven digits for the next hundred days."""


@dataclass
class Call:
    """A recorded call: ``at`` and ``took`` in us from the start of its run, registers, and the rows that the RMM printed."""

    at: int
    took: int
    x: list[int]
    r: list[int]
    log: str


@dataclass
class Layout:
    """Bytes, and where in them stand times (us from the start) and addresses; ``calls`` and ``span_us`` of all of it."""

    data: bytearray = field(default_factory=bytearray)
    stamps: list[tuple[int, int]] = field(default_factory=list)
    addresses: list[tuple[int, int]] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)
    """The same in binary files: where ns stand, in us."""
    words: list[tuple[int, int]] = field(default_factory=list)
    """And addresses of eight bytes."""
    calls: int = 0
    span_us: int = 0
    pages: int = 0
    """By how many pages the addresses of what follows are above the recorded ones; in the end those of a copy, above the last."""

    def text(self, text: str) -> None:
        """Append text as it stands."""
        self.data += text.encode()

    def stamp(self, us: int) -> None:
        """Append a time in seconds, ``1000000.000000``."""
        self.stamps.append((len(self.data), us))
        self.data += b"0000000.000000"

    def stamp64(self, us: int) -> None:
        """Append a time in ns, of eight bytes."""
        self.times.append((len(self.data), us))
        self.data += bytes(8)

    def value64(self, value: int, run: Run) -> None:
        """Append a register of eight bytes."""
        if run.holds(value):
            self.words.append((len(self.data), value + (self.pages << 12)))
        self.data += struct.pack("<Q", value)

    def value(self, value: int, run: Run, digits: str = "0x%x") -> None:
        """Append a register; one that is an address of the run is another one in every copy."""
        text = digits % value
        if run.holds(value):
            self.addresses.append((len(self.data) + len(text) - 12, value + (self.pages << 12)))
        self.data += text.encode()


class Run:
    """The calls of one recorded run."""

    def __init__(self, name: str) -> None:
        packed = lzma.LZMADecompressor().decompress((CAPTURES / "rmm" / f"{name}.calls.jsonl.xz").read_bytes())
        rows: list[dict[str, Any]] = [json.loads(line) for line in packed.splitlines()]
        first = round(rows[0]["t"] * 1e6)
        self.calls = [
            Call(
                round(row["t"] * 1e6) - first,
                max(round(row["dur_us"]), 1),
                [int(v, 16) for v in row["in"]],
                [int(v, 16) for v in row["out"]],
                row["log"],
            )
            for row in rows
        ]
        self.span_us = self.calls[-1].at + self.calls[-1].took + _GAP_US
        at = {v for c in self.calls for v in (*c.x[1:], *c.r[1:]) if v >> 40 in (0x7F, 0x55)}
        areas = {v >> 32: [w for w in at if w >> 32 == v >> 32] for v in at}
        self._areas = {k: (min(a), max(a)) for k, a in areas.items()}
        self.pages = max(high - low >> 12 for low, high in self._areas.values()) + 2

    def holds(self, value: int) -> bool:
        """Whether a register is an address of this run: in the memory of the process that ran the RMM, of twelve digits."""
        low, high = self._areas.get(value >> 32, (1, 0))
        return low <= value <= high


def runs() -> Iterator[Run]:
    """The runs of one round: good ones, then one that fails, until each of those had its turn."""
    good = Run(GOOD)
    for name in BAD:
        yield from [good] * GOOD_RUNS
        yield Run(name)


def write(out: BinaryIO, layout: Layout, calls: int) -> int:
    """Write a layout until there are so many calls (the last copy is whole); returns how many there are."""
    data = np.frombuffer(layout.data, dtype=np.uint8).copy()
    stamps, addresses, times, words = map(_columns, (layout.stamps, layout.addresses, layout.times, layout.words))
    hexadecimal = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    written = copy = 0
    while written < calls:
        later, above = _FIRST_US + copy * layout.span_us, copy * layout.pages << 12
        now = stamps[1] + later
        for digit in range(13, -1, -1):
            if digit == 7:
                continue
            now, rest = np.divmod(now, 10)
            data[stamps[0] + digit] = rest + 48
        page = (addresses[1] + above) >> 12
        for digit in range(8, -1, -1):
            data[addresses[0] + digit] = hexadecimal[page & 15]
            page >>= 4
        for place, value in ((times[0], (times[1] + later) * 1000), (words[0], words[1] + above)):
            for byte in range(8):
                data[place + byte] = value >> 8 * byte & 255
        out.write(data.data)
        written += layout.calls
        copy += 1
    return written


def _columns(spots: list[tuple[int, int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Byte offsets, and what stands there."""
    both = np.array(spots, dtype=np.int64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


def _layout(render: Callable[[Layout, Run, Call, int], int]) -> Layout:
    """One round of runs, each call as ``render`` writes it; it returns how many calls that were."""
    layout = Layout()
    for run in runs():
        for call in run.calls:
            layout.calls += render(layout, run, call, layout.span_us)
        layout.span_us += run.span_us
        layout.pages += run.pages
    return layout


_LINE = re.compile(r"^(\s*\S+\s+\[\d+\] \S+ *?)\s+\d+\.\d{6}(: smc_(?:enter|exit): \([^)]*\) )")


def ftrace_text(path: Path, calls: int) -> int:
    """A tracefs trace of two probes as in captures/ftrace/pdev-connect.trace.txt; returns the number of calls."""
    lines = (CAPTURES / "ftrace" / "pdev-connect.trace.txt").read_text().splitlines(keepends=True)
    header = [line for line in lines if line.startswith("#")]
    before = {m[2].split(":")[1].strip(): m for line in lines if (m := _LINE.match(line))}

    def render(layout: Layout, run: Run, call: Call, start: int) -> int:
        for kind, us, regs, most in (("enter", call.at, call.x, 8), ("exit", call.at + call.took, call.r, 4)):
            head = before[f"smc_{kind}"]
            layout.text(head[1] + " ")
            layout.stamp(start + us)
            layout.text(head[2])
            for i, v in enumerate(regs[:most]):
                layout.text(f" a{i}=" if i else "a0=")
                layout.value(v, run)
            layout.text("\n")
        return 1

    layout = _layout(render)
    total = -(-calls // layout.calls) * layout.calls
    with path.open("wb") as out:
        out.write(re.sub(r"\d+/\d+", f"{2 * total}/{2 * total}", "".join(header), count=1).encode())
        return write(out, layout, calls)


def rmm_console(path: Path, calls: int) -> int:
    """What the RMM printed; calls that it does not print are left out. Returns the number of rows."""
    word = re.compile(r"[0-9a-f]{12}(?![0-9a-f])")

    def render(layout: Layout, run: Run, call: Call, start: int) -> int:
        at = 0
        for m in word.finditer(call.log):
            layout.text(call.log[at : m.start()])
            layout.value(int(m[0], 16), run, "%012x")
            at = m.end()
        layout.text(call.log[at:])
        return call.log.count("SMC_RMI_") + call.log.count("SMC_RSI_")

    layout = _layout(render)
    with path.open("wb") as out:
        return write(out, layout, calls)


def qemu_log(path: Path, calls: int) -> int:
    """A log with the calls of the runs as QEMU 11 traces them, between the other lines of captures/qemu/trace-log.txt (device
    configuration, SMMU, timers), ten of those before each run; returns the number of calls."""
    others = [line for line in (CAPTURES / "qemu" / "trace-log.txt").read_text().splitlines() if line[:14] != "arm_psci_call "]
    before: list[Run] = []

    def render(layout: Layout, run: Run, call: Call, start: int) -> int:
        if call is run.calls[0]:
            for line in range(10 * len(before), 10 * len(before) + 10):
                layout.text("4242@")
                layout.stamp(start)
                layout.text(f":{others[line % len(others)]}\n")
            before.append(run)
        layout.text("4242@")
        layout.stamp(start + call.at)
        layout.text(":arm_psci_call PSCI Call")
        for i, v in enumerate(call.x[:4]):
            layout.text(f" x{i}=")
            layout.value(v, run, "0x%016x")
        layout.text(" cpuid=0x0\n")
        return 1

    layout = _layout(render)
    with path.open("wb") as out:
        return write(out, layout, calls)


def qemu_simple(path: Path, calls: int) -> int:
    """The same calls in the file of QEMU's simple trace backend; returns the number of calls."""
    call_id, other_id = 6, 7
    head = struct.pack("<3Q", (1 << 64) - 1, 0xF2B177CB0AA429B4, 4)
    for number, name in ((call_id, b"arm_psci_call"), (other_id, b"pci_cfg_read")):
        head += struct.pack("<QQI", 0, number, len(name)) + name

    def render(layout: Layout, run: Run, call: Call, start: int) -> int:
        for number, words in ((other_id, [0, 0, 0, 0, call.at]), (call_id, [*call.x[:4], 0])):
            layout.data += struct.pack("<QQ", 1, number)
            layout.stamp64(start + call.at)
            layout.data += struct.pack("<II", 64, 4242)
            for word in words:
                layout.value64(word, run)
        return 1

    layout = _layout(render)
    with path.open("wb") as out:
        out.write(head)
        return write(out, layout, calls)


def perf_data(path: Path, calls: int) -> int:
    """A perf.data of two probes; returns the number of calls."""
    from tests.rmitrace.formats import perf_data_build as build

    function, caller = 0xFFFF80008002BF38, 0xFFFF800078EA00C8

    def render(layout: Layout, run: Run, call: Call, start: int) -> int:
        for ident, us, places, regs, most in (
            (build.ENTER, call.at, (function,), call.x, 8),
            (build.EXIT, call.at + call.took, (function, caller), call.r, 4),
        ):
            regs = (regs + [0] * most)[:most]
            at = len(layout.data)
            layout.data += build.sample(ident, 142, 0, 0, places, tuple(regs))
            layout.times.append((at + 32, start + us))
            first = at + 8 + 40 + 4 + 8 + 8 * len(places)  # head, ids and time, length of the raw data, its common fields
            layout.words += [(first + 8 * i, v + (layout.pages << 12)) for i, v in enumerate(regs) if run.holds(v)]
        return 1

    layout = _layout(render)
    copies = -(-calls // layout.calls)
    comm = build.comm(142, b"python3")
    size = len(comm) + copies * len(layout.data)
    # what stands in front and behind, with the places and lengths that such a size makes
    empty = build.perf_data(b"")
    at_data, tracing = struct.unpack_from("<Q", empty, 40)[0], build.tracing_data()
    front = bytearray(empty[:at_data])
    struct.pack_into("<Q", front, 48, size)
    with path.open("wb") as out:
        out.write(front + comm)
        done = write(out, layout, calls)
        out.write(struct.pack("<QQ", at_data + size + 16, len(tracing)) + tracing)
    return done


def _trace_dat_layout() -> tuple[Any, Layout]:
    """The file that captures/trace-dat/repeated.dat is, and one round of runs as pages of a CPU for its two probes."""
    from rmitrace.formats.trace_dat_file import read_file
    from tests.rmitrace.formats import trace_dat_build as build

    data = (CAPTURES / "trace-dat" / "repeated.dat").read_bytes()
    file = read_file(data, 0, len(data))
    (area,) = file.rings[0].areas
    probes: dict[int, tuple[Any, ...]] = {}  # by the type of the event: its pid and the places that it names
    recorded, at = bytes(file.unpacked[area.offset : area.offset + 4096]), 16
    while len(probes) < 2:
        words = struct.unpack_from("<I", recorded, at)[0] & 31
        kind, _, _, pid = struct.unpack_from("<HBBi", recorded, at + 4)
        probes.setdefault(kind, (pid, *struct.unpack_from("<2Q", recorded, at + 12)))
        at += 4 + 4 * words
    enter, exit_ = (next(k for k in probes if f"name: {n}\nID: {k}\n".encode() in b"".join(file.formats)) for n in _PROBES)
    layout, page = Layout(), bytearray()
    last, addresses = 0, list[tuple[int, int]]()

    def flush() -> None:
        nonlocal page, addresses
        if page:
            struct.pack_into("<Q", page, 8, len(page) - 16)
            layout.words += [(len(layout.data) + a, v) for a, v in addresses]
            layout.data += page + bytes(4096 - len(page))
        page, addresses = bytearray(), []

    def event(run: Run, us: int, kind: int, places: tuple[int, ...], regs: list[int]) -> None:
        nonlocal page, last
        payload = build.record(kind, probes[kind][0], *places, *regs)
        if len(page) + 4 + len(payload) > 4096 or us - last >= 1 << 17:  # 27 bits of ns
            flush()
        if not page:
            page = bytearray(16)
            layout.times.append((len(layout.data), us))
            last = us
        first = len(page) + 4 + 8 + 8 * len(places)
        addresses.extend((first + 8 * i, v + (layout.pages << 12)) for i, v in enumerate(regs) if run.holds(v))
        page += build.event(payload, (us - last) * 1000)
        last = us

    for run in runs():
        for call in run.calls:
            at = layout.span_us + call.at
            event(run, at, enter, probes[enter][1:2], (call.x + [0] * 8)[:8])
            results = [call.x[0], *(call.r + [0] * 4)[:4]]  # the function id stands before the results
            event(run, at + call.took, exit_, probes[exit_][1:3], results)
            layout.calls += 1
        layout.span_us += run.span_us
        layout.pages += run.pages
    flush()
    return file, layout


_PROBES = ("smc12_enter", "smc12_exit")


def trace_dat(path: Path, calls: int, compression: str | None = "zstd") -> int:
    """A trace.dat of two probes: of version 7, compressed, or of version 6, which never is; returns the number of calls."""
    from tests.rmitrace.formats import trace_dat_build as build

    file, layout = _trace_dat_layout()
    texts = [t.decode() for t in file.formats]
    trace = build.Trace(texts, {0: b""}, kallsyms=file.kallsyms, printk=file.printk, cmdlines=file.cmdlines)
    if compression is not None:
        pages = io.BytesIO()
        done = write(pages, layout, calls)
        trace.cpus[0] = pages.getvalue()  # shares the memory
        path.write_bytes(build.v7(trace, compression))
        return done
    head = build.v6(trace)
    with path.open("wb") as out:
        out.write(head)
        done = write(out, layout, calls)
        size = out.tell() - len(head)
        out.seek(head.index(b"flyrecord\0") + len(b"flyrecord\0"))
        out.write(struct.pack("<QQ", len(head), size))
    return done
