"""Entry and exit records of one source become calls.

What belongs together is told by the task (by the CPU for the idle task, which exists once on each) and by the
probe: within one task and one family of events, an entry and the exit that follows it are one SMC. Whatever lies
between two records on a CPU that lost events in the meantime is not joined, and what finds no partner stays a call
of its own that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from . import pairing_fast
from .pairs import BOTH, ENTER_ONLY, EXIT_ONLY, I64, WHOLE, Flags, Pairs
from .records import Kind, Records, Values

NO_RETURN = (0x84000002, 0x84000008, 0x84000009, 0x8400000B)
"""PSCI CPU_OFF, SYSTEM_OFF, SYSTEM_RESET, CPU_FREEZE: an exit long after belongs to another call (DEN0022 5.5-5.10)."""
_MAX_NESTING = 64


def chosen(column: Values, which: I64) -> npt.NDArray[Any]:
    """The values of some records in order: all of them are unpacked in one go."""
    return np.asarray(column) if len(which) == len(column) else column[which]


def task_keys(records: Records, which: I64) -> I64:
    """A number a task: the pid, or below zero one a CPU for the idle task and for records without a pid."""
    pid: I64 = chosen(records.pid, which).astype(np.int64)
    if not len(pid) or pid.min() > 0:
        return pid
    cpu = chosen(records.cpu, which).astype(np.int64)
    keys: I64 = np.where(pid > 0, pid, -2 - cpu)
    return keys


def order_by(keys: I64) -> I64 | None:
    """The order of the keys, of equal ones that of the source; None where they are in it. Numbers that lie close together
    (task ids) are sorted by their digits, in linear time."""
    if (keys[1:] >= keys[:-1]).all():
        return None
    low = keys.min()
    span = int(keys.max()) - int(low)
    if span < 1 << 24:
        near = keys - low
        if span >= 1 << 16:
            used = np.zeros(span + 1, dtype=bool)
            used[near] = True
            near = (np.cumsum(used, dtype=np.int32) - 1)[near]
        if int(near.max()) < 1 << 16:
            return np.argsort(near.astype(np.uint16), kind="stable")
    return np.argsort(keys, kind="stable")


def match(keys: I64, is_exit: Flags, epoch: I64 | None, sticky: Callable[[I64], Flags]) -> I64:
    """The partner of each event, -1 for none; arrays are in the order of the source.

    keys     what a pair has in common
    epoch    how often events were lost on the record's CPU before it; a pair lies within one; None: never
    sticky   which of some entries do not return: only an exit right behind one is its own
    """
    partner = np.full(len(keys), -1, dtype=np.int64)
    left = order_by(keys)
    key, out = (keys, is_exit) if left is None else (keys[left], is_exit[left])
    for depth in range(_MAX_NESTING):
        fits = (out[:-1] < out[1:]) & (key[:-1] == key[1:])
        if epoch is not None:
            at = epoch if left is None else epoch[left]
            fits &= at[:-1] == at[1:]
        first = np.flatnonzero(fits)
        if depth and len(first):
            assert left is not None
            good = ~sticky(left[first])
            fits[first], first = good, first[good]
        if not len(first):
            break
        enters, exits = (first, first + 1) if left is None else (left[first], left[first + 1])
        partner[enters], partner[exits] = exits, enters
        alone = np.ones(len(key), dtype=bool)
        alone[:-1] ^= fits
        alone[1:] ^= fits
        rest = np.flatnonzero(alone)
        if len(rest) < 2:
            break
        left, key, out = rest if left is None else left[rest], key[rest], out[rest]
    return partner


def loss_epochs(records: Records, which: I64) -> I64 | None:
    """For each record how many times events had been lost on its CPU before it; None where none ever were."""
    lost = np.flatnonzero(records.kind == Kind.LOST)
    if not len(lost):
        return None
    epoch = np.zeros(len(which), dtype=np.int64)
    cpus = records.cpu[which]
    for cpu in np.unique(records.cpu[lost]):
        at = lost[records.cpu[lost] == cpu]
        mine = np.ones(len(which), dtype=bool) if cpu < 0 else cpus == cpu
        epoch[mine] += np.searchsorted(at, which[mine])
    return epoch


def _families(records: Records, smc: I64, is_exit: Flags, family: Callable[[str], str]) -> I64 | None:
    """For each SMC record the number of its family of events; None where there is only one.

    Where a source has one name for entries and one for exits they are a family whatever they are called.
    """
    names = chosen(records.name, smc)
    seen = np.bincount((names + 1) * 2 + is_exit, minlength=2 * len(records.names) + 2).reshape(-1, 2)
    table = _family_numbers(records, seen, family)
    return None if table is None else table[names]


def _family_numbers(records: Records, seen: npt.NDArray[Any], family: Callable[[str], str]) -> I64 | None:
    """The number of the family of every name, None where there is only one. ``seen``: entries and exits, from name -1 on."""
    enters, exits = np.flatnonzero(seen[:, 0]), np.flatnonzero(seen[:, 1])
    if len(enters) <= 1 and len(exits) <= 1:
        return None
    numbers: dict[str, int] = {}
    table = np.array([numbers.setdefault(family(name), len(numbers)) for name in [*records.names, ""]], dtype=np.int64)
    used = table[np.union1d(enters, exits) - 1]
    return None if (used == used[0]).all() else table


def pair(records: Records, family: Callable[[str], str], wraps: Callable[[str], bool]) -> Pairs:
    """The calls of a source.

    ``family`` names the probe that an event name belongs to, ``wraps`` tells whether a function of that name stands
    around one SMC.
    """
    around = np.array([*map(wraps, records.names), False], dtype=bool)
    if pairing_fast.repaid(records):
        fast = pairing_fast.found(records, lambda seen: _family_numbers(records, seen, family) is None, around)
        if fast is not None:
            return fast
    kind = np.asarray(records.kind)
    smc = np.flatnonzero(kind <= Kind.EXIT)
    enters, exits, codes, dup, dup_of = _pair_smc(records, smc, kind[smc] == Kind.EXIT, family)
    parts = [(enters, exits, codes, np.zeros(len(enters), dtype=bool))]
    whole = np.flatnonzero(kind == Kind.WHOLE_IN)
    if len(whole):
        parts.append(
            (whole, _results(records, kind, whole), np.full(len(whole), WHOLE, dtype=np.uint8), np.zeros(len(whole), dtype=bool))
        )
    wrap = np.flatnonzero((kind == Kind.WRAP_ENTER) | (kind == Kind.WRAP_EXIT)) if around.any() else whole[:0]
    wrap = wrap[around[records.name[wrap]]]
    if len(wrap):
        parts.append(_wrappers(records, wrap, enters, exits))
    parts = [p for p in parts if len(p[0])] or parts[:1]
    if len(parts) == 1:  # in order as it is
        return Pairs(*parts[0], dup, dup_of)
    enter, exit_, code, guess = (np.concatenate(c) for c in zip(*parts, strict=True))
    order = np.argsort(np.where(enter >= 0, enter, exit_), kind="stable")
    place = {int(o): i for i, o in enumerate(order.tolist())} if dup_of else {}
    return Pairs(enter[order], exit_[order], code[order], guess[order], dup, {place[k]: v for k, v in dup_of.items()})


def _results(records: Records, kind: npt.NDArray[np.uint8], whole: I64) -> I64:
    """The record right behind each row, where that is the row's result; else -1."""
    nxt = np.minimum(whole + 1, len(records) - 1)
    offset = np.asarray(records.offset)
    has = (kind[nxt] == Kind.WHOLE_OUT) & (offset[nxt] == offset[whole])
    return np.where(has, nxt, -1)


def _pair_smc(
    records: Records, smc: I64, is_exit: Flags, family: Callable[[str], str]
) -> tuple[I64, I64, npt.NDArray[np.uint8], int, dict[int, tuple[int, int]]]:
    """Calls from entry and exit records: enter, exit, code, how many records were second sights, and of which calls."""
    if not len(smc):
        return smc, smc, np.zeros(0, dtype=np.uint8), 0, {}
    tasks = task_keys(records, smc)
    fam = _families(records, smc, is_exit, family)
    never = np.array(NO_RETURN, dtype=np.uint64)

    def sticky(which: I64) -> Flags:
        leaves: Flags = np.isin(records.regs[smc[which], 0] & np.uint64(0xFFFFFFFF), never)
        return leaves

    partner = match(tasks if fam is None else tasks * 64 + fam % 64, is_exit, loss_epochs(records, smc), sticky)
    has = partner >= 0
    at = np.flatnonzero(~is_exit | ~has)  # an exit with a partner is told by its entry
    e, x = smc[at], np.where(has[at], smc[partner[at]], -1)
    code = np.where(has[at], BOTH, ENTER_ONLY).astype(np.uint8)
    alone = np.flatnonzero(is_exit[at])
    x[alone], e[alone], code[alone] = e[alone], -1, EXIT_ONLY
    if fam is None:
        return e, x, code, 0, {}
    return _merge_seen_twice(records, e, x, code, tasks[at], fam[at])


def _merge_seen_twice(
    records: Records, e: I64, x: I64, code: npt.NDArray[np.uint8], task: I64, fam: I64
) -> tuple[I64, I64, npt.NDArray[np.uint8], int, dict[int, tuple[int, int]]]:
    """One SMC seen by two probes (a stub and the function around it) is one call: the fuller sight is kept."""
    pos = np.where(e >= 0, e, x)
    end = np.where(x >= 0, x, np.iinfo(np.int64).max)
    order = order_by(task)  # of one task those of the source: in order of the place
    order = np.arange(len(e)) if order is None else order
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


def _wrappers(records: Records, wrap: I64, enters: I64, exits: I64) -> tuple[I64, I64, npt.NDArray[np.uint8], Flags]:
    """Functions around an SMC (``rmi_pdev_create``) that are the only sight of it: those with no SMC inside."""
    is_exit = records.kind[wrap] == Kind.WRAP_EXIT
    tasks = task_keys(records, wrap)
    keys = tasks * 4096 + records.name[wrap] % 4096
    partner = match(keys, is_exit, loss_epochs(records, wrap), lambda which: np.zeros(len(which), dtype=bool))
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
