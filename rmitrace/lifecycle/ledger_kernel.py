"""Devices, sequences, steps and what happened to them, as numbers in arrays that kernels fill in.

An array of things is one array of numbers, so many for each thing; which number is what stands below. Their places:

now      what is known at the moment: see DEVICES
device   PDEVs and VDEVs: see LIVES; the first one, 0, is nobody
address  of each device
table    a hash table of devices: 0 where a place is free
seq      sequences: see KIND
step     steps: see OF
member   steps and calls that are in them, by turns
change   changes of a state: device, call, state before and after, whether it is inferred
fault    failures: see IN
span     a step and the first and last call of an operation by turns: the granule calls within are part of the step
"""

from __future__ import annotations

from typing import Any

from .codes import CONNECT, FAILED, RETRY, UNKNOWN

(DEVICES, SEQUENCES, STEPS_SO_FAR, MEMBERS, CHANGES, FAULTS, SPANS, AFTER, CREATING, STREAM_OPEN, ENDS, LOOSE, COUNTED, FIRST,
 _FIRST_VDEV, LAST, _LAST_VDEV, SPREAD, ONE, ENDS_AT) = range(20)  # fmt: skip
"""Of ``now``: how many there are of each; the sequence whose granules are being given back; the PDEV whose stateful
RMI_PDEV_CREATE has no end in the capture: it takes the granules delegated behind it; the sequence of the open stream operation;
how many PDEVs it may concern; granules and counts remembered (see granules_kernel); the first and last living PDEV and VDEV;
what addresses are multiplied with; the commands are of 1.x;
from there on the PDEVs of the stream. -1: none; of devices 0."""
MOST_ENDS = 64
"""PDEVs that a stream whose ends are not told may connect."""
MOST_COUNTS = 17
COUNTS_AT = ENDS_AT + MOST_ENDS
"""From there on the last calls that told how many auxiliary granules an object needs: command and call by turns."""
NOW = COUNTS_AT + 2 * MOST_COUNTS

LIVES, STATE, DRAFT, STOPPING, ON, CREATED, STREAMS, BAD, NEXT, BEFORE, TYPE, DEVICE = range(12)
"""Of a device: whether it is followed; state; its sequence; RMI_PDEV_STOP succeeded; the PDEV that a VDEV was made on, and
whether it was made; an open stream operation names it; a transaction failed; the devices of its type that lived before and
after it; PDEV or VDEV. DEVICE: how many numbers these are."""
PDEV, VDEV = 0, 1

KIND, OBJECT, OUTCOME, STEP, BEGAN, TOLD, SEQUENCE = range(7)
"""Of a sequence: kind; device; outcome; its last step, -1 none, and the first call of that; failures."""
OF, NAME, STEP_OUTCOME, STEP_SIZE = range(4)
OK, NOT, OPEN, UNSAID = range(4)
"""Outcomes: as table.OUTCOMES (ok, failed, incomplete), and that nothing was said of a step."""

CHANGED, CALL, FROM, TO, INFERRED, CHANGE = range(6)
IN, IN_STEP, WHAT, AT, IN_STATE, WAS_BAD, SINCE, BY, FAULT = range(9)
"""Of a failure: sequence; the step that it made fail, -1 none; what is to be said; call; state of the device, and whether a
transaction of it had failed; the call from which on the log may say why; what else is told."""
MOST_TOLD = 256
"""Failures of a sequence that are kept besides the first of each step."""


def add(q: Any, name: Any, call: Any, now: Any, seq: Any, step: Any, member: Any) -> None:
    """Put a call into a step of a sequence: the last one where it has that name, else a new one."""
    s = seq[q * SEQUENCE + STEP] + 0
    if s < 0 or step[s * STEP_SIZE + NAME] != name:
        s = now[STEPS_SO_FAR]
        now[STEPS_SO_FAR] += 1
        seq[q * SEQUENCE + STEP], seq[q * SEQUENCE + BEGAN] = s, call
        step[s * STEP_SIZE + OF], step[s * STEP_SIZE + NAME], step[s * STEP_SIZE + STEP_OUTCOME] = q, name, UNSAID
    m = 2 * now[MEMBERS]
    now[MEMBERS] += 1
    member[m], member[m + 1] = s, call


def name_of(q: Any, seq: Any, step: Any) -> Any:
    """The name of the last step of a sequence, -1 where there is none."""
    s = seq[q * SEQUENCE + STEP]
    return step[s * STEP_SIZE + NAME] + 0 if s >= 0 else -1


def end_step(q: Any, outcome: Any, seq: Any, step: Any) -> Any:
    """Say how the last step ended: its number, -1 where it failed before. A failure is not taken back by what follows."""
    s = seq[q * SEQUENCE + STEP] + 0
    if s < 0 or step[s * STEP_SIZE + STEP_OUTCOME] == NOT:
        return -1
    step[s * STEP_SIZE + STEP_OUTCOME] = outcome
    return s


def reached(q: Any, seq: Any, step: Any) -> None:
    """The sequence did what it is for, where it has not failed."""
    end_step(q, OK, seq, step)
    if seq[q * SEQUENCE + OUTCOME] != NOT:
        seq[q * SEQUENCE + OUTCOME] = OK


def told(q: Any, s: Any, what: Any, call: Any, d: Any, since: Any, by: Any, now: Any, device: Any, seq: Any, fault: Any) -> None:
    """Keep a failure of a sequence, of its step ``s`` where that failed with it; ``d``: the device it was of, 0 none."""
    if s < 0:
        if seq[q * SEQUENCE + TOLD] >= MOST_TOLD:
            return
        seq[q * SEQUENCE + TOLD] += 1
    f = FAULT * now[FAULTS]
    now[FAULTS] += 1
    fault[f + IN], fault[f + IN_STEP], fault[f + WHAT], fault[f + AT] = q, s, what, call
    fault[f + IN_STATE], fault[f + WAS_BAD] = device[d * DEVICE + STATE], device[d * DEVICE + BAD]
    fault[f + SINCE], fault[f + BY] = since, by


def fail(
    q: Any, what: Any, call: Any, d: Any, since: Any, by: Any, now: Any, device: Any, seq: Any, step: Any, fault: Any
) -> None:
    """The last step failed, and with it the sequence."""
    s = end_step(q, NOT, seq, step)
    seq[q * SEQUENCE + OUTCOME] = NOT
    told(q, s, what, call, d, since, by, now, device, seq, fault)


def opened(d: Any, kind: Any, now: Any, device: Any, seq: Any) -> Any:
    """A new sequence of a device."""
    q = now[SEQUENCES]
    now[SEQUENCES] += 1
    s = q * SEQUENCE
    seq[s + KIND], seq[s + OBJECT], seq[s + OUTCOME], seq[s + STEP], seq[s + BEGAN], seq[s + TOLD] = kind, d, OPEN, -1, -1, 0
    device[d * DEVICE + DRAFT] = q
    return q


def draft(d: Any, kind: Any, now: Any, device: Any, seq: Any) -> Any:
    """The sequence that a device is in; a new one of a kind where it is in none."""
    q = device[d * DEVICE + DRAFT] + 0
    return q if q >= 0 else opened(d, kind, now, device, seq)


def to(d: Any, state: Any, call: Any, inferred: Any, now: Any, device: Any, change: Any) -> None:
    """A device is in a state."""
    before = device[d * DEVICE + STATE]
    if before == state:
        return
    c = CHANGE * now[CHANGES]
    now[CHANGES] += 1
    change[c + CHANGED], change[c + CALL], change[c + INFERRED] = d, call, inferred
    change[c + FROM], change[c + TO] = before, state
    device[d * DEVICE + STATE] = state


def refused(d: Any, flags: Any, what: Any, call: Any, by: Any, now: Any, device: Any, seq: Any, step: Any, fault: Any) -> Any:
    """Whether a command failed; the sequence it belongs to then failed at this step."""
    if not flags & FAILED:
        return False
    q = device[d * DEVICE + DRAFT] + 0
    if q >= 0 and not flags & RETRY:
        fail(q, what, call, d, call, by, now, device, seq, step, fault)
    return True


def between(q: Any, call: Any, last: Any, now: Any, seq: Any, span: Any) -> None:
    """Granule calls while a stateful operation was open are part of it."""
    s = seq[q * SEQUENCE + STEP] + 0
    if last > call and s >= 0:
        at = 3 * now[SPANS]
        now[SPANS] += 1
        span[at], span[at + 1], span[at + 2] = s, call, last


def connecting(q: Any, seq: Any) -> Any:
    """Whether a sequence is a connect that has not ended yet."""
    return q >= 0 and seq[q * SEQUENCE + KIND] == CONNECT and seq[q * SEQUENCE + OUTCOME] == OPEN


def born(d: Any, now: Any, device: Any) -> None:
    """Follow a device from here on, as the last one of its type."""
    b, kind = d * DEVICE, device[d * DEVICE + TYPE] + 0
    device[b + LIVES], device[b + STATE], device[b + DRAFT] = 1, UNKNOWN, -1
    device[b + STOPPING], device[b + ON], device[b + CREATED], device[b + STREAMS], device[b + BAD] = 0, 0, 0, 0, 0
    last = now[LAST + kind]
    device[b + BEFORE], device[b + NEXT] = last, 0
    if last > 0:
        device[last * DEVICE + NEXT] = d
    else:
        now[FIRST + kind] = d
    now[LAST + kind] = d


def gone(d: Any, now: Any, device: Any) -> None:
    """A device is not followed any more."""
    b, kind = d * DEVICE, device[d * DEVICE + TYPE] + 0
    before, after = device[b + BEFORE] + 0, device[b + NEXT] + 0
    if before > 0:
        device[before * DEVICE + NEXT] = after
    else:
        now[FIRST + kind] = after
    if after > 0:
        device[after * DEVICE + BEFORE] = before
    else:
        now[LAST + kind] = before
    device[b + LIVES] = 0
    if now[CREATING] == d:
        now[CREATING] = -1


def found(address_of: Any, kind: Any, now: Any, device: Any, address: Any, table: Any, size: Any) -> Any:
    """The place in the table of the device at an address, of a free place where it was never named. The table has ``size``
    places, a power of two."""
    at = (((address_of + kind) * now[SPREAD]) & 0x3FFFFFFFFFFFFFFF) >> 20 & (size - 1)
    while table[at] > 0 and (address[table[at]] != address_of or device[table[at] * DEVICE + TYPE] != kind):
        at = (at + 1) & (size - 1)
    return at


def numbered(address_of: Any, kind: Any, lives: Any, now: Any, device: Any, address: Any, table: Any, size: Any) -> Any:
    """The device at an address; ``lives``: it is followed from here on where it was not."""
    at = found(address_of, kind, now, device, address, table, size)
    d = table[at] + 0
    if d == 0:
        d = now[DEVICES]
        now[DEVICES] += 1
        table[at], address[d] = d, address_of
        device[d * DEVICE + TYPE], device[d * DEVICE + LIVES] = kind, 0
    if lives and not device[d * DEVICE + LIVES]:
        born(d, now, device)
    return d


def moved(now: Any, device: Any, address: Any, table: Any, size: Any) -> None:
    """Fill a new, empty table."""
    for d in range(1, now[DEVICES]):
        at = found(address[d], device[d * DEVICE + TYPE] + 0, now, device, address, table, size)
        table[at] = d


STEPS = (add, name_of, end_step, reached, told, fail, opened, draft, to, refused, between, connecting, born, gone, found,
         numbered, moved)  # fmt: skip
