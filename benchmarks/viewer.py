"""The viewer over a long capture: time to the first screen, key to frame, filter, search, memory.

    python benchmarks/viewer.py [--calls N] [--capture FILE] [--keys N] [--json]

The first screen is timed in a pseudo terminal, from the start of the process; keys are pressed through Textual's Pilot in a
process of its own. A key's frame is the last one that Textual draws because of it. ``cpu`` is what the process (of a key: the
thread that draws) needed of the processor until then: other work on the machine does not count. Memory is what is of no file
(RssAnon), of the viewer and of the processes that follow, check and explain for it, now and at most, and at most of all at one
time; the mapped capture and its index are beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))


def quantiles(times: list[list[float]]) -> dict[str, float]:
    """p50, p95 and the most of the times to the frame, and p50 and p95 of the processor's, in ms."""
    wall, used = sorted(t[0] for t in times), sorted(t[1] for t in times)
    at = min(int(len(wall) * 0.95), len(wall) - 1)
    return {
        "p50": statistics.median(wall), "p95": wall[at], "most": wall[-1],
        "cpu p50": statistics.median(used), "cpu p95": used[at], "keys": len(wall),
    }  # fmt: skip


def _open(name: str, t: dict[str, float]) -> str:
    return f"{'first screen, ' + name:<36} {t['first']:7.2f} s wall {t['first_cpu']:7.2f} s cpu; q to the end {t['end']:.2f} s"


def _key(name: str, times: list[list[float]]) -> str:
    q = quantiles(times)
    return f"  {name:<34} {q['p50']:7.1f} {q['p95']:7.1f} {q['most']:7.1f} {q['cpu p50']:8.1f} {q['cpu p95']:8.1f}  {q['keys']}"


def _memory(name: str, own: float, files: float, helpers: float, *most: float) -> str:
    peaks = f"at most {most[0]:.0f}, {most[1]:.0f}, together {most[2]:.0f} MB"
    return f"memory, {name:<28} {own:7.0f} MB of no file, helpers {helpers:.0f} MB, {peaks}; of files {files:,.0f} MB"


def _took(seconds: float | None) -> str:
    return "too long, stopped" if seconds is None else f"{seconds:7.2f} s"


def _calls(count: int) -> str:
    columns = "".join(f"{c:>{w}}" for c, w in (("p50", 8), ("p95", 8), ("most", 8), ("cpu p50", 9), ("cpu p95", 9)))
    return f"{count:,} calls\n{'key to frame (ms)':<36}{columns}  keys"


def _filter(where: str, times: list[float | None], cpu: float, count: int) -> str:
    gap = " " if len(where) < 30 else "\n" + " " * 37
    return f"filter {where:<29}{gap}{_took(times[0])} {cpu:7.2f} s cpu, {_took(times[1]).strip()} again; {count:,} calls"


_SAY: dict[str, Callable[..., str]] = {
    "bytes": lambda n, size: f"{n / 1e6:,.0f} MB; screen {size}",
    "open": _open,
    "time": lambda name, s: f"{name + ', with an index':<36} {_took(s)} wall",
    "calls": _calls,
    "key": _key,
    "filter": _filter,
    "search": lambda text, s, cpu, how: f"search {text:<29} {_took(s)} {cpu:7.2f} s cpu  ({how})",
    "memory": _memory,
}


def main() -> None:
    """Make the capture, open it in each way, print as it goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--capture", type=Path, help="open this one instead")
    parser.add_argument("--keys", type=int, default=20, help="keys of each kind")
    parser.add_argument("--json", action="store_true", help="print one JSON array a result")
    parser.add_argument("--drive", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.drive:
        _drive(args.drive, args.keys)
    from benchmarks._measure import as_installed
    from benchmarks._terminal import COLUMNS, LINES, in_terminal

    def tell(*said: Any) -> None:
        print(json.dumps(said) if args.json else _SAY[said[0]](*said[1:]), flush=True)

    with tempfile.TemporaryDirectory(prefix="rmitrace-bench-") as folder:
        as_installed(Path(folder), ROOT)
        path = args.capture or Path(folder) / "trace.txt"
        if args.capture is None:
            from benchmarks._generate import ftrace_text

            ftrace_text(path, args.calls)
            time.sleep(1)  # a file that was just written has no index
        tell("bytes", path.stat().st_size, f"{COLUMNS}x{LINES}")
        in_terminal(path, after=0.5)  # modules are compiled, as in an installation
        tell("open", "without an index", in_terminal(path, after=0.5))
        make = "import sys; from rmitrace.capture.opening import *; open_capture(sys.argv[1:], OpenOptions(cache=True))"
        subprocess.run([sys.executable, "-c", make, str(path)], check=True)
        tell("open", "with an index", in_terminal(path, after=3))
        command = [sys.executable, __file__, "--drive", str(path), "--keys", str(args.keys)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driven:
            assert driven.stdout is not None
            for line in driven.stdout:
                tell(*json.loads(line))
    if driven.returncode:
        raise SystemExit(f"the viewer ended with {driven.returncode}")


def _drive(path: str, keys: int) -> None:
    """What the process with the Pilot does."""
    from benchmarks._pilot import drive
    from rmitrace.tui.memory import frugal

    sys.setswitchinterval(0.0005)  # as the viewer does
    frugal()
    asyncio.run(drive(path, keys, lambda *said: print(json.dumps(said), flush=True)))
    os._exit(0)  # what still works behind the screen is not waited for


if __name__ == "__main__":
    main()
