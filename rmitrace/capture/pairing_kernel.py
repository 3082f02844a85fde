"""Pairing as a kernel: one pass over the records of a source, with a stack for each task.

The same as pairing.match(): there pairs are taken out from the inside, here an exit belongs to the entry on top of its
task's stack. An exit that finds none of its own empties the stack, as nothing reaches over it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.kernel_steps import pointer

SLOTS = 1 << 16
TASKS = 1 << 15
"""Tasks at most."""
CPUS = 1 << 13
"""CPUs at most, where events were lost."""
DONE, GIVE_UP = 0, 1
CALLS, USED, WHOLE, WHOLE_AT, LOST = range(5)
"""What is remembered: calls and tasks so far, record and offset of the last whole row, losses on no CPU in particular."""
_ENTER, _EXIT, _WHOLE_IN, _WHOLE_OUT, _WRAP_ENTER, _WRAP_EXIT, _LOST = range(1, 8)
_BOTH, _ENTER_ONLY, _EXIT_ONLY, _WHOLE = range(4)
_MAX_NESTING = 64
_NO_TIME = np.int64(-(2**63))
_SPREAD, _DOWN = np.uint64(0x9E3779B97F4A7C15), np.uint64(48)
_LOW = np.uint64(0xFFFFFFFF)
_0, _1 = np.uint64(0), np.uint64(1)
_OFF, _DOWN_, _RESET, _FREEZE = (np.uint64(n) for n in (0x84000002, 0x84000008, 0x84000009, 0x8400000B))


def slot_of(key: Any, keys: Any, used: Any, state: Any) -> Any:
    """The place of a task in the table, -1 where that is full."""
    slot = np.int64(np.uint64(key & 0x7FFFFFFFFFFFFFFF) * _SPREAD >> _DOWN)
    while used[slot]:
        if keys[slot] == key:
            return slot
        slot = (slot + 1) & (SLOTS - 1)
    if state[USED] >= TASKS:
        return -1
    state[USED] += 1
    used[slot], keys[slot] = 1, key
    return slot


def stays(fid: Any) -> Any:
    """Whether a function does not return: pairing.NO_RETURN."""
    low = fid & _LOW
    return low in (_OFF, _DOWN_, _RESET, _FREEZE)


def opened(n: Any, i: Any, code: Any, ts: Any, cpu: Any, pid: Any, o_enter: Any, o_exit: Any, o_code: Any, o_ts: Any,
           o_dur: Any, o_cpu: Any, o_pid: Any, o_x0: Any, o_asked: Any, o_r0: Any, o_answered: Any) -> None:  # fmt: skip
    """A call begins with a record, of which nothing else is known yet."""
    o_enter[n], o_exit[n], o_code[n] = i, -1, code
    o_ts[n], o_dur[n], o_cpu[n], o_pid[n] = ts, -1, cpu, pid
    o_x0[n], o_asked[n], o_r0[n], o_answered[n] = _0, 0, _0, 0


def ended(n: Any, i: Any, later: Any, ts: Any, x0: Any, known: Any, o_exit: Any, o_ts: Any, o_dur: Any, o_r0: Any,
          o_answered: Any) -> None:  # fmt: skip
    """A call ends with a record; ``later``: it says how long that took only where that is later."""
    o_exit[n] = i
    o_r0[n], o_answered[n] = x0 if known else _0, known
    if o_ts[n] != _NO_TIME and ts != _NO_TIME and ts >= o_ts[n] + later:
        o_dur[n] = ts - o_ts[n]


def _records(
    kind: Any, name: Any, offset: Any, ts: Any, cpu: Any, pid: Any, known: Any, x0: Any, first: Any, count: Any, state: Any,
    keys: Any, used: Any, top: Any, fresh: Any, lost: Any, below: Any, epoch: Any, height: Any, around: Any, seen: Any,
    o_enter: Any, o_exit: Any, o_code: Any, o_ts: Any, o_dur: Any, o_cpu: Any, o_pid: Any, o_x0: Any, o_asked: Any, o_r0: Any,
    o_answered: Any,
) -> Any:  # fmt: skip
    """See pair."""
    n = state[CALLS]
    for j in range(count):
        what, i = kind[j], first + j
        if what in (_ENTER, _EXIT):
            seen[2 * (name[j] + 1) + (what == _EXIT)] = 1
            here = 0
            if state[LOST] >= 0:
                here = state[LOST]
                if 0 <= cpu[j] < CPUS:
                    here += lost[cpu[j]]
            slot = slot_of(np.int64(pid[j]) if pid[j] > 0 else -2 - np.int64(cpu[j]), keys, used, state)
            if slot < 0:
                return GIVE_UP
            has = known[j] & 1
            if what == _ENTER:
                opened(n, i, _ENTER_ONLY, ts[j], cpu[j], pid[j], o_enter, o_exit, o_code, o_ts, o_dur, o_cpu, o_pid, o_x0,
                       o_asked, o_r0, o_answered)  # fmt: skip
                o_x0[n], o_asked[n] = x0[j] if has else _0, has
                below[n], epoch[n], height[n] = top[slot], here, 0
                top[slot], fresh[slot] = n, 1
                n += 1
                continue
            t = top[slot]
            if t >= 0 and epoch[t] == here and (fresh[slot] or (height[t] < _MAX_NESTING and not stays(o_x0[t]))):
                ended(t, i, 0, ts[j], x0[j], has, o_exit, o_ts, o_dur, o_r0, o_answered)
                o_code[t] = _BOTH
                top[slot] = below[t]
                if below[t] >= 0:
                    height[below[t]] = max(height[below[t]], height[t] + 1)
            else:
                opened(n, -1, _EXIT_ONLY, ts[j], cpu[j], pid[j], o_enter, o_exit, o_code, o_ts, o_dur, o_cpu, o_pid, o_x0,
                       o_asked, o_r0, o_answered)  # fmt: skip
                o_exit[n], o_r0[n], o_answered[n] = i, x0[j] if has else _0, has
                top[slot] = -1
                n += 1
            fresh[slot] = 0
        elif what == _WHOLE_IN:
            has = known[j] & 1
            opened(n, i, _WHOLE, ts[j], cpu[j], pid[j], o_enter, o_exit, o_code, o_ts, o_dur, o_cpu, o_pid, o_x0, o_asked,
                   o_r0, o_answered)  # fmt: skip
            o_x0[n], o_asked[n] = x0[j] if has else _0, has
            state[WHOLE], state[WHOLE_AT] = i, offset[j]
            n += 1
        elif what == _WHOLE_OUT:
            if state[WHOLE] >= 0 and state[WHOLE] == i - 1 and state[WHOLE_AT] == offset[j]:
                ended(n - 1, i, 1, ts[j], x0[j], known[j] & 1, o_exit, o_ts, o_dur, o_r0, o_answered)
        elif what in (_WRAP_ENTER, _WRAP_EXIT):
            if around[name[j] + 1]:
                return GIVE_UP
        elif what == _LOST:
            if state[LOST] < 0:
                return GIVE_UP
            if cpu[j] < 0:
                state[LOST] += 1
            elif cpu[j] < CPUS:
                lost[cpu[j]] += 1
            else:
                return GIVE_UP
    state[CALLS] = n
    return DONE


def pair(
    kind: Any, name: Any, offset: Any, ts: Any, cpu: Any, pid: Any, known: Any, x0: Any, first: Any, state: Any, keys: Any,
    used: Any, top: Any, fresh: Any, lost: Any, below: Any, epoch: Any, height: Any, around: Any, seen: Any, o_enter: Any,
    o_exit: Any, o_code: Any, o_ts: Any, o_dur: Any, o_cpu: Any, o_pid: Any, o_x0: Any, o_asked: Any, o_r0: Any, o_answered: Any,
) -> Any:  # fmt: skip
    """Take some records, the first of which has the number ``first``; returns DONE or GIVE_UP.

    kind .. x0       columns of the records
    state            see CALLS
    keys .. fresh    a table of SLOTS tasks: key, whether there is one, the call on top of its stack (-1 none), whether the
                     last record of the task is that call's entry
    lost             losses of each of CPUS
    below .. height  of each call: what is under it on its stack, losses before its entry, how deep calls within it nest
    around           by the number of a name and one: it is a function around an SMC, of which this gives up
    seen             twice the number of a name and one, and one more for exits: set where there is such a record
    o_enter ..       the calls: see pairing.Pairs; ts, dur in ns; x0, r0 with whether they are known
    """
    return _records(
        pointer(kind), pointer(name), pointer(offset), pointer(ts), pointer(cpu), pointer(pid), pointer(known), pointer(x0),
        first, len(kind), pointer(state), pointer(keys), pointer(used), pointer(top), pointer(fresh), pointer(lost),
        pointer(below), pointer(epoch), pointer(height), pointer(around), pointer(seen), pointer(o_enter), pointer(o_exit),
        pointer(o_code), pointer(o_ts), pointer(o_dur), pointer(o_cpu), pointer(o_pid), pointer(o_x0), pointer(o_asked),
        pointer(o_r0), pointer(o_answered),
    )  # fmt: skip


STEPS = (slot_of, stays, opened, ended, _records)
