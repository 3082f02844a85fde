"""``rmitrace cache``: the indexes of big captures that are kept for the next time they are opened."""

from __future__ import annotations

import argparse
import time
from typing import Any

from ..display import safe
from . import common


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "cache",
        help="list or remove the indexes kept of big captures",
        description="What reading a big capture finds out is kept in $XDG_CACHE_HOME/rmitrace (~/.cache/rmitrace), so that it "
        "opens at once the next time. List what is kept: bytes, when it was last used, of which files. An index is used only "
        "while the files are as they were; --no-cache opens a capture without.",
        epilog=common.example_text(
            ("rmitrace cache", "what is kept, and how much"),
            ("rmitrace cache --clear", "remove all of it"),
        )
        + "\n\nRMITRACE_CACHE_LIMIT says how much is kept at most: 8G where it is not set, 0 for nothing. What was not used\n"
        "for the longest time goes first.",
    )
    p.add_argument("--clear", action="store_true", help="remove all indexes")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list, or remove the files."""
    from ..capture.index import folder, keeper

    if args.clear:
        count = sum(not e.path.endswith(keeper.LATER) for e in folder.entries())
        _, size = folder.clear()
        print(f"{count} index{'' if count == 1 else 'es'} removed, {_size(size)}")
        return 0
    found = folder.entries()
    print(f"{safe(folder.path())}: {_size(sum(e.size for e in found))} of {_size(folder.limit())}")
    for e in (e for e in found if not e.path.endswith(keeper.LATER)):
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(e.used))
        print(f"{_size(e.size):>10}  {when}  {safe(_files(e.key()))}")
    return 0


def _files(key: Any) -> str:
    """The files of an index, as its key names them."""
    try:
        return " ".join(str(f[0]) for f in key["files"])
    except (TypeError, LookupError):
        return "(cannot be read: it will be made anew)"


def _size(size: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"
