"""The state of a PDEV or VDEV at any call: what was read back, and what the commands since then made of it.

State machines of DEN0137 1.1-alp17 and 2.0. A state that was not read back is a set of states that are possible: whether a
transaction of RMI_PDEV_COMMUNICATE is over stands in the shared page, which not every capture has.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import decoders

from .pages import Exchange, exchange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..capture.model import Capture

IDLE, PENDING, ACTIVE, FAILED = "IDLE", "PENDING", "ACTIVE", "ERROR"
"""Communication state (not readable by the host)."""
ANY_COMM = frozenset((IDLE, PENDING, ACTIVE, FAILED))
GONE = "destroyed"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A device between two calls.

    states   the states it may be in, without prefix; empty: nothing is known
    comm     the communication states that are possible
    op       the operation that is open ('', 'STOP', 'STREAM_CONNECT', 'LOCK', ...), None where that is not known
    call     the call that told the state; read: it was read back there
    began    the call that began the open transaction, -1 where there is none
    failed   the call that showed that a transaction failed, and nothing has cleared that since; else -1
    """

    states: frozenset[str] = frozenset()
    comm: frozenset[str] = ANY_COMM
    op: str | None = None
    call: int = -1
    read: bool = False
    began: int = -1
    failed: int = -1

    @property
    def state(self) -> str | None:
        """The state, where only one is possible."""
        return next(iter(self.states)) if len(self.states) == 1 else None


UNKNOWN = Snapshot()
_NEXT_1 = {"NEW": "NEEDS_KEY", "HAS_KEY": "READY", "COMMUNICATING": "READY", "IDE_RESETTING": "READY", "STOPPING": "STOPPED"}
_NEXT_2 = {"NEW": "NEEDS_KEY", "HAS_KEY": "READY"}
_VDEV_AIM = {"LOCK": "LOCKED", "START": "STARTED", "UNLOCK": "UNLOCKED"}


class History:
    """Snapshots of one device, one behind each call that says something about it: what they have in common is kept once."""

    def __init__(self) -> None:
        self._calls = array("q")
        self._kind = array("q")
        """Of each call which of ``_kinds`` the snapshot is."""
        self._told, self._began, self._failed = (array("q") for _ in range(3))
        self._kinds: list[Snapshot] = []
        self._numbers: dict[tuple[frozenset[str], frozenset[str], str | None, bool], int] = {}
        self._last: Snapshot | None = None

    def add(self, seq: int, s: Snapshot) -> None:
        """The device behind the next call."""
        if s is self._last:  # the call says nothing
            return
        kind = s.states, s.comm, s.op, s.read
        number = self._numbers.get(kind)
        if number is None:
            number = self._numbers[kind] = len(self._kinds)
            self._kinds.append(s)
        for column, value in (
            (self._calls, seq), (self._kind, number), (self._told, s.call), (self._began, s.began), (self._failed, s.failed)
        ):  # fmt: skip
            column.append(value)
        self._last = s

    def at(self, seq: int) -> Snapshot:
        """The device as it is when a call is made."""
        i = bisect_left(self._calls, seq) - 1
        if i < 0:
            return UNKNOWN
        return replace(self._kinds[self._kind[i]], call=self._told[i], began=self._began[i], failed=self._failed[i])


def pdev_history(capture: Capture, rows: Iterable[tuple[int, str, bool, str, int | None]]) -> History:
    """``rows``: call, command (without RMI_), whether it succeeded, status, state read back (x1), in order."""
    two = capture.revision.device.startswith("2.")
    numbers = states(capture, "RmiPdevState", "RMI_PDEV_")
    s = UNKNOWN
    found = History()
    for seq, command, ok, status, value in rows:
        page = exchange(capture, seq) if command == "PDEV_COMMUNICATE" else None
        s = _pdev(s, seq, command, ok, status, numbers.get(value, f"state {value}") if value is not None else None, two, page)
        found.add(seq, s)
    return found


def states(capture: Capture, enum: str, prefix: str) -> dict[int, str]:
    """The numbers of device states in this capture's revision, without prefix."""
    return {v: n.removeprefix(prefix) for v, n in decoders.profile(capture.revision.device).enums.get(enum, {}).items()}


def _pdev(
    s: Snapshot, seq: int, command: str, ok: bool, status: str, read: str | None, two: bool, page: Exchange | None
) -> Snapshot:
    if command == "PDEV_GET_STATE":
        return _pdev_read(s, seq, read, two) if ok and read is not None else s
    if command == "PDEV_COMMUNICATE":
        return _pdev_talks(s, seq, ok, status, two, page)
    if not ok:
        return s
    if command == "PDEV_CREATE":
        return Snapshot(frozenset(("NEW",)), frozenset((PENDING,)), "", seq, began=seq)
    if command == "PDEV_DESTROY":
        return Snapshot(frozenset((GONE,)), frozenset((IDLE,)), "", seq)
    if command == "PDEV_SET_PUBKEY":
        return Snapshot(frozenset(("HAS_KEY",)), frozenset((PENDING,)), "", seq, began=seq)
    if command == "PDEV_STOP":
        state = s.states if two else frozenset(("STOPPING",))
        return replace(s, states=state, comm=frozenset((PENDING,)), op="STOP", call=s.call if two else seq, read=False, began=seq)
    if command in ("PDEV_IDE_KEY_REFRESH", "PDEV_IDE_RESET"):
        to = "COMMUNICATING" if command.endswith("REFRESH") else "IDE_RESETTING"
        return Snapshot(frozenset((to,)), frozenset((PENDING,)), "", seq, began=seq)
    if command == "PDEV_ABORT":
        return _pdev_abort(s, seq, two)
    if command == "PDEV_STREAM_COMPLETE":
        return replace(s, op="", comm=frozenset((IDLE,)), began=-1)
    if command.startswith("PDEV_STREAM_"):
        return replace(s, op=command.removeprefix("PDEV_"), comm=frozenset((PENDING,)), began=seq)
    return s


def _pdev_abort(s: Snapshot, seq: int, two: bool) -> Snapshot:
    if two:  # bet1 leaves the state as it is, bet3 moves NEW and HAS_KEY to ERROR
        maybe = s.states | {"ERROR"} if s.states & {"NEW", "HAS_KEY", "READY"} else s.states
        op = s.op if s.op and s.op.startswith("STREAM_") else ""
        return replace(s, states=maybe, comm=frozenset((IDLE,)), op=op, call=seq, read=False, began=-1, failed=-1)
    if s.states == {"COMMUNICATING"}:
        return Snapshot(frozenset(("READY",)), frozenset((IDLE,)), "", seq)
    return replace(s, comm=frozenset((PENDING,)), call=seq, failed=-1)


def _pdev_read(s: Snapshot, seq: int, read: str, two: bool) -> Snapshot:
    comm, op, began, failed = s.comm, s.op, s.began, s.failed
    now = frozenset((read,))
    moved = s.states == now or not s.states
    if read == "ERROR":
        if not moved or failed < 0:
            failed = seq
        comm = frozenset((IDLE, FAILED)) if two and op != "STOP" else frozenset((FAILED, IDLE)) if not two else comm
        began = -1
    elif read == "STOPPED" or read == "NEEDS_KEY":
        comm, op, began = frozenset((IDLE,)), "", -1
    elif read == "READY" and (not two or op == ""):
        comm, began = frozenset((IDLE,)), -1
    elif read in ("NEW", "HAS_KEY", "COMMUNICATING", "IDE_RESETTING", "STOPPING") and s.read and s.states == now:
        comm = comm & {PENDING, ACTIVE} or frozenset((PENDING, ACTIVE))
    return Snapshot(now, comm, op, seq, True, began, failed)


def _pdev_talks(s: Snapshot, seq: int, ok: bool, status: str, two: bool, page: Exchange | None) -> Snapshot:
    if not ok:
        if status == "RMI_ERROR_DEVICE":  # TF-RMM of 1.1 moves a PDEV that has nothing to say to ERROR
            maybe = s.states | {"ERROR"} if s.states and not two else s.states
            return replace(s, states=maybe, read=False if maybe != s.states else s.read)
        return s
    over = page.over if page is not None else None
    if over is False:
        return replace(s, comm=frozenset((ACTIVE,)), read=False)
    table = _NEXT_2 if two else _NEXT_1
    reached = {table.get(x, x) for x in s.states}
    if two and s.op == "STOP":
        reached = {"STOPPED", "ERROR"}
    elif s.states == {"NEW"} and two:
        reached = {"NEEDS_KEY", "READY"}  # a root port and an on-chip device have no SPDM
    elif not two and s.states == {"STOPPING"}:
        reached = {"STOPPED"}
    after = frozenset((*reached, "ERROR")) if s.states else s.states
    if over is None:
        after = after | s.states
        return replace(s, states=after, comm=frozenset((ACTIVE, IDLE, FAILED)), read=False)
    op = "STREAM_COMPLETE" if s.op and s.op.startswith("STREAM_") else ""
    return replace(s, states=after, comm=frozenset((IDLE, FAILED)), op=op, call=seq, read=False, began=-1)


def vdev_history(capture: Capture, rows: Iterable[tuple[int, str, bool, str, int | None]]) -> History:
    """The same for a VDEV."""
    numbers = states(capture, "RmiVdevState", "RMI_VDEV_")
    s = UNKNOWN
    found = History()
    for seq, command, ok, _status, value in rows:
        page = exchange(capture, seq) if command == "VDEV_COMMUNICATE" else None
        s = _vdev(s, seq, command, ok, numbers.get(value, f"state {value}") if value is not None else None, page)
        found.add(seq, s)
    return found


def _vdev(s: Snapshot, seq: int, command: str, ok: bool, read: str | None, page: Exchange | None) -> Snapshot:
    if not ok:
        return s
    if command == "VDEV_CREATE":
        return Snapshot(frozenset(("NEW",)), frozenset((PENDING,)), "UNLOCK", seq, began=seq)
    if command == "VDEV_DESTROY":
        return Snapshot(frozenset((GONE,)), frozenset((IDLE,)), "", seq)
    if command == "VDEV_GET_STATE" and read is not None:
        reached = s.op in _VDEV_AIM and _VDEV_AIM[s.op] == read
        comm = frozenset((IDLE,)) if reached else s.comm
        failed = seq if read == "ERROR" and "ERROR" not in s.states else s.failed
        if read == "ERROR":
            comm = frozenset((IDLE, FAILED))
        return Snapshot(frozenset((read,)), comm, "" if reached else s.op, seq, True, -1 if reached else s.began, failed)
    if command in ("VDEV_LOCK", "VDEV_START", "VDEV_UNLOCK", "VDEV_GET_MEASUREMENTS", "VDEV_GET_INTERFACE_REPORT"):
        return replace(s, comm=frozenset((PENDING,)), op=command.removeprefix("VDEV_"), began=seq)
    if command == "VDEV_ABORT":
        return replace(s, states=s.states | {"ERROR"}, comm=frozenset((IDLE,)), op="", call=seq, read=False, began=-1)
    if command == "VDEV_COMMUNICATE":
        return _vdev_talks(s, seq, page)
    return s


def _vdev_talks(s: Snapshot, seq: int, page: Exchange | None) -> Snapshot:
    over = page.over if page is not None else None
    if over is False:
        return replace(s, comm=frozenset((ACTIVE,)), read=False)
    aim = _VDEV_AIM.get(s.op or "")
    if s.op is None:
        after: frozenset[str] = frozenset()
    else:
        after = frozenset((aim, "ERROR")) if aim else s.states | {"ERROR"}
        if aim == "UNLOCKED":
            after |= {"KEY_REFRESH", "KEY_PURGE"} & s.states
    if over is None:
        return replace(s, states=after | s.states if s.states else after, comm=frozenset((ACTIVE, IDLE, FAILED)), read=False)
    return replace(s, states=after, comm=frozenset((IDLE, FAILED)), op="", call=seq, read=False, began=-1)
