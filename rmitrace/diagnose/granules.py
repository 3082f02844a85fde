"""The state of a granule at any call: delegated, or an object that lives in it (DEN0137, granule state machine).

Told by commands that succeeded. What no command told is not known; where the capture begins with the RMM's own start it
is what it was then, Undelegated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..capture.shelf import Shelf
from .columns import I64, PAGE, U64, Columns
from .events import Events
from .gathered import Flags, Part

if TYPE_CHECKING:
    from ..capture.model import Capture

STATES = (
    "UNDELEGATED",
    "DELEGATED",
    "RD",
    "REC",
    "REC_AUX",
    "RTT",
    "DATA",
    "PDEV",
    "PDEV_AUX",
    "VDEV",
    "VDEV_AUX",
    "VSMMU",
    "P2P_STREAM",
    "DONATED",
)
_U, _D = STATES.index("UNDELEGATED"), STATES.index("DELEGATED")

_Part = tuple[U64, I64, int]
"""Granules, the calls that told something of each, and the state."""
_Range = tuple[U64, U64, I64]
"""Base and top of ranges, and the calls."""
_Rows = tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]

# commands, the argument by its names, the state it leads to
_BY_ARGUMENT: _Rows = (
    (("GRANULE_DELEGATE",), ("addr",), "DELEGATED"),
    (("GRANULE_UNDELEGATE",), ("addr",), "UNDELEGATED"),
    (("REALM_CREATE",), ("rd",), "RD"),
    (("REALM_DESTROY",), ("rd",), "DELEGATED"),
    (("REC_CREATE",), ("rec", "rec_ptr"), "REC"),
    (("REC_DESTROY",), ("rec", "rec_ptr"), "DELEGATED"),
    (("RTT_CREATE", "RTT_AUX_CREATE"), ("rtt",), "RTT"),
    (("DATA_CREATE", "DATA_CREATE_UNKNOWN", "RTT_DATA_MAP_INIT"), ("data",), "DATA"),
    (("PDEV_CREATE",), ("pdev_ptr",), "PDEV"),
    (("PDEV_DESTROY",), ("pdev_ptr",), "DELEGATED"),
    (("VDEV_CREATE",), ("vdev_ptr",), "VDEV"),
    (("VDEV_DESTROY",), ("vdev_ptr",), "DELEGATED"),
    (("VSMMU_CREATE",), ("vsmmu_ptr",), "VSMMU"),
    (("VSMMU_DESTROY",), ("vsmmu_ptr",), "DELEGATED"),
    (("PDEV_P2P_CONNECT",), ("stream_ptr",), "P2P_STREAM"),
    (("PDEV_P2P_DISCONNECT",), ("stream_ptr",), "DELEGATED"),
)
_BY_RESULT: _Rows = (
    (("RTT_DESTROY", "RTT_FOLD", "RTT_AUX_DESTROY", "RTT_AUX_FOLD"), ("rtt",), "DELEGATED"),
    (("DATA_DESTROY",), ("data",), "DELEGATED"),
)
# what a call proves by succeeding: its argument was such an object
_PROVES: _Rows = (
    (("PDEV_GET_STATE", "PDEV_COMMUNICATE", "PDEV_STOP", "PDEV_SET_PUBKEY"), ("pdev_ptr",), "PDEV"),
    (("VDEV_GET_STATE", "VDEV_COMMUNICATE", "VDEV_LOCK", "VDEV_START"), ("vdev_ptr",), "VDEV"),
    (("REALM_ACTIVATE", "RTT_CREATE", "RTT_INIT_RIPAS", "RTT_READ_ENTRY", "REC_AUX_COUNT"), ("rd",), "RD"),
    (("REC_ENTER",), ("rec", "rec_ptr"), "REC"),
)
_DESC_ADDR = np.uint64(((1 << 52) - 1) & ~PAGE)
"""The address in RmiAddrRangeDesc4KB, in place."""
_MOST_PAGES = 4096
"""Calls of which the parameter page is looked at for auxiliary granules."""


class Known(NamedTuple):
    """A state and the call that told it."""

    state: str
    call: int


class Granules:
    """The granules of one source."""

    def __init__(self, capture: Capture, columns: Columns) -> None:
        self.columns = columns
        parts: list[_Part] = []
        shelf = Shelf()
        for table, out in ((_BY_ARGUMENT, False), (_BY_RESULT, True), (_PROVES, False)):
            for commands, names, state in table:
                told = _proven(columns, commands, names) if table is _PROVES else _told(columns, commands, names, out)
                parts += [(shelf.put(key), shelf.put(seq), STATES.index(state)) for key, seq in told]
        self._ranges: list[_Ranges] = []
        self._add_ranges(parts, shelf)
        self._add_lists(capture, parts)
        self._events = Events(*parts)

    def _add_ranges(self, parts: list[_Part], shelf: Shelf) -> None:
        """GRANULE_RANGE_*, RTT_DATA_MAP and RTT_DATA_UNMAP: one granule a call is an event, more of them are a range."""
        for command, to in (("GRANULE_RANGE_DELEGATE", _D), ("GRANULE_RANGE_UNDELEGATE", _U)):
            more = []
            for base, top in self._asked(command, ("base", False), ("out_top", True)):
                end = np.where(top.known, top.value, base.value + np.uint64(PAGE + 1))
                more.append(_range(parts, shelf, (base.value, end, base.end), base.ok & base.known, to))
            self._keep(more, to)
        for command, name, out, state in (
            ("RTT_DATA_MAP", "oaddr", False, "DATA"),
            ("RTT_DATA_UNMAP", "out_range", True, "DELEGATED"),
        ):
            more, to = [], STATES.index(state)
            for desc, base, top in self._asked(command, (name, out), ("base", False), ("out_top", True)):
                pa = desc.value & _DESC_ADDR
                good = desc.ok & desc.known & base.known & top.known & (pa != 0) & (top.value > base.value)
                more.append(_range(parts, shelf, (pa, pa + (top.value - base.value), desc.end), good, to))
            self._keep(more, to)

    def _asked(self, command: str, *named: tuple[str, bool]) -> Iterator[tuple[Part, ...]]:
        """The calls of a command, some at a time, with several arguments (results where the flag says so)."""
        return zip(*(self.columns.parts((command,), name, out=out) for name, out in named), strict=True)

    def _keep(self, parts: list[_Range], state: int) -> None:
        if any(len(base) for base, _, _ in parts):
            base, top, seq = (np.concatenate(column) for column in zip(*parts, strict=True))
            self._ranges.append(_Ranges(base, top, seq, state))

    def _add_lists(self, capture: Capture, parts: list[tuple[np.ndarray, np.ndarray, int]]) -> None:
        """Auxiliary granules named in a parameter page, and those that go back with their object."""
        for create, destroy, names, state in (
            ("REC_CREATE", "REC_DESTROY", ("rec", "rec_ptr"), "REC_AUX"),
            ("PDEV_CREATE", "PDEV_DESTROY", ("pdev_ptr",), "PDEV_AUX"),
            ("VDEV_CREATE", "VDEV_DESTROY", ("vdev_ptr",), "VDEV_AUX"),
        ):
            rows, end, owner, _known = self.columns.done_with((create,), *names)
            held: dict[int, list[int]] = {}
            for row, seq, key in zip(rows[:_MOST_PAGES].tolist(), end.tolist(), owner.tolist(), strict=False):
                aux = _aux_list(capture, row)
                if aux:
                    held[key] = aux
                    parts.append((np.array(aux, dtype=np.uint64), np.full(len(aux), seq), STATES.index(state)))
            if not held:
                continue
            rows, end, owner, _known = self.columns.done_with((destroy,), *names)
            for seq, key in zip(end.tolist(), owner.tolist(), strict=True):
                aux = held.get(key, [])
                parts.append((np.array(aux, dtype=np.uint64), np.full(len(aux), seq), _D))
        rows, end = self.columns.done("REALM_CREATE")
        for row, seq in zip(rows[:_MOST_PAGES].tolist(), end.tolist(), strict=False):
            start = _start_tables(capture, row)
            parts.append((np.array(start, dtype=np.uint64), np.full(len(start), seq), STATES.index("RTT")))

    def at(self, addr: int, seq: int) -> Known | None:
        """The state of the granule that an address lies in before a call, None where nothing tells it."""
        addr &= ~PAGE
        found = self._events.since(addr, seq)
        best = Known(STATES[found[0]], found[1]) if found is not None else None
        for ranges in self._ranges:
            call = ranges.last(addr, seq)
            if call is not None and (best is None or call > best.call):
                best = Known(STATES[ranges.state], call)
        return best

    def ever(self, addr: int) -> bool:
        """Whether a command told anything of a granule."""
        return self.at(addr, 1 << 62) is not None


class _Ranges:
    """Ranges of granules that calls moved to a state: by their length, in powers of two, and then by their base."""

    def __init__(self, base: U64, top: U64, seq: I64, state: int) -> None:
        self.state = state
        length = np.frexp((top - base).astype(np.float64))[1]
        """The exponent of the least power of two that is more, one more where the length is rounded up to it."""
        self._classes: list[tuple[int, U64, U64, I64, I64]] = []
        for power in np.unique(length).tolist():
            mine = np.flatnonzero(length == power)
            mine = mine[np.argsort(base[mine], kind="stable")]
            self._classes.append((1 << power, base[mine], top[mine], seq[mine], mine))

    def last(self, addr: int, seq: int) -> int | None:
        """The call before one that moved an address, of several the one whose command was made last."""
        found: list[tuple[int, int]] = []
        for most, base, top, calls, number in self._classes:
            a = int(base.searchsorted(np.uint64(max(addr - most, 0))))
            b = int(base.searchsorted(np.uint64(addr), "right"))
            hit = np.flatnonzero((np.uint64(addr) < top[a:b]) & (calls[a:b] < seq)) + a
            if len(hit):
                i = hit[np.argmax(number[hit])]
                found.append((int(number[i]), int(calls[i])))
        return max(found)[1] if found else None


def _range(parts: list[_Part], shelf: Shelf, calls: _Range, good: Flags, state: int) -> _Range:
    """Put those of some ranges that are one granule into ``parts``; those that are more."""
    base, top, seq = calls
    single = good & (top == base + np.uint64(PAGE + 1))
    parts.append((shelf.put(base[single]), shelf.put(seq[single]), state))
    more = good & (top > base) & ~single
    return base[more], top[more], seq[more]


def _told(columns: Columns, commands: tuple[str, ...], names: tuple[str, ...], out: bool = False) -> Iterator[tuple[U64, I64]]:
    """Arguments (results where ``out``) of calls that worked, and where these were through."""
    for part in columns.parts(commands, *names, out=out):
        mine = part.ok & part.known
        yield part.value[mine], part.end[mine]


def _proven(columns: Columns, commands: tuple[str, ...], names: tuple[str, ...]) -> Iterator[tuple[U64, I64]]:
    """Arguments of calls that worked, and where these were through. One where many in a row prove the same: the first of each
    value in every 64th part of the calls."""
    count, last, end = 0, -1, -1
    for part in columns.parts(commands, *names):
        good = np.flatnonzero(part.ok & part.known)
        count += len(good)
        if len(good) and part.rows[good[-1]] > last:
            last, end = int(part.rows[good[-1]]), int(part.end[good[-1]])
    if count < 4096:
        yield from _told(columns, commands, names)
        return
    width = max(end // 64, 1)
    kept = []
    for part in columns.parts(commands, *names):
        mine = part.ok & part.known
        if mine.any():
            kept.append(_first(part.value[mine], part.end[mine], width))
    key, seq = (np.concatenate(column) for column in zip(*kept, strict=True))
    yield _first(key, seq, width)


def _first(key: U64, seq: I64, width: int) -> tuple[U64, I64]:
    """The first call of each key in every ``width`` calls."""
    part = seq // width
    if not bool((seq[1:] < seq[:-1]).any()):  # of those in a row the first
        begins = np.append(True, (key[1:] != key[:-1]) | (part[1:] != part[:-1]))
        key, seq, part = key[begins], seq[begins], part[begins]
    order = np.lexsort((seq, part, key))
    k, p = key[order], part[order]
    first = np.append(True, (k[1:] != k[:-1]) | (p[1:] != p[:-1]))
    return key[order[first]], seq[order[first]]


def _aux_list(capture: Capture, row: int) -> list[int]:
    for buffer, tree in capture.call(row).buffers if _has_memory(capture, row) else ():
        if tree is not None and buffer.when == "enter" and (aux := tree.child("aux")) is not None:
            return [c.value for c in aux.children if isinstance(c.value, int) and c.value]
    return []


def _start_tables(capture: Capture, row: int) -> list[int]:
    for buffer, tree in capture.call(row).buffers if _has_memory(capture, row) else ():
        if tree is not None and buffer.struct == "RmiRealmParams" and buffer.when == "enter":
            base, count = tree.child("rtt_base"), tree.child("rtt_num_start")
            if base is not None and count is not None and isinstance(base.value, int) and isinstance(count.value, int):
                return [base.value + (i << 12) for i in range(min(count.value, 16))]
    return []


def _has_memory(capture: Capture, row: int) -> bool:
    return capture.sources[int(capture.calls.source[row])].format in ("calls-jsonl",)
