"""Stateful operations of 2.0 at any call: which handles are open, and what each of them waits for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..capture.distinct import are_among
from .columns import I64, U64, Columns
from .events import Events

if TYPE_CHECKING:
    from ..capture.model import Capture

CONTINUE, DONATE, RECLAIM = 0, 1, 2
"""RmiOpMemReq, x0 bits [9:8] of RMI_INCOMPLETE."""
WANTED = {CONTINUE: "RMI_OP_CONTINUE", DONATE: "RMI_OP_MEM_DONATE", RECLAIM: "RMI_OP_MEM_RECLAIM"}
OPERATIONS = ("OP_CONTINUE", "OP_MEM_DONATE", "OP_MEM_RECLAIM", "OP_CANCEL")
_OPEN, _CLOSED, _REFUSED = 1, 0, 2


class Open(NamedTuple):
    """An operation that waits for the host.

    call    the call that left it so; command: the one that started it
    wants   CONTINUE, DONATE or RECLAIM, None where the source does not show it
    cancel  whether it may be cancelled, None where that is not shown
    """

    call: int
    command: int
    wants: int | None
    cancel: bool | None


class Operations:
    """The stateful operations of one source."""

    def __init__(self, capture: Capture, columns: Columns) -> None:
        self.capture = capture
        c = capture.calls
        ops, _end, handle, told = columns.with_arg(OPERATIONS, "handle")
        started = columns.with_status("RMI_INCOMPLETE")
        started = started[~are_among(started, ops)]
        given, known = capture.regs(started, 1, out=True)
        self.commands = begun = started[known]
        """Calls that started an operation, ascending."""
        self.handles: U64 = given[known]
        """The handle of each."""
        goes_on = [i for i, n in enumerate(capture.statuses) if n in ("RMI_INCOMPLETE", "RMI_BUSY", "RMI_BLOCKED")]
        no = np.isin(c.status[ops], [i for i, n in enumerate(capture.statuses) if n == "RMI_ERROR_INPUT"])
        still = np.isin(c.status[ops], goes_on)
        self._events = Events(
            (given[known], begun, _OPEN),
            (handle[told & still], ops[told & still], _OPEN),
            (handle[told & no], ops[told & no], _REFUSED),
            (handle[told & ~still & ~no], ops[told & ~still & ~no], _CLOSED),
        )

    def at(self, handle: int, seq: int) -> Open | None:
        """The operation with a handle when a call is made, None where there is none that is open."""
        events = self._events
        a, b = events.span(handle)
        end = False
        for i in range(a + int(np.searchsorted(events.seq[a:b], seq, "left")) - 1, a - 1, -1):
            code, call = int(events.code[i]), int(events.seq[i])
            if code == _CLOSED:
                return None
            if code == _REFUSED:  # left it as it was; of OP_CONTINUE it may be the final status of the command
                end |= self.capture.name_text(call) == "RMI_OP_CONTINUE"
            elif self.capture.status_text(call) == "RMI_INCOMPLETE":
                wants, cancel = self._waits(call)
                before = (int(q) for q in events.seq[a : i + 1][::-1])
                begun = next((q for q in before if self.handle(q) is not None), call)
                return None if end and wants not in (DONATE, RECLAIM) else Open(call, begun, wants, cancel)
        return None

    def handle(self, call: int) -> int | None:
        """The handle of the operation that a call started, None where it started none."""
        i = int(self.commands.searchsorted(call))
        return int(self.handles[i]) if i < len(self.commands) and self.commands[i] == call else None

    def _waits(self, call: int) -> tuple[int | None, bool | None]:
        """What x0 of RMI_INCOMPLETE asks for; a console may show the status alone."""
        full = self.capture.call(call)
        result = full.tree.child("result")
        if result is None or result.note or full.r is None or full.r[0] is None:
            return None, None
        if self.capture.sources[full.source].format == "rmm-console":
            return None, None
        return full.r[0] >> 8 & 3, bool(full.r[0] >> 10 & 1)

    @cached_property
    def _spans(self) -> tuple[U64, I64, I64]:
        """Handles, the call from which each may be open, and the one that ends that (2**62 none): in order of the handles."""
        kept = self._events.code != _REFUSED
        key, seq, opens = self._events.key[kept], self._events.seq[kept], self._events.code[kept] == _OPEN
        n = len(key)
        if not n:
            return key, seq, seq
        fresh = np.ones(n, dtype=bool)
        fresh[1:] = (key[1:] != key[:-1]) | ~opens[:-1]
        first = np.flatnonzero(opens & fresh)
        closes = np.append(np.flatnonzero(~opens), n)
        end = closes[np.searchsorted(closes, first)]
        last = np.minimum(end, n - 1)
        return key[first], seq[first], np.where((end < n) & (key[last] == key[first]), seq[last], 1 << 62)

    def open_at(self, seq: int) -> list[Open]:
        """Every operation that is open when a call is made, of at most 1024 handles."""
        handles, first, end = self._spans
        candidates = handles[(first < seq) & (seq <= end)][:1024]
        return [o for h in candidates.tolist() if (o := self.at(int(h), seq)) is not None]

    def given(self, handle: int, seq: int) -> bool:
        """Whether a handle was given out before a call."""
        a, b = self._events.span(handle)
        return bool(((self._events.code[a:b] == _OPEN) & (self._events.seq[a:b] < seq)).any())
