"""Columns of integers of any length, packed: read like numpy arrays, a fraction of their size."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from .encoding import HEADER, Head, header, one, some
from .encoding_fast import packer
from .packed_values import PackedValues
from .unpacking import unpack_into

_FEW = 64
"""Values that may be looked up one by one."""
_ALONE = 3
"""Values of a piece that are: more take longer than to unpack it."""
_AT_ONCE = 16
"""Pieces that are unpacked by one call."""


class Column(PackedValues, NDArrayOperatorsMixin):
    """A column of integers or flags that is read like an array: by number, slice, numbers or flags, and in expressions.

    What is read are copies. A value is written with ``column[...] = value``, which packs its piece again.
    """

    def __setitem__(self, at: Any, values: Any) -> None:
        rows = np.atleast_1d(np.asarray(self._numbers(at)))
        new = np.broadcast_to(np.asarray(values).astype(self.dtype), rows.shape)
        if len(rows) > 1 and bool((rows[1:] < rows[:-1]).any()):
            order = np.argsort(rows, kind="stable")
            rows, new = rows[order], new[order]
        numbers = rows // self.PIECE
        for number in numbers[np.flatnonzero(np.diff(numbers, prepend=-1))].tolist():
            mine = slice(*np.searchsorted(rows, [number * self.PIECE, (number + 1) * self.PIECE]).tolist())
            piece = self._piece(number).copy()
            piece[rows[mine] - number * self.PIECE] = new[mine]
            if number == len(self._pieces):
                self._rest = [piece]
            else:
                self._replace(number, next(packer(self.PIECE).pieces(piece)))

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self),)

    @property
    def ndim(self) -> int:
        """As of an array."""
        return 1

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
        if number < len(self._pieces):
            found = one(self._head(number), partial(self._pieces.read, number), place)
            if found is not None:
                return self.dtype.type(found & 0xFFFFFFFFFFFFFFFF if self.dtype == np.uint64 else found)
        return self._piece(number)[place]

    def _head(self, number: int) -> Head:
        head = self._heads.get(number)
        if head is None:
            head = self._heads[number] = header(self._pieces.read(number, 0, HEADER.size))
        return head

    def few(self, start: int, stop: int) -> npt.NDArray[Any]:
        """The values from one number to in front of another, where they are a small part of a piece that nothing else is wanted
        of: the rest is not unpacked."""
        number = start // self.PIECE
        begin = number * self.PIECE
        if start < stop <= begin + self.PIECE and number < len(self._pieces) and self._unpacked(number) is None:
            found = some(self._head(number), partial(self._pieces.read, number), start - begin, stop - begin)
            if found is not None:
                return found.astype(self.dtype)
        return self._range(start, stop)

    def _range(self, start: int, stop: int) -> npt.NDArray[Any]:
        out = np.empty(stop - start, dtype=self.dtype)
        self.into(out, start)
        return out

    def into(self, out: npt.NDArray[Any], start: int) -> None:
        """Put the values from a number on into an array of the column's type, as many as it has room for."""
        stop = start + len(out)
        number, size = start // self.PIECE, self.PIECE
        while number * size < stop:
            begin = number * size
            whole = min(stop // size, len(self._pieces), number + _AT_ONCE) - number if start <= begin else 0
            if whole > 0:
                sizes = self._pieces.sizes[number : number + whole]
                unpack_into(self._pieces.run(number, whole), sizes, out[begin - start : begin - start + whole * size])
                number += whole
                continue
            piece = self._piece(number)
            a, b = max(start, begin), min(stop, begin + len(piece))
            out[a - start : b - start] = piece[a - begin : b - begin]
            number += 1

    def _gather(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if len(rows) <= _FEW:
            numbers = rows.tolist()
            if len(numbers) <= _ALONE * len({r // self.PIECE for r in numbers}):
                return np.array([self._one(r) for r in numbers], dtype=self.dtype)
        if bool((rows[1:] < rows[:-1]).any()):
            if len(rows) > len(self) // 8:
                return np.asarray(self)[rows]  # type: ignore[no-any-return]
            order = np.argsort(rows, kind="stable")
            out = np.empty(len(rows), dtype=self.dtype)
            out[order] = self._gather(rows[order])
            return out
        out = np.empty(len(rows), dtype=self.dtype)
        size = self.PIECE
        at = 0
        while at < len(rows):
            first = int(rows[at]) // size
            last = min(first + _AT_ONCE, -(-len(self) // size)) * size
            stop = at + int(np.searchsorted(rows[at:], last))
            last = min(last, (int(rows[stop - 1]) // size + 1) * size)
            if stop - at < _FEW or last == (first + 1) * size:  # a piece is enough, which may be unpacked already
                last = min((first + 1) * size, len(self))
                stop = at + int(np.searchsorted(rows[at:stop], last))
                values = self._piece(first)
            else:
                values = self._range(first * size, min(last, len(self)))
            out[at:stop] = values[rows[at:stop] - first * size]
            at = stop
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


def few(values: Any, start: int, stop: int) -> npt.NDArray[Any]:
    """Some of the values of an array or a column: see Column.few."""
    return values.few(start, stop) if isinstance(values, Column) else values[start:stop]
