"""Messages in logs: what libspdm prints of each, and hex dumps of requests and responses in kernel logs and traces."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...formats.base import Data
from ...formats.hexlines import Dump, dumps, hex_lines
from ...formats.spdm_log import ABOVE, SUBJECT, Heading, headings, recognise_dump
from ..records import Finding, Kind
from .model import REQUEST, RESPONSE, SECURED, SPDM, Message, Place, Told, answers
from .windows import COMMUNICATE, Windows, device_of

if TYPE_CHECKING:
    from ..model import Capture
    from ..source import Source

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
    if src.format in BINARY or only_events(src):
        return []
    start, end = src.talk or (0, len(src.data))
    told = headings(src.data, start, end)
    reader = _Reader(capture, source, told)
    others = []
    ends = [x for h in told for x in (h.line, h.end)]
    for d in dumps(hex_lines(src.data, start, end)):
        ends += (d.start, d.end)
        if (m := reader.dump(d)) is not None:
            others.append(m)
    src.talk = _whole_lines(src.data, min(ends), max(ends)) if ends else (0, 0)
    found = reader.libspdm()
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


def only_events(source: Source) -> bool:
    """Whether each line of a trace is an event that carries no text, those apart that it begins with: there is no log in it."""
    if source.format != "ftrace" or len(source.records.of_kind(Kind.MARK)):
        return False
    header = bytes(source.data[:4096])
    ignored: int = source.records.facts.get("ignored", -1)
    return 0 <= ignored <= header.count(b"\n#") + header.startswith(b"#")


def _whole_lines(data: Data, start: int, end: int) -> tuple[int, int]:
    """The lines from the one at ``start`` to the one that ``end`` lies in."""
    stop = data.find(b"\n", end)
    return data.rfind(b"\n", 0, start) + 1, len(data) if stop < 0 else stop + 1


class _Reader:
    """Reads one source. ``told``: its lines of libspdm; ``below``: the dump under each; ``broken``: where dumps begin of
    which lines are missing."""

    def __init__(self, capture: Capture, source: int, told: list[Heading]) -> None:
        self.capture = capture
        self.source = source
        self.data = capture.sources[source].data
        self.told = told
        self.below: dict[int, Dump] = {}
        self.broken: list[int] = []
        self.pids: dict[int, int] = {}
        self._ends = [h.end for h in told]
        self._labels: set[bytes] = set()
        self._before = RESPONSE
        self._count = 0

    def dump(self, d: Dump) -> Message | None:
        """A dump that is a message by its bytes; one under a line of libspdm is kept for that line."""
        i = bisect_right(self._ends, d.start) - 1
        near = i >= 0 and i not in self.below and d.start - self._ends[i] < ABOVE and not d.broken
        if near and not bytes(self.data[self._ends[i] : d.start]).strip():
            self.below[i] = d
            return None
        label = d.lines[0].label
        if d.broken:
            if label in self._labels:
                self.broken.append(d.start)
            return None
        likely = label in self._labels or bool(SUBJECT.search(self._words(d)))
        read = recognise_dump(d, likely)
        if read is None or self._count > MAX_MESSAGES:
            return None
        self._count += 1
        self._labels.add(label)
        said = read.direction
        if not said:
            prefix = d.lines[0].prefix
            sent, received = bool(_SENT.search(prefix)), bool(_RECEIVED.search(prefix))
            said = "" if sent == received else REQUEST if sent else RESPONSE
        self._before = said or (RESPONSE if self._before == REQUEST else REQUEST)
        layers = [SECURED if x == "SECURED" else x for x in read.layers]
        return Message(self.place(d.start, d.end), self._before, layers, read.data, read.start, sure=bool(said))

    def _words(self, d: Dump) -> bytes:
        """What stands in front of a dump, and on the line above it."""
        above = bytes(self.data[max(0, d.start - ABOVE) : d.start]).rpartition(b"\n")[0].rpartition(b"\n")[2]
        return d.lines[0].prefix + b" " + above

    def libspdm(self) -> list[Message]:
        """A message for each line of libspdm, with the bytes dumped below it."""
        found = []
        for i, h in enumerate(self.told[: MAX_MESSAGES + 1]):
            d = self.below.get(i)
            data, end = (d.data[: h.size], d.end) if d is not None else (b"", h.end)
            if 0 < len(data) < h.size:
                self.broken.append(h.line)
            code = h.code if h.code is not None else data[1] if len(data) > 1 else None
            if code is None:
                continue
            cut = h.size if 0 < len(data) < h.size else None
            direction, said = REQUEST if h.request else RESPONSE, Told(code, h.size)
            place = self.place(h.line, end)
            found.append(Message(place, direction, [SPDM], data, declared=cut, told=said, within=h.session))
        return found

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
        windows = Windows(capture, s) if found else None
        if not windows:
            return
        inner = [m for m in found if m.told is not None]
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
    shown = capture.of_source(source)
    rows, first = shown.rows, shown.first
    offsets = rec.offset[first].tolist()
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
        if capture.name_text(seq) in COMMUNICATE and not c.failed[seq] and rec.kind[first[k]] == Kind.WHOLE_IN:
            m.place.call = seq


def _date_ns(m: re.Match[bytes]) -> int | None:
    try:
        day = datetime(*(int(v) for v in m.groups()[:6]), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
    return int(day.timestamp()) * 10**9 + int(m[7].ljust(9, b"0"))
