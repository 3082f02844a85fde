"""Integers in packed pieces (see .encoding and .pieces), of PIECE values each: put behind each other, read a piece at a time,
found by the bounds of the pieces, kept in a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from .checking import doubtful
from .encoding import Head, bounds, may_hold, pack, unpack
from .encoding_fast import packer
from .pieces import Pieces, Spool
from .unpacking import unpack_into

_KEPT = 3
"""Pieces that stay unpacked."""


class PackedValues:
    """Integers or flags of one type. Those behind the last full piece are not packed: a few are an array."""

    PIECE: ClassVar[int] = 1 << 14
    """Values in a piece."""
    IN_MEMORY: ClassVar[int] = 1 << 20
    """Bytes that are kept in memory."""

    def __init__(self, dtype: npt.DTypeLike, values: npt.ArrayLike | None = None, spool: Spool | None = None) -> None:
        """``spool``: the file of the pieces that are not kept in memory, where several columns share one."""
        self.dtype = np.dtype(dtype)
        self._pieces = Pieces(self.IN_MEMORY, spool)
        self._rest: list[npt.NDArray[Any]] = []
        """Values behind the last full piece."""
        self._resting = 0
        self._last: tuple[tuple[int, npt.NDArray[Any]], ...] = ()
        """The pieces that were unpacked last, each with its number."""
        self._heads: dict[int, Head] = {}
        if values is not None:
            self.append(values)

    @classmethod
    def filled(cls, dtype: npt.DTypeLike, value: int, count: int) -> Self:
        """A column of ``count`` times the same value."""
        out = cls(dtype)
        whole, rest = divmod(count, cls.PIECE)
        if whole:
            piece = pack(np.full(cls.PIECE, value, dtype=out.dtype))
            for _ in range(whole):
                out.put(piece)
        out.append(np.full(rest, value, dtype=out.dtype))
        return out

    def append(self, values: npt.ArrayLike) -> None:
        """Put values behind the others."""
        new = np.asarray(values).astype(self.dtype, copy=False)
        at = 0
        if self._resting and self._resting + len(new) >= self.PIECE:
            at = self.PIECE - self._resting
            for piece in packer(self.PIECE).pieces(np.concatenate([*self._rest, new[:at]])):
                self.put(piece)
            self._rest, self._resting = [], 0
        whole = at + (len(new) - at) // self.PIECE * self.PIECE
        if whole > at:
            for piece in packer(self.PIECE).pieces(new[at:whole]):
                self.put(piece)
            at = whole
        self._rest.append(new[at:].copy())
        self._resting += len(new) - at

    def unrest(self) -> npt.NDArray[Any]:
        """Take the values behind the last piece out of the column."""
        values = self._piece(len(self._pieces))
        self._rest, self._resting = [], 0
        return values

    def put(self, piece: bytes) -> None:
        """Put a piece behind the others; nothing may be left behind the last one."""
        self._pieces.append(piece)

    def _replace(self, number: int, piece: bytes) -> None:
        self._last = ()
        self._heads.pop(number, None)
        self._pieces.replace(number, piece)

    def __len__(self) -> int:
        return len(self._pieces) * self.PIECE + self._resting

    @property
    def nbytes(self) -> int:
        """Bytes of the values, packed as they are, in memory and in the file."""
        return self._pieces.nbytes + self._resting * self.dtype.itemsize

    def _piece(self, number: int) -> npt.NDArray[Any]:
        """The values of a piece, or of what is behind the last one; not to be written to."""
        if number == len(self._pieces):
            if len(self._rest) != 1:
                self._rest = [np.concatenate([np.zeros(0, dtype=self.dtype), *self._rest])]
            return self._rest[0]
        values = self._unpacked(number)
        if values is None:
            values = np.empty(self.PIECE, dtype=self.dtype)
            unpack_into(self._pieces.read(number), self._pieces.sizes[number : number + 1], values)
            values.flags.writeable = False
            self._last = ((number, values), *self._last[: _KEPT - 1])
        return values

    def _unpacked(self, number: int) -> npt.NDArray[Any] | None:
        """A piece that is unpacked already."""
        for kept, values in self._last:
            if kept == number:
                return values
        return None

    def pieces(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """The number of the first value, and the values, piece by piece; none of them empty."""
        for start in range(0, len(self), self.PIECE):
            yield start, self._piece(start // self.PIECE)

    def packed(self) -> Iterator[bytes]:
        """The pieces, to be written one behind the other and opened again with ``mapped``; the last one may be shorter."""
        for number in range(len(self._pieces)):
            yield self._pieces.read(number)
        if self._resting:
            yield pack(self._piece(len(self._pieces)))

    @classmethod
    def mapped(cls, dtype: npt.DTypeLike, count: int, file: IO[bytes], at: int, sizes: list[int]) -> Self:
        """A column of ``count`` values whose pieces stand in a file from offset ``at`` on: they are read when they are asked
        for. The file stays open with the column.

        Raises ValueError where sizes or the last piece do not fit. Another piece that is none raises ValueError when it is read.
        """
        whole = count // cls.PIECE
        if len(sizes) != -(-count // cls.PIECE) or any(s < 0 for s in sizes):
            raise ValueError("sizes of pieces that do not fit the column")
        out = cls(dtype)
        out._pieces = Pieces.mapped(cls.IN_MEMORY, file, at, sizes[:whole])
        if len(sizes) > whole:
            rest = unpack(os.pread(file.fileno(), sizes[-1], at + out._pieces.nbytes))
            if len(rest) != count % cls.PIECE:
                raise ValueError("a piece of another length")
            out.append(rest)
        return out

    def check(self, least: int | None = None, end: int | None = None, data: npt.NDArray[np.uint8] | None = None) -> None:
        """Raise ValueError where a value is below ``least`` or not below ``end``, or a piece is none. Few pieces are unpacked.
        ``data``: all pieces, where they are at hand as one."""
        limits = None if least is None or end is None else (least, end)
        for number in doubtful(data, self._pieces, self.PIECE, limits):
            values = self._piece(number)
            if limits is not None and not (limits[0] <= int(values.min()) and int(values.max()) < limits[1]):
                raise ValueError("a number that cannot be")
        if self._resting and least is not None and end is not None:
            rest = self._piece(len(self._pieces))
            if int(rest.min()) < least or int(rest.max()) >= end:
                raise ValueError("a number that cannot be")

    def places(self, value: int) -> npt.NDArray[np.int64]:
        """The numbers of the values that are equal to one. Pieces in which it cannot be are not unpacked."""
        out = [np.zeros(0, dtype=np.int64)]
        for number, start in enumerate(range(0, len(self), self.PIECE)):
            if number == len(self._pieces) or may_hold(self._pieces.read(number), value):
                out.append(start + np.flatnonzero(self._piece(number) == value))
        return np.concatenate(out)

    def below(self, limit: int) -> Iterator[tuple[int, int]]:
        """First and last number (that one not included) of the pieces in which a value may be below a limit."""
        for number, start in enumerate(range(0, len(self), self.PIECE)):
            found = bounds(self._pieces.read(number)) if number < len(self._pieces) else None
            if found is None or found[0] < limit:
                yield start, min(start + self.PIECE, len(self))
