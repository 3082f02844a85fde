"""``rmitrace export``: a capture as a file for other tools."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..display import safe
from . import choosing, common, output
from .common import INTERRUPTED
from .writing import Writing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..capture import Capture

FORMATS = ("perfetto", "pcapng", "pcap", "parquet", "json", "csv")
TABLES = ("calls", "messages", "sequences", "states", "findings")


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "export",
        help="write a capture as a file for Perfetto, Wireshark, data frames, ...",
        description="Write a capture, or what is chosen of it, as a file for other tools. perfetto: for ui.perfetto.dev and "
        "trace_processor, calls by CPU, sequences, states, messages and findings by object (needs the extra rmitrace[perfetto]). "
        "pcapng, pcap: the protocol messages as DOE objects and MCTP packets, for Wireshark and spdm_dump. parquet: one of the "
        "tables of docs/query.md, for polars, pandas and DuckDB. json, csv: as decode prints them.",
        epilog=common.example_text(
            ("rmitrace export --to perfetto -o connect.pftrace trace.txt uart.log", "for ui.perfetto.dev"),
            ("rmitrace export --to pcap -o spdm.pcap trace.txt", "the SPDM of a host trace, for spdm_dump"),
            ("rmitrace export --to parquet --failed -o failed.parquet trace.dat", "the calls that failed"),
            ("rmitrace export --to parquet --table messages -o messages.parquet trace.txt", "another table"),
        ),
    )
    common.add_capture_options(p)
    choosing.add_options(p, ("--until",))  # --to says the format
    p.add_argument("--to", required=True, choices=FORMATS, help="the format")
    p.add_argument("-o", "--output", required=True, metavar="FILE", help="the file; - is standard output")
    p.add_argument("--table", choices=TABLES, default="calls", help="which table (parquet; default: calls)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the file; on a failure there is none, and one that was there before is as it was."""
    if args.table != "calls" and args.to != "parquet":
        raise common.UserError("--table is for --to parquet")
    if args.table != "calls" and choosing.chooses(args):
        raise common.UserError("calls are chosen; --table calls holds them")
    if args.to == "parquet" and args.output == "-":
        raise common.UserError("parquet needs a file: -o FILE")
    if output.is_one_of(args.output, args.capture):
        raise common.UserError(f"-o {args.output}: that is the capture")
    capture = common.open_args(args)
    seqs = choosing.select(capture, args)
    writing = Writing(0 if args.to in ("pcap", "pcapng") or args.table != "calls" else len(seqs))

    def write(out: IO[bytes]) -> None:
        writing.out = out
        _WRITERS[args.to](capture, seqs, args, out, writing)

    if args.to == "parquet":
        import polars  # noqa: F401 - it takes Ctrl-C for itself when it is imported: what listens has to come behind it

    with writing.listening():
        if args.output == "-":
            sys.stdout.flush()
            with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
                write(out)
        else:
            output.replace(Path(args.output), write)
    if writing.stopped:
        what = "what was written" if args.output == "-" else args.output
        print(f"rmitrace: stopped: {safe(what)} has the first {writing.done:,} of {len(seqs):,} calls", file=sys.stderr)
        return INTERRUPTED
    return 3 if capture.damaged else 0


def _perfetto(capture: Capture, seqs: npt.NDArray[np.int64], args: argparse.Namespace, out: IO[bytes], writing: Writing) -> None:
    from ..capture.records import NO_TIME
    from ..export import perfetto

    if not (capture.calls.ts[:] != NO_TIME).any():
        raise common.UserError("this capture has no times, and Perfetto shows nothing without")
    try:
        perfetto.write(capture, writing.each(seqs), out, lambda: not writing.stopped)
    except ImportError as e:
        raise common.UserError(f"--to perfetto: {e}; pip install 'rmitrace[perfetto]'") from e


def _packets(capture: Capture, seqs: npt.NDArray[np.int64], args: argparse.Namespace, out: IO[bytes], writing: Writing) -> None:
    from ..export import packets

    messages = capture.conversations.decode()
    if choosing.chooses(args):
        chosen = set(seqs.tolist())
        messages = [m for m in messages if m.place.call in chosen]
    write = packets.write_pcap if args.to == "pcap" else packets.write_pcapng
    try:
        written = write(capture, messages, out)
    except ValueError as e:
        raise common.UserError(str(e)) from e
    if not written:
        raise common.UserError("no bytes of protocol messages in what was chosen")


def _parquet(capture: Capture, seqs: npt.NDArray[np.int64], args: argparse.Namespace, out: IO[bytes], writing: Writing) -> None:
    from ..export import parquet

    with ThreadPoolExecutor(1) as apart:  # Polars does not listen to Ctrl-C
        apart.submit(parquet.write, capture, seqs, args.table, out, writing.going).result()


def _text(capture: Capture, seqs: npt.NDArray[np.int64], args: argparse.Namespace, out: IO[bytes], writing: Writing) -> None:
    import io

    from ..export import csv, jsonl

    text = io.TextIOWrapper(out, "utf-8", "backslashreplace", newline="")
    if args.to == "json":
        jsonl.write(capture, writing.each(seqs), text, lambda: not writing.stopped)
    else:
        csv.write(capture, writing.each(seqs), text)
    text.flush()
    text.detach()


_WRITERS = {"perfetto": _perfetto, "pcapng": _packets, "pcap": _packets, "parquet": _parquet, "json": _text, "csv": _text}
