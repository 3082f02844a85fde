"""Memory as a tree: structures of the ABI tables, read with Construct, as nodes with byte offsets.

Every byte of the given data lies in exactly one leaf: fields, the padding between them, what is unused of a list, what
follows the structure. The bit fields of one word share its bytes. Layouts are interpreted, never compiled: compiled
Construct accepts truncated input. Construct is imported with the first structure that is decoded.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any, Literal

from . import dev_comm, fields, names
from .abi import Profile, Struct, StructField
from .tree import Node

GRANULE = 4096
RAW = ("DataSrc", "DevCommReqBuf", "DevCommRspBuf")
"""Memory without a layout: the page copied by RMI_DATA_CREATE, and the request and response of a device exchange."""
ADDRESS_LIST = "RmiAddrList"
"""Range descriptors one after the other: OP_MEM_DONATE, OP_MEM_RECLAIM, oaddr of the RTT range calls."""

_HEX_SHOWN = 64


class _Cut(Exception):
    """The data ends inside this part; the parts above stop too. ``nodes`` are those that fit, with the error."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes


def structs(revision: str) -> tuple[str, ...]:
    """Every name that ``decode_struct`` knows in a revision: RMI, RSI, then memory without a structure of its own."""
    own = names.profile(revision)
    lists = (ADDRESS_LIST,) if "RmiAddrRangeDesc4KB" in own.bitfields else ()
    return (*own.structs, *names.profile(revision, "RSI").structs, *lists, *RAW)


def decode_struct(name: str, data: bytes, *, revision: str, when: Literal["enter", "exit"] | None = None) -> Node:
    """A structure in memory as a tree; offsets count from the start of ``data``.

    ``when``: seen before or after the call that it was handed over with, which says which half of RmiDevCommData is new.

    A structure that only another revision has is decoded as that one has it, with a note. Data that ends early gives
    the fields that fit, an error node, and the rest as a raw leaf; data beyond the structure is a leaf ``trailing``.
    Raises LookupError for an unknown name or revision, and nothing else.
    """
    data = bytes(data)
    home = names.profile(revision)
    if name in RAW:
        return _bytes(name, data, 0)
    for rev in (revision, *names.others(revision)):
        for service in ("RMI", "RSI"):
            p = names.profile(rev, service)
            if name in p.structs:
                node = _Reader(p, data).whole(p.structs[name])
                if name == dev_comm.PAGE:
                    node = dev_comm.described(node, when)
            elif name == ADDRESS_LIST and "RmiAddrRangeDesc4KB" in p.bitfields:
                node = _Reader(p, data).address_list()
            else:
                continue
            return node if rev == home.revision else node.noted(f"not in {revision}; layout of {rev}", "warning")
    raise LookupError(f"no structure {name!r}")


@cache
def _construct(revision: str, service: str, name: str) -> Any:
    """The Construct of a structure, gaps as bytes named after their offset."""
    import construct as c

    numbers = {1: c.Int8ul, 2: c.Int16ul, 4: c.Int32ul, 8: c.Int64ul}
    p = names.profile(revision, service)
    parts: list[Any] = []
    at = 0
    for f in p.structs[name].fields:
        if f.offset > at:
            parts.append(f"{at:#x}" / c.Bytes(f.offset - at))
        if f.type in p.structs:
            one = _construct(revision, service, f.type)
        else:
            one = numbers.get(f.size) or c.Bytes(f.size)
        if f.count is not None:
            one = c.Bytes(f.total) if f.size == 1 else c.Array(f.count, one)
        parts.append(f.name / one)
        at = f.offset + f.total
    if at < p.structs[name].size:
        parts.append(f"{at:#x}" / c.Bytes(p.structs[name].size - at))
    return c.Struct(*parts)


class _Reader:
    """Walks a Construct over one buffer and makes nodes of what it reads."""

    def __init__(self, profile: Profile, data: bytes) -> None:
        self.profile = profile
        self.data = data
        self.stream = io.BytesIO(data)

    def whole(self, struct: Struct) -> Node:
        """A structure at the start of the buffer and what follows it."""
        try:
            children = self.struct(struct)
        except _Cut as cut:
            children = cut.nodes
        if len(self.data) > struct.size:
            children.append(_trailing(struct, self.data))
        return Node(struct.name, None, "", 0, len(self.data), tuple(children))

    def struct(self, struct: Struct) -> list[Node]:
        """The nodes of a structure from here on. Raises _Cut where the data ends first."""
        base = self.stream.tell()
        known = {f.name: f for f in struct.fields}
        nodes: list[Node] = []
        con = _construct(self.profile.revision, "RSI" if self.profile.prefix == "RSI_" else "RMI", struct.name)
        for part in con.subcons:
            at = self.stream.tell()
            f = known.get(part.name)
            try:
                if f is None:
                    nodes.append(self.padding(struct, part, base, last=part is con.subcons[-1]))
                elif f.count is not None:
                    nodes.append(self.array(struct, f, part.subcon, base))
                else:
                    nodes.append(self.one(f.name, f, part.subcon))
            except _Cut as cut:
                if f is not None and (f.count is not None or f.type in self.profile.structs):
                    nodes.append(Node(f.name, None, "", at, len(self.data) - at, tuple(cut.nodes)))
                else:
                    nodes.extend(cut.nodes)
                raise _Cut(nodes) from None
        return nodes

    def parse(self, name: str, con: Any) -> Any:
        """What the Construct reads here. Raises _Cut with the error and the rest where the data ends first."""
        import construct

        at = self.stream.tell()
        try:
            return con.parse_stream(self.stream)
        except construct.ConstructError:
            left = len(self.data) - at
            want = con.sizeof()
            error = Node(name, None, "truncated", at, 0).noted(f"{want} bytes expected at {at:#x}, {left} there", "error")
            raise _Cut([error, _bytes("rest", self.data[at:], at)] if left else [error]) from None

    def one(self, name: str, f: StructField, con: Any) -> Node:
        """One value: a nested structure, bytes, or a number of the field's type."""
        at = self.stream.tell()
        nested = self.profile.structs.get(f.type)
        if nested is not None:
            children = tuple(self.struct(nested))
            size = min(nested.size, len(self.data) - at)
            return Node(name, None, self.summary(nested, children), at, size, children)
        value = self.parse(name, con)
        if isinstance(value, bytes):
            return _bytes(name, value, at)
        return fields.decode(self.profile, name, f.type, value, at, f.size)

    @staticmethod
    def summary(nested: Struct, children: tuple[Node, ...]) -> str:
        """``0x1000-0x2000`` of an address range; nothing of other structures."""
        if [f.name for f in nested.fields] != ["base", "top"]:
            return ""
        return f"{children[0].text}-{children[1].text}"

    def padding(self, struct: Struct, part: Any, base: int, *, last: bool) -> Node:
        """Bytes between fields, which should be zero. Those behind the last field may be missing."""
        at = self.stream.tell()
        missing = base + struct.size - len(self.data)
        if last and missing > 0:
            value = self.stream.read()
            node = _bytes("reserved", value, at).noted(f"{struct.name} ends {missing} bytes early; no field is missing")
        else:
            value = self.parse("reserved", part)
            node = _bytes("reserved", value, at)
        return node.noted("reserved, should be zero", "warning") if any(value) else node

    def array(self, struct: Struct, f: StructField, con: Any, base: int) -> Node:
        """A list: elements in use, then one leaf of the others."""
        at = self.stream.tell()
        capacity = f.count or 0
        counter = self.count(struct, f, base)
        used = capacity if counter is None else min(counter, capacity)
        node = Node(f.name, None, "" if counter is None else f"{used} of {capacity}", at, f.total)
        if counter is not None and counter > capacity:
            node = node.noted(f"{f.counted_by} is {counter}, the list holds {capacity}", "error")
        if f.size == 1:
            return self.byte_array(node, f, con, used)
        children: list[Node] = []
        if counter is None:
            used = self.last_not_zero(at, f)
        for i in range(used):
            here = self.stream.tell()
            try:
                children.append(self.one(_element(f, i), f, con.subcon))
            except _Cut as cut:
                if f.type in self.profile.structs:
                    cut.nodes = [Node(_element(f, i), None, "", here, len(self.data) - here, tuple(cut.nodes))]
                raise _Cut([*children, *cut.nodes]) from None
        if used < capacity:
            try:
                children.append(self.unused(f, used, counter))
            except _Cut as cut:
                raise _Cut([*children, *cut.nodes]) from None
        return Node(node.name, None, node.text, at, f.total, tuple(children), node.note, node.severity)

    def byte_array(self, node: Node, f: StructField, con: Any, used: int) -> Node:
        """A list of bytes, in use up to ``used``: its value is those."""
        at = self.stream.tell()
        value = self.parse(f.name, con)
        children: tuple[Node, ...] = ()
        if used < f.total:
            rest = _bytes("unused", value[used:], at + used)
            rest = rest.noted(f"not zero, but beyond {f.counted_by}") if any(value[used:]) else rest
            children = (_bytes(f"[0:{used}]", value[:used], at), rest) if used else (rest,)
        return Node(node.name, value[:used], _hex(value[:used]), at, f.total, children, node.note, node.severity)

    def unused(self, f: StructField, used: int, counter: int | None) -> Node:
        """The elements that are not in use: one leaf."""
        import construct

        at = self.stream.tell()
        many = (f.count or 0) - used
        name = "unused" if counter is not None else _elements(f, used, used + many - 1)
        value = self.parse(name, construct.Bytes(many * f.size))
        if counter is not None:
            node = _bytes("unused", value, at)
            return node.noted(f"not zero, but beyond {f.counted_by}") if any(value) else node
        return Node(name, 0, f"{'0x0' if f.size <= 8 else 'zero'} ({many} times)", at, len(value))

    def count(self, struct: Struct, f: StructField, base: int) -> int | None:
        """How many elements are in use; None where no field says so or that field is not there."""
        field = next((c for c in struct.fields if c.name == f.counted_by), None)
        if field is None or base + field.offset + field.size > len(self.data):
            return None
        return int.from_bytes(self.data[base + field.offset : base + field.offset + field.size], "little")

    def last_not_zero(self, at: int, f: StructField) -> int:
        """Elements up to the last one worth a line of its own: three or more zeros at the end are one leaf."""
        held = self.data[at : at + f.total]
        used = -(-len(held.rstrip(b"\0")) // f.size)
        capacity = f.count or 0
        return used if capacity - used > 2 and len(held) == f.total else capacity

    def address_list(self) -> Node:
        """Range descriptors of 8 bytes up to the last that is not zero, at most a granule of them."""
        import construct

        end = min(len(self.data), GRANULE)
        used = -(-len(self.data[:end].rstrip(b"\0")) // 8)
        children: list[Node] = []
        try:
            for i in range(used):
                at = self.stream.tell()
                value = self.parse(f"[{i}]", construct.Int64ul)
                children.append(fields.decode(self.profile, f"[{i}]", "RmiAddrRangeDesc4KB", value, at, 8))
        except _Cut as cut:
            children += cut.nodes
        at = 8 * used
        if at < end:
            children.append(_bytes("unused", self.data[at:end], at))
        if len(self.data) > GRANULE:
            beyond = _bytes("trailing", self.data[GRANULE:], GRANULE)
            children.append(beyond.noted("a list does not go over a granule border"))
        return Node(ADDRESS_LIST, None, f"{used} entries", 0, len(self.data), tuple(children))


def _element(f: StructField, i: int) -> str:
    return f"x{i}" if f.name == "gprs" else f"[{i}]"


def _elements(f: StructField, first: int, last: int) -> str:
    return f"x{first}..x{last}" if f.name == "gprs" else f"[{first}..{last}]"


def _trailing(struct: Struct, data: bytes) -> Node:
    rest = data[struct.size :]
    node = _bytes("trailing", rest, struct.size)
    return node.noted(f"beyond the {struct.size} bytes of {struct.name}") if any(rest) else node


def _bytes(name: str, value: bytes, offset: int) -> Node:
    return Node(name, value, _hex(value), offset, len(value))


def _hex(value: bytes) -> str:
    """Bytes as text: hexadecimal without the zeros at the end, cut where long."""
    unit = "byte" if len(value) == 1 else "bytes"
    shown = value.rstrip(b"\0")
    if not shown:
        return f"zero ({len(value)} {unit})" if value else "none"
    cut = shown[:_HEX_SHOWN].hex() + ("..." if len(shown) > _HEX_SHOWN else "")
    zeros = len(value) - len(shown)
    if len(value) <= _HEX_SHOWN:
        return value.hex()
    return f"{cut} ({len(value)} {unit})" if not zeros else f"{cut} ({len(value)} {unit}, zero from {len(shown):#x})"
