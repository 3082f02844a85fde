"""IDE streams of 2.0, as parts of the sequences of the PDEVs at their ends."""

from __future__ import annotations

from typing import Any

from . import codes as c
from .ledger_kernel import (
    BEFORE,
    DEVICE,
    DRAFT,
    ENDS,
    ENDS_AT,
    KIND,
    LAST,
    LIVES,
    MOST_ENDS,
    NOT,
    OK,
    OPEN,
    OUTCOME,
    PDEV,
    SEQUENCE,
    STATE,
    STREAM_OPEN,
    STREAMS,
    add,
    draft,
    fail,
    found,
    numbered,
    opened,
    reached,
)


def latest_ready(now: Any, device: Any, seq: Any) -> Any:
    """The PDEV that was made last of those that became READY in their connect, 0 where none of the last ones did."""
    d, n = now[LAST + PDEV], 0
    while d > 0 and n < MOST_ENDS:
        q = device[d * DEVICE + DRAFT] + 0
        if q >= 0 and device[d * DEVICE + STATE] == c.READY and seq[q * SEQUENCE + KIND] == c.CONNECT:
            return d
        d, n = device[d * DEVICE + BEFORE] + 0, n + 1
    return 0


def endpoint(flags: Any, x1: Any, x2: Any, now: Any, device: Any, address: Any, table: Any, size: Any, seq: Any) -> Any:
    """The endpoint of a stream connect, 0 where there is none: in the parameter page where that was recorded, else told by the
    handle (TF-RMM: address of the endpoint plus the stream's type), else the PDEV that became READY last."""
    if flags & c.NAMED:
        return numbered(x1, PDEV, 1, now, device, address, table, size)
    d = table[found(x2, PDEV, now, device, address, table, size)] + 0
    if not flags & c.HANDLE or not device[d * DEVICE + LIVES]:
        d = latest_ready(now, device, seq)
    return d if address[d] != 0 else 0


def begun(
    d: Any, q: Any, name: Any, flags: Any, call: Any, now: Any, device: Any, seq: Any, step: Any, member: Any, fault: Any
) -> Any:
    """A stream operation begins as a step of a sequence; whether it did."""
    if seq[q * SEQUENCE + OUTCOME] == OK:
        seq[q * SEQUENCE + OUTCOME] = OPEN
    add(q, name, call, now, seq, step, member)
    now[STREAM_OPEN] = q
    if flags & c.FAILED and not flags & c.RETRY:
        fail(q, c.REFUSED_STREAM, call, d, call, 0, now, device, seq, step, fault)
        now[STREAM_OPEN] = -1
        return False
    now[ENDS] = 0
    return True


def concerns(d: Any, now: Any, device: Any) -> None:
    """A PDEV may be an end of the stream."""
    device[d * DEVICE + STREAMS] = 1
    now[ENDS_AT + now[ENDS]] = d
    now[ENDS] += 1


def completed(
    flags: Any, x1: Any, call: Any, now: Any, device: Any, address: Any, table: Any, size: Any, seq: Any, step: Any,
    member: Any, fault: Any,
) -> None:  # fmt: skip
    """RMI_PDEV_STREAM_COMPLETE."""
    q = now[STREAM_OPEN]
    if q < 0:
        q = draft(numbered(x1, PDEV, 1, now, device, address, table, size), c.COMPLETE, now, device, seq)
    add(q, c.COMPLETE, call, now, seq, step, member)
    if flags & c.FAILED and not flags & c.RETRY:
        d = table[found(x1, PDEV, now, device, address, table, size)] + 0
        fail(q, c.NOT_COMPLETE, call, d if device[d * DEVICE + LIVES] else 0, call, 0, now, device, seq, step, fault)
    elif flags & c.HAS_STATUS:
        reached(q, seq, step)
        if seq[q * SEQUENCE + OUTCOME] != NOT and seq[q * SEQUENCE + KIND] == c.DISCONNECT:
            seq[q * SEQUENCE + OUTCOME] = OPEN
        for i in range(now[ENDS]):
            device[now[ENDS_AT + i] * DEVICE + STREAMS] = 0
        now[STREAM_OPEN], now[ENDS] = -1, 0


def stream(
    act: Any, word: Any, part: Any, flags: Any, x1: Any, x2: Any, call: Any, now: Any, device: Any, address: Any, table: Any,
    size: Any, seq: Any, step: Any, member: Any, fault: Any,
) -> None:  # fmt: skip
    """A call on a stream; ``word`` and ``part``: the sequence that it opens and its step."""
    if act == c.STREAM_COMPLETE:
        completed(flags, x1, call, now, device, address, table, size, seq, step, member, fault)
    elif act == c.STREAM_CONNECT:
        device[DRAFT] = -1  # of nobody
        d = endpoint(flags, x1, x2, now, device, address, table, size, seq)
        q = device[d * DEVICE + DRAFT] + 0
        if q < 0 or seq[q * SEQUENCE + KIND] != c.CONNECT or seq[q * SEQUENCE + OUTCOME] == NOT:
            q = opened(d, c.CONNECT, now, device, seq)
        if begun(d, q, c.CONNECT_STREAM, flags, call, now, device, seq, step, member, fault):
            d = now[LAST + PDEV]
            while d > 0 and now[ENDS] < MOST_ENDS:  # any of those that were made last may be an end of it
                concerns(d, now, device)
                d = device[d * DEVICE + BEFORE] + 0
    elif act == c.STREAM_OTHER:
        d = numbered(x1, PDEV, 1, now, device, address, table, size)
        q = opened(d, word, now, device, seq)
        if begun(d, q, part, flags, call, now, device, seq, step, member, fault):
            if x1 != 0:
                concerns(d, now, device)
            if x2 != 0:
                concerns(numbered(x2, PDEV, 1, now, device, address, table, size), now, device)


STEPS = (latest_ready, endpoint, begun, concerns, completed, stream)
