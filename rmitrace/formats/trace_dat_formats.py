"""Event formats: the tracefs files events/GROUP/EVENT/format, from which the records of a binary trace are read.

    field:u64 a0;	offset:16;	size:8;	signed:0;
    print fmt: "(%lx) a0=0x%Lx", REC->__probe_ip, REC->a0

Probe arrays have their element type and no length between the brackets (``u64 a[]``, size 144); a size of 0 means up to
the end of the record. Older kernels write the length (``u64 a[18]``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MAX_FORMAT = 1 << 18
"""Longest format text that is read, in bytes; a probe of 128 arrays of 64 has some 80 KB."""
MAX_FIELDS = 1024
MAX_RECORD = 1 << 16
_HEAD = re.compile(rb"name: ([A-Za-z_]\w{0,127})\nID: (\d{1,5})\nformat:\n")
_FIELD = re.compile(rb"\tfield:([^;\n]{1,256});\s{1,8}offset:(\d{1,5});\s{1,8}size:(\d{1,5});(?:\s{1,8}signed:([01]);)?")
_NAME = re.compile(rb"([A-Za-z_]\w{0,63})\s?(\[[\w\s()+*/-]{0,64}\])?$")
_PRINT = re.compile(rb'print fmt: "((?:[^"\\\n]|\\.){0,65536})"(?:, ([^\n]{0,65536}))?')
_SAID = re.compile(rb"(?:^|[ ,({])([A-Za-z_]\w{0,63})=(\{?)((?:\\\"|')?)(0x)?%[-+ #0]?\d{0,2}(?:hh|h|ll|l|L|z)?([a-zA-Z])")
_PLAIN = re.compile(rb"\(?(?:\([\w\s*]{1,64}\)\s?){0,2}\(?REC->(\w{1,64})\){0,2}$")
_DYNAMIC = (b"__data_loc ", b"__rel_loc ")
_SIZES = {
    b"char": 1, b"bool": 1, b"u8": 1, b"s8": 1, b"__u8": 1, b"__s8": 1, b"uint8_t": 1, b"int8_t": 1,
    b"short": 2, b"u16": 2, b"s16": 2, b"__u16": 2, b"__s16": 2, b"uint16_t": 2, b"int16_t": 2,
    b"int": 4, b"unsigned": 4, b"u32": 4, b"s32": 4, b"__u32": 4, b"__s32": 4, b"uint32_t": 4, b"int32_t": 4, b"pid_t": 4,
    b"long": 8, b"u64": 8, b"s64": 8, b"__u64": 8, b"__s64": 8, b"uint64_t": 8, b"int64_t": 8, b"*": 8,
}  # fmt: skip


class Field(NamedTuple):
    """A field of an event's record.

    offset   bytes from the record's start
    size     bytes; 0: up to the end of the record
    width    bytes of one element (of the number itself where it is no array)
    array    it holds several elements
    dynamic  'data', 'rel' or '': the record holds an offset and a length of what lies behind the fields
    base     how the kernel prints it: 'x' (with 0x), 'u', 'd', 'c', 's', 'S' (address as symbol) or '?'
    """

    name: str
    offset: int
    size: int
    width: int
    signed: bool
    array: bool
    dynamic: str
    base: str


@dataclass(frozen=True, slots=True)
class EventFormat:
    """An event's record.

    probe   'enter' or 'return' of a probe, whose first one or two fields are addresses; '' for other events
    fields  those behind the common ones and the probe's addresses
    said    the printed line is ``name=value`` pairs and nothing else
    """

    name: str
    ident: int
    probe: str
    addresses: tuple[Field, ...]
    fields: tuple[Field, ...]
    said: bool

    def field(self, name: str) -> Field | None:
        """The field of that name."""
        return next((f for f in self.fields if f.name == name), None)


def find_formats(pieces: Iterable[bytes]) -> dict[int, bytes]:
    """The format texts in some bytes, by event id; of two with one id the first."""
    found: dict[int, bytes] = {}
    for piece in pieces:
        heads = list(_HEAD.finditer(piece))
        for i, m in enumerate(heads):
            stop = heads[i + 1].start() if i + 1 < len(heads) else len(piece)
            found.setdefault(int(m[2]), piece[m.start() : min(stop, m.start() + MAX_FORMAT)])
    return found


def parse_format(text: bytes) -> EventFormat | None:
    """One format text, None where it is none."""
    head = _HEAD.match(text)
    if head is None:
        return None
    shown = _PRINT.search(text)
    fmt = shown[1] if shown else b""
    said = _said(fmt)
    fields = []
    for i, m in enumerate(_FIELD.finditer(text, head.end())):
        if i >= MAX_FIELDS:
            break
        field = _field(m, said)
        if field is not None and not field.name.startswith("common_"):
            fields.append(field)
    names = [f.name for f in fields[:2]]
    probe, addresses = "", 0
    if names[:1] == ["__probe_ip"]:
        probe, addresses = "enter", 1
    elif names == ["__probe_func", "__probe_ret_ip"]:
        probe, addresses = "return", 2
    rest = tuple(fields[addresses:])
    return EventFormat(
        head[1].decode("ascii"), int(head[2]), probe, tuple(fields[:addresses]), rest, bool(probe) or _only_pairs(shown, rest)
    )


def _said(fmt: bytes) -> dict[str, str]:
    """How each field named in a print format is printed."""
    said: dict[str, str] = {}
    for m in _SAID.finditer(fmt):
        letter = m[5].decode("ascii")
        base = "x" if letter in "xX" else letter if letter in "udcs" else "d" if letter == "i" else "?"
        if letter == "p":
            base = "S" if fmt[m.end() : m.end() + 1] in (b"S", b"s") else "x"
        said.setdefault(m[1].decode("ascii"), base)
    return said


def _only_pairs(shown: re.Match[bytes] | None, fields: tuple[Field, ...]) -> bool:
    """Whether an event that is no probe prints ``name=%d`` pairs of its own fields and nothing else."""
    if shown is None or not fields or shown[2] is None:
        return False
    words = shown[1].split()
    args = [_PLAIN.match(a.strip()) for a in shown[2].split(b",")]
    known = {f.name for f in fields}
    names = []
    for word in words:
        m = _SAID.match(word)
        if m is None or word[m.end() :] not in (b"", b"S", b"s"):
            return False
        names.append(m[1].decode("ascii"))
    read = [a[1].decode("ascii") for a in args if a is not None]
    return len(read) == len(args) == len(names) and set(read) <= known and names == read


def _field(m: re.Match[bytes], said: dict[str, str]) -> Field | None:
    declared, offset, size = m[1].strip(), int(m[2]), int(m[3])
    dynamic = next((d for d in _DYNAMIC if declared.startswith(d)), b"")
    named = _NAME.search(declared)
    if named is None or offset > MAX_RECORD or size > MAX_RECORD:
        return None
    name = named[1].decode("ascii")
    if dynamic:  # __data_loc char[] name
        words = declared[len(dynamic) :].split()
        width = _SIZES.get(words[0].partition(b"[")[0], 1) if words else 1
        base = said.get(name, "s" if width == 1 else "x")
        return Field(name, offset, size, width, m[4] == b"1", True, "data" if dynamic is _DYNAMIC[0] else "rel", base)
    kind = declared[: named.start()].replace(b"*", b" * ").split()
    width = next((s for w in reversed(kind) if (s := _SIZES.get(w, 0))), 0)
    array = named[2] is not None
    signed = m[4] == b"1"
    if not array:
        width = size
    elif not width or (size and size % width):
        width = 1
    base = said.get(name, "d" if signed else "x")
    return Field(name, offset, size, width, signed, array, "", base)
