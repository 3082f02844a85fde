"""Records put together from parts, column by column."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..capture.packed import Column
from ..capture.records import COLUMNS, Records
from ..capture.registers import Registers

_COLUMNS = (*COLUMNS, "regs")


class Total:
    """The records of all batches so far, packed."""

    def __init__(self) -> None:
        self.columns: dict[str, Any] = {name: Column(dtype) for name, dtype in COLUMNS.items()} | {"regs": Registers()}

    def __len__(self) -> int:
        return len(self.columns["offset"])

    def add(self, part: Records) -> None:
        """Put a batch behind the others."""
        for name, column in self.columns.items():
            column.append(getattr(part, name))

    def records(self, names: list[str]) -> Records:
        """All of them."""
        return Records(**self.columns, names=names)


def joined(parts: list[Records], names: list[str]) -> Records:
    """The rows of several in one."""
    arrays: dict[str, Any] = {c: np.concatenate([getattr(p, c) for p in parts]) for c in _COLUMNS}
    return Records(**arrays, names=names)
