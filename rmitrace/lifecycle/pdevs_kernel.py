"""PDEVs: connect, disconnect and what lies between.

A state is known from RMI_PDEV_GET_STATE; between two of these it is inferred from commands that succeed. Whether a transaction
of RMI_PDEV_COMMUNICATE is over stands in the shared page and not in the registers, so it is the next state read back, or the
next command, that ends a step.
"""

from __future__ import annotations

from typing import Any

from . import codes as c
from .granules_kernel import take
from .ledger_kernel import (
    AFTER,
    BAD,
    BEGAN,
    CREATED,
    CREATING,
    DEVICE,
    DRAFT,
    FIRST,
    KIND,
    NEXT,
    NOT,
    OK,
    ON,
    ONE,
    OUTCOME,
    SEQUENCE,
    STATE,
    STOPPING,
    STREAM_OPEN,
    STREAMS,
    VDEV,
    add,
    between,
    connecting,
    draft,
    end_step,
    fail,
    gone,
    name_of,
    opened,
    reached,
    refused,
    to,
    told,
)


def arrived(q: Any, state: Any, seq: Any, step: Any) -> None:
    """A PDEV is in a state that its sequence may aim at."""
    kind, failed = seq[q * SEQUENCE + KIND], seq[q * SEQUENCE + OUTCOME] == NOT
    if kind == c.CONNECT and not failed and state in (c.NEEDS_KEY, c.HAS_KEY, c.READY):
        end_step(q, OK, seq, step)
        if state == c.READY:
            seq[q * SEQUENCE + OUTCOME] = OK
    elif kind in (c.KEY_REFRESH, c.IDE_RESET, c.COMMUNICATE) and not failed and state == c.READY:
        reached(q, seq, step)
    elif kind == c.DISCONNECT and state == c.STOPPED:
        end_step(q, OK, seq, step)


def read(d: Any, flags: Any, state: Any, call: Any, now: Any, device: Any, seq: Any, step: Any, member: Any, change: Any,
         fault: Any) -> None:  # fmt: skip
    """RMI_PDEV_GET_STATE, with what it gave; it is part of the sequence of the stream operation where one is open."""
    q = now[STREAM_OPEN] if device[d * DEVICE + STREAMS] else -1
    of_stream = q >= 0
    if not of_stream:
        q = device[d * DEVICE + DRAFT] + 0
    name = name_of(q, seq, step) if q >= 0 else -1
    if name >= 0:
        add(q, name, call, now, seq, step, member)
    if flags & c.FAILED or state < 0 or not flags & c.HAS_STATUS:
        return
    before = device[d * DEVICE + STATE] + 0
    to(d, state, call, 0, now, device, change)
    if state == c.ERROR:
        if before != c.ERROR:
            device[d * DEVICE + BAD] = 1
            if q >= 0:
                since = seq[q * SEQUENCE + BEGAN] if name >= 0 else call
                fail(q, c.BAD_STATE, call, 0, since, 0, now, device, seq, step, fault)
    elif q >= 0 and q != now[STREAM_OPEN]:
        arrived(q, state, seq, step)


def disconnecting(d: Any, call: Any, now: Any, device: Any, seq: Any, step: Any, fault: Any) -> Any:
    """The disconnect that a PDEV is in; a connect that is not over has failed with it."""
    q = device[d * DEVICE + DRAFT] + 0
    if q >= 0 and seq[q * SEQUENCE + KIND] == c.DISCONNECT:
        return q
    if connecting(q, seq) and name_of(q, seq, step) >= 0:
        fail(q, c.WENT_ON, call, 0, call, 0, now, device, seq, step, fault)
    return opened(d, c.DISCONNECT, now, device, seq)


def undestroyed(d: Any, now: Any, device: Any) -> Any:
    """The first VDEV that lives on a PDEV, 0 where none does."""
    v = now[FIRST + VDEV]
    while v > 0 and not (device[v * DEVICE + CREATED] and device[v * DEVICE + ON] == d):
        v = device[v * DEVICE + NEXT] + 0
    return v


def aborted(d: Any, flags: Any, call: Any, now: Any, device: Any, seq: Any, step: Any, member: Any, fault: Any) -> None:
    """RMI_PDEV_ABORT: where there was nothing to abort the sequence goes on."""
    q = draft(d, c.ABORT, now, device, seq)
    was = name_of(q, seq, step)
    if flags & c.FAILED:
        add(q, c.ABORT, call, now, seq, step, member)
        s = end_step(q, NOT, seq, step)
        if s >= 0:
            told(q, s, c.NOT_ABORTED, call, d, call, 0, now, device, seq, fault)
        return
    if connecting(q, seq):
        since = seq[q * SEQUENCE + BEGAN] if was >= 0 else call
        fail(q, c.GAVE_UP, call, 0, since, was, now, device, seq, step, fault)
    device[d * DEVICE + BAD] = 0
    add(q, c.ABORT, call, now, seq, step, member)
    end_step(q, OK, seq, step)
    if seq[q * SEQUENCE + KIND] == c.ABORT:
        seq[q * SEQUENCE + OUTCOME] = OK


def pdev(
    d: Any, act: Any, word: Any, flags: Any, state: Any, x1: Any, call: Any, last: Any, now: Any, device: Any, seq: Any,
    step: Any, member: Any, change: Any, fault: Any, span: Any, loose: Any,
) -> None:  # fmt: skip
    """A call on a PDEV; ``word``: what it opens or is a step of, by the table of the commands."""
    at = d * DEVICE
    if act == c.PDEV_GET_STATE:
        read(d, flags, state, call, now, device, seq, step, member, change, fault)
    elif act == c.PDEV_COMMUNICATE:
        q = now[STREAM_OPEN]
        if device[at + STREAMS] and q >= 0:
            name = name_of(q, seq, step)
            add(q, name if name >= 0 else c.STREAM, call, now, seq, step, member)
            if flags & c.FAILED and not flags & c.RETRY:
                fail(q, c.WRONG_STREAM, call, 0, call, d, now, device, seq, step, fault)
            return
        q = draft(d, c.COMMUNICATE, now, device, seq)
        name = name_of(q, seq, step)
        name = c.comm_step(device[at + STATE] + 0, name if name >= 0 else c.COMMUNICATE)
        add(q, c.STOP if device[at + STOPPING] else name, call, now, seq, step, member)
        refused(d, flags, c.REFUSED, call, 0, now, device, seq, step, fault)
    elif act == c.PDEV_CREATE:
        device[at + STATE], device[at + STOPPING], device[at + STREAMS], device[at + BAD] = c.UNKNOWN, 0, 0, 0
        q = opened(d, c.CONNECT, now, device, seq)
        take(q, c.CREATE, c.PDEV_AUX_COUNT, x1, now, loose, seq, step, member)
        add(q, c.CREATE, call, now, seq, step, member)
        if refused(d, flags, c.REFUSED, call, 0, now, device, seq, step, fault):
            return
        now[CREATING] = -1 if flags & c.DONE else d
        if flags & c.DONE:
            end_step(q, OK, seq, step)
            to(d, c.NEW, last, 1, now, device, change)
        between(q, call, last, now, seq, span)
    elif act == c.PDEV_SET_PUBKEY:
        q = draft(d, c.CONNECT, now, device, seq)
        add(q, c.SET_KEY, call, now, seq, step, member)
        if not refused(d, flags, c.REFUSED, call, 0, now, device, seq, step, fault) and flags & c.HAS_STATUS:
            end_step(q, OK, seq, step)
            to(d, c.HAS_KEY, call, 1, now, device, change)
    elif act == c.PDEV_STOP:
        q = disconnecting(d, call, now, device, seq, step, fault)
        add(q, c.STOP, call, now, seq, step, member)
        v = undestroyed(d, now, device) if flags & c.FAILED and flags & c.DEVICE_ERROR else 0
        if not refused(d, flags, c.REFUSED, call, v, now, device, seq, step, fault):
            device[at + STOPPING] = 1
            if now[ONE]:
                to(d, c.STOPPING, call, 1, now, device, change)
    elif act == c.PDEV_DESTROY:
        q = disconnecting(d, call, now, device, seq, step, fault)
        add(q, c.DESTROY, call, now, seq, step, member)
        between(q, call, last, now, seq, span)
        if refused(d, flags, c.REFUSED, call, 0, now, device, seq, step, fault):
            return
        if flags & c.DONE and flags & c.HAS_STATUS:
            reached(q, seq, step)
            to(d, c.DESTROYED, last, 1, now, device, change)
            now[AFTER] = q
            gone(d, now, device)
    elif act == c.PDEV_ABORT:
        aborted(d, flags, call, now, device, seq, step, member, fault)
    elif act == c.PDEV_IDE:
        q = opened(d, word, now, device, seq)
        add(q, word, call, now, seq, step, member)
        if not refused(d, flags, c.REFUSED, call, 0, now, device, seq, step, fault):
            to(d, c.COMMUNICATING if word == c.KEY_REFRESH else c.IDE_RESETTING, call, 1, now, device, change)
    elif device[at + DRAFT] >= 0:
        add(device[at + DRAFT] + 0, word, call, now, seq, step, member)
        refused(d, flags, c.REFUSED, call, 0, now, device, seq, step, fault)


STEPS = (arrived, read, disconnecting, undestroyed, aborted, pdev)
