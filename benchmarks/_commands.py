"""What users run, over one big ftrace text: time to the end or to the first lines, and memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from . import _generate
from ._measure import Failed, cost
from ._report import Row, Table

SOME = 100_000
WHERE = "r0 <> 0 AND name LIKE 'RMI_PDEV_%'"
COMMANDS: tuple[tuple[str, list[str] | None, int], ...] = (
    ("stats", ["stats"], 0),
    ("objects, states and sequences", None, 0),
    ("check", ["check"], 0),
    ("decode --failed", ["decode", "--failed"], 0),
    ("decode --where", ["decode", "--where", WHERE], 0),
    ("decode, the first 20 lines", ["decode"], 20),
    (f"decode, the first {SOME:,} lines", ["decode"], SOME),
    ("decode", ["decode"], 0),
    ("export --to csv", ["export", "--to", "csv", "-o", "-"], 0),
    ("export --to json", ["export", "--to", "json", "-o", "-"], 0),
    ("export --to parquet", ["export", "--to", "parquet", "-o", "/dev/null"], 0),
    ("export --to perfetto", ["export", "--to", "perfetto", "-o", "-"], 0),
    ("report", ["report", "-o", "-"], 0),
    ("diff of it with itself", ["diff", "{}"], 0),
)
"""Name, arguments (None: LIFECYCLE; {}: the capture, once more), the lines after which it is stopped, 0: at its end."""
LIFECYCLE = """
import sys
from rmitrace.capture import open_capture
capture = open_capture([sys.argv[1]])
print(len(capture.sequences), len(capture.states))
"""


def tables(calls: int, folder: Path, limit: float) -> Iterator[Table]:
    """One table; a command gets ``limit`` processor seconds. What is measured stands on stderr as it comes."""
    path, small = folder / "trace.txt", folder / "small.txt"
    made = _generate.ftrace_text(path, calls)
    _generate.ftrace_text(small, 1)
    table = Table(f"Commands: {made:,} calls in {path.stat().st_size / 1e6:,.0f} MB of ftrace text, no index", "")
    cost([sys.executable, "-c", LIFECYCLE, str(path)])  # compiles what is compiled once for every version
    for name, arguments, lines in COMMANDS:
        command = [sys.executable, "-c", LIFECYCLE]
        if arguments is not None:
            command = [sys.executable, "-m", "rmitrace", *arguments, "--no-cache"]
        start = cost([*(w.replace("{}", str(small)) for w in command), str(small)], lines=min(lines, 20)).own
        try:
            spent = cost([*(w.replace("{}", str(path)) for w in command), str(path)], limit=limit, lines=lines)
        except Failed as e:  # a diff of ten million calls is refused where the memory is not there
            print(f"{made:,} calls: {name}: {e}", file=sys.stderr, flush=True)
            continue
        table.rows.append(Row(name, made, spent, calls=made, start=start))
        print(f"{made:,} calls: {name}: {spent.processor:.2f} s, {spent.own / 1e6:.0f} MB", file=sys.stderr, flush=True)
    path.unlink()
    small.unlink()
    yield table
