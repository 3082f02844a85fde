"""What one revision of the RMM ABI holds, and the short forms its tables are written in.

A ``Profile`` is the RMI or RSI of one revision of DEN0137. The first one of a line is written in full, the others
are derived: they state what was added, changed or removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from .spec import Command, Reg

Enum = Mapping[int, str]
"""Value -> name in the spec's spelling."""


@dataclass(frozen=True, slots=True)
class Register(Reg):
    """A register of an RMI or RSI call.

    bits  (lsb, msb) that hold the value where it is narrower than the register; the others are zero
    """

    bits: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class RmmCommand(Command):
    """A call of RMI or RSI.

    stateful  None, or what the call may start (2.0): 'memory' an operation that asks for memory or gives it back,
              'plain' one that does neither. x1 is its handle on RMI_INCOMPLETE, x2 the RmiOpMemDonateReq
    notes     what differs between drafts, firmware and kernels
    """

    stateful: str | None = None
    notes: tuple[str, ...] = ()


class BitField(NamedTuple):
    """Bits [msb:lsb] of a word. ``type`` is an enum of the same revision, 'Address' (the bits stand where they stand in
    the address) or '' (a flag or a number)."""

    name: str
    lsb: int
    msb: int
    type: str = ""
    desc: str = ""

    @property
    def mask(self) -> int:
        """The bits in place."""
        return (1 << self.msb + 1) - (1 << self.lsb)


@dataclass(frozen=True, slots=True)
class StructField:
    """A field of a structure in memory, little-endian.

    offset      bytes from the start of the structure
    size        bytes of one element
    count       number of elements of an array, None for a single value
    counted_by  field of the same structure that says how many elements are in use
    """

    name: str
    offset: int
    size: int
    type: str
    count: int | None = None
    counted_by: str | None = None
    desc: str = ""

    @property
    def total(self) -> int:
        """Bytes of the whole field."""
        return self.size * (1 if self.count is None else self.count)


class Struct(NamedTuple):
    """A structure in memory: ``size`` bytes, fields in the order of their offsets, the rest should be zero."""

    name: str
    size: int
    fields: tuple[StructField, ...]


class Failure(NamedTuple):
    """A condition under which a command fails. ``source`` says where it was read."""

    id: str
    status: str
    when: str
    source: str


class Transition(NamedTuple):
    """A step of a state machine: ``start`` and ``end`` are states, None outside the object's life."""

    start: str | None
    command: str
    end: str | None
    when: str = ""
    op: str = ""
    comm: str = ""


class Machine(NamedTuple):
    """A state machine. ``numbers`` gives the value a state has in registers, where it has one."""

    states: tuple[str, ...]
    transitions: tuple[Transition, ...]
    numbers: Mapping[str, int] = MappingProxyType({})
    operations: tuple[str, ...] = ()
    comm_states: tuple[str, ...] = ()


class Vocabulary:
    """Types and meanings of register names, so that a table says only ``rd rec_ptr base top``.

    A row may give another type (``flags:RmiDataFlags``), the bits that count (``state:RmiPdevState[7:0]``) and, for a
    result, the statuses it is valid on (``top@SUCCESS|ERROR_RTT``).
    """

    _TOKEN = re.compile(r"(\w+)(?::([\w.]+))?(?:\[(\d+):(\d+)\])?(?:@([\w|]+))?\Z")

    def __init__(self, prefix: str, names: Mapping[str, tuple[str, str]]) -> None:
        self.prefix = prefix
        self.names = names

    def commands(self, table: str, service: str) -> tuple[RmmCommand, ...]:
        """Commands from a table: at the margin function id, name and what it does, below it ``args -> results``.

        ``value_0..7`` stands for eight registers. ``+plain`` or ``+memory`` after the results: the call may start an
        operation of that kind. Raises ValueError where the table is not well written.
        """
        out = []
        for head, lines in _blocks(table):
            fid, name, summary = head.split(None, 2)
            args, _, results = " ".join(lines).partition("->")
            kind = None
            if "+" in results:
                results, _, kind = results.partition("+")
            row = RmmCommand(name, int(fid, 16), service, summary, self.registers(args), self.registers(results, results=True))
            out.append(stateful(row, kind) if kind else row)
        return tuple(out)

    def registers(self, text: str, *, results: bool = False) -> tuple[Register, ...]:
        """x1, x2, ... of a row. Raises ValueError where the row is not well written."""
        tokens: list[str] = []
        for token in text.split():
            stem, _, last = token.partition("_0..")
            tokens += [f"{stem}_{i}" for i in range(int(last) + 1)] if last else [token]
        return tuple(self._register(i, token, results) for i, token in enumerate(tokens, 1))

    def _register(self, reg: int, token: str, results: bool) -> Register:
        match = self._TOKEN.match(token)
        if match is None:
            raise ValueError(f"not a register: {token!r}")
        name, type, msb, lsb, on = match.groups()
        usual, desc = self.names.get(f"{name}:{type}") or self.names.get(name, ("", ""))
        valid = tuple(self.prefix + s for s in on.split("|")) if on else (self.prefix + "SUCCESS",) if results else ()
        return Register(reg, name, type or usual, valid, desc, (int(lsb), int(msb)) if msb else None)


def bit(name: str, at: int, type: str = "", desc: str = "") -> BitField:
    """A field of one bit."""
    return BitField(name, at, at, type, desc)


def bits(name: str, msb: int, lsb: int, type: str = "", desc: str = "") -> BitField:
    """A field of bits [msb:lsb]."""
    return BitField(name, lsb, msb, type, desc)


def flags(*names: str) -> tuple[BitField, ...]:
    """One bit a name, from bit 0 up."""
    return tuple(bit(name, i) for i, name in enumerate(names))


_FIELD = re.compile(r"(0x[0-9a-fA-F]+) +(\d+)(?:x(\d+))? +(\w+) +(\w+)(?: +\[(\w+)\])?(?: +([^\[].*))?\Z")


def structs(text: str, base: Mapping[str, Struct] | None = None) -> dict[str, Struct]:
    """Structures from a table.

    A line at the margin starts one: name and size in bytes. Below it one line a field: offset, bytes (``8x31`` is
    31 elements of 8 bytes), name, type, ``[num_aux]`` where that field counts the elements in use, and a remark.
    A name without a size changes the structure of ``base``: fields with its lines are added, ``- name`` takes one away.
    Raises ValueError where the table is not well written.
    """
    known = dict(base or {})
    for head, lines in _blocks(text):
        name, *size = head.split()
        old = Struct(name, int(size[0], 16), ()) if size else known[name]
        fields = {f.name: f for f in old.fields}
        for line in lines:
            if line.startswith("- "):
                del fields[line[2:]]
            else:
                f = _struct_field(line)
                fields[f.name] = f
        known[name] = old._replace(fields=tuple(sorted(fields.values(), key=lambda f: f.offset)))
    return known


def _struct_field(line: str) -> StructField:
    match = _FIELD.match(line)
    if match is None:
        raise ValueError(f"not a field: {line!r}")
    offset, size, count, name, type, counted_by, desc = match.groups()
    return StructField(name, int(offset, 16), int(size), type, int(count) if count else None, counted_by, desc or "")


def failures(text: str, sources: Mapping[str, str]) -> dict[str, tuple[Failure, ...]]:
    """Failure conditions from a table.

    A line at the margin names a command and the source of its list (a key of ``sources``); below it one line a
    condition: id, status without its prefix, when. A status followed by ``/key`` has a source of its own. A line that
    is indented further goes on with the one above.
    """
    out: dict[str, tuple[Failure, ...]] = {}
    for head, lines in _blocks(text):
        name, *source = head.split()
        rows = []
        for line in lines:
            ident, status, when = line.split(None, 2)
            status, _, own = status.partition("/")
            rows.append(Failure(ident, "RMI_" + status, when, sources[own or source[0]]))
        out[name] = tuple(rows)
    return out


def remarks(text: str) -> dict[str, tuple[str, ...]]:
    """Remarks on commands from a table: a name at the margin, below it one line a remark, or more where the others are
    indented further."""
    return {head: tuple(lines) for head, lines in _blocks(text)}


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    for block in re.split(r"\n(?=\S)", text.strip("\n")):
        head, *rest = block.splitlines()
        lines: list[str] = []
        for line in rest:
            if line.startswith("     ") and lines:
                lines[-1] += " " + line.strip()
            elif line.strip():
                lines.append(line.strip())
        yield head, lines


@dataclass(frozen=True)
class Profile:
    """RMI or RSI of one revision.

    revision    '2.0-bet3'; of RSI the set: '1.0', '1.1', '2.0'
    prefix      'RMI_' or 'RSI_'
    commands    by name
    enums       by type name: value -> spec name
    bitfields   by type name
    structs     by type name
    packing     fields of x0 besides the status, by status: what a result carries; '' for statuses not listed
    aliases     other spelling of a command -> name
    other_fids  function ids that belong to another draft: fid -> (name, draft)
    """

    revision: str
    prefix: str
    commands: Mapping[str, RmmCommand]
    enums: Mapping[str, Enum]
    bitfields: Mapping[str, tuple[BitField, ...]]
    structs: Mapping[str, Struct]
    packing: Mapping[str, tuple[BitField, ...]]
    aliases: Mapping[str, str] = field(default_factory=dict)
    other_fids: Mapping[int, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def by_fid(self) -> Mapping[int, RmmCommand]:
        """The commands by function id."""
        return MappingProxyType({c.fid: c for c in self.commands.values()})

    @cached_property
    def statuses(self) -> Enum:
        """The status codes."""
        return self.enums[{"RMI_": "RmiStatusCode", "RSI_": "RsiCommandReturnCode"}[self.prefix]]

    def failures(self, name: str) -> tuple[Failure, ...]:
        """When a command fails, as far as the sources say. Raises LookupError for a name that is not a command."""
        if name not in self.commands:
            raise LookupError(f"no command {name} in {self.revision}")
        return self._failures.get(name, ())

    @cached_property
    def _failures(self) -> Mapping[str, tuple[Failure, ...]]:
        if self.prefix != "RMI_":
            return {}
        from .rmi.conditions import of  # the longest tables: read only when asked for

        return of(self.revision)

    @cached_property
    def machines(self) -> Mapping[str, Machine]:
        """The state machines: 'PDEV', 'VDEV', 'PDEV_STREAM', 'GRANULE', 'REALM', as far as the revision has them."""
        if self.prefix != "RMI_":
            return {}
        from .rmi.machines import MACHINES

        return MACHINES.get(self.revision, {})

    def derive(
        self,
        revision: str,
        *,
        commands: Iterable[RmmCommand] = (),
        removed: Iterable[str] = (),
        now_stateful: Mapping[str, str] | None = None,
        notes: Mapping[str, tuple[str, ...]] | None = None,
        enums: Mapping[str, Mapping[int, str | None]] | None = None,
        bitfields: Mapping[str, tuple[BitField, ...]] | None = None,
        struct_table: str = "",
        removed_types: Iterable[str] = (),
        packing: Mapping[str, tuple[BitField, ...]] | None = None,
        aliases: Mapping[str, str] | None = None,
        other_fids: Mapping[int, tuple[str, str]] | None = None,
    ) -> Profile:
        """The next revision, from what differs.

        commands      new ones, and old ones whose registers changed
        removed       names of commands that are gone; removed_types the same for enums, bit fields, structures
        now_stateful  old commands that may start an operation from here on: name -> 'plain' or 'memory'
        notes         remarks on commands; those of the older revision do not carry over
        enums         new types, and new or renamed values of old ones; a value of None is gone
        bitfields     new and changed sets, whole
        struct_table  new and changed structures, see ``structs``
        """
        gone = set(removed)
        kept = {n: _noted(c, ()) for n, c in self.commands.items() if n not in gone}
        for name, kind in (now_stateful or {}).items():
            kept[name] = stateful(kept[name], kind)
        kept.update((c.name, c) for c in commands)
        remarks = notes or {}
        table = structs(struct_table, self.structs) if struct_table else dict(self.structs)
        no_more = set(removed_types)
        return Profile(
            revision,
            self.prefix,
            {n: _noted(c, remarks.get(n, ())) for n, c in sorted(kept.items(), key=lambda i: i[1].fid)},
            {n: e for n, e in _merge_enums(self.enums, enums or {}).items() if n not in no_more},
            {n: b for n, b in {**self.bitfields, **(bitfields or {})}.items() if n not in no_more},
            {n: s for n, s in table.items() if n not in no_more},
            self.packing if packing is None else packing,
            {**self.aliases, **(aliases or {})},
            other_fids or {},
        )

    def names(self) -> Iterator[str]:
        """Every name of a type: enums, bit fields, structures."""
        yield from self.enums
        yield from self.bitfields
        yield from self.structs


def _noted(command: RmmCommand, notes: tuple[str, ...]) -> RmmCommand:
    """The command with such notes."""
    return command if command.notes == notes else replace(command, notes=notes)


def _merge_enums(old: Mapping[str, Enum], new: Mapping[str, Mapping[int, str | None]]) -> dict[str, Enum]:
    out = dict(old)
    for name, changes in new.items():
        both: dict[int, str | None] = {**out.get(name, {}), **changes}
        out[name] = {value: text for value, text in sorted(both.items()) if text is not None}
    return out


_HANDLE = Register(1, "handle", "Bits64", ("RMI_INCOMPLETE",), "handle of the started operation")
_DONATE_REQ = Register(2, "donate_req", "RmiOpMemDonateReq", ("RMI_INCOMPLETE",), "wanted memory, when result.mem is DONATE")


def stateful(command: RmmCommand, kind: str) -> RmmCommand:
    """The command as one that may start an operation: with the handle, and the wanted memory, on RMI_INCOMPLETE."""
    extra = (_HANDLE, _DONATE_REQ) if kind == "memory" else (_HANDLE,)
    return replace(command, outputs=command.outputs + extra, stateful=kind)
