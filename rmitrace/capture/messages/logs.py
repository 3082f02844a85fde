"""Messages in logs: what libspdm prints of each, and hex dumps of requests and responses in kernel logs and traces."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from ...formats.hexlines import Dump, dumps, hex_lines
from ...formats.spdm_log import ABOVE, SUBJECT, Heading, headings, recognise
from ..records import Finding, Kind
from .model import REQUEST, RESPONSE, SECURED, SPDM, Message, Place, Told, answers
from .windows import COMMUNICATE, Windows, device_of

if TYPE_CHECKING:
    from ..model import Capture

BINARY = ("pcap", "calls-jsonl", "trace-dat", "qemu-simple")
"""Formats that hold no such lines, or hold memory in another form."""
MAX_MESSAGES = 1 << 18
_STAMP = re.compile(rb"\[ {0,12}(\d{1,9})\.(\d{6})\]")
_TRACE = re.compile(rb"-(\d{1,10}) {1,8}(?:\( *[\d-]{1,8}\) )?\[\d{1,6}\] [^ ]{0,5} {0,9}(\d{1,12})\.(\d{6,9}): ")
_DATE = re.compile(rb"\[?(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)[.,](\d{3,9})")
_SENT = re.compile(rb"\b(?:req|request|send|sent|tx|write|to device|out)(?:\b|_)|->|_req\b", re.I)
_RECEIVED = re.compile(rb"\b(?:rsp|resp|response|recv|received?|rx|read|from device|in)(?:\b|_)|<-|_(?:rsp|resp)\b", re.I)


def from_logs(capture: Capture, source: int, problems: list[Finding]) -> list[Message]:
    """The messages that a text source names or dumps, in its order.

    DUMPS-LEFT-OUT: dumps beside those of libspdm, which show the same messages; DUMP-CUT: dumps of which lines are
    missing; MESSAGES-LEFT-OUT: more than MAX_MESSAGES.
    """
    src = capture.sources[source]
    if src.format in BINARY:
        return []
    told = headings(src.data)
    all_dumps = sorted(dumps(hex_lines(src.data)), key=lambda d: d.start)  # type: ignore[arg-type]
    if not told and not all_dumps:
        return []
    reader = _Reader(capture, source)
    found, used = reader.libspdm(told, all_dumps)
    rest = [d for i, d in enumerate(all_dumps) if i not in used]
    others = list(reader.other_dumps(rest))
    if others and any(m.data for m in found):
        text = f"{len(others)} other hex dump{'s' if len(others) > 1 else ''} of messages; those of libspdm are shown"
        problems.append(Finding("DUMPS-LEFT-OUT", "note", text, source, others[0].place.offset))
        others = []
    found += others
    if reader.broken:
        text = f"{len(reader.broken)} hex dump{'s' if len(reader.broken) > 1 else ''} of which lines are missing"
        problems.append(Finding("DUMP-CUT", "warning", text, source, reader.broken[0]))
    if len(found) > MAX_MESSAGES:
        text = f"more than {MAX_MESSAGES} messages in this log; the rest is not shown"
        problems.append(Finding("MESSAGES-LEFT-OUT", "warning", text, source, found[MAX_MESSAGES].place.offset))
        del found[MAX_MESSAGES:]
    found.sort(key=lambda m: m.place.offset)
    reader.assign(found)
    return found


class _Reader:
    def __init__(self, capture: Capture, source: int) -> None:
        self.capture = capture
        self.source = source
        self.data = capture.sources[source].data
        self.pids: dict[int, int] = {}
        self.plain: set[int] = set()
        self.broken: list[int] = []

    def libspdm(self, told: list[Heading], all_dumps: list[Dump]) -> tuple[list[Message], set[int]]:
        """A message for each line of libspdm, with the bytes dumped below it; and which dumps these are."""
        starts = [d.start for d in all_dumps]
        found, used = [], set()
        for i, h in enumerate(told):
            following = told[i + 1].line if i + 1 < len(told) else len(self.data)
            k = bisect_left(starts, h.end)
            dump = all_dumps[k] if k < len(starts) and starts[k] < following else None
            below = bytes(self.data[h.end : dump.start]) if dump is not None and dump.start - h.end < 1024 else b""
            data, end = b"", h.end
            if dump is not None and dump.start - h.end < 1024 and not below.strip() and not dump.broken:
                used.add(k)
                data, end = dump.data[: h.size], dump.end
                if len(data) < h.size:
                    self.broken.append(dump.start)
            code = h.code if h.code is not None else data[1] if len(data) > 1 else None
            if code is None:
                continue
            cut = h.size if 0 < len(data) < h.size else None
            direction, said = REQUEST if h.request else RESPONSE, Told(code, h.size)
            message = Message(self.place(h.line, end), direction, [SPDM], data, declared=cut, told=said, within=h.session)
            self.plain.add(id(message))
            found.append(message)
        return found, used

    def other_dumps(self, rest: list[Dump]) -> Iterator[Message]:
        """The dumps that are messages by their bytes."""
        known: set[bytes] = set()
        before = RESPONSE
        for d in rest:
            above = bytes(self.data[max(0, d.start - ABOVE) : d.start]).rpartition(b"\n")[0].rpartition(b"\n")[2]
            words = d.lines[0].prefix + b" " + above[-ABOVE:]
            likely = d.lines[0].label in known or bool(SUBJECT.search(words))
            if d.broken:
                if likely and d.lines[0].label in known:
                    self.broken.append(d.start)
                continue
            read = next((r for r in (recognise(b, likely) for b in d.readings()) if r is not None), None)
            if read is None:
                continue
            data, start, said = read.data, read.start, read.direction
            layers = [SECURED if x == "SECURED" else x for x in read.layers]
            known.add(d.lines[0].label)
            if not said:
                prefix = d.lines[0].prefix
                sent, received = bool(_SENT.search(prefix)), bool(_RECEIVED.search(prefix))
                said = "" if sent == received else REQUEST if sent else RESPONSE
            direction = said or (RESPONSE if before == REQUEST else REQUEST)
            before = direction
            yield Message(self.place(d.start, d.end), direction, layers, data, start, sure=bool(said))

    def place(self, start: int, end: int) -> Place:
        """Where a message stands, with the time in front of its line."""
        head = bytes(self.data[start : min(end, start + 256)]).split(b"\n", 1)[0]
        ts: int | None = None
        if m := _TRACE.search(head):
            ts = int(m[2]) * 10**9 + int(m[3].ljust(9, b"0"))
            self.pids[start] = int(m[1])
        elif m := _STAMP.search(head):
            ts = int(m[1]) * 10**9 + int(m[2]) * 1000
        elif m := _DATE.search(head):
            ts = _date_ns(m)
        return Place(self.source, start, min(end - start, 0x7FFFFFFF), ts, None, None)

    def assign(self, found: list[Message]) -> None:
        """Give each message the call that it belongs to."""
        capture, s = self.capture, self.source
        windows = Windows(capture, s)
        if not windows:
            return
        inner = [m for m in found if id(m) in self.plain]
        if capture.sources[s].format == "rmm-console":
            _assign_rows(capture, s, inner)
        else:
            inner = []
        done = {id(m) for m in inner}
        for m in found:
            if id(m) not in done:
                pid = self.pids.get(m.place.offset, -1)
                m.place.call = windows.claim(windows.at_offset(m.place.offset), pid, m.direction, m.payload)
            if m.place.call is not None:
                m.place.device = device_of(capture, m.place.call)


def _assign_rows(capture: Capture, source: int, found: list[Message]) -> None:
    """The calls of an RMM's own lines. A request is printed in the communicate call that hands it out, whose row is the
    next line of a call; a response when the requester goes on with it, so it belongs to the call of its request."""
    c, rec = capture.calls, capture.sources[source].records
    rows = np.flatnonzero(c.source == source)
    first = np.where(c.enter[rows] >= 0, c.enter[rows], c.exit[rows])
    order = np.argsort(first, kind="stable")
    rows, offsets = rows[order], rec.offset[first[order]].tolist()
    places = [m.place.offset for m in found]
    asked: Message | None = None
    for i, m in enumerate(found):
        if m.direction == RESPONSE:
            if asked is not None and asked.session_id == m.session_id and answers(asked.code, m.code):
                m.place.call = asked.place.call
            asked = None
            continue
        k = bisect_right(offsets, m.place.offset)
        asked = m
        if k >= len(offsets) or (i + 1 < len(found) and places[i + 1] < offsets[k]):
            continue  # the row of its call is not there
        seq = int(rows[k])
        if capture.name_text(seq) in COMMUNICATE and not c.failed[seq] and rec.kind[first[order][k]] == Kind.WHOLE_IN:
            m.place.call = seq


def _date_ns(m: re.Match[bytes]) -> int | None:
    try:
        day = datetime(*(int(v) for v in m.groups()[:6]), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
    return int(day.timestamp()) * 10**9 + int(m[7].ljust(9, b"0"))
