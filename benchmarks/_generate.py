"""Captures of any length for the benchmarks: recorded runs written again and again, later and at other addresses.

The calls are those of captures/rmm (what TF-RMM was asked and answered), the shape of the lines that of the other shipped
captures; only times and addresses are new. A run is laid out once as bytes with the places of its times and addresses, and
every copy overwrites those: the digits are as many in all copies.
"""

from __future__ import annotations

import json
import lzma
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

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
    spots, us = (np.array(c, dtype=np.int64) for c in zip(*layout.stamps, strict=True)) if layout.stamps else (None, None)
    places, values = (
        (np.array(c, dtype=np.int64) for c in zip(*layout.addresses, strict=True)) if layout.addresses else (None, None)
    )
    hexadecimal = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    written = copy = 0
    while written < calls:
        if spots is not None:
            now = us + (_FIRST_US + copy * layout.span_us)
            for digit in range(13, -1, -1):
                if digit == 7:
                    continue
                now, rest = np.divmod(now, 10)
                data[spots + digit] = rest + 48
        if places is not None:
            page = (values + (copy * layout.pages << 12)) >> 12
            for digit in range(8, -1, -1):
                data[places + digit] = hexadecimal[page & 15]
                page >>= 4
        out.write(data.data)
        written += layout.calls
        copy += 1
    return written


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


def qemu_log(path: Path, lines: int) -> int:
    """The trace-event lines of captures/qemu/trace-log.txt again and again; returns the number of lines."""
    text = (CAPTURES / "qemu" / "trace-log.txt").read_bytes()
    count = text.count(b"\n")
    with path.open("wb") as out:
        for _ in range(-(-lines // count)):
            out.write(text)
    return -(-lines // count) * count


def trace_dat_pages(events: int) -> tuple[Any, bytes]:
    """The file that captures/trace-dat/repeated.dat is, and its pages again and again, later, until there are so many events."""
    from rmitrace.formats.trace_dat_file import read_file

    data = (CAPTURES / "trace-dat" / "repeated.dat").read_bytes()
    file = read_file(data, 0, len(data))
    (area,) = file.rings[0].areas
    pages = bytearray(file.unpacked[area.offset : area.offset + area.size])
    copies = -(-events // 2120)
    first = struct.unpack_from("<Q", pages)[0]
    span = struct.unpack_from("<Q", pages, len(pages) - 4096)[0] - first + 10_000_000
    table = np.tile(np.frombuffer(pages, dtype="<u8").reshape(1, -1, 512), (copies, 1, 1))
    table[:, :, 0] += (np.arange(copies, dtype=np.uint64) * np.uint64(span))[:, None]
    return file, table.tobytes()


def trace_dat(folder: Path, events: int, compressions: Iterable[str] = ("zstd", "none")) -> list[Path]:
    """A trace.dat for each compression, ``<compression>.dat``."""
    from tests.rmitrace.formats import trace_dat_build as build

    file, pages = trace_dat_pages(events)
    trace = build.Trace(
        [t.decode() for t in file.formats], {1: pages}, kallsyms=file.kallsyms, printk=file.printk, cmdlines=file.cmdlines
    )
    paths = []
    for compression in compressions:
        paths.append(folder / f"{compression}.dat")
        paths[-1].write_bytes(build.v7(trace, compression))
    return paths
