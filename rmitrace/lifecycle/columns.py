"""Calls on devices and granules as the columns of numbers that they are followed by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import decoders

from . import codes
from .operations import operations

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]

_RETRY = ("RMI_BUSY", "RMI_BLOCKED")
_MOST_STATES = 1 << 14
"""Different states at most; any further one is 'another state'."""
_TAKES_X2 = (codes.DELEGATE_RANGE, codes.VDEV_CREATE, codes.STREAM_OTHER)
_GIVES_R1 = (codes.PDEV_GET_STATE, codes.VDEV_GET_STATE, codes.STREAM_CONNECT)
_WITH_PAGES = ("calls-jsonl",)
"""Formats in which the page of parameters stands with a command."""
_ADDRESS = (1 << 64) - (1 << 12)
"""The bits of a stream's handle that are the address of its endpoint."""
_TABLE = 64
"""States below that are looked up in a table."""


class Columns:
    """Makes columns of calls of one source.

    words    the names of kinds of sequences and of steps, by their numbers
    states   the names of states
    """

    def __init__(self, capture: Capture, source: int) -> None:
        self._capture, self._source = capture, source
        self.words, self.states = list(codes.WORDS), list(codes.STATES)
        self._numbers = {state: i for i, state in enumerate(self.states)}
        enums = decoders.profile(capture.revision.at(source).device).enums
        self._read = {
            act: {value: name.removeprefix(prefix) for value, name in enums.get(enum, {}).items()}
            for act, enum, prefix in (
                (codes.PDEV_GET_STATE, "RmiPdevState", "RMI_PDEV_"),
                (codes.VDEV_GET_STATE, "RmiVdevState", "RMI_VDEV_"),
            )
        }
        self._pages = any(s.format in _WITH_PAGES for s in capture.sources)
        self._rules = np.array([self._rule(n) for n in capture.names], dtype=np.int64).reshape(-1, 3)
        statuses = [*capture.statuses, ""]  # -1, no status, is the last one
        self._asks_again = np.array([s in _RETRY for s in statuses], dtype=bool)
        self._ended = np.array(
            [
                codes.RETRY * (s in _RETRY)
                + codes.HAS_STATUS * (s != "")
                + codes.DONE * (s != "RMI_INCOMPLETE")
                + codes.DEVICE_ERROR * (s == "RMI_ERROR_DEVICE")
                for s in statuses
            ],
            dtype=np.int64,
        )

    def _rule(self, name: str) -> tuple[int, int, int]:
        """What a command does, the sequence that it opens or the step that it is, and the step of a stream operation."""
        what = name.removeprefix("RMI_PDEV_").lower().replace("_", " ")
        act = codes.ACTS.get(name)
        if act is not None:
            return act, self._word(codes.KIND_OF[name]) if name in codes.KIND_OF else 0, 0
        if name.startswith("RMI_PDEV_STREAM_"):
            return codes.STREAM_OTHER, self._word(what.removeprefix("stream ")), self._word(what)
        if name.startswith("RMI_PDEV_"):
            return codes.PDEV_OTHER, self._word(what), 0
        return codes.VDEV_OTHER, 0, 0

    def _word(self, word: str) -> int:
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word)

    def rules(self) -> I64:
        """Three numbers for each name of a call."""
        return self._rules.reshape(-1)

    def of(self, rows: I64) -> list[I64]:
        """The columns of some calls: see devices_kernel.follow."""
        capture, ops = self._capture, operations(self._capture)
        calls = capture.calls
        name, end = calls.name[rows], ops.end(rows)
        began = calls.status[rows]
        over = began if ops.none else calls.status[end]
        flags = self._ended[over]
        flags[calls.failed[end] & ~self._asks_again[began]] |= codes.FAILED
        act = self._rules[name, 0]
        x1, x2, x3 = self._arguments(rows, (act >= 0, np.isin(act, _TAKES_X2), act >= codes.VDEV_COMMUNICATE))
        state = np.full(len(rows), -1, dtype=np.int64)
        at = np.flatnonzero(np.isin(act, _GIVES_R1))
        r1, known = capture.regs(rows[at], 1, out=True)
        for kind in self._read:
            mine = known & (act[at] == kind)
            state[at[mine]] = self._states(kind, r1[mine])
        connects = np.flatnonzero(act[at] == codes.STREAM_CONNECT)
        flags[at[connects]] |= np.where(known[connects], codes.HANDLE, 0)
        x2[at[connects]] = (r1[connects] & np.uint64(_ADDRESS)).view(np.int64)
        for i in at[connects].tolist() if self._pages else ():
            named = self._endpoint(int(rows[i]))
            flags[i] |= codes.NAMED * (named != 0)
            x1[i] = np.uint64(named).view(np.int64)
        return [name.astype(np.int64), flags, state, x1, x2, x3, rows, ops.last(rows)]

    def _arguments(self, rows: I64, which: tuple[Any, ...]) -> list[I64]:
        """x1, x2 and so on of those calls that need each, 0 for the others and where it is not known."""
        capture, found = self._capture, []
        records, several = capture.sources[0].records, len(capture.sources) > 1
        if not several:
            record = capture.calls.enter[rows]
            known = np.where(record >= 0, records.known[record], np.uint32(0))
        for number, needed in enumerate(which, 1):
            out = np.zeros(len(rows), dtype=np.int64)
            if several:
                at = np.flatnonzero(needed)
                out[at] = capture.regs(rows[at], number)[0].view(np.int64)
            else:
                at = np.flatnonzero(needed & (known >> np.uint32(number) & np.uint32(1) != 0))
                out[at] = records.regs[record[at], number].view(np.int64)
            found.append(out)
        return found

    def _states(self, act: int, values: Any) -> I64:
        """The numbers of states that were read."""
        table = np.full(_TABLE + 1, -1, dtype=np.int64)
        small = np.minimum(values, np.uint64(_TABLE)).astype(np.int64)
        for value in np.flatnonzero(np.bincount(small, minlength=_TABLE + 1)[:_TABLE]).tolist():
            table[value] = self._state(act, value)
        found: I64 = table[small]
        far = np.flatnonzero(small == _TABLE)
        if len(far):
            different, which = np.unique(values[far], return_inverse=True)
            found[far] = np.array([self._state(act, v) for v in different.tolist()], dtype=np.int64)[which.reshape(-1)]
        return found

    def _state(self, act: int, value: int) -> int:
        name = self._read[act].get(value, f"state {value}")
        if name not in self._numbers and len(self.states) >= _MOST_STATES:
            name = "another state"
        if name not in self._numbers:
            self._numbers[name] = len(self.states)
            self.states.append(name)
        return self._numbers[name]

    def _endpoint(self, call: int) -> int:
        """The endpoint of a stream connect that its parameter page names, 0 where that was not recorded."""
        capture = self._capture
        for buffer, tree in capture.call(call).buffers:
            node = tree.child("pdev_1") or tree.child("pdev_1_ptr") if tree is not None and buffer.when == "enter" else None
            if node is not None and isinstance(node.value, int) and node.value:
                return node.value
        return 0
