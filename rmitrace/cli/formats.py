"""``rmitrace formats``: which captures can be read, and what a file was recognised as."""

from __future__ import annotations

import argparse
import inspect
from typing import Any

from ..display import safe
from . import common


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "formats",
        help="list what can be read and how it is recognised",
        description="List the capture formats and how each is recognised. A format is found by content, never by file name. "
        "With files, say how surely each format was found in them.",
        epilog=common.example_text(
            ("rmitrace formats", "what can be read"),
            ("rmitrace formats strange.log", "what this file is taken for"),
        ),
    )
    p.add_argument("capture", nargs="*", metavar="CAPTURE", help="files to recognise")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list, or the scores of each file."""
    from ..formats import registry

    if not args.capture:
        for f in registry.formats():
            print(f"{safe(f.name):<14}{safe(f.title)}")
            print(f"{'':<14}{safe(recognition(f))}")
        return 0
    from ..capture.source import open_source

    common.check_paths(args.capture)
    found = True
    for i, path in enumerate(args.capture):
        scores = registry.scores(open_source(path, i).data)
        known = [f"{f.name} {score:.2f}" for score, f in scores if score >= registry.ENOUGH]
        found = found and bool(known)
        print(f"{safe(path)}: {', '.join(known) or 'not recognised'}")
    return 0 if found else 2


def recognition(f: object) -> str:
    """How a format is recognised, from the documentation of its ``sniff`` ("How surely ...: by ...", "By ...")."""
    text = " ".join((inspect.getdoc(getattr(type(f), "sniff", None)) or "").split()).replace("``", "").rstrip(".")
    if text.startswith("By "):
        return f"recognised b{text[1:]}"
    if not text.startswith("How surely"):
        return text
    what, colon, how = text.removeprefix("How surely").strip().partition(": ")
    return f"recognised {how}" if colon or not what else f"recognised where {what}"
