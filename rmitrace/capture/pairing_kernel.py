"""Pairing as a kernel: one pass over the records of a source, with a stack for each task.

The same as pairing.match(): there pairs are taken out from the inside, here an exit belongs to the entry on top of its
task's stack. An exit that finds none of its own empties the stack, as nothing reaches over it. Nor does anything reach below
DEEP entries, so no more of them are kept.

The calls lie in a window of numbers: those before it were given away. An exit of one of those is told apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SLOTS = 1 << 16
TASKS = 1 << 15
"""Tasks at most."""
CPUS = 1 << 13
"""CPUs at most, where events were lost."""
ASK_SLOTS, ASKS = 1 << 14, 1 << 13
"""Different function ids at most."""
SAID_SLOTS, SAIDS = 1 << 18, 1 << 17
"""Different function ids with their results at most."""
DEEP = 64
"""Calls within each other that pairing goes down."""
FIELDS = 5
"""Numbers that are kept of an entry: see _CALL."""
UNNAMED, ALONE = -1, -2
"""What the entry of a call was named, besides the numbers of names: nothing; there is no entry."""
DONE, GIVE_UP = 0, 1
CALLS, USED, WHOLE, WHOLE_AT, LOST, BASE, LATE, ASKED, SAID, LAST, DESCENDS, UNTIMED = range(12)
"""What is remembered: calls and tasks so far; record and offset of the last whole row; losses on no CPU in particular; the
first call of the window, and how many before it ended since the last time; different function ids so far, and those with
their results; the time of the last call, whether one was before the one in front of it, and whether one has none."""
_CALL, _EPOCH, _HEIGHT, _TS, _ASK = range(FIELDS)
_ENTER, _EXIT, _WHOLE_IN, _WHOLE_OUT, _WRAP_ENTER, _WRAP_EXIT, _LOST = range(1, 8)
_BOTH, _ENTER_ONLY, _EXIT_ONLY, _WHOLE = range(4)
_NO_TIME = np.int64(-(2**63))
_SPREAD, _DOWN = np.uint64(0x9E3779B97F4A7C15), np.uint64(48)
_LOW = np.uint64(0xFFFFFFFF)
_0 = np.uint64(0)
_OFF, _DOWN_, _RESET, _FREEZE = (np.uint64(n) for n in (0x84000002, 0x84000008, 0x84000009, 0x8400000B))


def task_of(key: Any, keys: Any, tasks: Any, state: Any) -> Any:
    """The number of a task, -1 where there are too many. ``tasks``: one more than the number, 0 where a slot is free."""
    slot = np.int64(np.uint64(key & 0x7FFFFFFFFFFFFFFF) * _SPREAD >> _DOWN)
    while tasks[slot] > 0:
        if keys[slot] == key:
            return np.int64(tasks[slot] - 1)
        slot = (slot + 1) & (SLOTS - 1)
    if state[USED] >= TASKS:
        return np.int64(-1)
    state[USED] += 1
    tasks[slot], keys[slot] = state[USED], key
    return np.int64(tasks[slot] - 1)


def stays(fid: Any) -> Any:
    """Whether a function does not return: pairing.NO_RETURN."""
    low = fid & _LOW
    return low in (_OFF, _DOWN_, _RESET, _FREEZE)


def said(ask: Any, r0: Any, answered: Any, said_slot: Any, said_ask: Any, said_r0: Any, said_answered: Any, state: Any) -> Any:
    """The number of a function id with a result, -1 where there are too many."""
    slot = np.int64((r0 + np.uint64(2 * ask + answered) * _SPREAD) * _SPREAD >> np.uint64(46))
    while said_slot[slot] > 0:
        i = np.int64(said_slot[slot] - 1)
        if said_ask[i] == ask and said_r0[i] == r0 and said_answered[i] == answered:
            return i
        slot = (slot + 1) & (SAID_SLOTS - 1)
    i = state[SAID]
    if i >= SAIDS:
        return np.int64(-1)
    state[SAID] += 1
    said_slot[slot] = i + 1
    said_ask[i], said_r0[i], said_answered[i] = ask, r0, answered
    return np.int64(i)


def asked(x0: Any, label: Any, has: Any, ask_slot: Any, ask_x0: Any, ask_label: Any, ask_has: Any, state: Any) -> Any:
    """The number of a function id, or of what a call without one is named, -1 where there are too many."""
    slot = np.int64((x0 + np.uint64(label + 2) * _SPREAD) * _SPREAD >> np.uint64(50))
    while ask_slot[slot] > 0:
        i = np.int64(ask_slot[slot] - 1)
        if ask_x0[i] == x0 and ask_label[i] == label and ask_has[i] == has:
            return i
        slot = (slot + 1) & (ASK_SLOTS - 1)
    i = state[ASKED]
    if i >= ASKS:
        return np.int64(-1)
    state[ASKED] += 1
    ask_slot[slot] = i + 1
    ask_x0[i], ask_label[i], ask_has[i] = x0, label, has
    return np.int64(i)


def opened(
    i: Any, code: Any, ts: Any, cpu: Any, pid: Any, what: Any, state: Any, o_enter: Any, o_exit: Any, o_code: Any, o_ts: Any,
    o_dur: Any, o_cpu: Any, o_pid: Any, o_said: Any,
) -> None:  # fmt: skip
    """A call begins with a record, of which nothing else is known yet."""
    k = state[CALLS] - state[BASE]
    o_enter[k], o_exit[k], o_code[k], o_ts[k], o_dur[k], o_cpu[k], o_pid[k], o_said[k] = i, -1, code, ts, -1, cpu, pid, what
    state[CALLS] += 1
    state[DESCENDS] |= ts < state[LAST]
    state[UNTIMED] |= ts == _NO_TIME
    state[LAST] = ts


def took(began: Any, ended: Any, later: Any) -> Any:
    """ns between two times, -1 where that cannot be said; ``later``: it is only where the second one is later."""
    return ended - began if began != _NO_TIME and ended != _NO_TIME and ended >= began + later else -1


def pair(
    kind: Any, name: Any, offset: Any, ts: Any, cpu: Any, pid: Any, known: Any, x0: Any, first: Any, count: Any, state: Any,
    keys: Any, tasks: Any, depth: Any, fresh: Any, stack: Any, lost: Any, around: Any, seen: Any, ask_slot: Any, ask_x0: Any,
    ask_label: Any, ask_has: Any, ask_open: Any, said_slot: Any, said_ask: Any, said_r0: Any, said_answered: Any, late: Any,
    o_enter: Any, o_exit: Any, o_code: Any, o_ts: Any, o_dur: Any, o_cpu: Any, o_pid: Any, o_said: Any,
) -> Any:  # fmt: skip
    """Take ``count`` records, the first of which has the number ``first``; returns DONE or GIVE_UP.

    kind .. x0       columns of the records
    state            see CALLS
    keys, tasks      a table of SLOTS tasks: key, one more than the number
    depth, fresh     of each task where the top of its stack is (times 128) and how deep it is; whether its last record is that
                     call's entry
    stack            DEEP entries of FIELDS numbers for each task
    lost             losses of each of CPUS
    around           by the number of a name and one: it is a function around an SMC, of which this gives up
    seen             twice the number of a name and one, and one more for exits: set where there is such a record
    ask_slot ..      the different function ids: a table of ASK_SLOTS of one more than their numbers; of each x0, the name of
                     the entry where x0 is not known, whether it is, and the number in the next table for a call without result
    said_slot ..     those with their results: a table of SAID_SLOTS; of each the function id, x0 and whether it is known
    late             the calls before the window that ended: number, exit, duration, number in the table of results
    o_enter ..       the calls of the window: see pairs.Pairs; ts, dur in ns; number in the table of results
    """
    for j in range(count):
        what, i = kind[j], first + j
        has = np.int64(known[j] & 1)
        value = x0[j] if has else _0
        if what in (_ENTER, _EXIT, _WHOLE_IN):
            task, here, ask = np.int64(0), np.int64(0), np.int64(0)
            if what != _WHOLE_IN:
                seen[2 * (name[j] + 1) + (what == _EXIT)] = 1
                here = state[LOST]
                if 0 <= cpu[j] < CPUS:
                    here += lost[cpu[j]]
                task = task_of(np.int64(pid[j]) if pid[j] > 0 else -2 - np.int64(cpu[j]), keys, tasks, state)
                if task < 0:
                    return GIVE_UP
            if what != _EXIT:
                label = np.int64(UNNAMED) if has else np.int64(name[j])
                ask = asked(value, label, has, ask_slot, ask_x0, ask_label, ask_has, state)
                if ask < 0:
                    return GIVE_UP
                if ask_open[ask] < 0:
                    ask_open[ask] = said(ask, _0, 0, said_slot, said_ask, said_r0, said_answered, state)
                    if ask_open[ask] < 0:
                        return GIVE_UP
                n = state[CALLS]
                opened(i, _ENTER_ONLY if what == _ENTER else _WHOLE, ts[j], cpu[j], pid[j], ask_open[ask], state, o_enter, o_exit,
                       o_code, o_ts, o_dur, o_cpu, o_pid, o_said)  # fmt: skip
                if what == _WHOLE_IN:
                    state[WHOLE], state[WHOLE_AT] = i, offset[j]
                    continue
                # the stack goes round: depth counts all that were ever pushed, and in its low bits how many are left
                at = depth[task]
                left, place = at & 127, ((at >> 7) + 1) & (DEEP - 1)
                depth[task] = place << 7 | min(left + 1, DEEP)
                fresh[task] = 1
                e = (task * DEEP + place) * FIELDS
                stack[e + _CALL], stack[e + _EPOCH], stack[e + _HEIGHT] = n, here, 0
                stack[e + _TS], stack[e + _ASK] = ts[j], ask
                continue
            at = depth[task]
            left, place = at & 127, at >> 7
            e = (task * DEEP + place) * FIELDS
            if (
                left
                and stack[e + _EPOCH] == here
                and (fresh[task] or (stack[e + _HEIGHT] < DEEP and not stays(ask_x0[stack[e + _ASK]])))
            ):
                n = stack[e + _CALL]
                result = said(stack[e + _ASK], value, has, said_slot, said_ask, said_r0, said_answered, state)
                if result < 0:
                    return GIVE_UP
                dur = took(stack[e + _TS], ts[j], 0)
                if n >= state[BASE]:
                    k = n - state[BASE]
                    o_exit[k], o_code[k], o_dur[k], o_said[k] = i, _BOTH, dur, result
                else:
                    p = 4 * state[LATE]
                    late[p], late[p + 1], late[p + 2], late[p + 3] = n, i, dur, result
                    state[LATE] += 1
                below = (place - 1) & (DEEP - 1)
                if left > 1:
                    b = (task * DEEP + below) * FIELDS
                    stack[b + _HEIGHT] = max(stack[b + _HEIGHT], stack[e + _HEIGHT] + 1)
                depth[task] = below << 7 | left - 1
            else:
                ask = asked(_0, ALONE, 0, ask_slot, ask_x0, ask_label, ask_has, state)
                result = np.int64(-1)
                if ask >= 0:
                    result = said(ask, value, has, said_slot, said_ask, said_r0, said_answered, state)
                if result < 0:
                    return GIVE_UP
                opened(-1, _EXIT_ONLY, ts[j], cpu[j], pid[j], result, state, o_enter, o_exit, o_code, o_ts, o_dur, o_cpu, o_pid,
                       o_said)  # fmt: skip
                o_exit[state[CALLS] - 1 - state[BASE]] = i
                depth[task] = 0
            fresh[task] = 0
        elif what == _WHOLE_OUT:
            if state[WHOLE] >= 0 and state[WHOLE] == i - 1 and state[WHOLE_AT] == offset[j]:
                k = state[CALLS] - 1 - state[BASE]
                ask = np.int64(said_ask[o_said[k]])
                result = said(ask, value, has, said_slot, said_ask, said_r0, said_answered, state)
                if result < 0:
                    return GIVE_UP
                o_exit[k], o_said[k], o_dur[k] = i, result, took(o_ts[k], ts[j], 1)
        elif what in (_WRAP_ENTER, _WRAP_EXIT):
            if around[name[j] + 1]:
                return GIVE_UP
        elif what == _LOST:
            if cpu[j] < 0:
                state[LOST] += 1
            elif cpu[j] < CPUS:
                lost[cpu[j]] += 1
            else:
                return GIVE_UP
    return DONE


STEPS = (task_of, stays, said, asked, opened, took)
KINDS = "*B *i *l *l *i *i *I *L q q *l *l *i *l *B *l *l *B *B *i *L *i *B *i *i *i *L *B *l *l *l *B *l *l *i *i *i"
"""What it is called with, see kernel_code."""
