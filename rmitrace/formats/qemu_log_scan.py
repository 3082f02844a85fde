"""A QEMU log as the kernel sees it: calls as columns, and the lines that it leaves to the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..capture.records import N_REGS, Kind, Records
from . import kernels, qemu_log_kernel
from .base import Data, ReadOptions
from .kernel_steps import SLACK
from .record_arrays import Total, merged

MANY = 16 << 20
"""Bytes from which several cores are used."""
_SHORTEST, _SHORTEST_OTHER = 64, 64
_FOUR = 0b1111
"""The registers that a line shows."""


class Room:
    """Room for what scan() reads: ``size`` calls, ``other`` lines given back of each sort."""

    def __init__(self, size: int, other: int) -> None:
        self.offset = np.empty(size, dtype=np.int64)
        self.length = np.empty(size, dtype=np.int32)
        self.ts = np.empty(size, dtype=np.int64)
        self.cpu = np.empty(size, dtype=np.int32)
        self.regs = np.empty(size * 4, dtype=np.uint64)
        self.slow = np.empty(other, dtype=np.int64)
        self.pci = np.empty(other, dtype=np.int64)

    def arrays(self) -> tuple[Any, ...]:
        """What scan() takes, in its order, and how much room there is."""
        room = len(self.offset), len(self.slow)
        return self.offset, self.length, self.ts, self.cpu, self.regs, self.slow, self.pci, *room

    def records(self, n: int) -> Records:
        """The first calls. Their name is number 0."""
        regs = np.zeros((n, N_REGS), dtype=np.uint64)
        regs[:, :4] = self.regs[: 4 * n].reshape(n, 4)
        values: tuple[Any, ...] = np.int32(-1), np.uint8(Kind.ENTER), np.int32(0), np.uint32(_FOUR)
        pid, kind, name, known = (np.broadcast_to(v, n) for v in values)
        return Records(self.offset[:n], self.length[:n], self.ts[:n], self.cpu[:n], pid, kind, name, known, regs)


class Scanned:
    """One log. ``lines_left`` has to be gone through first; ``others`` gives what was read of the lines so far, in order.

    lines  how many there are
    pci    (start, end) of those with an access to a PCI configuration space above 0xff
    """

    def __init__(
        self, kernel: Callable[..., Any], data: Data, start: int, end: int, options: ReadOptions, threads: int | None,
        others: Callable[[], Records],
    ) -> None:  # fmt: skip
        self.kernel, self.data, self.start, self.end, self.options = kernel, data, start, end, options
        self.threads = threads or (kernels.cores() if end - start >= MANY else 1)
        self.lines = 0
        self.pci: list[tuple[int, int]] = []
        self._total, self._others, self._room = Total(), others, dict[str, Any]()

    def lines_left(self) -> Iterator[tuple[int, int]]:
        """(start, end) of the lines that the kernel did not read."""
        buf: Any = self.data if self.kernel is qemu_log_kernel.scan else np.frombuffer(self.data, dtype=np.uint8)
        free: list[Room] = []
        size = max(kernels.PIECE, 4 * _SHORTEST_OTHER)

        def one(at: int, stop: int) -> tuple[Room, tuple[int, int, int, int, int]]:
            room = free.pop() if free else Room(size // _SHORTEST, size // _SHORTEST_OTHER)
            return room, self.kernel(buf, at, stop, qemu_log_kernel.EVENTS, *room.arrays())

        last = kernels.line_start(self.data, self.start, max(self.end - SLACK, self.start))
        for _, stop, (room, result) in kernels.in_order(one, kernels.pieces(self.data, self.start, last), self.threads):
            while True:
                at, n, slow, pci, lines = (int(r) for r in result)
                self.lines += lines
                self.pci += [(p, self._line_end(p)) for p in room.pci[:pci].tolist()]
                for place in room.slow[:slow].tolist():
                    yield place, self._line_end(place)
                self._total.add(merged(room.records(n), self._others(), self._room)[0])
                free.append(room)
                if self.options.progress is not None:
                    self.options.progress(at - self.start)
                if at >= stop:
                    break
                room, result = one(at, stop)
        while last < self.end:  # the kernel looks at bytes behind the end it is given
            stop = self._line_end(last)
            self.lines += 1
            self.pci.append((last, stop))
            yield last, stop
            last = stop + 1

    def _line_end(self, at: int) -> int:
        found = self.data.find(b"\n", at, self.end)
        return self.end if found < 0 else found

    def records(self, names: list[str]) -> Records:
        """The calls that the kernel read, whose name is number 0, and what ``others`` gave."""
        return self._total.records(names)
