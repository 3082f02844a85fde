"""Records put together from parts, column by column."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.packed import Column
from ..capture.records import COLUMNS, RecordBuilder, Records
from ..capture.registers import Registers
from .record_pack import RecordPacker

_COLUMNS = (*COLUMNS, "regs")


class Total:
    """The records of all batches so far, packed."""

    def __init__(self) -> None:
        columns = {name: Column(dtype) for name, dtype in COLUMNS.items()}
        self.columns: dict[str, Any] = columns | {"regs": Registers()}
        self.packer = RecordPacker(columns, self.columns["regs"])

    def __len__(self) -> int:
        return len(self.columns["offset"]) + self.packer.waiting

    def add(self, part: Records) -> None:
        """Put a batch behind the others."""
        if self.packer.ready(len(part)):
            self.packer.add(part)
            return
        for name, column in self.columns.items():
            column.append(getattr(part, name))

    def records(self, names: list[str]) -> Records:
        """All of them."""
        self.packer.flush()
        self.columns["regs"].settle()
        return Records(**self.columns, names=names)


def joined(parts: list[Records], names: list[str]) -> Records:
    """The rows of several in one."""
    arrays: dict[str, Any] = {c: np.concatenate([getattr(p, c) for p in parts]) for c in _COLUMNS}
    return Records(**arrays, names=names)


def merged(many: Records, few: Records, room: dict[str, Any] | None = None) -> tuple[Records, npt.NDArray[np.int64]]:
    """The rows of two in the order of their offsets, in which each has them; of one offset those of ``many`` first. And where
    the ``few`` are. ``room``: arrays that the next such call fills again, as new memory takes long."""
    if not len(many) or not len(few):
        return few if len(few) else many, np.arange(len(few))
    total, room = len(many) + len(few), {} if room is None else room
    before = np.searchsorted(many.offset, few.offset, side="right")
    at = before + np.arange(len(few))
    cuts = [0, *np.flatnonzero(np.bincount(before)).tolist(), len(many)]
    shifts = np.searchsorted(before, cuts[:-1], side="right").tolist()
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        old, new = getattr(many, name), getattr(few, name)
        if name not in room or len(room[name]) < total:
            room[name] = np.empty((total + total // 8, *old.shape[1:]), dtype=old.dtype)
        out = room[name][:total]
        for (start, stop), shift in zip(pairwise(cuts), shifts, strict=True):
            out[start + shift : stop + shift] = old[start:stop]
        out[at] = new
        columns[name] = out
    return Records(**columns), at


def nothing() -> Records:
    """No records."""
    return RecordBuilder().finish()


def with_last(records: Records, last: Records) -> Records:
    """Packed records, and some more, which need not stand behind them, in the order of their offsets."""
    late = bool(len(records)) and bool((last.offset < records.offset[-1]).any())
    for name in _COLUMNS:
        getattr(records, name).append(getattr(last, name))
    records.regs.settle()
    if late or bool((last.offset[1:] < last.offset[:-1]).any()):
        records.take(np.argsort(records.offset, kind="stable"))
    return records
