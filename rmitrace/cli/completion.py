"""``rmitrace completion``: a completion script for the shell."""

from __future__ import annotations

import argparse
from typing import Any

from . import common

SHELLS = ("bash", "zsh", "tcsh")


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "completion",
        help="print a completion script for the shell",
        description="Print a completion script for the shell.",
        epilog=common.example_text(
            ("rmitrace completion bash > ~/.local/share/bash-completion/completions/rmitrace", "bash"),
            ("rmitrace completion zsh > ~/.zfunc/_rmitrace", "zsh, where ~/.zfunc is in fpath"),
            ("rmitrace completion tcsh > ~/.rmitrace.tcsh", "tcsh, then source it in ~/.tcshrc"),
        ),
    )
    p.add_argument("shell", choices=SHELLS, help="which shell")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from . import parser

    top = parser()
    for p in _all_parsers(top):
        for action in p._actions:
            if action.metavar == "CAPTURE":
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(top, shell=args.shell))
    return 0


def _all_parsers(top: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    found = [top]
    for p in found:
        for action in p._actions:
            if isinstance(action, argparse._SubParsersAction):
                found.extend(action.choices.values())
    return found
