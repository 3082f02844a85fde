"""``rmitrace explain``: what one value, one call, one structure or one message means."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from ..display import safe
from . import common

if TYPE_CHECKING:
    from decoders.tree import Node

MAX_INPUT = 64 << 20
"""Bytes of standard input."""


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "explain",
        help="say what a function id, a status word, registers, a structure or a message means",
        description="Say what one thing means: a function id or a name; the registers of a call; with --command what a command "
        "returned; with --as the bytes of a structure; with --spdm those of an SPDM message, a DOE object or a secured "
        "message. Bytes are hex in any form: with 0x, commas, as a C array, as hexdump or xxd print them. - is standard "
        "input; text that is none of these is read as a capture.",
        epilog=common.example_text(
            ("rmitrace explain 0xc4000175", "a function id"),
            ("rmitrace explain 0xc4000178 0x88001000 = 0 3", "the registers of a call, and what it returned"),
            ("rmitrace explain 0x10d 0 0x50 --command RMI_PDEV_CREATE --abi 2.0-bet3", "what a command returned"),
            ("rmitrace explain --as RmiPdevParams --abi bet3 - <page.txt", "a structure from a hex dump"),
            ("rmitrace explain --spdm '10 84 00 00'", "an SPDM message"),
            ("rmitrace explain --spdm - <libspdm.log", "a pasted log, each message in its context"),
            ("rmitrace explain - <report.txt", "a pasted report"),
        ),
    )
    p.add_argument("value", nargs="+", metavar="VALUE", help="numbers, a name, or hex; - is standard input")
    p.add_argument("--abi", metavar="REV", help="revision of DEN0137; the newest that knows it where none is given")
    what = p.add_mutually_exclusive_group()
    what.add_argument(
        "--command", dest="returned_by", metavar="NAME", help="the values are x0, x1, ... as this command returned them"
    )
    what.add_argument("--as", dest="struct", metavar="STRUCT", help="the value is this structure: RmiPdevParams")
    what.add_argument("--spdm", action="store_true", help="the value is an SPDM message, DOE object or secured message")
    p.add_argument("-f", "--format", choices=("text", "json"), default="text", help="indented text (default) or JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what the values mean."""
    revision = common.revision(args.abi)
    if args.returned_by:
        return _show([_result(args.returned_by, args.value, revision)], args.format)
    text = _input() if args.value == ["-"] else " ".join(args.value)
    if args.struct:
        return _show([_structure(args.struct, text, revision)], args.format)
    if args.spdm:
        return _messages(text, args.format)
    if args.value == ["-"]:
        return _report(text)
    return _value(args, revision)


def _input() -> str:
    common.check_paths(["-"])
    data = sys.stdin.buffer.read(MAX_INPUT + 1)
    if len(data) > MAX_INPUT:
        raise common.UserError(f"standard input has more than {MAX_INPUT >> 20} MiB; open it as a capture")
    return data.decode("utf-8", "surrogateescape")


def _show(trees: list[Node], form: str) -> int:
    from ..export.tree import tree_lines

    if form == "json":
        for tree in trees:
            print(json.dumps(tree.to_json()))
        return 0
    for tree in trees:
        head = f"{tree.name}: {tree.text}" if tree.text else tree.name
        note = f"  ! {tree.note}" if tree.note else ""
        sys.stdout.write(safe(head + note) + "\n")
        sys.stdout.writelines(line + "\n" for line in tree_lines(tree, "  "))
    return 0


def _number(word: str) -> int:
    try:
        value = int(word.rstrip(",;"), 0)
    except ValueError:
        raise common.UserError(f"{word}: not a number (hexadecimal begins with 0x)") from None
    if not -(1 << 63) <= value < 1 << 64:
        raise common.UserError(f"{word}: more than 64 bits")
    return value & 0xFFFFFFFFFFFFFFFF


# a value, or the registers of a call


def _value(args: argparse.Namespace, revision: str | None) -> int:
    words = [w for v in args.value for w in v.replace("=", " = ").replace(">", " = ").split()]
    if len(words) == 1:
        return _word(words[0], args.format, revision)
    if "=" in words:
        at = words.index("=")
        x, r = words[:at], words[at + 1 :]
        if not x or not r or "=" in r:
            raise common.UserError("want registers in, =, registers out: 0xc4000178 0x88001000 = 0 3")
    else:
        x, r = words, []
    return _show([_call([_number(w) for w in x], [_number(w) for w in r] or None, revision)], args.format)


def _word(word: str, form: str, revision: str | None) -> int:
    from decoders import smccc

    from . import abi_show

    lines: list[str] = []
    tree = None
    try:
        value = int(word, 0)
    except ValueError:
        value = None
    if value is not None and 1 << 31 <= value < 1 << 32:
        tree = smccc.decode_fid(value)
    elif value is not None:
        raise common.UserError(f"{word}: not a function id; with --command NAME it is what that command returned in x0")
    try:
        lines = abi_show.explain(word, revision)
    except LookupError as e:
        if tree is None:
            raise common.UserError(str(e).strip("'\"")) from None
    if form == "json":
        print(json.dumps({"value": word, "function_id": tree.to_json() if tree is not None else None, "lines": lines}))
        return 0
    if tree is not None:
        fields = ", ".join(c.text for c in tree.children if c.name in ("fast", "smc64", "owner"))
        function = tree.child("function")
        said = f"{word}: {fields}, function {function.text if function is not None else '?'}"
        hint = tree.child("sve_hint")
        if hint is not None and hint.value:
            said += f", {hint.text}"
        sys.stdout.write(safe(said) + "\n")
        if not lines:
            sys.stdout.write(safe(f"  {tree.text}") + "\n")
    sys.stdout.writelines(safe(line) + "\n" for line in lines)
    return 0


def _call(x: list[int], r: list[int] | None, revision: str | None) -> Node:
    import decoders

    known = revision or next((v for v in reversed(decoders.REVISIONS) if decoders.name_of(x[0], v)[0]), decoders.REVISIONS[-1])
    return decoders.decode_call(x, r, revision=known)


def _result(name: str, words: list[str], revision: str | None) -> Node:
    import decoders

    wanted = (revision,) if revision else tuple(reversed(decoders.REVISIONS))
    key: int | str = name
    with contextlib.suppress(ValueError):
        key = int(name, 0)
    found = next(((c, v) for v in wanted if (c := decoders.command(key, v)) is not None), None)
    if found is None:
        raise common.UserError(f"--command {name}: no such command; see `rmitrace abi list`")
    values = [_number(w) for v in words for w in v.split()]
    tree = decoders.decode_call([found[0].fid], values, revision=found[1])
    kept = tuple(c for c in tree.children if c.name != "args")
    return type(tree)(tree.name, tree.value, f"returned ({found[1]})", None, 0, kept)


# bytes


def _structure(name: str, text: str, revision: str | None) -> Node:
    import decoders

    wanted = (revision,) if revision else tuple(reversed(decoders.REVISIONS))
    data = _bytes(text)[0]
    for r in wanted:
        try:
            return decoders.decode_struct(name, data, revision=r)
        except LookupError:
            continue
    known = sorted({s for r in wanted for s in decoders.structs(r)})
    close = [s for s in known if name.lower() in s.lower()][:6] or known[:6]
    raise common.UserError(
        f"--as {name}: no such structure{f' in {revision}' if revision else ''}; there are {', '.join(close)}, ..."
    )


def _bytes(text: str) -> list[bytes]:
    from ..formats.hexlines import pasted_bytes

    try:
        return pasted_bytes(text)
    except ValueError as e:
        raise common.UserError(f"{e} (want the bytes as hex)") from None


def _messages(text: str, form: str) -> int:
    from ..formats.spdm_log import headings

    raw = text.encode("utf-8", "surrogateescape")
    if headings(raw):
        return _show(_log(raw), form)
    return _show([_message(_bytes(text))], form)


def _message(readings: list[bytes]) -> Node:
    """One message: as the order of bytes in which it is one, else as SPDM."""
    from decoders.doe import decode_doe
    from decoders.secured import decode_secured
    from decoders.spdm import Session, decode_spdm

    from ..formats.spdm_log import recognise

    for data in readings:
        found = recognise(data, True)
        if found is not None:
            if found.start:
                return decode_doe(data, session=Session())
            return decode_secured(data) if found.layers == ("SECURED",) else decode_spdm(data, session=Session())
    data = readings[0]
    return decode_doe(data, session=Session()) if data[:2] == b"\x01\0" else decode_spdm(data, session=Session())


def _log(raw: bytes) -> list[Node]:
    """The messages of a pasted log, each in the context of those before it."""
    from ..capture import OpenOptions, open_capture

    with tempfile.TemporaryDirectory(prefix="rmitrace-") as folder:
        path = os.path.join(folder, "pasted text")
        with open(path, "wb") as file:
            file.write(raw)
        capture = open_capture([path], OpenOptions(source_format="spdm-log"))
        return [m.tree for m in capture.conversations.decode() if m.tree is not None]


def _report(text: str) -> int:
    """Standard input as a capture: its calls and messages, and what is wrong."""
    from ..capture import CaptureError, open_capture
    from ..export import text as export

    raw = text.encode("utf-8", "surrogateescape")
    with tempfile.TemporaryDirectory(prefix="rmitrace-") as folder:
        path = os.path.join(folder, "standard input")
        with open(path, "wb") as file:
            file.write(raw)
        try:
            capture = open_capture([path])
        except CaptureError:
            raise common.UserError("no SMC traffic and no messages recognised; for bytes say --spdm or --as STRUCT") from None
        capture.sources[0].path = "standard input"
        export.write(capture, range(len(capture.calls)), sys.stdout)
    return 0
