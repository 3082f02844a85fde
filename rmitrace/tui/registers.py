"""Where in the raw text of a record a register's value stands, so that it can be marked.

Knows no format: it goes by the names of registers and by their values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"(?<![0-9A-Za-z_])(?:0[xX])?[0-9A-Fa-f]{1,18}(?![0-9A-Za-z_])")
_LABELLED = re.compile(
    r"(?<![0-9A-Za-z_])(?:[aAxXrRwW]|arg|[axr]\[|regs\[)0?([0-9]{1,2})\]? ?[=:] ?((?:0[xX])?[0-9A-Fa-f]{1,18})(?![0-9A-Za-z_])"
)
_OUT = ('"out"', " > ")

Span = tuple[int, int]


def find(raw: str, number: int, values: Sequence[int | None], *, out: bool, whole: bool) -> Span | None:
    """The characters that show register ``number`` in a record, None where they cannot be told.

    ``values`` are all registers of that side. ``out``: the results are wanted. ``whole``: the record holds both sides.
    """
    value = values[number] if number < len(values) else None
    if value is None:
        return None
    start, end = _side(raw, out) if whole else (0, len(raw))
    for m in _LABELLED.finditer(raw, start, end):
        if int(m.group(1)) == number and int(m.group(2), 16) == value:
            return m.span(2)
    tokens = [(m.start(), m.end(), int(m.group(), 16)) for m in _TOKEN.finditer(raw, start, end)]
    first = values[0]
    for i in range(len(tokens) - number - 1, -1, -1):  # x0 and its followers in a row
        if tokens[i][2] == first and tokens[i + number][2] == value:
            return tokens[i + number][:2]
    run = [v for v in values[1 : number + 1] if v is not None]
    for i in range(len(tokens) - len(run) + 1):  # a row that leaves out x0: its followers in a row
        if run and [t[2] for t in tokens[i : i + len(run)]] == run:
            return tokens[i + len(run) - 1][:2]
    same = [t[:2] for t in tokens if t[2] == value]
    return same[0] if len(same) == 1 or (same and value > 0xFF) else None


def _side(raw: str, out: bool) -> Span:
    cut = max(raw.rfind(s) for s in _OUT)
    if cut < 0:
        return 0, len(raw)
    return (cut, len(raw)) if out else (0, cut)
