"""Transactions of RMI_PDEV_COMMUNICATE and RMI_VDEV_COMMUNICATE as registers show them: how they ended, and what came next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from .. import diagnose
from ..capture.records import Finding
from ..diagnose.columns import I64, U64
from ..diagnose.devices import states
from ..diagnose.pages import ERROR, exchange
from ..diagnose.table import Devices, Flags, Table
from . import said
from .finding import found, some
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

_SPEC = "DEN0137 PDEV and VDEV state machines"
COMM_FAILED = Rule(
    "COMM-FAILED",
    "error",
    "a transaction with the device failed",
    "RMI_SUCCESS with no flags left says that the transaction is over, not that it is good: the state that is read back tells, "
    "and in ERROR the device cannot be used",
    "the last message of the device and the firmware's log: a signature or a certificate that does not verify, a message that "
    "was changed or refused, an IDE key that was not taken",
    _SPEC,
)
COMM_ABANDONED = Rule(
    "COMM-ABANDONED",
    "error",
    "the host gave up a transaction in its middle",
    "the RMM waits for the response to its request; the host's transport failed, or its loop ended too early",
    "the host's DOE mailbox and its messages; whether the loop looks at every flag of the exit",
    "DEN0137 RmiDevCommExit",
)
COMM_ENDLESS = Rule(
    "COMM-ENDLESS",
    "warning",
    "more than 100 communicate calls in one transaction",
    "TF-RMM needs about 20, and one for each KiB of the certificate chain",
    "whether the same request is sent again and again",
    "TF-RMM message order",
)
COMM_INTERLEAVED = Rule(
    "COMM-INTERLEAVED",
    "error",
    "transactions of a PDEV and of its VDEV are interleaved",
    "a device has one active transaction; firmware that does not check that (TF-RMM to 2.0-bet1) resumes the wrong one",
    "the lock that should keep the two loops apart",
    "DEN0137 1.1-alp17 and 2.0: one active transaction",
)
STATE_UNEXPLAINED = Rule(
    "STATE-UNEXPLAINED",
    "warning",
    "a state changed and no command in between explains it",
    "another actor, another device at this address, or calls that are missing from the capture",
    "the two RMI_PDEV_GET_STATE calls; whether the recorder sees all CPUs",
    _SPEC,
)
_LONG = 100
_MOST_ENDLESS = 50
"""Findings of COMM-ENDLESS for each kind of device."""


def device_tables(capture: Capture) -> Iterator[tuple[int, str, Table]]:
    """Source, kind and tables of the devices in each source that has any, some devices at a time."""
    for source, kind, devices in device_kinds(capture):
        for table in devices.parts():
            yield source, kind, table


def device_kinds(capture: Capture) -> Iterator[tuple[int, str, Devices]]:
    """Source, kind and devices of each source that has any."""
    for source in diagnose.runs(capture):
        world = diagnose.world(capture, source)
        for kind, devices in (("pdev", world.pdevs), ("vdev", world.vdevs)):
            if len(devices):
                yield source, kind, devices


def failed(capture: Capture) -> Iterable[Finding]:
    """COMM-FAILED: ERROR is read back and was not before."""
    return some(f for _, kind, t in device_tables(capture) for f in _failed(capture, kind, t))


def _failed(capture: Capture, kind: str, t: Table) -> Iterator[Finding]:
    numbers = states(capture, f"Rmi{kind.title()}State", f"RMI_{kind.upper()}_")
    error = next((v for v, n in numbers.items() if n == "ERROR"), -2)
    life = t.lives(t.is_a(f"{kind.upper()}_CREATE") & t.ok)
    hit = np.flatnonzero(t.state == error)
    before = t.last(t.state >= 0, life, hit)
    now = (before < 0) | (t.state[np.maximum(before, 0)] != error)
    hit, before = hit[now], before[now]
    comm = t.last(t.is_a(f"{kind.upper()}_COMMUNICATE"), life, hit)
    for i, j, read in zip(hit.tolist(), comm.tolist(), before.tolist(), strict=True):
        seen = int(t.seq[i])
        device = f"{kind}:0x{int(t.key[i]):x}"
        if j < 0 or read > j:  # nothing was communicated since it was in another state
            text = f"RMI_{kind.upper()}_GET_STATE gives ERROR for {device}, and no transaction of it is in the capture"
            yield found(COMM_FAILED, capture, text, [seen], object=device, severity="warning")
            continue
        last = int(t.seq[j])
        was = _state(capture, kind, int(t.key[i]), last)
        text = f"the transaction of {device}{f' in {was}' if was else ''} failed in {capture.name_text(last)} (call {last})"
        if capture.calls.failed[last]:
            text += f", which returned {capture.status_text(last)}"
        text += f": RMI_{kind.upper()}_GET_STATE (call {seen}) gives ERROR"
        earlier = [c for c in _communicated(t, j) if c != last]  # the response that failed it answers the call before
        yield found(COMM_FAILED, capture, text + _why(capture, t, j, seen), [last, seen, *earlier], object=device)


def _state(capture: Capture, kind: str, address: int, seq: int) -> str:
    """The state of a device when a call is made, empty where it is not known."""
    world = diagnose.world(capture, int(capture.calls.source[seq]))
    return (world.pdev(address, seq) if kind == "pdev" else world.vdev(address, seq)).state or ""


def _why(capture: Capture, t: Table, j: int, seen: int) -> str:
    """Why a transaction failed, as far as messages, memory and log tell."""
    last = int(t.seq[j])
    out = []
    page = exchange(capture, last)
    if page is not None and page.status == ERROR:
        out.append("the host reported that the transfer failed (status ERROR)")
    # the response that this call brought in stands with the call before it
    earlier = [q for q in _communicated(t, j) if q in capture.conversations.by_call]
    if earlier:
        text = said.exchange(capture, earlier[-1])
        if text:
            out.append(text)
    log = said.log(capture, last, seen)
    if log:
        out.append(f"the firmware's log says: {log}")
    return "".join(f"; {o}" for o in out)


def _communicated(t: Table, j: int) -> list[int]:
    """The last communicate calls of a device up to a row."""
    same = np.flatnonzero((t.key[max(j - 64, 0) : j + 1] == t.key[j]) & (t.command[max(j - 64, 0) : j + 1] == t.command[j]))
    return [int(t.seq[max(j - 64, 0) + k]) for k in same.tolist()][-2:]


def abandoned(capture: Capture) -> Iterable[Finding]:
    """COMM-ABANDONED: RMI_*_ABORT succeeds while the device is not in ERROR and has communicated."""
    return some(f for _, kind, t in device_tables(capture) for f in _abandoned(capture, kind, t))


def _abandoned(capture: Capture, kind: str, t: Table) -> Iterator[Finding]:
    upper = kind.upper()
    numbers = states(capture, f"Rmi{kind.title()}State", f"RMI_{upper}_")
    error = next((v for v, n in numbers.items() if n == "ERROR"), -2)
    life = t.lives(t.is_a(f"{upper}_CREATE") & t.ok)
    aborts = np.flatnonzero(t.is_a(f"{upper}_ABORT") & t.ok)
    comm = t.last(t.is_a(f"{upper}_COMMUNICATE"), life, aborts)
    read = t.last(t.state >= 0, life, aborts)
    for i, j, k in zip(aborts.tolist(), comm.tolist(), read.tolist(), strict=True):
        if j < 0 or (k > j and t.state[k] == error):
            continue
        last, seq = int(t.seq[j]), int(t.seq[i])
        device = f"{kind}:0x{int(t.key[i]):x}"
        request, response = said.messages(capture, last)
        text = f"{capture.name_text(last)} (call {last}) of {device}"
        if capture.calls.failed[last]:
            text += f" returned {capture.status_text(last)}, and the host gave up with {capture.name_text(seq)} (call {seq})"
        elif request is not None and response is None:
            text += f" asked the host to send {request.name}; no response was brought back, the host gave up with "
            text += f"{capture.name_text(seq)} (call {seq})"
        else:
            text += f" was not the last of its transaction: the host gave up with {capture.name_text(seq)} (call {seq})"
        log = said.log(capture, last + 1, seq)
        yield found(COMM_ABANDONED, capture, text + (f"; the log says: {log}" if log else ""), [last, seq], object=device)


def endless(capture: Capture) -> Iterable[Finding]:
    """COMM-ENDLESS: more than _LONG communicate calls with nothing else between them but the state read back."""
    for _, kind, devices in device_kinds(capture):
        yield from islice((f for t in devices.parts() for f in _endless(capture, kind, t)), _MOST_ENDLESS)


def _endless(capture: Capture, kind: str, t: Table) -> Iterator[Finding]:
    upper = kind.upper()
    comm = t.is_a(f"{upper}_COMMUNICATE")
    reads = np.flatnonzero(t.state >= 0)
    same = t.key[reads[1:]] == t.key[reads[:-1]]
    moved = np.zeros(len(t), dtype=bool)
    moved[reads[1:]] = same & (t.state[reads[1:]] != t.state[reads[:-1]])
    run = t.lives((~comm & (t.state < 0) & t.ok) | moved)
    counts = np.bincount(run, weights=comm)
    for r in np.flatnonzero(counts > _LONG).tolist():
        rows = np.flatnonzero((run == r) & comm)
        device = f"{kind}:0x{int(t.key[rows[0]]):x}"
        text = f"{len(rows)} calls of RMI_{upper}_COMMUNICATE in one transaction of {device}"
        yield found(COMM_ENDLESS, capture, text, t.seq[rows].tolist(), object=device)


def interleaved(capture: Capture) -> Iterable[Finding]:
    """COMM-INTERLEAVED: a VDEV is communicated between two calls for its PDEV that belong to one transaction."""
    return some(f for s in diagnose.runs(capture) for f in _interleaved(capture, s))


def _interleaved(capture: Capture, source: int) -> Iterator[Finding]:
    world = diagnose.world(capture, source)
    vdev, _end, owner, known = world.columns.done_with(("VDEV_COMMUNICATE",), "pdev_ptr")
    if not len(vdev):
        return
    for t in world.pdevs.parts():
        yield from _inside(capture, t, vdev, owner, known)


def _inside(capture: Capture, t: Table, vdev: I64, owner: U64, known: Flags) -> Iterator[Finding]:
    comm = t.is_a("PDEV_COMMUNICATE") & t.ok
    run = t.lives(~t.is_a("PDEV_COMMUNICATE") & (t.state < 0))  # whoever makes another call is through with the loop
    calls = np.flatnonzero(comm)
    before = t.last(comm, run, calls)
    calls, before = calls[before >= 0], before[before >= 0]
    low, high = np.searchsorted(vdev, t.seq[before]), np.searchsorted(vdev, t.seq[calls])
    for k in np.flatnonzero(low < high).tolist():
        i, lo, hi = int(calls[k]), int(low[k]), int(high[k])
        a, b = int(t.seq[before[k]]), int(t.seq[i])
        inside = [int(v) for v in vdev[lo:hi][known[lo:hi] & (owner[lo:hi] == t.key[i])].tolist()]
        if inside and not ((page := exchange(capture, a)) is not None and page.over):
            device = f"pdev:0x{int(t.key[i]):x}"
            text = f"RMI_VDEV_COMMUNICATE (call {inside[0]}) inside of a transaction of {device} (calls {a} and {b})"
            yield found(COMM_INTERLEAVED, capture, text, [inside[0], a, b], object=device)


_STEPS_1 = (
    # command, from, to
    ("PDEV_COMMUNICATE", "NEW", "NEEDS_KEY"),
    ("PDEV_COMMUNICATE", "NEW", "READY"),
    ("PDEV_COMMUNICATE", "HAS_KEY", "READY"),
    ("PDEV_COMMUNICATE", "COMMUNICATING", "READY"),
    ("PDEV_COMMUNICATE", "IDE_RESETTING", "READY"),
    ("PDEV_COMMUNICATE", "STOPPING", "STOPPED"),
    ("PDEV_COMMUNICATE", "*", "ERROR"),
    ("PDEV_SET_PUBKEY", "NEEDS_KEY", "HAS_KEY"),
    ("PDEV_IDE_KEY_REFRESH", "READY", "COMMUNICATING"),
    ("PDEV_IDE_RESET", "READY", "IDE_RESETTING"),
    ("PDEV_ABORT", "COMMUNICATING", "READY"),
    ("PDEV_ABORT", "*", "ERROR"),
    ("PDEV_STOP", "*", "STOPPING"),
    ("PDEV_CREATE", "*", "NEW"),
    ("PDEV_DESTROY", "*", "NEW"),
)
_STEPS_2 = (*(s for s in _STEPS_1 if s[0] != "PDEV_STOP"), ("PDEV_STOP", "*", "stop"), ("PDEV_COMMUNICATE", "stop", "STOPPED"))
_STEPS_VDEV = (
    ("VDEV_COMMUNICATE", "NEW", "UNLOCKED"),
    ("VDEV_COMMUNICATE", "*", "ERROR"),
    ("VDEV_COMMUNICATE", "KEY_REFRESH", "KEY_PURGE"),
    ("VDEV_COMMUNICATE", "KEY_REFRESH", "UNLOCKED"),
    ("VDEV_COMMUNICATE", "KEY_PURGE", "UNLOCKED"),
    ("VDEV_LOCK", "UNLOCKED", "lock"),
    ("VDEV_COMMUNICATE", "lock", "LOCKED"),
    ("VDEV_START", "LOCKED", "start"),
    ("VDEV_COMMUNICATE", "start", "STARTED"),
    ("VDEV_UNLOCK", "*", "unlock"),
    ("VDEV_UNLOCK", "*", "KEY_REFRESH"),
    ("VDEV_COMMUNICATE", "unlock", "UNLOCKED"),
    ("VDEV_COMMUNICATE", "unlock", "KEY_REFRESH"),
    ("VDEV_ABORT", "*", "ERROR"),
    ("VDEV_ABORT", "*", "LOCKED"),
    ("VDEV_CREATE", "*", "NEW"),
    ("VDEV_DESTROY", "*", "NEW"),
)


def unexplained(capture: Capture) -> Iterable[Finding]:
    """STATE-UNEXPLAINED: what is read back does not follow from the state before and the commands in between."""
    return some(f for s, kind, devices in device_kinds(capture) for f in _unexplained(capture, s, kind, devices))


def _unexplained(capture: Capture, source: int, kind: str, devices: Devices) -> Iterator[Finding]:
    if not diagnose.world(capture, source).columns.sees_all:
        return
    upper = kind.upper()
    numbers = states(capture, f"Rmi{kind.title()}State", f"RMI_{upper}_")
    steps = _STEPS_VDEV if kind == "vdev" else _STEPS_2 if capture.revision.device.startswith("2.") else _STEPS_1
    parts = [_changes(t, f"{upper}_COMMUNICATE") for t in devices.parts()]
    device_of, before, behind, combos = (np.concatenate(column) for column in zip(*parts, strict=True))
    for combo in np.unique(combos, axis=0).tolist():
        frm, to = numbers.get(combo[0], ""), numbers.get(combo[1], "")
        commands = {c for i, c in enumerate(devices.commands) if combo[2] >> min(i, 62) & 1}
        if not frm or not to or to in _reachable(frm, commands, steps):
            continue
        for k in np.flatnonzero((combos == combo).all(axis=1))[:8].tolist():
            device = f"{kind}:0x{int(device_of[k]):x}"
            did = ", ".join(sorted(f"RMI_{c}" for c in commands if not c.endswith("GET_STATE"))) or "no command"
            text = f"{device} was {frm} in call {int(before[k])} and is {to} in call {int(behind[k])}; in between there is {did}"
            yield found(STATE_UNEXPLAINED, capture, text, [int(behind[k]), int(before[k])], object=device)


def _changes(t: Table, communicate: str) -> tuple[U64, I64, I64, I64]:
    """Where a device is read back in another state than before: the device, the last call that began the state before and the
    first of the new one; and both states with the commands in between as bits."""
    read = np.flatnonzero(t.state >= 0)
    changed = (t.key[read[:-1]] != t.key[read[1:]]) | (t.state[read[:-1]] != t.state[read[1:]])
    begin = np.append(0, np.flatnonzero(changed) + 1) if len(read) else read  # where a run of equal states begins
    a, b = read[begin[:-1]], read[begin[1:]]
    same = t.key[a] == t.key[b]
    a, b = a[same], b[same]
    # a communicate call may change the state though it failed; another command only by success
    counts = t.ok | t.is_a(communicate)
    bits = np.where(counts, np.int64(1) << np.minimum(t.command, 62).astype(np.int64), 0)
    between = np.stack([a + 1, b], axis=1).reshape(-1)
    masks = np.where(a + 1 < b, np.bitwise_or.reduceat(bits, between)[::2], 0) if len(a) else a
    return t.key[a], t.seq[a], t.seq[b], np.stack([t.state[a], t.state[b], masks], axis=1)


def _reachable(start: str, commands: set[str], steps: tuple[tuple[str, str, str], ...]) -> set[str]:
    reached = {start}
    while True:
        further = {to for command, frm, to in steps if command in commands and (frm == "*" or frm in reached)} - reached
        if not further:
            return reached
        reached |= further


CHECKS = (
    Check(failed, (COMM_FAILED,)),
    Check(abandoned, (COMM_ABANDONED,)),
    Check(endless, (COMM_ENDLESS,)),
    Check(interleaved, (COMM_INTERLEAVED,)),
    Check(unexplained, (STATE_UNEXPLAINED,)),
)
