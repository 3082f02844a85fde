"""trace_printk() records: a format string and its arguments as vbin_printf() of lib/vsprintf.c packs them."""

from __future__ import annotations

import re

_SPEC = re.compile(
    rb"%(?P<flags>[-+ #0]{0,5})(?P<width>\*|\d{0,3})(?:\.(?P<precision>\*|\d{0,3}))?(?P<size>hh|h|ll|l|L|z|t|j|q)?"
    rb"(?P<conversion>[diouxXcsp%])(?P<pointer>(?<=p)[A-Za-z0-9]{0,8})?"
)
_SIZES = {b"hh": 1, b"h": 2, None: 4, b"l": 8, b"ll": 8, b"L": 8, b"z": 8, b"t": 8, b"j": 8, b"q": 8}
_KEPT = (b"S", b"s", b"x", b"K", b"e")
"""Pointer conversions that are packed as the pointer; others are packed as the text that they gave."""
MAX_TEXT = 1 << 12


class _Args:
    """The packed arguments; what lies behind their end reads as zero."""

    def __init__(self, packed: bytes) -> None:
        self.packed, self.at = packed, 0

    def number(self, size: int, signed: bool = False) -> int:
        align = min(size, 4)
        self.at = (self.at + align - 1) // align * align
        value = int.from_bytes(self.packed[self.at : self.at + size], "little", signed=signed)
        self.at += size
        return value

    def string(self) -> bytes:
        end = self.packed.find(b"\0", self.at)
        end = len(self.packed) if end < 0 else end
        text, self.at = self.packed[self.at : end], end + 1
        return text


def bprintf(template: bytes, packed: bytes) -> bytes:
    """The text of a trace_printk(): its format string with the packed arguments put in."""
    args = _Args(packed)
    return _SPEC.sub(lambda m: _convert(m, args), template)[:MAX_TEXT]


def _convert(m: re.Match[bytes], args: _Args) -> bytes:
    if m["conversion"] == b"%":
        return b"%"
    flags, width = m["flags"], m["width"] or b""
    if width == b"*":
        asked = max(-255, min(args.number(4, True), 255))
        flags, width = (flags + b"-", b"%d" % -asked) if asked < 0 else (flags, b"%d" % asked)
    precision = m["precision"]
    if precision == b"*":
        precision = b"%d" % max(0, min(args.number(4, True), 255))
    spec = b"%" + flags + width + (b"" if precision is None else b"." + precision)
    match m["conversion"]:
        case b"s":
            return (spec + b"s") % args.string()
        case b"c":
            return bytes([args.number(1)])
        case b"p":
            kind = m["pointer"] or b""
            if kind[:1] in _KEPT or not kind:
                return b"0x%x" % args.number(8)
            return args.string()
        case b"d" | b"i":
            return (spec + b"d") % args.number(_SIZES[m["size"]], True)
        case b"u":
            return (spec + b"d") % args.number(_SIZES[m["size"]])
        case letter:
            return (spec + letter) % args.number(_SIZES[m["size"]])
