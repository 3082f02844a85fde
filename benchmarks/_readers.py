"""From a file of each format to records and to calls, beside the peers that read the same file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import _generate, _peers
from ._measure import Cost, cost
from ._peers import Peer
from ._report import Row, Table

RECORDS = """
import mmap, sys
from rmitrace.formats.base import ReadOptions
from rmitrace.formats import registry
with open(sys.argv[2], "rb") as f:
    data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    print(len(registry.by_name(sys.argv[1]).read(data, 0, len(data), ReadOptions(path=sys.argv[2]))))
"""
CALLS = """
import sys
from rmitrace.capture import open_capture
print(len(open_capture([sys.argv[2]]).calls))
"""
SCRIPT_LINES = 200_000
"""What a loop of Python gets of a file."""
ROUNDS, LONG_S = 3, 10.0
"""How often programs read a file in turn; one that takes longer (s of the processor) reads it once."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A format, how a capture in it is made, what its units are and how many there are a call, and who else reads it."""

    name: str
    format: str
    file: str
    make: Callable[[Path, int], int]
    peers: Callable[[Path, Path], list[Peer]]
    unit: str = "lines"
    per_call: int = 1
    most: int = 1 << 60
    """Calls above which it is left out."""


Bases = dict[str, tuple[float, float]]
"""Seconds a unit, of the processor and by the clock, by the name of a kind."""

KINDS = (
    Kind(
        "ftrace text",
        "ftrace",
        "trace.txt",
        _generate.ftrace_text,
        lambda p, f: [
            _peers.script(_peers.FTRACE, p, SCRIPT_LINES),
            _peers.script(_peers.FTRACE_CALLS, p, SCRIPT_LINES, "Python re to calls"),
            *_peers.lnav(p, f, "ftrace"),
        ],
        per_call=2,
    ),
    Kind(
        "RMM console",
        "rmm-console",
        "uart.log",
        _generate.rmm_console,
        lambda p, _: [_peers.script(_peers.CONSOLE, p, SCRIPT_LINES)],
        unit="rows",
    ),
    Kind(
        "QEMU log",
        "qemu-log",
        "qemu.log",
        _generate.qemu_log,
        lambda p, f: [_peers.script(_peers.QEMU, p, SCRIPT_LINES), *_peers.lnav(p, f, "qemu")],
    ),
    Kind(
        "QEMU simple trace",
        "qemu-simple",
        "trace.simple",
        _generate.qemu_simple,
        lambda p, _: [_peers.script(_peers.SIMPLE, p, SCRIPT_LINES, "Python struct")],
        unit="events",
        per_call=2,
    ),
    Kind(
        "trace.dat, zstd (version 7)",
        "trace-dat",
        "zstd.dat",
        _generate.trace_dat,
        lambda p, _: _peers.trace_cmd(p),
        unit="events",
        per_call=2,
    ),
    Kind(
        "trace.dat, not compressed (version 6)",
        "trace-dat",
        "plain.dat",
        lambda p, n: _generate.trace_dat(p, n, None),
        lambda p, _: _peers.trace_cmd(p),
        unit="events",
        per_call=2,
    ),
    Kind(
        "perf.data (read through perf script)",
        "perf-data",
        "perf.data",
        _generate.perf_data,
        lambda p, _: _peers.perf(p),
        unit="samples",
        per_call=2,
        most=1_000_000,
    ),
)


def tables(calls: int, folder: Path, only: set[str], peers_up_to: int, bases: Bases) -> Iterator[Table]:
    """One a format; each capture is made, read and removed. ``bases``: what a unit costs the first peer of each format."""
    for kind in KINDS:
        if calls > kind.most or (only and kind.format not in only):
            continue
        path = folder / kind.file
        made = kind.make(path, calls)
        try:
            yield _table(kind, path, made, folder, calls <= peers_up_to, bases)
        finally:
            path.unlink()


def _table(kind: Kind, path: Path, made: int, folder: Path, with_peers: bool, bases: Bases) -> Table:
    size, units = path.stat().st_size, made * kind.per_call
    table = Table(f"{kind.name}: {made:,} calls, {size / 1e6:,.0f} MB", "", kind.unit)
    if kind.format == "qemu-log":
        units = _lines(path)
    small = folder / f"small-{kind.file}"
    few = kind.make(small, 1)
    try:
        # compiles what is compiled once for every version
        first = _run(CALLS, kind, path, made)
        starts = {code: _run(code, kind, small, few).own for code in (RECORDS, CALLS)}
    finally:
        small.unlink()
    peers = kind.peers(path, folder) if with_peers else []
    mine = (("records", RECORDS), ("calls", CALLS))
    least = _least(
        [
            *(partial(cost, peer.command, keep=peer.said) for peer in peers),
            *(partial(_run, code, kind, path, made) for _, code in mine),
        ]
    )
    for peer in peers:
        spent = next(least)
        read = int(spent.said) if peer.said else units
        name = f"{peer.name}, the first {read:,}" if read < units else peer.name
        table.rows.append(Row(name, read, spent, size * read // units))
        bases.setdefault(kind.name, (table.rows[-1].each, spent.wall / read))
    base, clock = bases.get(kind.name, (None, None))
    table.rows.append(Row("rmitrace: calls, the first time ever", units, first, size))
    table.rows += (Row(f"rmitrace: {name}", units, next(least), size, made, start=starts[code]) for name, code in mine)
    for row in table.rows:
        row.base, row.clock = base, clock
    return table


def _least(programs: list[Callable[[], Cost]]) -> Iterator[Cost]:
    """What each costs when least disturbed: of ROUNDS runs in turn, of one where that took long."""
    spent = [[run()] for run in programs]
    for _ in range(ROUNDS - 1):
        for run, some in zip(programs, spent, strict=True):
            if some[0].processor < LONG_S:
                some.append(run())
    return (min(some, key=lambda c: c.processor) for some in spent)


def _run(code: str, kind: Kind, path: Path, calls: int) -> Cost:
    spent = cost([sys.executable, "-c", code, kind.format, str(path)], keep=True)
    count = int(spent.said)
    if code is CALLS and count != calls:
        raise AssertionError(f"{kind.name}: {count} calls were read of {calls}")
    return spent


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 22), b""))
