"""Which call a message belongs to: after a communicate call the host talks to the device, before its next command on it.

The request leaves with the exit of RMI_PDEV_COMMUNICATE or RMI_VDEV_COMMUNICATE, the response comes back before the next
one. A call whose record was lost must not lend its messages to another: a call has one request and one response, in
this order, and a command on a device, an exit of which the entry is missing, or a place where the tracer lost events ends
the time in which its messages can come. A task that talks to a device is not inside of an SMC: an exit behind the
messages of a call is another's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records import Kind
from .model import REQUEST

if TYPE_CHECKING:
    from ..model import Capture

COMMUNICATE = ("RMI_PDEV_COMMUNICATE", "RMI_VDEV_COMMUNICATE")
_DEVICE = re.compile(r"RMI_[PV]DEV_")


def communicates(capture: Capture) -> list[int]:
    """Indices of the communicate commands in ``Capture.names``."""
    return [i for i, n in enumerate(capture.names) if n in COMMUNICATE]


def device_of(capture: Capture, seq: int) -> str:
    """The PDEV whose conversation a communicate call goes on with: a VDEV talks in the session of its PDEV, x2."""
    reg = 2 if capture.name_text(seq).startswith("RMI_VDEV") else 1
    value, _ = capture.regs(np.array([seq]), reg)
    return f"pdev:0x{int(value[0]):x}"


@dataclass(slots=True)
class _Taken:
    """What already belongs to a call. ``over``: a message came that cannot be its, so no further one is; ``inside``: its
    messages came before the exit that it was given, which so is not its own."""

    request: bytes | None = None
    response: bytes | None = None
    over: bool = False
    inside: bool = False


class Windows:
    """The commands on devices of one source, by task. Positions are record numbers (``at_offset`` turns byte offsets of
    a text source into them)."""

    def __init__(self, capture: Capture, source: int) -> None:
        c, rec = capture.calls, capture.sources[source].records
        names = [i for i, n in enumerate(capture.names) if _DEVICE.match(n)]
        shown = capture.of_source(source)
        mine = np.isin(c.name[shown.rows], names) | (shown.enter < 0)
        rows, enter, exit_, pids = shown.rows[mine], shown.enter[mine], shown.exit[mine], shown.pid[mine]
        self._offsets = rec.offset
        talks = np.isin(c.name[rows], communicates(capture)) & ~c.failed[rows]
        end = np.where(exit_ >= 0, exit_, enter)
        order = np.argsort(end, kind="stable")
        self._rows, self._enter, self._end, self._talks = rows[order], enter[order], end[order], talks[order]
        pids = pids[order]
        self._tasks: dict[int, Any] = {int(p): np.flatnonzero(pids == p) for p in np.unique(pids)}
        self._begin: dict[int, Any] = {}
        for pid, task in self._tasks.items():
            begun = task[self._enter[task] >= 0]
            self._begin[pid] = begun[np.argsort(self._enter[begun], kind="stable")]
        self._lost = np.flatnonzero(rec.kind == Kind.LOST)
        self._taken: dict[int, _Taken] = {}

    def __bool__(self) -> bool:
        return bool(self._talks.any())

    def at_offset(self, offset: int) -> float:
        """The position of a place in a text source: behind the last record that begins before it."""
        return int(np.searchsorted(self._offsets, offset, side="right")) - 0.5

    def open_at(self, position: float, pid: int = -1) -> int | None:
        """The communicate call that waits for its device there, None where none or more than one can be meant."""
        if pid in self._tasks:
            return self._waiting(pid, position, own=True)
        waiting = [s for s in (self._waiting(t, position, own=False) for t in self._tasks) if s is not None]
        return waiting[0] if len(waiting) == 1 else None

    def _waiting(self, pid: int, position: float, own: bool) -> int | None:
        """That of one task. ``own``: what is at the position is the task's own."""
        task, begun = self._tasks[pid], self._begin[pid]
        k = int(np.searchsorted(self._end[task], position)) - 1
        i = int(np.searchsorted(self._enter[begun], position)) - 1
        at = int(begun[i]) if i >= 0 and self._end[begun[i]] > position else int(task[k]) if k >= 0 else -1
        if at < 0 or not self._talks[at]:
            return None
        seq, since = int(self._rows[at]), int(self._end[at])
        if since > position:  # between enter and exit
            since = int(self._enter[at])
            if not own or (k >= 0 and self._end[task[k]] > since):
                return None
            self._taken.setdefault(seq, _Taken()).inside = True
        elif seq in self._taken and self._taken[seq].inside:
            return None
        n = int(np.searchsorted(self._lost, position)) - 1
        return seq if n < 0 or self._lost[n] < since else None

    def claim(self, position: float, pid: int, direction: str, data: bytes) -> int | None:
        """The call that a message there belongs to, which has then had it."""
        seq = self.open_at(position, pid)
        if seq is None:
            return None
        mine = self._taken.setdefault(seq, _Taken())
        had = mine.request if direction == REQUEST else mine.response
        late = direction == REQUEST and mine.response is not None
        if mine.over or (had is not None and had != data) or (late and had is None):
            mine.over = True  # the call that this one belongs to is not in the capture
            return None
        if direction == REQUEST:
            mine.request = data
        else:
            mine.response = data
        return seq
