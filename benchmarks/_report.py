"""Results as Markdown: one table a section, and what they were measured with."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from ._measure import Cost

MODULES = ("numpy", "numba", "polars", "textual")
PROGRAMS = (("trace-cmd", ("trace-cmd", "--version")), ("perf", ("perf", "--version")), ("lnav", ("lnav", "--version")))


@dataclass(slots=True)
class Row:
    """A line of a table: what was run, how many units it did, and what that cost; ``base`` is the peer of the ratio."""

    what: str
    units: int
    cost: Cost
    size: int = 0
    """Bytes of the file that was read, 0 where the rate in bytes says nothing."""
    calls: int = 0
    """Calls that the memory is shared by, 0 for peers."""
    base: float | None = None
    """Processor seconds a unit of the peer."""
    clock: float | None = None
    """Seconds a unit of the peer by the clock."""
    start: int = 0
    """Memory of the same command with hardly any calls, bytes."""

    @property
    def each(self) -> float:
        """Processor seconds a unit."""
        return self.cost.processor / self.units


@dataclass(slots=True)
class Table:
    """A section."""

    title: str
    note: str
    unit: str = "calls"
    rows: list[Row] = field(default_factory=list)

    def text(self) -> str:
        """As Markdown."""
        rates = (f"{self.unit}/s", "MB/s", "ratio", "wall ratio")
        head = ("what", "cpu s", "wall s", *rates, "resident MB", "own MB", "bytes a call")
        cells = [head, ("---", *["---:"] * (len(head) - 1)), *(_cells(r) for r in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        widths = [max(w, 4) for w in widths]
        lines = []
        for row in cells:
            filled = (c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
            lines.append("| " + " | ".join(filled) + " |")
        lines[1] = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
        return "\n".join([f"### {self.title}", "", *([self.note, ""] if self.note else []), *lines, ""])


def _cells(r: Row) -> tuple[str, ...]:
    share = (r.cost.own - r.start) / r.calls if r.calls and r.start else None
    return (
        r.what,
        f"{r.cost.processor:.2f}" if r.cost.ended else f"> {r.cost.processor:.0f}",
        f"{r.cost.wall:.2f}" if r.cost.ended else "",
        f"{1 / r.each:,.0f}" if r.cost.ended else "",
        f"{r.size / r.cost.processor / 1e6:.0f}" if r.size and r.cost.ended else "",
        f"{r.base / r.each:.1f} x" if r.base and r.cost.ended else "",
        f"{r.clock * r.units / r.cost.wall:.1f} x" if r.clock and r.cost.ended else "",
        f"{r.cost.resident / 1e6:.0f}",
        f"{r.cost.own / 1e6:.0f}" if r.cost.own else "",
        f"{share:.0f}" if share is not None else "",
    )


def machine() -> list[str]:
    """Versions, and the shape of the machine."""
    cpu = _said("/proc/cpuinfo", "model name") or platform.machine()
    memory = int((_said("/proc/meminfo", "MemTotal") or "0").split()[0])
    versions = [f"Python {platform.python_version()}", *(f"{m} {metadata.version(m)}" for m in MODULES)]
    programs = [f"{name} {_version(command)}" for name, command in PROGRAMS if shutil.which(command[0])]
    return [
        f"- {os.cpu_count()} cores ({cpu}), {memory / 1e6:.0f} GB, Linux {platform.release().split('-')[0]}",
        f"- {', '.join(versions)}",
        f"- {', '.join(programs) or 'none of the other programs is installed'}",
    ]


def _said(path: str, name: str) -> str | None:
    """The value of the first line ``name: value`` of a file."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)


def _version(command: tuple[str, ...]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return next((w for w in said if w[:1].isdigit()), "?")
