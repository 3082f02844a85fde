"""What ``abi of`` prints: which revision kernel and firmware of a capture speak, from what, and where they do not agree."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..correlate.skew import Opinion, Skew, bites, opinions, skews
from ..correlate.skew.words import group_text, said
from ..display import safe
from ..export.jsonl import bite_object, opinion_object

if TYPE_CHECKING:
    from ..capture import Capture

_WIDTH = 118


def write(capture: Capture, format: str) -> int:
    """Print it; 1 where the sides differ, else 0."""
    known, differ = opinions(capture), skews(capture)
    if format == "json":
        json.dump(_document(capture, known, differ), sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        for line in _lines(capture, known, differ):
            print(line)
    return 1 if differ else 0


def _document(capture: Capture, known: list[Opinion], differ: list[Skew]) -> dict[str, Any]:
    return {
        "speaks": [opinion_object(o) for o in known],
        "skew": [
            {
                "group": s.group,
                "message": said(capture, s),
                "kernel": opinion_object(s.kernel),
                "firmware": opinion_object(s.firmware),
                "bites": [bite_object(b) for b in bites(capture, s)],
            }
            for s in differ
        ],
    }


def _lines(capture: Capture, known: list[Opinion], differ: list[Skew]) -> Iterator[str]:
    if not known:
        yield "nothing in the capture tells what kernel or firmware speak"
    names = [s.name for s in capture.sources]
    for o in known:
        where = f" in {' and '.join(names[s] for s in o.sources)}" if len(names) > 1 else ""
        yield safe(f"{o.side}{where}, {group_text(o.group)}: {o.text}")
        for e in o.evidence:
            yield from _wrapped(f"{e.text}: {' or '.join(e.fits)}", 4)
    for s in differ:
        yield ""
        yield from _wrapped(said(capture, s), 0)
        for b in bites(capture, s):
            times = "" if b.count == 1 else f" ({b.count} calls)"
            yield from _wrapped(f"{b.text}{times}", 4)
    if known and not differ:
        yield ""
        yield "nothing shows that they differ"


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(safe(text), _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))
