"""DER (X.690): one tag, length and value at a time, with every byte kept in a tree.

Only what certificates use: one-byte tags and definite lengths of up to four bytes. Nothing recurses by itself; callers
say what they expect, and what is not so becomes a raw leaf with an error note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from .oids import OIDS
from .tree import Node

TAGS = {
    0x01: "BOOLEAN", 0x02: "INTEGER", 0x03: "BIT STRING", 0x04: "OCTET STRING", 0x05: "NULL", 0x06: "OBJECT IDENTIFIER",
    0x0A: "ENUMERATED", 0x0C: "UTF8String", 0x13: "PrintableString", 0x14: "TeletexString", 0x16: "IA5String", 0x17: "UTCTime",
    0x18: "GeneralizedTime", 0x1A: "VisibleString", 0x1C: "UniversalString", 0x1E: "BMPString", 0x30: "SEQUENCE", 0x31: "SET",
}  # fmt: skip
CHARSETS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1A: "ascii", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
MAX_OID = 64
"""Bytes of an object identifier that are turned into numbers."""
MAX_TEXT = 200


class Tlv(NamedTuple):
    """Where a value is: its tag, the offsets of tag, value and end."""

    tag: int
    start: int
    body: int
    end: int


Decode = Callable[[bytes, Tlv, str], Node]


class Field(NamedTuple):
    """An element expected in a SEQUENCE: its name, tags it may have, how it is decoded, whether it may be absent."""

    name: str
    tags: tuple[int, ...]
    decode: Decode
    optional: bool = False


def read(data: bytes, pos: int, end: int) -> Tlv | str:
    """The value that begins at ``pos`` and ends at ``end`` at the latest, or what is wrong with it."""
    if end - pos < 2:
        return f"expected a tag and a length at {pos:#x}, {max(end - pos, 0)} bytes left"
    tag, size, body = data[pos], data[pos + 1], pos + 2
    if tag & 0x1F == 0x1F:
        return f"tag of more than one byte at {pos:#x}"
    if size == 0x80 or size > 0x84:
        return f"length form {size:#x} at {pos + 1:#x} is not DER, or longer than 4 bytes"
    if size > 0x80:
        body += size - 0x80
        if body > end:
            return f"length cut at {pos + 1:#x}"
        size = int.from_bytes(data[pos + 2 : body], "big")
    if size > end - body:
        return f"{tag_name(tag)} at {pos:#x} says {size} bytes, {end - body} are left"
    return Tlv(tag, pos, body, body + size)


def tag_name(tag: int) -> str:
    """SEQUENCE, INTEGER, [0] and so on."""
    return f"[{tag & 0x1F}]" if tag & 0xC0 else TAGS.get(tag, f"tag {tag:#x}")


def raw(data: bytes, start: int, end: int, name: str, note: str | None = None) -> Node:
    """Bytes that are not taken apart, with an error note where there is one."""
    node = Node(name, data[start:end], hexed(data[start:end]), start, end - start)
    return node.noted(note, "error") if note else node


def hexed(data: bytes, limit: int = 32) -> str:
    """Hex for people: at most ``limit`` bytes, then how many there are."""
    return data.hex() if len(data) <= limit else f"{data[:limit].hex()}… ({len(data)} bytes)"


def leaf(tlv: Tlv, name: str, value: int | bytes | str | None, text: str) -> Node:
    """A node over the whole of a value, tag and length included."""
    return Node(name, value, text, tlv.start, tlv.end - tlv.start)


def header(data: bytes, tlv: Tlv) -> Node:
    """The leaf for the tag and length bytes of a value that is taken apart."""
    text = f"{tag_name(tlv.tag)}, {tlv.end - tlv.body} bytes"
    return Node("header", data[tlv.start : tlv.body], text, tlv.start, tlv.body - tlv.start)


def group(data: bytes, tlv: Tlv, name: str, fields: Sequence[Field]) -> Node:
    """A SEQUENCE (or explicit tag) with the elements expected in it, in order; what does not fit is a raw leaf."""
    children, pos = [header(data, tlv)], tlv.body
    for i, f in enumerate(fields):
        got = read(data, pos, tlv.end) if pos < tlv.end else None
        if isinstance(got, Tlv) and got.tag in f.tags:
            children.append(f.decode(data, got, f.name))
            pos = got.end
        elif not f.optional:
            found = got if isinstance(got, str) else "nothing" if got is None else tag_name(got.tag)
            why = f"expected {f.name} ({' or '.join(tag_name(t) for t in f.tags)}) at {pos:#x}, found {found}"
            if pos == tlv.end:
                children[-1] = children[-1].noted(why, "error")
            else:
                children.append(raw(data, pos, tlv.end, "undecoded", why))
            return replace(leaf(tlv, name, None, ""), children=tuple(children))
        elif isinstance(got, str) and all(g.optional for g in fields[i:]):
            break
    if pos < tlv.end:
        children.append(raw(data, pos, tlv.end, "trailing", f"{tlv.end - pos} bytes behind the last element"))
    return replace(leaf(tlv, name, None, ""), children=tuple(children))


def each(data: bytes, tlv: Tlv, name: str, decode: Callable[[bytes, Tlv, int], Node], limit: int) -> Node:
    """A SEQUENCE OF or SET OF: at most ``limit`` elements are decoded, the rest is a raw leaf with a note."""
    children, pos = [header(data, tlv)], tlv.body
    while pos < tlv.end:
        got = read(data, pos, tlv.end)
        if isinstance(got, str) or len(children) > limit:
            children.append(raw(data, pos, tlv.end, "undecoded", got if isinstance(got, str) else f"more than {limit} elements"))
            break
        children.append(decode(data, got, len(children) - 1))
        pos = got.end
    return replace(leaf(tlv, name, None, ""), children=tuple(children))


def oid_text(body: bytes) -> str:
    """'1.3.6.1.4.1.412.274.1' from the bytes of an object identifier; '' where they are none."""
    if not body or len(body) > MAX_OID or body[-1] & 0x80:
        return ""
    numbers, number = [], 0
    for byte in body:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def oid(data: bytes, tlv: Tlv, name: str) -> Node:
    """An object identifier: value '1.2.840.10045.2.1', text with its name where it is known."""
    dotted = oid_text(data[tlv.body : tlv.end])
    if not dotted:
        return leaf(tlv, name, data[tlv.body : tlv.end], hexed(data[tlv.body : tlv.end])).noted(
            "not an object identifier", "error"
        )
    return leaf(tlv, name, dotted, f"{OIDS[dotted]} ({dotted})" if dotted in OIDS else dotted)


def boolean(data: bytes, tlv: Tlv, name: str) -> Node:
    """A BOOLEAN."""
    on = any(data[tlv.body : tlv.end])
    return leaf(tlv, name, int(on), "TRUE" if on else "FALSE")


def bit_string(data: bytes, tlv: Tlv, name: str) -> Node:
    """A BIT STRING; the value leaves out the byte that counts unused bits."""
    body = data[tlv.body + 1 : tlv.end]
    return leaf(tlv, name, body, hexed(body))


def any_value(data: bytes, tlv: Tlv, name: str) -> Node:
    """A value of no particular type: text where it is a string, a name where it is an object identifier, else hex."""
    if tlv.tag == 6:
        return oid(data, tlv, name)
    if tlv.tag in CHARSETS:
        text = string(data, tlv)
        return leaf(tlv, name, text, text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)")
    if tlv.tag == 5:
        return leaf(tlv, name, None, "NULL")
    return leaf(tlv, name, data[tlv.body : tlv.end], f"{tag_name(tlv.tag)} {hexed(data[tlv.body : tlv.end])}")


def string(data: bytes, tlv: Tlv) -> str:
    """The characters of a string type; bytes that are none of its characters are shown as ``\\xNN``."""
    return data[tlv.body : tlv.end].decode(CHARSETS.get(tlv.tag, "utf-8"), "backslashreplace")


def time(data: bytes, tlv: Tlv, name: str) -> Node:
    """UTCTime or GeneralizedTime in UTC: text '2023-04-20T01:13:54Z' (RFC 5280 section 4.1.2.5)."""
    body = data[tlv.body : tlv.end].decode("ascii", "backslashreplace")
    digits = body[:-1]
    if tlv.tag == 0x17 and len(digits) == 12 and digits.isdigit():
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    if body[-1:] != "Z" or len(digits) != 14 or not digits.isdigit():
        return leaf(tlv, name, body[:MAX_TEXT], body[:MAX_TEXT]).noted("not a time of the form that RFC 5280 asks for", "warning")
    text = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:12]}:{digits[12:]}Z"
    return leaf(tlv, name, text, text)
