"""What other tools put around a line of an RMM console: taken off here, so that the grammar sees the row alone.

Met in reports and logs: mail quotes, tags of terminal multiplexers, stamps of test harnesses and of journals, editor line
numbers, colour sequences, literal ``^M``, entities of web pages, escapes of JSON strings, soft line breaks of mails. A stamp
is kept as the time of the line; everything else is dropped from the copy that is parsed, never from the source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_LINE = 64 * 1024
"""Bytes of a line that are looked at; the rest is reported."""
_MAX_PREFIXES = 16
KERNEL_STAMP = re.compile(rb"\[ {0,12}\d{1,9}\.\d{6}\](?:\[ {0,6}[TC]\d{1,7}\])?(?: |\Z)")
"""The stamp that a line of a kernel begins with."""

_DIRT = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f-\xff&^\\`]|=3E|=20\Z|=\Z|<[/bpscd]")
_ANSI = re.compile(
    rb"(?:\x1b|\^\[|\x1b\\|\\x1b|\\e|\\033)\[[0-9;?]{0,32}[A-Za-z]|\x1b\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)|\x1b[()][0-9A-B]|\x9b[0-9;?]{1,32}[A-Za-z]"
)
_HTML_TAG = re.compile(rb"</?(?:br|span|pre|code|p|b|strong|div|samp|span)(?: [^<>]{0,200})?/?>", re.IGNORECASE)
_REPLACED = (
    (b"&amp;", b"&"),
    (b"&gt;", b">"),
    (b"&#62;", b">"),
    (b"&#x3e;", b">"),
    (b"&#x3E;", b">"),
    (b"&lt;", b"<"),
    (b"&#60;", b"<"),
    (b"&nbsp;", b" "),
    (b"&#160;", b" "),
    (b"\xc2\xa0", b" "),  # no-break space
    (b"\xe2\x80\xaf", b" "),
    (b"\xe2\x80\x8b", b""),  # zero width
    (b"\xef\xbb\xbf", b""),
    (b"\xe2\x80\xa6", b"..."),
    (b"\xe2\x86\x92", b"->"),
    (b"\xe2\x80\x93", b"-"),  # dashes
    (b"\xe2\x80\x94", b"-"),
    (b"\xe2\x80\xba", b">"),
    (b"\xef\xbc\x9e", b">"),
    (b"\\u003e", b">"),
    (b"\\u003c", b"<"),
    (b"=3E", b">"),
    (b"\\r\\n", b" "),
    (b"\\n", b" "),
    (b"\\t", b" "),
    (b"^M", b" "),
    (b"\x00", b""),
)
_BLANKED = bytes.maketrans(b"\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0d\x0e\x0f\x7f`", b" " * 15)


@dataclass(slots=True)
class Line:
    """A line as found and as the grammar sees it.

    start, end  byte offsets in the source, the line end not included
    full        the text without colours, entities and control characters
    text        ``full`` from ``at`` on: without quotes, tags and stamps in front
    bare        place behind blanks and quote marks alone
    depth       quote marks taken off
    stamps      (clock, ns) in front, outermost first
    number      editor line number in front, None where there is none
    raw         the bytes as found, empty where the line was put together from several
    soft        ends in a soft line break (``=`` or a backslash): the next line goes on without a blank
    """

    start: int
    end: int
    full: bytes
    at: int = 0
    bare: int = 0
    depth: int = 0
    stamps: tuple[tuple[str, int], ...] = ()
    number: int | None = None
    soft: bool = False
    raw: bytes = b""

    def places(self, matches: list[re.Match[bytes]]) -> list[int]:
        """Where in the bytes as found the matches of names in ``full`` begin."""
        if len(matches) < 2 or self.raw == self.full:
            return [m.start() for m in matches]
        out, at = [], 0
        for m in matches:
            at = max(self.raw.find(m[0], at), at)
            out.append(at)
            at += len(m[0])
        return [min(a, self.end - self.start) for a in out]

    def place(self, at: int) -> int:
        """Where in the bytes as found what stands at ``at`` in ``full`` begins, as nearly as can be told."""
        return max(self.raw.find(self.full[at : at + 12], at), at)

    @property
    def wrapped(self) -> bool:
        """Whether a tag or stamp stands in front."""
        return self.at > self.bare

    @property
    def text(self) -> bytes:
        """The line without what other tools put in front."""
        return self.full[self.at :]


def clean(raw: bytes) -> tuple[bytes, bool]:
    """The text of a line for the grammar, and whether it ends in a soft line break. Linear in the length."""
    text = raw.rstrip(b"\r\n")
    if not _DIRT.search(text):
        return text, False
    if b"\x1b" in text or b"[" in text:
        text = _ANSI.sub(b"", text)
    for old, new in _REPLACED:
        if old in text:
            text = text.replace(old, new)
    text = text.translate(_BLANKED)
    if b"<" in text:
        text = _HTML_TAG.sub(b"", text)
    soft = False
    if text.endswith(b"=20"):  # a blank at the end of a line in quoted-printable
        text = text[:-3] + b" "
    if text.endswith((b"=", b"\\")) and not text.endswith((b"==", b"\\\\")):
        text, soft = text[:-1], True
    return text, soft


_MONTHS = {m: i + 1 for i, m in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}
_MON = rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = rb"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
_AFTER = rb"(?:\]|(?=[ \t:|,;-])|\Z)[:|,;]?[ \t]*"

_DATED = re.compile(rb"[\[(]?(\d{4})[-/](\d\d)[-/](\d\d)[T _]" + _CLOCK + rb"[ ]?(Z|UTC|[+-]\d\d:?\d\d)?" + _AFTER)
_DMESG_T = re.compile(rb"\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) " + _MON + rb" {1,2}(\d{1,2}) " + _CLOCK + rb" (\d{4})" + _AFTER)
_SYSLOG = re.compile(_MON + rb" {1,2}(\d{1,2}) " + _CLOCK + rb"(?= |:)[ :]*")
_TIME_OF_DAY = re.compile(rb"\[?" + _CLOCK + _AFTER)
_EPOCH = re.compile(rb"\[?(\d{9,10})\.(\d{1,9})" + _AFTER)
_BOOT = re.compile(rb"\[ {0,12}(\d{1,9})\.(\d{3,9})(?: {1,6}\d{1,9}\.\d{3,9})?\](?:\[ {0,6}[TC]\d{1,7}\])?[ \t]*")
_RELATIVE = re.compile(rb"(\d{1,7})\.(\d{3,9})[ \t]+")
_QUOTE = re.compile(rb"(?:[A-Z]{1,3})?[>|]")
_NUMBER = re.compile(rb"(\d{1,7})(?:[:|][ \t]*|[ \t]+)")
_OTHERS = re.compile(
    rb"\[ {0,12}[A-Za-z][\w.:/-]{0,31} {0,12}\][ \t]*"  # [   rmm ]
    rb"|<\d{1,3}>"  # kernel level
    rb"|(?:ERROR|WARNING|WARN|NOTICE|INFO|DEBUG|VERBOSE|TRACE)\b[ \t]*[:|]?[ \t]+"  # a level of a logger or of TF-A
    rb"|[\w.-]{1,64} [\w.@/()-]{1,64}(?:\[\d{1,10}\])?: {1,8}"  # host process[pid]: of a journal
    rb"|[\w.@/-]{1,64}\[\d{1,10}\]: {0,8}"
    rb"|[\w./-]{1,200}\.\w{1,8}:\d{1,9}[:-][ \t]*"  # file:line: of grep -n or a logger
    rb"|[\w./-]{1,200}\.(?:log|txt|out)[:-][ \t]*"
    rb"|[A-Za-z][\w./-]{0,47} {0,24}\|[ \t]*"  # name | of a container tool
    rb"|\d\d[OE]\+?[ \t]+"  # stream of a CI runner
    rb"|[A-Za-z][\w.-]{0,31}: {1,8}(?=SMC_|PSCI_|\[)"
    rb"|[-+*\xb7][ \t]+|\xe2\x80\xa2[ \t]*"
)
_BLANK = re.compile(rb"[ \t]+")


def _ns(fraction: bytes | None) -> int:
    return int((fraction or b"0").ljust(9, b"0"))


def _utc(y: int, mo: int, d: int, h: int, mi: int, s: int) -> int | None:
    try:
        return int(datetime(y, mo, d, h, mi, min(s, 59), tzinfo=UTC).timestamp()) * 10**9 + (s - min(s, 59)) * 10**9
    except (ValueError, OverflowError):
        return None


def _dated(m: re.Match[bytes]) -> tuple[str, int] | None:
    y, mo, d, h, mi, s = (int(m[i]) for i in range(1, 7))
    ns = _utc(y, mo, d, h, mi, s)
    if ns is None or not 1970 <= y < 2200:
        return None
    zone = m[8]
    if zone is None:
        return "local", ns + _ns(m[7])
    if zone[:1] in b"+-":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        ns -= (minutes if zone[:1] == b"+" else -minutes) * 60 * 10**9
    return "utc", ns + _ns(m[7])


def _dmesg_t(m: re.Match[bytes]) -> tuple[str, int] | None:
    ns = _utc(int(m[7]), _MONTHS[m[1]], int(m[2]), int(m[3]), int(m[4]), int(m[5])) if 1970 <= int(m[7]) < 2200 else None
    return None if ns is None else ("local", ns + _ns(m[6]))


def _syslog(m: re.Match[bytes]) -> tuple[str, int] | None:
    ns = _utc(1972, _MONTHS[m[1]], int(m[2]), int(m[3]), int(m[4]), int(m[5]))  # no year in it: a leap year, so every day exists
    return None if ns is None else ("no-year", ns + _ns(m[6]))


def _time_of_day(m: re.Match[bytes]) -> tuple[str, int] | None:
    return "time-of-day", (int(m[1]) * 3600 + int(m[2]) * 60 + int(m[3])) * 10**9 + _ns(m[4])


def _epoch(m: re.Match[bytes]) -> tuple[str, int] | None:
    return "utc", int(m[1]) * 10**9 + _ns(m[2])


def _boot(m: re.Match[bytes]) -> tuple[str, int] | None:
    return "boot", int(m[1]) * 10**9 + _ns(m[2])


_STAMPS = (
    (_BOOT, _boot),
    (_DATED, _dated),
    (_SYSLOG, _syslog),
    (_TIME_OF_DAY, _time_of_day),
    (_DMESG_T, _dmesg_t),
    (_EPOCH, _epoch),
    (_RELATIVE, _boot),
)


def unwrap(line: Line, stop: int | None = None, numbered: bool = True) -> Line:
    """Take off what stands in front of ``stop`` (the whole line where None): sets at, depth, stamps and number.

    ``numbered``: a bare decimal number in front is an editor's line number; without it such a number is left, since
    in the second half of a cut row it is a value.
    """
    text, at, depth, stamps, number = line.full, 0, 0, [], None
    bare: int | None = None
    end = len(text) if stop is None else stop
    for _ in range(_MAX_PREFIXES):
        if m := _BLANK.match(text, at, end):
            at = m.end()
        if at >= end:
            break
        if m := _QUOTE.match(text, at, end):
            depth += 1
            at = m.end()
            continue
        bare = at if bare is None else bare
        for pattern, read in _STAMPS:
            if m := pattern.match(text, at, end):
                if (stamp := read(m)) is not None:
                    stamps.append(stamp)
                break
        else:
            m = _OTHERS.match(text, at, end)
            if m is None and numbered and number is None and (m := _NUMBER.match(text, at, end)):
                number = int(m[1])
        if m is None or m.end() == at:
            break
        at = m.end()
    line.bare = min(at if bare is None else bare, end)
    line.at, line.depth, line.stamps, line.number = min(at, end), depth, tuple(stamps), number
    return line


def sublines(raw: bytes, start: int) -> list[tuple[int, bytes]]:
    """A line split at carriage returns inside it (progress bars, consoles that write CR alone): (offset, bytes) each."""
    body = raw.rstrip(b"\r\n")
    if b"\r" not in body:
        return [(start, body)]
    out, at = [], 0
    for part in body.split(b"\r"):
        if part:
            out.append((start + at, part))
        at += len(part) + 1
    return out or [(start, b"")]
