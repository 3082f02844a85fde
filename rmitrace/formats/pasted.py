"""Bytes that people paste: hex dumps of any tool, C arrays, digits."""

from __future__ import annotations

import re

from .hexlines import dumps, hex_lines

_TOKEN = re.compile(r"(?:0[xX]|\\x)?[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[1-9]?[0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]")
"""A byte of a C array that is not written with 0x."""
_BETWEEN = re.compile(r"[\s,;:\-_'\"<>(){}\[\]|]*[uUlLhH]{0,3}")
MAX_PASTED = 4 << 20


def pasted_bytes(text: str) -> list[bytes]:
    """The bytes that a person means with hex in any common form, in the orders they may have, the likelier first.

    hexdump -C, xxd, hexdump, print_hex_dump; else digits with 0x, \\x, commas, blanks, colons or nothing, a C array with
    its declaration. Numbers of four or eight bytes with 0x are little-endian words. Raises ValueError with what is wrong.
    """
    if len(text) > MAX_PASTED:
        raise ValueError(f"more than {MAX_PASTED >> 20} MiB of text")
    raw = text.encode("utf-8", "replace")
    found = sorted(dumps(hex_lines(raw)), key=lambda d: d.start)
    if found and all(x.offset is not None for d in found for x in d.lines):
        if any(d.broken for d in found):
            raise ValueError("lines of the dump are missing: an offset does not go on where the line before ends")
        return [b"".join(d.readings()[0] for d in found), *([found[0].readings()[-1]] if len(found) == 1 else [])]
    body = _without_comments(text)
    if "{" in body and "}" in body:
        body = body[body.index("{") + 1 : body.rindex("}")]
    marked = re.search(r"0[xX][0-9a-fA-F]", body) is not None
    out, at = bytearray(), 0
    while True:
        gap = _BETWEEN.match(body, at)
        at = gap.end() if gap is not None else at
        if at >= len(body):
            break
        token = _TOKEN.match(body, at)
        if token is None:
            raise ValueError(f"no hex digit: {body[at : at + 12]!r}")
        out += bytes((int(token[0]),)) if marked and _DECIMAL.fullmatch(token[0]) else _token_bytes(token[0])
        at = token.end()
    if not out:
        raise ValueError("no hex digits")
    return [bytes(out)]


def _without_comments(text: str) -> str:
    """A text without C's comments."""
    out, at = [], 0
    while (begin := text.find("/", at)) >= 0:
        ends = {"/*": "*/", "//": "\n"}.get(text[begin : begin + 2])
        out.append(text[at:begin])
        if ends is None:
            out.append("/")
            at = begin + 1
            continue
        stop = text.find(ends, begin + 2)
        at = len(text) if stop < 0 else stop + len(ends)
        out.append(" ")
    return "".join(out) + text[at:]


def _token_bytes(token: str) -> bytes:
    marked = token[:2] in ("0x", "0X", "\\x")
    digits = token[2:] if marked else token
    if marked and len(digits) <= 2:
        return bytes((int(digits, 16),))
    if marked and len(digits) in (8, 16):
        return bytes.fromhex(digits)[::-1]
    if len(digits) % 2:
        raise ValueError(f"an odd number of hex digits: {token[:24]}")
    return bytes.fromhex(digits)
