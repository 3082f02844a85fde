"""Bytes in hex for ``rmitrace explain``: a structure of the ABI, or messages."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import TYPE_CHECKING

from ..display import safe
from . import common, explain_value
from .explain_print import show, show_readings

if TYPE_CHECKING:
    from decoders.tree import Node

SHORT = 256
"""Bytes below which what looks like a message is one, and not a structure."""


def as_structure(name: str, text: str, revision: str | None, form: str) -> int:
    """Bytes as the structure of a name, or the structure they fit best; a number as a value of the type of that name."""
    import decoders

    if name.lower() in ("any", "all", "?"):
        return _any(_bytes(text)[0], revision, form)
    wanted = (revision,) if revision else tuple(reversed(decoders.REVISIONS))
    spelled = {s.lower(): s for r in wanted for s in decoders.structs(r)}
    found = next((spelled[n] for n in (name.lower(), f"rmi{name}".lower(), f"rsi{name}".lower()) if n in spelled), None)
    if found is not None:
        data = _bytes(text)[0]
        known = next(r for r in wanted if found in decoders.structs(r))
        return show([decoders.decode_struct(found, data, revision=known)], form)
    if explain_value.is_number(text.strip()):
        return show_readings(explain_value.named(name, text.strip(), revision), form, text.strip())
    close = [s for s in sorted(spelled.values()) if name.lower() in s.lower()][:6] or sorted(spelled.values())[:6]
    raise common.UserError(
        f"--as {name}: no such structure{f' in {revision}' if revision else ''}; there are {', '.join(close)}, ... (any tries "
        "all)"
    )


_OTHERS = 5
"""Structures that are named beside the likeliest one."""


def _any(data: bytes, revision: str | None, form: str) -> int:
    """Bytes as the structure that they fit best, and what else they could be."""
    import decoders

    from ..answers.structures import ranked

    fits = ranked(data, revision)
    if not fits:
        raise common.UserError("these bytes fit no structure of the ABI; for a message say --spdm")
    best = fits[0]
    size = decoders.profile(best.revisions[-1], "RSI" if best.name.startswith("Rsi") else "RMI").structs[best.name].size
    tree = decoders.decode_struct(best.name, data.ljust(size, b"\0"), revision=best.revisions[-1])
    if form == "json":
        told = [{"struct": f.name, "revisions": f.revisions, "points": f.points, "against": f.against} for f in fits]
        print(json.dumps({"fits": told, "tree": tree.to_json()}))
        return 0
    sys.stdout.write(safe(f"most likely {best.name} ({', '.join(best.revisions)}): {_points(best.points)}") + "\n")
    for f in fits[1 : _OTHERS + 1]:
        why = f"; against it: {'; '.join(f.against)}" if f.against else ""
        sys.stdout.write(safe(f"  or {f.name} ({', '.join(f.revisions)}): {_points(f.points)}{why}") + "\n")
    return show([tree], form)


def _points(points: float) -> str:
    return f"{max(points, 0) * 100:.0f} of 100"


def _bytes(text: str) -> list[bytes]:
    from ..formats.pasted import pasted_bytes

    try:
        return pasted_bytes(text)
    except ValueError as e:
        raise common.UserError(f"{e} (want the bytes as hex)") from None


def messages(text: str, form: str) -> int:
    """Bytes as one message, or a log as its messages."""
    from ..formats.spdm_log import headings

    raw = text.encode("utf-8", "surrogateescape")
    if headings(raw):
        return show(_log(raw), form)
    return show([_message(_bytes(text))], form)


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


def unnamed(readings: list[bytes], revision: str | None, form: str) -> int:
    """Bytes that may be a structure or a message."""
    from ..answers.structures import ranked
    from ..formats.spdm_log import recognise

    if any(recognise(d, True) for d in readings) and (len(readings[0]) < SHORT or not ranked(readings[0], revision)):
        return show([_message(readings)], form)
    return _any(readings[0], revision, form)
