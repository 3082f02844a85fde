"""Columns of integers of any length, packed: read like numpy arrays, a fraction of their size.

A column is kept in pieces (see .encoding) of PIECE values. The first bytes of it lie in memory; what is longer than IN_MEMORY
lies in a file without a name, so that a capture larger than memory can be worked with and nothing is left behind.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any, ClassVar

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from .encoding import HEADER, Head, bounds, header, one, pack, unpack
from .encoding_fast import packer
from .unpacking import unpacker

_FEW = 64
"""Values that are looked up one by one."""
_KEPT = 3
"""Pieces of a column that stay unpacked."""


class Column(NDArrayOperatorsMixin):
    """A column of integers or flags that is read like an array: by number, slice, numbers or flags, and in expressions.

    What is read are copies. A value is written with ``column[...] = value``, which packs its piece again. The values behind the
    last full piece are not packed: a short column is an array.
    """

    PIECE: ClassVar[int] = 1 << 14
    """Values in a piece."""
    IN_MEMORY: ClassVar[int] = 1 << 20
    """Bytes of a column that are kept in memory."""

    def __init__(self, dtype: npt.DTypeLike, values: npt.ArrayLike | None = None) -> None:
        self.dtype = np.dtype(dtype)
        self._pieces: list[bytes] = []
        self._at: list[int] = []
        """Where each piece begins in the file, -1 where it is in memory."""
        self._sizes: list[int] = []
        self._file: IO[bytes] | None = None
        self._held = 0
        """Bytes of the pieces in memory."""
        self._rest: list[npt.NDArray[Any]] = []
        """Values behind the last full piece."""
        self._resting = 0
        self._last: tuple[tuple[int, npt.NDArray[Any]], ...] = ()
        """The pieces that were unpacked last, each with its number."""
        self._heads: dict[int, Head] = {}
        if values is not None:
            self.append(values)

    # -- writing

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

    def put(self, piece: bytes) -> None:
        """Put a piece behind the others; nothing may be left behind the last one."""
        self._pieces.append(piece)
        self._at.append(-1)
        self._sizes.append(len(piece))
        self._hold(len(piece))

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held <= self.IN_MEMORY:
            return
        try:
            self._spill()
        except OSError:  # no room for a file: it stays in memory
            self._held = -(1 << 62)

    def _spill(self) -> None:
        """Move what is in memory to the file."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="rmitrace-", dir=_folder())  # noqa: SIM115 - lives with the column
        at = self._file.seek(0, os.SEEK_END)
        moving = [i for i, place in enumerate(self._at) if place < 0]
        self._file.write(b"".join(self._pieces[i] for i in moving))
        self._file.flush()
        for i in moving:
            self._at[i], self._pieces[i] = at, b""
            at += self._sizes[i]
        self._held = 0

    def __setitem__(self, at: Any, values: Any) -> None:
        rows = np.atleast_1d(np.asarray(self._numbers(at)))
        new = np.broadcast_to(np.asarray(values).astype(self.dtype), rows.shape)
        if len(rows) > 1 and bool((rows[1:] < rows[:-1]).any()):
            order = np.argsort(rows, kind="stable")
            rows, new = rows[order], new[order]
        for number in np.unique(rows // self.PIECE).tolist():
            mine = slice(*np.searchsorted(rows, [number * self.PIECE, (number + 1) * self.PIECE]).tolist())
            piece = self._piece(number).copy()
            piece[rows[mine] - number * self.PIECE] = new[mine]
            if number == len(self._sizes):
                self._rest = [piece]
            else:
                self._replace(number, pack(piece))

    def _replace(self, number: int, piece: bytes) -> None:
        self._last = ()
        self._heads.pop(number, None)
        if self._at[number] < 0:
            self._held -= self._sizes[number]
        self._pieces[number], self._at[number], self._sizes[number] = piece, -1, len(piece)
        self._hold(len(piece))

    # -- reading

    def __len__(self) -> int:
        return len(self._sizes) * self.PIECE + self._resting

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self),)

    @property
    def ndim(self) -> int:
        """As of an array."""
        return 1

    @property
    def nbytes(self) -> int:
        """Bytes of the values, packed as they are, in memory and in the file."""
        return sum(self._sizes) + self._resting * self.dtype.itemsize

    def _bytes(self, number: int, start: int, stop: int) -> bytes:
        at = self._at[number]
        if at < 0:
            return self._pieces[number][start:stop]
        assert self._file is not None
        return os.pread(self._file.fileno(), min(stop, self._sizes[number]) - start, at + start)

    def _piece(self, number: int) -> npt.NDArray[Any]:
        """The values of a piece, or of what is behind the last one; not to be written to."""
        if number == len(self._sizes):
            if len(self._rest) != 1:
                self._rest = [np.concatenate([np.zeros(0, dtype=self.dtype), *self._rest])]
            return self._rest[0]
        values = self._unpacked(number)
        if values is None:
            wide = unpacker(self.PIECE).piece(self._bytes(number, 0, self._sizes[number]))
            values = wide.view(np.uint64) if self.dtype == np.uint64 else wide.astype(self.dtype, copy=False)
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

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, int | np.integer):
            return self._one(int(at))
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self._range(start, max(stop, start)) if step == 1 else self._gather(np.arange(start, stop, step))
        numbers = self._numbers(at)
        return self._gather(numbers) if numbers.ndim == 1 else self._gather(numbers.reshape(-1)).reshape(numbers.shape)

    def _numbers(self, at: Any) -> npt.NDArray[Any]:
        """Row numbers, none below zero, of what an array may be indexed with."""
        n = len(self)
        if isinstance(at, slice):
            return np.arange(*at.indices(n))
        numbers = np.asarray(at)
        if numbers.dtype == bool:
            if numbers.shape != (n,):
                raise IndexError(f"{len(numbers)} flags for {n} values")
            return np.flatnonzero(numbers)
        if not numbers.size:
            return np.zeros(numbers.shape, dtype=np.int64)
        low, high = int(numbers.min()), int(numbers.max())
        if low < -n or high >= n:
            raise IndexError(f"{high if high >= n else low} of {n}")
        return np.where(numbers < 0, numbers + n, numbers) if low < 0 else numbers

    def _one(self, at: int) -> Any:
        n = len(self)
        if not -n <= at < n:
            raise IndexError(f"{at} of {n}")
        number, place = divmod(at if at >= 0 else at + n, self.PIECE)
        values = self._unpacked(number)
        if values is not None:
            return values[place]
        if number < len(self._sizes):
            head = self._heads.get(number)
            if head is None:
                head = self._heads[number] = header(self._bytes(number, 0, HEADER.size))
            found = one(head, partial(self._bytes, number), place)
            if found is not None:
                return self.dtype.type(found & 0xFFFFFFFFFFFFFFFF if self.dtype == np.uint64 else found)
        return self._piece(number)[place]

    def _range(self, start: int, stop: int) -> npt.NDArray[Any]:
        out = np.empty(stop - start, dtype=self.dtype)
        for number in range(start // self.PIECE, -(-stop // self.PIECE)):
            begin = number * self.PIECE
            piece = self._piece(number)
            a, b = max(start, begin), min(stop, begin + len(piece))
            out[a - start : b - start] = piece[a - begin : b - begin]
        return out

    def _gather(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if len(rows) <= _FEW:
            return np.array([self._one(r) for r in rows.tolist()], dtype=self.dtype)
        if bool((rows[1:] < rows[:-1]).any()):
            if len(rows) > len(self) // 8:
                return np.asarray(self)[rows]  # type: ignore[no-any-return]
            order = np.argsort(rows, kind="stable")
            out = np.empty(len(rows), dtype=self.dtype)
            out[order] = self._gather(rows[order])
            return out
        out = np.empty(len(rows), dtype=self.dtype)
        first, last = int(rows[0]) // self.PIECE, int(rows[-1]) // self.PIECE
        cuts = np.searchsorted(rows, np.arange(first, last + 2) * self.PIECE)
        for number in range(first, last + 1):
            a, b = int(cuts[number - first]), int(cuts[number - first + 1])
            if a < b:
                out[a:b] = self._piece(number)[rows[a:b] - number * self.PIECE]
        return out

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        out = self._range(0, len(self))
        return out if dtype is None else out.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(isinstance(out, Column) for out in options.get("out", ())):
            return NotImplemented  # column += 1
        simple = method == "__call__" and not options and all(i is self or np.ndim(i) == 0 for i in inputs)
        if simple and len(self):
            return self._by_piece(lambda piece: ufunc(*(piece if i is self else i for i in inputs)))
        return getattr(ufunc, method)(*(np.asarray(i) if isinstance(i, Column) else i for i in inputs), **options)

    def _by_piece(self, work: Callable[[npt.NDArray[Any]], Any]) -> Any:
        out: Any = None
        for start, piece in self.pieces():
            done = work(piece)
            if out is None:
                out = np.empty(len(self), dtype=done.dtype)
            out[start : start + len(done)] = done
        return out

    # -- as an array

    def astype(self, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """The values as an array of another type."""
        return np.asarray(self).astype(dtype, copy=False)

    def tolist(self) -> list[Any]:
        """The values as Python numbers."""
        return np.asarray(self).tolist()  # type: ignore[no-any-return]

    def _fold(self, fold: Callable[[npt.NDArray[Any]], Any], **options: Any) -> Any:
        if not len(self):
            return fold(np.zeros(0, dtype=self.dtype), **options)
        return fold(np.array([fold(piece) for _, piece in self.pieces()]))

    def min(self, **options: Any) -> Any:
        """The least value."""
        return self._fold(np.min, **options)

    def max(self, **options: Any) -> Any:
        """The greatest value."""
        return self._fold(np.max, **options)

    def sum(self) -> Any:
        """The sum of all values."""
        return self._fold(np.sum)

    def searchsorted(self, values: Any, side: str = "left", sorter: None = None) -> Any:
        """Where values belong in a column that is ascending: see numpy.searchsorted, which uses it."""
        wanted = np.atleast_1d(np.asarray(values))
        heads = self[np.arange(0, len(self), self.PIECE)]
        piece = np.searchsorted(heads, wanted, side) - 1  # type: ignore[call-overload]
        out = np.zeros(len(wanted), dtype=np.int64)
        for number in np.unique(piece[piece >= 0]).tolist():
            mine = np.flatnonzero(piece == number)
            out[mine] = number * self.PIECE + np.searchsorted(self._piece(number), wanted[mine], side)  # type: ignore[call-overload]
        return out[0] if np.ndim(values) == 0 else out

    def any(self) -> bool:
        """Whether a value is not zero."""
        return any(bool(piece.any()) for _, piece in self.pieces())

    def all(self) -> bool:
        """Whether no value is zero."""
        return all(bool(piece.all()) for _, piece in self.pieces())

    def take(self, rows: Any) -> Column:
        """A column of these rows, in this order."""
        numbers = self._numbers(rows)
        out = type(self)(self.dtype)
        values: Any = self
        if len(numbers) and bool((numbers[1:] < numbers[:-1]).any()):
            values = np.asarray(self)
        for start in range(0, len(numbers), self.PIECE):
            out.append(values[numbers[start : start + self.PIECE]])
        return out

    # -- in a file

    def packed(self) -> Iterator[bytes]:
        """The pieces, to be written one behind the other and opened again with ``mapped``; the last one may be shorter."""
        for number, size in enumerate(self._sizes):
            yield self._bytes(number, 0, size)
        if self._resting:
            yield pack(self._piece(len(self._sizes)))

    @classmethod
    def mapped(cls, dtype: npt.DTypeLike, count: int, file: IO[bytes], at: int, sizes: list[int]) -> Column:
        """A column of ``count`` values whose pieces stand in a file from offset ``at`` on: they are read when they are asked
        for. The file stays open with the column.

        Raises ValueError where sizes or the last piece do not fit. Another piece that is none raises ValueError when it is read.
        """
        whole = count // cls.PIECE
        if len(sizes) != -(-count // cls.PIECE) or any(s < 0 for s in sizes):
            raise ValueError("sizes of pieces that do not fit the column")
        out = cls(dtype)
        out._file, out._sizes, out._pieces = file, sizes[:whole], [b""] * whole
        for size in sizes[:whole]:
            out._at.append(at)
            at += size
        if len(sizes) > whole:
            rest = unpack(os.pread(file.fileno(), sizes[-1], at))
            if len(rest) != count % cls.PIECE:
                raise ValueError("a piece of another length")
            out.append(rest)
        return out

    def check(self, least: int | None = None, end: int | None = None) -> None:
        """Raise ValueError where a value is below ``least`` or not below ``end``, or a piece is none. Few pieces are unpacked."""
        for number, size in enumerate(self._sizes):
            piece = self._bytes(number, 0, size)
            if header(piece)[3] != self.PIECE:
                raise ValueError("a piece of another length")
            found = bounds(piece)
            if least is None or end is None:
                continue
            if found is None or found[0] < least or found[1] >= end:
                values = self._piece(number)
                found = int(values.min()), int(values.max())
            if found[0] < least or found[1] >= end:
                raise ValueError("a number that cannot be")
        if self._resting and least is not None and end is not None:
            rest = self._piece(len(self._sizes))
            if int(rest.min()) < least or int(rest.max()) >= end:
                raise ValueError("a number that cannot be")

    def below(self, limit: int) -> Iterator[tuple[int, int]]:
        """First and last number (that one not included) of the pieces in which a value may be below a limit."""
        for number, start in enumerate(range(0, len(self), self.PIECE)):
            found = bounds(self._bytes(number, 0, self._sizes[number])) if number < len(self._sizes) else None
            if found is None or found[0] < limit:
                yield start, min(start + self.PIECE, len(self))


class Registers:
    """x0..x7 of every record: eight columns that are read like an array of shape (n, 8)."""

    dtype = np.dtype(np.uint64)

    def __init__(self, values: Any = None, count: int = 8) -> None:
        self.columns = [Column(np.uint64) for _ in range(count)]
        if values is not None:
            self.append(values)

    def append(self, values: Any) -> None:
        """Put rows behind the others, an array of shape (n, 8)."""
        size = self.columns[0].PIECE
        first = min(-len(self) % size, len(values))
        whole = first + (len(values) - first) // size * size
        for i, c in enumerate(self.columns):
            c.append(values[:first, i])
        for pieces in packer(size).rows(values[first:whole]):
            for c, piece in zip(self.columns, pieces, strict=True):
                c.put(piece)
        for i, c in enumerate(self.columns):
            c.append(values[whole:, i])

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def shape(self) -> tuple[int, int]:
        """As of an array."""
        return len(self), len(self.columns)

    @property
    def nbytes(self) -> int:
        """Bytes of the packed values."""
        return sum(c.nbytes for c in self.columns)

    def __getitem__(self, at: Any) -> Any:
        rows, which = at if isinstance(at, tuple) else (at, slice(None))
        if isinstance(which, slice):
            return np.stack([c[rows] for c in self.columns[which]], axis=-1)
        return self.columns[which][rows]

    def __setitem__(self, at: Any, values: Any) -> None:
        rows, which = at if isinstance(at, tuple) else (at, slice(None))
        if not isinstance(which, slice):
            self.columns[which][rows] = values
            return
        some = self.columns[which]
        for i, c in enumerate(some):
            c[rows] = np.asarray(values)[..., i] if np.ndim(values) else values

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self[:] if dtype is None else self[:].astype(dtype)  # type: ignore[no-any-return]

    def tolist(self) -> list[list[int]]:
        """The rows as Python numbers."""
        return self[:].tolist()  # type: ignore[no-any-return]

    def take(self, rows: Any) -> Registers:
        """These rows, in this order."""
        out = Registers(count=0)
        out.columns = [c.take(rows) for c in self.columns]
        return out


def _folder() -> str | None:
    """Where long temporary files go: TMPDIR where it is set, else /var/tmp, which is not in memory as /tmp may be."""
    return None if "TMPDIR" in os.environ or not os.access("/var/tmp", os.W_OK) else "/var/tmp"
