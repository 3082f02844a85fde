"""What the readers are held against: programs that are installed, and the script of twenty lines that people write.

Of each the command line that reads a file of a kind once, and the part of the file that it read. Regular expressions over a
file of gigabytes would take hours: they get its first lines, and their rate is what counts.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LINES = """
import re, sys
field, lines = re.compile(r"(\\w+)=(0x[0-9a-f]+|-?\\d+)"), 0
{}
with open(sys.argv[1], errors="replace") as file:
    for line in file:
        lines += 1
{}
        if lines >= int(sys.argv[2]):
            break
print(lines)
"""
FTRACE = _LINES.format(
    r"""line_of = re.compile(r"^\s*(.*?)-(\d+)\s+\[(\d+)\] \S+\s+([\d.]+): (\w+): \([^)]*\)(.*)$")""",
    """        if m := line_of.match(line):
            _ = m[1], int(m[2]), int(m[3]), float(m[4]), m[5], {k: int(v, 0) for k, v in field.findall(m[6])}""",
)
FTRACE_CALLS = _LINES.format(
    r"""line_of = re.compile(r"^\s*(.*?)-(\d+)\s+\[(\d+)\] \S+\s+([\d.]+): (\w+): \([^)]*\)(.*)$")
calls, open_ = [], {}""",
    """        if m := line_of.match(line):
            task, pid, cpu, at, event = m[1], int(m[2]), int(m[3]), float(m[4]), m[5]
            regs = {k: int(v, 0) for k, v in field.findall(m[6])}
            if event.endswith("_enter"):
                open_.setdefault(pid, []).append((task, cpu, at, regs))
            elif open_.get(pid):
                task, cpu, began, x = open_[pid].pop()
                calls.append((began, at - began, cpu, pid, task, x, regs))""",
)
"""The same, and an entry with its exit becomes a call."""
CONSOLE = _LINES.format(
    r"""row = re.compile(r"SMC_(R[MS]I_\w+)\s+((?:[0-9a-f]+ )*)> (\w+)((?: [0-9a-f]+)*)")""",
    """        if m := row.search(line):
            _ = m[1], [int(v, 16) for v in m[2].split()], m[3], [int(v, 16) for v in m[4].split()]""",
)
QEMU = _LINES.format(
    r"""line_of = re.compile(r"^\d+@([\d.]+):(arm_psci_call) PSCI Call(.*)$")""",
    """        if m := line_of.match(line):
            _ = float(m[1]), m[2], {k: int(v, 0) for k, v in field.findall(m[3])}""",
)
SIMPLE = """
import struct, sys
limit, events = int(sys.argv[2]), 0
with open(sys.argv[1], "rb") as file:
    file.read(24)
    while events < limit and len(kind := file.read(8)) == 8:
        if kind == b"\\0" * 8:
            ident, size = struct.unpack("<QI", file.read(12))
            name = file.read(size)
        else:
            ident, ns, size, pid = struct.unpack("<QQII", file.read(24))
            _ = struct.unpack(f"<{(size - 24) // 8}Q", file.read(size - 24))
            events += 1
print(events)
"""
"""As scripts/simpletrace.py of QEMU reads it: record by record with struct."""


@dataclass(frozen=True, slots=True)
class Peer:
    """``said``: it writes onto stdout how many units it read; else it reads all of them."""

    name: str
    command: list[str]
    said: bool = False


def script(what: str, path: Path, limit: int, name: str = "Python re") -> Peer:
    """A loop of Python over the first lines."""
    return Peer(name, [sys.executable, "-c", what, str(path), str(limit)], said=True)


def trace_cmd(path: Path) -> list[Peer]:
    """trace-cmd, where it is installed."""
    found = shutil.which("trace-cmd")
    return [Peer("trace-cmd report", [found, "report", "-i", str(path)])] if found else []


def perf(path: Path) -> list[Peer]:
    """perf, where it is installed."""
    found = shutil.which("perf")
    return [Peer("perf script", [found, "script", "-i", str(path)])] if found else []


def lnav(path: Path, folder: Path, kind: str) -> list[Peer]:
    """lnav, where it is installed: it indexes all lines and counts the events of each kind."""
    found = shutil.which("lnav")
    if not found or kind not in _LNAV:
        return []
    place = folder / "lnav" / "formats" / "bench" / f"{kind}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({f"bench_{kind}": _LNAV[kind]}))
    query = f";SELECT event, count(*), max(log_time) FROM bench_{kind} GROUP BY event"
    return [Peer("lnav -n", [found, "-n", "-I", str(folder / "lnav"), "-c", query, "-c", ":write-csv-to -", str(path)])]


def _format(title: str, pattern: str, sample: str, **times: Any) -> dict[str, Any]:
    return {
        "title": title,
        "description": title,
        "regex": {"line": {"pattern": pattern}},
        "timestamp-field": "timestamp",
        "timestamp-format": ["%s.%f"],
        "body-field": "body",
        "value": {"event": {"kind": "string"}},
        "sample": [{"line": sample}],
        **times,
    }


_LNAV = {
    "ftrace": _format(
        "tracefs text",
        r"^\s*(?<comm>.*?)-(?<pid>\d+)\s+\[(?<cpu>\d+)\] (?<flags>\S+)\s+(?<timestamp>\d+\.\d+): (?<event>\w+): (?<body>.*)$",
        "         python3-142     [000] d.... 1000000.000000: smc_enter: (f+0x0/0x80) a0=0xc4000150",
    ),
    "qemu": _format(
        "QEMU trace log",
        r"^\d+@(?<timestamp>\d+\.\d+):(?<event>\w+) (?<body>.*)$",
        "4242@1000000.000000:arm_psci_call PSCI Call x0=0x00000000c4000150",
    ),
}
"""Consoles of an RMM have no times, and lnav no lines without one."""
