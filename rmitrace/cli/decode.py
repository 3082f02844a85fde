"""``rmitrace decode``: every SMC of a capture as text, JSON or CSV."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..display import safe
from . import choosing, common

if TYPE_CHECKING:
    from ..capture import Capture, Unrecognised

MODULES = {"text": "text", "json": "jsonl", "csv": "csv"}
"""Name of a ``--format`` and the module of rmitrace.export that writes it."""


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "decode",
        help="print every SMC decoded, as text, JSON or CSV",
        description="Print every SMC of a capture, arguments and results decoded: one line each, like strace, or JSON or CSV.",
        epilog=common.example_text(
            ("rmitrace decode trace.txt", "all of a host ftrace"),
            ("rmitrace decode --failed uart.log", "only what failed in an RMM console log"),
            ("ssh board cat /sys/kernel/tracing/trace | rmitrace decode -", "from a pipe"),
            ("rmitrace decode -f /sys/kernel/tracing/trace_pipe", "as it happens, until Ctrl-C"),
            ("rmitrace decode --object pdev:0x88001000 --from +1.5 trace.txt", "one device, from 1.5 s on"),
            ("rmitrace decode --where 'dur_us > 1000 AND x1 = 0x88001000' trace.txt", "SQL over the columns"),
            ("rmitrace decode --format json trace.txt | jq 'select(.type == \"finding\")'", "for other tools"),
            ("rmitrace decode --fail-on error trace.txt >/dev/null", "as a check in CI"),
        ),
    )
    common.add_capture_options(p)
    choosing.add_options(p)
    p.add_argument(
        "--format",
        choices=tuple(MODULES),
        default="text",
        help="text (default): one line a call; json: one object a line; csv",
    )
    common.add_follow(p)
    p.add_argument(
        "--why", action="store_true", help="below a call that failed, the conditions of its status (text; JSON has them)"
    )
    common.add_fail_on(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Decode the capture onto stdout."""
    if args.follow:
        from . import following

        return following.run(args)
    from ..capture import Unrecognised

    try:
        capture = common.open_args(args)
    except Unrecognised as e:
        if not _answered(e, args):
            raise
        return 0
    seqs = choosing.select(capture, args)
    writer = import_module(f"rmitrace.export.{MODULES[args.format]}")
    if args.format == "text":
        everything = len(seqs) == len(capture.calls)
        writer.write(capture, seqs, sys.stdout, marks=everything, summary=everything, why=args.why)
        if everything:
            _answer(capture)
    else:
        writer.write(capture, seqs, sys.stdout)
    return common.exit_status(capture, args.fail_on)


def _answer(capture: Capture) -> None:
    """What short texts among the sources ask, below their calls."""
    from ..answers import of_capture
    from ..export import answers

    found = of_capture(capture)
    for s in dict.fromkeys(s for s, _ in found):
        name = f" to {safe(capture.sources[s].name)}" if len(capture.sources) > 1 else ""
        sys.stdout.write(f"\nAnswers{name}\n")
        answers.write((a for t, a in found if t == s), sys.stdout, common.text_width(sys.stdout) or answers.WIDTH)


def _answered(e: Unrecognised, args: argparse.Namespace) -> bool:
    """Whether a text without calls asked something that can be answered: an errno, a register. Printed where so."""
    from ..answers import SHORT, answers
    from ..export import answers as export

    found = answers(bytes(e.data)) if len(args.capture) == 1 and len(e.data) <= SHORT else []
    if found and args.format == "json":
        sys.stdout.writelines(json.dumps(export.to_json(a)) + "\n" for a in found)
    elif found and args.format == "text":
        sys.stdout.write("Answers\n")
        export.write(found, sys.stdout, common.text_width(sys.stdout) or export.WIDTH)
    return bool(found) and args.format != "csv"
