"""What users run, over one big ftrace text: time to the end, and memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from . import _generate
from ._measure import cost
from ._report import Row, Table

COMMANDS = (
    ("stats", ["stats", "--no-cache"]),
    ("objects, states and sequences", None),
    ("check", ["check", "--no-cache"]),
    ("decode --failed", ["decode", "--no-cache", "--failed"]),
    ("decode --where", ["decode", "--no-cache", "--where", "r0 <> 0 AND name LIKE 'RMI_PDEV_%'"]),
    ("decode", ["decode", "--no-cache"]),
    ("decode --format csv", ["decode", "--no-cache", "--format", "csv"]),
    ("decode --format json", ["decode", "--no-cache", "--format", "json"]),
)
LIFECYCLE = """
import sys
from rmitrace.capture import open_capture
capture = open_capture([sys.argv[1]])
print(len(capture.objects().sequences))
"""


def tables(calls: int, folder: Path, limit: float) -> Iterator[Table]:
    """One table; a command gets ``limit`` processor seconds."""
    path, small = folder / "trace.txt", folder / "small.txt"
    made = _generate.ftrace_text(path, calls)
    _generate.ftrace_text(small, 1)
    table = Table(f"Commands: {made:,} calls in {path.stat().st_size / 1e6:,.0f} MB of ftrace text, no index", "")
    for name, arguments in COMMANDS:
        command = [sys.executable, "-c", LIFECYCLE] if arguments is None else [sys.executable, "-m", "rmitrace", *arguments]
        start = cost([*command, str(small)]).own
        table.rows.append(Row(name, made, cost([*command, str(path)], limit=limit), calls=made, start=start))
    path.unlink()
    small.unlink()
    yield table
