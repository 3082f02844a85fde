"""The calls of a capture, and of one of its sources, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .packed import Column
from .records import Values

CALL_COLUMNS: dict[str, Any] = {
    "enter": np.int64, "exit": np.int64, "source": np.int16, "ts": np.int64, "dur": np.int64, "cpu": np.int32, "pid": np.int32,
    "fid": np.uint64, "name": np.int32, "service": np.int16, "status": np.int32, "failed": np.bool_, "paired": np.uint8,
    "inferred": np.bool_, "parent": np.int64,
}  # fmt: skip


@dataclass(slots=True)
class Calls:
    """The calls of a capture, one row each, in order of time, else of the sources.

    enter, exit      record numbers in the call's source, -1 where there is none
    ts, dur          ns in the source's clock (NO_TIME unknown); ns from entry to exit (-1 unknown)
    fid              function id as passed, 0 unknown
    name, service,
    status           indices into Capture.names, services, statuses; status -1: none known
    failed           the result says that the call failed
    paired           0 both, 1 enter-only, 2 exit-only, 3 whole
    inferred         told by the function around the SMC, not by the SMC
    parent           row of the command that a 2.0 OP_* call works for, else -1

    CALL_COLUMNS has their types. They are arrays, or packed.
    """

    enter: Values
    exit: Values
    source: Values
    ts: Values
    dur: Values
    cpu: Values
    pid: Values
    fid: Values
    name: Values
    service: Values
    status: Values
    failed: Values
    paired: Values
    inferred: Values
    parent: Values

    def __len__(self) -> int:
        return len(self.enter)

    def pack(self) -> None:
        """Pack the columns that are still arrays."""
        for name, dtype in CALL_COLUMNS.items():
            values = getattr(self, name)
            if not isinstance(values, Column):
                setattr(self, name, Column(dtype, values))

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return sum(getattr(self, name).nbytes for name in CALL_COLUMNS)


@dataclass(frozen=True, slots=True)
class SourceCalls:
    """The calls that one source shows, in its order: their rows, and its records of them (-1 where there is none)."""

    rows: npt.NDArray[np.int64]
    enter: npt.NDArray[np.int64]
    exit: npt.NDArray[np.int64]
    pid: npt.NDArray[np.int32]

    @property
    def first(self) -> npt.NDArray[np.int64]:
        """The first record of each."""
        return np.where(self.enter >= 0, self.enter, self.exit)
