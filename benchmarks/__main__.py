"""Everything, on captures of one, four and ten million calls that are made for it.

    python -m benchmarks [--calls N ...] [--only PART ...] [--keep FILE]

Each figure is a process of its own. Seconds are those of the processor with the start of the process, so that other work on
the machine does not count; the wall clock stands beside them. A ratio is how often as fast as the first program of its table.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import _commands, _readers, _report
from ._measure import as_installed
from ._report import Table

HERE = Path(__file__).parent
PARTS = ("readers", "commands", "reopen", "viewer", "messages")
COMPILE = """
from rmitrace.formats.kernel_build import build
def nothing(value): pass
build(nothing, (), ("q",))
"""
NOTES = """\
Made by `python -m benchmarks`. The captures are recorded runs of TF-RMM (`captures/rmm`) written again and again with later
times and other addresses (`benchmarks/_generate.py`); every format carries the same calls.

- **cpu s** are seconds of the processor in all threads, with the start of the process and of the interpreter; **wall s** is
  the clock. Rates and ratios are of the former: other work on the machine does not count.
- **ratio** is against the first program of the table, **wall ratio** the same by the clock: with both cores, of a peer that
  uses one. *The first time ever*: with the compiling of kernels, once for every version. Peers run up to {peers:,} calls;
  above that the ratios are against the rate that they had there. Readers run three times in turn, and the time that took the
  least of the processor counts; those that take more than 10 s run once.
- **resident MB** is the most that was in memory, pages of the mapped capture included; **own MB** what of it is of no file.
  **bytes a call** is *own* without what the same command takes for the shortest such capture (26218 calls), a call.
- Of a command that was stopped after {limit:.0f} processor seconds it says `>`.
"""


def main() -> None:
    """Run, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, nargs="+", default=[1_000_000, 4_000_000, 10_000_000], metavar="N")
    parser.add_argument("--only", nargs="+", default=[], choices=(*PARTS, *{k.format for k in _readers.KINDS}), metavar="PART",
                        help=f"of {', '.join(PARTS)}, or formats to read")  # fmt: skip
    parser.add_argument("--peers", type=int, default=1_000_000, metavar="N", help="captures up to which peers read them")
    parser.add_argument("--limit", type=float, default=300, metavar="SEC", help="processor seconds that a command gets")
    parser.add_argument("--keep", type=Path, help="write the result here (benchmarks/RESULTS.md)")
    args = parser.parse_args()
    sections = [f"# Results\n\n{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC\n"]
    sections.append("\n".join(_report.machine()) + "\n")
    sections.append(NOTES.format(peers=args.peers, limit=args.limit))
    print("\n".join(sections), flush=True)

    def add(text: str) -> None:
        sections.append(text)
        print(text, flush=True)
        if args.keep is not None:
            args.keep.write_text("\n".join(sections))

    for calls in sorted(args.calls):
        add(f"## {calls:,} calls\n")
        for text in _sections(calls, args):
            add(text)
    if not args.only or "messages" in args.only:
        add("## Messages\n")
        for text in _of_script(HERE / "spdm_messages.py"):
            add(text)


_BASES: _readers.Bases = {}


def _sections(calls: int, args: argparse.Namespace) -> Iterator[str]:
    def wanted(part: str) -> bool:
        return not args.only or part in args.only

    with tempfile.TemporaryDirectory(prefix="rmitrace-bench-") as name:
        folder = Path(name)
        as_installed(folder, HERE.parent)
        subprocess.run([sys.executable, "-c", COMPILE], check=True)  # bytecode of the compiler of kernels, too
        formats = set(args.only) - set(PARTS)
        if wanted("readers") or formats:
            yield from map(Table.text, _readers.tables(calls, folder, formats, args.peers, _BASES))
        if wanted("commands"):
            yield from map(Table.text, _commands.tables(calls, folder, args.limit))
        for part in ("reopen", "viewer"):
            if wanted(part) and (script := HERE / f"{part}.py").exists():
                yield f"### {part.capitalize()}\n"
                yield from _of_script(script, "--calls", str(calls))


def _of_script(script: Path, *arguments: str) -> Iterator[str]:
    """What a script of its own says, line by line as it says it."""
    yield "```text"
    with tempfile.TemporaryFile("w+") as problems:
        command = [sys.executable, str(script), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=problems, text=True) as run:
            assert run.stdout is not None
            yield from map(str.rstrip, run.stdout)
        problems.seek(0)
        if run.returncode:
            yield f"failed: {problems.read().strip()[-500:]}"
    yield "```\n"


if __name__ == "__main__":
    main()
