"""The file of QEMU's simple trace backend (trace/simple.c, version 4: QEMU 2.8 to 11), in the byte order of its host.

Header of three u64 (all ones, magic, version), then records of a u64 type: 0 maps an event id to its name (u64 id,
u32 length, name), 1 is an event (u64 id, u64 ns, u32 length of the whole record, u32 pid, arguments of 8 bytes each,
strings as u32 length and bytes). Argument names are not in the file; those of the events read here are known.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

from ..capture.records import N_REGS, Kind, RecordBuilder, Records
from . import qemu_simple_kernel
from .base import Data, Detail, ReadOptions, Unreadable
from .kernel_code import Kernel
from .record_arrays import Total, merged

_MAGIC = 0xF2B177CB0AA429B4
_VERSION = 4
_DROPPED = 0xFFFFFFFFFFFFFFFE
_MAPPING, _EVENT = 0, 1


class _Order(NamedTuple):
    """The layouts in one byte order."""

    byteorder: Literal["little", "big"]
    head: struct.Struct
    name: struct.Struct
    call: struct.Struct

    @classmethod
    def of(cls, byteorder: Literal["little", "big"]) -> _Order:
        """Of 'little' or 'big'."""
        sign = "<" if byteorder == "little" else ">"
        return cls(byteorder, struct.Struct(sign + "QQQII"), struct.Struct(sign + "QQI"), struct.Struct(sign + "5Q"))

    def number(self, data: bytes) -> int:
        """An unsigned number."""
        return int.from_bytes(data, self.byteorder)


_ORDERS = (_Order.of("little"), _Order.of("big"))
_HEAD, _NAME, _CALL = (s.size for s in _ORDERS[0][1:])
_PSCI = "arm_psci_call"
_MARKS = ("arm_cpu_reset", "arm_powerctl_")
_MAX_NAME = 512
_MAX_RECORD = 1 << 20
BATCH = 1 << 14
"""Records that are put into packed columns at a time."""
_TELL = 4 << 20
"""Bytes after which it is said how far the reading is."""
_FEW = 64
"""Records that are read one by one where the kernel keeps stopping."""


def is_header(head: bytes) -> bool:
    """Whether the bytes start such a file."""
    return _order(head) is not None


def byte_order(head: bytes) -> Literal["little", "big"]:
    """The byte order of a file that begins like that."""
    return (_order(head) or _ORDERS[0]).byteorder


def _order(head: bytes) -> _Order | None:
    return next((o for o in _ORDERS if head[:16] == b"\xff" * 8 + _MAGIC.to_bytes(8, o.byteorder)), None)


def read(data: Data, start: int, end: int, options: ReadOptions) -> Records:
    """The records of a file. Raises Unreadable where its version is not 4."""
    order = _order(bytes(data[start : start + 16])) or _ORDERS[0]
    version = order.number(data[start + 16 : start + 24])
    if version != _VERSION:
        raise Unreadable(
            f"simple trace file of version {version}, only version {_VERSION} can be read; "
            "turn it into text with QEMU's scripts/simpletrace.py trace-events-all FILE"
        )
    if order.byteorder == "little" and qemu_simple_kernel.repaid(end - start):
        return read_with(qemu_simple_kernel.compiled(), data, start, end, options)
    return read_with(None, data, start, end, options)


def read_with(kernel: Kernel | None, data: Data, start: int, end: int, options: ReadOptions) -> Records:
    """The records of a file of version 4. ``kernel`` is a form of qemu_simple_kernel.scan, None to read them one by one."""
    reader = _Reader(data, end, _order(bytes(data[start : start + 16])) or _ORDERS[0])
    fast = None if kernel is None else _Fast(reader, kernel)
    at, told = start + 24, start
    while at < end:
        if options.progress is not None and at - told >= _TELL:
            options.progress(at - start)
            told = at
        if fast is not None:
            at = fast.take(at)
        for _ in range(fast.rest if fast is not None else 1):
            if at < end:
                at = reader.one(at)
        if len(reader.b.rows) + (fast.count if fast is not None else 0) >= BATCH:
            reader.settle(fast)
    return reader.finish(fast)


class _Reader:
    """Reads records one by one. ``names``: of the events by id, ``count`` records, ``used`` of them of interest."""

    def __init__(self, data: Data, end: int, order: _Order) -> None:
        self.data, self.end, self.order = data, end, order
        self.b, self.total = RecordBuilder(), Total()
        self.names: dict[int, str] = {}
        self.classes = np.zeros(qemu_simple_kernel.IDS, dtype=np.uint8)
        """By id: see qemu_simple_kernel."""
        self.events: Counter[str] = Counter()
        self.count = self.used = 0
        self._room: dict[str, Any] = {}

    def one(self, at: int) -> int:
        """The record at an offset; returns where the next one is."""
        data, end, order, b = self.data, self.end, self.order, self.b
        self.count += 1
        if at + _HEAD <= end:
            kind, ident, ns, length, _ = order.head.unpack_from(data, at)
        else:
            kind = order.number(data[at : at + 8])
            length = 0
        size = 8 + length if kind == _EVENT else _size(order, data, at, end, kind)
        if kind == _EVENT and not (_HEAD <= size <= _MAX_RECORD and at + size <= end):
            size = 0
        if size == 0:
            text = "simple trace record cut" if end - at < _HEAD or kind <= _EVENT else "no simple trace record here"
            b.add(Kind.DAMAGED, at, min(end - at, 0x7FFFFFFF), name=f"{text}; the rest cannot be read")
            self.used += 1
            return end
        if kind == _MAPPING:
            self._learn(order.number(data[at + 8 : at + 16]), bytes(data[at + 20 : at + size]).decode("utf-8", "replace"))
            return at + size
        name = self.names.get(ident, "")
        if ident == _DROPPED:
            dropped = order.number(data[at + _HEAD : at + _HEAD + 8])
            b.add(Kind.LOST, at, size, ts=_time(ns), regs=[dropped])
            self.used += 1
        elif name == _PSCI or name.startswith(_MARKS):
            _add(b, order, data, at, size, _time(ns), name)
            self.events[name] += 1
            self.used += 1
        return at + size

    def _learn(self, ident: int, name: str) -> None:
        self.names[ident] = name
        if ident < len(self.classes):
            self.classes[ident] = (
                qemu_simple_kernel.CALL if name == _PSCI else qemu_simple_kernel.ASK if name.startswith(_MARKS) else 0
            )

    def settle(self, fast: _Fast | None) -> None:
        """Pack what was read so far."""
        mine = self.b.finish()
        self.b.rows.clear()
        self.b.regs.clear()
        if fast is None:
            self.total.add(mine)
        else:
            calls = fast.calls()
            self.total.add(merged(calls, mine, self._room)[0] if len(mine) else calls)

    def finish(self, fast: _Fast | None) -> Records:
        """All records."""
        ignored = max(0, self.count - self.used)
        self.b.facts = {"lines": self.count, "ignored": ignored, "events": dict(self.events), "clock": "host monotonic"}
        if fast is None and not len(self.total):
            return self.b.finish()
        self.settle(fast)
        records = self.total.records(list(self.b.names))
        records.facts = self.b.facts
        return records


class _Fast:
    """Has a kernel read as far as it can. ``count``: calls that are not packed yet; ``rest``: records that are better read one
    by one now."""

    def __init__(self, reader: _Reader, kernel: Kernel) -> None:
        self.reader, self.kernel = reader, kernel
        self.count, self.rest = 0, 1
        self._name = -1
        self._buf: Any = np.frombuffer(reader.data, dtype=np.uint8)
        self._columns = (
            np.empty(BATCH, np.int64), np.empty(BATCH, np.int64), np.empty(BATCH, np.int32), np.empty(BATCH * N_REGS, np.uint64),
        )  # fmt: skip

    def take(self, at: int) -> int:
        """Read from an offset on; returns how far it got."""
        reader = self.reader
        before = self.count
        limit = min(at + _TELL, reader.end)
        at, self.count, read = self.kernel(
            self._buf, at, limit, reader.end, reader.classes, before, len(self._columns[0]), *self._columns
        )
        reader.count += read
        reader.used += self.count - before
        if self.count > before:
            self._name = reader.b.name_id(_PSCI)
            reader.events[_PSCI] += self.count - before
        self.rest = 0 if at >= limit or self.count == BATCH else 1 if read > _FEW else _FEW
        return int(at)

    def calls(self) -> Records:
        """Those that are not packed yet, which have to be packed before it goes on."""
        n, self.count = self.count, 0
        offset, ts, cpu, regs = self._columns
        length, kind, known = (np.broadcast_to(v, n) for v in (np.int32(_HEAD + _CALL), np.uint8(Kind.ENTER), np.uint32(0b1111)))
        pid, name = (np.broadcast_to(np.int32(v), n) for v in (-1, self._name))
        return Records(offset[:n], length, ts[:n], cpu[:n], pid, kind, name, known, regs[: n * N_REGS].reshape(n, N_REGS))


def arguments(data: Data, start: int, end: int, wanted: frozenset[str]) -> Iterator[tuple[int, int, int, str, bytes]]:
    """The events of those names: byte offset and size of the record, time in ns, name, and the bytes of the arguments."""
    names: dict[int, str] = {}
    order = _order(bytes(data[start : start + 16])) or _ORDERS[0]
    at = start + 24
    while at < end:
        kind = order.number(data[at : at + 8])
        size = _size(order, data, at, end, kind)
        if size == 0:
            return
        if kind == _MAPPING:
            names[order.number(data[at + 8 : at + 16])] = bytes(data[at + 20 : at + size]).decode("utf-8", "replace")
        else:
            _, ident, ns, _, _ = order.head.unpack(data[at : at + _HEAD])
            if (name := names.get(ident, "")) in wanted:
                yield at, size, _time(ns), name, bytes(data[at + _HEAD : at + size])
        at += size


def _time(ns: int) -> int:
    return min(ns, 2**63 - 1)


def _size(order: _Order, data: Data, at: int, end: int, kind: int) -> int:
    """Bytes of the record at an offset, 0 where it is none or is cut."""
    if kind == _MAPPING and at + _NAME <= end:
        size = _NAME + order.number(data[at + 16 : at + 20])
        good = size <= _NAME + _MAX_NAME
    elif kind == _EVENT and at + _HEAD <= end:
        size = 8 + order.number(data[at + 24 : at + 28])
        good = _HEAD <= size <= _MAX_RECORD
    else:
        return 0
    return size if good and at + size <= end else 0


def _add(b: RecordBuilder, order: _Order, data: Data, at: int, size: int, ts: int, name: str) -> None:
    body = bytes(data[at + _HEAD : at + size])
    if name == _PSCI:
        if len(body) != _CALL:
            b.add(Kind.DAMAGED, at, size, ts=ts, name=f"arm_psci_call of {len(body)} argument bytes, expected {_CALL}")
            return
        *regs, cpu = order.call.unpack(body)
        b.add(Kind.ENTER, at, size, ts=ts, cpu=cpu & 0x7FFFFFFF, name=name, regs=regs)
    else:
        cpu = order.number(body[:8]) if len(body) >= 8 else -1
        b.add(Kind.MARK, at, size, ts=ts, cpu=cpu if cpu < 1 << 31 else -1, name=name)


def detail(raw: bytes) -> Detail:
    """A record in full; its text is in the manner of simpletrace.py, with the absolute time in ns."""
    if len(raw) < _HEAD:
        return Detail(raw.hex(" "))
    order = _ORDERS[raw[:1] == b"\0"]  # the type, 1, is a u64
    _, _, ns, _, pid = order.head.unpack_from(raw)
    body = raw[_HEAD:]
    if len(body) != _CALL:
        return Detail(f"{ns} pid={pid} {body.hex(' ')}", fields={"pid": str(pid)})
    x0, x1, x2, x3, cpu = order.call.unpack(body)
    text = f"arm_psci_call {ns} pid={pid} x0={x0:#x} x1={x1:#x} x2={x2:#x} x3={x3:#x} cpuid={cpu:#x}"
    fields = {"pid": str(pid), "cpuid": f"{cpu:#x}"}
    return Detail(text, event="arm_psci_call", regs={0: x0, 1: x1, 2: x2, 3: x3}, fields=fields)
