"""VDEVs: attach, lock, start, unlock, detach and what lies between."""

from __future__ import annotations

from typing import Any

from . import codes as c
from .granules_kernel import take
from .ledger_kernel import (
    AFTER,
    BEGAN,
    CREATED,
    DEVICE,
    DRAFT,
    KIND,
    NOT,
    ON,
    OPEN,
    OUTCOME,
    SEQUENCE,
    STATE,
    add,
    between,
    draft,
    fail,
    gone,
    name_of,
    opened,
    reached,
    refused,
    to,
)


def arrived_at(q: Any, state: Any, seq: Any, step: Any) -> None:
    """A VDEV is in a state that its sequence may aim at."""
    if state == c.target(seq[q * SEQUENCE + KIND] + 0) and seq[q * SEQUENCE + OUTCOME] != NOT:
        reached(q, seq, step)


def commanded(
    d: Any, on: Any, act: Any, kind: Any, flags: Any, x3: Any, call: Any, last: Any, now: Any, device: Any, seq: Any,
    step: Any, member: Any, change: Any, fault: Any, span: Any, loose: Any,
) -> None:  # fmt: skip
    """A command that opens a sequence; ``on``: the PDEV that a VDEV is made on."""
    q = device[d * DEVICE + DRAFT] + 0
    if q >= 0 and seq[q * SEQUENCE + OUTCOME] == OPEN and not flags & c.FAILED and act != c.VDEV_ABORT:
        reached(q, seq, step)  # the next operation was accepted: the one before was over
    q = opened(d, kind, now, device, seq)
    if act == c.VDEV_CREATE:
        take(q, c.DELEGATED, c.VDEV_AUX_COUNT, x3, now, loose, seq, step, member)
    add(q, kind, call, now, seq, step, member)
    between(q, call, last, now, seq, span)
    if refused(d, flags, c.REFUSED, call, 0, now, device, seq, step, fault) or not flags & c.DONE:
        return
    if act == c.VDEV_CREATE:
        device[d * DEVICE + ON], device[d * DEVICE + CREATED] = on, 1
        to(d, c.NEW, last, 1, now, device, change)
    elif act in (c.VDEV_DESTROY, c.VDEV_ABORT) and flags & c.HAS_STATUS:
        reached(q, seq, step)
        if act == c.VDEV_DESTROY:
            to(d, c.DESTROYED, last, 1, now, device, change)
            now[AFTER] = q
            gone(d, now, device)


def vdev(
    d: Any, on: Any, act: Any, kind: Any, flags: Any, state: Any, x3: Any, call: Any, last: Any, now: Any, device: Any,
    seq: Any, step: Any, member: Any, change: Any, fault: Any, span: Any, loose: Any,
) -> None:  # fmt: skip
    """A call on a VDEV."""
    if act == c.VDEV_COMMUNICATE:
        q = draft(d, c.COMMUNICATE, now, device, seq)
        add(q, seq[q * SEQUENCE + KIND] + 0, call, now, seq, step, member)
        refused(d, flags, c.REFUSED, call, 0, now, device, seq, step, fault)
    elif act == c.VDEV_GET_STATE:
        q = device[d * DEVICE + DRAFT] + 0
        name = name_of(q, seq, step) if q >= 0 else -1
        if name >= 0:
            add(q, name, call, now, seq, step, member)
        if flags & c.FAILED or state < 0 or not flags & c.HAS_STATUS:
            return
        before = device[d * DEVICE + STATE] + 0
        to(d, state, call, 0, now, device, change)
        if q >= 0 and state == c.ERROR and before != c.ERROR:
            since = seq[q * SEQUENCE + BEGAN] if name >= 0 else call
            fail(q, c.BAD_STATE, call, 0, since, 0, now, device, seq, step, fault)
        elif q >= 0:
            arrived_at(q, state, seq, step)
    elif act != c.VDEV_OTHER:
        commanded(d, on, act, kind, flags, x3, call, last, now, device, seq, step, member, change, fault, span, loose)


STEPS = (arrived_at, commanded, vdev)
