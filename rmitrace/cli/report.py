"""``rmitrace report``: one file to attach to a bug, or Markdown to paste into it."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Any

from . import common, output

_KINDS = "addresses, keys, nonces, measurements, serials, hosts, paths, tasks"


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "report",
        help="write a report to attach to a bug",
        description="Write what went wrong as one HTML file that needs nothing else, or as Markdown to paste into a mail or an "
        "issue: the failing call and why, a picture of the sequence, all findings, the revisions with their evidence, the calls "
        "around the failure decoded and as recorded, and the files. Keys, nonces, measurements, serial numbers, host names and "
        "folders are redacted; the end of the report says what was.",
        epilog=common.example_text(
            ("rmitrace report trace.txt uart.log -o report.html", "host and firmware side of one run"),
            ("rmitrace report --redact addresses trace.txt -o report.html", "addresses become names, too"),
            ("rmitrace report --format markdown trace.txt", "to paste"),
            ("rmitrace report --redact no-hosts,no-paths trace.txt -o r.html", "for the office next door"),
        ),
    )
    common.add_capture_options(p)
    what = p.add_argument_group("the report")
    what.add_argument("-o", "--output", metavar="FILE", default="-", help="where it is written (default: standard output)")
    what.add_argument(
        "--format",
        choices=("html", "markdown"),
        help="default: markdown for a FILE that ends in .md, else html",
    )
    what.add_argument(
        "--redact",
        action="append",
        default=[],
        metavar="WHAT[,WHAT...]",
        help=f"more that is replaced by names ({_KINDS}; all); no-WHAT leaves something as it is, none everything. "
        "Default: all but addresses and tasks",
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the report."""
    from .. import report

    try:
        kinds = report.kinds_of(args.redact)
    except ValueError as e:
        raise common.UserError(f"--redact {e}") from e
    form = args.format or ("markdown" if args.output.lower().endswith((".md", ".markdown")) else "html")
    if output.is_one_of(args.output, args.capture):
        raise common.UserError(f"-o {args.output}: is a file of the capture")
    capture = common.open_args(args)
    text = io.StringIO()  # a file is written only when there is all of it
    report.write(capture, text, form, report.Redactor(kinds))
    if args.output == "-":
        sys.stdout.write(text.getvalue())
    else:
        data = text.getvalue().encode("utf-8", "backslashreplace")
        output.replace(Path(args.output), lambda out: out.write(data))
    return common.exit_status(capture, None)
