"""Entry and exit records of one source become calls.

What belongs together is told by the task (by the CPU for the idle task, which exists once on each) and by the
probe: within one task and one family of events, an entry and the exit that follows it are one SMC. Whatever lies
between two records on a CPU that lost events in the meantime is not joined, and what finds no partner stays a call
of its own that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .records import Kind, Records

I64 = npt.NDArray[np.int64]

BOTH, ENTER_ONLY, EXIT_ONLY, WHOLE = 0, 1, 2, 3
PAIRED = ("both", "enter-only", "exit-only", "whole")
NO_RETURN = (0x84000002, 0x84000008, 0x84000009, 0x8400000B)
"""PSCI CPU_OFF, SYSTEM_OFF, SYSTEM_RESET, CPU_FREEZE: an exit long after belongs to another call (DEN0022 5.5-5.10)."""
_MAX_NESTING = 64


@dataclass(slots=True)
class Pairs:
    """The calls of one source in its order.

    enter, exit   record numbers, -1 where there is none
    paired        BOTH, ENTER_ONLY, EXIT_ONLY or WHOLE
    inferred      the call is told from the function around the SMC, not from the SMC itself
    duplicates    records that show an SMC a second time, through another probe
    """

    enter: I64
    exit: I64
    paired: npt.NDArray[np.uint8]
    inferred: npt.NDArray[np.bool_]
    duplicates: int
    duplicate_of: dict[int, tuple[int, int]]
    """Call number -> the (enter, exit) records of the other probe."""


def task_keys(records: Records, which: I64) -> I64:
    """A number a task: the pid, or below zero one a CPU for the idle task and for records without a pid."""
    pid = records.pid[which].astype(np.int64)
    cpu = records.cpu[which].astype(np.int64)
    return np.where(pid > 0, pid, -2 - cpu)


def match(keys: I64, is_exit: npt.NDArray[np.bool_], epoch: I64, sticky: npt.NDArray[np.bool_]) -> I64:
    """The partner of each event, -1 for none; arrays are in the order of the source.

    keys     what a pair has in common
    epoch    how often events were lost on the record's CPU before it; a pair lies within one
    sticky   entries that do not return: only an exit right behind one is its own
    """
    n = len(keys)
    partner = np.full(n, -1, dtype=np.int64)
    left = np.argsort(keys, kind="stable")
    for depth in range(_MAX_NESTING):
        if len(left) < 2:
            break
        a, b = left[:-1], left[1:]
        fits = (keys[a] == keys[b]) & ~is_exit[a] & is_exit[b] & (epoch[a] == epoch[b])
        if depth:
            fits &= ~sticky[a]
        if not fits.any():
            break
        partner[a[fits]] = b[fits]
        partner[b[fits]] = a[fits]
        gone = np.zeros(len(left), dtype=bool)
        gone[:-1] |= fits
        gone[1:] |= fits
        left = left[~gone]
    return partner


def loss_epochs(records: Records, which: I64) -> I64:
    """For each record how many times events had been lost on its CPU before it (0 where none ever were)."""
    lost = np.flatnonzero(records.kind == Kind.LOST)
    epoch = np.zeros(len(which), dtype=np.int64)
    if not len(lost):
        return epoch
    cpus = records.cpu[which]
    for cpu in np.unique(records.cpu[lost]):
        at = lost[records.cpu[lost] == cpu]
        mine = np.ones(len(which), dtype=bool) if cpu < 0 else cpus == cpu
        epoch[mine] += np.searchsorted(at, which[mine])
    return epoch


def _families(records: Records, family: Callable[[str], str]) -> I64:
    """For each entry of the name table (and, last, for no name) a family number.

    Where a source has one name for entries and one for exits they are a family whatever they are called.
    """
    smc = np.isin(records.kind, (Kind.ENTER, Kind.EXIT))
    enters = set(np.unique(records.name[smc & (records.kind == Kind.ENTER)]).tolist())
    exits = set(np.unique(records.name[smc & (records.kind == Kind.EXIT)]).tolist())
    numbers: dict[str, int] = {}
    table = np.zeros(len(records.names) + 1, dtype=np.int64)
    only_pair = len(enters) <= 1 and len(exits) <= 1
    for i, name in enumerate([*records.names, ""]):
        table[i] = 0 if only_pair else numbers.setdefault(family(name), len(numbers))
    return table


def pair(records: Records, family: Callable[[str], str], wraps: Callable[[str], bool]) -> Pairs:
    """The calls of a source.

    ``family`` names the probe that an event name belongs to, ``wraps`` tells whether a function of that name stands
    around one SMC.
    """
    kind = records.kind
    smc = np.flatnonzero((kind == Kind.ENTER) | (kind == Kind.EXIT)).astype(np.int64)
    enters, exits, codes, dup, dup_of = _pair_smc(records, smc, family)
    inferred = np.zeros(len(enters), dtype=bool)
    parts = [(enters, exits, codes, inferred)]
    whole = np.flatnonzero(kind == Kind.WHOLE_IN).astype(np.int64)
    if len(whole):
        nxt = np.minimum(whole + 1, len(kind) - 1)
        has = (kind[nxt] == Kind.WHOLE_OUT) & (records.offset[nxt] == records.offset[whole]) & (nxt > whole)
        parts.append(
            (whole, np.where(has, nxt, -1), np.full(len(whole), WHOLE, dtype=np.uint8), np.zeros(len(whole), dtype=bool))
        )
    around = np.array([*map(wraps, records.names), False], dtype=bool)
    wrap = ((kind == Kind.WRAP_ENTER) | (kind == Kind.WRAP_EXIT)) & around[records.name]
    wrap = np.flatnonzero(wrap).astype(np.int64)
    if len(wrap):
        parts.append(_wrappers(records, wrap, enters, exits))
    enter = np.concatenate([p[0] for p in parts])
    exit_ = np.concatenate([p[1] for p in parts])
    code = np.concatenate([p[2] for p in parts]).astype(np.uint8)
    guess = np.concatenate([p[3] for p in parts])
    order = np.argsort(np.where(enter >= 0, enter, exit_), kind="stable")
    place = {int(o): i for i, o in enumerate(order.tolist())} if dup_of else {}
    return Pairs(enter[order], exit_[order], code[order], guess[order], dup, {place[k]: v for k, v in dup_of.items()})


def _pair_smc(
    records: Records, smc: I64, family: Callable[[str], str]
) -> tuple[I64, I64, npt.NDArray[np.uint8], int, dict[int, tuple[int, int]]]:
    """Calls from entry and exit records: enter, exit, code, how many records were second sights, and of which calls."""
    tasks = task_keys(records, smc)
    fam = _families(records, family)[records.name[smc]]
    is_exit = records.kind[smc] == Kind.EXIT
    sticky = ~is_exit & np.isin(records.regs[smc, 0] & np.uint64(0xFFFFFFFF), np.array(NO_RETURN, dtype=np.uint64))
    partner = match(tasks * 64 + fam % 64, is_exit, loss_epochs(records, smc), sticky)
    has = partner >= 0
    first = ~is_exit | ~has  # an exit with a partner is told by its entry
    at = np.flatnonzero(first)
    e = np.where(is_exit[at], -1, smc[at])
    x = np.where(is_exit[at], smc[at], np.where(has[at], smc[np.maximum(partner[at], 0)], -1))
    code = np.where(has[at], BOTH, np.where(is_exit[at], EXIT_ONLY, ENTER_ONLY)).astype(np.uint8)
    if len(np.unique(fam)) < 2:
        return e, x, code, 0, {}
    return _merge_seen_twice(records, e, x, code, tasks[at], fam[at])


def _merge_seen_twice(
    records: Records, e: I64, x: I64, code: npt.NDArray[np.uint8], task: I64, fam: I64
) -> tuple[I64, I64, npt.NDArray[np.uint8], int, dict[int, tuple[int, int]]]:
    """One SMC seen by two probes (a stub and the function around it) is one call: the fuller sight is kept."""
    pos = np.where(e >= 0, e, x)
    end = np.where(x >= 0, x, np.iinfo(np.int64).max)
    order = np.lexsort((pos, task))
    p, i = order[:-1], order[1:]
    near = (pos[i] < end[p]) | ((e[p] < 0) & (e[i] < 0) & (x[i] - x[p] <= 4))
    drop = np.zeros(len(e), dtype=bool)
    other: dict[int, tuple[int, int]] = {}
    for k in np.flatnonzero((task[p] == task[i]) & (fam[p] != fam[i]) & near).tolist():
        outer, inner = int(order[k]), int(order[k + 1])
        if drop[outer]:  # a third probe is compared with what was kept
            outer = int(order[k - 1])
        if not _same_registers(records, (e[outer], e[inner]), (x[outer], x[inner])):
            continue
        keep, lose = outer, inner
        if _fullness(records, e[inner], x[inner]) > _fullness(records, e[outer], x[outer]):
            keep, lose = inner, outer
        drop[lose] = True
        other[keep] = (int(e[lose]), int(x[lose]))
    kept = np.flatnonzero(~drop)
    place = {int(k): i for i, k in enumerate(kept.tolist())}
    seen_twice = int(sum((a >= 0) + (b >= 0) for a, b in other.values()))
    return e[kept], x[kept], code[kept], seen_twice, {place[k]: v for k, v in other.items() if k in place}


def _same_registers(records: Records, entries: tuple[Any, Any], exits: tuple[Any, Any]) -> bool:
    a, b = entries if min(entries) >= 0 else exits
    if a < 0 or b < 0:
        return False
    both = int(records.known[a] & records.known[b] & 0xFF)
    return bool(both & 1) and all(records.regs[a, k] == records.regs[b, k] for k in range(8) if both >> k & 1)


def _fullness(records: Records, e: np.int64, x: np.int64) -> int:
    count = 0
    for r in (e, x):
        if r >= 0:
            count += int(records.known[r]).bit_count() + 8
    return count


def _wrappers(
    records: Records, wrap: I64, enters: I64, exits: I64
) -> tuple[I64, I64, npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Functions around an SMC (``rmi_pdev_create``) that are the only sight of it: those with no SMC inside."""
    is_exit = records.kind[wrap] == Kind.WRAP_EXIT
    tasks = task_keys(records, wrap)
    keys = tasks * 4096 + records.name[wrap] % 4096
    partner = match(keys, is_exit, loss_epochs(records, wrap), np.zeros(len(wrap), dtype=bool))
    at = np.flatnonzero(~is_exit)
    e = wrap[at]
    x = np.where(partner[at] >= 0, wrap[np.maximum(partner[at], 0)], -1)
    smc_at = np.where(enters >= 0, enters, exits)
    if len(smc_at):
        smc_task = task_keys(records, smc_at)
        order = np.lexsort((smc_at, smc_task))
        pos = smc_at[order]
        # a wrapper holds an SMC where the first one of its task behind its entry comes before its exit
        combined = smc_task[order] * np.int64(1 << 34) + pos
        want = tasks[at] * np.int64(1 << 34) + e
        nxt = np.searchsorted(combined, want)
        safe = np.minimum(nxt, len(pos) - 1)
        same = (nxt < len(pos)) & (smc_task[order][safe] == tasks[at])
        inside = same & ((pos[safe] < x) | (x < 0))
        e, x = e[~inside], x[~inside]
    code = np.where(x >= 0, BOTH, ENTER_ONLY).astype(np.uint8)
    return e, x, code, np.ones(len(e), dtype=bool)
