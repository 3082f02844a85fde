"""``rmitrace diff``: two captures laid beside each other by call and step."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from . import common

if TYPE_CHECKING:
    from ..compare import Comparison

_CALL_NEEDS = 100
"""Bytes for a call of either side: what is compared of it, and the places of equal calls (measured)."""
KINDS = ("order", "status", "parameter", "output", "state", "memory", "message", "sequence", "time")


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "diff",
        help="compare two captures call by call",
        description="Compare two captures: their calls side by side, addresses taken for what they are (the first PDEV, its data "
        "page), the first difference that matters first. Differences in order, status, parameters, outputs, states, memory, "
        "messages and sequences count; times are told and do not count.",
        epilog=common.example_text(
            ("rmitrace diff good.txt bad.txt", "what went another way, and where first"),
            ("rmitrace diff --context 10 good.txt bad.txt", "with more calls around each difference"),
            ("rmitrace diff --ignore memory,message a.log b.log", "calls only"),
            ("rmitrace diff --view good.txt bad.txt", "side by side on the terminal"),
            ("rmitrace diff -q good.txt bad.txt || echo they differ", "in a script"),
        )
        + "\n\nexit status: 0 the same; 1 they differ; 2 wrong usage or unreadable input",
    )
    p.add_argument("a", metavar="A", help="a capture; - is standard input; .gz, .xz and .zst are unpacked")
    p.add_argument("b", metavar="B", help="another")
    p.add_argument(
        "--with-a", action="append", default=[], metavar="FILE", help="one more file of the run that A is of; may be repeated"
    )
    p.add_argument(
        "--with-b", action="append", default=[], metavar="FILE", help="one more file of the run that B is of; may be repeated"
    )
    common.add_reading_options(p)
    what = p.add_argument_group("what is compared and shown")
    what.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="KIND,...",
        help=f"differences that do not count: {', '.join(KINDS)}; may be repeated",
    )
    what.add_argument("--time", action="store_true", help="let differences in time count, too")
    what.add_argument("-U", "--context", type=int, default=2, metavar="N", help="calls shown around a difference (default: 2)")
    what.add_argument("--all", action="store_true", help="show every difference (default: the first 40)")
    what.add_argument("-q", "--quiet", action="store_true", help="print nothing, only end with the status")
    what.add_argument("--format", choices=("text", "json"), default="text", help="text (default), or json (one document)")
    what.add_argument("--view", action="store_true", help="show both side by side on the terminal")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the comparison; 0 the same, 1 not."""
    from ..capture.freeing import need
    from ..compare import compare_captures
    from ..display import count

    if args.context < 0:
        raise common.UserError("--context: not a number of calls")
    ignored = _ignored(args)
    sides = [args.a, *args.with_a], [args.b, *args.with_b]
    common.check_paths([*sides[0], *sides[1]])
    a, b = (common.open_paths(paths, args) for paths in sides)
    need(_CALL_NEEDS * (len(a) + len(b)), f"comparing {count(len(a), 'call')} with {count(len(b), 'call')}")
    found = compare_captures(a, b, ignored)
    if not args.quiet:
        _show(args, found)
    return 0 if found.same else 1


def _ignored(args: argparse.Namespace) -> frozenset[str]:
    """The kinds of differences that do not count. Raises UserError for a word that is none."""
    words = [w.strip() for given in args.ignore for w in given.split(",") if w.strip()]
    known = {k: k for k in KINDS} | {k + "s": k for k in KINDS}
    for w in words:
        if w not in known:
            raise common.UserError(f"--ignore {w}: want one of {', '.join(KINDS)}")
    return frozenset((*(known[w] for w in words), *(() if args.time else ("time",))))


def _show(args: argparse.Namespace, found: Comparison) -> None:
    if args.view and sys.stdout.isatty():
        from ..tui.comparison import show_comparison

        show_comparison(found)
    elif args.format == "json":
        from ..export import comparison_json

        comparison_json.write(found, sys.stdout)
    else:
        from ..export import comparison_text

        comparison_text.write(found, sys.stdout, context=args.context, most=None if args.all else comparison_text.MOST)
