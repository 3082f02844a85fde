"""The registers of some calls, as many of them as are asked for, one column behind the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .records import N_REGS

if TYPE_CHECKING:
    from .model import Capture

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_APART = 4
"""Times as many records as calls that are unpacked for them in one piece."""


class CallRegisters:
    """Reads what Capture.regs reads. The record numbers and what is known of the records are looked up once for all registers."""

    def __init__(self, capture: Capture, calls: slice | Ints) -> None:
        """``calls``: their numbers, ascending, or from one to in front of another."""
        self._capture, self._calls = capture, calls
        self._read: dict[tuple[bool, int], tuple[Any, Flags]] = {}
        self._blocks: dict[int, Any] = {}
        self._records: tuple[Any, Any] | None = None
        self._low = self._high = 0
        count = calls.stop - calls.start if isinstance(calls, slice) else len(calls)
        if len(capture.sources) == 1 and count:
            c = capture.calls
            records = c.enter[calls], c.exit[calls]
            there = [r[r >= 0] for r in records]
            self._low = min(int(r.min()) for r in there if len(r))
            self._high = max(int(r.max()) for r in there if len(r)) + 1
            if self._high - self._low <= _APART * count + N_REGS:
                self._records = records

    def of(self, number: int, *, out: bool) -> tuple[Any, Flags]:
        """A register of all the calls, after the SMC where ``out``: values (0 where unknown), and whether each is known."""
        found = self._read.get((out, number))
        if found is None:
            found = self._read[out, number] = self._of(number, out)
        return found

    def those(self, number: int, hits: Callable[[Any], Flags], *, out: bool) -> Flags:
        """The calls of which a register is known and has a value that hits. Where no record has one, it ends there."""
        if self._records is None or number >= N_REGS:
            values, known = self.of(number, out=out)
            return hits(values) & known
        found: Flags = hits(self._block(number))
        record = self._records[out]
        if not found.any():
            return np.zeros(len(record), dtype=bool)
        found &= self._block(-1) & np.uint32(1 << number) != 0
        at = record - self._low
        missing = record < 0
        if missing.any():
            at[missing] = 0
        hit: Flags = found[at] & ~missing
        return hit

    def _of(self, number: int, out: bool) -> tuple[Any, Flags]:
        if self._records is None or number >= N_REGS:
            calls = np.arange(self._calls.start, self._calls.stop) if isinstance(self._calls, slice) else self._calls
            return self._capture.regs(calls, number, out=out)
        record = self._records[out]
        at = record - self._low
        missing = record < 0
        if missing.any():
            at[missing] = 0
        bits = self._block(-1)
        bit = np.uint32(1 << number)
        values = self._block(number)[at]
        if bool(np.bitwise_and.reduce(bits) & bit) and not missing.any():
            return values, ~missing
        known = (bits[at] & bit != 0) & ~missing
        values[~known] = 0
        return values, known

    def _block(self, number: int) -> Any:
        """A register of all records from the first to the last; -1: which are known."""
        found = self._blocks.get(number)
        if found is None:
            records = self._capture.sources[0].records
            span = slice(self._low, self._high)
            found = self._blocks[number] = records.known[span] if number < 0 else records.regs[span, number]
        return found
