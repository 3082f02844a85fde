"""Lines of hex dumps in logs: print_hex_dump, %*ph, libspdm, hexdump, xxd.

Forms: Linux lib/hexdump.c (rows of 16 or 32 bytes, groups of 1, 2, 4 or 8 bytes as words of the machine, offset, hashed
address or nothing in front, characters behind two spaces) and Documentation/core-api/printk-formats.rst; libspdm's
``%04x: xx xx ...`` of 32 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import hexlines_kernel
from .base import Data
from .kernel_code import Kernel

MAX_LINE = 1024
"""Bytes of a line that are looked at."""
_CHUNK = 4 << 20
_STARTS = (  # each begins with characters that are searched for fast
    re.compile(rb": [0-9a-fA-F]{2}[ :-][0-9a-fA-F]{2}(?=[ :\t\r\n-]|\Z)"),
    re.compile(rb": [0-9a-fA-F]{2}(?=[ \t]*(?:  .{1,33})?\r?(?:\n|\Z))"),
    re.compile(rb": [0-9a-f]{4,16} [0-9a-f]{4,16}(?=[ \r\n]|\Z)"),
    re.compile(rb": [0-9a-fA-F]{4,2048}(?=[ \t]*(?:  .{1,33})?\r?(?:\n|\Z))"),
    re.compile(rb"\n[0-9a-f]{8}  [0-9a-f]{2} "),
    re.compile(rb"\n[ \t]{0,16}[0-9a-fA-F]{2} [0-9a-fA-F]{2}(?: [0-9a-fA-F]{2}|[ \t]*\r?(?=\n|\Z))"),
)
_COLONS = 4
"""How many of them begin with a colon; the others with a line end."""
_OFFSET = re.compile(rb"(?:^|(?<=[\s:>|\]]))([0-9a-fA-F]{4,16})[: ] *$")
_FIRST = re.compile(rb"[ \t]*[0-9a-fA-F]{4,16}(?:: +|  )(?=[0-9a-fA-F]{2})")
_TOKENS = re.compile(rb"[0-9a-fA-F]+")
_DIGITS = re.compile(rb"[0-9]+")
_SPACES = re.compile(rb"[ \t]+")


@dataclass(slots=True)
class HexLine:
    """One line of a dump.

    start, end   byte offsets of the line in the text
    prefix       what stands in front of offset and bytes
    label        the prefix with numbers and blanks evened out: lines of one dump have the same
    offset       as printed; None where there is none, or where it is an address
    address      as printed where it is no offset (more than 8 digits)
    data         the bytes; of words, in the order in which they are printed
    width        bytes of a group
    separator    between groups: b' ', b':', b'-', empty for one long group
    chars        the column of characters behind the bytes, empty where there is none
    """

    start: int
    end: int
    prefix: bytes
    label: bytes
    offset: int | None
    address: int | None
    data: bytes
    width: int
    separator: bytes = b" "
    chars: bytes = b""

    def swapped(self) -> bytes:
        """The bytes in the order of memory, where each group is a little-endian word."""
        w = self.width
        return b"".join(self.data[i : i + w][::-1] for i in range(0, len(self.data), w))


def hex_lines(data: Data, start: int = 0, end: int | None = None) -> Iterator[HexLine]:
    """The lines of a text that end in a dump's bytes, in order. Only lines that look the part are taken apart."""
    stop = len(data) if end is None else end
    kernel = hexlines_kernel.compiled() if hexlines_kernel.repaid(stop - start) else None
    yield from hex_lines_with(kernel, data, start, stop)


def hex_lines_with(kernel: Kernel | None, data: Data, start: int, stop: int) -> Iterator[HexLine]:
    """The same. ``kernel``: a form of hexlines_kernel.places, None to find everything by regular expressions."""
    find = _matches if kernel is None else _Places(kernel, data).matches
    at = start
    while at < stop:
        cut = min(at + _CHUNK, stop)
        if cut < stop:
            cut = data.rfind(b"\n", at, cut) + 1 or cut
        yield from _in_chunk(data, at, cut, find)
        at = cut


def _matches(data: Data, start: int, stop: int) -> Iterator[int]:
    """Where one of _STARTS is found, in any order."""
    for pattern in _STARTS:
        for m in pattern.finditer(data, start, stop):
            yield m.start()


class _Places:
    """Finds the same with a kernel in front."""

    def __init__(self, kernel: Kernel, data: Data) -> None:
        self.kernel = kernel
        self._buf: Any = np.frombuffer(data, dtype=np.uint8)
        self._out = np.empty(1 << 12, dtype=np.int64)

    def matches(self, data: Data, start: int, stop: int) -> Iterator[int]:
        """See _matches."""
        at = start
        while at + 8 <= stop:
            at, count = self.kernel(self._buf, at, stop, self._out, len(self._out))
            yield from (p for p in self._out[:count].tolist() if _match(data, p, stop))
        yield from (p for p in range(at, stop) if _match(data, p, stop))


def _match(data: Data, at: int, stop: int) -> bool:
    some = _STARTS[:_COLONS] if data[at : at + 1] == b":" else _STARTS[_COLONS:]
    return any(pattern.match(data, at, stop) for pattern in some)


def _in_chunk(data: Data, start: int, stop: int, find: Callable[[Data, int, int], Iterator[int]]) -> Iterator[HexLine]:
    found: dict[int, int] = {}
    for at in find(data, max(start - 1, 0), stop):  # one begins with the line end before it
        if data[at : at + 1] == b"\n":
            first = body = at + 1
        else:
            first = data.rfind(b"\n", max(start, at - MAX_LINE), at) + 1 or (start if at - start <= MAX_LINE else -1)
            body = at + 2
        if first >= start:
            found[first] = min(found.get(first, body), body)
    found.setdefault(start, start)
    for first in sorted(found):
        body = found[first]
        last = data.find(b"\n", body, min(stop, body + 4 * MAX_LINE))
        last = min(stop, body + 4 * MAX_LINE) if last < 0 else last
        line = parse_line(bytes(data[first:last]), first, body - first if body > first else None)
        if line is not None:
            yield line


def parse_line(line: bytes, start: int = 0, body: int | None = None) -> HexLine | None:
    """A line of a dump taken apart, None where it is none. ``body``: where its bytes, or its offset, may begin."""
    text = line.rstrip(b"\r\n \t")
    if body is None:
        body = len(text) - len(text.lstrip())
    else:
        while text[body : body + 1] in (b" ", b"\t"):
            body += 1
    prefix = text[:body]
    m = _FIRST.match(text) if not prefix.strip() else None
    if m is not None:
        body = m.end()
        prefix = text[:body]
    m = _OFFSET.search(prefix)
    offset = address = None
    if m is not None:
        prefix = prefix[: m.start()]
        value = int(m[1], 16)
        if len(m[1]) <= 8:
            offset = value
        else:
            address = value
    groups, separator, after = _groups(text, body)
    if not groups or len(groups[0]) % 2:
        return None
    width = len(groups[0]) // 2
    alone = len(groups) == 1
    if (not alone and width > 8) or (alone and width < 4 and m is None):
        return None
    chars = text[after:].lstrip(b" \t")
    if chars and not text[after : after + 2].isspace() and chars[:1] != b"|":
        if width * len(groups) < 4:
            return None
        chars = b""  # other text, not a column of characters
    return HexLine(
        start,
        start + len(text),
        prefix,
        _SPACES.sub(b" ", _DIGITS.sub(b"#", prefix)).strip(),
        offset,
        address,
        bytes.fromhex(b"".join(groups).decode()),
        width if not alone or width in (1, 2, 4, 8) else 1,
        separator,
        chars,
    )


def _groups(text: bytes, at: int) -> tuple[list[bytes], bytes, int]:
    """The groups of hex digits from a position on, what separates them, and where they end."""
    groups: list[bytes] = []
    separator = b""
    columns = text.rstrip().endswith(b"|")
    m = _TOKENS.match(text, at)
    while m is not None:
        groups.append(m[0])
        at = m.end()
        gap = text[at : at + 1]
        if gap not in (b" ", b":", b"-") or (separator and gap != separator):
            break
        nxt = at + 1
        if columns and text[nxt : nxt + 1] == b" " and len(groups) == 8:
            nxt += 1  # hexdump -C parts the sixteen bytes in the middle
        m = _TOKENS.match(text, nxt)
        if m is None or len(m[0]) != len(groups[0]):
            break
        separator = gap
    return groups, separator, at


@dataclass(slots=True)
class Dump:
    """Lines that belong together. ``broken``: a line of it is missing."""

    lines: list[HexLine] = field(default_factory=list)
    broken: bool = False

    @property
    def start(self) -> int:
        """Byte offset of the first line."""
        return self.lines[0].start

    @property
    def end(self) -> int:
        """Byte offset behind the last line."""
        return self.lines[-1].end

    @property
    def data(self) -> bytes:
        """The bytes as printed."""
        return b"".join(x.data for x in self.lines)

    @property
    def row(self) -> int:
        """Bytes of a full line."""
        return max(len(x.data) for x in self.lines)

    def readings(self) -> list[bytes]:
        """The bytes in the orders they may have in memory, the likelier first: the column of characters decides where
        there is one, else words are of a little-endian machine, and pairs of bytes may be xxd's."""
        width = self.lines[0].width
        if width == 1:
            return [self.data]
        plain, swapped = self.data, b"".join(x.swapped() for x in self.lines)
        shown = [(x, x.chars.strip(b"|")) for x in self.lines if x.chars]
        if shown:
            agree = sum(_agrees(x.data, c) for x, c in shown)
            crossed = sum(_agrees(x.swapped(), c) for x, c in shown)
            if agree != crossed:
                return [plain] if agree > crossed else [swapped]
        return [swapped, plain] if self.lines[0].separator else [plain, swapped]


def _agrees(data: bytes, chars: bytes) -> int:
    """How many letters of a column of characters stand where such a byte is, less those that do not."""
    return sum(1 if a == c else -1 for a, c in zip(data, chars, strict=False) if 0x20 < c < 0x7F and c != 0x2E)


MAX_OPEN = 16
MAX_APART = 4096
"""Bytes of other text that may stand between two lines of a dump."""
MAX_DUMP = 1 << 20


def dumps(lines: Iterator[HexLine]) -> Iterator[Dump]:
    """Lines joined to dumps: those with the same text in front, each going on where the one before ends. In the order of
    their ends."""
    open_: dict[bytes, Dump] = {}
    for x in lines:
        d = open_.get(x.label)
        if d is not None and _goes_on(d, x):
            d.lines.append(x)
        else:
            if d is not None:
                yield open_.pop(x.label)
            elif len(open_) >= MAX_OPEN:
                yield open_.pop(next(iter(open_)))
            broken = x.offset is not None and x.offset > 0
            open_[x.label] = Dump([x], broken)
            continue
        if len(x.data) < d.row or len(d.lines) * d.row > MAX_DUMP:
            yield open_.pop(x.label)
    yield from open_.values()


def _goes_on(d: Dump, x: HexLine) -> bool:
    last = d.lines[-1]
    if len(last.data) < d.row or x.start - last.end > MAX_APART:
        return False
    if x.width != last.width or (x.separator and last.separator and x.separator != last.separator):
        return False
    if x.offset is not None or last.offset is not None:
        return x.offset is not None and last.offset is not None and x.offset == last.offset + len(last.data)
    if x.address is not None and last.address is not None and x.address == last.address + len(last.data):
        return True
    return len(last.data) in (16, 32) and x.start - last.end < 512
