"""Fields of SPDM messages: layouts of fixed parts, defined with Construct, and the nodes of single values."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, NamedTuple

import construct

from ..tree import Node, Severity
from .algorithms import Table
from .codes import V14, version_text

Make = Callable[[str, Any, int, int], Node]
"""(name, value, byte offset, size in bytes) -> the node of one field."""

HEX_SHOWN = 64
"""Bytes of a field that its text has."""
_CACHE, _CACHED_WORDS = 256, 64
"""How often nodes of equal bytes at equal offsets are kept: by layout, and by field of bits. A capture repeats itself."""
_CACHED_SIZE = 64
"""Bytes of the largest layout of which nodes are kept."""


class _Open:
    """A node under construction, which the frozen dataclass does not allow."""

    __slots__ = Node.__slots__


def node(
    name: str,
    value: int | bytes | str | None = None,
    text: str = "",
    offset: int | None = None,
    size: int = 0,
    children: tuple[Node, ...] = (),
    note: str | None = None,
    severity: Severity | None = None,
) -> Node:
    """The same as ``Node(...)``, made four times as fast: a message has dozens of them."""
    made: Any = _Open()
    made.name = name
    made.value = value
    made.text = text
    made.offset = offset
    made.size = size
    made.children = children
    made.note = note
    made.severity = severity
    made.__class__ = Node
    return made  # type: ignore[no-any-return]


def hexed(value: bytes) -> str:
    """Bytes as a person reads them: hexadecimal, cut where long."""
    if len(value) <= HEX_SHOWN:
        return value.hex() if value else "none"
    return f"{value[:HEX_SHOWN].hex()}... ({len(value)} bytes)"


def raw(name: str, value: bytes, offset: int, size: int = 0) -> Node:
    """Bytes."""
    return node(name, value, hexed(value), offset, len(value))


def number(name: str, value: int, offset: int, size: int) -> Node:
    """A count, a length, a time: decimal."""
    return node(name, value, str(value), offset, size)


def hexadecimal(name: str, value: int, offset: int, size: int) -> Node:
    """An id or an opaque value."""
    return node(name, value, f"{value:#x}", offset, size)


def reserved(name: str, value: int | bytes, offset: int, size: int) -> Node:
    """What should be zero."""
    if isinstance(value, bytes):
        if not any(value):
            return node(name, value, f"zero ({size} bytes)", offset, size)
        return node(name, value, value.hex(), offset, size, (), "reserved, should be zero", "warning")
    if not value:
        return node(name, 0, "0", offset, size)
    return node(name, value, f"{value:#x}", offset, size, (), "reserved, should be zero", "warning")


def version_number(name: str, value: int, offset: int, size: int) -> Node:
    """A version of two bytes (DSP0274 VersionNumberEntry): ``1.2``, or ``1.2.1.3`` where update and alpha are not 0."""
    text = f"{value >> 12}.{value >> 8 & 15}"
    return node(name, value, text + (f".{value >> 4 & 15}.{value & 15}" if value & 0xFF else ""), offset, size)


def named(names: Mapping[int, str], value: int) -> str:
    """``AllHash (0xff)``, ``unknown (7)``."""
    shown = str(value) if value < 10 else f"{value:#x}"
    return f"{names[value]} ({shown})" if value in names else f"unknown ({shown})"


def enum(names: Mapping[int, str], otherwise: str | None = None) -> Make:
    """A value with a name. ``otherwise`` is the name of all others; without it they have a note."""

    def make(name: str, value: int, offset: int, size: int) -> Node:
        if value in names:
            return node(name, value, named(names, value), offset, size)
        if otherwise is not None:
            return node(name, value, f"{otherwise} ({value:#x})", offset, size)
        return node(name, value, named(names, value), offset, size, (), f"{name} has no value {value:#x}", "warning")

    return make


def slots(name: str, value: int, offset: int, size: int) -> Node:
    """A mask of certificate slots."""
    held = ", ".join(str(i) for i in range(8 * size) if value >> i & 1)
    return node(name, value, f"{value:#04x} (slots {held})" if held else f"{value:#04x} (none)", offset, size)


def slot(name: str, value: int, offset: int, size: int) -> Node:
    """A parameter that is a slot, 0xFF where a public key was provisioned instead of a certificate chain."""
    if value == 0xFF:
        return node(name, value, "provisioned public key (0xff)", offset, size)
    note = "slots are 0 to 7" if value > 7 else None
    return node(name, value, str(value), offset, size, (), note, "warning" if note else None)


def _slot_bits(name: str, value: int, offset: int, size: int) -> Node:
    if value == 15:
        return node(name, value, "provisioned public key (15)", offset, size)
    note = "slots are 0 to 7" if value > 7 else None
    return node(name, value, str(value), offset, size, (), note, "warning" if note else None)


def detached(made: Node) -> Node:
    """The same tree, for bytes that lie in no buffer of the caller: put together from several messages."""
    children = tuple([detached(c) for c in made.children])
    return node(made.name, made.value, made.text, None, made.size, children, made.note, made.severity)


class Bits(NamedTuple):
    """Some bits of a field: a number, or a value with a name, or a flag where it is one bit wide.

    since   first version that defines them
    shown   what stands for it in the text of the whole, where not the name
    """

    name: str
    lsb: int
    msb: int
    names: Mapping[int, str] | None = None
    since: int = 0x10
    shown: str = ""


def flag(name: str, bit: int, since: int = 0x10) -> Bits:
    """One bit."""
    return Bits(name, bit, bit, None, since)


def bits(*fields: Bits, version: int = V14, word: bool = False) -> Make:
    """A field of bits: its children are those that ``version`` defines, and those of later versions that are set all the
    same, with a note; bits without a name have one on the whole.

    ``word`` says the value as a number before the names.
    """
    known = tuple(f for f in fields if f.since <= version)
    later = tuple(f for f in fields if f.since > version)
    mask = sum(((1 << (f.msb - f.lsb + 1)) - 1) << f.lsb for f in known)

    made: dict[tuple[str, int, int, int], Node] = {}

    def make(name: str, value: int, offset: int, size: int) -> Node:
        key = (name, value, offset, size)
        found = made.get(key)
        if found is None:
            if len(made) >= _CACHED_WORDS:
                made.clear()
            found = made[key] = fresh(name, value, offset, size)
        return found

    def fresh(name: str, value: int, offset: int, size: int) -> Node:
        children = []
        said = []
        for f in known:
            part = value >> f.lsb & (1 << (f.msb - f.lsb + 1)) - 1
            if f.name == "SlotID":
                children.append(_slot_bits(f.name, part, offset, size))
                said.append(f"slot {part}")
            elif f.names is not None:
                odd = part not in f.names
                text = named(f.names, part)
                note = f"{f.name} has no value {part}" if odd else None
                children.append(node(f.name, part, text, offset, size, (), note, "warning" if odd else None))
                if part or f.shown:
                    said.append(f"{f.shown or f.name}={f.names.get(part, part)}")
            elif f.lsb == f.msb:
                children.append(node(f.name, part, str(part), offset, size))
                if part:
                    said.append(f.shown or f.name)
            else:
                children.append(node(f.name, part, str(part), offset, size))
                if part or f.shown:
                    said.append(f"{f.shown or f.name}={part}")
        for f in later:  # named where they are set: the note on the whole says that they should not be
            part = value >> f.lsb & (1 << (f.msb - f.lsb + 1)) - 1
            if part:
                shown = str(part) if f.names is None else named(f.names, part)
                note = f"not defined before SPDM {version_text(f.since)}"
                children.append(node(f.name, part, shown, offset, size, (), note, "warning"))
                said.append(f.name)
        text = " | ".join(said) or "none"
        if word:
            text = f"{value:#x} ({text})"
        other = value & ~mask
        note = f"bits not defined in SPDM {version_text(version)}: {other:#x}" if other else None
        return node(name, value, text, offset, size, tuple(children), note, "warning" if other else None)

    return make


def algorithms(table: Table, version: int = V14, one: bool = False) -> Make:
    """A field of algorithms by bit. ``one``: a selection, in which at most one may be set."""
    shown = bits(*(Bits(a.name, i, i, None, a.since) for i, a in enumerate(table)), version=version)

    def make(name: str, value: int, offset: int, size: int) -> Node:
        made = shown(name, value, offset, size)
        if one and value & (value - 1):
            return made.noted("more than one selected", "error")
        return made

    return make


class Layout:
    """A run of fixed fields, little-endian: (name, Construct, maker) each.

    ``struct`` is the Construct; the same bytes are read with one ``struct.unpack_from`` where all of them are there.
    Nodes of short layouts without random bytes are shared between messages.
    """

    def __init__(self, *fields: tuple[str, Any, Make]) -> None:
        self.struct = construct.Struct(*(name / con for name, con, _ in fields))
        self.fields = fields
        form = "<"
        rows = []
        at = 0
        for name, con, make in fields:
            size = con.sizeof()
            if isinstance(con, construct.FormatField):
                form += con.fmtstr[-1]
            else:
                form += f"{size}s"
            rows.append((name, at, size, make))
            at += size
        self.size = at
        self.rows = tuple(rows)
        self._unpack = struct.Struct(form).unpack_from
        self._cached = at <= _CACHED_SIZE and all(con.sizeof() <= 4 or make is reserved for _, con, make in fields)
        self._nodes: dict[tuple[bytes, int], tuple[tuple[Any, ...], tuple[Node, ...]]] = {}

    def read(self, data: bytes, pos: int, offset: int) -> tuple[tuple[Any, ...], tuple[Node, ...]]:
        """The values and nodes of the fields at ``pos``, where all of their bytes are; ``offset`` is for the nodes."""
        if not self._cached:
            values = self._unpack(data, pos)
            return values, tuple(
                [make(name, value, offset + at, size) for (name, at, size, make), value in zip(self.rows, values, strict=True)]
            )
        key = (data[pos : pos + self.size], offset)
        found = self._nodes.get(key)
        if found is None:
            values = self._unpack(data, pos)
            rows = zip(self.rows, values, strict=True)
            found = values, tuple([make(name, value, offset + at, size) for (name, at, size, make), value in rows])
            if len(self._nodes) >= _CACHE:
                self._nodes.clear()
            self._nodes[key] = found
        return found

    def partial(self, data: bytes, offset: int) -> tuple[list[Node], str, int]:
        """What fits of the fields, and name and size of the first that does not."""
        stream = BytesIO(data)
        nodes: list[Node] = []
        for name, con, make in self.fields:
            at = stream.tell()
            try:
                value = con.parse_stream(stream)
            except construct.ConstructError:
                return nodes, name, con.sizeof()
            nodes.append(make(name, value, offset + at, con.sizeof()))
        return nodes, "", 0
