"""The options of a trace.dat: what was recorded, when and where (trace-cmd.dat.v7(5), the same numbers in version 6)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_DATE, _CPUSTAT, _BUFFER, _TRACECLOCK, _UNAME, _OFFSET, _CPUCOUNT, _VERSION = 1, 2, 3, 4, 5, 7, 8, 9
_TRACEID, _TIME_SHIFT, _GUEST, _TSC2NSEC, _BUFFER_TEXT = 11, 12, 13, 14, 22
_SECTIONS = range(16, 22)
_CLOCK = re.compile(rb"\[([\w-]{1,32})\]")
_CPU_LINE = re.compile(r"^CPU: (\d{1,6})$|^(entries|overrun|commit overrun|dropped events|read events): (\d{1,18})$", re.M)
_MAX_BUFFERS = 1 << 12
_MAX_SAMPLES = 1 << 16
_INTERPOLATE = 1


class BufferPlace(NamedTuple):
    """A BUFFER option: where an instance's data is; ``cpus`` are (cpu, offset, bytes), ``text`` a latency buffer."""

    offset: int
    name: str
    clock: str
    page_size: int
    cpus: tuple[tuple[int, int, int], ...]
    text: bool


class Shift(NamedTuple):
    """How the clock of one CPU of a guest is brought to the host's: samples in order of ``time`` (ns of the guest)."""

    time: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    scaling: npt.NDArray[np.uint64]
    fraction: npt.NDArray[np.uint64]


class Stats(NamedTuple):
    """per_cpu/cpuN/stats at the end of the recording: events."""

    cpu: int
    entries: int
    overrun: int
    dropped: int
    read: int


@dataclass(slots=True)
class Options:
    """The options read so far.

    sections   id -> offset of the section with texts
    instances  (offset, name) of version 6
    ts_offset  ns that are added to every time (record --date, --ts-offset)
    tsc        (multiplier, shift) that turn the clock's ticks into ns, None where it counts ns
    """

    sections: dict[int, int] = field(default_factory=dict)
    buffers: list[BufferPlace] = field(default_factory=list)
    instances: list[tuple[int, str]] = field(default_factory=list)
    clock: str = "local"
    uname: str = ""
    version: str = ""
    cpus: int = 0
    stats: list[Stats] = field(default_factory=list)
    trace_id: int = 0
    guests: list[str] = field(default_factory=list)
    peer: int = 0
    interpolate: bool = False
    shifts: list[Shift] = field(default_factory=list)
    ts_offset: int = 0
    tsc: tuple[int, int] | None = None


def take_option(options: Options, ident: int, value: bytes) -> None:
    """Put one option in its place; one that is unknown or too short for what it should hold is passed over."""
    try:
        _take(options, ident, value)
    except (struct.error, ValueError, OverflowError):
        return


def _text(value: bytes) -> str:
    return value.partition(b"\0")[0][:4096].decode("utf-8", "surrogateescape")


def _take(options: Options, ident: int, value: bytes) -> None:
    if ident in _SECTIONS:
        options.sections[ident] = struct.unpack_from("<Q", value)[0]
    elif ident in (_BUFFER, _BUFFER_TEXT):
        _buffer(options, value, ident == _BUFFER_TEXT)
    elif ident == _TRACECLOCK:
        found = _CLOCK.search(value[:4096])
        options.clock = found[1].decode("ascii") if found else options.clock
    elif ident == _UNAME:
        options.uname = _text(value)
    elif ident == _VERSION:
        options.version = _text(value)
    elif ident == _CPUCOUNT:
        options.cpus = int(struct.unpack_from("<I", value)[0])
    elif ident == _CPUSTAT:
        _stats(options, _text(value))
    elif ident == _DATE:
        options.ts_offset += int(_text(value).strip(), 0) * 1000
    elif ident == _OFFSET:
        options.ts_offset += int(_text(value).strip(), 0)
    elif ident == _TRACEID:
        options.trace_id = struct.unpack_from("<Q", value)[0]
    elif ident == _TIME_SHIFT:
        _shifts(options, value)
    elif ident == _GUEST and len(options.guests) < _MAX_BUFFERS:
        options.guests.append(_text(value))
    elif ident == _TSC2NSEC:
        multiplier, shift = struct.unpack_from("<II", value)
        options.tsc = (multiplier, shift) if multiplier and shift < 32 else None


def _buffer(options: Options, value: bytes, text: bool) -> None:
    if len(options.buffers) + len(options.instances) >= _MAX_BUFFERS:
        return
    (offset,) = struct.unpack_from("<Q", value)
    name, _, rest = value[8:].partition(b"\0")
    shown = name[:256].decode("utf-8", "surrogateescape")
    if not rest:
        options.instances.append((offset, shown))
        return
    clock, _, rest = rest.partition(b"\0")
    page_size, count = (0, 0) if text else struct.unpack_from("<II", rest)
    whole = min(count, (len(rest) - 8) // 20) if not text else 0
    # a signed number: one that no kernel has is then no CPU
    cpus = tuple(struct.unpack_from("<iQQ", rest, 8 + 20 * i) for i in range(whole))
    options.buffers.append(BufferPlace(offset, shown, clock[:64].decode("ascii", "replace"), page_size, cpus, text))


def _stats(options: Options, text: str) -> None:
    cpu, numbers = -1, dict.fromkeys(("entries", "overrun", "commit overrun", "dropped events", "read events"), 0)
    for m in _CPU_LINE.finditer(text):
        if m[1]:
            cpu = int(m[1])
        else:
            numbers[m[2]] = int(m[3])
    if cpu >= 0 and len(options.stats) < 1 << 16:
        entries, overrun, commit, dropped, read = numbers.values()
        options.stats.append(Stats(cpu, entries, overrun + commit, dropped, read))


def _shifts(options: Options, value: bytes) -> None:
    """TIME_SHIFT: peer's trace id, flags, CPUs; for each CPU a count and as many times, offsets and scalings; then,
    where there is more, for each CPU as many fraction bits."""
    peer, flags, cpus = struct.unpack_from("<QII", value)
    at, parts = 16, []
    for _ in range(min(cpus, 1 << 14)):
        (count,) = struct.unpack_from("<I", value, at)
        if count > _MAX_SAMPLES or at + 4 + 24 * count > len(value):
            raise ValueError
        parts.append(np.frombuffer(value, dtype="<u8", count=3 * count, offset=at + 4).reshape(3, count))
        at += 4 + 24 * count
    shifts = []
    for part in parts:
        count = part.shape[1]
        fraction = np.zeros(count, dtype=np.uint64)
        if at + 8 * count <= len(value):
            fraction = np.frombuffer(value, dtype="<u8", count=count, offset=at).astype(np.uint64)
            at += 8 * count
        time = part[0].astype(np.int64)
        _, order = np.unique(time, return_index=True)
        shifts.append(Shift(time[order], part[1].astype(np.int64)[order], part[2][order], np.minimum(fraction[order], 63)))
    options.peer, options.interpolate, options.shifts = peer, bool(flags & _INTERPOLATE), shifts
