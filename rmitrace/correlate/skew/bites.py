"""Where a difference between kernel and firmware bites: calls, registers, structures, flags, states and statuses that each
side takes for something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

import decoders
from decoders.abi import Profile

from ...capture.distinct import distinct
from ...capture.naming import FID_MASK
from ...capture.revision import DEVICE, R10, R11
from .opinions import FIRMWARE, Skew
from .signs import BEFORE
from .tables import STRUCTURES, bits_that_differ, moved, places, registers_that_differ, signature

if TYPE_CHECKING:
    from ...capture.model import Capture

_STATES = {"RMI_PDEV_GET_STATE": "RmiPdevState", "RMI_VDEV_GET_STATE": "RmiVdevState"}
_FEATURES = "RMI_FEATURES"
_SHOWN = 1000
_AT_ONCE = 1 << 17
"""Calls that are looked at together."""
_FIELDS = 5
"""Fields of a structure that are named one by one."""


@dataclass(frozen=True, slots=True)
class Bite:
    """One thing that the sides take differently.

    kind    'command', 'registers', 'structure', 'flags', 'state', 'status' or 'features'
    what    the command, structure or status
    text    what each side takes it for
    calls   the calls in which it shows, at most _SHOWN; ``count`` how many there are
    """

    kind: str
    what: str
    text: str
    calls: tuple[int, ...]
    count: int


def bites(capture: Capture, skew: Skew) -> Iterator[Bite]:
    """What goes wrong between the two revisions of a skew, as far as calls of the capture show it."""
    old, new = chosen(skew)
    if old is None or new is None or skew.kernel.side == FIRMWARE:
        return
    asked = _calls(capture, skew.kernel.sources, skew.group)
    same = skew.firmware.sources == skew.kernel.sources
    answered = asked if same else _calls(capture, skew.firmware.sources, skew.group)
    yield from _commands(capture, old, new, asked)
    yield from _structures(capture, old, new, asked)
    yield from _states(capture, old, new, answered)
    if skew.group == "core":
        yield from _statuses(capture, old, new, answered)
        yield from _features(capture, old, new, answered)


def chosen(skew: Skew) -> tuple[Profile | None, Profile | None]:
    """The tables of both sides: of several that fit the one that is the nearest to the other side; None where there is no
    table."""
    order = [BEFORE, *decoders.REVISIONS]
    pairs = [
        (abs(order.index(k) - order.index(f)), k, f)
        for k in skew.kernel.fits
        for f in (skew.firmware.fits or (R10,))
        if k != BEFORE and f != BEFORE
    ]
    if not pairs:
        return None, None
    _, k, f = min(pairs)
    k = R11 if skew.group == "device" and k == R10 else k
    return decoders.profile(k), decoders.profile(f)


def _calls(capture: Capture, sources: tuple[int, ...], group: str) -> Any:
    """The RMI calls of a side that are of a group of commands, in four bytes where there are not too many."""
    c = capture.calls
    wanted = np.array([*(_in_group(n, group) for n in capture.names), False], dtype=bool)
    small = np.dtype(np.int64 if len(capture) >> 31 else np.int32)
    found = [np.zeros(0, dtype=small)]
    for start in range(0, len(capture), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        mine = wanted[c.name[part]] & (c.fid[part] != 0)
        if len(capture.sources) > 1:
            mine &= np.isin(c.source[part], sources)
        found.append((np.flatnonzero(mine) + start).astype(small))
    return np.concatenate(found)


def _by_value(rows: Any, asked: Callable[[Any], tuple[Any, Any]]) -> Iterator[tuple[int, Any]]:
    """The calls by something that is asked of some of them at a time: its values (uint64), and which are known. In order of the
    values."""
    found: dict[int, list[Any]] = {}
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        values, known = asked(some)
        some, values = some[known], values[known]
        different, which = distinct(values)
        order = np.argsort(which.astype(np.min_scalar_type(len(different))), kind="stable")
        cuts = np.searchsorted(which[order], np.arange(len(different) + 1)).tolist()
        for value, (a, b) in zip(different.tolist(), pairwise(cuts), strict=True):
            found.setdefault(value, []).append(some[order[a:b]])
    return ((value, np.concatenate(found[value])) for value in sorted(found))


def _in_group(name: str, group: str) -> bool:
    if not name.startswith(("RMI_", "unknown 0xc40001", "unknown 0xc40002")):
        return False
    return name == group if group.startswith("RMI_") else (DEVICE.match(name) is not None) == (group == "device")


def _bite(kind: str, what: str, text: str, rows: Any) -> Bite:
    return Bite(kind, what, text, tuple(rows[:_SHOWN].tolist()), len(rows))


def _commands(capture: Capture, old: Profile, new: Profile, rows: Any) -> Iterator[Bite]:
    """Function ids that the firmware lacks, takes for another command, or reads other registers of."""
    stateful: list[tuple[str, Any]] = []
    for fid, here in _by_value(rows, lambda some: (capture.calls.fid[some] & np.uint64(FID_MASK), slice(None))):
        a, b = old.by_fid.get(int(fid)), new.by_fid.get(int(fid))
        if a is None:
            continue
        if b is None:
            text = f"{a.name} (0x{fid:x}) does not exist in {new.revision}{_results(capture, here)}"
            yield _bite("command", a.name, text, here)
        elif a.name != b.name:
            text = f"0x{fid:x} is {a.name}{signature(a)} for the kernel and {b.name}{signature(b)} for the firmware"
            yield _bite("command", a.name, text + _results(capture, here), here)
        elif differing := registers_that_differ(a, b):
            text = (
                f"{a.name} of {old.revision} passes {signature(a)}, {new.revision} takes {signature(b)}: {', '.join(differing)}"
            )
            yield _bite("registers", a.name, text + _results(capture, here), here)
        elif b.stateful and not a.stateful:
            stateful.append((a.name, here))
    if stateful:
        names = ", ".join(n for n, _ in stateful)
        text = f"{names} may answer RMI_INCOMPLETE in {new.revision} and go on with RMI_OP_CONTINUE, which {old.revision} has not"
        yield _bite("registers", "RMI_INCOMPLETE", text, np.unique(np.concatenate([r for _, r in stateful])))


def _results(capture: Capture, rows: Any) -> str:
    """', answered with RMI_ERROR_INPUT x3'; only what was refused is worth saying."""
    c = capture.calls
    bad = Counter(capture.status_text(int(r)) or "an error" for r in rows[c.failed[rows]].tolist()[:_SHOWN])
    return ", answered with " + ", ".join(f"{s} x{n}" if n > 1 else s for s, n in bad.most_common(3)) if bad else ""


def _structures(capture: Capture, old: Profile, new: Profile, rows: Any) -> Iterator[Bite]:
    """Structures whose fields moved, and bits of their flags that changed, of commands that were called."""
    c = capture.calls
    said: set[str] = set()
    for name, struct in STRUCTURES.items():
        if name not in capture.names or struct in said:
            continue
        here = rows[c.name[rows] == capture.names.index(name)]
        if not len(here) or struct not in old.structs or struct not in new.structs:
            continue
        said.add(struct)
        fields = moved(old, new, struct)
        if fields:
            shown = ", ".join(f.text for f in fields[:_FIELDS]) + (
                f" and {len(fields) - _FIELDS} more" if len(fields) > _FIELDS else ""
            )
            written = _written(capture, here, struct, old, new)
            yield _bite("structure", struct, f"{struct} of {name}, {old.revision} -> {new.revision}: {shown}{written}", here)
        for path, (_, _, type) in places(old, struct).items():
            bits = bits_that_differ(old, new, type)
            if bits:
                text = f"{struct}.{path} ({type}), {old.revision} -> {new.revision}: {', '.join(bits)}"
                yield _bite("flags", f"{struct}.{path}", text, here)


def _written(capture: Capture, rows: Any, struct: str, old: Profile, new: Profile) -> str:
    """What the kernel wrote and what the firmware reads in its place, of the first call whose page was recorded."""
    for row in rows[:16].tolist():
        page = next((b.data for b, _ in capture.call(row).buffers if b.struct == struct and b.when == "enter"), b"")
        if not page:
            continue
        for f in moved(old, new, struct):
            if f.old is None or f.new is None or f.old[0] == f.new[0] or max(f.old[1], f.new[1]) > 8:
                continue
            wrote, reads = (int.from_bytes(page[at : at + size], "little") for at, size in (f.old, f.new))
            if wrote and wrote != reads:
                return f"; in call {row} {f.path} was written as 0x{wrote:x}, where the firmware looks it reads 0x{reads:x}"
    return ""


def _states(capture: Capture, old: Profile, new: Profile, rows: Any) -> Iterator[Bite]:
    """States that were read back, and that the kernel takes for others."""
    c = capture.calls
    for name, enum in _STATES.items():
        if name not in capture.names:
            continue
        here = rows[(c.name[rows] == capture.names.index(name)) & ~c.failed[rows]]
        a, b = old.enums.get(enum, {}), new.enums.get(enum, {})
        for value, mine in _by_value(here, lambda some: capture.regs(some, 1, out=True)):
            x, y = a.get(value), b.get(value)
            if x != y and y is not None:
                text = f"{name} gave {value}: {y} of {new.revision}, for the kernel {x or 'no state'} of {old.revision}"
                yield _bite("state", f"{enum} {value}", text, mine)


def _statuses(capture: Capture, old: Profile, new: Profile, rows: Any) -> Iterator[Bite]:
    """Statuses that the firmware answered with and that the kernel's revision has not, or means otherwise."""

    def statuses(some: Any) -> tuple[Any, Any]:
        x0, known = capture.regs(some, 0, out=True)
        return x0 & np.uint64(0xFF), known & (x0 != np.uint64(2**64 - 1))

    for code, mine in _by_value(rows, statuses):
        x, y = old.statuses.get(code), new.statuses.get(code)
        if x != y and y is not None:
            what = (
                f"which {old.revision} calls {x}"
                if x
                else f"which {old.revision} has not: its kernel takes it for an unknown error"
            )
            yield _bite("status", y, f"status {code} is {y}, {what}", mine)


def _features(capture: Capture, old: Profile, new: Profile, rows: Any) -> Iterator[Bite]:
    """Feature registers whose bits mean something else to the kernel."""
    if _FEATURES not in capture.names:
        return
    c = capture.calls
    here = rows[(c.name[rows] == capture.names.index(_FEATURES)) & ~c.failed[rows]]
    index, _ = capture.regs(here, 1)
    value, known = capture.regs(here, 1, out=True)
    for i in np.unique(index[known]).tolist():
        type = f"RmiFeatureRegister{i}"
        at = np.flatnonzero(known & (index == np.uint64(i)))
        seen = int(np.bitwise_or.reduce(value[at]))
        wrong = [t for t in bits_that_differ(old, new, type) if _touches(old, new, type, t.split(" ")[0], seen)]
        if wrong:
            text = f"{type} 0x{int(value[at[0]]):x}, {old.revision} -> {new.revision}: {', '.join(wrong[:8])}"
            yield _bite("features", type, text, here[at])


def _touches(old: Profile, new: Profile, type: str, field: str, value: int) -> bool:
    """Whether a value has bits set in a field, where either side has it."""
    masks: Callable[[Profile], int] = lambda p: next((f.mask for f in p.bitfields[type] if f.name == field), 0)  # noqa: E731
    return bool(value & (masks(old) | masks(new)))
