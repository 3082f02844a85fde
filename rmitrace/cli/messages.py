"""``rmitrace messages``: the protocol messages between host and device as a conversation."""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from . import common

if TYPE_CHECKING:
    from ..capture import Capture
    from ..capture.messages import Message


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "messages",
        help="print the SPDM, IDE_KM and TDISP messages of a capture as a conversation",
        description="Print the protocol messages between host and device, one line each: time, device, direction, name, "
        "what matters in it, time since the request, and the call it belongs to. Then the IDE keys of both link ends, "
        "certificate chains, and what is wrong.",
        epilog=common.example_text(
            ("rmitrace messages trace.txt", "a host trace with DOE probes"),
            ("rmitrace messages trace.txt uart.log doe.pcap", "three views of one run, joined"),
            ("rmitrace messages --keys session.keys doe.pcap", "with the secrets of its sessions"),
            ("rmitrace messages --tree --name ALGORITHMS doe.pcap", "all fields of some messages"),
            ("rmitrace messages --where \"error = 'Busy' OR rtt_us > 50000\" trace.txt", "what was put off, or took long"),
            ("rmitrace messages --format json doe.pcap | jq 'select(.name == \"ERROR\")'", "for other tools"),
        ),
    )
    common.add_capture_options(p)
    which = p.add_argument_group("which messages (all given conditions must hold)")
    which.add_argument("--device", metavar="OBJ", help="only the conversation with this device: pdev:0x88001000, or the address")
    which.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="only messages of this name: GET_VERSION, KEY_PROG, 'TDISP *'; may be repeated",
    )
    which.add_argument(
        "--where",
        metavar="SQL",
        help="SQL condition over the columns of messages in docs/query.md: \"vendor LIKE 'TDISP%%' AND rtt_us > 1000\"",
    )
    which.add_argument("--errors", action="store_true", help="only refusals and the requests that were refused")
    p.add_argument("-f", "--format", choices=("text", "json"), default="text", help="text (default), or one JSON object a line")
    p.add_argument("--tree", action="store_true", help="all fields of each message, chain and cached object")
    common.add_fail_on(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the messages."""
    from ..export import conversation, conversation_jsonl

    capture = common.open_args(args)
    capture.conversations.decode()
    chosen = choose(capture, args)
    everything = len(chosen) == len(capture.conversations.all)
    if args.format == "json":
        conversation_jsonl.write(capture, chosen, sys.stdout, all_=everything)
    else:
        conversation.write(capture, chosen, sys.stdout, trees=args.tree, all_=everything)
    return common.exit_status(capture, args.fail_on)


def choose(capture: Capture, args: argparse.Namespace) -> list[Message]:
    """The messages that the user chose, in order. Raises UserError."""
    from ..capture.messages.statistics import is_error

    chosen = capture.conversations.all
    if args.device:
        wanted = _device(args.device)
        chosen = [m for m in chosen if m.place.device == wanted or (m.place.device or "").endswith(f":{wanted}")]
    if args.name:
        patterns = [n.upper() for n in args.name]
        chosen = [m for m in chosen if any(fnmatchcase(n.upper(), p) for n in _names(m) for p in patterns)]
    if args.errors:
        chosen = [m for m in chosen if is_error(m) or (m.partner is not None and is_error(m.partner))]
    if args.where is not None:
        from ..query_messages import select

        try:
            chosen = select(capture, args.where, chosen)
        except ValueError as e:
            raise common.UserError(f"--where: {e}") from e
    return chosen


def _names(m: Message) -> list[str]:
    vendor = m.vendor or ""
    return [m.name, m.title, vendor, vendor.rpartition(" ")[2]]


def _device(text: str) -> str:
    kind, colon, address = text.rpartition(":")
    try:
        return f"{kind}{colon}0x{int(address, 16):x}"
    except ValueError:
        return text
