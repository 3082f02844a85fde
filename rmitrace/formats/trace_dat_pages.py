"""Ring-buffer pages to columns: one row an event, found by its place.

A page (linux/ring_buffer.h; read here as libtraceevent 1.8 does, src/kbuffer-parse.c) is u64 time stamp, u64 commit (low
27 bits: bytes in use; bit 31: events were lost before this page, bit 30: their count, a u64, stands behind the bytes in
use) and the events. An event is a u32, type_len in its low 5 bits and time_delta above:
type_len 1..28 are payload words, 0 says that the length is the next u32 (which it counts), 29 is padding, 30 a longer
delta, 31 an absolute time. Pages do not depend on each other, so that all of them are walked in step, an event of each at
a time; a walk takes as many steps as the fullest page has events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

HEADER = 16
"""Bytes in front of a page's events on a 64-bit machine (events/header_page)."""
MIN_PAYLOAD = 8
"""Bytes that every event has: type, flags, preemption count, pid."""
MAX_DAMAGE = 1000
"""Places of damage that are told one by one, in one walk."""
_LENGTH = 27
_USED = (1 << 27) - 1
_MISSED, _COUNTED = 1 << 31, 1 << 30
_PADDING, _EXTEND, _STAMP = 29, 30, 31
_HIGH = np.uint64(0xF8 << 56)

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


class Events(NamedTuple):
    """Events in the order of the pages.

    at     byte offset of the event's u32 in the pages
    body   byte offset of its payload
    size   bytes of payload
    ts     the ring buffer's time
    """

    at: I64
    body: I64
    size: I64
    ts: U64


@dataclass(frozen=True, slots=True)
class Lost:
    """Events were lost before a page (``at``): how many (0 unknown) and the page's time."""

    at: I64
    count: U64
    ts: U64


class Damage(NamedTuple):
    """Bytes from ``at`` to the end of their page (or event) that cannot be read, and why."""

    at: int
    size: int
    reason: str


@dataclass(slots=True)
class Pages:
    """What walk() found."""

    events: Events
    lost: Lost
    damage: list[Damage]


def everywhere(buf: npt.NDArray[np.uint8], dtype: str, count: int = 1) -> npt.NDArray[Any]:
    """The bytes as numbers that begin at any byte: row i has the ``count`` numbers whose first byte is byte i."""
    kind = np.dtype(dtype)
    rows = max(0, len(buf) - count * kind.itemsize + 1)
    if count == 1:
        return np.ndarray((rows,), dtype=kind, buffer=buf.data, strides=(1,))
    return np.ndarray((rows, count), dtype=kind, buffer=buf.data, strides=(1, kind.itemsize))


class Heads(NamedTuple):
    """What the heads of pages say: from where to where each has events, its time; loss and damage."""

    begin: I64
    stop: I64
    stamp: U64
    lost: Lost
    damage: list[Damage]


def walk(buf: npt.NDArray[np.uint8], page_size: int, valid: int) -> Pages:
    """The events of whole pages (the last may be filled up: ``valid`` bytes count). Never raises; a page that is not
    sound is read up to the place where it is not."""
    found = heads(buf, page_size, valid)
    return Pages(step(buf, found), found.lost, found.damage)


def heads(buf: npt.NDArray[np.uint8], page_size: int, valid: int) -> Heads:
    """The heads of the pages that walk() takes."""
    n = len(buf) // page_size
    u64 = everywhere(buf, "<u8")
    first = np.arange(n, dtype=np.int64) * page_size
    stamp, commit = u64[first], u64[first + 8]
    used = (commit & np.uint64(_USED)).astype(np.int64)
    damage: list[Damage] = []
    room = np.minimum(page_size, valid - first) - HEADER
    over = used > page_size - HEADER
    for i in np.flatnonzero(over)[:MAX_DAMAGE].tolist():
        at = i * page_size
        damage.append(Damage(at, min(page_size, valid - at), "trace page that says it holds more than a page"))
    used[over] = 0
    for i in np.flatnonzero((used > room) & ~over).tolist():
        damage.append(Damage(int(first[i]), int(valid - first[i]), "trace page that is cut off"))
    behind = first + HEADER + used
    missed = np.flatnonzero((commit & np.uint64(_MISSED) != 0) & ~over & (room >= 0))
    counted = (commit[missed] & np.uint64(_COUNTED) != 0) & (behind[missed] + 8 <= np.minimum(first[missed] + page_size, valid))
    count = np.where(counted, u64[np.where(counted, behind[missed], 0)], np.uint64(0)) if len(missed) else stamp[:0]
    stop = first + HEADER + np.minimum(used, np.maximum(room, 0))
    return Heads(first + HEADER, stop, stamp, Lost(first[missed], count, stamp[missed]), damage)


def step(buf: npt.NDArray[np.uint8], found: Heads) -> Events:
    """The events of the pages; damage in them goes to ``found.damage``."""
    return _step(everywhere(buf, "<u4"), found.begin, found.stop, found.stamp, found.damage)


def _step(u32: Any, begin: I64, stop: I64, stamp: U64, damage: list[Damage]) -> Events:
    """Walk all pages in step from ``begin`` to ``stop``."""
    steps: list[tuple[I64, I64, I64, I64, I64, U64]] = []
    per_page = np.zeros(len(begin), dtype=np.int64)
    page = np.flatnonzero(begin < stop)
    at, end, ts = begin[page], stop[page], stamp[page]
    last = max(len(u32) - 1, 0)
    while len(page):
        word = u32[np.minimum(at, last)].astype(np.int64)
        kind, delta = word & 31, word >> 5
        head = np.full(len(at), 4, dtype=np.int64)
        size = kind << 2
        odd = np.flatnonzero((kind == 0) | (kind >= _PADDING))
        data = None
        if len(odd):
            data, ts = _odd(u32[np.minimum(at[odd] + 4, last)].astype(np.int64), odd, kind, delta, head, size, ts)
        else:
            ts = ts + delta.astype(np.uint64)
        after = at + head + size
        wrong = (after > end) | (size < 0)
        if data is None:
            data = size >= MIN_PAYLOAD
        else:
            data &= size >= MIN_PAYLOAD
        if wrong.any() or not data.all():
            _report(damage, at, after, end, kind, size, wrong)
            after[wrong] = end[wrong]
            data &= ~wrong
            if data.any():
                mine = page[data]
                steps.append((mine, per_page[mine], at[data], (at + head)[data], size[data], ts[data]))
                per_page[mine] += 1
        else:
            steps.append((page, per_page[page], at, at + head, size, ts))
            per_page[page] += 1
        more = after < end
        if more.all():
            at = after
        else:
            page, at, end, ts = page[more], after[more], end[more], ts[more]
    return _in_order(steps, per_page)


def _odd(following: I64, odd: I64, kind: I64, delta: I64, head: I64, size: I64, ts: U64) -> tuple[npt.NDArray[np.bool_], U64]:
    """The events of a step that are not the common ones; sets their ``head`` and ``size``.

    Returns which events of the step carry data, and the times after it.
    """
    kinds = kind[odd]
    data = np.ones(len(kind), dtype=bool)
    data[odd[kinds >= _PADDING]] = False
    head[odd] = 8
    long = kinds == 0
    # the length counts its own word; a length below that is taken for damage (size < 0)
    size[odd[long]] = np.where(following[long] >= 4, (following[long] - 4 + 3) & ~3, -1)
    padding = kinds == _PADDING
    head[odd[padding]] = 4
    # padding without a time delta fills the rest of the page; the caller ends the page where ``size`` is this long
    size[odd[padding]] = np.where(delta[odd[padding]] == 0, _USED, following[padding])
    size[odd[kinds > _PADDING]] = 0
    step = delta.astype(np.uint64)
    extended = kinds == _EXTEND
    wide = (following.astype(np.uint64) << np.uint64(_LENGTH)) + step[odd]
    step[odd[extended]] = wide[extended]
    now = ts + step
    stamped = odd[kinds == _STAMP]
    if len(stamped):
        # absolute times have 59 bits: the rest is that of the time before (rb_fix_abs_ts() of kernel/trace/ring_buffer.c)
        before = ts[stamped]
        absolute = wide[kinds == _STAMP] | (before & _HIGH)
        carry = (before & _HIGH != 0) & (absolute < before)
        now[stamped] = np.where(carry, absolute + np.uint64(1 << 59), absolute)
    return data, now


def _report(damage: list[Damage], at: I64, after: I64, end: I64, kind: I64, size: I64, wrong: Any) -> None:
    for i in np.flatnonzero(wrong | ((kind <= 28) & (size < MIN_PAYLOAD))).tolist():
        if kind[i] == _PADDING and size[i] == _USED:
            continue  # the rest of the page is free
        if len(damage) >= MAX_DAMAGE:
            damage[-1] = Damage(damage[-1].at, 0, "more damage than is told place by place")
            return
        if size[i] < 0:
            reason = "trace event of no length"
        elif wrong[i]:
            reason = "trace event that goes beyond its page"
        else:
            reason = "trace event too short for its type and task"
        damage.append(Damage(int(at[i]), int((end if wrong[i] else after)[i] - at[i]), reason))


def _in_order(steps: list[tuple[I64, I64, I64, I64, I64, U64]], per_page: I64) -> Events:
    """The events of all steps, page by page."""
    total = int(per_page.sum())
    start = np.cumsum(per_page) - per_page
    at, body, size = (np.empty(total, dtype=np.int64) for _ in range(3))
    ts = np.empty(total, dtype=np.uint64)
    for page, number, *columns in steps:
        row = start[page] + number
        for column, values in zip((at, body, size, ts), columns, strict=True):
            column[row] = values
    return Events(at, body, size, ts)
