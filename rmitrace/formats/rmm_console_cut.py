"""Rows in pieces: cut by another writer, split by a harness, wrapped by a mailer.

A row that lacks its end is kept until a later line brings it. What may be joined is decided by the result: the pieces
put together, without and with a blank between them, are read as a row again, and the reading that has the right number of
arguments and a status wins. In a mail ``>`` is both the quote mark and what stands before the status; the quote marks taken
off a line are therefore offered back when the row still lacks its separator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .rmm_console_lines import KERNEL_STAMP, Line
from .rmm_console_names import fid_of
from .rmm_console_rows import HEAD, Row, most_outs, parse

MAX_LINES = 256
"""Lines after which the rest of a cut row is no longer waited for."""
MAX_BYTES = 32 * 1024
_MAX_TEXT = 2048
_MAX_PIECES = 6
WRAPPED = 56
"""Characters of a line and of the word after it that together suggest a mailer's line break."""

_ANSWER = re.compile(rb"(?:>[ \t]*)?(?:R[MS]I_[A-Z]{3}|>[ \t]*[0-9a-f])")
_VALUE = re.compile(rb"[0-9a-f]{1,16}")
_STATUS_END = re.compile(rb"[A-Z_]{1,24}(?![a-z0-9])")
_WORD_END = re.compile(rb"[A-Z0-9_]{1,48}\Z")
_VALUE_END = re.compile(rb"(?<![0-9A-Za-z_])[0-9a-f]{1,16}\Z")


@dataclass(slots=True)
class Pending:
    """A row that may go on.

    text         from its name to where it stopped
    start, end   byte offsets of the record so far
    line         the line of its last piece, ``line_number`` that line's number
    stamps       those of its first piece
    alone        nothing but tags and stamps stands in front of the name
    interrupted  a kernel's line begins where the row stopped: the next line that is no kernel's goes on at that character
    overwritten     another row begins where this one stopped
    """

    row: Row
    text: bytes
    start: int
    end: int
    line: Line
    line_number: int
    stamps: tuple[tuple[str, int], ...] = ()
    alone: bool = False
    interrupted: bool = False
    overwritten: bool = False
    pieces: int = 1

    @property
    def complete(self) -> bool:
        """Whether it can only go on where a line was wrapped, not where another writer cut it."""
        return self.row.state == "open" and not (self.row.glued or self.interrupted or self.overwritten)

    def expired(self, line_number: int, offset: int) -> bool:
        """Too far behind to go on here."""
        limit = 1 if self.complete else MAX_LINES
        return line_number - self.line_number > limit or offset - self.end > MAX_BYTES


@dataclass(frozen=True, slots=True)
class Joined:
    """A row put together: what it reads as, its text, where in the line it ends, whether it was interrupted again."""

    row: Row
    text: bytes
    used: int
    interrupted: bool


def go_on(pending: Pending, line: Line, stop: int, line_number: int, broken: bool) -> Joined | None:
    """The row with what ``line`` up to ``stop`` adds to it, None where it adds nothing.

    ``broken``: at ``stop`` a kernel's line begins in the middle of this one.
    """
    if pending.pieces >= _MAX_PIECES or len(pending.text) > _MAX_TEXT or stop - line.at > 4 * _MAX_TEXT:
        return None
    bare = not pending.stamps and not line.stamps
    if bare and pending.interrupted and (hit := _at_the_character(pending, line, stop, broken)) is not None:
        return hit
    if line.stamps and not pending.stamps and KERNEL_STAMP.match(line.full.lstrip()):
        return None  # a line of the kernel, whole
    lead = line.full[min(line.at if pending.line.wrapped else line.bare, stop) : stop]
    next_line = line_number - pending.line_number == 1
    best: tuple[int, Joined] | None = None
    for at, tail in _tails(pending, line, lead):
        for glue in (b"", b" "):
            if glue and pending.text[-1:] in (b" ", b"\t"):
                continue
            joined = pending.text + glue + tail
            m = HEAD.match(joined)
            row = parse(joined, m, len(joined), broken) if m is not None else None
            if row is None or row.end <= len(pending.text):
                continue
            score = _score(pending, row, bool(glue), tail, next_line) + 4 * (at == 0)
            if score > 4 and (best is None or score > best[0]):
                used = stop - (len(joined) - row.end)
                best = (score, Joined(row, joined if broken and not row.foreign else joined[: row.end], used, broken))
    return best[1] if best is not None else None


def _at_the_character(pending: Pending, line: Line, stop: int, broken: bool) -> Joined | None:
    """The row where the kernel's line that interrupted it is simply taken out."""
    joined = pending.text + line.full[:stop]
    m = HEAD.match(joined)
    row = parse(joined, m, len(joined), broken) if m is not None else None
    if row is None or row.foreign or row.end <= len(pending.text):
        return None
    old = pending.row
    if old.answered and old.x0 is not None:
        fits = len(row.outs) <= most_outs(row)
    else:
        fits = (row.answered and (row.x0 is not None or row.glued)) or row.state == "open" or broken
    if not fits or (row.status is not None and not row.status.startswith(row.service)):
        return None
    return Joined(row, joined, stop, broken)


def _tails(pending: Pending, line: Line, lead: bytes) -> list[tuple[int, bytes]]:
    """What of a line may be the rest of the row: (place in the lead, text), the whole of it first."""
    out = [(0, lead)]
    row = pending.row
    if row.answered:
        return out
    if not row.separated and (line.depth > pending.line.depth or (line.depth and len(row.args) in row.wanted)):
        out.append((0, b" > " + lead))
    m = _ANSWER.search(lead)
    if m is None or not m.start():
        return out
    missing = max(row.wanted, default=8) - len(row.args)
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
        for k in range(at - len(w[0]), at):
            if fid_of(row.name + lead[k:at].decode("ascii")) is not None:
                out.append((k, lead[k:]))
                break
    return out


def _score(pending: Pending, row: Row, blank: bool, tail: bytes, next_line: bool) -> int:
    """How well the pieces fit, negative for not at all."""
    old = pending.row
    most = most_outs(row)
    quoted = pending.line.depth > 0 or bool(pending.stamps) or pending.line.soft or pending.interrupted
    wrapped = quoted or len(pending.line.full) + 1 + len(tail.split(b" ", 1)[0]) >= WRAPPED
    at_place = blank != (old.glued or pending.line.soft)
    if row.status is not None and not row.status.startswith(row.service):
        return -9
    if old.answered:
        if old.status is not None and old.x0 is None:  # the status itself is cut
            return 8 if row.x0 is not None and not blank and next_line and _STATUS_END.match(tail) else -9
        if row.foreign or len(row.outs) > most or not all(_VALUE.fullmatch(t) for t in tail.split()):
            return -9
        return 4 + 2 * (len(row.outs) == most) + at_place if next_line and (old.glued or wrapped) else -9
    if row.answered:
        if row.status is not None and row.x0 is None and not row.glued and row.foreign:
            return -9
        if row.status is None and not (row.x0 == (1 << 64) - 1 or len(row.args) in row.wanted):
            return -9
        if old.state == "open" and not (next_line or old.glued):
            return -9
        named_only = not (old.args or old.glued or pending.interrupted or pending.overwritten)
        if named_only and (row.foreign or not next_line or (row.wanted and not row.args and 0 not in row.wanted)):
            return -9  # a mention, and something else below it
        score = 6
    else:
        grown = len(row.args) + row.separated > len(old.args) + old.separated or row.name != old.name
        if not next_line or row.foreign or not grown or (row.wanted and len(row.args) > max(row.wanted)):
            return -9
        if old.state == "open" or not (wrapped or not old.args):
            return -9
        score = 2
    return score + 8 * (len(row.args) in row.wanted) + 4 * (fid_of(row.name) is not None) + 2 * (not row.foreign) + at_place
