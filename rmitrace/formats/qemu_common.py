"""What the readers of QEMU logs have in common: lines found by position, times of the log backend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from ..capture.records import NO_TIME
from .base import Data

MAX_LINE = 4096
"""Bytes of a line that are looked at; QEMU's own lines are below 200."""
MARK_EVENTS = rb"arm_powerctl_\w{1,40}|arm_cpu_reset"
"""Trace events that become marks: a CPU is switched on, off or reset (target/arm/trace-events)."""

_CHUNK = 1 << 22
_LOG_PCI = re.compile(
    rb"pci_cfg_(?:read|write) ([\w.,-]{1,64} [0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]{1,2}) @0x([0-9a-f]{1,4}) (->|<-) 0x([0-9a-f]{1,8})"
)
_SIMPLE_PCI = re.compile(
    rb"pci_cfg_(read|write) \S{1,24} pid=\d{1,10} (dev=b'[^'\n]{0,64}' bus=\S{1,12} slot=\S{1,12} func=\S{1,12})"
    rb" offs=0x([0-9a-f]{1,4}) val=0x([0-9a-f]{1,8})"
)
_DOE_CAPABILITY = 0x2E
_DOE_REGISTERS = (0x8, 0xC, 0x10, 0x14)  # control, status, write and read mailbox (PCIe 6.0 7.9.24)
_ISO = re.compile(rb"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{1,9})(?:Z|([+-])(\d\d):?(\d\d)) $")
_PID_AT = re.compile(rb"(\d{1,10})@(\d{1,12})\.(\d{6}):$")


def count_lines(data: Data, start: int, end: int) -> int:
    """How many lines lie between two offsets; a last one without line end counts."""
    n = sum(bytes(data[at : min(at + _CHUNK, end)]).count(b"\n") for at in range(start, end, _CHUNK))
    return n + (end > start and data[end - 1 : end] != b"\n")


def line_bounds(data: Data, pos: int, start: int, end: int) -> tuple[int, int]:
    """Start and end of the line around a position, without its line end, not further than MAX_LINE from it."""
    first = data.rfind(b"\n", max(start, pos - MAX_LINE), pos) + 1 or max(start, pos - MAX_LINE)
    last = data.find(b"\n", pos, min(end, pos + MAX_LINE))
    if last < 0:
        last = min(end, pos + MAX_LINE)
    if last > first and data[last - 1 : last] == b"\r":
        last -= 1
    return first, last


def log_time(prefix: bytes) -> int:
    """Host wall clock in ns since 1970 of what the log backend puts in front of an event (``-msg timestamp=on``).

    Both forms: ``2026-11-22T19:26:19.083670Z `` and ``2695@1795375614.946544:``. NO_TIME for anything else.
    """
    if m := _PID_AT.search(prefix):
        return _bounded(int(m[2]) * 10**9 + int(m[3]) * 1000)
    if m := _ISO.search(prefix):
        midnight = _midnight(m[1])
        zone = (int(m[7]) * 60 + int(m[8])) * (-1 if m[6] == b"-" else 1) if m[6] else 0
        if midnight is not None:
            seconds = midnight + int(m[2]) * 3600 + int(m[3]) * 60 + int(m[4]) - zone * 60
            return _bounded(seconds * 10**9 + int(m[5].ljust(9, b"0")))
    return NO_TIME


def _bounded(ns: int) -> int:
    return ns if abs(ns) < 1 << 62 else NO_TIME  # 146 years: sums of two still fit


@lru_cache(maxsize=64)
def _midnight(date: bytes) -> int | None:
    try:
        day = datetime.strptime(date.decode(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int((day - datetime(1970, 1, 1, tzinfo=timezone(timedelta(0)))).total_seconds())


def doe_accesses(data: Data, start: int, end: int) -> int:
    """Accesses to DOE mailboxes among ``pci_cfg_read`` and ``pci_cfg_write`` events, in either text form.

    A mailbox is where an extended capability of that device read as DOE.
    """
    return _accesses(m for pattern in (_LOG_PCI, _SIMPLE_PCI) for m in pattern.finditer(data, start, end))


def doe_accesses_in(data: Data, lines: Sequence[tuple[int, int]]) -> int:
    """The same, of lines that are known to hold all the events with an offset above 0xff."""
    return _accesses(m for pattern in (_LOG_PCI, _SIMPLE_PCI) for a, b in lines for m in pattern.finditer(data, a, b))


def _accesses(found: Iterable[re.Match[bytes]]) -> int:
    mailboxes: dict[bytes, set[int]] = {}
    n = 0
    for m in found:
        if m.re is _LOG_PCI:
            device, offset, read, value = m[1], int(m[2], 16), m[3] == b"->", int(m[4], 16)
        else:
            device, offset, read, value = m[2], int(m[3], 16), m[1] == b"read", int(m[4], 16)
        if read and offset >= 0x100 and value & 0xFFFF == _DOE_CAPABILITY and offset not in mailboxes.get(device, ()):
            mine = mailboxes.setdefault(device, set())
            if len(mine) < 64 and len(mailboxes) < 4096:
                mine.update(offset + r for r in _DOE_REGISTERS)
        elif offset in mailboxes.get(device, ()):
            n += 1
    return n
