"""``rmitrace explain``: what one value, one call, one structure or one message means."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from ..display import safe
from . import common, explain_value
from .explain_bytes import as_structure, messages, unnamed
from .explain_print import show, show_readings

if TYPE_CHECKING:
    from decoders.tree import Node

MAX_INPUT = 64 << 20
"""Bytes of a report."""
MAX_HEX = 1 << 20
"""Characters of a text that is tried as nothing but bytes."""
LEAST_BYTES = 4
_BEYOND_HEX = re.compile(r"[g-wyzG-WYZ]{2}")
"""Letters that no hex dump has, but for 0x and the column of characters."""


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "explain",
        help="say what a value, registers, a structure, a message or a pasted report means",
        description="Say what one thing means: a function id, a name, a status word, a feature register, flags, an ESR; the "
        "registers of a call; with --command what a command returned; with --as the bytes of a structure (--as any tries all of "
        "them); with --spdm those of an SPDM message, a DOE object or a secured message. Bytes are hex in any form: with 0x, "
        "commas, as a C array, as hexdump or xxd print them. - is standard input. A file, or text that is none of these, is "
        "read as a report: a mail, an issue, a log. What it asks is answered first, as far as its text allows.",
        epilog=common.example_text(
            ("rmitrace explain report.txt", "a mail, an issue or a log: what it asks, then its calls"),
            ("rmitrace explain 0xc4000175", "a function id"),
            ("rmitrace explain 0x104", "a number in each way in which it makes sense"),
            (
                "rmitrace explain ESR_EL2 0x96000006",
                "a syndrome; RmiFeatureRegister0, RmiPdevFlags, RmiPdevState, status likewise",
            ),
            ("rmitrace explain S3_3_C9_C14_0", "the name of a system register"),
            ("rmitrace explain 0xc4000178 0x88001000 = 0 3", "the registers of a call, and what it returned"),
            ("rmitrace explain x0=c4000178 x1=88001000", "the same from a register dump"),
            ("rmitrace explain 0x10d 0 0x50 --command RMI_PDEV_CREATE --abi 2.0-bet3", "what a command returned"),
            ("rmitrace explain --as RmiPdevParams --abi bet3 - <page.txt", "a structure from a hex dump"),
            ("rmitrace explain --as any - <page.txt", "every structure tried, the likeliest first"),
            ("rmitrace explain --spdm '10 84 00 00'", "an SPDM message"),
            ("rmitrace explain --spdm - <libspdm.log", "a pasted log, each message in its context"),
        ),
    )
    p.add_argument("value", nargs="+", metavar="VALUE", help="numbers, a name, hex, or a file; - is standard input")
    p.add_argument("--abi", metavar="REV", help="revision of DEN0137; the newest that knows it where none is given")
    what = p.add_mutually_exclusive_group()
    what.add_argument(
        "--command", dest="returned_by", metavar="NAME", help="the values are x0, x1, ... as this command returned them"
    )
    what.add_argument(
        "--as", dest="struct", metavar="TYPE", help="the value is this structure, flags or register: RmiPdevParams; any: try all"
    )
    what.add_argument("--spdm", action="store_true", help="the value is an SPDM message, DOE object or secured message")
    p.add_argument("-f", "--format", choices=("text", "json"), default="text", help="indented text (default) or JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what the values mean."""
    revision = common.revision(args.abi)
    if args.returned_by:
        return show([_result(args.returned_by, args.value, revision)], args.format)
    file = _file(args.value)
    raw = _input(file) if file is not None else None
    text = raw.decode("utf-8", "surrogateescape") if raw is not None else " ".join(args.value)
    if args.struct:
        return as_structure(args.struct, text, revision, args.format)
    if args.spdm:
        return messages(text, args.format)
    if raw is not None and file is not None:
        return _text(raw, text, file, revision, args.format)
    return _value(args, revision)


def _file(values: list[str]) -> str | None:
    """The file that is meant: '-' or one that is there; None for values."""
    if len(values) != 1:
        return None
    word = values[0]
    return word if word == "-" or (not explain_value.is_number(word) and os.path.isfile(word)) else None


def _input(path: str) -> bytes:
    common.check_paths([path])
    if path == "-":
        data = sys.stdin.buffer.read(MAX_INPUT + 1)
    else:
        with open(path, "rb") as file:
            data = file.read(MAX_INPUT + 1)
    if len(data) > MAX_INPUT:
        name = "standard input" if path == "-" else path
        raise common.UserError(f"{name} has more than {MAX_INPUT >> 20} MiB; open it as a capture: rmitrace decode")
    return data


# a value, or the registers of a call


def _value(args: argparse.Namespace, revision: str | None) -> int:
    text = " ".join(args.value)
    both = explain_value.registers(text)
    if both is not None:
        return show([explain_value.call(both[0], both[1] or None, revision)], args.format)
    words = [w for v in args.value for w in v.replace("=", " = ").replace(">", " = ").split()]
    if len(words) == 1:
        return show_readings(explain_value.single(words[0], revision), args.format, words[0])
    kind, rest = words[0].rstrip(":"), [w for w in words[1:] if w not in ("=", ":")]
    if not explain_value.is_number(kind) and len(rest) == 1 and explain_value.is_number(rest[0]):
        return show_readings(explain_value.named(kind, rest[0], revision), args.format, text)
    if "=" in words:
        at = words.index("=")
        x, r = words[:at], words[at + 1 :]
        if not x or not r or "=" in r:
            raise common.UserError("want registers in, =, registers out: 0xc4000178 0x88001000 = 0 3")
    else:
        x, r = words, []
    given = [explain_value.number(w) for w in x]
    got = [explain_value.number(w) for w in r]
    return show([explain_value.call([*given], [*got] or None, revision)], args.format)


def _result(name: str, words: list[str], revision: str | None) -> Node:
    import decoders

    wanted = (revision,) if revision else tuple(reversed(decoders.REVISIONS))
    key: int | str = name
    with contextlib.suppress(ValueError):
        key = int(name, 0)
    found = next(((c, v) for v in wanted if (c := decoders.command(key, v)) is not None), None)
    if found is None:
        raise common.UserError(f"--command {name}: no such command; see `rmitrace abi list`")
    values = [explain_value.number(w) for v in words for w in v.split()]
    tree = decoders.decode_call([found[0].fid], values, revision=found[1])
    kept = tuple(c for c in tree.children if c.name != "args")
    return type(tree)(tree.name, tree.value, f"returned ({found[1]})", None, 0, kept)


def _text(raw: bytes, text: str, path: str, revision: str | None, form: str) -> int:
    """A file or standard input that nothing is said of: bytes in hex, else a report."""
    bare = text.strip()
    if bare and len(bare) < MAX_HEX and not _BEYOND_HEX.search(bare) and not explain_value.is_number(bare):
        with contextlib.suppress(ValueError):
            from ..formats.pasted import pasted_bytes

            readings = pasted_bytes(text)
            if len(readings[0]) >= LEAST_BYTES:
                return unnamed(readings, revision, form)
    return _report(raw, path, revision, form)


def _report(raw: bytes, path: str, revision: str | None, form: str) -> int:
    """A pasted text: what it asks is answered, then its calls and messages are shown, and what is wrong."""
    from ..answers import answers
    from ..capture import CaptureError, OpenOptions, open_capture
    from ..export import answers as export_answers
    from ..export import jsonl
    from ..export import text as export

    name = "standard input" if path == "-" else os.path.basename(path)
    with tempfile.TemporaryDirectory(prefix="rmitrace-") as folder:
        copy = os.path.join(folder, "standard input")
        with open(copy, "wb") as file:
            file.write(raw)
        try:
            capture = open_capture([copy], OpenOptions(abi=revision) if revision else None)
        except CaptureError:
            capture = None
        found = answers(raw, capture)
        if capture is None and not found:
            raise common.UserError(
                "nothing of CCA recognised: no calls, no messages, no errors of it; for bytes say --spdm or --as STRUCT"
            )
        if capture is not None:
            capture.sources[0].path = "standard input" if path == "-" else path
        if form == "json":
            sys.stdout.writelines(json.dumps(export_answers.to_json(a)) + "\n" for a in found)
            if capture is not None:
                jsonl.write(capture, range(len(capture.calls)), sys.stdout)
            return 0
        if found:
            sys.stdout.write(safe(f"Answers to {name}") + "\n")
            export_answers.write(found, sys.stdout, common.text_width(sys.stdout) or export_answers.WIDTH)
        if capture is not None and (not found or len(capture.calls) or capture.conversations.decode()):
            sys.stdout.write("\nCalls\n" if found else "")
            export.write(capture, range(len(capture.calls)), sys.stdout, marks=True)
    return 0
