"""Reading ftrace text: lines and bytes a second, and against a plain regular expression over every line.

    python benchmarks/ftrace_text.py [--lines N] [--keep FILE]

The capture is made by repeating the SMC lines of a shipped one with new times and addresses. One run, one core; the
regular expression is what a script of twenty lines would do: match the columns, find the registers, convert them.
"""

from __future__ import annotations

import argparse
import mmap
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
SOURCE = ROOT / "captures" / "ftrace" / "connect.trace.txt"
PLAIN = re.compile(r"^\s*(.*?)-(\d+)\s+\[(\d+)\] \S+\s+([\d.]+): (\w+): \([^)]*\)(.*)$")
FIELD = re.compile(r"(\w+)=(0x[0-9a-f]+|-?\d+)")


def make(path: Path, lines: int) -> None:
    """Write a capture of so many event lines: the same calls again and again, later and at other addresses."""
    text = SOURCE.read_text()
    header = [line for line in text.splitlines() if line.startswith("#")]
    events = [line for line in text.splitlines() if "smc_enter:" in line or "smc_exit:" in line]
    with path.open("w") as out:
        out.write("\n".join(header).replace("68/68", f"{lines}/{lines}") + "\n")
        for i in range(lines):
            line = events[i % len(events)]
            seconds, _, fraction = f"{600 + i * 0.000025:.6f}".partition(".")
            page = f"0x{0x40000000 + (i // len(events)) * 0x1000:x}"
            out.write(re.sub(r"\d+\.\d{6}:", f"{seconds:>5}.{fraction}:", line, count=1).replace("0x46e00000", page) + "\n")


def plain(path: Path, limit: int) -> tuple[int, float]:
    """(lines, seconds) of the plain loop over the first ``limit`` lines."""
    began, n = time.perf_counter(), 0
    with path.open(errors="replace") as file:
        for line in file:
            n += 1
            if match := PLAIN.match(line):
                _ = (match[1], int(match[2]), int(match[3]), float(match[4]), match[5])
                _ = {k: int(v, 0) for k, v in FIELD.findall(match[6])}
            if n >= limit:
                break
    return n, time.perf_counter() - began


def main() -> None:
    """Make the capture, read it three ways, print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--keep", type=Path, help="write the capture here and leave it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = args.keep or Path(folder) / "trace.txt"
        make(path, args.lines)
        size = path.stat().st_size
        print(f"{args.lines} event lines, {size / 1e6:.0f} MB")

        n, seconds = plain(path, min(args.lines, 200_000))
        base = n / seconds
        print(f"plain regular expression   {base:>12,.0f} lines/s  {size / args.lines * base / 1e6:6.1f} MB/s    1.0 x")

        from rmitrace.capture.records import COLUMNS
        from rmitrace.formats.base import ReadOptions
        from rmitrace.formats.ftrace import FORMAT

        for name in ("records, first (loads code)", "records, again"):
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                began = time.perf_counter()
                records = FORMAT.read(data, 0, len(data), ReadOptions())
                seconds = time.perf_counter() - began
            assert len(records) == args.lines, records.facts
            rate = args.lines / seconds
            print(f"{name:<26} {rate:>12,.0f} lines/s  {size / seconds / 1e6:6.1f} MB/s  {rate / base:5.1f} x")
        columns = sum(getattr(records, c).nbytes for c in (*COLUMNS, "regs"))
        del records

        from rmitrace.capture import OpenOptions, open_capture

        began = time.perf_counter()
        capture = open_capture([str(path)], OpenOptions())
        seconds = time.perf_counter() - began
        rate = args.lines / seconds
        print(f"{'paired into calls':<26} {rate:>12,.0f} lines/s  {size / seconds / 1e6:6.1f} MB/s  {rate / base:5.1f} x", end="")
        print(f"   {len(capture.calls)} calls")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"columns {columns / 1e6:.0f} MB, peak of the process {peak:.0f} MB (the mapped file included)")


if __name__ == "__main__":
    main()
