"""Line after line of an RMM console: rows found wherever they stand, cut rows joined, marks kept, the rest passed over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .rmm_console_cut import WRAPPED, Pending, go_on
from .rmm_console_finds import Finds, Item
from .rmm_console_lines import KERNEL_STAMP, MAX_LINE, Line, clean, sublines, unwrap
from .rmm_console_marks import Dump, begins_dump, mark_of, read_banner
from .rmm_console_prose import other_rows
from .rmm_console_rows import HEAD, Row, clean_row, parse
from .rmm_console_steps import KNOWN_LINE, is_apart

SPILL = 4096
"""Items after which ``Reader.spill`` has something to give."""
_MAX_PENDING = 8
_MAX_KNOWN, _MOST_KNOWN, MOST_REPEATED = 512, 4096, 256
"""Bytes of a line that is remembered, how many are, and how many that came again."""
_STUB_LINES = 8
_BLANK_LINE = b"\n" * 20
_BEGINNINGS = (b"SMC_", b"      SMC_", b"PSCI_")
_STUB = re.compile(rb"SMC_(?:R[MS]?[IM]?_?|[0-9a-f]{1,7})?|PSCI_[0-9a-f]{0,7}")
_ORPHAN = re.compile(rb"[ \t]*[0-9a-f]{1,16}[ 0-9a-f\t]{0,300}> R[MS]I_[A-Z_]{3,32}")


@dataclass(slots=True)
class _Stub:
    """The first characters of a row's name, cut off there."""

    line: Line
    text: bytes
    interrupted: bool
    lines: int = 0


@dataclass(slots=True)
class Reader(Finds):
    """Reads lines one after another."""

    _pending: list[Pending] = field(default_factory=list)
    _dump: tuple[Item, Dump] | None = None
    _stub: _Stub | None = None
    _soft: Line | None = None
    _known: dict[bytes, str] = field(default_factory=dict)
    """Lines met before, from their bytes alone: the class of the mark that each is, '' for none."""
    repeated: dict[bytes, str] = field(default_factory=dict)
    """Those of up to 128 bytes that were met again, as many as MOST_REPEATED."""

    @property
    def waiting(self) -> bool:
        """Whether the next line matters whatever it holds."""
        return bool(self._pending or self._dump or self._stub or self._soft)

    @property
    def idle(self) -> bool:
        """Whether a row that stands alone on the next line has nothing to do with what was read before."""
        return not (self._dump or self._stub or self._soft) and all(p.complete for p in self._pending)

    def passed(self, lines: int) -> None:
        """So many lines that hold a row alone, or a mark, were read elsewhere; the first of them while the reader was idle."""
        self.used += lines
        if self._pending:
            self._flush_all()
        self.forget_last()

    def feed(self, raw: bytes, start: int, size: int = 0) -> None:
        """One line, line end included or not, and its byte offset; ``size`` is its real length where ``raw`` is cut."""
        self.lines += 1
        if (size := max(size, len(raw))) > MAX_LINE:
            self.note("LINE-TOO-LONG", "warning", f"a line of {size} bytes: only the first {MAX_LINE} are looked at", start)
            raw = raw[:MAX_LINE]
        body = raw.rstrip(b"\r\n")
        if self._pending and body.startswith(_BEGINNINGS) and self.idle:
            self._flush_all()
        if self.waiting:
            for at, part in sublines(raw, start):
                self._line(part, at)
        elif (known := self._known.get(body)) is not None:
            if 0 < len(body) <= KNOWN_LINE and len(self.repeated) < MOST_REPEATED:
                self.repeated[body] = known
            if known:
                self.claim()
                self.items.append(Item(start, start + len(body), (), mark=known))
        elif (row := clean_row(body)) is not None:
            self._row(row, Line(start, start + len(body), body), start, body.lstrip(), alone=True)
        else:
            before = len(self.items), self.counts.total(), len(self.abi), len(self.banners)
            for at, part in sublines(raw, start):
                self._line(part, at)
            if not self.waiting and before[1:] == (self.counts.total(), len(self.abi), len(self.banners)):
                self._learn(body, self.items[before[0] :])

    def _learn(self, body: bytes, items: list[Item]) -> None:
        """Remember that a line is nothing, or one mark: logs say the same again and again."""
        plain = all(i.mark and not i.damaged and not i.stamps and i.value is None and i.cpu < 0 for i in items)
        if len(items) > 1 or not plain or len(body) > _MAX_KNOWN or b"\r" in body:
            return
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[body] = items[0].mark if items else ""

    def finish(self) -> None:
        """No more lines come."""
        if self._soft is not None:
            line, self._soft = self._soft, None
            self._whole_line(line)
        self._flush_all()
        self._end_dump()

    def _line(self, part: bytes, start: int) -> None:
        text, soft = clean(part)
        line = Line(start, start + len(part), text, soft=soft, raw=part)
        if self._soft is not None:
            first, self._soft = self._soft, None
            self.claim()
            line = Line(first.start, line.end, first.full + text, soft=soft)
        if soft and HEAD.search(line.full) and len(line.full) < 4096:
            self._soft = line
            self.claim()
            return
        self._whole_line(line)

    def _whole_line(self, line: Line) -> None:
        if self._stub is not None:
            line = self._with_stub(line)
        heads = list(HEAD.finditer(line.full))
        if self._pending:
            self._expire(line.start)
        alone = self.idle and not any(p.line.wrapped or p.line.depth for p in self._pending)
        apart = alone and is_apart(line.full + _BLANK_LINE, 0)  # not the second half of a row, which begins with a value
        numbered = not self._pending or apart or any(p.line.number is not None for p in self._pending)
        unwrap(line, heads[0].start() if heads else None, numbered)
        stop = heads[0].start() if heads else len(line.full)
        kernel = KERNEL_STAMP.search(line.full, max(line.at, 1), stop)
        lead_end = kernel.start() if kernel is not None else stop
        taken = 0
        if self._pending:
            taken = self._go_on(line, lead_end, kernel is not None)
        if self._dump is not None:
            self._dump_line(line)
        if self._heads(line, heads, taken):
            return
        if taken or self._others(line) or self._mark(line, line.full):
            return
        before = line.full[line.at : lead_end]
        if _STUB.fullmatch(before.strip()) and self._stub is None:
            self._stub = _Stub(line, before, kernel is not None)
        elif _ORPHAN.match(line.text):
            self.claim()
            why = "the end of a row whose beginning is missing"
            self.note("ROW-CUT", "warning", why, line.start)
            self.items.append(Item(line.start, line.end, line.stamps, mark=why, damaged=True))

    def _with_stub(self, line: Line) -> Line:
        """The line with the cut-off beginning of a name put back in front, where that makes a row."""
        stub = self._stub
        assert stub is not None
        stub.lines += 1
        if stub.interrupted and not stub.line.stamps and KERNEL_STAMP.match(line.full.lstrip()) and stub.lines < _STUB_LINES:
            return line
        self._stub = None
        tail = line.full if stub.interrupted and not stub.line.stamps else unwrap(line, None, False).text
        full = stub.text + tail
        m = HEAD.match(full.lstrip())
        if m is None:
            return line
        self.claim()
        return Line(stub.line.start, line.end, stub.line.full[: stub.line.at] + full, soft=line.soft)

    def _heads(self, line: Line, heads: list[re.Match[bytes]], taken: int) -> bool:
        """The rows whose names stand in the line; True where there is one."""
        found = False
        begin = line.start if not taken else line.start + taken
        places = line.places(heads)
        if heads and line.at < heads[0].start():  # other text in front: a kernel's stamp there is that text's
            line.stamps = tuple(s for s in line.stamps if s[0] != "boot")
        for i, m in enumerate(heads):
            stop = heads[i + 1].start() if i + 1 < len(heads) else len(line.full)
            kernel = KERNEL_STAMP.search(line.full, m.end(), stop)
            end = kernel.start() if kernel is not None else stop
            row = parse(line.full, m, end, kernel is not None or stop < len(line.full))
            if row is None:
                continue
            at = begin if i == 0 and not taken else line.start + places[i]
            if found:
                self._cut_before(line, at)
            listed = line.full[: m.start()].rstrip()[-1:] in (b"*", b"+", b"-")
            alone = i == 0 and not taken and line.at >= m.start() and not listed
            text = line.full[m.start() : end if kernel is not None and not row.foreign else row.end]
            cut_by = "" if row.foreign else "kernel" if kernel is not None else "row" if stop < len(line.full) else ""
            self._row(row, line, at, text, alone=alone, cut_by=cut_by)
            found = True
            if kernel is not None or row.foreign:
                self._mark(line, line.full[end if kernel is not None else row.end : stop])
        return found

    def _cut_before(self, line: Line, at: int) -> None:
        """A row of its own begins there: what was found before it in the line ends there."""
        for p in self._pending:
            if p.line is line and p.start < at < p.end:
                p.end = at
        if self.items and self.items[-1].start < at < self.items[-1].end:
            self.items[-1].end = at

    def _row(self, row: Row, line: Line, start: int, text: bytes, *, alone: bool, cut_by: str = "") -> None:
        self.claim()
        if row.state == "whole" and row.outs and not row.foreign and (line.stamps or len(line.full) >= WRAPPED):
            row.state = "open"  # a terminal breaks lines at its width and a harness anywhere: in the last number, too
        if row.state == "whole":
            self.emit(row, start, line.end, line.stamps)
            return
        if len(self._pending) >= _MAX_PENDING:
            self.ended(self._pending.pop(0))
        p = Pending(row, text, start, line.end, line, self.lines, line.stamps, alone)
        p.interrupted, p.overwritten = cut_by == "kernel", cut_by == "row"
        self._pending.append(p)

    def _others(self, line: Line) -> bool:
        rows = other_rows(line.full)
        for i, (at, row) in enumerate(rows):
            self.claim()
            last = self.last_row()
            same = last is not None and (last.name, last.args, last.outs) == (row.name, row.args, row.outs)
            if same and b"[WARN" in line.full:
                continue  # Islet prints a failed call twice, as TRACE and as WARN
            start = line.start + line.place(at) if i else line.start
            self._cut_before(line, start)
            self.emit(row, start, line.end, line.stamps)
        return bool(rows)

    def _go_on(self, line: Line, lead_end: int, broken: bool) -> int:
        """Give the line to the rows that wait, those written over and the latest first; how much of it one took, 0 for none."""
        if line.bare >= lead_end:
            if not line.full.strip():
                for p in [p for p in self._pending if p.interrupted and p.row.state == "open"]:
                    self._pending.remove(p)  # nothing was left of it
                    self.ended(p)
            return 0
        for p in sorted(self._pending, key=lambda p: (not p.overwritten, -p.line_number, -p.start)):
            hit = go_on(p, line, lead_end, self.lines, broken)
            if hit is None:
                continue
            self.claim()
            p.row, p.text, p.interrupted, p.overwritten = hit.row, hit.text, hit.interrupted, False
            p.end = line.end if lead_end == len(line.full) else line.start + max(hit.used, 1)
            p.pieces, p.line, p.line_number = p.pieces + 1, line, self.lines
            if hit.row.state == "whole":
                self._pending.remove(p)
                self.emit(p.row, p.start, p.end, p.stamps)
            if hit.used < len(line.full):
                self._mark(line, line.full[hit.used :])
            return max(hit.used, 1)
        return 0

    def _expire(self, offset: int) -> None:
        for p in [p for p in self._pending if p.expired(self.lines, offset)]:
            self._pending.remove(p)
            self.ended(p)

    def _flush_all(self) -> None:
        for p in self._pending:
            self.ended(p)
        self._pending.clear()

    def _mark(self, line: Line, text: bytes) -> bool:
        found = mark_of(text)
        if found is None:
            return False
        kind, value = found
        item = Item(line.start, line.end, line.stamps, mark=kind, value=value)
        if begins_dump(text):
            self._end_dump()
            self._dump = item, Dump(text, line.end)
            return True
        self.claim()
        if kind == "banner":
            read_banner(text, line.start, self.banners)
        if kind in ("kernel", "banner") and b"ABI" in text and len(self.abi) < 64:
            self.abi.append(text.strip().decode("utf-8", "surrogateescape"))
        self.items.append(item)
        return True

    def _dump_line(self, line: Line) -> None:
        assert self._dump is not None
        _, dump = self._dump
        if dump.take(line.text, line.end):
            self.claim()
        if dump.done:
            self._end_dump()

    def _end_dump(self) -> None:
        if self._dump is not None:
            (item, dump), self._dump = self._dump, None
            if dump.sure:
                self.used += 1  # the header's line
                item.end, item.cpu = dump.end, dump.cpu
                self.items.append(item)
