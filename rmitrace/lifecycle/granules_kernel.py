"""Granules: those of a PDEV or VDEV that is given back, and delegated ones that belong to nothing yet, some of them for the
PDEV or VDEV that is made next.

The last RING of these are remembered, in the array ``loose``, and with them the calls that told how many auxiliary granules an
object needs (AUX_COUNT): first and last address, call, and the one before it of those with the same hash. Behind them stands
the last one of each hash.
"""

from __future__ import annotations

from typing import Any

from .codes import (
    CREATE,
    DELEGATE_RANGE,
    DELEGATED,
    FAILED,
    NOT_GIVEN_BACK,
    PDEV_AUX_COUNT,
    RETRY,
    UNDELEGATE,
    UNDELEGATED,
    VDEV_AUX_COUNT,
)
from .ledger_kernel import (
    AFTER,
    COUNTED,
    COUNTS_AT,
    CREATING,
    DEVICE,
    DRAFT,
    LIVES,
    LOOSE,
    MOST_COUNTS,
    PDEV,
    add,
    fail,
    found,
)

RING = 512
_HASHES = 1 << 10
_BASE, _TOP, _CALL, _CHAIN, _ENTRY = range(5)
HASHES_AT = RING * _ENTRY
SIZE = HASHES_AT + _HASHES
_SIGN = -(1 << 63)
"""Turns the bits of an unsigned number into a signed one of the same order: what is compared."""
_NO_TOP = _SIGN
"""Behind the last byte that an AUX_COUNT delegated."""
_MOST = (1 << 63) - 1
_FAR = 1 << 62


def hash_of(base: Any) -> Any:
    """Where the last granule with the hash of an address is kept."""
    return HASHES_AT + ((base >> 12 ^ base >> 22) & (_HASHES - 1))


def keep(act: Any, x1: Any, x2: Any, call: Any, now: Any, loose: Any) -> None:
    """Remember a call, and forget the oldest one where there are too many."""
    base, n = x1 ^ _SIGN, now[LOOSE]
    now[LOOSE] += 1
    e = n % RING * _ENTRY
    loose[e + _BASE], loose[e + _CALL] = base, call
    if act in (PDEV_AUX_COUNT, VDEV_AUX_COUNT):
        loose[e + _TOP] = _NO_TOP
        if now[COUNTED] == MOST_COUNTS:
            for i in range(COUNTS_AT, COUNTS_AT + 2 * MOST_COUNTS - 2):
                now[i] = now[i + 2]
            now[COUNTED] -= 1
        c = COUNTS_AT + 2 * now[COUNTED]
        now[c], now[c + 1] = act, call
        now[COUNTED] += 1
        return
    loose[e + _TOP] = x2 ^ _SIGN if act == DELEGATE_RANGE else min(base, _MOST - 1) + 1
    at = hash_of(base)
    loose[e + _CHAIN], loose[at] = loose[at], n


def forget(x1: Any, now: Any, loose: Any) -> None:
    """The granule was given back."""
    base = x1 ^ _SIGN
    link = hash_of(base)
    n = loose[link] + 0
    while n >= 0 and n >= now[LOOSE] - RING:
        e = n % RING * _ENTRY
        if loose[e + _BASE] == base and loose[e + _TOP] != _NO_TOP:
            loose[e + _CALL] = -1
            loose[link] = loose[e + _CHAIN]
        else:
            link = e + _CHAIN
        n = loose[e + _CHAIN] + 0


def take(q: Any, name: Any, count: Any, x: Any, now: Any, loose: Any, seq: Any, step: Any, member: Any) -> None:
    """Put what was delegated for an object at an address into its sequence: its own page as a step, and as one ``name`` all that
    came behind the call that told how many auxiliary granules it needs, a ``count``."""
    here, since, first = x ^ _SIGN, _FAR, max(now[LOOSE] - RING, 0)
    for c in range(now[COUNTED]):
        if now[COUNTS_AT + 2 * c] == count:
            since = now[COUNTS_AT + 2 * c + 1]
    for n in range(first, now[LOOSE]):
        e = n % RING * _ENTRY
        base, top, call = loose[e + _BASE], loose[e + _TOP], loose[e + _CALL]
        if 0 <= call < since and (base <= here < top or (base == here and top != _NO_TOP)):
            add(q, DELEGATED, call, now, seq, step, member)
            loose[e + _CALL] = -1
    for n in range(first, now[LOOSE]):
        e = n % RING * _ENTRY
        if loose[e + _CALL] >= since:
            add(q, name, loose[e + _CALL], now, seq, step, member)
            loose[e + _CALL] = -1
    left = 0
    for c in range(now[COUNTED]):
        if now[COUNTS_AT + 2 * c + 1] < since:
            now[COUNTS_AT + 2 * left], now[COUNTS_AT + 2 * left + 1] = now[COUNTS_AT + 2 * c], now[COUNTS_AT + 2 * c + 1]
            left += 1
    now[COUNTED] = left


def granule(
    act: Any, flags: Any, x1: Any, x2: Any, call: Any, now: Any, device: Any, address: Any, table: Any, size: Any, seq: Any,
    step: Any, member: Any, fault: Any, loose: Any,
) -> None:  # fmt: skip
    """A granule was delegated or given back."""
    failed = flags & FAILED and not flags & RETRY
    if act != UNDELEGATE:
        d = now[CREATING]
        if d > 0 and device[d * DEVICE + DRAFT] >= 0:
            add(device[d * DEVICE + DRAFT] + 0, CREATE, call, now, seq, step, member)
        else:
            keep(act, x1, x2, call, now, loose)
        return
    q = now[AFTER]
    if q >= 0:
        add(q, UNDELEGATED, call, now, seq, step, member)
        if failed:
            fail(q, NOT_GIVEN_BACK, call, 0, call, 0, now, device, seq, step, fault)
        return
    d = table[found(x1, PDEV, now, device, address, table, size)] + 0
    if d > 0 and device[d * DEVICE + LIVES] and device[d * DEVICE + DRAFT] >= 0:
        q = device[d * DEVICE + DRAFT] + 0
        add(q, UNDELEGATED, call, now, seq, step, member)
        if flags & FAILED:
            fail(q, NOT_GIVEN_BACK, call, d, call, 0, now, device, seq, step, fault)
    else:
        forget(x1, now, loose)


STEPS = (hash_of, keep, forget, take, granule)
