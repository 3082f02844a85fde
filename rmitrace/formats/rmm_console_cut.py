"""Rows in pieces: cut by another writer, split by a harness, wrapped by a mailer.

A row that lacks its end is kept until a later line brings it. What may be joined is decided by the result: the pieces
put together, without and with a blank between them, are read as a row again, and the reading that has the right number of
arguments and a status wins. In a mail ``>`` is both the quote mark and what stands before the status; the quote marks taken
off a line are therefore offered back when the row still lacks its separator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .rmm_console_lines import Line
from .rmm_console_names import counts_of, fid_of
from .rmm_console_rows import HEAD, Row, parse

MAX_LINES = 256
"""Lines after which the rest of a cut row is no longer waited for."""
MAX_BYTES = 32 * 1024
_MAX_TEXT = 2048
_MAX_PIECES = 6
_WRAPPED = 56
"""Characters of a line and of the word after it that together suggest a mailer's line break."""

_ANSWER = re.compile(rb"(?:>[ \t]*)?(?:R[MS]I_[A-Z]{3}|>[ \t]*[0-9a-f])")
_VALUE = re.compile(rb"[0-9a-f]{1,16}")
_STATUS_END = re.compile(rb"[A-Z_]{1,24}(?![a-z0-9])")
_WORD_END = re.compile(rb"[A-Z0-9_]{1,48}\Z")
_VALUE_END = re.compile(rb"(?<![0-9A-Za-z_])[0-9a-f]{1,16}\Z")


@dataclass(slots=True)
class Pending:
    """A row that may go on.

    text        from its name to where it stopped
    start, end  byte offsets of the record so far
    line        the line of its last piece
    rows_line   number of that line
    alone       nothing but tags and stamps stands in front of the name
    """

    row: Row
    text: bytes
    start: int
    end: int
    line: Line
    line_number: int
    alone: bool
    pieces: int = 1

    def expired(self, line_number: int, offset: int) -> bool:
        """Too far behind to go on here."""
        limit = MAX_LINES if self.row.state == "cut" or self.row.glued else 1
        return line_number - self.line_number > limit or offset - self.end > MAX_BYTES


def go_on(pending: Pending, line: Line, stop: int, line_number: int) -> tuple[Row, bytes, int] | None:
    """The row with what ``line`` up to ``stop`` adds to it, its text, and where in the line it ends; else None."""
    if pending.pieces >= _MAX_PIECES or len(pending.text) > _MAX_TEXT:
        return None
    lead = line.full[line.at : min(stop, line.at + _MAX_TEXT)]
    next_line = line_number - pending.line_number == 1
    best: tuple[int, Row, bytes, int] | None = None
    for at, tail in _tails(pending, line, lead):
        for glue in (b"", b" "):
            if glue and pending.text[-1:] in (b" ", b"\t"):
                continue
            joined = pending.text + glue + tail
            m = HEAD.match(joined)
            row = parse(joined, m, len(joined)) if m is not None else None
            if row is None or row.end <= len(pending.text):
                continue
            score = _score(pending, row, joined, bool(glue), tail, next_line)
            if score > 0 and (best is None or score > best[0]):
                used = row.end - len(pending.text) - len(glue)
                best = (score, row, joined[: row.end], line.at + at + used - (len(tail) - len(lead[at:])))
    return best[1:] if best is not None else None


def _tails(pending: Pending, line: Line, lead: bytes) -> list[tuple[int, bytes]]:
    """What of a line may be the rest of the row: (place in the lead, text), the whole of it first."""
    out = [(0, lead)]
    row = pending.row
    if line.depth > pending.line.depth and not row.separated and not row.answered:
        out.append((0, b" > " + lead))
    elif line.depth and not row.separated and not row.answered and len(row.args) in counts_of(row.name)[0]:
        out.append((0, b" > " + lead))
    if not row.answered and (m := _ANSWER.search(lead)) is not None and m.start():
        missing = max(counts_of(row.name)[0], default=8) - len(row.args)
        at = len(lead[: m.start()].rstrip())
        for _ in range(max(missing, 0) + 1):
            if at:
                out.append((at, lead[at:]))
            v = _VALUE_END.search(lead, max(at - 17, 0), at)
            if v is None:
                break
            at = v.start()
            out.append((at, lead[at:]))
            at = len(lead[:at].rstrip())
        if not row.args and fid_of(row.name) is None and (w := _WORD_END.search(lead[max(at - 48, 0) : at])) is not None:
            begin = at - len(w[0])
            for k in range(begin, at):
                if fid_of(row.name + lead[k:at].decode("ascii")) is not None:
                    out.append((k, lead[k:]))
                    break
    return out


def _score(pending: Pending, row: Row, joined: bytes, blank: bool, tail: bytes, next_line: bool) -> int:
    """How well the pieces fit, 0 for not at all."""
    old = pending.row
    known = fid_of(row.name) is not None
    args, outs = counts_of(row.name)
    quoted = pending.line.depth > 0 or bool(pending.line.stamps) or pending.line.soft
    wrapped = quoted or len(pending.line.full) + 1 + len(tail.split(b" ", 1)[0]) >= _WRAPPED
    if old.answered:
        if old.status is not None and old.x0 is None:  # the status itself is cut
            return 8 if row.x0 is not None and not blank and next_line and _STATUS_END.match(tail) else 0
        if row.foreign or not all(_VALUE.fullmatch(t) for t in tail.split()) or len(row.outs) > max(outs, default=0):
            return 0
        if not next_line or not (old.glued or wrapped):
            return 0
        return 4 + (blank != (old.glued or pending.line.soft))
    if row.answered:
        if row.status is not None and row.x0 is None and not row.glued:
            return 0
        if row.status is None and not (row.x0 == (1 << 64) - 1 or len(row.args) in args):
            return 0
        if old.state == "open" and not (next_line or old.glued):
            return 0
        score = 6
    else:
        if not next_line or row.foreign or (args and len(row.args) > max(args)) or not (wrapped or not old.args):
            return 0
        if old.state == "open" or len(row.args) + row.separated <= len(old.args) + old.separated:
            return 0
        score = 2
    score += 8 * (len(row.args) in args) + 4 * known + 2 * (not row.foreign)
    return score + (blank != (old.glued or pending.line.soft))
