"""``rmitrace view``: the timeline on a terminal, or the same sequences as text where stdout is none."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from typing import Any

from . import common


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "view",
        help="show the timeline of a capture on the terminal",
        description="Show a capture on the terminal: the timeline of its objects, the list of sequences and calls, the decoded "
        "tree of the selected call and its bytes. Where stdout is no terminal, the sequences are printed as text.",
        epilog=common.example_text(
            ("rmitrace view trace.txt", "a host ftrace"),
            ("rmitrace view trace.txt uart.log", "host and firmware side of one run"),
            ("rmitrace view uart.log | less", "the sequences as text"),
            ("rmitrace view -f /sys/kernel/tracing/trace_pipe", "as it happens"),
        )
        + "\n\nPress ? inside for the keys.",
    )
    common.add_capture_options(p)
    p.add_argument("--text", action="store_true", help="print the sequences as text even on a terminal")
    common.add_follow(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start the TUI, or print the timeline."""
    common.check_paths(args.capture)
    if args.text or not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return _as_text(args)
    from .. import tui

    if args.follow:
        from ..capture.follow.live import Live

        live = Live(args.capture, common.open_options(args))
        if "-" in args.capture or sys.stdin is None or not sys.stdin.isatty():
            _take_terminal()
        return tui.run_following(live)
    if "-" not in args.capture and sys.stdin is not None and sys.stdin.isatty():
        return tui.run(args.capture, common.open_options(args))
    with tempfile.TemporaryDirectory(prefix="rmitrace-") as folder:
        paths = [_spool(folder) if p == "-" else p for p in args.capture]
        _take_terminal()
        return tui.run(paths, common.open_options(args))


def _as_text(args: argparse.Namespace) -> int:
    from ..export import timeline

    if args.follow:
        from . import following

        capture = following.to_the_end(args)
    else:
        capture = common.open_args(args)
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    timeline.write(capture, sys.stdout, width)
    return common.exit_status(capture, None)


def _spool(folder: str) -> str:
    """Standard input as a file: the viewer reads a capture twice, a preview and the whole."""
    path = os.path.join(folder, "standard input")
    with open(path, "wb") as out:
        shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
    return path


def _take_terminal() -> None:
    """Make the terminal standard input again, for the keys."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as e:
        raise common.UserError(f"no terminal to read keys from: {e.strerror}; use --text") from e
    os.dup2(terminal, 0)
    os.close(terminal)
