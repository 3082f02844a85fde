"""What to do with the records of each event of a binary trace, decided from its format before the first one is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..capture.records import N_REGS
from . import eventmap
from .ftrace_events import MARKERS
from .trace_dat_formats import MAX_RECORD, EventFormat, Field
from .trace_dat_pages import everywhere

IGNORE, ONE_BY_ONE, FUNCTION = 0, 1, 2
_FUNCTIONS = {"function": False, "funcgraph_entry": False, "fgraph_retaddr_entry": False, "funcgraph_exit": True}
_INTERNAL = 32
_SLACK = 8
"""Bytes behind its last field that a record may have: it is padded to words."""

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Plan:
    """How an event's records are read.

    how     IGNORE, FUNCTION (a function was entered or left), or ONE_BY_ONE until it is clear what the event is; from then
            on, where it has ``loads``, all at once
    loads   (register or element of the row, byte offset, bytes, signed) of x0..x7 in a record
    known   bit i set: xi is in the record, up to x17
    need    bytes that a whole record has at least
    most    bytes that it has at most (more: the format is that of another event, and of another boot)
    out     the registers are those after the SMC
    ret     the place of a wrapper's result is that of x0
    """

    kind: EventFormat
    how: int
    loads: tuple[tuple[int, int, int, bool], ...] = ()
    known: int = 0
    need: int = 8
    most: int = MAX_RECORD
    out: bool = False
    ret: bool = False


def plan_of(kind: EventFormat, rules: Mapping[str, eventmap.EventRule]) -> Plan:
    """The plan for an event."""
    every = (*kind.addresses, *kind.fields)
    need = max((f.offset + (4 if f.dynamic else f.size) for f in every), default=8)
    if kind.ident < _INTERNAL and not kind.probe:
        if kind.name in _FUNCTIONS and (kind.field("ip") or kind.field("func")):
            return _function(kind, need)
        return Plan(kind, ONE_BY_ONE if kind.name in MARKERS else IGNORE, need=need)
    fixed = kind.probe and all(f.size and not f.dynamic for f in every)
    most = need + _SLACK if fixed else MAX_RECORD
    rule = rules.get(kind.name)
    if rule is None and not kind.probe and not kind.said and not eventmap.is_smc_event(kind.name):
        return Plan(kind, IGNORE, need=need)
    said = eventmap.direction(kind.name) if eventmap.is_smc_event(kind.name) else None
    out = (rule.kind if rule else said or ("exit" if kind.probe == "return" else "enter")) == "exit"
    names = tuple(f.name for f in kind.fields)
    regs = eventmap.plan(names, out, tuple(rule.fields.items()) if rule else ())
    loads: dict[int, tuple[int, int, int, bool]] = {}
    known, ret = 0, False
    for f, reg in zip(kind.fields, regs, strict=True):
        for number, load in _loads(f, reg) if reg >= 0 else ():
            known |= 1 << number
            loads[number] = load
        ret = ret or (reg == 0 and f.name in ("ret", "retval") and not f.array)
    simple = all(f.size in (1, 2, 4, 8) if not f.array else f.size and not f.dynamic and f.base != "s" for f in _used(kind, regs))
    if not known & 1 or not simple:
        return Plan(kind, ONE_BY_ONE, need=need, most=most, out=out)
    low = tuple(load for number, load in sorted(loads.items()) if number < N_REGS)
    return Plan(kind, ONE_BY_ONE, low, known, need, most, out, ret)


def _used(kind: EventFormat, regs: tuple[int, ...]) -> list[Field]:
    return [f for f, reg in zip(kind.fields, regs, strict=True) if reg >= 0]


def _loads(f: Field, reg: int) -> list[tuple[int, tuple[int, int, int, bool]]]:
    """The registers that a field fills from ``reg`` on, each with where it stands."""
    count = f.size // f.width if f.array and f.width else 1
    last = min(count, eventmap.MAX_REGS - reg)
    return [(reg + i, (reg + i, f.offset + i * f.width, f.width, f.signed)) for i in range(last)]


def _function(kind: EventFormat, need: int) -> Plan:
    where = kind.field("ip") or kind.field("func")
    assert where is not None
    value = kind.field("retval")
    loads = ((0, value.offset, 8, False),) if value is not None and value.size == 8 else ()
    known = 1 if loads else 0
    return Plan(kind, FUNCTION, loads, known, max(need, where.offset + 8), out=_FUNCTIONS[kind.name])


Run = tuple[int, int, int, bool, int]
"""Registers that stand one behind the other in a record: the first, its byte offset, bytes of each, signed, how many."""


def runs(plan: Plan) -> list[Run]:
    """The loads of a plan, registers of eight bytes that can be copied as one put together."""
    out: list[Run] = []
    for reg, offset, size, signed in plan.loads:
        first, at, width, _, count = out[-1] if out else (0, 0, 0, False, 0)
        if (first + count, at + 8 * count, 8, False) == (reg, offset, size, signed) and (width, out[-1][3]) == (8, False):
            out[-1] = (first, at, 8, False, count + 1)
        else:
            out.append((reg, offset, size, signed, 1))
    return out


def load(pages: npt.NDArray[np.uint8], plan: Plan, body: I64, out: U64, rows: I64) -> None:
    """Put x0..x7 of the records whose payloads begin at ``body`` into these rows of ``out`` (zeros before)."""
    for reg, offset, size, signed, count in runs(plan):
        if count > 1:  # bytes that are copied as one, eight a register
            values = everywhere(pages, f"V{8 * count}")[body + offset].view("<u8").reshape(-1, count)
            out[_slice(rows), reg : reg + count] = values
            continue
        values = everywhere(pages, f"<{'i' if signed else 'u'}{size}")[body + offset]
        out[_slice(rows), reg] = values.astype(np.int64).view(np.uint64) if signed else values


def _slice(rows: I64) -> I64 | slice:
    """Numbers as a slice where they are one: a copy in one go."""
    if len(rows) > 1:
        step = int(rows[1] - rows[0])
        if step > 0 and (np.diff(rows) == step).all():
            return slice(int(rows[0]), int(rows[-1]) + 1, step)
    return rows
