"""Opening a big ftrace text again: with the index that the first time left, and without.

    python benchmarks/reopen.py [--calls N] [--capture FILE]

Each figure is a process of its own, from its start to its end, and the best of three; what is read is in the page cache.
``first`` reads and leaves the index, ``again`` uses it, ``--no-cache`` does neither.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
OPEN = """
import sys
from rmitrace.capture import OpenOptions, open_capture
open_capture(sys.argv[2:], OpenOptions(cache=sys.argv[1] == "1"))
"""
RUN = "import sys; from rmitrace.cli import run; run(sys.argv[1:])"


def seconds(code: str, *args: str, lines: int = 0) -> float:
    """Time of a process, to its end or until it has written so many lines."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    if lines:
        for _ in range(lines):
            process.stdout.readline()
    else:
        process.communicate()
    taken = time.perf_counter() - began
    if lines:
        process.kill()
        process.stdout.close()
        process.wait()
    return taken


def best(code: str, *args: str, lines: int = 0) -> float:
    """The best of three."""
    return min(seconds(code, *args, lines=lines) for _ in range(3))


def main() -> None:
    """Make the capture, open it in each way, print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=3_000_000, help="3000000 are about 1 GB")
    parser.add_argument("--capture", type=Path, help="open this one instead")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        os.environ["PYTHONPATH"] = str(ROOT)
        path = args.capture or Path(folder) / "trace.txt"
        if args.capture is None:
            from benchmarks._generate import ftrace_text

            ftrace_text(path, args.calls)
            time.sleep(1)  # a file that was just written has no index
        size = path.stat().st_size
        start = best("import rmitrace.capture.opening")
        without = seconds(OPEN, "0", str(path))
        first = seconds(OPEN, "1", str(path))
        again = best(OPEN, "1", str(path))
        kept = sum(p.stat().st_size for p in (Path(folder) / "cache" / "rmitrace").iterdir())
        print(f"capture {size / 1e6:,.0f} MB, index {kept / 1e6:,.0f} MB ({100 * kept / size:.0f} %); start alone {start:.2f} s")
        print(f"{'open, --no-cache':<34} {without:7.2f} s")
        print(f"{'open, first (leaves an index)':<34} {first:7.2f} s  {first / without:6.2f} x")
        print(f"{'open, again':<34} {again:7.2f} s  1/{without / again:.0f}")
        for name, command, lines in (
            ("decode, first 20 lines", ["decode"], 20),
            ("decode --failed, first 20 lines", ["decode", "--failed"], 20),
            ("decode --where, first 20 lines", ["decode", "--where", "r0 <> 0 AND name LIKE 'RMI_%'"], 20),
            ("stats", ["stats"], 0),
            ("view as text, first 20 lines", ["view"], 20),
        ):
            slow = seconds(RUN, *command, "--no-cache", str(path), lines=lines)
            seconds(RUN, *command, str(path), lines=0 if lines == 0 or name.startswith("view") else lines)
            fast = best(RUN, *command, str(path), lines=lines)
            print(f"{name:<34} {slow:7.2f} s without, {fast:.2f} s with the index  1/{slow / fast:.0f}", flush=True)


if __name__ == "__main__":
    main()
