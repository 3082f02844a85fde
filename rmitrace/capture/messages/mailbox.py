"""DOE objects out of QEMU's traces of configuration space: the dwords of a mailbox, put together for each function.

PCIe r6.0 7.9.24: at the DOE extended capability (id 0x2E) + 0x8 control (bit 31 GO, bit 0 abort), + 0xC status, + 0x10
write mailbox, + 0x14 read mailbox, where a write takes the dword off that was read. Where the capability lies is told
by a read of its header, or by a GO whose dwords have the length that they say.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ...formats import qemu_simple_binary
from ...formats.base import Data
from ...formats.carriers import messages
from ...formats.qemu_common import MAX_LINE, log_time
from ..records import NO_TIME
from .model import REQUEST, RESPONSE, SECURED, Message, Place
from .windows import Windows, device_of

if TYPE_CHECKING:
    from ..model import Capture

FORMATS = ("qemu-log", "qemu-simple", "qemu-int", "ftrace")
_CAPABILITY = 0x2E
_CONTROL, _WRITE, _READ = 0x8, 0x10, 0x14
_GO, _ABORT = 1 << 31, 1
_EXTENDED = 0x100
MAX_DWORDS = 1 << 18
MAX_DEVICES = 4096
MAX_REGISTERS = 64
"""Registers of a function whose writes are kept as long as it is not known whether they are mailboxes."""

_LOG = re.compile(
    rb"pci_cfg_(read|write) [\w.,-]{1,64} ([0-9a-f]{2,8}:[0-9a-f]{2}\.[0-9a-f]{1,2})"
    rb" @0x([0-9a-f]{1,4}) (?:->|<-) 0x([0-9a-f]{1,8})\b"
)
_SIMPLE = re.compile(
    rb"^(\w{3,80}) (-?\d{1,15})\.(\d{1,9}) pid=\d{1,10}"
    rb"(?: dev=b'[^'\n]{0,64}' bus=(\S{1,12}) slot=(\S{1,12}) func=(\S{1,12}) offs=0x([0-9a-f]{1,4}) val=0x([0-9a-f]{1,8})\b)?",
    re.MULTILINE,
)
_TRACE_HEAD = re.compile(rb" (\d{1,12})\.(\d{6}): (?:tracing_mark_write|\w{1,64}): ?$")
_EVENTS = frozenset(("pci_cfg_read", "pci_cfg_write"))


class Access(NamedTuple):
    """One access to configuration space: byte offset and length of its record, host time in ns, function as BUS:SLOT.FN,
    register, value."""

    at: int
    length: int
    ts: int
    function: str
    write: bool
    register: int
    value: int


@dataclass(slots=True)
class _Object:
    """Dwords of one object, with the records of the first and the last. ``done``: handed out; what comes behind it is
    a driver that empties the mailbox."""

    first: Access
    last: Access
    dwords: list[int] = field(default_factory=list)
    done: bool = False

    def add(self, access: Access, value: int) -> None:
        self.last = access
        if len(self.dwords) < MAX_DWORDS:
            self.dwords.append(value)

    @property
    def said(self) -> int | None:
        """Dwords as the second one says."""
        return (self.dwords[1] & 0x3FFFF or MAX_DWORDS) if len(self.dwords) > 1 else None

    @property
    def data(self) -> bytes:
        return struct.pack(f"<{len(self.dwords)}I", *self.dwords)


@dataclass(slots=True)
class _Function:
    """A PCI function. ``written``: dwords of each register that may be a write mailbox; ``reading``: of each base the
    object that comes in; ``peeked``: the dword last read of it, not yet taken off."""

    bases: set[int] = field(default_factory=set)
    written: dict[int, _Object] = field(default_factory=dict)
    reading: dict[int, _Object | None] = field(default_factory=dict)
    peeked: dict[int, int] = field(default_factory=dict)

    def access(self, a: Access) -> Iterator[tuple[str, _Object]]:
        """The objects that are whole with this access, with their directions."""
        mine = next((b for b in self.bases if _CONTROL <= a.register - b <= _READ), None)
        if not a.write:
            if mine is not None and a.register == mine + _READ:
                self.peeked[mine] = a.value
            elif mine is None and a.register >= _EXTENDED and a.value & 0xFFFF == _CAPABILITY and len(self.bases) < MAX_REGISTERS:
                self.bases.add(a.register)
            return
        if mine is None and a.value & _GO and self._is_go(a):
            mine = a.register - _CONTROL
            self.bases.add(mine)
        if mine is None or a.register == mine + _WRITE:
            self._keep(a)
        elif a.register == mine + _CONTROL:
            yield from self._control(mine, a)
        elif a.register == mine + _READ and mine in self.peeked:
            yield from self._take(mine, a)

    def _is_go(self, a: Access) -> bool:
        sent = self.written.get(a.register + _WRITE - _CONTROL)
        return sent is not None and sent.said == len(sent.dwords) and len(self.bases) < MAX_REGISTERS

    def _keep(self, a: Access) -> None:
        if a.register < _EXTENDED:
            return
        if a.register not in self.written:
            if len(self.written) >= MAX_REGISTERS:
                return
            self.written[a.register] = _Object(a, a)
        self.written[a.register].add(a, a.value)

    def _control(self, base: int, a: Access) -> Iterator[tuple[str, _Object]]:
        sent = self.written.pop(base + _WRITE, None)
        coming = self.reading.pop(base, None)
        self.peeked.pop(base, None)
        if coming is not None and not coming.done:
            yield RESPONSE, coming  # cut off: aborted, or the next request came first
        if a.value & _GO and not a.value & _ABORT:
            if sent is not None:
                sent.last = a
                yield REQUEST, sent
            self.reading[base] = None

    def _take(self, base: int, a: Access) -> Iterator[tuple[str, _Object]]:
        value = self.peeked.pop(base)
        coming = self.reading.get(base)
        if coming is None:
            coming = self.reading[base] = _Object(a, a)
        if coming.done:
            return
        coming.add(a, value)
        if coming.said == len(coming.dwords):
            coming.done = True
            yield RESPONSE, coming


def from_mailboxes(capture: Capture, source: int) -> list[Message]:
    """The objects that went through the mailboxes of a source, in its order."""
    src = capture.sources[source]
    if src.format not in FORMATS or not src.records.facts.get("mailboxes", True) or src.data.find(b"pci_cfg_write") < 0:
        return []
    windows = Windows(capture, source)
    functions: dict[str, _Function] = {}
    found: list[Message] = []

    def add(direction: str, name: str, o: _Object) -> None:
        data = o.data
        start = o.first.at
        length = min(o.last.at + o.last.length - start, 0x7FFFFFFF)
        call = windows.claim(windows.at_offset(start), -1, direction, data) if windows else None
        ts = o.first.ts if direction == REQUEST else o.last.ts
        place = Place(
            source, start, length, None if ts == NO_TIME else ts, call, device_of(capture, call) if call is not None else None
        )
        inside = messages(data, 292, "DOE") if len(data) >= 8 else []
        layers = [SECURED if x == "SECURED" else x for x in inside[0].layers] if inside else ["DOE"]
        said = o.said
        declared = 4 * said - 8 if said is not None and said > len(o.dwords) else None
        found.append(Message(place, direction, layers, data, 8 if inside else 0, declared=declared, function=name))

    for a in accesses(src.data):
        if a.function not in functions and len(functions) >= MAX_DEVICES:
            continue
        for direction, o in functions.setdefault(a.function, _Function()).access(a):
            add(direction, a.function, o)
    for name, function in functions.items():
        for coming in function.reading.values():
            if coming is not None and not coming.done:
                add(RESPONSE, name, coming)
    found.sort(key=lambda m: m.place.offset)
    return found


def accesses(data: Data) -> Iterator[Access]:
    """Every access of a QEMU trace: lines of the log backend (also within other traces), text or file of the simple one."""
    head = bytes(data[:24])
    if qemu_simple_binary.is_header(head):
        yield from _binary(data)
        return
    lines = 0
    for m in _LOG.finditer(data):
        lines += 1
        first = max(data.rfind(b"\n", max(0, m.start() - MAX_LINE), m.start()) + 1, m.start() - MAX_LINE)
        ts = _line_time(bytes(data[max(first, m.start() - 96) : m.start()]))
        yield Access(first, m.end() - first, ts, m[2].decode(), m[1] == b"write", int(m[3], 16), int(m[4], 16))
    if not lines:
        yield from _simple(data)


def _line_time(prefix: bytes) -> int:
    if m := _TRACE_HEAD.search(prefix):
        return int(m[1]) * 10**9 + int(m[2]) * 1000
    return log_time(prefix)


def _simple(data: Data) -> Iterator[Access]:
    now = 0
    for m in _SIMPLE.finditer(data):
        ns = int(m[2].lstrip(b"-")) * 1000 + int(m[3][:3].ljust(3, b"0"))
        now += -ns if m[2][:1] == b"-" else ns
        if m[4] is None or m[1].decode() not in _EVENTS:
            continue
        try:
            bus, slot, function = (int(v, 0) for v in m.groups()[3:6])
        except ValueError:
            continue
        name = f"{bus:02x}:{slot:02x}.{function:x}"
        yield Access(m.start(), m.end() - m.start(), now, name, m[1] == b"pci_cfg_write", int(m[7], 16), int(m[8], 16))


def _binary(data: Data) -> Iterator[Access]:
    order = qemu_simple_binary.byte_order(bytes(data[:16]))
    arguments = struct.Struct("<5Q" if order == "little" else ">5Q")
    for at, size, ns, event, raw in qemu_simple_binary.arguments(data, 0, len(data), _EVENTS):
        skip = 4 + int.from_bytes(raw[:4], order)
        if len(raw) != skip + 40:
            continue
        bus, slot, function, register, value = arguments.unpack_from(raw, skip)
        name = f"{bus & 0xFFFFFFFF:02x}:{slot & 0xFF:02x}.{function & 0xF:x}"
        yield Access(at, size, ns, name, event == "pci_cfg_write", register & 0xFFFF, value & 0xFFFFFFFF)
