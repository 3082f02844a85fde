"""Devices followed call by call, as a kernel: see ledger_kernel for what is kept, and the kernels of PDEVs, VDEVs, streams and
granules for the rules."""

from __future__ import annotations

from typing import Any

from . import codes, granules_kernel, ledger_kernel, pdevs_kernel, streams_kernel, vdevs_kernel
from .codes import (
    PDEV_DESTROY,
    PDEV_OTHER,
    STREAM_OTHER,
    UNDELEGATE,
    VDEV_ABORT,
    VDEV_AUX_COUNT,
    VDEV_CREATE,
    VDEV_GET_STATE,
    VDEV_PASSING,
)
from .granules_kernel import RING, granule, keep
from .ledger_kernel import (
    AFTER,
    CHANGE,
    CHANGES,
    DEVICE,
    DEVICES,
    FAULT,
    FAULTS,
    MEMBERS,
    PDEV,
    SEQUENCE,
    SEQUENCES,
    SPANS,
    STEP_SIZE,
    STEPS_SO_FAR,
    VDEV,
    moved,
    numbered,
)
from .pdevs_kernel import pdev
from .streams_kernel import stream
from .vdevs_kernel import vdev

FEW, MANY = 4, RING + 4
"""What a call can add to each array at most, and to the members."""


def room(
    now: Any, devices: Any, sequences: Any, steps: Any, members: Any, changes: Any, faults: Any, spans: Any, size: Any
) -> Any:
    """For how many calls there is room, whatever they are."""
    few = min(devices // DEVICE - now[DEVICES], size // 2 - now[DEVICES])
    few = min(few, sequences // SEQUENCE - now[SEQUENCES])
    few = min(few, steps // STEP_SIZE - now[STEPS_SO_FAR])
    few = min(few, changes // CHANGE - now[CHANGES])
    few = min(few, faults // FAULT - now[FAULTS])
    few = min(few, spans // 3 - now[SPANS])
    return min(few // FEW, (members // 2 - now[MEMBERS]) // MANY)


def follow(
    begin: Any, count: Any, name: Any, flags: Any, state: Any, x1: Any, x2: Any, x3: Any, call: Any, last: Any, rules: Any,
    now: Any, device: Any, address: Any, table: Any, seq: Any, step: Any, member: Any, change: Any, fault: Any, span: Any,
    loose: Any, devices: Any, size: Any, sequences: Any, steps: Any, members: Any, changes: Any, faults: Any, spans: Any,
) -> Any:  # fmt: skip
    """Follow ``count`` calls on devices and granules from one of them on, up to one for which there may be no room in an array:
    its place.

    begin        the first one; of the k-th, -1 - k where the table of devices is a new one
    name .. last columns of the calls: index of the name, flags (see codes.FAILED), state that was read, -1 not known, registers,
                 number of the call and of the last call that works for it
    rules        three numbers for each name: what the command does, the sequence that it opens or the step it is, the step of
                 a stream operation
    now .. loose see ledger_kernel, granules_kernel
    devices ..   how many numbers there is room for in device, table, seq, step, member, change, fault, span
    """
    if begin < 0:
        moved(now, device, address, table, size)
        begin = -begin - 1
    left = 0
    for i in range(begin, count):
        if left == 0:
            left = room(now, devices, sequences, steps, members, changes, faults, spans, size)
            if left <= 0:
                return i
        left -= 1
        act, word, part = rules[3 * name[i]], rules[3 * name[i] + 1], rules[3 * name[i] + 2]
        if act <= UNDELEGATE:
            granule(act, flags[i], x1[i], x2[i], call[i], now, device, address, table, size, seq, step, member, fault, loose)
            continue
        if act <= VDEV_AUX_COUNT:
            keep(act, x1[i], x2[i], call[i], now, loose)
            continue
        if act != PDEV_DESTROY:
            now[AFTER] = -1
        if act <= PDEV_OTHER:
            d = numbered(x1[i], PDEV, 1, now, device, address, table, size)
            pdev(d, act, word, flags[i], state[i], x1[i], call[i], last[i], now, device, seq, step, member, change, fault, span,
                 loose)  # fmt: skip
        elif act <= STREAM_OTHER:
            stream(act, word, part, flags[i], x1[i], x2[i], call[i], now, device, address, table, size, seq, step, member, fault)
        elif act != VDEV_PASSING:
            first = act == VDEV_GET_STATE or (act == VDEV_ABORT and x3[i] == 0)
            d = numbered(x1[i] if first else x3[i], VDEV, 1, now, device, address, table, size)
            on = numbered(x2[i], PDEV, 0, now, device, address, table, size) if act == VDEV_CREATE else 0
            vdev(d, on, act, word, flags[i], state[i], x3[i], call[i], last[i], now, device, seq, step, member, change, fault,
                 span, loose)  # fmt: skip
    return count


STEPS = (*codes.STEPS, *ledger_kernel.STEPS, *granules_kernel.STEPS, *pdevs_kernel.STEPS, *vdevs_kernel.STEPS,
         *streams_kernel.STEPS, room)  # fmt: skip
