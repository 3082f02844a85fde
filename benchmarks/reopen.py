"""Opening a big ftrace text again: with the index that the first time left, and without.

    python benchmarks/reopen.py [--calls N] [--capture FILE]

Each figure is a process of its own, from its start to its end or to so many lines of what it writes; with the index the best of
three. What is read is in the page cache. ``first`` reads and leaves the index, ``again`` uses it, ``--no-cache`` does neither.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
OPEN = """
import sys
from rmitrace.capture import OpenOptions, open_capture
open_capture(sys.argv[2:], OpenOptions(cache=sys.argv[1] == "1"))
"""
VIEW = """
import asyncio, sys
from rmitrace.capture import OpenOptions
from rmitrace.tui.app import TimelineApp
from rmitrace.tui.reading import first_part
async def main():
    options = OpenOptions(cache=sys.argv[1] == "1")
    app = TimelineApp(first_part(sys.argv[2:], options), sys.argv[2:], options)
    async with app.run_test(size=(120, 40)) as pilot:
        while not (app.main.model.followed and app.main.model.capture.complete):
            await asyncio.sleep(0.002)
        await pilot.pause()
        print("all of it is on the screen", file=sys.__stdout__, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
"""The viewer, until the whole capture with its sequences is on the screen."""
COMMANDS = (
    ("stats", ["stats"], 0),
    ("decode, 20 lines", ["decode"], 20),
    ("decode --failed, 20 lines", ["decode", "--failed"], 20),
    ("decode --where, 20 lines", ["decode", "--where", "r0 <> 0 AND name LIKE 'RMI_%'"], 20),
    ("decode --format json, 20 lines", ["decode", "--format", "json"], 20),
    ("check, 20 lines", ["check"], 20),
    ("check, all of it", ["check"], 0),
)
LIMIT = 200.0
"""Seconds that a process gets."""
RUN = "import sys; from rmitrace.cli import run; run(sys.argv[1:])"


def seconds(code: str, *args: str, lines: int = 0) -> float:
    """Time of a process, to its end or until it has written so many lines; infinite where that took longer than LIMIT."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    over = threading.Timer(LIMIT, process.kill)
    over.start()
    with process.stdout as written:
        for i, _ in enumerate(written, 1):
            if i == lines:
                break
        taken = time.perf_counter() - began
        if lines:
            process.kill()
    process.wait()
    over.cancel()
    return taken if taken < LIMIT else float("inf")


def best(code: str, *args: str, lines: int = 0) -> float:
    """The best of three."""
    return min(seconds(code, *args, lines=lines) for _ in range(3))


def row(name: str, slow: float, fast: float) -> None:
    """Print a line as soon as it is known."""
    said = f"{slow:7.2f} s without" if slow < LIMIT else f" > {LIMIT:.0f} s without"
    print(f"{name:<34} {said}, {fast:.2f} s with the index  1/{slow / fast:.0f}", flush=True)


def main() -> None:
    """Make the capture, open it in each way, print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=3_000_000, help="3000000 are about 1 GB")
    parser.add_argument("--capture", type=Path, help="open this one instead")
    args = parser.parse_args()
    from benchmarks._measure import as_installed

    with tempfile.TemporaryDirectory() as folder:
        as_installed(Path(folder), ROOT)
        path = args.capture or Path(folder) / "trace.txt"
        if args.capture is None:
            from benchmarks._generate import ftrace_text

            ftrace_text(path, args.calls)
            time.sleep(1)  # a file that was just written has no index
        size = path.stat().st_size
        start = best("import rmitrace.capture.opening")
        seconds(OPEN, "0", str(path))  # compiles the kernels
        without = seconds(OPEN, "0", str(path))
        first = seconds(OPEN, "1", str(path))
        again = best(OPEN, "1", str(path))
        kept = sum(p.stat().st_size for p in (Path(folder) / "cache" / "rmitrace").iterdir())
        print(f"capture {size / 1e6:,.0f} MB, index {kept / 1e6:,.0f} MB ({100 * kept / size:.0f} %); start alone {start:.2f} s")
        print(f"{'open, --no-cache':<34} {without:7.2f} s")
        print(f"{'open, first (leaves an index)':<34} {first:7.2f} s  {first / without:6.2f} x")
        row("open, again", without, again)
        seconds(RUN, "check", str(path))  # leaves what it worked out
        for name, command, lines in COMMANDS:
            slow = seconds(RUN, *command, "--no-cache", str(path), lines=lines)
            row(name, slow, best(RUN, *command, str(path), lines=lines))
        row("view, all of it on the screen", seconds(VIEW, "0", str(path), lines=1), best(VIEW, "1", str(path), lines=1))


if __name__ == "__main__":
    main()
