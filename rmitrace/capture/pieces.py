"""Packed pieces one behind the other: in memory while there are few of all columns together, then in files without a name, so
that a capture larger than memory can be worked with and nothing is left behind.
"""

from __future__ import annotations

import os
from typing import IO, ClassVar

BUDGET = 64 << 20
"""Bytes that are kept in memory of all columns together, before each has to do with its own share: a file takes the processor
longer than the packing did."""


class Spool:
    """A file without a name, made when it is first asked for; it is written at its end only."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    def open(self) -> IO[bytes]:
        """The file. Raises OSError where there is no room for one."""
        if self._file is None:
            self._file = unnamed()
        return self._file


class Pieces:
    """Pieces by their number.

    most   bytes that are kept in memory: where all together have more than BUDGET, or several share a file
    file   where the others stand, None: there are none
    sizes  bytes of each
    """

    _together: ClassVar[int] = 0
    """Bytes in memory of all columns, about: threads add to it without a lock."""

    def __init__(self, most: int, spool: Spool | None = None) -> None:
        self.most = most
        self._few = spool is None
        """The file is this one's own."""
        self._spool = spool or Spool()
        self.file: IO[bytes] | None = None
        self.sizes: list[int] = []
        self._held: list[bytes] = []
        self._at: list[int] = []
        """Where each begins in the file, -1 where it is in memory."""
        self._holding = 0
        """Bytes of those in memory."""
        self._fixed = False
        """There is no room for a file."""

    def __del__(self) -> None:
        Pieces._together -= self._holding

    @classmethod
    def mapped(cls, most: int, file: IO[bytes], at: int, sizes: list[int]) -> Pieces:
        """Pieces of these sizes that stand in a file from offset ``at`` on. The file stays open with them."""
        out = cls(most)
        out.file, out.sizes, out._held = file, sizes, [b""] * len(sizes)
        for size in sizes:
            out._at.append(at)
            at += size
        return out

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def nbytes(self) -> int:
        """Bytes of all, in memory and in the file."""
        return sum(self.sizes)

    @property
    def in_memory(self) -> int:
        """Bytes of those in memory."""
        return sum(map(len, self._held))

    def append(self, piece: bytes) -> None:
        """Put one behind the others."""
        size = len(piece)
        self._held.append(piece)
        self._at.append(-1)
        self.sizes.append(size)
        self._hold(size)

    def replace(self, number: int, piece: bytes) -> None:
        """Put another in the place of one."""
        if self._at[number] < 0:
            self._count(-self.sizes[number])
        self._held[number], self._at[number], self.sizes[number] = piece, -1, len(piece)
        self._hold(len(piece))

    def read(self, number: int, start: int = 0, stop: int | None = None) -> bytes:
        """The bytes of a piece between two offsets in it."""
        at, size = self._at[number], self.sizes[number]
        if at < 0:
            return self._held[number] if stop is None else self._held[number][start:stop]
        assert self.file is not None
        return os.pread(self.file.fileno(), (size if stop is None else min(stop, size)) - start, at + start)

    def run(self, number: int, count: int) -> bytes:
        """The bytes of several pieces, from one on."""
        ends = range(number, number + count)
        at = self._at[number]
        if count > 1 and at >= 0 and all(self._at[i] + self.sizes[i] == self._at[i + 1] for i in ends[:-1]):
            assert self.file is not None
            return os.pread(self.file.fileno(), sum(self.sizes[number : number + count]), at)
        return self.read(number) if count == 1 else b"".join(map(self.read, ends))

    def _hold(self, size: int) -> None:
        self._count(size)
        if self._fixed or self._holding <= self.most or (self._few and Pieces._together <= BUDGET):
            return
        try:
            self._spill()
        except OSError:  # it stays in memory
            self._fixed = True

    def _count(self, size: int) -> None:
        self._holding += size
        Pieces._together += size

    def _spill(self) -> None:
        """Move what is in memory to the file."""
        if self.file is None:
            self.file = self._spool.open()
        at = self.file.seek(0, os.SEEK_END)
        moving = [i for i, place in enumerate(self._at) if place < 0]
        self.file.write(b"".join(self._held[i] for i in moving))
        self.file.flush()
        for i in moving:
            self._at[i], self._held[i] = at, b""
            at += self.sizes[i]
        self._count(-self._holding)


def unnamed() -> IO[bytes]:
    """A file without a name, which is gone when it is closed. Raises OSError."""
    import tempfile

    return tempfile.TemporaryFile(prefix="rmitrace-", dir=_folder())


def _folder() -> str | None:
    """Where long temporary files go: TMPDIR where it is set, else /var/tmp, which is not in memory as /tmp may be."""
    return None if "TMPDIR" in os.environ or not os.access("/var/tmp", os.W_OK) else "/var/tmp"
