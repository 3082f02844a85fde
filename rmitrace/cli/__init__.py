"""The command line: one module a sub-command, each with ``add_parser(sub)`` and ``run(args) -> int``.

Only the modules' options are built at start; what a command works with (numpy, polars, Textual) is imported by its ``run``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import textwrap
from importlib import import_module
from typing import Any, NoReturn

from ..display import safe
from . import common
from .common import INTERRUPTED, UserError, example_text

COMMANDS = (
    "record", "view", "decode", "check", "diff", "report", "messages", "stats", "query", "export", "explain", "abi", "formats",
    "cache", "completion",
)  # fmt: skip
"""Sub-commands in the order of the help text; each is a module of this package."""

BROKEN_PIPE = 141
"""What a shell reports for a process that SIGPIPE ended."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Wraps descriptions and keeps the lines of examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return super()._fill_text(text, width, indent) if "\n" in text else textwrap.fill(text, width)


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", Help)
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Print the complaint and where help is, exit with status 2."""
        complain(f"{message} (see {self.prog} --help)")
        self.exit(2)


def parser() -> argparse.ArgumentParser:
    """The parser with every sub-command."""
    top = Parser(
        prog="rmitrace",
        description="Decode and show the SMC traffic between a Linux/KVM host and the Arm CCA Realm Management Monitor (RMM).",
        epilog=example_text(
            ("rmitrace view trace.txt", "the timeline of a host ftrace"),
            ("rmitrace decode uart.log", "every SMC in an RMM console log, one line each"),
            ("rmitrace decode --failed trace.txt uart.log", "what failed, host and firmware side of one run"),
            ("rmitrace check trace.txt uart.log", "what went wrong, and why"),
            ("rmitrace messages trace.txt", "the SPDM conversation with the device"),
            ("rmitrace diff good.txt bad.txt", "two runs side by side, the first difference that matters first"),
            ("rmitrace stats trace.txt", "calls, errors and latency per command"),
            ("rmitrace abi show PDEV_COMMUNICATE", "registers, results and failure conditions of a command"),
        )
        + "\n\nexit status: 0 done; 1 findings at or above --fail-on; 2 wrong usage or unreadable input;\n"
        "3 decoded, but the input was damaged",
    )
    top.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    sub = top.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name in COMMANDS:
        import_module(f".{name}", __package__).add_parser(sub)
    return top


def complain(message: str) -> None:
    """Say on stderr, in one line, what is wrong."""
    with contextlib.suppress(OSError):
        print(f"rmitrace: {safe(' '.join(message.split()))}", file=sys.stderr)


def run(argv: list[str]) -> int:
    """Run one command line; the exit status, never an exception."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a C locale must not end a listing
    try:
        status = _run(argv)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _forget_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except UserError as e:
        complain(str(e))
        return 2
    except OSError as e:
        complain(f"{e.filename}: {e.strerror}" if e.filename else str(e))
        return 2
    except MemoryError as e:
        complain(f"out of memory: {e}" if str(e) else "out of memory")
        return 2
    except Exception as e:
        if os.environ.get("RMITRACE_DEBUG"):
            raise
        if isinstance(e, ModuleNotFoundError) and e.name and e.name.partition(".")[0] not in ("rmitrace", "decoders"):
            # a target has only what `record` needs: the standard library
            complain(f"Python's package {e.name} is missing here: only record works without; open captures where it is installed")
            return 2
        complain(f"internal error: {type(e).__name__}: {e} (RMITRACE_DEBUG=1 shows where)")
        return 2
    finally:
        common.keep_learned()


def _run(argv: list[str]) -> int:
    from ..capture.errors import CaptureError

    top = parser()
    try:
        args = top.parse_args(argv)
    except SystemExit as e:  # argparse ends --help and its complaints this way
        return int(e.code or 0)
    if args.version:
        from .. import __version__

        print(f"rmitrace {__version__}")
        return 0
    if args.command is None:
        top.print_help()
        return 2
    try:
        status: int = args.run(args)
    except CaptureError as e:
        raise UserError(str(e)) from e
    return status


def _forget_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain again."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass
