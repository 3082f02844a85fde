"""Reading trace.dat: events a second, and against ``trace-cmd report``, which prints the same file as text.

    python benchmarks/trace_dat.py [--events N] [--file FILE]

The file is made by repeating the pages of a shipped one with later times, compressed (zstd, as trace-cmd writes it) and not.
One run, one core; seconds are those of the processor, with the start of the process, so that other work on the machine does
not count. Without trace-cmd in the path the ratio is left out.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
SOURCE = ROOT / "captures" / "trace-dat" / "repeated.dat"
READ = """
import mmap, sys
sys.path.insert(0, sys.argv[1])
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.trace_dat import FORMAT
with open(sys.argv[2], "rb") as f:
    data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    print(len(FORMAT.read(data, 0, len(data), ReadOptions())), open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""
OPEN = """
import sys
sys.path.insert(0, sys.argv[1])
from rmitrace.capture import open_capture
print(len(open_capture([sys.argv[2]])), open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


def make(folder: Path, events: int) -> list[Path]:
    """Files of so many events: the same calls again and again, later."""
    from rmitrace.formats.trace_dat_file import read_file
    from tests.rmitrace.formats import trace_dat_build as build

    data = SOURCE.read_bytes()
    file = read_file(data, 0, len(data))
    (area,) = file.rings[0].areas
    pages = file.unpacked[area.offset : area.offset + area.size]
    first = struct.unpack_from("<Q", pages)[0]
    span = struct.unpack_from("<Q", pages, len(pages) - 4096)[0] - first + 10_000_000
    out = bytearray()
    for i in range(-(-events // 2120)):
        again = bytearray(pages)
        for at in range(0, len(again), 4096):
            struct.pack_into("<Q", again, at, struct.unpack_from("<Q", again, at)[0] + i * span)
        out += again
    trace = build.Trace(
        [t.decode() for t in file.formats], {1: bytes(out)}, kallsyms=file.kallsyms, printk=file.printk, cmdlines=file.cmdlines
    )
    paths = [folder / "zstd.dat", folder / "uncompressed.dat"]
    for path, compression in zip(paths, ("zstd", "none"), strict=True):
        path.write_bytes(build.v7(trace, compression))
    return paths


def run(*command: str) -> tuple[float, str]:
    """(processor seconds, what it printed) of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout[-100:].decode("utf-8", "replace")


def measure(path: Path) -> None:
    """Print the rates of one file."""
    seconds, said = run(sys.executable, "-c", READ, str(ROOT), str(path))
    events, peak = map(int, said.split())
    print(f"{path.name}: {events} events, {path.stat().st_size / 1e6:.0f} MB")
    base = None
    if trace_cmd := shutil.which("trace-cmd"):
        base, _ = run(trace_cmd, "report", "-i", str(path))
        print(f"  trace-cmd report       {base:6.2f} s  {events / base:>12,.0f} events/s    1.0 x")

    def show(name: str, seconds: float, peak: int) -> None:
        ratio = f"{base / seconds:5.1f} x" if base else "  (no trace-cmd to compare with)"
        print(f"  {name:<22} {seconds:6.2f} s  {events / seconds:>12,.0f} events/s  {ratio}  peak {peak / 1024:.0f} MB")

    show("records", seconds, peak)
    seconds, said = run(sys.executable, "-c", OPEN, str(ROOT), str(path))
    show("records, calls, checks", seconds, int(said.split()[1]))


def main() -> None:
    """Make the files, or take one, and read them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--file", type=Path, help="measure this trace.dat")
    args = parser.parse_args()
    if args.file is not None:
        return measure(args.file)
    with tempfile.TemporaryDirectory() as folder:
        for path in make(Path(folder), args.events):
            measure(path)


if __name__ == "__main__":
    main()
