"""``rmitrace abi``: what the ABI's revisions hold, and how they differ."""

from __future__ import annotations

import argparse
import json
from typing import Any

from . import common


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "abi",
        help="list, show and compare the ABI's revisions",
        description="What the revisions of the RMM ABI (Arm DEN0137) hold: commands with their registers, results and failure "
        "conditions, enumerations, bit fields, structures with offsets; and what differs between two of them.",
        epilog=common.example_text(
            ("rmitrace abi list", "the revisions"),
            ("rmitrace abi list --abi 2.0-bet3", "everything that one holds"),
            ("rmitrace abi show PDEV_COMMUNICATE", "a command, newest revision"),
            ("rmitrace abi show 0xc4000175 --abi 1.1-alp17", "by function id, in another revision"),
            ("rmitrace abi show RmiDevCommExit RmiPdevState", "a structure and an enumeration"),
            ("rmitrace abi of trace.txt uart.log", "what kernel and firmware speak"),
            ("rmitrace abi diff 1.1-alp17 2.0-bet1", "what a driver must change"),
            ("rmitrace abi diff alp17 bet3 pdev", "only what is named like pdev"),
        ),
    )
    actions = p.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser(
        "list", help="the revisions, or with --abi all names of one", description="List the revisions, or all names of one."
    )
    listing.add_argument("--abi", metavar="REV", help="list the commands and types of this revision")
    listing.set_defaults(run=run_list)
    show = actions.add_parser(
        "show",
        help="a command, status, enumeration, bit field or structure",
        description="Show what a name or function id means: a command of any SMC service, a status or other enumeration "
        "value, an enumeration, a bit field set or a structure. Upper or lower case, with or without RMI_ and Rmi.",
    )
    show.add_argument("name", nargs="+", metavar="NAME", help="name or function id")
    show.add_argument("--abi", metavar="REV", help="in this revision (default: the newest that has it)")
    show.set_defaults(run=run_show)
    spoken = actions.add_parser(
        "of",
        help="what kernel and firmware of a capture speak, and where they do not agree",
        description="Say which revision the kernel of a capture speaks and which its firmware, by group of commands, with the "
        "evidence; and where they differ, in which calls, structures, flags, states and statuses that bites. A host's trace and "
        "the log of another run's firmware are compared with each other.",
    )
    common.add_capture_options(spoken)
    spoken.add_argument("-f", "--format", choices=("text", "json"), default="text", help="text (default), or json (one document)")
    spoken.set_defaults(run=run_of)
    diff = actions.add_parser(
        "diff",
        help="what differs between two revisions",
        description="Explain a change of revision to the author of a driver or a firmware: commands added, gone, renamed, with "
        "other registers or statuses; function ids with another meaning; structures, bit fields and enumerations that moved; and "
        "what works in another way, with what a driver has to change and how a trace shows which one is spoken.",
    )
    diff.add_argument("old", metavar="A", help="a revision")
    diff.add_argument("new", metavar="B", help="another")
    diff.add_argument("name", nargs="?", metavar="NAME", help="only commands and types that have this in their name")
    diff.add_argument("-f", "--format", choices=("text", "json"), default="text", help="text (default), or json (one document)")
    diff.set_defaults(run=run_diff)


def run_list(args: argparse.Namespace) -> int:
    """Print the list."""
    from . import abi_show

    revision = common.revision(args.abi)
    for line in abi_show.contents(revision) if revision else abi_show.revisions():
        print(line)
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print each thing; status 2 where a name means nothing."""
    from . import abi_show

    revision = common.revision(args.abi)
    blocks = []
    for name in args.name:
        try:
            blocks.append("\n".join(abi_show.explain(name, revision)))
        except LookupError as e:
            raise common.UserError(str(e.args[0])) from e
    print("\n\n".join(blocks))
    return 0


def run_of(args: argparse.Namespace) -> int:
    """Print what each side speaks; status 1 where they differ."""
    from . import abi_of

    return abi_of.write(common.open_args(args), args.format)


def run_diff(args: argparse.Namespace) -> int:
    """Print the differences."""
    from . import abi_diff

    old, new = common.revision(args.old), common.revision(args.new)
    assert old is not None
    assert new is not None
    if args.format == "json":
        from . import abi_diff_json

        print(json.dumps(abi_diff_json.document(old, new, args.name or "")))
        return 0
    lines = list(abi_diff.differences(old, new, args.name or ""))
    named = f" named like {args.name}" if args.name else ""
    print("\n".join(lines) if lines else f"nothing{named} differs between {old} and {new}")
    return 0
